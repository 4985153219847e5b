package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/cmd/internal/site/database"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/postgresql"
	"imip-agent/tools/migrate/copy"
)

// migrateCommand moves records between places and forms.
func migrateCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name:  "migrate",
		Usage: "move calendar records between places, stores and other programs",
		Description: "A place is file:DIR or postgresql:CONNINFO. DIR is either a directory \"store\", with the\n" +
			"journal and the preferences beside it, or a directory with all three in it.\n\n" +
			"Exit status: 0, done; 3, done except for what is listed; 8, failed; 10, the source is\n" +
			"missing; 64, wrong usage; 73, the target has different data already; 75, a lock was held\n" +
			"too long, or the database is away, try again later; 78, the configuration cannot be\n" +
			"used.\n\n" + migrateFormat,
		Subcommands: []*cli.Command{
			copyCommand(env),
			schemaCommand(env),
			upgradeCommand(env),
			exportCommand(env),
			importCommand(env),
		},
		Action: func(options *cli.Context) error {
			if options.NArg() > 0 {
				return usage("migrate does not know %.60q: --help lists what it can do", options.Args().First())
			}
			return usage("migrate what? --help lists what it can do")
		},
	}
}

// migrateFlags are the options of all of migrate's commands, without those that say
// where the site's own records are, which are named by words here.
func migrateFlags() []cli.Flag {
	return slices.DeleteFunc(siteFlags(), func(f cli.Flag) bool {
		return strings.HasSuffix(f.Names()[0], "-dir") || f.Names()[0] == "store-type"
	})
}

func toggle(name, usage string) cli.Flag {
	return &cli.BoolFlag{Name: name, Usage: usage, DisableDefaultText: true}
}

// readOnly is the option for what nobody changes.
func readOnly(what string) cli.Flag {
	return toggle("read-only", "read "+what+" without locks, for snapshots and read-only file systems;\n"+
		"if programs change it meanwhile, the result can mix old and new")
}

func copyCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name: "copy", Usage: "copy users' records to another place", ArgsUsage: "FROM TO",
		Description: "Run it again to copy what has changed in the source since. Changes in the target are\n" +
			"kept. Programs may use both sides meanwhile. Mails that wait in users' outboxes go along.\n" +
			"They also stay in the source: copy again when no more mail gets there, and what it has\n" +
			"sent since is not sent from the target.",
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Name: "user", Usage: "copy only this `USER`; can be given several times"},
			toggle("dry-run", "show what would be done, and change nothing"),
			toggle("resume", "continue an interrupted copy"),
			toggle("verify", "read both sides again and compare them"),
			toggle("overwrite", "replace what is different in the target"),
			toggle("delete", "delete what is missing in the source"),
			toggle("force-delete", "with --delete, even if that removes everything of a user"),
			readOnly("the source"),
			toggle("json", "report as JSON on standard output"),
			&cli.StringFlag{Name: "from-journal", Usage: "the `PLACE` of the source's journal, or none"},
			&cli.StringFlag{Name: "to-journal", Usage: "the `PLACE` of the target's journal, or none"},
			&cli.StringFlag{Name: "from-preferences", Usage: "the `DIR` of the source's preferences, or none"},
			&cli.StringFlag{Name: "to-preferences", Usage: "the `DIR` of the target's preferences, or none"},
		}, migrateFlags()...),
		Action: func(options *cli.Context) error { return copyRecords(options, env) },
	}
}

// openMigrateSite reads the configuration for its modes, locks and log. Its store is not
// touched.
func openMigrateSite(options *cli.Context, env process.Environment) (*migrateSite, error) {
	s, err := site.Open(options, env, nil, database.Stores)
	if err != nil {
		return nil, err
	}
	return &migrateSite{Site: s, env: env}, nil
}

