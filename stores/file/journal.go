package file

import (
	"context"
	"iter"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Journal is a journal in the original's directories: DIR/QUOTA has the form of a user's
// directory, with the files delegates, groups and limits, and tables of eight columns.
type Journal struct{ store *Store }

var _ stores.Journal = (*Journal)(nil)

// OpenJournal returns the journal in a directory. It reads and makes nothing yet.
func OpenJournal(options Options) (*Journal, error) {
	s, err := Open(options)
	if err != nil {
		return nil, err
	}
	s.journal = true
	return &Journal{s}, nil
}

// Update implements [stores.Journal], as [Store.Update] does for a user.
func (j *Journal) Update(ctx context.Context, quota calendar.URI, fn func(stores.JournalTx) error) error {
	return j.store.Update(ctx, quota, func(t stores.Tx) error { return fn(t.(*tx)) })
}

// View implements [stores.Journal], as [Store.View] does for a user.
func (j *Journal) View(ctx context.Context, quota calendar.URI, fn func(stores.JournalTx) error) error {
	return j.store.View(ctx, quota, func(t stores.Tx) error { return fn(t.(*tx)) })
}

// UpdateAll implements [stores.Journal], by one Update inside another.
func (j *Journal) UpdateAll(ctx context.Context, quotas []calendar.URI, fn func([]stores.JournalTx) error) error {
	return nest(ctx, j.Update, stores.InOrder(quotas), nil, fn)
}

// ViewAll implements [stores.Journal].
func (j *Journal) ViewAll(ctx context.Context, quotas []calendar.URI, fn func([]stores.JournalTx) error) error {
	return nest(ctx, j.View, stores.InOrder(quotas), nil, fn)
}

// nest runs fn inside the critical sections of all quotas.
func nest(ctx context.Context, section func(context.Context, calendar.URI, func(stores.JournalTx) error) error,
	quotas []calendar.URI, have []stores.JournalTx, fn func([]stores.JournalTx) error) error {
	if len(quotas) == 0 {
		return fn(have)
	}
	return section(ctx, quotas[0], func(tx stores.JournalTx) error {
		return nest(ctx, section, quotas[1:], append(have, tx), fn)
	})
}

// Quotas yields every quota that has a directory in the journal. A journal that does not
// exist is an error.
func (j *Journal) Quotas(ctx context.Context) iter.Seq2[calendar.URI, error] {
	return j.store.Users(ctx)
}

// Close does what [Store.Close] does.
func (j *Journal) Close() error { return j.store.Close() }

// Sync makes what the journal holds last, as [Store.Sync] does.
func (j *Journal) Sync() error { return j.store.Sync() }

// Dir returns the journal's directory, as an absolute path.
func (j *Journal) Dir() string { return j.store.Dir() }

// TablePath returns the file of a table of a quota.
func (j *Journal) TablePath(quota calendar.URI, table stores.Table) string {
	return j.store.TablePath(quota, table)
}

// ProvidersPath returns the file of a quota's events without end.
func (j *Journal) ProvidersPath(quota calendar.URI) string { return j.store.ProvidersPath(quota) }

// Records returns the journal as a store whose users are quotas, for checkers.
func (j *Journal) Records() stores.Store { return j.store }

// String names the journal in messages.
func (j *Journal) String() string { return j.store.String() }
