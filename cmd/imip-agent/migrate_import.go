package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/handlers"
	"imip-agent/handlers/mail"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
	"imip-agent/tools/migrate/calendars"
)

// importCommand takes calendar files into a user's records.
func importCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name: "import", Usage: "import calendar files into a user's records", ArgsUsage: "FROM TO",
		Description: "FROM is an .ics file, or a directory with .ics files or vdirs. Their events are handled as if the\n" +
			"user had published them. Nothing is sent to anybody.\n\n" +
			"If the user shares and publishes free/busy, it is published too: in PUBLISH_DIR, or in the\n" +
			"directory that --publish-dir names. For a trial with another store than the site's, use\n" +
			"--publish-dir none. Then published free/busy does not change.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "user", Usage: "the `USER` who gets the events, a mail address"},
			toggle("json", "report as JSON on standard output"),
			&cli.StringFlag{Name: "preferences", Usage: "the `DIR` of users' preferences, instead of the configured one"},
			&cli.StringFlag{Name: "publish-dir", Usage: "the `DIR` of published free/busy, instead of PUBLISH_DIR; none: nothing is published"},
		}, migrateFlags()...),
		Action: func(options *cli.Context) error { return importCalendars(options, env) },
	}
}

func importCalendars(options *cli.Context, env process.Environment) (err error) {
	if options.NArg() != 2 {
		return usage("import takes two words, FROM and TO: %s migrate import calendar.ics file:/var/lib/imip-agent/store --user paul@example.com", env.Program)
	}
	if !options.IsSet("user") {
		return usage("whose calendar is it? use --user ADDRESS")
	}
	user := calendar.NewURI(options.String("user"))
	if !canSend(user) {
		return usage("--user %.60q is not a mail address like paul@example.com", options.String("user"))
	}
	p, err := parsePlace(options.Args().Get(1))
	if err != nil {
		return err
	}
	s, err := openMigrateSite(options, env)
	if err != nil {
		return err
	}
	e := &ends{closers: []func() error{s.Close}}
	defer func() { err = errors.Join(err, e.close()) }()
	if s.publishes = options.String("publish-dir") != "none"; s.publishes && s.Config.PublishDir == "" {
		return usage("there is no directory for published free/busy: set PUBLISH_DIR, or use --publish-dir DIR, or none")
	}
	side, err := e.openSide(options.Context, p, placeOptions{journal: "none"}, s, nil)
	if err != nil {
		return err
	}
	if user, err = side.Store.Named(options.Context, user); err != nil {
		return err
	}
	if dir := options.String("preferences"); dir != "" {
		s.Preferences.Path = dir
	} else if isDir(side.Preferences) { // else they are the site's
		s.Preferences.Path = side.Preferences
	}
	progress, finish := showCount(env.Stderr, "importing events")
	m := &calendars.Import{User: user, Log: s.Log, Progress: progress, Pipeline: &handlers.Pipeline{
		Store: side.Store, Preferences: publishing{s.Preferences, s.publishes}, Rejected: s.Rejected,
		// There is no calendar system that sends for users: who the user is has been said.
		Sender: "", Log: s.Log, Now: env.Now, PeriodLimit: s.Config.PeriodLimit,
	}}
	done, err := m.Run(options.Context, options.Args().First())
	finish()
	ending := migrateStatus(&done.Report, err)
	if options.Bool("json") {
		if err := writeJSON(env.Stdout, &done.Report, importSummary(done, err, ending)); err != nil {
			return err
		}
	} else if err == nil || done.Files > 0 {
		fmt.Fprintf(env.Stdout, "%d files: %d events imported for %s\n", done.Files, done.Events, user)
		printIssues(env.Stdout, &done.Report)
	}
	return ending
}

// canSend reports whether a user is a mail address by which they, and nobody else, are known
// as the sender of a message.
func canSend(user calendar.URI) bool {
	address := user.Address()
	at := strings.LastIndexByte(address, '@')
	if strings.ContainsFunc(address, stores.IsControl) || at == 0 || at == len(address)-1 {
		return false
	}
	if at > 0 && address[0] != '"' && strings.Contains(address[:at], "@") {
		return false
	}
	message, err := mail.Read(strings.NewReader("From: <"+address+">\r\n\r\n"), 0, nil)
	return err == nil && len(message.From) == 1 && calendar.NewURI(message.From[0]) == user
}

// publishing is where preferences are found, whose users publish their free/busy only if that is
// wanted.
type publishing struct {
	preferences.Source
	wanted bool
}

func (p publishing) Load(user calendar.URI) (preferences.Preferences, error) {
	settings, err := p.Source.Load(user)
	if !p.wanted {
		settings.Publishing = false
	}
	return settings, err
}
