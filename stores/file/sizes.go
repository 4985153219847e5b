package file

import (
	"fmt"
	"strings"
)

// The sizes of the largest files that are read, in octets: more than any that our programs
// write. What is larger was made by a mistake or to do harm, often as a file with holes that
// takes no room on the disk, and would exhaust the memory of who reads it.
const (
	maxText  = 48 << 20  // an event: package calendar makes none of more than 40 MiB
	maxTable = 128 << 20 // more than a million records
	maxQueue = 32 << 20  // the request queue, and the lists that are like it
	maxLines = 500_000   // lines of the queue, each of which takes memory however short it is
)

// maxSize returns how large a file may be that is read, by its name relative to the user's
// directory.
func maxSize(name string) int64 {
	top, _, below := strings.Cut(name, "/")
	switch {
	case top == othersDir, !below && (top == ownTable.name || top == offersTable.name):
		return maxTable // what is published has that name as well
	case !below:
		return maxQueue
	}
	return maxText
}

// sizeError says that a file is larger than any that is read.
type sizeError struct{ size, limit int64 }

func (e *sizeError) Error() string {
	return fmt.Sprintf("it has %s, and such a file never has more than %s; find out what it is, and move it away", octets(e.size), octets(e.limit))
}

// linesError says that a table has more lines than any that is read.
type linesError struct{ lines int }

func (e *linesError) Error() string {
	return fmt.Sprintf("it has %d lines, and such a file never has more than %d; find out what it is, and move it away", e.lines, maxLines)
}

// octets writes a number of octets for people.
func octets(n int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}} {
		if n >= unit.size {
			return fmt.Sprintf("%d %s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%d octets", n)
}
