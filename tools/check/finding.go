package check

import (
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/tools/quarantine"
)

// State says what has become of a finding.
type State string

const (
	Found   State = "found"  // it is there
	Mended  State = "mended" // it was there
	Planned State = "would"  // it would be mended, if this were no dry run
)

// Finding is one thing that is wrong.
type Finding struct {
	Kind  *Kind
	State State
	User  calendar.URI // empty: of no user
	Path  string       // the file or directory; empty for a store without files
	ID    stores.ID    // the event, if it is about one
	Text  string       // what is wrong, in one sentence
	// Command is what mends it: a command line for a shell.
	Command string

	repairs []repair // what mends it; none: somebody has to do it
	safe    bool     // it needs no more than a safe repair, whatever the kind needs
}

// Needs returns the repair that mends the finding; None if somebody has to do it.
func (f *Finding) Needs() Repair {
	switch {
	case len(f.repairs) == 0:
		return None
	case f.safe:
		return Safe
	}
	return f.Kind.Repair
}

// reason is what the quarantine notes of a finding that is mended.
func (f *Finding) reason() quarantine.Reason { return quarantine.Reason{Kind: f.Kind.ID, User: f.User} }

// Key identifies a finding from one run to the next: its kind, and what it is about.
func (f *Finding) Key() string {
	return strings.Join([]string{f.Kind.ID, string(f.User), f.Path, f.ID.UID, f.ID.RecurrenceID}, "\t")
}

// Summary is the outcome of a run.
type Summary struct {
	Users  int // looked at
	Events int // objects, recurrences and cancellations read
	// Of the findings that were reported, notes apart: those that are there, and those
	// that were.
	Remaining, Mended int
	ByKind            map[string]int // of the findings that are there, notes included
	Locked            int            // users whose lock could not be had
	Failures          []error        // what could not be looked at, or mended
	Manifest          string         // the manifest of what was changed; empty if nothing was
}

// Add adds the outcome of another run, but for its manifest. Quotas count as users.
func (s *Summary) Add(o Summary) {
	s.Users += o.Users
	s.Events += o.Events
	s.Remaining += o.Remaining
	s.Mended += o.Mended
	for kind, n := range o.ByKind {
		s.ByKind[kind] += n
	}
	s.Locked += o.Locked
	s.Failures = append(s.Failures, o.Failures...)
}
