package compat

import (
	"os"
	"testing"
)

// newRoom makes a room for the length of a test, furnished for a conversation. It is
// in memory where there is such a place: the programs have each file written to the
// disk before they go on, which says nothing about what they write.
func newRoom(t testing.TB, c *Conversation) Room {
	t.Helper()
	room := Room(emptyDir(t))
	if err := room.Furnish(c); err != nil {
		t.Fatal(err)
	}
	return room
}

// emptyDir makes a directory for the length of a test.
func emptyDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "imip-agent")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
