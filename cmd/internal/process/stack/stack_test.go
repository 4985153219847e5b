package stack

import (
	"runtime/debug"
	"testing"
	"unsafe"
)

// Where there is room already, a stack stays where it is.
func TestGrow(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the garbage collector makes stacks smaller
	type place struct{ before, grown, deep uintptr }
	places := make(chan place)
	go func() {
		var here byte
		p := place{before: address(&here)}
		Grow()
		p.grown = address(&here)
		descend(40 << 10)
		p.deep = address(&here)
		places <- p
	}()
	p := <-places
	if p.before == p.grown {
		t.Error("the stack has not grown")
	}
	if p.grown != p.deep {
		t.Error("the stack has grown again")
	}
}

// address returns where on the stack b is: as a number, it does not move with it.
func address(b *byte) uintptr { return uintptr(unsafe.Pointer(b)) }

// descend needs at least so many octets of the stack.
//
//go:noinline
func descend(octets int) byte {
	var frame [1024]byte
	for i := range frame {
		frame[i] = byte(octets)
	}
	if octets <= 0 {
		return frame[0]
	}
	return descend(octets-len(frame)) + frame[len(frame)-1]
}
