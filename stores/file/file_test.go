package file

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/storestest"
)

const paul = storestest.Paul

// TestMain runs the parts of tests that need a process of their own.
func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		if err := children[name](os.Args[1:]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const childVariable = "STORE_TEST_CHILD"

// children are the parts of tests that need a process of their own, by name.
var children = map[string]func(args []string) error{
	"add":    addChild,
	"churn":  churnChild,
	"hold":   holdChild,
	"limit":  limitChild,
	"nobody": nobodyChild,
}

// child returns the command that runs one of children.
func child(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, args...)
	c.Env = append(os.Environ(), childVariable+"="+name)
	return c
}

// openTest returns a store in a directory of its own.
func openTest(t *testing.T, change ...func(*Options)) *Store {
	t.Helper()
	dir := t.TempDir()
	o := Options{Dir: filepath.Join(dir, "store"), PublishDir: filepath.Join(dir, "static")}
	for _, c := range change {
		c(&o)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// logTo sends what is logged to a buffer.
func logTo(b *logBuffer) func(*Options) {
	return func(o *Options) { o.Log = slog.New(slog.NewTextHandler(b, nil)) }
}

// impatient makes a store wait for a lock for a tenth of a second only.
func impatient(o *Options) { o.LockTimeout = 100 * time.Millisecond }

type logBuffer struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}

func TestStore(t *testing.T) {
	t.Parallel()
	storestest.Run(t, func(t *testing.T) stores.Store { return openTest(t) })
	t.Run("beside", func(t *testing.T) {
		storestest.Run(t, func(t *testing.T) stores.Store {
			s := openTest(t, beside)
			t.Cleanup(func() { s.Close() })
			return s
		})
	})
}

// userDir returns the directory of paul, after making it as a store would.
func userDir(t *testing.T, s *Store) string {
	t.Helper()
	dir := filepath.Join(s.options.Dir, string(paul))
	if err := os.MkdirAll(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	return dir
}

// put stores an event of paul's.
func put(s *Store, uid, summary string) error {
	return s.Update(bg, paul, func(tx stores.Tx) error {
		return tx.Put(stores.Key{ID: stores.ID{UID: uid}}, storestest.Event(uid, "", summary))
	})
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o770); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o660); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// tree returns every file and directory below dir with its mode, its content if it is a
// file, and its inode, which tells whether it was written again.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		relative, _ := filepath.Rel(dir, path)
		line := fmt.Sprintf("%s %v", relative, info.Mode())
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %v %q", inode(info), content)
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// wantTree compares two results of tree.
func wantTree(t *testing.T, got, want []string) {
	t.Helper()
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("the store has now: %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("the store has no longer: %s", line)
		}
	}
}

// wantError checks an error and what it says.
func wantError(t *testing.T, err error, says ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is more than a line", err)
	}
}

// busy returns an hour of an event.
func busy(uid string, hour int) freebusy.Period {
	start := time.Date(2026, 12, 2, hour, 0, 0, 0, time.UTC)
	return freebusy.Period{Start: start, End: start.Add(time.Hour), UID: uid, Summary: "Meeting"}
}

// addEvent adds an event, its free/busy and a request for it in one transaction, which
// must all be there in the end, whoever else does so at the same time.
func addEvent(s *Store, user calendar.URI, uid string) error {
	return s.Update(bg, user, func(tx stores.Tx) error {
		id := stores.ID{UID: uid}
		if err := tx.Put(stores.Key{ID: id}, storestest.Event(uid, "", "x")); err != nil {
			return err
		}
		table, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		table.Insert(busy(uid, 9))
		requests, err := tx.Requests()
		if err != nil {
			return err
		}
		return tx.SetRequests(append(requests, stores.Request{ID: id}))
	})
}

// addChild is a process that adds events to the store in args[0], named after args[1].
func addChild(args []string) error {
	s, err := Open(Options{Dir: args[0]})
	if err != nil {
		return err
	}
	for i := range addTimes {
		if err := addEvent(s, paul, fmt.Sprintf("%s-%d", args[1], i)); err != nil {
			return err
		}
	}
	return nil
}

const addTimes = 5

func TestOpen(t *testing.T) {
	if _, err := Open(Options{}); err == nil {
		t.Error("a store without a directory was opened")
	}
	t.Chdir(t.TempDir())
	s, err := Open(Options{Dir: "store", PublishDir: "static"})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{s.options.Dir, s.options.PublishDir} {
		if !filepath.IsAbs(dir) {
			t.Errorf("%s depends on the working directory", dir)
		}
	}
	if _, err := os.Stat("store"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("opening a store made something")
	}
	for _, err := range s.Users(bg) {
		wantError(t, err, s.options.Dir, "no such file")
	}
}

func TestJournalSuite(t *testing.T) {
	t.Parallel()
	storestest.RunJournal(t, func(t *testing.T) (stores.Journal, stores.Store) {
		s := openTest(t)
		j, err := OpenJournal(Options{Dir: filepath.Join(t.TempDir(), "journal")})
		if err != nil {
			t.Fatal(err)
		}
		return j, s
	})
}

func TestNoStore(t *testing.T) {
	s, err := Open(Options{Dir: filepath.Join(t.TempDir(), "none")})
	if err != nil {
		t.Fatal(err)
	}
	for user, err := range s.Users(t.Context()) {
		if !errors.Is(err, stores.ErrNoStore) || user != "" {
			t.Errorf("user %q, %v", user, err)
		}
	}
}
