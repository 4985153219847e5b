package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/serve"
	"imip-agent/cmd/internal/site"
)

// usage is an error of the command line.
func usage(format string, args ...any) error {
	return &process.ExitError{Code: process.ExitUsage, Err: fmt.Errorf(format, args...)}
}

// run runs the command that the words of the command line name, and returns the exit
// code. What went wrong is reported on standard error.
func run(ctx context.Context, words []string, env process.Environment) process.ExitCode {
	app := &cli.App{
		Name:            env.Program,
		HelpName:        env.Program,
		Usage:           "check, repair and show a site's calendar records",
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
		OnUsageError: func(_ *cli.Context, err error, _ bool) error {
			return &process.ExitError{Code: process.ExitUsage, Err: err}
		},
		Action: func(options *cli.Context) error {
			if options.Bool("version") {
				_, err := fmt.Fprintln(env.Stdout, env.Program, site.Version())
				return err
			}
			if options.NArg() > 0 {
				return usage("unknown command %.60q: --help lists the commands", options.Args().First())
			}
			return usage("which command? --help lists the commands")
		},
	}
	for _, command := range app.Commands {
		finish(command)
	}
	words = optionsFirst(words, app)
	grace := process.Grace
	if len(words) > 0 && words[0] == serveName {
		grace = serve.Grace
	}
	err := process.Run(ctx, grace, func(ctx context.Context) error {
		return app.RunContext(ctx, append([]string{env.Program}, words...))
	})
	return report(err, env)
}

// finish sets what all commands and their subcommands have in common.
func finish(command *cli.Command) {
	command.HideHelpCommand = true
	command.OnUsageError = func(_ *cli.Context, err error, _ bool) error {
		return &process.ExitError{Code: process.ExitUsage, Err: err}
	}
	for _, sub := range command.Subcommands {
		finish(sub)
	}
}

// report reports what went wrong, and returns the exit code.
func report(err error, env process.Environment) process.ExitCode {
	var exit *process.ExitError
	if err == nil || errors.As(err, &exit) && exit.Err == nil {
		return process.CodeOf(err)
	}
	fmt.Fprintf(env.Stderr, "%s: %s\n", env.Program, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	var caught *process.PanicError
	if errors.As(err, &caught) {
		fmt.Fprintf(env.Stderr, "%s\n", caught.Stack)
	}
	return process.CodeOf(err)
}
