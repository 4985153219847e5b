package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/tests/clock"
)

// setLock makes a lock directory of paul's with these names in it, of that age.
func setLock(t *testing.T, s *Store, age time.Duration, holders ...string) string {
	t.Helper()
	path := filepath.Join(userDir(t, s), lockDir)
	for _, h := range append(holders, "") {
		if err := os.MkdirAll(filepath.Join(path, h), 0o770); err != nil {
			t.Fatal(err)
		}
	}
	setAge(t, path, age)
	return path
}

func setAge(t *testing.T, path string, age time.Duration) {
	t.Helper()
	then := clock.Kernel().Add(-age)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

// deadPID returns the id of a process that has ended. Another may get it soon.
func deadPID(t *testing.T) string {
	t.Helper()
	c := exec.Command("true")
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(c.Process.Pid)
}

// noPID returns an id that no process has, another each time: Linux gives out at most 4194304.
func noPID() string { return strconv.Itoa(4194304 + int(noPIDs.Add(1))) }

var noPIDs atomic.Int32

// livePID returns the id of a process that lives until the test ends.
func livePID(t *testing.T) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "sleep", "600")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Wait() })
	pid := strconv.Itoa(c.Process.Pid)
	// Until it executes its program it is a copy of this one.
	for n := 0; n < 60_000 && !strings.Contains(lookUp(c.Process.Pid).Command, "sleep 600"); n++ {
		time.Sleep(time.Millisecond)
	}
	return pid
}

// zombiePID returns the id of a process that has ended without anybody's having noticed.
func zombiePID(t *testing.T) string {
	t.Helper()
	c := exec.Command("true")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Wait() })
	pid := strconv.Itoa(c.Process.Pid)
	for range 12_000 {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return pid
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("no zombie came about")
	return ""
}

const (
	old   = 2 * time.Minute
	young = 30 * time.Second
)

func TestStaleLocks(t *testing.T) {
	t.Parallel()
	clock.AwaitFirst(old + startSlack) // whose number locks have
	for _, test := range []struct {
		why     string
		holders []string
		age     time.Duration
		broken  bool
		says    string
	}{
		{"its holder is dead", []string{deadPID(t)}, old, true, "is dead"},
		{"it is too young to tell", []string{noPID()}, young, false, "is dead"},
		{"its holder's id is another's", []string{livePID(t)}, old, true, "another process has its number"},
		{"its holder's id may be another's, but it is young", []string{livePID(t)}, young, false, "another process has its number"},
		{"its holder lives", []string{"1"}, old, false, "process 1"},
		{"we had its holder's id before", []string{strconv.Itoa(os.Getpid())}, old, true, "another process has its number"},
		{"its holder died before it wrote its id", nil, old, true, "an unknown process"},
		{"its holder is about to write its id", nil, young, false, "an unknown process"},
		{"its holder has ended, and nobody noticed", []string{zombiePID(t)}, old, true, "is dead"},
		{"both its holders are dead", []string{noPID(), noPID()}, old, true, " and "},
		{"one of its holders lives", []string{noPID(), "1"}, old, false, "process 1"},
		{"there is no process of that kind", []string{"0"}, old, false, `"0" in it`},
		{"there is no process of that kind", []string{"-1"}, old, false, `"-1" in it`},
		{"there is no process of that kind", []string{"007"}, old, false, `"007" in it`},
		{"there is no process of that kind", []string{"host.example.com"}, old, false, `"host.example.com" in it`},
		{"there is more in it", []string{noPID() + "/more"}, old, false, "is dead"},
	} {
		var log logBuffer
		s := openTest(t, impatient, logTo(&log))
		path := setLock(t, s, test.age, test.holders...)
		err := put(s, "u1", "x")
		_, there := os.Stat(path)
		if test.broken {
			if err != nil || !errors.Is(there, fs.ErrNotExist) {
				t.Errorf("%s: %v; %v", test.why, err, there)
			}
			if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), test.says) {
				t.Errorf("%s: logged %q, want %q", test.why, log.String(), test.says)
			}
		} else {
			if !errors.Is(err, stores.ErrLocked) || there != nil {
				t.Errorf("%s: %v; %v", test.why, err, there)
				continue
			}
			wantError(t, err, test.says, path, "since "+clock.Kernel().Add(-test.age).Format("2006-01-02"))
			entries, err := os.ReadDir(path)
			if err != nil || len(entries) != len(test.holders) {
				t.Errorf("%s: left %v, %v", test.why, entries, err)
			}
		}
	}
}

