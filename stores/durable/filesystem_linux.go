package durable

import (
	"os"

	"golang.org/x/sys/unix"
)

// Filesystem makes everything last that was written in the file system of a path. It is for
// many files that were written with [Options].Later.
func Filesystem(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

// beginSync has the system begin to write a file to the disk, for a sync that comes later, and does not wait. That
// it cannot is no error.
func beginSync(f *os.File) {
	if c, err := f.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { _ = unix.SyncFileRange(int(fd), 0, 0, unix.SYNC_FILE_RANGE_WRITE) })
	}
}
