// Imip-agent-serve goes on in the place of "imip-agent serve". What the service brings along, above all its metrics, takes a
// tenth of a start, which other commands of imip-agent do not have to wait for. Nobody else runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/programs"
	"imip-agent/cmd/internal/serve"
	"imip-agent/cmd/internal/serve/metrics"
	"imip-agent/cmd/internal/site"
	"imip-agent/cmd/internal/site/database"
)

func main() {
	// It goes on as a program that handles a large message.
	if program := programs.Of(os.Args); program != nil {
		process.Main(func(ctx context.Context) error {
			return program.Run(ctx, os.Args[1:], process.New(program.Name), database.Stores)
		})
	}
	env := process.New("imip-agent")
	if err := process.CheckLimits(); err != nil {
		os.Exit(int(process.Complain(err, env)))
	}
	ctx, stop := process.Watch(context.Background())
	defer stop()
	err := process.Run(ctx, serve.Grace, func(ctx context.Context) error { return run(ctx, os.Args[1:], env) })
	os.Exit(int(process.Complain(err, env)))
}

// run runs the service with the options of a command line.
func run(ctx context.Context, words []string, env process.Environment) error {
	line, err := site.Parse(words, help.Options)
	switch {
	case err != nil:
		return &process.ExitError{Code: process.ExitUsage, Err: err}
	case line.Bool("help"):
		_, err := help.WriteTo(env.Stdout)
		return err
	case line.Bool("version"):
		_, err := fmt.Fprintln(env.Stdout, process.Service, site.Version())
		return err
	case len(line.Left) > 0:
		return &process.ExitError{Code: process.ExitUsage, Err: fmt.Errorf("serve takes no word %.60q", line.Left[0])}
	}
	s, err := site.Open(line, env, nil, database.Stores)
	if err != nil {
		return err
	}
	return errors.Join(serve.Run(ctx, s, env, metrics.New(site.Version(), env.Now)), s.Close())
}

var help = site.Help{
	Program: process.Service,
	Summary: "the service of imip-agent serve",
	Usage:   process.Service + " [options]",
	Description: "The command \"imip-agent serve\" goes on as this program, which has what only\n" +
		"the service needs, with the same options. It must be in the same directory.",
	Options: append(site.Options(), site.Option{Name: "version", Usage: "print the version"}),
}
