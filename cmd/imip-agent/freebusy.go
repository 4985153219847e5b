package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/cmd/internal/site/database"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/tools/freebusy"
	"imip-agent/tools/quotas"
)

// freebusyCommand works out users' free/busy, and keeps it up to date as time goes on.
func freebusyCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name:      "freebusy",
		Usage:     "update free/busy from the stored events",
		UsageText: env.Program + " freebusy [--user USER]... [--store] [--publish] [options]",
		Description: "Recurring events are recorded in free/busy up to the end of a window, which moves on\n" +
			"every day. Run this every night:\n" +
			"  " + env.Program + " freebusy --store --publish --journal\n" +
			"It reads the events that are listed as recurring beyond the window, and updates that\n" +
			"list. If there is no list yet, and with --reset, it reads all events.\n" +
			"Two kinds of records are kept because the events do not determine them: those of\n" +
			"users who must answer again, and those of events that are not stored.\n\n" +
			"Without --store and --publish nothing is changed. The resulting tables are printed,\n" +
			"with the columns start, end, UID, transparency, recurrence id, summary and\n" +
			"organizer. With several users, a line with the user comes before each table.\n\n" +
			"Exit status, the highest that applies: 0, done; 4, some events cannot be read, and\n" +
			"their records are kept (the command check says more); 8, free/busy of some users is\n" +
			"not updated; 64, wrong usage; 75, a lock was held too long, or the database is away,\n" +
			"try again later; 78, the configuration cannot be used.",
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Name: "user", Usage: "update only `USER`, a URI or mail address; can be given several times"},
			&cli.BoolFlag{Name: "reset", Usage: "read all events, not only those that recur beyond the window", DisableDefaultText: true},
			&cli.BoolFlag{Name: "include-needs-action", Usage: "record users as busy who have not answered yet", DisableDefaultText: true},
			&cli.BoolFlag{Name: "store", Usage: "store the result", DisableDefaultText: true},
			&cli.BoolFlag{Name: "publish", Usage: "publish the result, for users who share and publish their free/busy", DisableDefaultText: true},
			&cli.StringFlag{Name: "other", Usage: "update what the users know of the free/busy of `USER`, from all events, instead of their own"},
			toggle("journal", "also extend what is booked under the quotas of resources, in the journal"),
			readOnly("the store"),
		}, siteFlags()...),
		Action: func(options *cli.Context) error { return makeFreebusy(options, env) },
	}
}

func makeFreebusy(options *cli.Context, env process.Environment) (err error) {
	other := calendar.NewURI(options.String("other"))
	switch {
	case options.NArg() > 0:
		return usage("freebusy takes no word %.60q: name users by --user", options.Args().First())
	case options.IsSet("other") && other == "":
		return usage("option --other: no user is given")
	case options.Bool("read-only") && (options.Bool("store") || options.Bool("publish")):
		return usage("--read-only does not go together with --store and --publish, which write")
	case other != "" && options.Bool("publish"):
		return usage("option --publish: only users' own free/busy can be published, not with --other")
	}
	if options.Bool("journal") && (other != "" || options.IsSet("user")) {
		return usage("--journal goes with the free/busy of all users, not with --user or --other")
	}
	s, err := site.Open(options, env, nil, database.Stores)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	users, err := selectUsers(options, s.Store)
	if err != nil {
		return err
	}
	run := freebusyRun{
		out: env.Stdout, several: len(users) > 1, other: other,
		maker: &freebusy.Maker{
			Store: s.Store, Preferences: s.Preferences, Log: s.Log, Now: env.Now, PeriodLimit: s.Config.PeriodLimit,
			Reset: options.Bool("reset"), NeedsAction: options.Bool("include-needs-action"),
			Keep: options.Bool("store"), Publish: options.Bool("publish"), Other: other,
		},
		bar: newCounter(env.Stderr), users: len(users),
	}
	run.print = !run.maker.Keep && !run.maker.Publish
	atOnce := 2 * runtime.GOMAXPROCS(0) // most of the time is spent waiting for disks
	if run.print {
		atOnce = 1 // in order
	}
	all := func(yield func(calendar.URI, error) bool) {
		for _, user := range users {
			if !yield(user, nil) {
				return
			}
		}
	}
	failure := run.maker.Each(options.Context, all, atOnce, run.done)
	run.bar.clear()
	run.failures = append(run.failures, failure)
	if options.Bool("journal") && !errors.Is(failure, stores.ErrAway) && options.Context.Err() == nil {
		run.failures = append(run.failures, run.quotas(options.Context, s))
	}
	return worst(run.failures)
}

