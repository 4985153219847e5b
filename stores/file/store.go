package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/durable"
	"imip-agent/stores/rejected"
)

// Options says where a store is and how it is kept. Only Dir has to be given.
type Options struct {
	Dir        string // the store; it is made when it is first written to
	PublishDir string // where free/busy is published; empty: nothing can be
	// Modes of files and directories as chmod(1) takes them, set-group-id bit and all.
	// Zero: 0660 and 02770.
	FileMode, DirMode fs.FileMode
	LockTimeout       time.Duration    // how long to wait for a user's locks; zero: a minute
	Now               func() time.Time // for the notes on what is put aside; nil: time.Now
	Log               *slog.Logger     // nil: nothing is logged
	// Rejected takes the damaged lines of tables that are written anew. With nil they are
	// logged, and lost.
	Rejected *rejected.Dir
	// ReadOnly opens a store that nobody changes, such as a snapshot or what is mounted read-only.
	// It is read without its locks: what is changed all the same may be read half. There are no
	// updates.
	ReadOnly bool
	// Deferred leaves files to the system to be written to the disk, where each is synced
	// otherwise: nothing can be relied on before Sync is called. It is for filling a store.
	Deferred bool
	// Beside lets what nobody waits for go on beside callers, until Close returns: what is left of a lock that was given
	// back is removed, for which only our own programs wait, and the space of files that are no more becomes free.
	Beside bool
}

// Store is a store in the original's directories. It is safe for concurrent use, by
// goroutines and by processes.
type Store struct {
	options           Options
	fileMode, dirMode fs.FileMode // as package os writes them
	// journal: quotas stand for users, and what is known of others has the attendee as well.
	journal bool
	besides *sync.WaitGroup // see Options.Beside
}

var _ stores.Store = (*Store)(nil)

// Open returns the store in a directory. It reads and makes nothing yet.
func Open(options Options) (*Store, error) {
	if options.Dir == "" {
		return nil, errors.New("opening the store: no directory is set: set STORE_DIR")
	}
	if options.FileMode == 0 {
		options.FileMode = 0o660
	}
	if options.DirMode == 0 {
		options.DirMode = 0o2770
	}
	if options.LockTimeout == 0 {
		options.LockTimeout = time.Minute
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	// A relative directory must not move with the process's working directory.
	for _, dir := range []*string{&options.Dir, &options.PublishDir} {
		if *dir == "" {
			continue
		}
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return nil, failed("opening the store in", *dir, err)
		}
		*dir = abs
	}
	return &Store{options: options, fileMode: octalMode(options.FileMode), dirMode: octalMode(options.DirMode), besides: new(sync.WaitGroup)}, nil
}

// octalMode turns a mode as chmod(1) takes it into one of package fs.
func octalMode(mode fs.FileMode) fs.FileMode {
	m := mode & fs.ModePerm
	for bit, flag := range map[fs.FileMode]fs.FileMode{
		0o1000: fs.ModeSticky, 0o2000: fs.ModeSetgid, 0o4000: fs.ModeSetuid,
	} {
		if mode&bit != 0 {
			m |= flag
		}
	}
	return m
}

// Close waits for what goes on beside its callers. Otherwise a store holds nothing open between transactions.
func (s *Store) Close() error {
	s.besides.Wait()
	return nil
}

// Users yields every user who has a directory in the store. What is no directory is
// left out. A store that does not exist is an error.
func (s *Store) Users(ctx context.Context) iter.Seq2[calendar.URI, error] {
	return func(yield func(calendar.URI, error) bool) {
		entries, err := os.ReadDir(s.options.Dir)
		if err != nil {
			failure := failed("reading the store", s.options.Dir, err)
			if errors.Is(err, fs.ErrNotExist) {
				failure = stores.NoStore(failure)
			}
			yield("", failure)
			return
		}
		for _, e := range entries {
			if ctx.Err() != nil {
				yield("", context.Cause(ctx))
				return
			}
			if !e.IsDir() {
				if e.Type()&fs.ModeSymlink == 0 {
					continue
				}
				if info, err := os.Stat(filepath.Join(s.options.Dir, e.Name())); err != nil || !info.IsDir() {
					continue
				}
			}
			if !yield(calendar.URI(e.Name()), nil) {
				return
			}
		}
	}
}

