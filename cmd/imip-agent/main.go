// Imip-agent is the administrator's program for a site's calendar records: it
// checks and mends them, extends free/busy, shows and breaks locks, and shows
// users' calendars.
package main

import (
	"context"
	"os"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/site"
)

// commands lists what the program can do. Each command is one file.
func commands(env site.Environment) []*cli.Command {
	return []*cli.Command{
		freebusyCommand(env),
		checkCommand(env),
		locksCommand(env),
		migrateCommand(env),
		doctorCommand(env),
		setupCommand(env),
		showCommand(env),
	}
}

func main() {
	if err := site.CheckLimits(); err != nil {
		os.Exit(report(err, site.Process("imip-agent")))
	}
	ctx, stop := site.Watch(context.Background())
	defer stop()
	env := site.Process("imip-agent")
	os.Exit(run(ctx, os.Args[1:], env))
}
