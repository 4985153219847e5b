package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/resource"
	"imip-agent/stores/calendar"
	"imip-agent/stores/calendar/printable"
	"imip-agent/tools/quotas"
)

// resourceCommand says how a resource would decide.
func resourceCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name:      "resource",
		Usage:     "show how a room or other resource would decide on a message",
		UsageText: env.Program + " resource test RESOURCE [--json] [options] < MESSAGE",
		Description: "Reads a mail with an invitation from standard input, and shows for each event in it what\n" +
			"the scheduling functions of RESOURCE, a URI or mail address, say and why, in their order,\n" +
			"and what would be done. Nothing is changed, and nobody gets an answer.\n\n" +
			"Exit status: 0, shown; 8, it cannot be decided, for example because of a mistake in the\n" +
			"preferences of the resource or in a list of a quota; 64, wrong usage; 75, a lock was held\n" +
			"too long, or the database is away; 78, the configuration cannot be used.",
		Flags: siteFlags(),
		Action: func(options *cli.Context) error {
			return usage("resource: test RESOURCE < MESSAGE")
		},
		Subcommands: []*cli.Command{{
			Name: "test", Usage: "show how a resource would decide on a message", ArgsUsage: "RESOURCE",
			Flags: append([]cli.Flag{toggle("json", "write JSON, one object on each line")}, siteFlags()...),
			Action: func(options *cli.Context) error {
				return withSite(options, env, func(s *site.Site) error { return testResource(options, s, env) })
			},
		}},
	}
}

func testResource(options *cli.Context, s *site.Site, env process.Environment) error {
	if options.NArg() != 1 {
		return usage("resource test takes one word, the resource, and the message on standard input")
	}
	user, err := quotas.User(options.Args().First())
	if err != nil || user == "*" {
		return usage("resource %.60q is neither an address nor a URI", options.Args().First())
	}
	h := resource.Handler{
		Handler: arrival.Handler{Pipeline: handlers.Pipeline{
			Store: s.Store, Preferences: s.Preferences, Rejected: s.Rejected, Sender: calendar.NewURI(s.Config.MessageSender),
			Log: s.Log, Now: env.Now, MessageLimit: s.Config.MessageSizeLimit, PeriodLimit: s.Config.PeriodLimit,
		}},
		Journal: s.Journal,
	}
	trials, warnings, err := h.Try(options.Context, env.Stdin, user)
	if err != nil {
		return err
	}
	for _, warning := range warnings {
		fmt.Fprintf(env.Stderr, "%s: scheduling_function: %s\n", env.Program, warning)
	}
	if len(trials) == 0 {
		return errors.New("the message has no calendar part with a method")
	}
	for _, t := range trials {
		if options.Bool("json") {
			err = printJSON(env.Stdout, trialJSON(t))
		} else {
			err = printTrial(env.Stdout, t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func printTrial(w io.Writer, t resource.Trial) error {
	var b strings.Builder
	if t.Method != "" {
		fmt.Fprintf(&b, "%s of event %s\n", t.Method, printable.Text(strings.TrimSpace(t.ID.UID+" "+t.ID.RecurrenceID)))
	}
	for _, s := range t.Steps {
		fmt.Fprintf(&b, "  %s: %s", printable.Text(strings.Join(append([]string{s.Function}, s.Arguments...), " ")), s.Decision)
		if s.Note != "" {
			fmt.Fprintf(&b, " (%s)", printable.Text(s.Note))
		}
		b.WriteString("\n")
	}
	if t.Decision != "" {
		fmt.Fprintf(&b, "decision: %s", t.Decision)
		if t.Delegate != "" {
			fmt.Fprintf(&b, " to %s", t.Delegate)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "result: %s\n", printable.Text(t.Result))
	_, err := io.WriteString(w, b.String())
	return err
}

// trialOfJSON is what --json writes of an event.
type trialOfJSON struct {
	UID        string     `json:"uid,omitempty"`
	Recurrence string     `json:"recurrence,omitempty"`
	Method     string     `json:"method,omitempty"`
	Functions  []stepJSON `json:"functions"`
	Decision   string     `json:"decision,omitempty"`
	Delegate   string     `json:"delegate,omitempty"`
	Result     string     `json:"result"`
}

type stepJSON struct {
	Name      string   `json:"name"`
	Arguments []string `json:"arguments"`
	Decision  string   `json:"decision"`
	Reason    string   `json:"reason,omitempty"`
}

func trialJSON(t resource.Trial) trialOfJSON {
	j := trialOfJSON{UID: t.ID.UID, Recurrence: t.ID.RecurrenceID, Method: t.Method, Functions: []stepJSON{}, Decision: t.Decision, Delegate: string(t.Delegate), Result: t.Result}
	for _, s := range t.Steps {
		j.Functions = append(j.Functions, stepJSON{s.Function, append([]string{}, s.Arguments...), s.Decision, s.Note})
	}
	return j
}
