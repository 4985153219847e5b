// Package shortlived prepares a program that imports it for a life of some milliseconds, with many of its
// kind beside it.
//
// The program runs on one processor: what the Go runtime does to share such little work among processors
// takes a sixth of that time. It gets a second one when it waits for the disk (see package file). The stack of its
// first goroutine, which initialises the packages, has the room that this takes (see package stack).
//
// It imports next to nothing, so that it comes before nearly all other packages when a program starts. Later,
// half the programs would run on a processor whose memory is filled already, and go on with an empty one.
package shortlived

import (
	"runtime"

	"imip-agent/cmd/internal/process/stack"
)

func init() {
	runtime.GOMAXPROCS(1)
	stack.Grow()
}
