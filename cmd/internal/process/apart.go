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
	"strings"
	"syscall"
)

const (
	// apartSize is the size of a message, in octets, from which on it is handled in a
	// process of its own: a fifth of a second's work, beside which a process costs nothing.
	apartSize = 1 << 20

	// firstRead is how much of a message is read at once, in octets: most invitations as a whole.
	firstRead = 16 << 10

	// apartVariable tells a process that it is such a one, and the number of the file from
	// which it learns that the message has come to its end.
	apartVariable = "IMIP_AGENT_APART"

	// answerVariable tells it the number of the file to which [Answer] writes, if somebody reads that.
	answerVariable = "IMIP_AGENT_ANSWER"

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
	begin := bytes.NewBuffer(make([]byte, 0, firstRead))
	size := int64(apartSize)
	if limited() {
		size = 1
	}
	if n, err := io.CopyN(begin, r, size); n < size {
		if err != io.EOF {
			return fmt.Errorf("read the message: %w", err)
		}
		return handle(begin)
	}

	output := &tail{most: keptOutput}
	err := start(ctx, os.Args, io.MultiReader(begin, r), output, nil)
	if err == nil || errors.Is(err, errReported) {
		output.WriteTo(env.Stderr)
	}
	return err
}

// Child has a message that r has handled by the program of that name, with the words on its command line, in a process of
// its own; this program goes on as that one there. See Apart for why. What the program says of what it does goes to standard
// error. It returns what the program has answered beside that (see [Answer]), and why the message must be tried again.
func Child(ctx context.Context, env Environment, program string, words []string, r io.Reader) (answer []byte, err error) {
	output := &tail{most: keptOutput}
	var answered bytes.Buffer
	err = start(ctx, append([]string{program}, words...), r, output, &answered)
	log, reason, found := strings.Cut(output.String(), reportBegin)
	if !found || !errors.Is(err, errReported) {
		log += reason
	} else {
		err = errors.New(strings.TrimSpace(reason))
	}
	_, _ = io.WriteString(env.Stderr, log)
	return answered.Bytes(), err
}

// IsChild reports whether another program has started this one by [Child].
func IsChild(env Environment) bool { return env.Getenv(answerVariable) != "" }

// Answer tells the program that has started this one by [Child] more than that a message must be tried again. Nobody else
// is told anything.
func Answer(env Environment, answer []byte) error {
	word := env.Getenv(answerVariable)
	if word == "" {
		return nil
	}
	number, err := strconv.Atoi(word)
	if err != nil {
		return fmt.Errorf("%s=%s is in the environment: only this program itself may set it", answerVariable, word)
	}
	file := os.NewFile(uintptr(number), answerVariable)
	_, err = file.Write(answer)
	return errors.Join(err, file.Close())
}

// mostAnswer is how many octets of an answer count.
const mostAnswer = 64 << 10

// start starts this program again with the words, and has it read r. Its standard error goes to output, and what it answers
// to answer, if that is not nil. The error is [errReported] if the program has said what is wrong.
func start(ctx context.Context, words []string, r io.Reader, output io.Writer, answer *bytes.Buffer) error {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start a process for the message: %w", err)
	}
	defer theirs.Close()
	defer ours.Close()

	// If this thread ended, so would the process (prctl(2), PR_SET_PDEATHSIG).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command := exec.CommandContext(ctx, "/proc/self/exe", words[1:]...)
	command.Args[0] = words[0]
	command.Env = append(os.Environ(), apartVariable+"=3") // the first after the standard ones
	command.ExtraFiles = []*os.File{theirs}
	command.Stdin = &confirming{r, ours}
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 3 * Grace // it has a grace period of its own, and gives back locks after it
	command.Stderr = output
	read := func() {}
	if answer != nil {
		from, to, err := os.Pipe()
		if err != nil {
			return fmt.Errorf("start a process for the message: %w", err)
		}
		defer from.Close()
		command.ExtraFiles = append(command.ExtraFiles, to)
		command.Env = append(command.Env, answerVariable+"=4")
		read = func() {
			to.Close() // only the process has it now
			_, _ = io.Copy(answer, io.LimitReader(from, mostAnswer))
		}
	}
	if err = command.Start(); err == nil {
		read() // until it ends
		err = command.Wait()
	}

	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case command.Process == nil:
		read()
		return fmt.Errorf("start a process for the message: %w", err)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &exit) && exit.ExitCode() == int(ExitTemporary):
		return errReported
	}
	// What the runtime has written is not for mail systems.
	return fmt.Errorf("the process that handled the message ended, perhaps out of memory: %w", err)
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