func copyRecords(options *cli.Context, env process.Environment) (err error) {
	if options.NArg() != 2 {
		return usage("copy takes two words, FROM and TO: %s migrate copy file:/var/lib/imip-agent/store \"postgresql:dbname=imip_agent\"", env.Program)
	}
	if options.Bool("force-delete") && !options.Bool("delete") {
		return usage("--force-delete means nothing without --delete")
	}
	from, err := parsePlace(options.Args().Get(0))
	if err != nil {
		return err
	}
	to, err := parsePlace(options.Args().Get(1))
	if err != nil {
		return err
	}
	s, err := openMigrateSite(options, env)
	if err != nil {
		return err
	}
	e := &ends{closers: []func() error{s.Close}}
	defer func() {
		if closeErr := e.close(); err == nil {
			err = closeErr
		}
	}()
	ctx := options.Context
	if e.from, err = e.openSide(ctx, from, placeOptions{options.String("from-journal"), options.String("from-preferences")}, s, nil); err != nil {
		return err
	}
	if e.to, err = e.openSide(ctx, to, placeOptions{options.String("to-journal"), options.String("to-preferences")}, s, &from); err != nil {
		return err
	}
	if err := checkApart(ctx, e.from, e.to); err != nil {
		return err
	}
	if err := checkRoom(e.from, e.to); err != nil {
		return err
	}
	if to.kind == "file" { // with a database the preferences stay where they are
		tellPlaceless(options, env.Stderr, e.from, e.to)
	}
	if err := checkTables(options, e.to); err != nil {
		return migrateStatus(nil, err)
	}
	o := copy.Options{
		DryRun: options.Bool("dry-run"), Resume: options.Bool("resume"), Verify: options.Bool("verify"),
		Overwrite: options.Bool("overwrite"), Delete: options.Bool("delete"), ForceDelete: options.Bool("force-delete"),
		Log: s.Log, Now: env.Now,
	}
	for _, user := range options.StringSlice("user") {
		o.Users = append(o.Users, calendar.NewURI(user))
	}
	var done func()
	o.Progress, done = showProgress(env.Stderr)
	result, err := copy.Run(ctx, e.from, e.to, o)
	done()
	ending := migrateStatus(&result.Report, err)
	if options.Bool("json") {
		if err := writeJSON(env.Stdout, &result.Report, copySummary(result, err, ending)); err != nil {
			return err
		}
	} else if err == nil || result.Users > 0 {
		printResult(env.Stdout, result, o)
	}
	return ending
}

// checkRoom fails if what was named of the source has no place in the target.
func checkRoom(from, to *copy.Side) error {
	if from.JournalNamed && from.Journal != nil && to.Journal == nil {
		return usage("the target has no place for the journal: use --to-journal PLACE")
	}
	if from.PreferencesNamed && from.Preferences != "" && to.Preferences == "" {
		return usage("the target has no place for the preferences: use --to-preferences DIR")
	}
	return nil
}

// tellPlaceless tells what is beside the source's store and is left out, because the target has no
// place for it and nobody has said so.
func tellPlaceless(options *cli.Context, w io.Writer, from, to *copy.Side) {
	journal, ok := from.Journal.(*file.Journal)
	if ok && to.Journal == nil && !options.IsSet("to-journal") && isDir(journal.Dir()) {
		fmt.Fprintln(w, "the journal is not copied, since the target has no place for it: use --to-journal PLACE, or none")
	}
	if isDir(from.Preferences) && to.Preferences == "" && !options.IsSet("to-preferences") {
		fmt.Fprintln(w, "the preferences are not copied, since the target has no place for them: use --to-preferences DIR, or none")
	}
}

// checkTables fails if a database lacks tables to copy into.
func checkTables(options *cli.Context, to *copy.Side) error {
	for _, kept := range []any{to.Store, to.Journal} {
		database, ok := kept.(interface {
			Schema(context.Context) ([]postgresql.Missing, error)
		})
		if !ok {
			continue
		}
		missing, err := database.Schema(options.Context)
		if err != nil {
			return err
		}
		for _, m := range missing {
			if m.Index == "" {
				return fmt.Errorf("%s: %w", m, errNoTables)
			}
		}
	}
	return nil
}

// showProgress shows how far a copy has come, if that is a terminal. done ends it.
func showProgress(w io.Writer) (progress func(copy.Progress), done func()) {
	c := newCounter(w)
	return func(p copy.Progress) {
		what := "copying"
		if p.Verifying {
			what = "comparing"
		}
		c.show(what, p.Done, p.Total)
	}, c.clear
}
