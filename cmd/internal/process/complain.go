package process

import (
	"errors"
	"fmt"
	"strings"
)

// Complain reports on standard error what went wrong with a program that people run, and returns its exit code.
func Complain(err error, env Environment) ExitCode {
	var exit *ExitError
	if err == nil || errors.As(err, &exit) && exit.Err == nil {
		return CodeOf(err)
	}
	fmt.Fprintf(env.Stderr, "%s: %s\n", env.Program, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	var caught *PanicError
	if errors.As(err, &caught) {
		fmt.Fprintf(env.Stderr, "%s\n", caught.Stack)
	}
	return CodeOf(err)
}
