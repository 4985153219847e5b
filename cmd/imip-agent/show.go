package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/cmd/internal/site/database"
	"imip-agent/handlers/agenda"
	"imip-agent/handlers/agenda/draw"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// showCommand shows a user's calendar.
func showCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name:  "show",
		Usage: "show a user's calendar",
		UsageText: env.Program + " show [--from DATE] [--to DATE] [--html FILE | --svg FILE] [options] USER\n" +
			env.Program + " show --requests [--html FILE | --json] [options] USER",
		Description: "USER is a URI or mail address. A DATE is written 2026-12-31. Without dates, this week\n" +
			"and the next are shown. With only one date, the two weeks from or up to it are shown.\n" +
			"The calendar is an agenda for the terminal, or its weeks as a page or a picture. A page\n" +
			"loads nothing from elsewhere. Events that the user has declined are not shown.\n\n" +
			"With --requests, everything that waits for the user's answer is shown instead, on\n" +
			"whatever day it is, oldest first: invitations and counter-proposals, who makes them,\n" +
			"when the event takes place, the times that are proposed, and since when it waits, by\n" +
			"the date in the message. With --json, each is a line with an object: uid, recurrence\n" +
			"(of an occurrence), type (invitation or counter), stored (whether the event is), since,\n" +
			"summary, location, organizer, start, end, recurs, and proposals with by, name, since,\n" +
			"start and end. Whole days are dates, and end is the last one. Members without a value\n" +
			"are left out.\n\n" +
			"Exit status: 0, done; 4, some events cannot be read, and are listed; 8, failed; 64,\n" +
			"wrong usage; 75, the user's lock was held too long, or the database is away, try again\n" +
			"later; 78, the configuration cannot be used.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "from", Usage: "the first day, a `DATE`"},
			&cli.StringFlag{Name: "to", Usage: "the last day, a `DATE`"},
			&cli.StringFlag{Name: "html", Usage: "write a page to `FILE`; - is standard output"},
			&cli.BoolFlag{Name: "requests", Usage: "show what waits for the user's answer, oldest first", DisableDefaultText: true},
			&cli.BoolFlag{Name: "json", Usage: "with --requests, write JSON, one object on each line", DisableDefaultText: true},
			&cli.StringFlag{Name: "svg", Usage: "write a picture to `FILE`; - is standard output"},
			readOnly("the store"),
		}, siteFlags()...),
		Action: func(options *cli.Context) error { return showCalendar(options, env) },
	}
}

func showCalendar(options *cli.Context, env process.Environment) (err error) {
	user := calendar.NewURI(options.Args().First())
	switch {
	case options.NArg() != 1 || user == "":
		return usage("show takes one word, the user: %s show paul@example.com", env.Program)
	case options.IsSet("html") && options.IsSet("svg"):
		return usage("--html and --svg do not go together")
	case options.Bool("json") && !options.Bool("requests"):
		return usage("--json goes with --requests only")
	case options.Bool("json") && options.IsSet("html"):
		return usage("--html and --json do not go together")
	}
	for _, option := range []string{"from", "to", "svg"} {
		if options.Bool("requests") && options.IsSet(option) {
			return usage("--requests and --%s do not go together", option)
		}
	}
	days, err := daysOf(options)
	if err != nil {
		return err
	}
	s, err := site.Open(options, env, nil, database.Stores)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := checkKnown(options, s.Store, user); err != nil {
		return err
	}
	settings, err := s.Preferences.Load(user)
	if err != nil {
		return err
	}
	now := env.Now()
	var c *agenda.Calendar
	err = s.Store.View(options.Context, user, func(tx stores.Tx) (err error) {
		if options.Bool("requests") {
			c, err = agenda.Requests(options.Context, tx, settings, now)
		} else {
			c, err = agenda.Collect(options.Context, tx, settings, days.around(now.In(settings.Zone)), now)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := writeCalendar(options, env, c); err != nil {
		return err
	}
	var problems []error
	for _, p := range c.Problems {
		problems = append(problems, &process.ExitError{Code: process.ExitFindings, Err: fmt.Errorf("event %q %s cannot be shown: %w", p.UID, p.RecurrenceID, p.Err)})
	}
	return worst(problems)
}

// checkKnown fails if there are no records of a user.
func checkKnown(options *cli.Context, store stores.Store, user calendar.URI) error {
	for known, err := range store.Users(options.Context) {
		if err != nil || known == user {
			return err
		}
	}
	return fmt.Errorf("there are no records of a user %q", string(user))
}

// givenDays are the days that the options give, zero if they do not.
type givenDays agenda.Days

func daysOf(options *cli.Context) (givenDays, error) {
	var days givenDays
	for option, day := range map[string]*time.Time{"from": &days.First, "to": &days.Last} {
		if !options.IsSet(option) {
			continue
		}
		var err error
		if *day, err = time.Parse(time.DateOnly, options.String(option)); err != nil {
			return days, usage("option --%s: %.60q is not a date like 2026-12-31", option, options.String(option))
		}
	}
	if both := !days.First.IsZero() && !days.Last.IsZero(); both && days.Last.Before(days.First) {
		return days, usage("option --to: %s is before %s", options.String("to"), options.String("from"))
	}
	if days.Last.Sub(days.First) > maxShown && !days.First.IsZero() {
		return days, usage("--from and --to: at most %d days can be shown", maxShown/(24*time.Hour))
	}
	return days, nil
}

// maxShown is the longest time that is shown.
const maxShown = 1000 * 24 * time.Hour

// around returns the days to be shown now.
func (d givenDays) around(now time.Time) agenda.Days {
	const fortnight = 13
	switch days := agenda.Days(d); {
	case d.First.IsZero() && d.Last.IsZero():
		first := agenda.Week(now)
		return agenda.Days{First: first, Last: first.AddDate(0, 0, fortnight)}
	case d.First.IsZero():
		return agenda.Days{First: d.Last.AddDate(0, 0, -fortnight), Last: d.Last}
	case d.Last.IsZero():
		return agenda.Days{First: d.First, Last: d.First.AddDate(0, 0, fortnight)}
	default:
		return days
	}
}

// writeCalendar writes the calendar where and as the options want it.
func writeCalendar(options *cli.Context, env process.Environment, c *agenda.Calendar) error {
	page, text := draw.HTML, draw.Text
	if options.Bool("requests") {
		page, text = draw.RequestsHTML, draw.RequestsText
	}
	if options.Bool("json") {
		return draw.RequestsJSON(env.Stdout, c)
	}
	for option, write := range map[string]func(io.Writer, *agenda.Calendar) error{"html": page, "svg": draw.SVG} {
		switch file := options.String(option); {
		case !options.IsSet(option):
		case file == "-":
			return write(env.Stdout, c)
		default:
			return writeFile(file, func(w io.Writer) error { return write(w, c) })
		}
	}
	return text(env.Stdout, c, terminalStyle(env))
}

// writeFile writes a file, and leaves none behind that is not whole. A calendar is nobody
// else's business: a new file can be read by its owner only.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Close())
	if err != nil {
		os.Remove(name)
	}
	return err
}

// terminalStyle fits an agenda to standard output: in colours, unless NO_COLOR is set, and
// as wide as that is, if it is a terminal.
func terminalStyle(env process.Environment) draw.Style {
	f, ok := env.Stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return draw.Style{}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 80
	}
	return draw.Style{Width: width, Colour: env.Getenv("NO_COLOR") == "" && env.Getenv("TERM") != "dumb"}
}
