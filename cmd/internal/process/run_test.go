package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"imip-agent/cmd/internal/process"
	"imip-agent/stores"
	"imip-agent/stores/file"
)

func TestRun(t *testing.T) {
	failure := errors.New("failure")
	tests := map[string]struct {
		work func(context.Context) error
		want string // part of the error; empty: none
	}{
		"success":             {func(context.Context) error { return nil }, ""},
		"failure":             {func(context.Context) error { return failure }, "failure"},
		"a panic":             {func(context.Context) error { panic("oh") }, "internal error: oh"},
		"an index":            {func(context.Context) error { var none []int; _ = none[len(os.Args)]; return nil }, "index out of range"},
		"a panic with nil":    {func(context.Context) error { panic(nil) }, "internal error"},
		"the goroutine ended": {func(context.Context) error { runtime.Goexit(); return nil }, "ended early"},
	}
	for name, test := range tests {
		err := process.Run(t.Context(), time.Second, test.work)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	var caught *process.PanicError
	if err := process.Run(t.Context(), time.Second, func(context.Context) error { panic("oh") }); !errors.As(err, &caught) ||
		!strings.Contains(string(caught.Stack), "TestRun") {
		t.Errorf("the stack does not tell where the panic was: %v", err)
	}
}

func TestWithin(t *testing.T) {
	hung := make(chan struct{})
	defer close(hung)
	tests := map[string]struct {
		grace time.Duration
		work  func(context.Context) error
		want  string
	}{
		"stops when told":   {time.Hour, func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }, "not done within 10ms"},
		"never stops":       {20 * time.Millisecond, func(context.Context) error { <-hung; return nil }, "abandoned: not done within 10ms"},
		"done all the same": {time.Hour, func(ctx context.Context) error { <-ctx.Done(); return nil }, ""},
	}
	for name, test := range tests {
		err := process.Within(t.Context(), 10*time.Millisecond, test.grace, test.work)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// Work that never stops holds a lock, which nobody else would give back.
func TestRunGivesBackLocks(t *testing.T) {
	const inside = "IMIP_AGENT_TEST_GIVE_UP" // in a process of its own, which can use no store afterwards
	if os.Getenv(inside) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestRunGivesBackLocks$")
		cmd.Env = append(os.Environ(), inside+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	dir := t.TempDir()
	const user = "mailto:paul@example.com"
	if err := os.Mkdir(filepath.Join(dir, user), 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := file.Open(file.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	hung := make(chan struct{})
	defer close(hung)
	err = process.Run(ctx, 10*time.Millisecond, func(context.Context) error {
		return store.View(t.Context(), user, func(stores.Tx) error { cancel(); <-hung; return nil })
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, user, "__lock__")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lock is left: %v", err)
	}
}

func TestInterruptible(t *testing.T) {
	text := strings.Repeat("0123456789", 10000)
	got, err := io.ReadAll(process.Interruptible(t.Context(), iotest.HalfReader(strings.NewReader(text))))
	if err != nil || string(got) != text {
		t.Errorf("read %d octets of %d, %v", len(got), len(text), err)
	}
	broken := errors.New("broken")
	if got, err := io.ReadAll(process.Interruptible(t.Context(), io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(broken)))); string(got) != "ab" || err != broken {
		t.Errorf("read %q, %v", got, err)
	}

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() // only now: nothing ever comes
	err = process.Within(t.Context(), 20*time.Millisecond, time.Minute, func(ctx context.Context) error {
		_, err := io.ReadAll(process.Interruptible(ctx, r))
		return fmt.Errorf("read: %w", err)
	})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "read: not done within 20ms") {
		t.Errorf("got %v, want that it is too late", err)
	}
}

func TestWatch(t *testing.T) {
	for _, sent := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGXCPU} {
		came := make(chan os.Signal, 1)
		signal.Notify(came, sent)
		ctx, stop := process.Watch(t.Context())
		// Some are listened to only after a while.
		for began := time.Now(); ctx.Err() == nil && time.Since(began) < time.Minute; time.Sleep(10 * time.Millisecond) {
			if err := syscall.Kill(os.Getpid(), sent); err != nil {
				t.Fatal(err)
			}
			<-came // one that came when nobody listens any more would end the process
		}
		if cause := context.Cause(ctx); cause == nil || !strings.Contains(cause.Error(), sent.String()) {
			t.Errorf("%v: the cause is %v", sent, cause)
		}
		stop()
		signal.Stop(came)
	}
}

func TestDrain(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		_, err := w.Write(make([]byte, 1<<20)) // more than a pipe holds
		w.Close()
		written <- err
	}()
	process.Drain(r, time.Minute)
	if err := <-written; err != nil {
		t.Errorf("who writes is cut off: %v", err)
	}

	r, w, err = os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	process.Drain(r, 20*time.Millisecond) // nobody writes, nor closes

	typed, err := os.Open("/dev/zero") // a character device, like a terminal
	if err != nil {
		t.Fatal(err)
	}
	defer typed.Close()
	process.Drain(typed, time.Hour) // what is typed is not waited for
	process.Drain(io.MultiReader(), time.Hour)
}