func TestStrangeLocks(t *testing.T) {
	s := openTest(t, impatient)
	path := filepath.Join(userDir(t, s), lockDir)
	write(t, path, "")
	setAge(t, path, old)
	wantError(t, put(s, "u1", "x"), "it is not a directory")
	os.Remove(path)
	target := t.TempDir()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	wantError(t, put(s, "u1", "x"), "it is not a directory")
	os.Remove(path)
	// A file with a dead process's id keeps the directory from being removed.
	os.Mkdir(path, 0o770)
	write(t, path+"/"+noPID(), "")
	setAge(t, path, old)
	wantError(t, put(s, "u1", "x"), "in it")
}

// A lock that is nobody's any more, and is stale soon after the time for the lock is over, is
// waited for and broken. The original leaves an empty one now and then.
func TestSoonStale(t *testing.T) {
	t.Parallel()
	soon := staleAge - 500*time.Millisecond
	for _, holders := range [][]string{nil, {noPID()}} {
		var log logBuffer
		s := openTest(t, impatient, logTo(&log))
		setLock(t, s, soon, holders...)
		if err := put(s, "u1", "x"); err != nil {
			t.Errorf("%q: %v", holders, err)
		}
		if !strings.Contains(log.String(), "a stale lock was removed") {
			t.Errorf("%q: logged %q", holders, log.String())
		}
		setLock(t, s, soon, holders...)
		looked := 0
		err := s.Audit(bg, paul, audit.Options{Look: func(audit.Lock) { looked++ }}, func(audit.Session) error { return nil })
		if err != nil || looked != 1 {
			t.Errorf("%q: a check has seen %d, %v", holders, looked, err)
		}
	}
}

// A lock that becomes stale when the time for it is just over is broken. One that is stale all the time, but stays, is not waited
// for once more, nor is one without end.
func TestStaleMeanwhile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		why     string
		age     time.Duration // when the first try has ended
		longest time.Duration
		tries   int
	}{
		{"it has become stale since", staleAge + 50*time.Millisecond, time.Hour, 2},
		{"it was stale before", 2 * staleAge, time.Hour, 1},
		{"there is no time left", staleAge + 50*time.Millisecond, 0, 1},
	} {
		s := openTest(t, impatient)
		dir := userDir(t, s)
		setLock(t, s, 0, noPID())
		tries := 0
		err := s.await(bg, dir, test.longest, func(ctx context.Context) error {
			if tries++; tries > 1 {
				return nil
			}
			<-ctx.Done() // at least 100 ms after the beginning
			setAge(t, filepath.Join(dir, lockDir), test.age)
			return ctx.Err()
		})
		if tries != test.tries || errors.Is(err, stores.ErrLocked) != (tries == 1) {
			t.Errorf("%s: %d tries, %v", test.why, tries, err)
		}
	}
}

// A lock of the original's is waited for, without its holder's help.
func TestWaitForOriginalsLock(t *testing.T) {
	s := openTest(t)
	path := setLock(t, s, 0, livePID(t))
	var released atomic.Bool
	time.AfterFunc(200*time.Millisecond, func() {
		released.Store(true)
		entries, _ := os.ReadDir(path)
		for _, e := range entries {
			os.Remove(filepath.Join(path, e.Name()))
		}
		os.Remove(path)
	})
	if err := put(s, "u1", "x"); err != nil {
		t.Fatal(err)
	}
	if !released.Load() {
		t.Error("got the lock before its release")
	}
}

// During a transaction both locks are there for everybody to see, and afterwards none.
func TestHeld(t *testing.T) {
	s := openTest(t)
	dir := userDir(t, s)
	for _, access := range []func() error{
		func() error { return s.View(bg, paul, func(stores.Tx) error { return held(t, dir) }) },
		func() error { return s.Update(bg, paul, func(stores.Tx) error { return held(t, dir) }) },
	} {
		if err := access(); err != nil {
			t.Error(err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) > 0 {
			t.Errorf("left %v, %v", entries, err)
		}
		free := flock.New(dir, flock.SetFlag(openDir))
		if ok, err := free.TryLock(); !ok || err != nil {
			t.Errorf("flock: %v, %v", ok, err)
		}
		free.Unlock()
	}
}

func held(t *testing.T, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, lockDir, strconv.Itoa(os.Getpid()))); err != nil {
		t.Error(err)
	}
	other := flock.New(dir, flock.SetFlag(openDir))
	if ok, err := other.TryLock(); ok || err != nil {
		t.Errorf("flock: %v, %v", ok, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("while locked there are %v, %v", entries, err)
	}
	return nil
}

