package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/handlers/quota"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/calendar/zones"
	"imip-agent/tools/quotas"
)

// expireWord is the name of the command that runs every night.
const expireWord = "expire"

// quotaCommand shows and changes the quotas of resources.
func quotaCommand(env process.Environment) *cli.Command {
	format := toggle("json", "write JSON, one object on each line")
	removal := toggle("remove", "remove the line, or the delegates")
	with := func(flags ...cli.Flag) []cli.Flag { return append(flags, siteFlags()...) }
	do := func(fn func(*cli.Context, stores.Journal, *site.Site, io.Writer) error) cli.ActionFunc {
		return func(options *cli.Context) error {
			return withSite(options, env, func(s *site.Site) error {
				journal, err := s.Journal()
				if errors.Is(err, site.ErrNoJournal) && options.Command.Name == expireWord && options.NArg() == 0 {
					return nil // every night, whether or not there are quotas
				} else if err != nil {
					return err
				}
				return fn(options, journal, s, env.Stdout)
			})
		}
	}
	name := env.Program + " quota "
	return &cli.Command{
		Name:  "quota",
		Usage: "show and change what resources may be booked under a quota",
		UsageText: name + "show [QUOTA] [--json] [options]\n" +
			name + "limits QUOTA [GROUP LIMIT | --remove GROUP] [--json] [options]\n" +
			name + "groups QUOTA [ORGANIZER GROUP | --remove ORGANIZER] [--json] [options]\n" +
			name + "delegates QUOTA [[--replace | --remove] RESOURCE...] [--json] [options]\n" +
			name + "expire [QUOTA...] [options]",
		Description: "Resources share a quota if their scheduling_function names it. QUOTA is the name\n" +
			"there, most often the address of a resource. The lists of a quota say how much each\n" +
			"group may book (limits), which group an organizer belongs to (groups), and which\n" +
			"resources can replace each other, in order (delegates). The original's programs read\n" +
			"the same lists. PostgreSQL keeps no order of delegates: there it is that of their URIs.\n\n" +
			"LIMIT is a duration, for example PT10H or P2D, or * for no limit. GROUP or ORGANIZER *\n" +
			"stands for all others. Organizers without a line form a group of their own, which has\n" +
			"their address as its name. If their group has no limit, they can book nothing.\n\n" +
			"expire removes bookings that have ended. Run it every night:\n" +
			"  " + name + "expire\n\n" +
			"Exit status: 0, done; 8, not done, for example because a list has a line that cannot be\n" +
			"read; 64, wrong usage; 75, a lock was held too long, or the database is away, try\n" +
			"again later; 78, the configuration cannot be used.",
		Flags: siteFlags(),
		Action: func(options *cli.Context) error {
			if options.NArg() > 0 {
				return usage("quota takes no word %.60q: show, limits, groups, delegates, or expire", options.Args().First())
			}
			return usage("quota: show, limits, groups, delegates, or expire? --help says more")
		},
		Subcommands: []*cli.Command{
			{
				Name: "show", Usage: "show the quotas, or one with its lists and what is booked", ArgsUsage: "[QUOTA]",
				Flags: with(format, readOnly("the journal")), Action: do(showQuota),
			},
			{
				Name: "limits", Usage: "show, set or remove how much a group can book", ArgsUsage: "QUOTA [GROUP LIMIT | --remove GROUP]",
				Flags: with(format, removal), Action: do(quotaLimits),
			},
			{
				Name: "groups", Usage: "show, set or remove the group of an organizer", ArgsUsage: "QUOTA [ORGANIZER GROUP | --remove ORGANIZER]",
				Flags: with(format, removal), Action: do(quotaGroups),
			},
			{
				Name: "delegates", Usage: "show, add or remove resources that can replace each other", ArgsUsage: "QUOTA [[--replace | --remove] RESOURCE...]",
				Flags: with(format, removal, toggle("replace", "have exactly these delegates, in this order")), Action: do(quotaDelegates),
			},
			{
				Name: expireWord, Usage: "remove bookings that have ended, of all quotas or of some", ArgsUsage: "[QUOTA...]",
				Flags: siteFlags(), Action: do(func(options *cli.Context, journal stores.Journal, s *site.Site, _ io.Writer) error {
					return expireQuotas(options, journal, s, env.Now())
				}),
			},
		},
	}
}

