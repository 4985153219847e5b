// Imip-agent is the administrator's program for a site's calendar records: it
// checks and mends them, extends free/busy, shows and breaks locks, keeps the quotas of
// resources, and shows users' calendars.
package main

import (
	"context"
	"os"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/programs"
	"imip-agent/cmd/internal/site/database"
)

// commands lists what the program can do. Each command is one file.
func commands(env process.Environment) []*cli.Command {
	return []*cli.Command{
		freebusyCommand(env),
		checkCommand(env),
		locksCommand(env),
		outboxCommand(env),
		queueCommand(env),
		quotaCommand(env),
		resourceCommand(env),
		serveCommand(env),
		filterCommand(env),
		migrateCommand(env),
		doctorCommand(env),
		setupCommand(env),
		showCommand(env),
	}
}

func main() {
	// "queue retry" goes on as a program that handles a large message.
	if program := programs.Of(os.Args); program != nil {
		process.Main(func(ctx context.Context) error {
			return program.Run(ctx, os.Args[1:], process.New(program.Name), database.Stores)
		})
	}
	if err := process.CheckLimits(); err != nil {
		os.Exit(int(process.Complain(err, process.New("imip-agent"))))
	}
	ctx, stop := process.Watch(context.Background())
	defer stop()
	env := process.New("imip-agent")
	os.Exit(int(run(ctx, os.Args[1:], env)))
}