// quotas extends what is booked under quotas. One that fails does not stop the others.
func (r *freebusyRun) quotas(ctx context.Context, s *site.Site) error {
	journal, err := s.Journal()
	if errors.Is(err, site.ErrNoJournal) {
		return nil
	} else if err != nil {
		return err
	}
	names, err := quotas.All(ctx, journal)
	if err != nil {
		return fmt.Errorf("the journal of quotas: %w", err)
	}
	maker := &freebusy.Quotas{
		Journal: journal, Store: s.Store, Preferences: s.Preferences, Log: s.Log, Now: r.maker.Now,
		PeriodLimit: r.maker.PeriodLimit, Keep: r.maker.Keep,
	}
	var failures []error
	for _, name := range names {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		result, err := maker.Extend(ctx, name)
		if err != nil {
			failures = append(failures, fmt.Errorf("quota %q: %w", string(name), err))
			continue
		}
		for _, p := range result.Problems {
			failures = append(failures, &process.ExitError{Code: process.ExitFindings,
				Err: fmt.Errorf("quota %q: event %q %s is left as it is booked: %w", string(name), p.UID, p.RecurrenceID, p.Err)})
		}
		s.Log.Info("bookings extended", "quota", string(name), "until", result.Until, "inserted", result.Inserted, "noted", result.Noted)
		if !r.print {
			continue
		}
		for _, group := range result.Groups {
			fmt.Fprintf(r.out, "%s %s\n", name, group)
			_, err := result.Tables[group].WriteTo(r.out)
			if err == nil {
				_, err = fmt.Fprintln(r.out)
			}
			failures = append(failures, err)
		}
	}
	return worst(failures)
}

// worst joins errors into one that ends the program with the highest of their statuses;
// nil if all are.
func worst(errs []error) error {
	status := process.ExitDone
	for _, err := range errs {
		if err != nil {
			status = max(status, process.CodeOf(err))
		}
	}
	if status == process.ExitDone {
		return nil
	}
	return &process.ExitError{Code: status, Err: errors.Join(errs...)}
}

// namedUsers returns the users that --user names, each once.
func namedUsers(options *cli.Context) ([]calendar.URI, error) {
	var named []calendar.URI
	for _, word := range options.StringSlice("user") {
		uri := calendar.NewURI(word)
		switch reason := stores.BadText(string(uri)); {
		case uri == "":
			return nil, usage("option --user: no user is given")
		case reason != "":
			return nil, usage("option --user: %.60q is no user: %s", word, reason)
		case strings.Contains(string(uri), "/"):
			return nil, usage("option --user: %.60q is no user: there is a slash in it", word)
		case !slices.Contains(named, uri):
			named = append(named, uri)
		}
	}
	return named, nil
}

// selectUsers returns the users that --user names, who must be known, or all.
func selectUsers(options *cli.Context, store stores.Store) ([]calendar.URI, error) {
	named, err := namedUsers(options)
	if err != nil {
		return nil, err
	}
	var all []calendar.URI
	for user, err := range store.Users(options.Context) {
		if err != nil {
			return nil, err
		}
		all = append(all, user)
	}
	if len(named) == 0 {
		return all, nil
	}
	for _, uri := range named {
		if !slices.Contains(all, uri) {
			return nil, fmt.Errorf("there are no records of a user %q", string(uri))
		}
	}
	return named, nil
}

// freebusyRun tells of the results as they come.
type freebusyRun struct {
	out      io.Writer
	maker    *freebusy.Maker
	other    calendar.URI
	print    bool // the tables
	several  bool // of several users
	bar      *counter
	users    int // in all
	finished int
	failures []error
}

func (r *freebusyRun) done(result freebusy.Result) {
	r.finished++
	r.bar.show("users", r.finished, r.users)
	user := string(result.User)
	switch {
	case result.Err != nil:
		r.failures = append(r.failures, fmt.Errorf("free/busy of %q: %w", user, result.Err))
		return
	case result.Left != "":
		r.maker.Log.Info("free/busy is left as it is", "user", user, "reason", result.Left)
		return
	}
	for _, p := range result.Problems {
		r.failures = append(r.failures, &process.ExitError{Code: process.ExitFindings, Err: fmt.Errorf("free/busy of %q: event %q %s is left as it is recorded: %w", user, p.UID, p.RecurrenceID, p.Err)})
	}
	r.maker.Log.Info("free/busy worked out", "user", user, "until", result.Until, "anew", result.Rebuilt, "read", result.Read,
		"records", result.Table.Len(), "removed", result.Removed, "inserted", result.Inserted, "noted", result.Noted, "published", result.Published)
	if !r.print {
		return
	}
	if r.several {
		fmt.Fprintln(r.out, user)
	}
	_, err := result.Table.WriteTo(r.out)
	if err == nil && r.several {
		_, err = fmt.Fprintln(r.out)
	}
	if err != nil {
		r.failures = append(r.failures, fmt.Errorf("printing the free/busy of %q: %w", user, err))
	}
}
