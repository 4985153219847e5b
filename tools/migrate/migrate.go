// Package migrate is what the commands share that move users' records between stores, bring old
// layouts up to date, and turn records into the forms of other calendar software and back: what
// they report.
package migrate

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// ErrNoSource says that there is nothing to be moved: no store, or none of the users.
var ErrNoSource = errors.New("migrate: the source is missing")

// NoSource tells errors which say that there is nothing from those that say it cannot be
// reached now: the first match [ErrNoSource].
func NoSource(err error) error {
	if errors.Is(err, stores.ErrAway) {
		return err
	}
	if errors.Is(err, stores.ErrNoStore) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrNoSource, err)
	}
	return err
}

// Names returns whose records there are, in order.
func Names(all iter.Seq2[calendar.URI, error]) ([]calendar.URI, error) {
	var list []calendar.URI
	for user, err := range all {
		if err != nil {
			return nil, err
		}
		list = append(list, user)
	}
	slices.Sort(list)
	return list, nil
}

// Part says what of a place records are of.
type Part string

// The parts of a place.
const (
	StorePart       Part = "store"
	JournalPart     Part = "journal"
	PreferencesPart Part = "preferences"
)

// Kind says why an item or a user was not copied, or not just so.
type Kind string

// The kinds of issues. The first group means that something could not be done.
const (
	Failed   Kind = "failed"   // reading or writing failed
	Locked   Kind = "locked"   // a lock could not be had in time
	Conflict Kind = "conflict" // the target has something else, which is not known to come from the source

	Unstorable Kind = "unstorable" // the target cannot hold it
	Damaged    Kind = "damaged"    // it cannot be read in the source
	Refused    Kind = "refused"    // deleting would leave nothing of the user
	Unknown    Kind = "unknown"    // the user was named, and the source has nothing of them
	Differs    Kind = "differs"    // found when both sides were compared

	Newer Kind = "newer" // the target has gone on since it was last copied; left as it is
	Extra Kind = "extra" // the source has it no longer; left, since nothing was to be deleted
)

// Issue is something that was not copied, or left in the target.
type Issue struct {
	Kind Kind
	Part Part
	User calendar.URI
	Item string // what of the user's; empty: all
	Text string // the reason
}

func (i Issue) String() string {
	text := fmt.Sprintf("%s: %s", i.Kind, i.User)
	if i.Part != StorePart {
		text += fmt.Sprintf(" (%s)", i.Part)
	}
	if i.Item != "" {
		text += ": " + i.Item
	}
	if i.Text != "" {
		text += ": " + i.Text
	}
	return text
}

// maxIssues is how many issues of a kind are kept one by one.
const maxIssues = 1000

// Report lists what was not done.
type Report struct {
	Issues []Issue      // the first of each kind
	Number map[Kind]int // all of them
}

// Note adds issues.
func (r *Report) Note(issues ...Issue) {
	if r.Number == nil {
		r.Number = make(map[Kind]int)
	}
	for _, i := range issues {
		i.Text = oneLine(i.Text)
		if r.Number[i.Kind]++; r.Number[i.Kind] <= maxIssues {
			r.Issues = append(r.Issues, i)
		}
	}
}

// oneLine returns the text of joined errors, which has each in a line of its own, as one line that
// has each of them once.
func oneLine(text string) string {
	var parts []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(parts, line) {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

// Partly reports whether something was left undone which is nobody's failure.
func (r *Report) Partly() bool {
	return r.Number[Unstorable]+r.Number[Damaged]+r.Number[Refused]+r.Number[Unknown]+r.Number[Differs] > 0
}

// EventItem is how issues call an event, or an occurrence that stands apart.
func EventItem(id stores.ID) string {
	text := fmt.Sprintf("event %q", id.UID)
	if id.RecurrenceID != "" {
		text += " " + id.RecurrenceID
	}
	return text
}
