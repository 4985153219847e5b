// Package room is where tests work.
package room

import "os"

// memory is a directory of Linux that is kept in memory.
const memory = "/dev/shm"

// InMemory has the temporary directories of a package's tests made in memory, where there is
// a place for that. A store waits for the disk at each change, which takes most of the
// time of tests that are not about disks. It is called before the tests run. A directory that
// the user has chosen (TMPDIR) stays.
func InMemory() {
	if dir := Memory(); dir != "" {
		os.Setenv("TMPDIR", dir)
	}
}

// Memory returns a directory that is kept in memory, for what is removed at the end. It is empty where there is
// none, or where the user has chosen another.
func Memory() string {
	if os.Getenv("TMPDIR") != "" {
		return ""
	}
	dir, err := os.MkdirTemp(memory, "imip-agent-room-")
	if err != nil {
		return ""
	}
	_ = os.Remove(dir)
	return memory
}
