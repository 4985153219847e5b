// Package stack gives goroutines a stack in which the handling of a message has room.
package stack

// space is how much is asked for, in octets. The runtime gives the power of two that is larger. Memory that
// is not used is not taken.
const space = 48 << 10

// Grow has the stack of the goroutine that calls it grow to where a message has room in it. It is called when
// there is next to nothing on the stack. Otherwise the runtime doubles the stack five times on the way, looks up each
// function on it, and copies it, which takes longer than to read an invitation.
func Grow() { grow(false) }

// grow has a frame of that size, whose memory it does not touch.
//
//go:noinline
func grow(touch bool) byte {
	if touch {
		var frame [space]byte
		fill(&frame)
		return frame[0]
	}
	return 0
}

//go:noinline
func fill(frame *[space]byte) {
	for i := range frame {
		frame[i] = 1
	}
}
