package process_test

import (
	"errors"
	"fmt"
	"testing"

	"imip-agent/cmd/internal/process"
	"imip-agent/conf"
	"imip-agent/stores"
)

func TestCodeOf(t *testing.T) {
	usage := &process.ExitError{Code: process.ExitUsage, Err: errors.New("which command?")}
	for _, test := range []struct {
		name string
		err  error
		want process.ExitCode
	}{
		{"success", nil, process.ExitDone},
		{"an error with a code", fmt.Errorf("above it: %w", usage), process.ExitUsage},
		{"an error with a code that overrules its cause", &process.ExitError{Code: process.ExitFindings, Err: stores.ErrLocked}, process.ExitFindings},
		{"a panic below an error with a code", &process.ExitError{Code: process.ExitFindings, Err: &process.PanicError{Value: "oh"}}, process.ExitFailed},
		{"a configuration", fmt.Errorf("open: %w", &conf.Error{}), process.ExitConfig},
		{"a lock", fmt.Errorf("user: %w", stores.ErrLocked), process.ExitTemporary},
		{"a store that is away", errors.Join(errors.New("one"), stores.ErrAway), process.ExitTemporary},
		{"any other", errors.New("disk full"), process.ExitFailed},
	} {
		if got := process.CodeOf(test.err); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestExitError(t *testing.T) {
	said := &process.ExitError{Code: process.ExitFindings}
	if got := said.Error(); got != "exit status 4" {
		t.Errorf("an error that has been reported says %q", got)
	}
	if other := (&process.ExitError{Code: process.ExitUsage, Err: errors.New("which command?")}); other.Error() != "which command?" {
		t.Errorf("an error with a code says %q", other.Error())
	}
}
