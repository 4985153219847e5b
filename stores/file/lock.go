package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"imip-agent/stores"
	"imip-agent/stores/durable"
)

// openDir opens a directory, and nothing else, for flock(2).
const openDir = os.O_RDONLY | unix.O_DIRECTORY | durable.Unwatched

// How long to wait between attempts to make the lock directory: the original says
// nobody when it is done.
const (
	firstPause   = time.Millisecond
	longestPause = 50 * time.Millisecond
)

// lock takes both locks on a user's directory and returns what gives them back. If
// there is no such directory, the error matches fs.ErrNotExist; if somebody else holds
// a lock for all of Options.LockTimeout, [stores.ErrLocked].
func (s *Store) lock(ctx context.Context, dir string) (unlock func(), err error) {
	err = s.await(ctx, dir, s.options.LockTimeout+stalePatience, func(waiting context.Context) error {
		var err error
		unlock, err = s.lockBoth(waiting, dir)
		return err
	})
	var held *heldError
	if errors.As(err, &held) {
		advice := "wait for that program to end, or end it"
		switch {
		case held.lock == nil:
			advice += "; lslocks shows which one it is"
		case held.lock.Strange != "":
			advice = "find out what it is, and move it away"
		case held.lock.leftYoung():
			advice = "try again when it is a minute old: then it is removed"
		}
		return nil, fmt.Errorf("%w; waited %v for it: %s", err, s.options.LockTimeout, advice)
	}
	return unlock, err
}

// stalePatience is how much longer a lock is waited for that nobody holds any more, if it
// is stale by then.
const stalePatience = 5 * time.Second

// await calls take, which waits for a user's locks, with a context that ends after
// Options.LockTimeout. If the lock that is there then is nobody's any more, and has become stale
// meanwhile or will be before longest is over, take is called again. If it has not had the locks
// in the end, the error is a heldError.
func (s *Store) await(ctx context.Context, dir string, longest time.Duration, take func(context.Context) error) error {
	began := time.Now()
	end := began.Add(longest)
	for patience := s.options.LockTimeout; ; patience = stalePatience {
		waiting, cancel := context.WithTimeout(ctx, patience)
		err := take(waiting)
		late := waiting.Err() != nil && errors.Is(err, waiting.Err())
		cancel()
		switch {
		case !late:
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("waiting for the lock of %s: %w", dir, context.Cause(ctx))
		}
		l, err := inspect(dir)
		if err != nil {
			return &heldError{dir, nil}
		}
		stale := l.Since.Add(staleAge)
		soon := l.leftYoung() && !stale.After(end)
		meanwhile := l.Stale && stale.After(began) && time.Now().Before(end) // a moment after take looked for the last time
		if !soon && !meanwhile {
			return &heldError{dir, &l}
		}
	}
}

// heldError says that a user's locks could not be had. It matches [stores.ErrLocked].
type heldError struct {
	dir  string
	lock *LockInfo // the original's lock, if that is there
}

func (e *heldError) Error() string {
	if e.lock == nil {
		return fmt.Sprintf("%v: it has locked the directory %s", stores.ErrLocked, e.dir)
	}
	if e.lock.Strange != "" {
		return fmt.Sprintf("%v: %s is in the lock's place since %s, and no calendar program has made it: %s",
			stores.ErrLocked, e.lock.Path, e.lock.Since.Format(time.DateTime), e.lock.Strange)
	}
	return fmt.Sprintf("%v: %v", stores.ErrLocked, e.lock)
}

func (e *heldError) Unwrap() error { return stores.ErrLocked }

// lockBoth takes the one lock, then the other, until ctx ends.
func (s *Store) lockBoth(ctx context.Context, dir string) (unlock func(), err error) {
	own, err := lockOwn(ctx, dir)
	if err != nil {
		return nil, err
	}
	shared, err := s.lockShared(ctx, dir)
	if err != nil {
		own.Unlock()
		return nil, err
	}
	return func() {
		rest := shared()
		s.beside(func() {
			rest()
			own.Unlock()
		})
	}, nil
}

// beside calls fn, or lets it go on beside the caller until Close, if that is wanted.
func (s *Store) beside(fn func()) {
	if s.options.Beside {
		s.besides.Go(fn)
	} else {
		fn()
	}
}

