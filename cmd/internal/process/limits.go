package process

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// files is how many files a program has open at once, besides those that it gets: the
	// runtime's own, a user's directories, a lock, tables and texts.
	files = 12

	// manyFiles is a limit on open files that leaves enough of them whatever a mail
	// system has left open.
	manyFiles = 256

	// ample is a limit on memory, in octets, that no message comes near.
	ample = 4 << 30
)

// CheckLimits returns an error if the process cannot open the files that it needs. Without
// three of them the runtime ends the process, as soon as it waits for anything, with a
// status that mail systems take for good.
func CheckLimits() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur >= manyFiles {
		return nil
	}
	var opened []int
	defer func() {
		for _, fd := range opened {
			_ = unix.Close(fd) // nothing was written to it
		}
	}()
	for len(opened) < files {
		var pair [2]int
		if err := unix.Pipe2(pair[:], unix.O_CLOEXEC); err != nil {
			return fmt.Errorf("the limit of %d open files is too low: raise it to %d or more (ulimit -n, LimitNOFILE): %w", limit.Cur, manyFiles, err)
		}
		opened = append(opened, pair[:]...)
	}
	return nil
}

// limited reports whether the process may have so little memory that the runtime could end
// it in the middle of a message.
func limited() bool {
	for _, resource := range []int{unix.RLIMIT_AS, unix.RLIMIT_DATA} {
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(resource, &limit); err == nil && limit.Cur < ample {
			return true
		}
	}
	return false
}
