// Package durable is the one way in which the project writes a file: a file is there in full or
// not at all, whoever reads it and whenever the program or the machine stops.
//
// A new content is written under a temporary name beside the file, which begins with a dot
// and ends in ".tmp" so that other programs pass over it, synced, renamed into
// place, and then the name is synced with its directory. Files are reached through an
// [os.Root], so that neither a name nor a symbolic link leads out of a directory.
package durable

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Options say how a file is written. The zero value makes a file for its owner only.
type Options struct {
	// Mode is the mode that the file gets, set-group-id bit and all, whatever the umask.
	// Zero: 0600. That the owner or the file system does not allow it is no error.
	Mode fs.FileMode
	// Prepare changes the file before anything is written to it, for example its group;
	// nil: nothing.
	Prepare func(*os.File)
	// Later leaves syncing to the caller: nothing can be relied on before [Filesystem].
	Later bool
}

func (o Options) mode() fs.FileMode {
	if o.Mode == 0 {
		return 0o600
	}
	return o.Mode
}

// Write puts a file at a path in place of what is there. A symbolic link is replaced, too.
func Write(path string, content []byte, o Options) error {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer root.Close()
	return Replace(root, filepath.Base(path), content, o)
}

// Replace puts a file into a directory below root in place of what is there. If it fails,
// what was there stays as it was.
func Replace(root *os.Root, name string, content []byte, o Options) error {
	dir, base := path.Split(name)
	fresh := dir + temporary(base)
	if err := create(root, fresh, func(w io.Writer) error { _, err := w.Write(content); return err }, o); err != nil {
		return err
	}
	if err := root.Rename(fresh, name); err != nil {
		return errors.Join(err, root.Remove(fresh))
	}
	if o.Later {
		return nil
	}
	return Names(root, dir)
}

// temporary returns a name under which a file of that name can be written.
func temporary(base string) string {
	return "." + base + "." + strconv.FormatUint(rand.Uint64(), 36) + temporarySuffix
}

const temporarySuffix = ".tmp"

// IsTemporary reports whether a name is one under which a file is written. Where nobody
// writes, a program that stopped has left it behind.
func IsTemporary(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, temporarySuffix)
}

// Begin makes a file for its owner only, under a temporary name beside a path, for a content
// that comes piece by piece. When it is written and synced, [Rename] puts it into its place;
// until then the caller removes it if anything fails.
func Begin(path string) (*os.File, error) {
	fresh := filepath.Join(filepath.Dir(path), temporary(filepath.Base(path)))
	f, err := os.OpenFile(fresh, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		Own(fresh)
	}
	return f, err
}

// Create makes a file below root where there is none. If there is one, the error matches
// [fs.ErrExist]. The name lasts only when the caller has called [Names] for the directory,
// once for many files. If it fails, there is no file.
func Create(root *os.Root, name string, content []byte, o Options) error {
	return create(root, name, func(w io.Writer) error { _, err := w.Write(content); return err }, o)
}

// Stage makes a file as [Create] does, of what content writes, which is not held in memory. But it is finish that syncs
// the file: so several can be written first, and then be synced at once, which a file system does with one write
// of its journal. Finish must be called. If it fails, there is no file.
func Stage(root *os.Root, name string, content io.WriterTo, o Options) (finish func() error, err error) {
	return stage(root, name, writing(content), o)
}

// writing returns what writes a content.
func writing(content io.WriterTo) func(io.Writer) error {
	return func(w io.Writer) error {
		if text, ok := content.(*bytes.Reader); ok {
			_, err := text.WriteTo(w)
			return err
		}
		b := bufio.NewWriterSize(w, 32<<10)
		if _, err := content.WriteTo(b); err != nil {
			return err
		}
		return b.Flush()
	}
}

func create(root *os.Root, name string, write func(io.Writer) error, o Options) error {
	finish, err := stage(root, name, write, o)
	if err != nil {
		return err
	}
	return finish()
}

func stage(root *os.Root, name string, write func(io.Writer) error, o Options) (finish func() error, err error) {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|Unwatched, o.mode()&fs.ModePerm)
	if err != nil {
		return nil, err
	}
	OwnBelow(root, name)
	return fill(f, func() { root.Remove(name) }, write, o)
}

// fill writes a file that has just been made. If that fails, remove removes it.
func fill(f *os.File, remove func(), write func(io.Writer) error, o Options) (finish func() error, err error) {
	drop := func(err error) error {
		f.Close()
		remove()
		return err
	}
	f.Chmod(o.mode()) // as far as we may
	if o.Prepare != nil {
		o.Prepare(f)
	}
	if err := write(f); err != nil {
		return nil, drop(err)
	}
	if !o.Later {
		beginSync(f)
	}
	return func() error {
		if !o.Later {
			if err := f.Sync(); err != nil {
				return drop(err)
			}
		}
		if err := f.Close(); err != nil { // NFS and quotas report here that there is no room
			return drop(err)
		}
		return nil
	}, nil
}

// Names makes the names in a directory below root last; "" is root itself. A directory
// that may be written but not read cannot be synced, and is left to the system.
func Names(root *os.Root, dir string) error {
	if dir == "" {
		dir = "."
	}
	f, err := root.OpenFile(path.Clean(dir), open, 0)
	return names(f, err)
}

// NamesIn makes the names in the directory at a path last, as [Names] does.
func NamesIn(path string) error {
	f, err := os.OpenFile(path, open, 0)
	return names(f, err)
}

// Unwatched is a flag for opening a file or a directory. Without it, package os makes five system calls more to find out that
// they are never waited for as sockets are. It has no other effect on them.
const Unwatched = syscall.O_NONBLOCK

// open is for a directory, or for a file that is in its place.
const open = os.O_RDONLY | Unwatched

func names(dir *os.File, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return nil
	} else if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil // the file system keeps no such promise
	}
	return errors.Join(err, dir.Close())
}

// Rename moves a file or directory from one path to another in the same file system, where
// it takes the place of what is there, and makes both names last.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	err := NamesIn(filepath.Dir(to))
	if filepath.Dir(from) != filepath.Dir(to) {
		err = errors.Join(err, NamesIn(filepath.Dir(from)))
	}
	return err
}
