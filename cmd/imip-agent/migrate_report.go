package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"imip-agent/cmd/internal/process"
	"imip-agent/stores"
	"imip-agent/stores/calendar/printable"
	"imip-agent/tools/migrate"
	"imip-agent/tools/migrate/calendars"
	"imip-agent/tools/migrate/copy"
	"imip-agent/tools/migrate/upgrade"
)

// migrateStatus turns what a command has done into how the program ends.
func migrateStatus(r *migrate.Report, err error) error {
	switch {
	case err == nil:
	case errors.Is(err, migrate.ErrNoSource):
		return &process.ExitError{Code: process.ExitNoSource, Err: err}
	case errors.Is(err, stores.ErrAway), errors.Is(err, stores.ErrLocked):
		return &process.ExitError{Code: process.ExitTemporary, Err: err}
	default:
		return &process.ExitError{Code: process.ExitFailed, Err: err}
	}
	switch {
	case r == nil:
		return nil
	case r.Number[migrate.Failed] > 0:
		return &process.ExitError{Code: process.ExitFailed}
	case r.Number[migrate.Locked] > 0:
		return &process.ExitError{Code: process.ExitTemporary}
	case r.Number[migrate.Conflict] > 0:
		return &process.ExitError{Code: process.ExitNotEmpty}
	case r.Partly():
		return &process.ExitError{Code: process.ExitPartly}
	}
	return nil
}

// jsonIssue is an issue as --json writes it.
type jsonIssue struct {
	Type string       `json:"type"` // "issue"
	Kind migrate.Kind `json:"kind"`
	Part migrate.Part `json:"part"`           // "store", "journal" or "preferences"
	User string       `json:"user,omitempty"` // or the quota: a URI
	Item string       `json:"item,omitempty"` // what of the user's; none: all
	Text string       `json:"text"`           // for people
}

// jsonEnd is what the summaries of all of migrate's commands have, the last line that --json writes.
type jsonEnd struct {
	Type   string               `json:"type"`   // "summary"
	Users  int                  `json:"users"`  // looked at, with quotas
	Issues map[migrate.Kind]int `json:"issues"` // how many there are of each kind, also of those that are not listed
	Error  string               `json:"error,omitempty"`
	Status int                  `json:"status"` // the exit status
}

// endOf returns the end of a report. ending is what the command ends with.
func endOf(users int, r *migrate.Report, err, ending error) jsonEnd {
	end := jsonEnd{Type: "summary", Users: users, Issues: r.Number}
	if end.Issues == nil {
		end.Issues = map[migrate.Kind]int{}
	}
	if err != nil {
		end.Error = err.Error()
	}
	var status *process.ExitError
	if errors.As(ending, &status) {
		end.Status = int(status.Code)
	}
	return end
}

// jsonCounts are numbers of items.
type jsonCounts struct {
	Events      int `json:"events"`
	Counters    int `json:"counters"`
	FreeBusy    int `json:"freebusy"` // events' records in a table
	Requests    int `json:"requests"`
	Providers   int `json:"providers"`
	Lists       int `json:"lists"` // lines of quotas' lists
	Preferences int `json:"preferences"`
	Letters     int `json:"letters"` // of outboxes
}

func countsOf(c copy.Counts) jsonCounts {
	return jsonCounts{
		Events: c.Events, Counters: c.Counters, FreeBusy: c.Periods, Requests: c.Requests,
		Providers: c.Providers, Lists: c.Lists, Preferences: c.Preferences, Letters: c.Letters,
	}
}

// jsonCopied is the summary of a copy.
type jsonCopied struct {
	jsonEnd
	Changed  int        `json:"changed"`  // of the users
	Skipped  int        `json:"skipped"`  // finished by the copy that was resumed
	Verified int        `json:"verified"` // users whose two sides are equal
	Copied   jsonCounts `json:"copied"`
	Removed  jsonCounts `json:"removed"`
	Same     jsonCounts `json:"same"` // on both sides already
	Seconds  float64    `json:"seconds"`
}

func copySummary(r *copy.Result, err, ending error) jsonCopied {
	return jsonCopied{
		jsonEnd: endOf(r.Users, &r.Report, err, ending), Changed: r.Changed, Skipped: r.Skipped, Verified: r.Verified,
		Copied: countsOf(r.Written), Removed: countsOf(r.Removed), Same: countsOf(r.Unchanged), Seconds: r.Took.Seconds(),
	}
}

// jsonExported is the summary of an export.
type jsonExported struct {
	jsonEnd
	Events int `json:"events"` // written, each with its changed occurrences
}

func exportSummary(r *calendars.Exported, err, ending error) jsonExported {
	return jsonExported{endOf(r.Users, &r.Report, err, ending), r.Events}
}

// jsonImported is the summary of an import.
type jsonImported struct {
	jsonEnd
	Files  int `json:"files"`  // looked at
	Events int `json:"events"` // taken, each with its changed occurrences
}

