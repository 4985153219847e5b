package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/tools/migrate/calendars"
)

// exportCommand writes users' events for other calendar software.
func exportCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name: "export", Usage: "write users' events as calendar files", ArgsUsage: "FROM DIR|-",
		Description: "--to ics writes one calendar file for each user. --to vdir writes a directory for each\n" +
			"user, with one file for each event, for vdirsyncer and CalDAV servers.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "to", Usage: "the `FORMAT`: ics or vdir", Value: "ics"},
			&cli.StringSliceFlag{Name: "user", Usage: "export only this `USER`; can be given several times"},
			&cli.BoolFlag{Name: "no-invite", Usage: "mark attendees, so that servers do not invite them again", Value: true},
			toggle("overwrite", "replace calendar files that exist already"),
			toggle("delete", "delete the files of events and users that no longer exist"),
			readOnly("the store"),
			toggle("json", "report as JSON on standard output"),
			&cli.StringFlag{Name: "preferences", Usage: "the `DIR` of users' preferences, for the names of calendars"},
		}, migrateFlags()...),
		Action: func(options *cli.Context) error { return export(options, env) },
	}
}

func export(options *cli.Context, env process.Environment) (err error) {
	x := &calendars.Export{
		Form: options.String("to"), Out: env.Stdout, NoInvite: options.Bool("no-invite"),
		Overwrite: options.Bool("overwrite"), Delete: options.Bool("delete"), Now: env.Now(),
	}
	switch {
	case options.NArg() != 2:
		return usage("export takes two words, FROM and a directory: %s migrate export file:/var/lib/imip-agent/store --to vdir calendars", env.Program)
	case x.Form != "ics" && x.Form != "vdir":
		return usage("--to %.30q is not a format: use ics or vdir", x.Form)
	case options.Args().Get(1) != "-":
		x.Dir = options.Args().Get(1)
	case x.Form != "ics":
		return usage("a vdir is a directory: only --to ics can be written to standard output")
	case options.Bool("json"):
		return usage("--json and the calendar cannot both go to standard output: name a directory")
	}
	for _, user := range options.StringSlice("user") {
		x.Users = append(x.Users, calendar.NewURI(user))
	}
	p, err := parsePlace(options.Args().First())
	if err != nil {
		return err
	}
	s, err := openMigrateSite(options, env)
	if err != nil {
		return err
	}
	e := &ends{closers: []func() error{s.Close}}
	defer func() { err = errors.Join(err, e.close()) }()
	side, err := e.openSide(options.Context, p, placeOptions{"none", options.String("preferences")}, s, nil)
	if err != nil {
		return err
	}
	if side.Preferences != "" {
		x.Name = func(user calendar.URI) string { return commonName(side.Preferences, user) }
		s.Preferences.Path = side.Preferences
	}
	x.Zone = func(user calendar.URI) *time.Location {
		settings, err := s.Preferences.Load(user)
		if err != nil {
			return time.UTC
		}
		return settings.Zone
	}
	progress, finish := showCount(env.Stderr, "exporting users")
	x.Progress = progress
	done, err := x.Run(options.Context, side.Store)
	finish()
	report := env.Stdout
	if x.Dir == "" {
		report = env.Stderr
	}
	ending := migrateStatus(&done.Report, err)
	if options.Bool("json") {
		if err := writeJSON(env.Stdout, &done.Report, exportSummary(done, err, ending)); err != nil {
			return err
		}
	} else if err == nil || done.Users > 0 {
		fmt.Fprintf(report, "%d users: %d events exported\n", done.Users, done.Events)
		printIssues(report, &done.Report)
	}
	return ending
}

// commonName returns how a user wants to be called.
func commonName(preferences string, user calendar.URI) string {
	if stores.BadText(string(user)) != "" || strings.ContainsRune(string(user), '/') {
		return ""
	}
	name, err := os.ReadFile(filepath.Join(preferences, string(user), "CN"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}
