// Package copy brings the records of one place to another.
//
// What a user has is taken apart into items, each of which is copied as a whole: an
// event with its active and its cancelled text, a counter-proposal, the free/busy
// records of one event in one table, a request, a setting. An item has a digest, and of
// every user it is noted beside the target, by source, which digest each item had when it
// was last the same on both sides. That is kept for as long as they differ. So three
// states can be told apart, however often the same is copied again:
//
//   - the target's item is what was last copied, and the source's differs: it is
//     brought up to date;
//   - the source's item is what was last copied, and the target's differs or is gone:
//     somebody works on the target already, whose changes stay;
//   - both differ from what was last copied, or are gone, or nothing is known of that: a conflict,
//     which is listed, and where the source wins only with Overwrite.
//
// The records of an event, such as its free/busy, go with it: while the event stays as the
// target has it, so do they.
//
// That is noted for many users at a time, once what was written lasts. Before it is written, it is
// noted as pending: so after a copy that was killed, what it has brought to the target is not
// taken for somebody else's work.
//
// The letters of the outbox follow, with the mails that are left of them.
//
// Each user is copied inside the critical sections of both stores, the source's around
// the target's, so that programs may go on working on either.
package copy

import (
	"context"
	"log/slog"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/tools/migrate"
)

// Side is one end of a copy: a store and what belongs to it.
type Side struct {
	Name        string         // for messages, and for the notes: always the same for the same place
	Store       stores.Store   // users' records
	Journal     stores.Journal // nil: none
	Preferences string         // the directory of users' preferences; empty: none
	// JournalNamed and PreferencesNamed say that somebody has said where these are: they
	// have to be there. Others are passed over if they are not.
	JournalNamed, PreferencesNamed bool
	// OneStatus says that an event is either active or cancelled in the store, where
	// others can have both.
	OneStatus bool
	// CleanTables says that the store keeps no control characters in tables, where others
	// can have them.
	CleanTables bool
	// Unordered says that the journal keeps no order in a quota's lists.
	Unordered bool
	Notes     Notes        // of a target; nil: nothing is noted
	Sync      func() error // makes what was written to a target last; nil: it lasts as it is
}

// Notes keep what was copied to a target, by the name of the source and of the user.
type Notes interface {
	// Load returns a note, or nil if there is none.
	Load(ctx context.Context, source, name string) ([]byte, error)
	// Save replaces notes; nil removes one.
	Save(ctx context.Context, source string, notes map[string][]byte) error
}

// Options say what is copied and how far a target may be changed.
type Options struct {
	Users       []calendar.URI   // only these; none: everybody
	DryRun      bool             // look at both sides, and change nothing
	Resume      bool             // leave out users whom the copy that was interrupted has finished
	Verify      bool             // read both sides again afterwards, and compare them
	Overwrite   bool             // where both sides have something different, the source wins
	Delete      bool             // remove what the source has not
	ForceDelete bool             // even if nothing is left of a user
	Workers     int              // users at a time; zero: 4
	Log         *slog.Logger     // nil: nothing is logged
	Now         func() time.Time // the clock
	// Progress is called now and then, from one goroutine at a time; nil: never.
	Progress func(Progress)
}

// Progress is how far a copy has come.
type Progress struct {
	Verifying   bool
	Done, Total int // users, quotas and users' preferences
	Items       int // copied up to now
}

// Counts are numbers of items, by what they are.
type Counts struct {
	Events, Counters, Periods, Requests, Providers, Lists, Preferences, Letters int
}

func (c *Counts) add(d Counts) {
	c.Events += d.Events
	c.Counters += d.Counters
	c.Periods += d.Periods
	c.Requests += d.Requests
	c.Providers += d.Providers
	c.Lists += d.Lists
	c.Preferences += d.Preferences
	c.Letters += d.Letters
}

// Total returns the sum. The free/busy records of one event in one table count once.
func (c Counts) Total() int {
	return c.Events + c.Counters + c.Periods + c.Requests + c.Providers + c.Lists + c.Preferences + c.Letters
}

// Result is what a copy has done.
type Result struct {
	Users     int // looked at, with quotas
	Changed   int // of these
	Skipped   int // finished by the copy that was resumed
	Written   Counts
	Removed   Counts
	Unchanged Counts
	Verified  int // users whose two sides are equal
	Took      time.Duration
	migrate.Report
}
