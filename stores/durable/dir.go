package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// Dir is a directory that is held open, for one who does much in it: each thing is one system call, where an [os.Root] opens
// the directory each time. Names in it must have no slash. No symbolic link in it is followed, so that nothing outside is reached.
// It is not for use by several at once, but for Sync.
type Dir struct {
	file *os.File
	fd   int

	known bool // owner is known
	owner struct {
		uid, gid int
		ok       bool
	}
}

// OpenDir opens a directory below root; "" is root itself.
func OpenDir(root *os.Root, name string) (*Dir, error) {
	if name == "" {
		name = "."
	}
	file, err := root.OpenFile(name, open|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &Dir{file: file, fd: int(file.Fd())}, nil
}

// Close lets the directory go.
func (d *Dir) Close() error { return d.file.Close() }

// File returns the open directory. It belongs to d.
func (d *Dir) File() *os.File { return d.file }

// Open opens what has that name, to be read, and does not wait for it as for a pipe. For a symbolic link, the error is
// [unix.ELOOP].
func (d *Dir) Open(name string) (*os.File, error) {
	fd, err := d.openat(name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	// Package os would have it polled, as pipes are.
	if err := unix.SetNonblock(fd, false); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), d.file.Name()+"/"+name), nil
}

// Read returns what a file holds, unless check, which is told what is known of the file, has an error. For a symbolic
// link, the error is [unix.ELOOP].
func (d *Dir) Read(name string, check func(unix.Stat_t) error) ([]byte, error) {
	fd, err := d.openat(name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var info unix.Stat_t
	if err := again(func() error { return unix.Fstat(fd, &info) }); err != nil {
		return nil, err
	}
	if err := check(info); err != nil {
		return nil, err
	}
	// One octet more than the size tells that the end has been reached.
	data := make([]byte, 0, info.Size+1)
	for {
		var n int
		err := again(func() (err error) { n, err = unix.Read(fd, data[len(data):cap(data)]); return err })
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return data, nil
		}
		if data = data[:len(data)+n]; len(data) == cap(data) {
			data = slices.Grow(data, len(data))
		}
	}
}

// Hold opens what has that name for nothing but to hold it: nothing can be read from it. It may be a symbolic link.
func (d *Dir) Hold(name string) (fd int, err error) { return d.openat(name, unix.O_PATH, 0) }

func (d *Dir) openat(name string, flags int, mode uint32) (fd int, err error) {
	err = again(func() (err error) {
		fd, err = unix.Openat(d.fd, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
		return err
	})
	return fd, err
}

// Lstat says what has that name.
func (d *Dir) Lstat(name string) (info unix.Stat_t, err error) {
	err = again(func() error { return unix.Fstatat(d.fd, name, &info, unix.AT_SYMLINK_NOFOLLOW) })
	return info, err
}

// Stage makes a file, as the function [Stage] does.
func (d *Dir) Stage(name string, content io.WriterTo, o Options) (finish func() error, err error) {
	fd, err := d.openat(name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, uint32(o.mode()&fs.ModePerm))
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), d.file.Name()+"/"+name)
	if uid, gid, ok := d.heir(); ok {
		_ = file.Chown(uid, gid)
	}
	return fill(file, func() { _ = d.Remove(name) }, writing(content), o)
}

// heir returns to whom what is made in the directory is to be given, if it is: see [Own].
func (d *Dir) heir() (uid, gid int, ok bool) {
	if !d.known {
		d.known = true
		if os.Geteuid() == 0 {
			if info, err := d.file.Stat(); err == nil {
				d.owner.uid, d.owner.gid, d.owner.ok = owner(info)
			}
		}
	}
	return d.owner.uid, d.owner.gid, d.owner.ok
}

// Make makes a directory with a mode, as far as that can be had, and opens it.
func (d *Dir) Make(name string, mode fs.FileMode) (*Dir, error) {
	if err := again(func() error { return unix.Mkdirat(d.fd, name, uint32(mode&fs.ModePerm)) }); err != nil {
		return nil, err
	}
	fd, err := d.openat(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, errors.Join(err, unix.Unlinkat(d.fd, name, unix.AT_REMOVEDIR))
	}
	made := &Dir{file: os.NewFile(uintptr(fd), d.file.Name()+"/"+name), fd: fd}
	if uid, gid, ok := d.heir(); ok {
		_ = made.file.Chown(uid, gid)
	}
	if info, err := made.file.Stat(); err != nil || !has(info, mode) { // see Mode
		_ = made.file.Chmod(mode)
	}
	return made, nil
}

// Link gives a file another name in the same directory.
func (d *Dir) Link(name, also string) error {
	return again(func() error { return unix.Linkat(d.fd, name, d.fd, also, 0) })
}

// Rename moves what has that name to another directory, where a file takes the place of one that is there.
func (d *Dir) Rename(name string, to *Dir, as string) error {
	return again(func() error { return unix.Renameat(d.fd, name, to.fd, as) })
}

// Remove removes a file, or whatever is not a directory.
func (d *Dir) Remove(name string) error {
	return again(func() error { return unix.Unlinkat(d.fd, name, 0) })
}

// TryLock takes the lock of flock(2) on the directory, unless somebody else has it. The kernel gives it back if we die.
func (d *Dir) TryLock() (free bool, err error) {
	err = again(func() error { return unix.Flock(d.fd, unix.LOCK_EX|unix.LOCK_NB) })
	if err == unix.EWOULDBLOCK {
		return false, nil
	}
	return err == nil, err
}

// Unlock gives the lock back.
func (d *Dir) Unlock() error {
	return again(func() error { return unix.Flock(d.fd, unix.LOCK_UN) })
}

// Sync makes the names in the directory last, as [Names] does.
func (d *Dir) Sync() error {
	err := d.file.Sync()
	if errors.Is(err, syscall.EINVAL) {
		return nil // the file system keeps no such promise
	}
	return err
}

// again calls fn until no signal interrupts it.
func again(fn func() error) error {
	for {
		if err := fn(); err != unix.EINTR {
			return err
		}
	}
}
