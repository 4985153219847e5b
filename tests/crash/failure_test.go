package crash

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// failure is something that keeps the program from its work.
type failure struct {
	name string
	says string // what the line on standard error has to say, of what is to be done
	// prepare takes away what is needed, and returns what to do before the room is looked
	// at, or removed.
	prepare func(t *testing.T, room compat.Room) (restore func())
	// unprivileged is whether the program has to be run without a superuser's rights for it.
	unprivileged bool
	words        []string // of the command line, added
}

// user is Paul's directory in a room.
func user(room compat.Room) string { return filepath.Join(room.Store(), paul) }

// replaced puts something else in the place of a file or directory of Paul's.
func replaced(name string, with func(path string) error) func(*testing.T, compat.Room) func() {
	return func(t *testing.T, room compat.Room) func() {
		must(t, os.RemoveAll(filepath.Join(user(room), name)))
		must(t, with(filepath.Join(user(room), name)))
		return nil
	}
}

func file(path string) error      { return os.WriteFile(path, []byte("x"), 0o660) }
func directory(path string) error { return os.Mkdir(path, 0o770) }

// mode gives a file or directory of Paul's another mode.
func mode(name string, mode fs.FileMode) func(*testing.T, compat.Room) func() {
	return func(t *testing.T, room compat.Room) func() {
		path := filepath.Join(user(room), name)
		info, err := os.Stat(path)
		must(t, err)
		must(t, os.Chmod(path, mode))
		return func() { must(t, os.Chmod(path, info.Mode())) }
	}
}

