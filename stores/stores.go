// Package stores says what the handlers and the tools need of a store: each
// user's objects and tables, read and changed inside one critical section.
//
// A store knows nothing of iTIP. It keeps texts, addressed by [Key], and tables:
// free/busy periods, the request queue, and the events that recur without end.
// What a name, a lock or a row looks like is the business of the packages below
// this one: file (the original's directories) and postgresql (its tables).
package stores

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// Store is a collection of users' records.
type Store interface {
	// Update runs fn on user's records under the user's lock and commits what fn
	// changed, all or nothing, or nothing at all if fn fails. Where a commit has
	// to be retried, fn is run again from the start on fresh records.
	Update(ctx context.Context, user calendar.URI, fn func(Tx) error) error

	// View runs fn on user's records under the user's lock. Changes are dropped.
	View(ctx context.Context, user calendar.URI, fn func(Tx) error) error

	// Named returns the name under which a user has records: user itself, or where there
	// are only records under names that differ from it in letter case, the first of those.
	// Without any it is user.
	Named(ctx context.Context, user calendar.URI) (calendar.URI, error)

	// Snapshot runs fn on user's records without the user's lock, so that nobody waits, for
	// pages and the like. Each text and each table is whole. A database shows all of them as of
	// one moment; files may show a change that is being committed in part. A change by fn fails, or is
	// dropped.
	Snapshot(ctx context.Context, user calendar.URI, fn func(Tx) error) error

	// Users yields every user who has records, in order of URI.
	Users(ctx context.Context) iter.Seq2[calendar.URI, error]

	Outbox

	// Close releases what the store holds open.
	Close() error
}

// Part says which of a user's texts a [Key] addresses.
type Part int

const (
	Active    Part = iota // objects and recurrences
	Cancelled             // cancelled objects and recurrences
	Countered             // counter-proposals, one for each other user
)

// ID names an event: the whole of it, or with a RecurrenceID one occurrence.
// RecurrenceID is normalised as calendar.Object.RecurrenceID gives it.
type ID struct {
	UID          string
	RecurrenceID string
}

// Key addresses one stored text.
type Key struct {
	Part Part
	ID
	Other calendar.URI // who made the counter-proposal; empty in the other parts
}

// Records are what a user's records and those of a quota have in common, inside one
// critical section: texts of events, tables of periods, and the events without end. Reads
// see the transaction's own changes; nothing reaches the store before the commit, which
// puts letters into the outbox first, renames tables, then stores texts, and deletes texts
// last: what makes a message apply stays in place until everything else is done.
type Records interface {
	// User returns whose records these are: a user, or in a journal a quota.
	User() calendar.URI

	// Get returns a text, or an error that matches [ErrNotFound]. The caller must not change it.
	Get(Key) ([]byte, error)
	// Put stores a text in place of what is there.
	Put(Key, []byte) error
	// Delete removes a text. That there is none is no error.
	Delete(Key) error

	// Recurrences returns the recurrence ids stored separately for uid in part
	// (Active or Cancelled), in order.
	Recurrences(part Part, uid string) ([]string, error)
	// Keys yields the key of every text, parents before their recurrences,
	// otherwise in no particular order. It is for tools that read everything.
	Keys() iter.Seq2[Key, error]

	// Periods returns a free/busy table, empty if there is none. Changes made to
	// the table that it returns are part of the transaction. The error is an
	// [UnstorableError] if nothing can be kept of that other user.
	Periods(Table) (*freebusy.Table, error)
	// Others returns whose free/busy the user knows of, or the groups that have booked
	// something under the quota, in order.
	Others() ([]calendar.URI, error)

	// Providers returns the events noted as recurring without end; the zero
	// value if the table is absent or empty.
	Providers() (Providers, error)
	// SetProviders replaces that table. The zero value empties it.
	SetProviders(Providers) error
}

// Tx is one user's records inside one critical section.
type Tx interface {
	Records

	// Counters returns who has made counter-proposals to the event, in order.
	Counters(ID) ([]calendar.URI, error)

	// Requests returns the request queue in its order. The caller must not change it.
	Requests() ([]Request, error)
	// SetRequests replaces the request queue.
	SetRequests([]Request) error

	// Published returns the published free/busy calendar, or an error that matches
	// [ErrNotFound].
	Published() ([]byte, error)
	// Publish replaces the published free/busy calendar as a whole.
	Publish([]byte) error

	// Send leaves a letter in the user's outbox. It is committed with everything else, and
	// before anything of it takes effect: whoever handles a message again after a crash
	// finds the letter. If the outbox has a letter of that name already, sent or not, that
	// one stays as it is. See [Outbox] for how it goes out.
	Send(Letter) error
	// Sent reports whether the outbox has a letter of that name, whether or not its mails
	// have gone out, and all that was committed with it is done. Where a commit was
	// interrupted, it is not, and the change is to be made again.
	Sent(name string) (bool, error)
}

// TableKind says which of a user's free/busy tables a [Table] is.
type TableKind int

const (
	Own    TableKind = iota // the user's own busy periods
	Offers                  // periods offered in counter-proposals; they expire
	Other                   // what the user knows of another user
)

// Table names one of a user's free/busy tables.
type Table struct {
	Kind  TableKind
	Other calendar.URI // with kind Other
}

// Request is an entry of the request queue: an event that awaits the user's answer.
type Request struct {
	ID
	Type string // "COUNTER" for a counter-proposal, else empty
}

// Providers notes the events that recur without end, whose free/busy has to be
// extended as time goes on.
type Providers struct {
	Until  time.Time // the end of the window that free/busy was worked out for, UTC
	Events []ID
}

// Damage is a row of a free/busy table that is no record, or one that is there already.
type Damage struct {
	Table Table
	ID              // of the event, as far as the row says it
	Row   []*string // start and end, then its other columns in the store's order; nil: no value
	Flaw  freebusy.Flaw
}

// Reason says what is wrong, for people.
func (d Damage) Reason() string {
	if d.Flaw != freebusy.BadTimes || len(d.Row) < 2 {
		return d.Flaw.String()
	}
	var times [2]string
	for i, column := range d.Row[:2] {
		if column != nil {
			times[i] = *column
		}
	}
	return fmt.Sprintf("times %q and %q cannot be read", times[0], times[1])
}

// Damaged is what a [Tx] also is if its store's tables can have rows that no table in
// memory has. A store of files is looked at by package audit instead.
type Damaged interface {
	// Damages returns such rows of the tables that were read so far.
	Damages() []Damage
	// RemoveDamage removes the row, once.
	RemoveDamage(Damage) error
	// RestoreDamage puts the row back.
	RestoreDamage(Damage) error
}

// ErrNotFound says that there is no such text. It is no failure of the store.
var ErrNotFound = errors.New("stores: not found")

// ErrLocked says that a user's lock could not be had in time: try again later.
var ErrLocked = errors.New("stores: the user's lock is held by another program")

// UnstorableError says that a name or value can never be stored, whatever is
// done and however often: put the data aside and go on. Every other error of a
// store is to be taken as temporary.
type UnstorableError struct {
	What   string // "UID", "user", "attendee"
	Value  string
	Reason string
}

func (e *UnstorableError) Error() string {
	return fmt.Sprintf("%s %q cannot be stored: %s", e.What, e.Value, e.Reason)
}