// Named implements [stores.Store]. It reads the names of all users only for one who has no
// directory of that very name.
func (s *Store) Named(_ context.Context, user calendar.URI) (calendar.URI, error) {
	if !isPlain(string(user)) {
		return user, nil
	}
	if _, err := os.Lstat(filepath.Join(s.options.Dir, string(user))); !errors.Is(err, fs.ErrNotExist) {
		return user, failed("looking for the user's directory in", s.options.Dir, err)
	}
	dir, err := os.Open(s.options.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return user, nil
	} else if err != nil {
		return user, failed("reading the store", s.options.Dir, err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return user, failed("reading the store", s.options.Dir, err)
	}
	found := ""
	for _, name := range names {
		if (found == "" || name < found) && user.Is(calendar.URI(name)) && isDir(filepath.Join(s.options.Dir, name)) {
			found = name
		}
	}
	if found == "" {
		return user, nil
	}
	return calendar.URI(found), nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// View runs fn on user's records under the user's lock. It needs to be able to write to
// the user's directory for that, although it changes nothing there. For a user without
// a directory fn sees no records.
func (s *Store) View(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	if !isPlain(string(user)) {
		return fn(newTx(ctx, s, user, nil))
	}
	if s.options.ReadOnly {
		return s.Snapshot(ctx, user, fn)
	}
	unlock, err := s.lock(ctx, filepath.Join(s.options.Dir, string(user)))
	if errors.Is(err, fs.ErrNotExist) {
		return fn(newTx(ctx, s, user, nil))
	} else if err != nil {
		return lockless(err)
	}
	defer unlock()
	return s.Snapshot(ctx, user, fn)
}

// Snapshot runs fn on user's records without the user's lock. Files are replaced by rename,
// so that each is whole; of a change that is being committed, fn may see one file and not
// another.
func (s *Store) Snapshot(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	if !isPlain(string(user)) {
		return fn(newTx(ctx, s, user, nil))
	}
	d, err := openDirectory(filepath.Join(s.options.Dir, string(user)))
	if err != nil {
		return err
	}
	defer d.Close()
	return fn(newTx(ctx, s, user, d))
}

// lockless says of a lock that cannot be taken that there is a way to read without it.
func lockless(err error) error {
	if errors.Is(err, unix.EROFS) || errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; or read it without locks: --read-only", err)
	}
	return err
}

// errReadOnly says that nothing can be changed in a store that was opened to be read.
var errReadOnly = errors.New("the store is opened read-only")

// Update runs fn on user's records under the user's lock and commits what it changed.
// A user's directory is only made when there is something to store in it. For a user
// without one, fn is run without a lock; should somebody else make the directory
// meanwhile, fn is run again.
//
// DEVIATION: users-as-directories: a user whose URI is no plain file name is an UnstorableError.
// The original fails, or uses a directory elsewhere.
func (s *Store) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	if !isPlain(string(user)) {
		return checkURI("user", user)
	}
	if s.options.ReadOnly {
		return errReadOnly
	}
	for {
		err := s.update(ctx, user, fn)
		if !errors.Is(err, errMeanwhile) || ctx.Err() != nil {
			return err
		}
	}
}

// errMeanwhile says that another program has made the user's directory, and that
// what fn has seen no longer holds.
var errMeanwhile = errors.New("file: the user's directory was created meanwhile")

func (s *Store) update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	dir := filepath.Join(s.options.Dir, string(user))
	unlock, err := s.lock(ctx, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return s.updateFirst(ctx, user, dir, fn)
	} else if err != nil {
		return err
	}
	defer unlock()
	d, err := openDirectory(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	s.removeStaging(d)
	t := newTx(ctx, s, user, d)
	if err := fn(t); err != nil {
		return err
	}
	return t.commit()
}

// updateFirst is update for a user who has no directory yet.
func (s *Store) updateFirst(ctx context.Context, user calendar.URI, dir string, fn func(stores.Tx) error) (err error) {
	t := newTx(ctx, s, user, nil)
	if err := fn(t); err != nil {
		return err
	}
	c, err := t.changes()
	if err != nil || c.empty() {
		return err
	}
	if err := checkURI("user", user); err != nil {
		return err
	}
	made, err := s.makeUser(dir)
	if err != nil {
		return err
	}
	defer func() {
		if made && err != nil {
			s.besides.Wait()
			os.Remove(dir) // if it is empty
		}
	}()
	unlock, err := s.lock(ctx, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return errMeanwhile // made and removed again
	} else if err != nil {
		return err
	}
	defer unlock()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return failed("reading", dir, err)
	}
	if len(entries) > 1 { // there is more than our lock
		return errMeanwhile
	}
	if t.dir, err = openDirectory(dir); err != nil {
		return err
	}
	defer t.dir.Close()
	if err := t.apply(c); err != nil {
		return err
	}
	// The user's name must last as well as what is in it.
	return syncDir(s.options.Dir)
}

// makeUser makes a user's directory, and the store's own if that is missing. It reports
// whether it did, and not somebody else.
func (s *Store) makeUser(dir string) (made bool, err error) {
	if err := s.makeAll(filepath.Dir(dir)); err != nil {
		return false, err
	}
	err = s.makeOne(dir)
	if errors.Is(err, fs.ErrExist) {
		_, err = os.Stat(dir) // fails for a symbolic link that leads nowhere
		return false, failed("opening the user's directory", dir, err)
	}
	return err == nil, failed("creating the user's directory", dir, err)
}

// makeAll makes a directory and its parents.
func (s *Store) makeAll(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := s.makeAll(parent); err != nil {
			return err
		}
	}
	if err := s.makeOne(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return failed("making", dir, err)
	}
	return nil
}

// makeOne makes a directory with the store's mode, whatever the umask.
func (s *Store) makeOne(dir string) error {
	err := os.Mkdir(dir, s.dirMode&fs.ModePerm)
	if err == nil {
		durable.Own(dir)
		durable.Mode(dir, s.dirMode)
	}
	return err
}

// syncDir makes the names in a directory last.
func syncDir(dir string) error { return failed("syncing", dir, durable.NamesIn(dir)) }

// Dir returns the store's directory, as an absolute path.
func (s *Store) Dir() string { return s.options.Dir }

// String names the store in messages.
func (s *Store) String() string { return fmt.Sprintf("file:%s", s.options.Dir) }
