package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/storestest"
	"imip-agent/tests/skip"
)

func TestLeftOverStaging(t *testing.T) {
	var log logBuffer
	s := openTest(t, logTo(&log))
	fill(t, s)
	dir := filepath.Join(s.options.Dir, string(paul))
	before := tree(t, dir)
	write(t, dir+"/__staging__/0", "half a ta")
	write(t, filepath.Join(s.options.PublishDir, string(paul), ".freebusy.new"), "half a calen")
	if err := s.View(bg, paul, func(stores.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir + "/__staging__/0"); err != nil {
		t.Errorf("looking has changed something: %v", err)
	}
	fill(t, s)
	wantTree(t, tree(t, dir), before)
	if !strings.Contains(log.String(), "leftover staging files were removed") {
		t.Errorf("logged %q", log.String())
	}
	err := s.Update(bg, paul, func(tx stores.Tx) error { return tx.Publish([]byte("BEGIN:VCALENDAR")) })
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(s.options.PublishDir, string(paul)))
	if err != nil || len(entries) != 1 {
		t.Errorf("published: %v, %v", entries, err)
	}
}

// changeAll changes something of every kind, and makes directories.
func changeAll(s *Store, size int) error {
	return s.Update(bg, paul, func(tx stores.Tx) error {
		for _, key := range []stores.Key{
			{ID: stores.ID{UID: "u1"}},
			{ID: stores.ID{UID: "u9", RecurrenceID: day}},
			{Part: stores.Countered, ID: stores.ID{UID: "u9", RecurrenceID: day}, Other: vincent},
		} {
			if err := tx.Put(key, storestest.Event(key.UID, "", strings.Repeat("x", size))); err != nil {
				return err
			}
		}
		if err := tx.Delete(stores.Key{ID: stores.ID{UID: "u1", RecurrenceID: day}}); err != nil {
			return err
		}
		table, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		table.Insert(busy("u9", 10))
		if err := tx.SetRequests(nil); err != nil {
			return err
		}
		return tx.Publish([]byte("BEGIN:VCALENDAR"))
	})
}

// What cannot be written leaves the store as it was, and says so.
func TestFailuresChangeNothing(t *testing.T) {
	skip.OnOtherDays(t)
	for _, test := range []struct {
		why    string
		break_ func(dir, static string) error
		says   []string
	}{
		{"a directory in the place of a table", func(dir, _ string) error {
			os.Remove(dir + "/requests")
			return os.Mkdir(dir+"/requests", 0o770)
		}, []string{"/requests", "move it away"}},
		{"a directory in the place of an event", func(dir, _ string) error {
			os.Remove(dir + "/objects/u1")
			return os.Mkdir(dir+"/objects/u1", 0o770)
		}, []string{"/objects/u1", "move it away"}},
		{"a file in the place of a directory", func(dir, _ string) error {
			return os.WriteFile(dir+"/recurrences/u9", nil, 0o660)
		}, []string{"/recurrences/u9", "a file is in the place of a directory"}},
		{"a file in the place of the published directory", func(_, static string) error {
			os.RemoveAll(static + "/" + string(paul))
			return os.WriteFile(static+"/"+string(paul), nil, 0o660)
		}, []string{"static/" + string(paul), "a file is in the place of a directory"}},
		{"a directory in the place of what is published", func(_, static string) error {
			os.Remove(static + "/" + string(paul) + "/freebusy")
			return os.Mkdir(static+"/"+string(paul)+"/freebusy", 0o770)
		}, []string{"/freebusy", "not a regular file"}},
		{"a link that leads out", func(dir, _ string) error {
			os.RemoveAll(dir + "/counters")
			return os.Symlink("/tmp", dir+"/counters")
		}, []string{"/counters", "symbolic link"}},
		{"a pipe in the place of a table", func(dir, _ string) error {
			os.Remove(dir + "/freebusy")
			return syscall.Mkfifo(dir+"/freebusy", 0o660)
		}, []string{"/freebusy", "not a regular file"}},
	} {
		s := openTest(t)
		fill(t, s)
		if err := test.break_(filepath.Join(s.options.Dir, string(paul)), s.options.PublishDir); err != nil {
			t.Fatal(err)
		}
		before := tree(t, filepath.Dir(s.options.Dir))
		err := changeAll(s, 10)
		if err == nil {
			t.Errorf("%s: no error", test.why)
			continue
		}
		wantError(t, err, test.says...)
		wantTree(t, tree(t, filepath.Dir(s.options.Dir)), before)
	}
}

