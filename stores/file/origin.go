package file

import (
	"crypto/sha256"
	"encoding/binary"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Our programs give the directory with their process id, in a user's lock, a time that no clock shows: it stands for this
// machine since its start and for the namespace of the id. So a program that finds the lock knows that the id
// means the same to it, and that the holder had the lock of flock(2), too. If it has that lock itself, and no such process
// lives, the holder has died: there is no need to wait until the lock is old. To the original, the time means nothing. Where the
// file system keeps no such time, or the holder was elsewhere, the lock is stale when it is old, as everybody's is.

// origin returns the time, and whether this system has one.
func origin() (time.Time, bool) {
	t := originOnce()
	return t, !t.IsZero()
}

var originOnce = sync.OnceValue(func() time.Time {
	// Each program that handles a message asks: as system calls, since package os would have a file of the kernel's
	// polled.
	const longest = 64
	boot, err := unix.Open("/proc/sys/kernel/random/boot_id", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return time.Time{}
	}
	text := make([]byte, 2*longest)
	n, err := unix.Read(boot, text[:longest])
	unix.Close(boot)
	if err != nil || n == 0 {
		return time.Time{}
	}
	m, err := unix.Readlink("/proc/self/ns/pid", text[n:])
	if err != nil {
		return time.Time{}
	}
	sum := sha256.Sum256(text[:n+m])
	seconds := binary.BigEndian.Uint32(sum[:]) >> 1 // up to 2038, as all file systems have it
	nanoseconds := binary.BigEndian.Uint32(sum[4:]) % uint32(time.Second)
	return time.Unix(int64(seconds), int64(nanoseconds))
})

// mark says of a directory with this process's id that it is ours.
func mark(path string) {
	if t, ok := origin(); ok {
		_ = os.Chtimes(path, t, t) // else the lock is one like any other
	}
}

// isMarked reports whether a program of ours has made a directory with a process id, of the same processes
// as this one.
func isMarked(path string) bool {
	t, ok := origin()
	info, err := os.Lstat(path)
	return ok && err == nil && info.ModTime().Equal(t)
}
