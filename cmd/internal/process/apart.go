package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

const (
	// apartSize is the size of a message, in octets, from which on it is handled in a
	// process of its own: a fifth of a second's work, beside which a process costs nothing.
	apartSize = 1 << 20

	// apartVariable tells a process that it is such a one, and the number of the file from
	// which it learns that the message has come to its end.
	apartVariable = "IMIP_AGENT_APART"

	// softMemory is how much memory a process takes, in octets, before the garbage collector
	// works harder.
	softMemory = 200 << 20

	// keptOutput is how much is kept of what such a process writes to standard error.
	keptOutput = 256 << 10
)

// Apart has handle read the message that r has. A large one, or where memory is limited any,
// is handled by the same program in a process of its own, with the same words on its command
// line. That process may run out of memory, which Go's runtime does not survive and no mail
// system understands; here it is an error like any other.
func Apart(ctx context.Context, env Environment, r io.Reader, handle func(io.Reader) error) error {
	if word := env.Getenv(apartVariable); word != "" {
		number, err := strconv.Atoi(word)
		if err != nil {
			return fmt.Errorf("%s=%s is in the environment: only this program itself may set it", apartVariable, word)
		}
		confirmation := os.NewFile(uintptr(number), apartVariable)
		defer confirmation.Close()
		return handle(&confirmed{r, confirmation})
	}
	var begin bytes.Buffer
	size := int64(apartSize)
	if limited() {
		size = 1
	}
	if n, err := io.CopyN(&begin, r, size); n < size {
		if err != io.EOF {
			return fmt.Errorf("read the message: %w", err)
		}
		return handle(&begin)
	}

	theirs, ours, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start a process for the message: %w", err)
	}
	defer theirs.Close()
	defer ours.Close()

	// If this thread ended, so would the process (prctl(2), PR_SET_PDEATHSIG).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	command.Args[0] = os.Args[0]
	command.Env = append(os.Environ(), apartVariable+"=3") // the first after the standard ones
	command.ExtraFiles = []*os.File{theirs}
	command.Stdin = &confirming{io.MultiReader(&begin, r), ours}
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 3 * Grace // it has a grace period of its own, and gives back locks after it
	output := &tail{most: keptOutput}
	command.Stderr = output
	err = command.Run()

	var exit *exec.ExitError
	switch {
	case err == nil:
	case command.Process == nil:
		return fmt.Errorf("start a process for the message: %w", err)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &exit) && exit.ExitCode() == int(ExitTemporary):
		err = errReported
	default: // what the runtime has written is not for mail systems
		return fmt.Errorf("the process that handled the message ended, perhaps out of memory: %w", err)
	}
	output.WriteTo(env.Stderr)
	return err
}

// confirming is a message that tells when it has been read to its end.
type confirming struct {
	io.Reader
	to io.Writer
}

func (c *confirming) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		if _, err := c.to.Write([]byte{'.'}); err != nil {
			return n, err
		}
	}
	return n, err
}

// confirmed is a message in whose end nobody believes before it is confirmed: a pipe
// also ends when the process dies that writes to it.
type confirmed struct {
	io.Reader
	from io.Reader
}

func (c *confirmed) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		if _, err := io.ReadFull(c.from, make([]byte, 1)); err != nil {
			return n, fmt.Errorf("the message is incomplete, since the process that read it has ended: %w", io.ErrUnexpectedEOF)
		}
		c.from = alwaysConfirmed{}
	}
	return n, err
}

// alwaysConfirmed is what a message is that has been confirmed, however often its end is
// read.
type alwaysConfirmed struct{}

func (alwaysConfirmed) Read(p []byte) (int, error) { return len(p), nil }

// errReported is an error that has been told to the mail system.
var errReported = errors.New("reported already")

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
