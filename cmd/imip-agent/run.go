package main

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
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
	err := process.Run(lasting(ctx, words), process.Grace, func(ctx context.Context) error {
		return app.RunContext(ctx, append([]string{env.Program}, words...))
	})
	return process.Complain(err, env)
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
