package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// text is a message.
type text string

func (m text) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, string(m))
	return int64(n), err
}

func newDir(t *testing.T) *Dir {
	t.Helper()
	return &Dir{Path: filepath.Join(t.TempDir(), "state", "spool"), Now: func() time.Time { return received }}
}

func put(t *testing.T, d *Dir, user, message string) string {
	t.Helper()
	item, err := d.Put(Note{User: user, Source: "test"}, text(message), int64(len(message)))
	if err != nil {
		t.Fatal(err)
	}
	return item.ID
}

func names(t *testing.T, d *Dir) []string {
	t.Helper()
	var names []string
	entries, err := os.ReadDir(d.Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// What is put there is read again, in its order, though the clock stands still or goes back.
func TestDir(t *testing.T) {
	d := newDir(t)
	if ids, err := d.IDs(); err != nil || len(ids) > 0 {
		t.Errorf("an empty spool has %q, %v", ids, err)
	}
	want := []string{put(t, d, "paul@example.com", "first"), put(t, d, "Vincent@example.com", ""), put(t, d, "paul@example.com", "third")}
	d.Now = func() time.Time { return received.Add(-time.Hour) }
	other := &Dir{Path: d.Path, Now: d.Now} // another program
	want = append(want, put(t, other, "paul@example.com", "fourth"), put(t, d, "paul@example.com", "fifth"))
	// The machine has stopped, and the counter is lost.
	if err := os.Truncate(filepath.Join(d.Path, "last"), 3); err != nil {
		t.Fatal(err)
	}
	other = &Dir{Path: d.Path, Now: d.Now}
	want = append(want, put(t, other, "paul@example.com", "sixth"))
	if ids, err := d.IDs(); err != nil || !slices.Equal(ids, want) || !slices.IsSorted(want) {
		t.Errorf("the spool has %q, %v, want %q", ids, err, want)
	}
	m, err := d.Open(want[2])
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	content, err := io.ReadAll(m)
	if string(content) != "third" || err != nil || m.User != "paul@example.com" || !m.Received.Equal(received) || m.Size != 5 {
		t.Errorf("read %q, %v, %+v", content, err, m.Item)
	}
	if info, err := os.Stat(filepath.Join(d.Path, want[2]+".eml")); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(d.Path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := d.Drop(want[2]); err != nil {
		t.Error(err)
	}
	for _, err := range []error{d.Drop(want[2]), d.Drop("../../x"), d.Retry("x"), d.Retry(want[2])} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what is not there: %v", err)
		}
	}
	if _, err := d.Open(want[2]); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// What cannot be put there leaves nothing.
func TestPutFails(t *testing.T) {
	d := newDir(t)
	broken := errors.New("no luck")
	for name, err := range map[string]error{
		"a reader that fails": second(d.Put(Note{User: "a@x"}, failingText{broken}, 3)),
		"another size":        second(d.Put(Note{User: "a@x"}, text("four"), 3)),
		"nobody's":            second(d.Put(Note{}, text("abc"), 3)),
		"an endless address":  second(d.Put(Note{User: strings.Repeat("x", 5000)}, text("abc"), 3)),
	} {
		if err == nil {
			t.Errorf("%s is no error", name)
		}
	}
	if got := names(t, d); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
	if os.Geteuid() == 0 {
		return
	}
	if err := os.Chmod(d.Path, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Put(Note{User: "a@x"}, text("abc"), 3); err == nil {
		t.Error("a directory that cannot be written is no error")
	}
}

// What is put into the spool leaves little garbage: mail systems wait for what collects it.
func TestPutGarbage(t *testing.T) {
	d := newDir(t)
	put(t, d, "paul", "first")
	const many = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range many {
		put(t, d, "paul", strings.Repeat("message", 100))
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / many; each > 16_000 {
		t.Errorf("%d octets for each message", each)
	}
}

func second(_ Item, err error) error { return err }

type failingText struct{ err error }

func (f failingText) WriteTo(io.Writer) (int64, error) { return 0, f.err }

// Many put messages at once, in several programs: each gets a name of its own, and one that was put before another was
// begun comes before it.
func TestPutAtOnce(t *testing.T) {
	d := newDir(t)
	var wg sync.WaitGroup
	for n := range 8 {
		mine := &Dir{Path: d.Path, Now: d.Now}
		wg.Go(func() {
			last := ""
			for i := range 20 {
				message := fmt.Sprintf("%d of %d", i, n)
				item, err := mine.Put(Note{User: "a@x"}, text(message), int64(len(message)))
				if err != nil || item.ID <= last {
					t.Errorf("%q after %q, %v", item.ID, last, err)
				}
				last = item.ID
			}
		})
	}
	wg.Wait()
	if ids, err := d.IDs(); err != nil || len(ids) != 160 {
		t.Errorf("%d messages, %v", len(ids), err)
	}
}

// What somebody has put there who is not from here is left alone; damage is told from a disk's errors.
func TestStrangeFiles(t *testing.T) {
	d := newDir(t)
	id := put(t, d, "a@x", "hello")
	whole, err := os.ReadFile(filepath.Join(d.Path, id+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"note.eml": "", "20261122T120000Z.eml": "", "README": "", ".x.eml": ""} {
		if err := os.WriteFile(filepath.Join(d.Path, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if ids, err := d.IDs(); err != nil || !slices.Equal(ids, []string{id}) {
		t.Errorf("%q, %v", ids, err)
	}
	for name, content := range map[string]string{"truncated": string(whole[:len(whole)-1]), "longer": string(whole) + "x", "empty": "", "no note": "hello\n"} {
		if err := os.WriteFile(filepath.Join(d.Path, id+".eml"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var broken *BrokenError
		if _, err := d.Open(id); !errors.As(err, &broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	os.Remove(filepath.Join(d.Path, id+".eml"))
	if err := os.Symlink("/etc/passwd", filepath.Join(d.Path, id+".eml")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(id); err == nil {
		t.Error("a symbolic link is followed")
	}
}

// At the start, what programs left half written goes, and what one still writes does not.
func TestSweep(t *testing.T) {
	d := newDir(t)
	id := put(t, d, "a@x", "hello")
	if err := d.tried(id, Try{Tries: 1}); err != nil {
		t.Fatal(err)
	}
	writing := make(chan struct{})
	finish := make(chan struct{})
	done := make(chan error)
	go func() {
		_, err := d.Put(Note{User: "a@x"}, slow{writing, finish}, 5)
		done <- err
	}()
	<-writing
	const gone = "20200101T000000.000000000Z"
	for _, name := range []string{".message.123.tmp", gone + ".txt"} {
		if err := os.WriteFile(filepath.Join(d.Path, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.sweep([]string{id}); err != nil {
		t.Fatal(err)
	}
	close(finish)
	if err := <-done; err != nil {
		t.Error(err)
	}
	got := names(t, d)
	if len(got) != 4 || slices.Contains(got, gone+".txt") || !slices.Contains(got, id+".txt") {
		t.Errorf("left: %q", got)
	}
}

// slow is a message that takes its time.
type slow struct{ writing, finish chan struct{} }

func (s slow) WriteTo(w io.Writer) (int64, error) {
	close(s.writing)
	<-s.finish
	return text("hello").WriteTo(w)
}

// FuzzFile has anything in the file of a message: it is read to its end, or said to be damaged.
func FuzzFile(f *testing.F) {
	whole, err := Note{User: "a@x", Sender: "b@y", Received: received, Size: 5}.encode()
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{"", "hello", string(whole), string(whole) + "hello", string(whole) + "hello!", string(whole[:20]), "X-Imip-Agent-Size: 0\r\n", string(whole) + string(whole)} {
		f.Add([]byte(text))
	}
	d := &Dir{Path: f.TempDir(), Now: func() time.Time { return received }}
	id := next(received, "")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(d.File(id), content, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := d.Open(id)
		var broken *BrokenError
		if errors.As(err, &broken) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if message, err := io.ReadAll(m); err != nil || int64(len(message)) != m.Size || !bytes.HasSuffix(content, message) {
			t.Errorf("%d octets of %d, %v", len(message), m.Size, err)
		}
	})
}