// lockOwn takes the lock that keeps our own programs apart: flock on the directory
// itself, so that no file appears, and the kernel gives it back if we die. Each
// call opens the directory anew, which keeps the goroutines of one process apart too.
func lockOwn(ctx context.Context, dir string) (*flock.Flock, error) {
	for {
		own := flock.New(dir, flock.SetFlag(openDir))
		ok, err := own.TryLock()
		if err == nil && !ok {
			err = lockQueued(ctx, own)
		}
		if err != nil {
			return nil, failed("locking", dir, err)
		}
		// While we waited, the directory may have been removed or replaced.
		locked, err := own.Stat()
		if err == nil {
			var there fs.FileInfo
			there, err = os.Stat(dir)
			if err == nil && os.SameFile(locked, there) {
				return own, nil
			}
		}
		own.Unlock()
		if err != nil {
			return nil, failed("locking", dir, err)
		}
	}
}

// lockQueued waits in the kernel's queue, where the first to come is the first to be
// served, as polling would not have it. A wait in the kernel cannot be called off, so
// when ctx ends it is left behind, and gives back at once what it gets.
func lockQueued(ctx context.Context, own *flock.Flock) error {
	done := make(chan error, 1)
	go func() {
		err := own.Lock()
		for errors.Is(err, unix.EINTR) {
			err = own.Lock()
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		go func() {
			if <-done == nil {
				own.Unlock()
			}
		}()
		return ctx.Err()
	}
}

// lockShared takes the lock that keeps the original's programs out: the directory
// __lock__, with one named by our process id in it. It must only be called, and given
// back, under lockOwn. Unlock gives it back; rest removes what is left of it then, which is nobody's, but under lockOwn, too.
func (s *Store) lockShared(ctx context.Context, dir string) (unlock func() (rest func()), err error) {
	t := taking{store: s, dir: dir}
	defer t.end()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		unlock, err := t.try()
		if unlock != nil || err != nil {
			return unlock, err
		}
		if s.breakStale(dir) {
			continue
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// taking is an attempt to take the original's lock on a user's directory, under lockOwn.
//
// A lock is made whole as __lock__next__, where it is nobody's, and then gets its name. So the lock is never there without our id
// in it. A program that died in such a moment would leave a lock that others must honour until it is stale: it may be the
// original's, which makes its lock in two steps.
type taking struct {
	store *Store
	dir   string
	tried bool
	next  bool // __lock__next__ is ready
}

// try takes the lock if it is free; else it returns nothing. See lockShared for what it returns.
func (t *taking) try() (unlock func() (rest func()), err error) {
	done, err := begin()
	if err != nil {
		return nil, failed("locking", t.dir, err)
	}
	defer done()
	path, next := filepath.Join(t.dir, lockDir), filepath.Join(t.dir, nextDir)
	switch {
	case !t.tried:
		t.tried, t.next = true, t.store.makeNext(next)
	case t.next:
		now := time.Now()
		_ = os.Chtimes(next, now, now) // the lock is as old as this
	}
	if t.next {
		switch unix.Renameat2(unix.AT_FDCWD, next, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE) {
		case nil:
			t.next = false
			return t.store.holdLock(path), nil
		case unix.EEXIST, unix.EINTR:
			return nil, nil
		}
		// Some file systems cannot do that, NFS for one. There the lock is made as the original makes it.
		t.drop()
	}
	err = os.Mkdir(path, t.store.dirMode&fs.ModePerm)
	switch {
	case err == nil:
		if err := t.store.signLock(path); err != nil {
			os.Remove(path)
			return nil, err
		}
		return t.store.holdLock(path), nil
	case errors.Is(err, fs.ErrExist):
		return nil, nil
	}
	return nil, failed("making", path, err)
}

// end removes what an attempt leaves that has not had the lock.
func (t *taking) end() {
	if !t.next {
		return
	}
	if done, err := begin(); err == nil {
		defer done()
		t.drop()
	}
}

func (t *taking) drop() {
	t.next = false
	_ = removeSigned(filepath.Join(t.dir, nextDir)) // else the next one does it
}

// makeNext makes a lock with our process id in it, under a name where it is nobody's, and reports whether it is
// ready. Where it cannot be made, the lock itself cannot be either, and that will say why.
func (s *Store) makeNext(path string) bool {
	err := os.Mkdir(path, s.dirMode&fs.ModePerm)
	if errors.Is(err, fs.ErrExist) && clearNext(path) {
		err = os.Mkdir(path, s.dirMode&fs.ModePerm)
	}
	if err != nil {
		return false
	}
	if s.signLock(path) != nil {
		_ = removeSigned(path)
		return false
	}
	return true
}

// clearNext removes what a program that has died has left of a lock that is nobody's, and reports whether it is gone.
// It must only be called under lockOwn, which the program had, too. That lock may not reach the processes of other machines, so
// that what they have made stays while it is young: what has their mark, or none while its process lives.
func clearNext(path string) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	holders, err := os.ReadDir(path)
	if err != nil {
		return false
	}
	old := time.Since(info.ModTime()).Abs() > staleAge
	for _, h := range holders {
		inside := filepath.Join(path, h.Name())
		made, err := h.Info()
		if err != nil {
			return false
		}
		left := old || isMarked(inside)
		if pid, err := strconv.Atoi(h.Name()); !left && err == nil {
			// Until it is marked, it is as old as its name in the directory.
			unmarked := made.ModTime().Sub(info.ModTime()).Abs() < startSlack
			left = unmarked && (pid == os.Getpid() || !lookUp(pid).Alive)
		}
		if !left || rmdir(inside) != nil {
			return false
		}
	}
	return rmdir(path) == nil
}

// signLock puts our process id into a lock directory that we have just made.
func (s *Store) signLock(path string) error {
	// Whoever has to break it, should we die, may be another user of the group.
	durable.Mode(path, s.dirMode)
	pid := holder(path)
	if err := os.Mkdir(pid, s.dirMode&fs.ModePerm); err != nil {
		return failed("making", pid, err)
	}
	durable.Mode(pid, s.dirMode)
	mark(pid)
	return nil
}

// holder returns the path of our process id in a lock.
func holder(path string) string { return filepath.Join(path, strconv.Itoa(os.Getpid())) }

// holdLock notes that we have the lock, and returns what gives it back: see lockShared.
func (s *Store) holdLock(path string) (unlock func() (rest func())) {
	report := func(err error) {
		if err != nil {
			s.options.Log.Error("the lock could not be removed: remove it by hand", "path", path, "error", err)
		}
	}
	unlock = func() (rest func()) {
		if _, ours := heldLocks.LoadAndDelete(path); !ours {
			return func() {} // it has been given back
		}
		left, err := giveBack(path)
		report(err)
		return func() { report(left()) }
	}
	heldLocks.Store(path, func() { unlock()() })
	return unlock
}

// giveBack gives back a lock that we hold: it becomes nobody's, under another name. Rest removes it. Where that fails, it is
// removed at once, as the original removes it.
func giveBack(path string) (rest func() error, err error) {
	next := filepath.Join(filepath.Dir(path), nextDir)
	// If somebody has broken our lock, the one that is there is not ours.
	if _, err := os.Lstat(holder(path)); err == nil && os.Rename(path, next) == nil {
		return func() error { return removeSigned(next) }, nil
	}
	return func() error { return nil }, removeSigned(path)
}

// removeSigned removes a lock directory that has nothing but our process id in it.
func removeSigned(path string) error {
	if err := rmdir(holder(path)); err != nil {
		return err
	}
	return rmdir(path)
}

// breakStale removes the lock directory if it is stale, or left of a program of ours, and reports whether it did. It
// must only be called under lockOwn.
//
// DEVIATION: stale-locks: the original waits for ever for a holder that has died.
func (s *Store) breakStale(dir string) bool {
	l, err := inspect(dir)
	if err != nil || !l.Stale && !l.orphaned() {
		return false
	}
	if err := l.remove(); err != nil {
		return false // somebody else has it, then; or if not, the wait will say whose it is
	}
	s.options.Log.Warn("a stale lock was removed", "user", string(l.User), "lock", l.String())
	return true
}
