package process

import (
	"errors"
	"fmt"

	"imip-agent/conf"
	"imip-agent/stores"
)

// ExitCode is the status that a program ends with.
type ExitCode int

// The exit codes of all programs. Handlers end with ExitDone or ExitTemporary only, since mail
// systems understand both alike. 0, 1, 4 and 8 are those of e2fsck, for check; those from 64 on
// are those of sysexits.h.
const (
	ExitDone      ExitCode = 0
	ExitMended    ExitCode = 1  // something was wrong, and all of it was mended
	ExitPartly    ExitCode = 3  // done but for what is listed
	ExitFindings  ExitCode = 4  // something is wrong
	ExitFailed    ExitCode = 8  // what was asked for could not be completed
	ExitNoSource  ExitCode = 10 // there is nothing at the place that is copied from
	ExitUsage     ExitCode = 64 // EX_USAGE: the command line cannot be understood
	ExitNotEmpty  ExitCode = 73 // EX_CANTCREAT: the target has something else already
	ExitTemporary ExitCode = 75 // EX_TEMPFAIL: a lock is held, or the store is away; try again later
	ExitConfig    ExitCode = 78 // EX_CONFIG: the configuration cannot be used
)

// ExitError is an error that says with which code the program ends.
type ExitError struct {
	Code ExitCode
	Err  error // nil: all has been said already
}

func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Code)
	}
	return e.Err.Error()
}

func (e *ExitError) Unwrap() error { return e.Err }

// CodeOf returns the code with which an administrator's program ends because of an error.
func CodeOf(err error) ExitCode {
	var exit *ExitError
	var caught *PanicError
	var unusable *conf.Error
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &caught):
		return ExitFailed
	case errors.As(err, &exit):
		return exit.Code
	case errors.As(err, &unusable):
		return ExitConfig
	case errors.Is(err, stores.ErrLocked), errors.Is(err, stores.ErrAway):
		return ExitTemporary
	}
	return ExitFailed
}
