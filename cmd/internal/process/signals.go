package process

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"
)

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
		for {
			select {
			case s := <-received:
				if reload := reloads.Load(); reload != nil && s == syscall.SIGHUP {
					(*reload)()
					continue
				}
				cancel(fmt.Errorf("%v signal received", s))
			case <-ctx.Done():
			}
			return
		}
	}()
	return ctx, func() {
		timers.Stop()
		cancel(nil)
		signal.Stop(received)
	}
}

// reloads is what SIGHUP means to a service; nil: the end.
var reloads atomic.Pointer[func()]

// OnReload has reload called when the process gets SIGHUP, in place of ending it.
func OnReload(reload func()) { reloads.Store(&reload) }

// timersAfter is how long a process runs before it listens to signals of timers.
const timersAfter = 100 * time.Millisecond
