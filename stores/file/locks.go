package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

const (
	// staleAge is how old a lock must be before it is asked whether its holder lives.
	staleAge = time.Minute
	// startSlack allows for the coarseness of the times that a process's start and a
	// lock's making are compared by.
	startSlack = 2 * time.Second
)

// LockInfo describes a user's lock directory, as somebody holds it.
//
// Stale is a lock older than a minute in which no process id stands, or only those of
// processes that have ended, or that started after the lock was made and so have
// their id from somebody else. Process ids are those of this machine and this process
// id namespace: programs in containers or on machines of their own must not share a
// store with the original for more than a minute at a time (our own are kept apart by
// flock as well, as far as the file system carries it).
type LockInfo struct {
	User    calendar.URI
	Path    string
	Since   time.Time // when it was taken
	Holders []Process // usually one; none if it died in between
	Stale   bool
	Strange string // what is in it, or in its place, that is no process's
}

// Process is who holds a lock, or has the process id of who did.
type Process struct {
	PID     int
	Alive   bool
	Started time.Time // zero if unknown
	Command string    // its command line; empty if unknown

	ours  bool // a program of ours, which held the lock of flock(2), too
	other bool // it is this process, which does not hold the lock: one before it did
}

// gone reports whether the process that took a lock at that time is no more.
func (p Process) gone(since time.Time) bool {
	return !p.Alive || p.other || !p.Started.IsZero() && p.Started.After(since.Add(startSlack))
}

// String says who holds the lock and since when, for people.
func (l LockInfo) String() string {
	return fmt.Sprintf("%s is held by %s since %s", l.Path, l.Holder(), l.Since.Format(time.DateTime))
}

// Holder says who holds the lock, for people.
func (l LockInfo) Holder() string {
	var who []string
	for _, p := range l.Holders {
		switch {
		case !p.Alive:
			who = append(who, fmt.Sprintf("process %d, which is dead", p.PID))
		case p.gone(l.Since):
			who = append(who, fmt.Sprintf("process %d, which is dead (another process has its number)", p.PID))
		case p.Command == "":
			who = append(who, fmt.Sprintf("process %d", p.PID))
		default:
			who = append(who, fmt.Sprintf("process %d (%.200q)", p.PID, p.Command))
		}
	}
	if l.Strange != "" {
		who = append(who, "unknown: "+l.Strange)
	}
	if len(who) == 0 {
		who = []string{"an unknown process"}
	}
	return strings.Join(who, " and ")
}

// inspect looks at a user's lock directory. If there is none, the error matches
// fs.ErrNotExist.
//
// The time is the machine's and not that of Options.Now: it is compared with what the
// kernel noted.
func inspect(userDir string) (LockInfo, error) {
	l := LockInfo{User: calendar.URI(filepath.Base(userDir)), Path: filepath.Join(userDir, lockDir)}
	info, err := os.Lstat(l.Path)
	if err != nil {
		return l, err
	}
	l.Since = info.ModTime()
	if !info.IsDir() {
		l.Strange = "it is not a directory"
		return l, nil
	}
	entries, err := os.ReadDir(l.Path)
	if err != nil && errors.Is(err, fs.ErrNotExist) {
		return l, err
	} else if err != nil {
		l.Strange = "it cannot be read: " + cause(err).Error()
		return l, nil
	}
	l.Stale = time.Since(l.Since).Abs() > staleAge // the clock may have been set back
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid <= 0 || strconv.Itoa(pid) != e.Name() || !e.IsDir() {
			l.Strange, l.Stale = fmt.Sprintf("there is %q in it", e.Name()), false
			continue
		}
		p := lookUp(pid)
		p.ours = isMarked(filepath.Join(l.Path, e.Name()))
		if pid == os.Getpid() {
			_, held := heldLocks.Load(l.Path)
			p.other = !held
		}
		l.Holders = append(l.Holders, p)
		l.Stale = l.Stale && p.gone(l.Since)
	}
	slices.SortFunc(l.Holders, func(a, b Process) int { return a.PID - b.PID })
	return l, nil
}

// orphaned reports whether the lock is left of programs of ours that have died, to somebody who has the lock of flock(2)
// on the user's directory: they had that, too. Where another process has a holder's id by now, that says nothing: a program of
// the original takes a lock with its own id for its own.
func (l LockInfo) orphaned() bool {
	for _, p := range l.Holders {
		if !p.ours || p.Alive && !p.other {
			return false
		}
	}
	return l.Strange == "" && len(l.Holders) > 0
}

// remove removes the lock directory with the holders that it was seen with. If
// anything else is in it by now, that fails.
func (l LockInfo) remove() error {
	for _, p := range l.Holders {
		if err := rmdir(filepath.Join(l.Path, strconv.Itoa(p.PID))); err != nil {
			return err
		}
	}
	return rmdir(l.Path)
}

// rmdir removes an empty directory, and nothing else. That there is none is no error.
func rmdir(path string) error {
	err := unix.Rmdir(path)
	for err == unix.EINTR {
		err = unix.Rmdir(path)
	}
	if err == nil || err == unix.ENOENT {
		return nil
	}
	return &fs.PathError{Op: "rmdir", Path: path, Err: err}
}

// Locks returns the locks that are held on users of the store, by the user. Those of
// programs at work are there as well as those that dead ones left.
func (s *Store) Locks(ctx context.Context) ([]LockInfo, error) {
	var locks []LockInfo
	for user, err := range s.Users(ctx) {
		if err != nil {
			return locks, err
		}
		l, err := inspect(filepath.Join(s.options.Dir, string(user)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return locks, failed("looking at the lock of", string(user), err)
		}
		l.User = user
		locks = append(locks, l)
	}
	return locks, nil
}

// BreakLock removes the lock directory of a user. Unless force is set, one whose holder
// may be alive stays, and the error matches [stores.ErrLocked]. With force the
// holder's work and that of the next one may get mixed. If there is no lock, the error
// matches [fs.ErrNotExist].
func (s *Store) BreakLock(user calendar.URI, force bool) error {
	if s.options.ReadOnly {
		return errReadOnly
	}
	if err := checkURI("user", user); err != nil {
		return err
	}
	dir := filepath.Join(s.options.Dir, string(user))
	// One of our own programs holds it if it is not to be had; and with it nobody else
	// of ours breaks the lock, or takes it, at the same time.
	own := flock.New(dir, flock.SetFlag(openDir))
	free, err := own.TryLock()
	if err != nil {
		return failed("locking", dir, err)
	}
	defer own.Unlock()
	l, err := inspect(dir)
	if err != nil {
		return failed("looking at", l.Path, err)
	}
	alive := !free
	for _, p := range l.Holders {
		alive = alive || !p.gone(l.Since)
	}
	young := len(l.Holders) == 0 && !l.Stale // its holder may be about to write its id
	if !force && (alive || young || l.Strange != "") {
		return fmt.Errorf("%w: %v", stores.ErrLocked, l)
	}
	if err := l.remove(); err != nil {
		return failed("removing", l.Path, err)
	}
	s.options.Log.Warn("lock removed by hand", "user", user, "lock", l.String())
	return nil
}
