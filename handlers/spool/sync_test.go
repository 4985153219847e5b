package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"imip-agent/stores/durable"
)

// disk is what would be left if the machine stopped now.
type disk struct {
	mu      sync.Mutex
	names   map[string]uint64 // files, by name
	content map[uint64]string // of files
}

// under has a directory tell the disk what was synced: content when it was read before the sync, names that were there before.
func (m *disk) under(d *Dir) {
	m.names, m.content = map[string]uint64{}, map[uint64]string{}
	d.syncFile = func(f *os.File) error {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(f.Name())
		err = errors.Join(err, f.Sync())
		m.mu.Lock()
		defer m.mu.Unlock()
		m.content[inode(info)] = string(content)
		return err
	}
	d.names.Sync = func(path string) error {
		// While the clock stands still, IDs follow one another. So each name can be asked for: who reads a directory while it
		// changes may miss one.
		names := map[string]uint64{}
		id := next(d.Now(), "")
		info, err := os.Lstat(d.File(id))
		for ; err == nil; info, err = os.Lstat(d.File(id)) {
			names[filepath.Base(d.File(id))] = inode(info)
			id = next(d.Now(), id)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		err = durable.NamesIn(path)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.names = names
		return err
	}
}

func inode(info os.FileInfo) uint64 { return info.Sys().(*syscall.Stat_t).Ino }

// A message is put there when its file and its name would be there if the machine stopped, however many come at once.
func TestPutLasts(t *testing.T) {
	d := newDir(t)
	var m disk
	m.under(d)
	var wg sync.WaitGroup
	for w := range 20 {
		wg.Go(func() {
			for n := range 10 {
				message := fmt.Sprintf("message %d of %d\r\n", n, w)
				item, err := d.Put(Note{User: "a@x"}, text(message), int64(len(message)))
				if err != nil {
					t.Error(err)
					continue
				}
				m.mu.Lock()
				file, named := m.names[item.ID+messageSuffix]
				content := m.content[file]
				m.mu.Unlock()
				if !named || !strings.HasPrefix(content, fieldPrefix) || !strings.HasSuffix(content, message) {
					t.Errorf("%s: it is %v that the name would be left, with %q", item.ID, named, content)
				}
			}
		})
	}
	wg.Wait()
}

// Messages that come at once are synced side by side, and their names together.
func TestPutTogether(t *testing.T) {
	d := newDir(t)
	synctest.Test(t, func(t *testing.T) {
		put(t, d, "a@x", "so that there is a directory")
		synctest.Wait() // until the goroutine has ended that has synced names: it would take those that come, too
		const many = 100
		files, names := 0, 0
		goOn, goOnNames := make(chan bool), make(chan error)
		var mu sync.Mutex
		d.syncFile = func(f *os.File) error {
			mu.Lock()
			files++
			mu.Unlock()
			<-goOn
			return f.Sync()
		}
		d.names.Sync = func(path string) error {
			names++
			if err := <-goOnNames; err != nil {
				return err
			}
			return durable.NamesIn(path)
		}
		done := map[string]error{}
		come := func(number int) {
			for n := range number {
				go func() {
					message := fmt.Sprint(n)
					item, err := d.Put(Note{User: "a@x"}, text(message), int64(len(message)))
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						item.ID = message
					}
					done[item.ID] = err
				}()
			}
			synctest.Wait()
		}
		want := func(wantFiles, wantNames, wantDone int) {
			t.Helper()
			if synctest.Wait(); files != wantFiles || names != wantNames || len(done) != wantDone {
				t.Fatalf("%d files are synced, %d times names, %d are done; want %d, %d and %d", files, names, len(done), wantFiles, wantNames, wantDone)
			}
		}
		come(1)
		want(1, 0, 0)
		goOn <- true
		want(1, 1, 0)
		come(many)
		want(1+many, 1, 0) // all at once, while the names of the first one are synced
		for range many {
			goOn <- true
		}
		want(1+many, 1, 0)
		goOnNames <- nil
		want(1+many, 2, 1)
		goOnNames <- nil
		want(1+many, 2, 1+many)
		for id, err := range done {
			if err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}

		// Where names cannot be synced, none of those is there that waited for it.
		come(3)
		for range 3 {
			goOn <- true
		}
		unlucky := errors.New("no luck")
		synctest.Wait()
		goOnNames <- unlucky
		if synctest.Wait(); names == 4 { // the first of the three had begun alone
			goOnNames <- unlucky
		}
		synctest.Wait()
		failed := 0
		for _, err := range done {
			if errors.Is(err, unlucky) {
				failed++
			}
		}
		if left, err := filepath.Glob(d.file("*" + messageSuffix)); failed != 3 || err != nil || len(left) != 2+many {
			t.Errorf("%d have failed, %d are there, %v", failed, len(left), err)
		}
	})
}
