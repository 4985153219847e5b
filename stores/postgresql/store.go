// Package postgresql keeps users' records in a PostgreSQL database, in the
// original's tables, so that its Python programs can go on working on the same
// database at the same time.
//
// Columns are text; an absent value is NULL. A cancelled event is the same row as
// the active one with another status, so that one event cannot be both, as it can
// in the file store.
//
// The original serialises everything with one advisory lock for the whole store.
// Ours takes the same lock, or where the original is gone, one lock for each user,
// so that users do not wait for one another. One Update is one transaction.
package postgresql

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// storeLock is the key of the advisory lock that the original takes for a store.
const storeLock = 20160311

// Options say which database is opened, and how it is shared.
type Options struct {
	ConnInfo    string // as libpq takes it: "dbname=imip_agent"
	LockPerUser bool   // one lock for each user; only where the original does not use the database
	LockTimeout time.Duration
	Published   Published // where published free/busy calendars are
	Log         *slog.Logger
}

// Published keeps published free/busy calendars, which are files for a web server
// whatever the store is.
type Published interface {
	// Read returns a user's calendar, or an error that matches stores.ErrNotFound.
	Read(user calendar.URI) ([]byte, error)
	Write(user calendar.URI, text []byte) error
}

// Store is a store in a database.
type Store struct {
	options Options
	pool    *pgxpool.Pool
}

var _ stores.Store = (*Store)(nil)

// Open returns the store in a database. It does not connect before the store is
// used.
func Open(ctx context.Context, o Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(o.ConnInfo)
	if err != nil {
		return nil, fmt.Errorf("the connection string %q in STORE_DIR cannot be read, write it as libpq takes it, for example \"dbname=imip_agent\": %w", o.ConnInfo, err)
	}
	if _, set := config.ConnConfig.RuntimeParams["application_name"]; !set {
		config.ConnConfig.RuntimeParams["application_name"] = "imip-agent"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database %q: %w", config.ConnConfig.Database, err)
	}
	return &Store{options: o, pool: pool}, nil
}

// Close closes the connections.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// Update implements [stores.Store].
func (s *Store) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	return s.retry(ctx, func() error {
		var publish []byte
		err := s.transact(ctx, user, true, func(t *tx) error {
			if err := fn(t); err != nil {
				return err
			}
			publish = t.published
			return t.flush()
		})
		if err != nil || publish == nil {
			return err
		}
		return s.options.Published.Write(user, publish)
	})
}

// View implements [stores.Store].
func (s *Store) View(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	return s.retry(ctx, func() error {
		return s.transact(ctx, user, false, func(t *tx) error { return fn(t) })
	})
}

// transact runs fn in a transaction that holds the lock, and commits it if that is
// wanted.
func (s *Store) transact(ctx context.Context, user calendar.URI, commit bool, fn func(*tx) error) (err error) {
	if err := stores.CheckText("user", string(user)); err != nil {
		return err
	}
	// With the lock held nobody else changes what is read, and each statement sees
	// all that was committed before it: read committed is enough.
	dbtx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer func() {
		// The connection goes back into the pool whole also if fn panics. After a
		// commit this does nothing.
		rollback, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = dbtx.Rollback(rollback)
	}()
	if err := s.lock(ctx, dbtx, user); err != nil {
		return err
	}
	if err := fn(&tx{store: s, ctx: ctx, db: dbtx, user: user}); err != nil {
		return err
	}
	if !commit {
		return nil
	}
	if err := dbtx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// lock takes the store's or the user's lock until the end of the transaction.
func (s *Store) lock(ctx context.Context, dbtx pgx.Tx, user calendar.URI) error {
	timeout := fmt.Sprintf("%dms", s.options.LockTimeout.Milliseconds())
	if _, err := dbtx.Exec(ctx, "SELECT set_config('lock_timeout', $1, true)", timeout); err != nil {
		return fmt.Errorf("set the database's lock timeout: %w", err)
	}
	var err error
	if s.options.LockPerUser {
		_, err = dbtx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, hashtext($2))", storeLock, string(user))
	} else {
		_, err = dbtx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", storeLock)
	}
	if code(err) == "55P03" { // lock_not_available
		return fmt.Errorf("advisory lock %d on the database: not had within %s, see pg_locks for who holds it: %w", storeLock, s.options.LockTimeout, stores.ErrLocked)
	} else if err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	return nil
}

// attempts is how often a transaction is tried that fails for no fault of its own.
const attempts = 4

// retry runs fn again where it failed because of other transactions, or because
// the connection broke: all that was not committed is gone then, and what was
// committed does no harm when it is done again.
func (s *Store) retry(ctx context.Context, fn func() error) error {
	for attempt := 1; ; attempt++ {
		err := fn()
		if err == nil || attempt == attempts || !again(err) || ctx.Err() != nil {
			return err
		}
		s.options.Log.Warn("a database transaction is tried again", "attempt", attempt, "reason", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(attempt*attempt) * 50 * time.Millisecond):
		}
	}
}

// again reports whether the error goes away by doing the same once more.
func again(err error) bool {
	switch code(err) {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	case "57P01", "57P02", "57P03": // the server is shutting down, or starting
		return true
	case "":
		// The connection broke, or never was: no answer of the server.
		var connect *pgconn.ConnectError
		return pgconn.SafeToRetry(err) || errors.As(err, &connect) || broken(err)
	}
	return false
}

// Users implements [stores.Store].
func (s *Store) Users(ctx context.Context) iter.Seq2[calendar.URI, error] {
	return func(yield func(calendar.URI, error) bool) {
		rows, err := s.pool.Query(ctx, `
			SELECT store_user COLLATE "C" FROM (
				SELECT store_user FROM objects UNION SELECT store_user FROM recurrences UNION
				SELECT store_user FROM countered_objects UNION SELECT store_user FROM countered_recurrences UNION
				SELECT store_user FROM freebusy UNION SELECT store_user FROM freebusy_offers UNION
				SELECT store_user FROM freebusy_other UNION SELECT store_user FROM freebusy_providers UNION
				SELECT store_user FROM freebusy_provider_datetimes UNION SELECT store_user FROM requests
			) AS everybody WHERE store_user IS NOT NULL ORDER BY 1`)
		if err != nil {
			yield("", fmt.Errorf("list the users in the database: %w", err))
			return
		}
		// Who is told of a user goes on to use the store: with one connection only,
		// it would wait for this one for ever.
		users, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			yield("", fmt.Errorf("list the users in the database: %w", err))
			return
		}
		for _, user := range users {
			if !yield(calendar.URI(user), nil) {
				return
			}
		}
	}
}
