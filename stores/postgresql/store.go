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
// so that users do not wait for one another. With the latter the store's lock is
// shared: a program that takes it alone, as the original does and ours where it is
// told to, still has the store to itself. One Update is one transaction.
//
// The journal of quotas has the same form with other names, a quota in the place of a
// user, and a few lists of its own: see [Journal].
package postgresql

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// The keys of the advisory locks that the original takes for a store and for a journal.
const (
	storeLock   = 20160311
	journalLock = 20160312
)

// Options say which database is opened, and how it is shared.
type Options struct {
	ConnInfo    string // as libpq takes it: "dbname=imip_agent"
	ReadOnly    bool   // read without the lock, each user as of one moment; there are no updates
	LockPerUser bool   // one lock for each user; only where the original does not use the database
	LockTimeout time.Duration
	Published   Published // where published free/busy calendars are; nil: nothing can be published
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
	journal bool // quotas stand for users, and what is known of others has the attendee as well
}

var _ stores.Store = (*Store)(nil)

// Open returns the store in a database. It does not connect before the store is
// used.
func Open(ctx context.Context, o Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(o.ConnInfo)
	if err != nil {
		// It may hold a password, which the library leaves out of its own error.
		return nil, fmt.Errorf("the connection string of the database (STORE_DIR) cannot be read, write it in the form of libpq, for example \"dbname=imip_agent\": %w", err)
	}
	if _, set := config.ConnConfig.RuntimeParams["application_name"]; !set {
		config.ConnConfig.RuntimeParams["application_name"] = "imip-agent"
	}
	// Texts are UTF-8, whatever the server, the database or the role have by default.
	config.ConnConfig.RuntimeParams["client_encoding"] = "UTF8"
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database %q: %w", config.ConnConfig.Database, err)
	}
	return &Store{options: o, pool: pool}, nil
}

// connectTimeout is how long a server may take to answer at all.
const connectTimeout = 15 * time.Second

// table returns the name of a table of the store, or of its counterpart in the journal.
func (s *Store) table(name string) string {
	if s.journal {
		return "journal_" + name
	}
	return name
}

// String names the store in messages, without a password. A database can have several, in schemas
// of their own.
func (s *Store) String() string {
	c := s.pool.Config().ConnConfig
	name := fmt.Sprintf("postgresql:host=%s port=%d dbname=%s", c.Host, c.Port, c.Database)
	for _, parameter := range []string{"search_path", "options"} {
		if value := c.RuntimeParams[parameter]; value != "" {
			name += " " + parameter + "=" + value
		}
	}
	return name
}

// Identity returns what is the same for two stores exactly if they have the same tables,
// however their connection strings are written.
func (s *Store) Identity(ctx context.Context) (string, error) {
	var identity string
	err := s.retry(ctx, func() error {
		return s.pool.QueryRow(ctx, `SELECT concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), oid, current_schema())
			FROM pg_database WHERE datname = current_database()`).Scan(&identity)
	})
	if err != nil {
		return "", fmt.Errorf("identify %s: %w", s, err)
	}
	return identity, nil
}

// Close closes the connections.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// Update implements [stores.Store].
func (s *Store) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	return s.retry(ctx, func() error {
		return s.transact(ctx, user, changing, func(t *tx) error {
			if err := fn(t); err != nil {
				return err
			}
			if err := t.flush(); err != nil || t.published == nil {
				return err
			}
			// Before the commit, which ends the lock: of two programs the one that comes
			// later must also publish later. If the commit fails it is done again.
			return s.options.Published.Write(user, t.published)
		})
	})
}

// View implements [stores.Store].
func (s *Store) View(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	if s.options.ReadOnly {
		return s.Snapshot(ctx, user, fn)
	}
	return s.retry(ctx, func() error {
		return s.transact(ctx, user, locked, func(t *tx) error { return fn(t) })
	})
}