// quotaNamed returns the quota that a command line names first, and the words after it.
func quotaNamed(options *cli.Context) (name calendar.URI, words []string, err error) {
	if options.NArg() == 0 {
		return "", nil, usage("quota %s: which quota? quota show lists them", options.Command.Name)
	}
	if name, err = quotas.Name(options.Args().First()); err != nil {
		return "", nil, usage("%v", err)
	}
	return name, options.Args().Tail(), nil
}

func showQuota(options *cli.Context, journal stores.Journal, _ *site.Site, w io.Writer) error {
	if options.NArg() == 0 {
		all, err := quotas.All(options.Context, journal)
		for _, name := range all {
			if err == nil && options.Bool("json") {
				err = printJSON(w, map[string]string{"quota": string(name)})
			} else if err == nil {
				_, err = fmt.Fprintln(w, name)
			}
		}
		return err
	}
	name, words, err := quotaNamed(options)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		return usage("quota show takes one word, the quota, or none")
	}
	state, err := quotas.Read(options.Context, journal, name)
	if err != nil {
		return err
	}
	if options.Bool("json") {
		return printJSON(w, jsonQuota(state))
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	section := func(title string, n int, line func(i int)) {
		fmt.Fprintln(table, title)
		for i := range n {
			line(i)
		}
		if n == 0 {
			fmt.Fprintln(table, "  none")
		}
	}
	section("limits", len(state.Limits), func(i int) { fmt.Fprintf(table, "  %s\t%s\n", state.Limits[i][0], state.Limits[i][1]) })
	section("groups", len(state.Groups), func(i int) { fmt.Fprintf(table, "  %s\t%s\n", state.Groups[i][0], state.Groups[i][1]) })
	section("delegates", len(state.Delegates), func(i int) { fmt.Fprintf(table, "  %s\n", state.Delegates[i]) })
	section("booked", len(state.Accounts), func(i int) {
		a := state.Accounts[i]
		of := "no limit counts"
		if a.Limit != "" {
			of = "of " + a.Limit
		}
		bookings := "bookings"
		if a.Bookings == 1 {
			bookings = "booking"
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%d %s\n", a.Group, quota.Limit{Amount: a.Booked}, of, a.Bookings, bookings)
	})
	return table.Flush()
}

// quotaJSON is what --json writes of a quota.
type quotaJSON struct {
	Quota     string        `json:"quota"`
	Limits    []limitJSON   `json:"limits"`
	Groups    []groupJSON   `json:"groups"`
	Delegates []string      `json:"delegates"`
	Booked    []accountJSON `json:"booked"`
}

type limitJSON struct {
	Group string `json:"group"`
	Limit string `json:"limit"`
}

type groupJSON struct {
	Organizer string `json:"organizer"`
	Group     string `json:"group"`
}

type accountJSON struct {
	Group    string `json:"group"`
	Bookings int    `json:"bookings"`
	Seconds  int64  `json:"seconds"`
	Limit    string `json:"limit,omitempty"`
}

func jsonQuota(s quotas.State) quotaJSON {
	j := quotaJSON{Quota: string(s.Quota), Limits: []limitJSON{}, Groups: []groupJSON{}, Delegates: append([]string{}, s.Delegates...), Booked: []accountJSON{}}
	for _, l := range s.Limits {
		j.Limits = append(j.Limits, limitJSON{l[0], l[1]})
	}
	for _, g := range s.Groups {
		j.Groups = append(j.Groups, groupJSON{g[0], g[1]})
	}
	for _, a := range s.Accounts {
		j.Booked = append(j.Booked, accountJSON{a.Group, a.Bookings, int64(a.Booked / time.Second), a.Limit})
	}
	return j
}

func printJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(value)
}

