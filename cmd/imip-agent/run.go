package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/conf"
	"imip-agent/stores"
)

// Exit statuses. 0, 1, 4 and 8 are those of e2fsck, which [checkCommand] needs all
// of; the others are those of sysexits.h.
const (
	exitDone     = 0
	exitMended   = 1  // something was wrong, and all of it was mended
	exitFindings = 4  // something is wrong
	exitFailed   = 8  // what was asked for could not be completed
	exitUsage    = 64 // EX_USAGE: the command line cannot be understood
	exitLocked   = 75 // EX_TEMPFAIL: a lock could not be had, or the store not be reached; try again later
	exitConfig   = 78 // EX_CONFIG: the configuration cannot be used
)

// exitError is an error that says with which status the program ends.
type exitError struct {
	status int
	err    error // nil: there is nothing more to be said
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage is an error of the command line.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// run runs the command that the words of the command line name, and returns the exit
// status. What went wrong is told on standard error.
func run(ctx context.Context, words []string, env process.Environment) int {
	app := &cli.App{
		Name:            env.Program,
		HelpName:        env.Program,
		Usage:           "check, mend and show a site's calendar records",
		UsageText:       env.Program + " COMMAND [options]",
		Version:         site.Version(),
		HideVersion:     true, // its own flag takes -v
		HideHelpCommand: true,
		// A comma in a user's URI belongs to it.
		DisableSliceFlagSeparator: true,
		Flags:                     []cli.Flag{&cli.BoolFlag{Name: "version", Usage: "print the version", DisableDefaultText: true}},
		Commands:                  commands(env),
		Writer:                    env.Stdout,
		ErrWriter:                 io.Discard, // what the library says there is said below as well
		// The library's own handling ends the process, or prints help.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   func(_ *cli.Context, err error, _ bool) error { return &exitError{exitUsage, err} },
		Action: func(options *cli.Context) error {
			if options.Bool("version") {
				_, err := fmt.Fprintln(env.Stdout, env.Program, site.Version())
				return err
			}
			if options.NArg() > 0 {
				return usage("there is no command %.60q: --help lists the commands", options.Args().First())
			}
			return usage("which command? --help lists the commands")
		},
	}
	for _, command := range app.Commands {
		finish(command)
	}
	words = optionsFirst(words, app)
	err := process.Run(ctx, process.Grace, func(ctx context.Context) error {
		return app.RunContext(ctx, append([]string{env.Program}, words...))
	})
	return report(err, env)
}

// finish sets what all commands and their subcommands have in common.
func finish(command *cli.Command) {
	command.HideHelpCommand = true
	command.OnUsageError = func(_ *cli.Context, err error, _ bool) error { return &exitError{exitUsage, err} }
	for _, sub := range command.Subcommands {
		finish(sub)
	}
}

// report tells what went wrong, and returns the exit status.
func report(err error, env process.Environment) int {
	var exit *exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit) && exit.err == nil:
		return exit.status
	}
	fmt.Fprintf(env.Stderr, "%s: %s\n", env.Program, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	var caught *process.PanicError
	var unusable *conf.Error
	switch {
	case errors.As(err, &caught):
		fmt.Fprintf(env.Stderr, "%s\n", caught.Stack)
		return exitFailed
	case exit != nil:
		return exit.status
	case errors.As(err, &unusable):
		return exitConfig
	case errors.Is(err, stores.ErrLocked), errors.Is(err, stores.ErrAway):
		return exitLocked
	}
	return exitFailed
}
