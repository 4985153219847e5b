package process

import (
	"context"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Interruptible returns a reader of r that fails once ctx is done, even while it
// waits for what r has. The last thing that r has may then be lost.
func Interruptible(ctx context.Context, r io.Reader) io.Reader {
	i := &interruptible{ctx: ctx, r: r, fd: -1}
	if file, ok := r.(*os.File); ok {
		if conn, err := file.SyscallConn(); err == nil {
			_ = conn.Control(func(fd uintptr) { i.fd = int32(fd) }) // at worst reading costs more
		}
	}
	return i
}

type interruptible struct {
	ctx    context.Context
	r      io.Reader
	fd     int32  // of r; -1: it is no file
	buffer []byte // not the caller's, who would not expect it to change later
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, context.Cause(i.ctx)
	}
	if i.ready() {
		return i.r.Read(p)
	}
	if len(i.buffer) < len(p) {
		i.buffer = make([]byte, len(p))
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	go func(buffer []byte) {
		n, err := i.r.Read(buffer)
		done <- result{n, err}
	}(i.buffer[:len(p)])
	select {
	case r := <-done:
		return copy(p, i.buffer[:r.n]), r.err
	case <-i.ctx.Done():
		return 0, context.Cause(i.ctx)
	}
}

// ready reports whether r has something, or its end, that can be read without waiting,
// and without a thread that waits.
func (i *interruptible) ready() bool {
	if i.fd < 0 {
		return false
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: i.fd, Events: unix.POLLIN}}, 0)
	return err == nil && n == 1
}

// Drain reads r to its end, or until limit has passed, so that who writes the
// message is not cut off half-way. Nobody is kept waiting who types it.
func Drain(r io.Reader, limit time.Duration) {
	if file, ok := r.(*os.File); ok {
		if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice != 0 {
			return
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, r) // what comes is of no interest, nor why no more comes
	}()
	select {
	case <-done:
	case <-time.After(limit):
	}
}