// printList writes a list of a quota as it is written in its file, or as JSON.
func printList(options *cli.Context, journal stores.Journal, name calendar.URI, w io.Writer, object func(words []string) any) error {
	lines, err := quotas.List(options.Context, journal, name, options.Command.Name)
	if err != nil {
		return err
	}
	for _, words := range lines {
		if options.Bool("json") {
			err = printJSON(w, object(words))
		} else {
			err = printWords(w, words)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func printWords(w io.Writer, words []string) error {
	for i, word := range words {
		quoted, err := stores.Quote(word)
		if err != nil {
			return err
		}
		separator := "\t"
		if i == len(words)-1 {
			separator = "\n"
		}
		if _, err := io.WriteString(w, quoted+separator); err != nil {
			return err
		}
	}
	return nil
}

// changeList shows one of a quota's lists, or changes it: by set for two words, and by remove for one.
func changeList(options *cli.Context, journal stores.Journal, w io.Writer, form string,
	object func(words []string) any, set func(first, second string) (quotas.Change, error), remove func(first string) quotas.Change) error {
	name, words, err := quotaNamed(options)
	if err != nil {
		return err
	}
	list, removing := options.Command.Name, options.Bool("remove")
	var change quotas.Change
	switch {
	case options.Bool("json") && (removing || len(words) > 0):
		return usage("--json only goes with showing the list")
	case removing && len(words) == 1:
		change = remove(words[0])
	case !removing && len(words) == 2:
		if change, err = set(words[0], words[1]); err != nil {
			return usage("%v", err)
		}
	case !removing && len(words) == 0:
		return printList(options, journal, name, w, object)
	default:
		return usage("quota %s: the words after the quota are %s", list, form)
	}
	return quotas.Apply(options.Context, journal, name, list, change)
}

func quotaLimits(options *cli.Context, journal stores.Journal, _ *site.Site, w io.Writer) error {
	return changeList(options, journal, w, "GROUP LIMIT, or --remove GROUP, or none",
		func(words []string) any { return limitJSON{words[0], words[1]} }, quotas.SetLimit, quotas.RemoveLimit)
}

func quotaGroups(options *cli.Context, journal stores.Journal, _ *site.Site, w io.Writer) error {
	return changeList(options, journal, w, "ORGANIZER GROUP, or --remove ORGANIZER, or none",
		func(words []string) any { return groupJSON{words[0], words[1]} }, quotas.SetGroup, quotas.RemoveGroup)
}

func quotaDelegates(options *cli.Context, journal stores.Journal, _ *site.Site, w io.Writer) error {
	name, words, err := quotaNamed(options)
	if err != nil {
		return err
	}
	removing, replacing := options.Bool("remove"), options.Bool("replace")
	var change quotas.Change
	switch {
	case removing && replacing:
		return usage("--remove and --replace do not go together")
	case options.Bool("json") && (removing || replacing || len(words) > 0):
		return usage("--json only goes with showing the list")
	case removing && len(words) == 0:
		return usage("quota delegates --remove: which resources?")
	case removing:
		change = quotas.RemoveDelegates(words...)
	case replacing:
		change, err = quotas.SetDelegates(words...)
	case len(words) > 0:
		change, err = quotas.AddDelegates(words...)
	default:
		return printList(options, journal, name, w, func(words []string) any { return map[string]string{"delegate": words[0]} })
	}
	if err != nil {
		return usage("%v", err)
	}
	return quotas.Apply(options.Context, journal, name, "delegates", change)
}

// expireQuotas gives back what is past. One quota that fails does not stop the others.
func expireQuotas(options *cli.Context, journal stores.Journal, s *site.Site, now time.Time) error {
	names, err := quotas.All(options.Context, journal)
	if err != nil {
		return err
	}
	if options.NArg() > 0 {
		known := make(map[calendar.URI]bool)
		for _, name := range names {
			known[name] = true
		}
		names = nil
		for _, word := range options.Args().Slice() {
			name, err := quotas.Name(word)
			if err != nil {
				return usage("%v", err)
			}
			if !known[name] {
				return &quotas.UnknownError{Quota: name}
			}
			names = append(names, name)
		}
	}
	zone, err := zones.Load(s.Preferences.SystemZone)
	if err != nil {
		zone = time.UTC
	}
	var failures []error
	for _, name := range names {
		gone, err := quotas.Expire(options.Context, journal, name, now, zone)
		if err != nil {
			failures = append(failures, fmt.Errorf("quota %q: %w", string(name), err))
			if errors.Is(err, stores.ErrAway) || options.Context.Err() != nil {
				break
			}
			continue
		}
		s.Log.Info("bookings that have ended are removed", "quota", string(name), "bookings", gone.Bookings, "events", gone.Events)
	}
	return worst(failures)
}
