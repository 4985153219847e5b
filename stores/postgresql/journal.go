package postgresql

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Journal is a journal in a database, which can be that of a store: its tables are others.
type Journal struct{ store *Store }

var (
	_ stores.Journal = (*Journal)(nil)
	_ stores.Joining = (*Journal)(nil)
)

// OpenJournal returns the journal in a database. It does not connect before the journal
// is used.
func OpenJournal(ctx context.Context, o Options) (*Journal, error) {
	s, err := Open(ctx, o)
	if err != nil {
		return nil, err
	}
	s.journal = true
	return &Journal{s}, nil
}

// Update implements [stores.Journal].
func (j *Journal) Update(ctx context.Context, quota calendar.URI, fn func(stores.JournalTx) error) error {
	return j.store.Update(ctx, quota, func(t stores.Tx) error { return fn(t.(*tx)) })
}

// View implements [stores.Journal].
func (j *Journal) View(ctx context.Context, quota calendar.URI, fn func(stores.JournalTx) error) error {
	return j.store.View(ctx, quota, func(t stores.Tx) error { return fn(t.(*tx)) })
}

// UpdateAll implements [stores.Journal]: all of it is one transaction of the database.
func (j *Journal) UpdateAll(ctx context.Context, quotas []calendar.URI, fn func([]stores.JournalTx) error) error {
	if len(quotas) == 0 {
		return fn(nil)
	}
	return j.store.retry(ctx, func() error {
		return j.store.transactAll(ctx, stores.InOrder(quotas), changing, changeJournal(fn))
	})
}

// changeJournal returns what runs fn in a transaction, and writes what is changed then.
func changeJournal(fn func([]stores.JournalTx) error) func([]*tx) error {
	return func(all []*tx) error {
		if err := fn(journalTxs(all)); err != nil {
			return err
		}
		for _, t := range all {
			if err := t.flush(); err != nil {
				return err
			}
		}
		return nil
	}
}

// Join implements [stores.Joining], where the journal has the same connection string as the store.
func (j *Journal) Join(with stores.Tx, quotas []calendar.URI, fn func([]stores.JournalTx) error) (joined bool, err error) {
	t, ok := with.(*tx)
	if !ok || t.store.pool.Config().ConnString() != j.store.pool.Config().ConnString() {
		return false, nil
	}
	quotas = stores.InOrder(quotas)
	if err := checkUsers(quotas); err != nil {
		return true, err
	}
	// From a savepoint on: if it fails, nothing of it is done, whatever becomes of the rest. It is not tried again by itself, as a
	// deadlock undoes the whole transaction.
	return true, pgx.BeginFunc(t.ctx, t.db, func(db pgx.Tx) error {
		if len(quotas) > 0 {
			if err := j.store.lock(t.ctx, db, quotas); err != nil {
				return err
			}
		}
		return changeJournal(fn)(j.store.txs(t.ctx, db, quotas))
	})
}

// ViewAll implements [stores.Journal].
func (j *Journal) ViewAll(ctx context.Context, quotas []calendar.URI, fn func([]stores.JournalTx) error) error {
	if len(quotas) == 0 {
		return fn(nil)
	}
	why := locked
	if j.store.options.ReadOnly {
		why = unlocked
	}
	return j.store.retry(ctx, func() error {
		return j.store.transactAll(ctx, stores.InOrder(quotas), why, func(all []*tx) error { return fn(journalTxs(all)) })
	})
}

func journalTxs(all []*tx) []stores.JournalTx {
	txs := make([]stores.JournalTx, len(all))
	for i, t := range all {
		txs[i] = t
	}
	return txs
}

// Quotas implements [stores.Journal].
func (j *Journal) Quotas(ctx context.Context) iter.Seq2[calendar.URI, error] {
	return j.store.Users(ctx)
}

// Close closes the connections.
func (j *Journal) Close() error { return j.store.Close() }

// Schema returns what the database lacks of a journal's tables, as [Store.Schema] does.
func (j *Journal) Schema(ctx context.Context) ([]Missing, error) { return j.store.Schema(ctx) }

// CreateSchema creates what the database lacks, as [Store.CreateSchema] does.
func (j *Journal) CreateSchema(ctx context.Context) ([]Missing, error) {
	return j.store.CreateSchema(ctx)
}

// Identity returns what is the same for two journals, or a journal and a store, in the same
// tables' database, however their connection strings are written.
func (j *Journal) Identity(ctx context.Context) (string, error) { return j.store.Identity(ctx) }

// Records returns the journal as a store whose users are quotas, for checkers.
func (j *Journal) Records() stores.Store { return j.store }

// String names the journal in messages, without a password.
func (j *Journal) String() string { return j.store.String() }