func importSummary(r *calendars.Imported, err, ending error) jsonImported {
	return jsonImported{endOf(1, &r.Report, err, ending), r.Files, r.Events}
}

// jsonUpgraded is the summary of an upgrade.
type jsonUpgraded struct {
	jsonEnd
	Tables []string `json:"tables"` // files that were written anew
	Kept   []string `json:"kept"`   // where the old ones are
	Lost   []string `json:"lost"`   // lines that cannot be read
}

func upgradeSummary(r *upgrade.Result, err, ending error) jsonUpgraded {
	list := func(lines []string) []string { return append([]string{}, lines...) }
	return jsonUpgraded{endOf(r.Users, &r.Report, err, ending), list(r.Tables), list(r.Kept), list(r.Lost)}
}

// writeJSON writes a report for programs: a line for each issue, the summary last.
func writeJSON(w io.Writer, r *migrate.Report, summary any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, i := range r.Issues {
		line := jsonIssue{Type: "issue", Kind: i.Kind, Part: i.Part, User: string(i.User), Item: i.Item, Text: i.Text}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return encoder.Encode(summary)
}

// migrateFormat says what --json writes; see jsonIssue and the summaries.
const migrateFormat = `With --json each line is an object. An issue is something that was not done:
  type        "issue"
  kind        "failed": reading or writing failed; "locked": a lock was held too long;
              "conflict": the target has different data; "unstorable": the target cannot
              hold it; "damaged": it cannot be read; "refused": deleting would remove
              everything of the user; "unknown": the source has no records of the user;
              "differs": the two sides differ; "newer": the target has changed;
              "extra": the source no longer has it
  part        "store", "journal" or "preferences"
  user        the user's URI, if there is one
  item        the item, or the file; missing for a whole user
  text        why, in one sentence; may be empty
The last line is a summary with
  type        "summary"
  users       the number of examined users and quotas
  issues      the number of issues of each kind; up to 1000 of each are listed
  error       why the command could not continue; missing if it could
  status      the exit status
copy adds
  changed, skipped, verified   the number of users who were changed, were finished before
              the interruption, are equal on both sides
  copied, removed, same   numbers of events, counters, freebusy (events with records in a
              table), requests, providers, lists (lines of quotas) and preferences
  seconds     the duration
export adds
  events      the number of written events, each with its changed occurrences
import adds
  files, events   the number of examined files and of imported events
upgrade adds
  tables, kept   the updated files, and the places of the old ones
  lost        lines that cannot be read, and are in the old files only
`

// printResult writes a result for people.
func printResult(w io.Writer, r *copy.Result, o copy.Options) {
	verb := "copied"
	if o.DryRun {
		verb = "would be copied"
	}
	fmt.Fprintf(w, "%d users, %d of them changed: %s %s: %s\n", r.Users, r.Changed, counted(r.Written), verb, r.Took.Round(time.Millisecond))
	if r.Removed.Total() > 0 {
		fmt.Fprintf(w, "removed: %s\n", counted(r.Removed))
	}
	if r.Unchanged.Total() > 0 {
		fmt.Fprintf(w, "unchanged: %s\n", counted(r.Unchanged))
	}
	if r.Skipped > 0 {
		fmt.Fprintf(w, "finished before the interruption: %d users\n", r.Skipped)
	}
	if o.Verify && !o.DryRun {
		fmt.Fprintf(w, "compared, and equal on both sides: %d\n", r.Verified)
	}
	printIssues(w, &r.Report)
}

// printIssues lists what was not done.
func printIssues(w io.Writer, r *migrate.Report) {
	for _, i := range r.Issues {
		fmt.Fprintln(w, printable.Text(i.String()))
	}
	for _, kind := range []migrate.Kind{migrate.Failed, migrate.Locked, migrate.Conflict, migrate.Unstorable, migrate.Damaged, migrate.Refused, migrate.Unknown, migrate.Differs, migrate.Newer, migrate.Extra} {
		shown := 0
		for _, i := range r.Issues {
			if i.Kind == kind {
				shown++
			}
		}
		if n := r.Number[kind]; n > shown {
			fmt.Fprintf(w, "%s: %d more\n", kind, n-shown)
		}
	}
}

// counted says how many of what there are.
func counted(c copy.Counts) string {
	var words []string
	for _, n := range []struct {
		number int
		name   string
	}{
		{c.Events, "events"}, {c.Counters, "counter-proposals"}, {c.Periods, "events' free/busy"}, {c.Requests, "requests"},
		{c.Providers, "providers"}, {c.Lists, "quota lines"}, {c.Preferences, "preferences"}, {c.Letters, "letters"},
	} {
		if n.number > 0 {
			words = append(words, fmt.Sprintf("%d %s", n.number, n.name))
		}
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