// Snapshot implements [stores.Store]. It shows the records as of one moment.
func (s *Store) Snapshot(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	return s.retry(ctx, func() error {
		return s.transact(ctx, user, unlocked, func(t *tx) error { return fn(t) })
	})
}

// purpose is what a transaction is for.
type purpose int

const (
	changing purpose = iota // with the lock, to be committed
	locked                  // with the lock, to be read
	unlocked                // to be read as of one moment
)

// maxUser is how long a user's URI can be, in octets: see maxUID.
const maxUser = 500

// errReadOnly says that nothing can be changed in a store that was opened to be read.
var errReadOnly = errors.New("the store is opened read-only")

// checkUser returns an UnstorableError for a user of whom nothing can be stored.
func checkUser(user calendar.URI) error {
	if err := stores.CheckText("user", string(user)); err != nil {
		return err
	}
	if len(user) > maxUser {
		return &stores.UnstorableError{What: "user", Value: string(user[:40]), Reason: fmt.Sprintf("it is longer than the %d octets that the database's indexes have room for", maxUser)}
	}
	return nil
}

// checkUsers does so for several.
func checkUsers(users []calendar.URI) error {
	for _, user := range users {
		if err := checkUser(user); err != nil {
			return err
		}
	}
	return nil
}

// transact runs fn in a transaction, and commits it if it is for changing.
func (s *Store) transact(ctx context.Context, user calendar.URI, why purpose, fn func(*tx) error) error {
	return s.transactAll(ctx, []calendar.URI{user}, why, func(all []*tx) error { return fn(all[0]) })
}

