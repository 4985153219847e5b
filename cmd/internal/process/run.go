// Package process is how programs live beside mail systems and in front of people: what
// they get from the process that they run in, signals, deadlines and panics, a process of
// its own for a large message, limits, and the status that they end with.
package process

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"imip-agent/cmd/internal/process/stack"
	"imip-agent/stores/file"
)

// Grace is how long work may go on after it should have stopped. Whoever asked it
// to stop soon kills it.
const Grace = time.Second

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
		stack.Grow()
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
		return fmt.Errorf("abandoned: %w", context.Cause(ctx))
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