func TestOwnLockTimesOut(t *testing.T) {
	s := openTest(t, impatient)
	dir := userDir(t, s)
	err := s.View(bg, paul, func(stores.Tx) error {
		start := time.Now()
		err := put(s, "u1", "x")
		if !errors.Is(err, stores.ErrLocked) {
			t.Errorf("got %v", err)
		}
		wantError(t, err, fmt.Sprintf("process %d", os.Getpid()), dir, "waited 100ms")
		if waited := time.Since(start); waited < 100*time.Millisecond {
			t.Errorf("waited %v", waited)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// The wait that was left behind gives back what it got.
	s.options.LockTimeout = time.Minute
	for range 3 {
		if err := put(s, "u1", "x"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCancelledWait(t *testing.T) {
	s := openTest(t)
	setLock(t, s, 0, livePID(t))
	ctx, cancel := context.WithTimeout(bg, 50*time.Millisecond)
	defer cancel()
	err := s.View(ctx, paul, func(stores.Tx) error { return nil })
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, stores.ErrLocked) {
		t.Errorf("got %v", err)
	}
}

// The user's directory is removed and made again while somebody waits for its lock: the
// lock on what is no more is worth nothing.
func TestDirectoryReplacedWhileWaiting(t *testing.T) {
	s := openTest(t)
	dir := userDir(t, s)
	first := flock.New(dir, flock.SetFlag(openDir))
	if ok, err := first.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	done := make(chan error, 1)
	go func() { done <- put(s, "u1", "x") }()
	time.Sleep(50 * time.Millisecond)
	if err := os.Rename(dir, dir+"-old"); err != nil {
		t.Fatal(err)
	}
	userDir(t, s)
	first.Unlock()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir + "/objects/u1"); err != nil {
		t.Error(err)
	}
}

func TestLocks(t *testing.T) {
	var log logBuffer
	s := openTest(t, logTo(&log))
	if locks, err := s.Locks(bg); err == nil {
		t.Errorf("locks in a store that is not there: %v", locks)
	}
	userDir(t, s)
	if locks, err := s.Locks(bg); err != nil || len(locks) > 0 {
		t.Errorf("got %v, %v", locks, err)
	}
	if err := s.BreakLock(paul, false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("breaking no lock: %v", err)
	}
	live := livePID(t)
	path := setLock(t, s, 0, live)
	locks, err := s.Locks(bg)
	if err != nil || len(locks) != 1 {
		t.Fatalf("got %v, %v", locks, err)
	}
	l := locks[0]
	if l.User != paul || l.Path != path || l.Stale || clock.Kernel().Sub(l.Since) > time.Minute ||
		len(l.Holders) != 1 || strconv.Itoa(l.Holders[0].PID) != live || !l.Holders[0].Alive || !strings.Contains(l.Holders[0].Command, "sleep 600") {
		t.Errorf("got %+v", l)
	}
	if err := s.BreakLock(paul, false); !errors.Is(err, stores.ErrLocked) {
		t.Errorf("breaking a live holder's lock: %v", err)
	}
	if err := s.BreakLock(paul, true); err != nil {
		t.Errorf("breaking by force: %v", err)
	}
	if !strings.Contains(log.String(), "removed by hand") {
		t.Errorf("logged %q", log.String())
	}
	// An administrator may break a dead holder's at once.
	setLock(t, s, 0, noPID())
	if err := s.BreakLock(paul, false); err != nil {
		t.Errorf("breaking a dead holder's lock: %v", err)
	}
	// One of ours, at work.
	err = s.Update(bg, paul, func(stores.Tx) error {
		if err := s.BreakLock(paul, false); !errors.Is(err, stores.ErrLocked) {
			t.Errorf("breaking our own lock: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.BreakLock("../x", true); err == nil {
		t.Error("a lock outside the store was looked for")
	}
}

func TestProcess(t *testing.T) {
	self := lookUp(os.Getpid())
	if !self.Alive || !strings.Contains(self.Command, "test") {
		t.Errorf("got %+v", self)
	}
	if age := clock.Kernel().Sub(self.Started); age < 0 || age > 10*time.Minute {
		t.Errorf("this process started at %v", self.Started)
	}
	before := clock.Kernel()
	pid, _ := strconv.Atoi(livePID(t))
	after := clock.Kernel()
	if started := lookUp(pid).Started; started.Before(before.Add(-startSlack)) || started.After(after.Add(startSlack)) {
		t.Errorf("a process started at %v, and not from %v to %v", started, before, after)
	}
}

// holdChild takes paul's locks in the store in args[0], and holds them until it is killed.
func holdChild(args []string) error {
	s, err := Open(Options{Dir: args[0]})
	if err != nil {
		return err
	}
	return s.View(bg, paul, func(stores.Tx) error {
		fmt.Println("held")
		time.Sleep(time.Hour)
		return nil
	})
}

// A lock that a program of ours leaves when it is killed is removed at once. One that looks like it is not, unless its holder is
// dead for certain.
func TestOrphanedLocks(t *testing.T) {
	t.Parallel()
	var log logBuffer
	s := openTest(t, impatient, logTo(&log))
	path := filepath.Join(userDir(t, s), lockDir)
	c := child(t, "hold", s.options.Dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	if err := put(s, "u1", "x"); !errors.Is(err, stores.ErrLocked) {
		t.Errorf("while its holder lives: %v", err)
	}
	c.Process.Kill()
	c.Wait()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	if err := put(s, "u1", "x"); err != nil {
		t.Errorf("when its holder has been killed: %v", err)
	}
	if !strings.Contains(log.String(), "a stale lock was removed") {
		t.Errorf("logged %q", log.String())
	}

	ours, ok := origin()
	if !ok {
		t.Fatal("this system has no origin")
	}
	for _, test := range []struct {
		why     string
		holders []string
		marked  time.Time
		broken  bool
	}{
		{"its holder is dead", []string{noPID()}, ours, true},
		{"its holder lives", []string{"1"}, ours, false},
		{"this process had no lock before", []string{strconv.Itoa(os.Getpid())}, ours, true},
		{"both its holders are dead", []string{noPID(), noPID()}, ours, true},
		{"one of its holders lives", []string{noPID(), "1"}, ours, false},
		{"its holder is of another machine", []string{noPID()}, ours.Add(time.Nanosecond), false},
		{"its holder is of another machine, with the id of this process", []string{strconv.Itoa(os.Getpid())}, ours.Add(-time.Second), false},
		{"a younger process has its holder's id", []string{livePID(t)}, ours, false},
		{"a file is in it", []string{noPID() + "/more"}, ours, false},
	} {
		path := setLock(t, s, staleAge/4, test.holders...)
		for _, holder := range test.holders {
			pid, _, _ := strings.Cut(holder, "/")
			if err := os.Chtimes(filepath.Join(path, pid), test.marked, test.marked); err != nil {
				t.Fatal(err)
			}
		}
		err := put(s, "u1", "x")
		if broken := err == nil; broken != test.broken || !broken && !errors.Is(err, stores.ErrLocked) {
			t.Errorf("%s: %v", test.why, err)
		}
		os.RemoveAll(path)
	}
}

// A process that has the id of one which held the lock just before is not taken for it, however soon it has
// started, as the first ones in a container do.
func TestOwnIDAgain(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	path := setLock(t, s, 0, strconv.Itoa(os.Getpid()))
	l, err := inspect(filepath.Dir(path))
	if err != nil || len(l.Holders) != 1 || !l.Holders[0].gone(l.Since) {
		t.Errorf("%+v, %v", l, err)
	}
}

// What a program leaves that was killed while it made its lock, or gave it back, is nobody's: the next one takes the lock at
// once and removes that, unless a process of another machine may still be about to use it.
func TestLeftNext(t *testing.T) {
	t.Parallel()
	ours, ok := origin()
	if !ok {
		t.Fatal("this system has no origin")
	}
	for _, test := range []struct {
		why    string
		make   func(next string) error
		age    time.Duration
		marked time.Time // the time of what is in it
		stays  bool
	}{
		{"empty", func(next string) error { return os.Mkdir(next, 0o770) }, 0, ours, false},
		{"of a dead process", func(next string) error { return os.MkdirAll(filepath.Join(next, noPID()), 0o770) }, 0, ours, false},
		{"of an id that lives again", func(next string) error { return os.MkdirAll(filepath.Join(next, "1"), 0o770) }, 0, ours, false},
		{"of this id", func(next string) error { return os.MkdirAll(holder(next), 0o770) }, 0, ours, false},
		{"not yet marked, of a dead process", func(next string) error { return os.MkdirAll(filepath.Join(next, noPID()), 0o770) }, 0, clock.Kernel(), false},
		{"not yet marked, of a process that lives", func(next string) error { return os.MkdirAll(filepath.Join(next, "1"), 0o770) }, 0, clock.Kernel(), true},
		{"of another machine, where the process is dead", func(next string) error { return os.MkdirAll(filepath.Join(next, noPID()), 0o770) }, 0, ours.Add(1), true},
		{"of another machine", func(next string) error { return os.MkdirAll(holder(next), 0o770) }, 0, ours.Add(1), true},
		{"of another machine, old", func(next string) error { return os.MkdirAll(holder(next), 0o770) }, 2 * staleAge, ours.Add(1), false},
		{"a file", func(next string) error { return os.WriteFile(next, nil, 0o660) }, 0, ours, true},
		{"with a file in it", func(next string) error {
			return errors.Join(os.Mkdir(next, 0o770), os.WriteFile(next+"/1", nil, 0o660))
		}, 2 * staleAge, ours, true},
	} {
		s := openTest(t, impatient)
		dir := userDir(t, s)
		next := filepath.Join(dir, nextDir)
		if err := test.make(next); err != nil {
			t.Fatal(err)
		}
		inside, _ := filepath.Glob(next + "/*")
		for _, path := range inside {
			if err := os.Chtimes(path, test.marked, test.marked); err != nil {
				t.Fatal(err)
			}
		}
		setAge(t, next, test.age)
		for range 2 { // it may become our own
			if err := put(s, "u1", "x"); err != nil {
				t.Errorf("%s: %v", test.why, err)
			}
		}
		if _, err := os.Lstat(next); (err == nil) != test.stays {
			t.Errorf("%s: afterwards: %v", test.why, err)
		}
		if _, err := os.Lstat(filepath.Join(dir, lockDir)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the lock: %v", test.why, err)
		}
	}
}

// A lock that gets its name takes no other's, not even one that is empty: the original may be about to write its id.
func TestNextReplacesNothing(t *testing.T) {
	t.Parallel()
	s := openTest(t, impatient)
	dir := userDir(t, s)
	path := setLock(t, s, 0)
	if err := put(s, "u1", "x"); !errors.Is(err, stores.ErrLocked) {
		t.Errorf("an empty lock: %v", err)
	}
	if entries, err := os.ReadDir(path); err != nil || len(entries) > 0 {
		t.Errorf("the empty lock is now %v, %v", entries, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, nextDir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("who did not have the lock has left something: %v", err)
	}
	// Nor does one that is given back take another's away.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	unlock, err := s.lock(bg, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(holder(path)), os.Mkdir(filepath.Join(path, "1"), 0o770)); err != nil { // it is broken by hand
		t.Fatal(err)
	}
	unlock()
	if _, err := os.Lstat(filepath.Join(path, "1")); err != nil {
		t.Errorf("another's lock: %v", err)
	}
}

// Where a file system cannot rename in that way, the lock is made as the original makes it.
func TestNextCannotBeRenamed(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	dir := userDir(t, s)
	path := filepath.Join(dir, lockDir)
	taking := taking{store: s, dir: dir, tried: true, next: true} // but it is not there
	unlock, err := taking.try()
	if err != nil || unlock == nil {
		t.Fatalf("not taken: %v", err)
	}
	if l, err := inspect(dir); err != nil || len(l.Holders) != 1 || l.Holders[0].PID != os.Getpid() || !l.Holders[0].ours {
		t.Errorf("%+v, %v", l, err)
	}
	unlock()()
	for _, name := range []string{lockDir, nextDir} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
}