// transactAll is transact for the records of several at once, whose locks are taken in their order.
func (s *Store) transactAll(ctx context.Context, users []calendar.URI, why purpose, fn func([]*tx) error) (err error) {
	if err := checkUsers(users); err != nil {
		return err
	}
	// With the lock held nobody else changes what is read, and each statement sees
	// all that was committed before it: read committed is enough.
	o := pgx.TxOptions{IsoLevel: pgx.ReadCommitted}
	switch {
	case why == changing && s.options.ReadOnly:
		return errReadOnly
	case why == unlocked:
		o = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	}
	dbtx, err := s.pool.BeginTx(ctx, o)
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
	if why != unlocked {
		if err := s.lock(ctx, dbtx, users); err != nil {
			return err
		}
	}
	err = fn(s.txs(ctx, dbtx, users))
	if dbtx.Conn().IsClosed() && ctx.Err() == nil && !away(err) {
		// Whoever goes on after an error has read less than there is.
		if err == nil {
			return errBroken
		}
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	if err != nil || why != changing {
		return err
	}
	if err := dbtx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// txs returns the records of users in a transaction.
func (s *Store) txs(ctx context.Context, dbtx pgx.Tx, users []calendar.URI) []*tx {
	all := make([]*tx, len(users))
	for i, user := range users {
		all[i] = &tx{store: s, ctx: ctx, db: dbtx, user: user}
	}
	return all
}

// lock takes the store's or the users' locks until the end of the transaction.
func (s *Store) lock(ctx context.Context, dbtx pgx.Tx, users []calendar.URI) error {
	timeout := fmt.Sprintf("%dms", s.options.LockTimeout.Milliseconds())
	if _, err := dbtx.Exec(ctx, "SELECT set_config('lock_timeout', $1, true)", timeout); err != nil {
		return fmt.Errorf("set the database's lock timeout: %w", err)
	}
	key := storeLock
	if s.journal {
		key = journalLock
	}
	var err error
	if s.options.LockPerUser {
		_, err = dbtx.Exec(ctx, "SELECT pg_advisory_xact_lock_shared($1)", key)
		for _, user := range users {
			if err == nil {
				_, err = dbtx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, hashtext($2))", key, string(user))
			}
		}
	} else {
		_, err = dbtx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", key)
	}
	if code(err) == "55P03" { // lock_not_available
		return fmt.Errorf("advisory lock %d on the database: not free within %s, pg_locks shows who holds it: %w", key, s.options.LockTimeout, stores.ErrLocked)
	} else if err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	return nil
}

// attempts is how often a transaction is tried that fails for no fault of its own.
const attempts = 6

// retry runs fn again where it failed because of other transactions, or because
// the connection broke: all that was not committed is gone then, and what was
// committed does no harm when it is done again.
func (s *Store) retry(ctx context.Context, fn func() error) error {
	for attempt := 1; ; attempt++ {
		err := fn()
		if err == nil || !again(err) || ctx.Err() != nil {
			return explained(err)
		} else if attempt == attempts && away(err) {
			return fmt.Errorf("%w: %w", stores.ErrAway, err)
		} else if attempt == attempts {
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
	}
	return away(err)
}

// away reports whether the server cannot be reached, or does not work now.
func away(err error) bool {
	if errors.Is(err, errBroken) {
		return true
	}
	switch code(err) {
	case "57P01", "57P02", "57P03": // the server is shutting down, or starting
		return true
	case "53300": // too_many_connections
		return true
	case "":
		// The connection broke, or never was: no answer of the server.
		var connect *pgconn.ConnectError
		return pgconn.SafeToRetry(err) || errors.As(err, &connect) || broken(err)
	}
	return false
}

// Named implements [stores.Store]. It goes through all users only for one who has no row.
func (s *Store) Named(ctx context.Context, user calendar.URI) (calendar.URI, error) {
	if stores.CheckText("user", string(user)) != nil {
		return user, nil
	}
	var there, alike []string
	for _, t := range s.tables() {
		name, column := quoted([]string{t.name}), quoted(t.columns[:1])
		there = append(there, "EXISTS (SELECT 1 FROM "+name+" WHERE "+column+" = $1)")
		// From user to user by the index: most tables have many rows of each. What letters are
		// alike is not left to the database's locale.
		next := "SELECT min(" + column + ") FROM " + name
		alike = append(alike, "(WITH RECURSIVE users (name) AS ("+next+" UNION ALL SELECT ("+next+" WHERE "+column+" > users.name) FROM users WHERE users.name IS NOT NULL)"+
			" SELECT name FROM users WHERE char_length(name) = char_length($1))")
	}
	named := user
	err := s.retry(ctx, func() error {
		var known bool
		err := s.pool.QueryRow(ctx, "SELECT "+strings.Join(there, " OR "), string(user)).Scan(&known)
		if err != nil || known {
			return err
		}
		rows, err := s.pool.Query(ctx, `SELECT name COLLATE "C" FROM (`+strings.Join(alike, " UNION ")+`) AS everybody ORDER BY 1`, string(user))
		if err != nil {
			return err
		}
		users, err := pgx.CollectRows(rows, pgx.RowTo[calendar.URI])
		if found := calendar.Find(users, user); found != "" {
			named = found
		}
		return err
	})
	if err != nil {
		return user, fmt.Errorf("look for %s in the database: %w", user, err)
	}
	return named, nil
}

// Users implements [stores.Store].
func (s *Store) Users(ctx context.Context) iter.Seq2[calendar.URI, error] {
	return func(yield func(calendar.URI, error) bool) {
		// Who is told of a user goes on to use the store: with one connection only,
		// it would wait for this one for ever.
		var users []string
		err := s.retry(ctx, func() error {
			rows, err := s.pool.Query(ctx, s.usersQuery())
			if err == nil {
				users, err = pgx.CollectRows(rows, pgx.RowTo[string])
			}
			return err
		})
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

// usersQuery asks for everybody who has a row in any table.
func (s *Store) usersQuery() string {
	var selects []string
	for _, t := range s.tables() {
		selects = append(selects, "SELECT "+quoted(t.columns[:1])+" AS name FROM "+quoted([]string{t.name}))
	}
	return `SELECT name COLLATE "C" FROM (` + strings.Join(selects, " UNION ") + `) AS everybody WHERE name IS NOT NULL ORDER BY 1`
}
