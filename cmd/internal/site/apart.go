package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"syscall"
)

const (
	// apartSize is the size of a message, in octets, from which on it is handled in a
	// process of its own: a fifth of a second's work, beside which a process costs nothing.
	apartSize = 1 << 20

	// apartVariable tells a process that it is such a one.
	apartVariable = "IMIP_AGENT_APART"

	// softMemory is how much memory such a process takes, in octets, before the garbage
	// collector works harder.
	softMemory = 200 << 20

	// keptOutput is how much is kept of what such a process writes to standard error.
	keptOutput = 256 << 10
)

// Apart has handle read the message that r has. A large one is handled by the same
// program in a process of its own, with the same words on its command line. That process
// may run out of memory, which Go's runtime does not survive and no mail system
// understands; here it is an error like any other.
func Apart(ctx context.Context, env Environment, r io.Reader, handle func(io.Reader) error) error {
	if env.Getenv(apartVariable) != "" {
		debug.SetMemoryLimit(softMemory)
		return handle(r)
	}
	var begin bytes.Buffer
	if n, err := io.CopyN(&begin, r, apartSize); n < apartSize {
		if err != io.EOF {
			return fmt.Errorf("read the message: %w", err)
		}
		return handle(&begin)
	}

	// If this thread ended, so would the process (prctl(2), PR_SET_PDEATHSIG).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	command.Args[0] = os.Args[0]
	command.Env = append(os.Environ(), apartVariable+"=1")
	command.Stdin = io.MultiReader(&begin, r)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = Grace
	output := &tail{most: keptOutput}
	command.Stderr = output
	err := command.Run()

	var exit *exec.ExitError
	switch {
	case err == nil:
	case command.Process == nil:
		return fmt.Errorf("start a process for a large message: %w", err)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &exit) && exit.ExitCode() == ExitTemporary:
		err = errReported
	default: // what the runtime has written is not for mail systems
		return fmt.Errorf("the process that handled the message ended by itself, as if out of memory: %w", err)
	}
	output.WriteTo(env.Stderr)
	return err
}

// errReported is an error that has been told to the mail system.
var errReported = errors.New("told already")

// tail keeps the last of what is written to it.
type tail struct {
	bytes.Buffer
	most int
}

func (t *tail) Write(p []byte) (int, error) {
	t.Buffer.Write(p)
	if t.Len() > 2*t.most {
		t.Next(t.Len() - t.most)
	}
	return len(p), nil
}
