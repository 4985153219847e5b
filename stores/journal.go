package stores

import (
	"context"
	"iter"
	"slices"

	"imip-agent/stores/calendar"
)

// Journal is what the resources of a site share: for each quota, what its groups have
// booked, the events that were booked, and who may use how much.
//
// A journal has its own locks. Whoever needs a user's records and a quota's at once
// takes the user's first, then those of quotas in order of name: an Update or UpdateAll of
// the journal inside one of the store. The journal is committed first then, and what a crash leaves
// between the two is mended when the message is handled again. [UpdateWithin] commits both together where it can.
type Journal interface {
	// Update runs fn on a quota's records under its lock and commits what fn changed, as
	// [Store.Update] does with a user's.
	Update(ctx context.Context, quota calendar.URI, fn func(JournalTx) error) error

	// View runs fn on a quota's records under its lock. Changes are dropped.
	View(ctx context.Context, quota calendar.URI, fn func(JournalTx) error) error

	// UpdateAll runs fn on the records of several quotas at once, in order of name and each
	// once, under all of their locks, and commits what fn changed. A crash may leave some
	// of them committed and others not.
	UpdateAll(ctx context.Context, quotas []calendar.URI, fn func([]JournalTx) error) error

	// ViewAll is UpdateAll without changes.
	ViewAll(ctx context.Context, quotas []calendar.URI, fn func([]JournalTx) error) error

	// Quotas yields every quota that has records, in order of URI.
	Quotas(ctx context.Context) iter.Seq2[calendar.URI, error]

	// Close releases what the journal holds open.
	Close() error
}

// Joining is also what a [Journal] is whose records can be where those of a store are.
type Joining interface {
	// Join does as [Journal.UpdateAll] by the transaction of a user's records, with which it is committed. It returns false,
	// and has done nothing, if the journal is somewhere else.
	Join(tx Tx, quotas []calendar.URI, fn func([]JournalTx) error) (joined bool, err error)
}

// UpdateWithin is [Journal.UpdateAll] for who is inside a user's critical section. Where the journal is where the user's records are,
// it takes no connection beside the one that the section holds, and both are committed together or not at all.
func UpdateWithin(ctx context.Context, tx Tx, journal Journal, quotas []calendar.URI, fn func([]JournalTx) error) error {
	if j, ok := journal.(Joining); ok {
		if joined, err := j.Join(tx, quotas, fn); joined {
			return err
		}
	}
	return journal.UpdateAll(ctx, quotas, fn)
}

// InOrder returns quotas in the order in which their locks are taken, each once.
func InOrder(quotas []calendar.URI) []calendar.URI {
	return slices.Compact(slices.Sorted(slices.Values(quotas)))
}

// JournalTx is one quota's records inside one critical section. What its groups have
// booked are tables of kind [Other], one for each group, whose records name the attendee.
// There are no other tables.
type JournalTx interface {
	Records

	// List returns the lines of one of the [QuotaLists], each as its words. Their order is
	// that of the file; a database keeps none, and has them in order of the words. The error
	// is a [*ListError] if a line cannot be read.
	List(name string) ([][]string, error)
	// ListMistake returns what is wrong with a line that List returns, by its number in what
	// that returned, as an error that says where the line stands.
	ListMistake(name string, number int, reason string) *ListError
	// SetList replaces one. The error is an [UnstorableError] if there can be no such line.
	SetList(name string, lines [][]string) error
}

// QuotaLists are what a journal has of a quota besides records of events, with the
// number of columns: who may use it on behalf of whom.
var QuotaLists = []struct {
	Name    string
	Columns int
}{
	{"delegates", 1}, // users who share the quota
	{"groups", 2},    // user, group
	{"limits", 2},    // group, how much
}
