package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/cmd/internal/site/database"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
)

// locker is a store that can tell who holds its locks. One in a database has no
// locks of its own.
type locker interface {
	Locks(context.Context) ([]file.LockInfo, error)
	BreakLock(user calendar.URI, force bool) error
}

// locksCommand shows the locks that programs hold on users' records, and breaks them.
func locksCommand(env process.Environment) *cli.Command {
	list := func(options *cli.Context) error {
		if options.NArg() > 0 {
			return usage("locks takes no word %.60q: list, or break USER", options.Args().First())
		}
		return withLocker(options, env, func(store locker) error {
			locks, err := store.Locks(options.Context)
			if err != nil {
				return err
			}
			return printLocks(env.Stdout, locks, env.Now())
		})
	}
	return &cli.Command{
		Name:      "locks",
		Usage:     "show the locks on users' records, or break one",
		UsageText: env.Program + " locks [list] [options]\n" + env.Program + " locks break [--force] USER [options]",
		Description: "A lock is stale if its holder has ended without removing it. Our own programs break\n" +
			"stale locks. The original's programs wait for ever.",
		Flags:  siteFlags(),
		Action: list,
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "show the locks, their age and their holders", Flags: siteFlags(), Action: list},
			{
				Name: "break", Usage: "remove a user's lock", ArgsUsage: "USER",
				Flags: append([]cli.Flag{
					&cli.BoolFlag{Name: "force", Usage: "even if its holder may be running; changes of the holder can then be lost", DisableDefaultText: true},
				}, siteFlags()...),
				Action: func(options *cli.Context) error { return breakLock(options, env) },
			},
		},
	}
}

func withLocker(options *cli.Context, env process.Environment, fn func(locker) error) error {
	s, err := site.Open(options, env, nil, database.Stores)
	if err != nil {
		return err
	}
	store, ok := s.Store.(locker)
	if !ok {
		err = errors.New("this store has no locks in files: look at pg_locks in the database")
	} else {
		err = fn(store)
	}
	return errors.Join(err, s.Close())
}

// breakLock removes a user's lock.
func breakLock(options *cli.Context, env process.Environment) error {
	if options.NArg() != 1 {
		return usage("locks break takes one word, the user: %s locks break mailto:paul@example.com", env.Program)
	}
	user := calendar.NewURI(options.Args().First())
	return withLocker(options, env, func(store locker) error {
		err := store.BreakLock(user, options.Bool("force"))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no lock on %q", string(user))
		}
		return err
	})
}

// printLocks writes a table of locks; nothing if there are none.
func printLocks(w io.Writer, locks []file.LockInfo, now time.Time) error {
	if len(locks) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "USER\tSINCE\tAGE\tSTATE\tHOLDER")
	for _, l := range locks {
		state := "held"
		if l.Stale {
			state = "stale"
		}
		fmt.Fprintf(table, "%s\t%s\t%v\t%s\t%s\n", l.User, l.Since.Format(time.DateTime),
			max(0, now.Sub(l.Since)).Round(time.Second), state, l.Holder())
	}
	return table.Flush()
}
