package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/stores/calendar/printable"
	"imip-agent/stores/file"
	"imip-agent/tools/migrate/upgrade"
)

// upgradeCommand brings the layouts of earlier releases up to date.
func upgradeCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name: "upgrade", Usage: "update the files of imip-agent 0.1 and 0.2, in place", ArgsUsage: "DIR",
		Description: "The old files are kept in the directory DIR.before-upgrade.",
		Flags: append([]cli.Flag{
			toggle("dry-run", "list old files, and change nothing"),
			toggle("json", "report as JSON on standard output"),
			&cli.StringFlag{Name: "journal", Usage: "the `DIR` of the journal, if it is not beside the store"},
		}, migrateFlags()...),
		Action: func(options *cli.Context) error { return upgradePlace(options, env) },
	}
}

func upgradePlace(options *cli.Context, env process.Environment) (err error) {
	if options.NArg() != 1 {
		return usage("upgrade takes one word, the store's directory: %s migrate upgrade /var/lib/imip-agent/store", env.Program)
	}
	dir, err := filepath.Abs(options.Args().First())
	if err != nil {
		return err
	}
	s, err := openMigrateSite(options, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r := place{"file", dir}.roomsOf()
	if options.IsSet("journal") {
		r.journal = options.String("journal")
	}
	old := upgrade.Old{JournalDir: r.journal, Aside: filepath.Clean(dir) + ".before-upgrade", DryRun: options.Bool("dry-run")}
	if old.Store, err = file.Open(s.filling(r.store, false)); err != nil {
		return err
	}
	if r.journal != "" {
		if old.Journal, err = file.OpenJournal(s.filling(r.journal, false)); err != nil {
			return err
		}
	}
	progress, finish := showCount(env.Stderr, "upgrading users")
	old.Progress = progress
	u, err := upgrade.Run(options.Context, old)
	finish()
	if options.Bool("json") {
		ending := upgradeStatus(u, err)
		if err := writeJSON(env.Stdout, &u.Report, upgradeSummary(u, err, ending)); err != nil {
			return err
		}
		return ending
	}
	verb := "upgraded"
	if old.DryRun {
		verb = "old"
	}
	for _, path := range u.Tables {
		fmt.Fprintf(env.Stdout, "%s: %s\n", verb, printable.Text(path))
	}
	for _, line := range u.Lost {
		fmt.Fprintf(env.Stdout, "cannot be read, and is kept in the old file only: %s\n", printable.Text(line))
	}
	printIssues(env.Stdout, &u.Report)
	if len(u.Kept) > 0 {
		fmt.Fprintf(env.Stdout, "%d old files are kept in %s\n", len(u.Kept), old.Aside)
	}
	return upgradeStatus(u, err)
}

func upgradeStatus(u *upgrade.Result, err error) error {
	if err := migrateStatus(&u.Report, err); err != nil {
		return err
	}
	if len(u.Lost) > 0 {
		return &process.ExitError{Code: process.ExitPartly}
	}
	return nil
}
