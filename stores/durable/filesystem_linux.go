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
