package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/stores/file"
)

// Grace is how long work may go on after it should have stopped. Whoever asked it
// to stop soon kills it.
const Grace = time.Second

// Watch prepares the process to end in no other way than by returning: it returns
// a context that is cancelled by the signals that would end it.
func Watch(parent context.Context) (context.Context, context.CancelFunc) {
	// Writing beyond a limit, or to who has gone away, is an error of the
	// write and not the end of the process.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGXFSZ)
	// Files and directories are made with the modes that are meant for them. With a
	// umask they would get theirs by a second step, and if the program was killed
	// before that, a directory would stay closed to the group.
	syscall.Umask(0)
	// What the runtime cannot survive (no memory, a stack without end) would exit
	// with status 2, which mail systems take for good. They know that a program that
	// was killed did not finish. It leaves no core: that would be the user's mail.
	debug.SetTraceback("crash")
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err == nil {
		limit.Cur = 0
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit) // at worst there is a core
	}
	ctx, cancel := context.WithCancelCause(parent)
	received := make(chan os.Signal, 1)
	signal.Notify(received, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM)
	// To listen to a signal takes as long as a good part of a message. These are timers
	// and limits that have run out, which takes longer, and signals that nobody
	// sends. Until then the runtime passes over them.
	timers := time.AfterFunc(timersAfter, func() {
		signal.Notify(received, syscall.SIGALRM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGVTALRM, syscall.SIGPROF, syscall.SIGXCPU)
	})
	go func() {
		select {
		case s := <-received:
			cancel(fmt.Errorf("%v signal received", s))
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		timers.Stop()
		cancel(nil)
		signal.Stop(received)
	}
}

// timersAfter is how long a process runs before it listens to signals of timers.
const timersAfter = 100 * time.Millisecond

// PanicError is a panic that was caught.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("internal error: %v", e.Value) }

// Run runs work and returns its error. A panic of work is a [*PanicError]. If
// work does not return within the grace period after ctx is done, Run returns
// without it, and the program has to end: the locks of the work are given back, and it
// can store nothing any more.
func Run(ctx context.Context, grace time.Duration, work func(context.Context) error) error {
	done := make(chan error, 1)
	go func() {
		err := errors.New("internal error: the work ended early")
		defer func() {
			if value := recover(); value != nil {
				err = &PanicError{Value: value, Stack: debug.Stack()}
			}
			done <- err
		}()
		err = work(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		file.Abandon(grace)
		return fmt.Errorf("given up: %w", context.Cause(ctx))
	}
}

// Within runs work as [Run] does, with a deadline. An error that is due to it
// matches context.DeadlineExceeded.
func Within(ctx context.Context, limit, grace time.Duration, work func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, lateError{limit})
	defer cancel()
	return Run(ctx, grace, work)
}

type lateError struct{ limit time.Duration }

func (e lateError) Error() string        { return fmt.Sprintf("not done within %v (DEADLINE)", e.limit) }
func (e lateError) Is(target error) bool { return target == context.DeadlineExceeded }

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