func setting(lines string) func(*testing.T, compat.Room) func() {
	return func(t *testing.T, room compat.Room) func() {
		must(t, program.Settings(room, lines))
		return nil
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var failures = []failure{
	{name: "free/busy is a directory", says: "move it away", prepare: replaced("freebusy", directory)},
	{name: "queue is a directory", says: "move it away", prepare: replaced("requests", directory)},
	{name: "objects is a file", says: "move it away", prepare: replaced("objects", file)},
	{name: "object is a directory", says: "move it away", prepare: replaced("objects/e", directory)},
	{name: "user's directory is a file", says: "move it away", prepare: replaced("", file)},
	{name: "lock is a file", says: "move it away", prepare: func(t *testing.T, room compat.Room) func() {
		must(t, program.Settings(room, "LOCK_TIMEOUT = 1\n"))
		return replaced("__lock__", file)(t, room)
	}},
	{name: "store is a file", says: "move it away", prepare: func(t *testing.T, room compat.Room) func() {
		must(t, os.RemoveAll(room.Store()))
		must(t, file(room.Store()))
		return nil
	}},
	{name: "store is below a file", says: "move it away", words: []string{"-S", "/proc/version/store"}},
	{name: "store below what cannot be made", says: "access", unprivileged: true, words: []string{"-S", "/nowhere/imip-agent/store"}},
	{name: "public directory below a file", says: "move it away", words: []string{"-P", "/proc/version/static"}},
	{name: "a preference is a directory", says: "move it away", prepare: func(t *testing.T, room compat.Room) func() {
		path := filepath.Join(room.Preferences(), paul, "TZID")
		must(t, os.Remove(path))
		must(t, os.Mkdir(path, 0o770))
		return nil
	}},
	{name: "table that may not be read", says: "access", unprivileged: true, prepare: mode("freebusy", 0)},
	{name: "object that may not be read", says: "access", unprivileged: true, prepare: mode("objects/e", 0)},
	{name: "objects that may not be listed", says: "access", unprivileged: true, prepare: mode("objects", 0)},
	{name: "objects that may not be written", says: "access", unprivileged: true, prepare: mode("objects", 0o550)},
	{name: "user's directory that may not be written", says: "access", unprivileged: true, prepare: mode("", 0o550)},
	{name: "user's directory that may not be entered", says: "access", unprivileged: true, prepare: mode("", 0)},
	{name: "store that may not be entered", says: "access", unprivileged: true, prepare: mode("..", 0)},
	{name: "preferences that may not be read", says: "access to it", unprivileged: true, prepare: func(t *testing.T, room compat.Room) func() {
		must(t, os.Chmod(filepath.Join(room.Preferences(), paul, "TZID"), 0))
		return nil
	}},
	{name: "configuration that may not be read", says: "access to it", unprivileged: true, prepare: func(t *testing.T, room compat.Room) func() {
		must(t, os.Chmod(filepath.Join(string(room), "config.txt"), 0))
		return nil
	}},
	{name: "configuration that is not there", says: "name an existing file", words: []string{"--config", "/nowhere/config.txt"}},
	{name: "store type unknown", says: "STORE_TYPE", prepare: setting("STORE_TYPE = 'paper'\n")},
	{name: "unknown option", says: "-x", words: []string{"-x"}},
	{name: "unknown long option", says: "--colour", words: []string{"--colour=red"}},
	{name: "option without its word", says: "-T", words: []string{"-T"}},
	{name: "lock held by a live process", says: "wait for that program to end", prepare: func(t *testing.T, room compat.Room) func() {
		return lockedBy(t, room, os.Getpid(), clock.Kernel())
	}},
	{name: "lock held by a live process for long", says: "wait for that program to end", prepare: func(t *testing.T, room compat.Room) func() {
		// It must have begun before the lock was made: no process of a test is so old.
		const age = 61 * time.Second
		clock.AwaitFirst(age)
		return lockedBy(t, room, 1, clock.Kernel().Add(-age))
	}},
	{name: "lock of a dead process that is young", says: "then it is removed", prepare: func(t *testing.T, room compat.Room) func() {
		return lockedBy(t, room, 1<<22+1, clock.Kernel().Add(-20*time.Second))
	}},
	{name: "our own lock held", says: "wait for that program to end", prepare: func(t *testing.T, room compat.Room) func() {
		must(t, program.Settings(room, "LOCK_TIMEOUT = 1\n"))
		dir, err := os.Open(user(room))
		must(t, err)
		must(t, unix.Flock(int(dir.Fd()), unix.LOCK_EX))
		return func() { dir.Close() }
	}},
	{name: "disk full", says: "make room", prepare: mounted("size=160k", func(room compat.Room) error {
		return fillUp(filepath.Join(room.Store(), "..", "ballast"))
	})},
	{name: "no inodes left", says: "make room", prepare: mounted("nr_inodes=32", func(room compat.Room) error {
		for i := range 100 {
			if err := os.WriteFile(filepath.Join(room.Store(), "..", strconv.Itoa(i)), nil, 0o666); err != nil {
				return nil
			}
		}
		return errors.New("there are inodes left")
	})},
	{name: "read-only file system", says: "mount", prepare: mounted("", func(room compat.Room) error {
		return unix.Mount("", string(room), "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
	})},
	{name: "limit on the size of files", says: "limit"},
	{name: "limit on open files", says: "limit"},
}

// lockedBy makes the lock directory of a process, as the original does.
func lockedBy(t *testing.T, room compat.Room, pid int, since time.Time) func() {
	must(t, program.Settings(room, "LOCK_TIMEOUT = 1\n"))
	lock := filepath.Join(user(room), "__lock__")
	inside := filepath.Join(lock, strconv.Itoa(pid))
	must(t, os.MkdirAll(inside, 0o770))
	for _, dir := range []string{inside, lock} {
		must(t, os.Chtimes(dir, since, since))
	}
	return nil
}

// mounted moves the room to a file system of its own, in memory, and prepares that.
func mounted(options string, prepare func(compat.Room) error) func(*testing.T, compat.Room) func() {
	return func(t *testing.T, room compat.Room) func() {
		parked := string(room) + ".parked"
		must(t, os.Rename(string(room), parked))
		must(t, os.Mkdir(string(room), 0o777))
		err := unix.Mount("tmpfs", string(room), "tmpfs", 0, options)
		if errors.Is(err, unix.EPERM) {
			os.RemoveAll(parked)
			skip.Because(t, "mount(2) is not allowed here")
		}
		must(t, err)
		t.Cleanup(func() {
			unix.Unmount(string(room), unix.MNT_DETACH)
			os.RemoveAll(parked)
		})
		if out, err := exec.Command("cp", "-a", parked+"/.", string(room)).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		must(t, prepare(room))
		return nil
	}
}

// fillUp writes a file until the disk is full.
func fillUp(path string) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	for {
		if _, err := out.Write(make([]byte, 1024)); err != nil {
			if errors.Is(err, unix.ENOSPC) {
				return nil
			}
			return err
		}
	}
}

// TestFailures takes away what the program needs. It ends with status 75, says in one
// line what is to be done, and leaves everything as it was.
func TestFailures(t *testing.T) {
	skip.OnOtherDays(t)
	s := scenarios()[1]
	for _, f := range failures {
		t.Run(strings.ReplaceAll(f.name, "/", "-"), func(t *testing.T) {
			t.Parallel() // some wait for a lock
			if f.unprivileged && os.Getuid() != 0 {
				skip.Because(t, "only a superuser can prepare this")
			}
			room := furnish(t, s)
			if f.unprivileged {
				giveAway(t, room)
			}
			restore := func() {}
			if f.prepare != nil {
				if r := f.prepare(t, room); r != nil {
					restore = r
				}
			}
			before := everything(t, room)

			words := f.words
			cmd, _ := program.Command(path, today, room, s.message, words...)
			switch f.name {
			case "limit on the size of files":
				limited(cmd, "ulimit -f 4") // of 512 octets: the table is longer
			case "limit on open files":
				limited(cmd, "ulimit -n 10")
			}
			if f.unprivileged {
				const nobody = 65534
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			}
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			status := program.Status(cmd, cmd.Run())

			line := stderr.String()
			t.Logf("%s", line)
			if status != 75 || stdout.Len() > 0 {
				t.Errorf("status %d, says %q", status, stdout.String())
			}
			if strings.Count(line, "\n") != 1 || !strings.HasPrefix(line, "4.3.0 ") || !strings.HasSuffix(line, "\n") {
				t.Errorf("not one line with a code: %q", line)
			}
			if !strings.Contains(line, f.says) {
				t.Errorf("does not say %q: %q", f.says, line)
			}
			if diff := cmp.Diff(before, everything(t, room)); diff != "" {
				t.Errorf("the store is not as it was (-before +after)\n%.500s", diff)
			}
			restore()
		})
	}
}

// limited has a command run by a shell that limits it first.
func limited(cmd *exec.Cmd, limit string) {
	cmd.Args = append([]string{"sh", "-c", limit + `; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
}

// giveAway makes nobody the owner of all in a room.
func giveAway(t *testing.T, room compat.Room) {
	const nobody = 65534
	must(t, filepath.WalkDir(string(room), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		if err := os.Lchown(path, nobody, nobody); err != nil {
			return err
		}
		return os.Chmod(path, info.Mode()) // chown takes set-group-id away
	}))
	must(t, os.Chmod(string(room), 0o755))
}

// everything tells of each file and directory below a room its mode, and content or
// time.
func everything(t *testing.T, room compat.Room) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(string(room), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(string(room), path)
		found[name] = info.Mode().String()
		if !entry.IsDir() && info.Size() < 1<<16 {
			content, err := os.ReadFile(path)
			found[name] += " " + string(content)
			return err
		}
		if !entry.IsDir() {
			found[name] += fmt.Sprint(" ", info.Size(), info.ModTime())
		}
		return nil
	})
	must(t, err)
	return found
}