// limitChild makes changes while no file may become longer than 4,096 octets.
func limitChild(args []string) error {
	limit := unix.Rlimit{Cur: 4096, Max: 4096}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	s, err := Open(Options{Dir: args[0], PublishDir: args[1]})
	if err != nil {
		return err
	}
	return changeAll(s, 10000)
}

func TestFileSizeLimit(t *testing.T) {
	skip.OnOtherDays(t)
	s := openTest(t)
	fill(t, s)
	before := tree(t, filepath.Dir(s.options.Dir))
	out, err := child(t, "limit", s.options.Dir, s.options.PublishDir).CombinedOutput()
	if err == nil {
		t.Fatal("a file became longer than it may")
	}
	wantError(t, errors.New(strings.TrimSpace(string(out))), "nothing is changed yet", "writing", "file too large", "raise the limit")
	wantTree(t, tree(t, filepath.Dir(s.options.Dir)), before)
	// A user's directory does not come about by failing.
	s = openTest(t)
	if out, err := child(t, "limit", s.options.Dir, s.options.PublishDir).CombinedOutput(); err == nil {
		t.Fatalf("got %s", out)
	}
	for user, err := range s.Users(bg) {
		t.Errorf("got user %s, %v", user, err)
	}
	if entries, err := os.ReadDir(s.options.PublishDir); err != nil || len(entries) > 0 {
		t.Errorf("published: %v, %v", entries, err)
	}
}

func TestDiskFull(t *testing.T) {
	skip.OnOtherDays(t)
	mount := t.TempDir()
	if err := unix.Mount("tmpfs", mount, "tmpfs", 0, "size=256k"); err != nil {
		skip.Because(t, "no small file system can be mounted: %v", err)
	}
	defer unix.Unmount(mount, unix.MNT_DETACH)
	s := openTest(t, func(o *Options) { o.Dir = mount + "/store" })
	fill(t, s)
	before := tree(t, s.options.Dir)
	err := changeAll(s, 200<<10)
	wantError(t, err, "nothing is changed yet", "no space left on device", "make room")
	wantTree(t, tree(t, s.options.Dir), before)
	if err := changeAll(s, 10); err != nil {
		t.Errorf("after that, what fits: %v", err)
	}
}

// Processes and goroutines that add to one user's records lose nothing.
func TestManyWriters(t *testing.T) {
	skip.OnOtherDays(t)
	t.Parallel()
	s := openTest(t)
	const processes, goroutines = 3, 3
	var wg sync.WaitGroup
	for i := range processes {
		c := child(t, "add", s.options.Dir, fmt.Sprint("p", i))
		wg.Go(func() {
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	for i := range goroutines {
		wg.Go(func() {
			for n := range addTimes {
				if err := addEvent(s, paul, fmt.Sprintf("g%d-%d", i, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantEvents(t, s, (processes+goroutines)*addTimes)
}

// wantEvents sees that as many events are stored, each with its free/busy and request.
func wantEvents(t *testing.T, s *Store, want int) {
	t.Helper()
	err := s.View(bg, paul, func(tx stores.Tx) error {
		texts := 0
		for _, err := range tx.Keys() {
			if err != nil {
				return err
			}
			texts++
		}
		table, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		requests, err := tx.Requests()
		if texts != want || table.Len() != want || len(requests) != want {
			t.Errorf("%d texts, %d periods, %d requests; want %d of each", texts, table.Len(), len(requests), want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What a checker is about to write is told before anything is changed; if that fails, all
// stays as it is.
func TestWriting(t *testing.T) {
	s := openTest(t)
	if err := addEvent(s, paul, "u1"); err != nil {
		t.Fatal(err)
	}
	path := s.RequestsPath(paul)
	before := read(t, path)
	full := errors.New("there is no room to note it")
	audited := func(answer error) error {
		return s.Audit(bg, paul, audit.Options{Write: true, Writing: func(file string, content []byte) error {
			if file != path || string(content) != "u2\t\t\n" || read(t, path) != before {
				t.Errorf("%s is told to become %q, and is %q", file, content, read(t, path))
			}
			return answer
		}}, func(tx audit.Session) error {
			return tx.SetRequests([]stores.Request{{ID: stores.ID{UID: "u2"}}})
		})
	}
	if err := audited(full); !errors.Is(err, full) || read(t, path) != before {
		t.Errorf("%v, and there is %q", err, read(t, path))
	}
	if err := audited(nil); err != nil || read(t, path) != "u2\t\t\n" {
		t.Errorf("%v, and there is %q", err, read(t, path))
	}
}
