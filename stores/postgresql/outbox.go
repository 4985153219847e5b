package postgresql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// outboxTable is a table of ours, which the original does not know. A letter is the row
// with the number -1, and rows for each of its mails that has not gone out, which have a piece
// of it each. A mail is crossed off by deleting its rows.
var outboxTable = table{
	name:    "imip_agent_outbox",
	columns: []string{"store_user", "letter", "number", "piece", "mail", "changed"},
	types:   map[string]string{"number": "integer", "piece": "integer", "mail": "bytea", "changed": "timestamptz"},
	indexed: []string{"store_user", "letter", "number"},
}

// pieceSize is how much of a mail, in octets, a row has, but for the last piece.
const pieceSize = 256 << 10

// Send implements [stores.Tx].
func (t *tx) Send(letter stores.Letter) error {
	there, err := t.Sent(letter.Name)
	if there || err != nil {
		return err
	}
	if err := t.insertPiece(letter.Name, -1, 0, nil); err != nil {
		return err
	}
	for i, mail := range letter.Mails {
		w := &pieces{tx: t, letter: letter.Name, number: i}
		if _, err := mail.WriteTo(w); err != nil {
			return fmt.Errorf("put a letter into the outbox: %w", err)
		}
		if err := w.flush(); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) insertPiece(letter string, number, piece int, content []byte) error {
	_, err := t.db.Exec(t.ctx, "INSERT INTO imip_agent_outbox (store_user, letter, number, piece, mail, changed) VALUES ($1, $2, $3, $4, $5, now())",
		string(t.user), letter, number, piece, content)
	if err != nil {
		return fmt.Errorf("put a letter into the outbox: %w", err)
	}
	return nil
}

// pieces puts a mail into the outbox as it is written.
type pieces struct {
	tx            *tx
	letter        string
	number, piece int
	buffer        []byte
}

// Write implements [io.Writer].
func (w *pieces) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if len(w.buffer) == pieceSize {
			if err := w.flush(); err != nil {
				return n, err
			}
		}
		k := min(len(p), pieceSize-len(w.buffer))
		w.buffer = append(w.buffer, p[:k]...)
		p, n = p[k:], n+k
	}
	return n, nil
}

// flush stores what was written since the last piece. A mail has one piece at least.
func (w *pieces) flush() error {
	content := w.buffer
	if content == nil {
		content = []byte{} // nil would be NULL
	}
	err := w.tx.insertPiece(w.letter, w.number, w.piece, content)
	w.piece++
	w.buffer = w.buffer[:0]
	return err
}

// mailReader reads a mail of the outbox piece by piece.
type mailReader struct {
	ctx    context.Context
	conn   *pgxpool.Conn
	user   calendar.URI
	letter string
	number int
	piece  int    // the next
	left   []byte // of the last one
	err    error
}

// Read implements [io.Reader].
func (r *mailReader) Read(p []byte) (int, error) {
	for len(r.left) == 0 && r.err == nil {
		r.left, r.err = r.next()
	}
	if len(r.left) == 0 {
		return 0, r.err
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// next returns the next piece, or [io.EOF] after the last.
func (r *mailReader) next() (piece []byte, err error) {
	err = r.conn.QueryRow(r.ctx, "SELECT mail FROM imip_agent_outbox WHERE store_user = $1 AND letter = $2 AND number = $3 AND piece = $4",
		string(r.user), r.letter, r.number, r.piece).Scan(&piece)
	switch {
	case errors.Is(err, pgx.ErrNoRows) && r.piece > 0:
		return nil, io.EOF
	case err != nil:
		return nil, fmt.Errorf("read a letter of the outbox: %w", err)
	}
	r.piece++
	return piece, nil
}

// Sent implements [stores.Tx].
func (t *tx) Sent(name string) (there bool, err error) {
	if err := stores.CheckLetterName(name); err != nil {
		return false, err
	}
	err = t.db.QueryRow(t.ctx, "SELECT EXISTS (SELECT FROM imip_agent_outbox WHERE store_user = $1 AND letter = $2)", string(t.user), name).Scan(&there)
	if err != nil {
		return false, fmt.Errorf("look into the outbox: %w", err)
	}
	return there, nil
}

// Owing implements [stores.Outbox].
func (s *Store) Owing(ctx context.Context) iter.Seq2[calendar.URI, error] {
	return func(yield func(calendar.URI, error) bool) {
		var users []string
		err := s.retry(ctx, func() error {
			rows, err := s.pool.Query(ctx, `SELECT DISTINCT store_user COLLATE "C" FROM imip_agent_outbox ORDER BY 1`)
			if err == nil {
				users, err = pgx.CollectRows(rows, pgx.RowTo[string])
			}
			return withoutOutbox(err)
		})
		if err != nil {
			yield("", fmt.Errorf("list the users with letters in the outbox: %w", err))
			return
		}
		for _, user := range users {
			if !yield(calendar.URI(user), nil) {
				return
			}
		}
	}
}

// withoutOutbox takes a database whose table of letters has not been made for one without
// letters.
func withoutOutbox(err error) error {
	if code(err) == "42P01" { // undefined_table
		return nil
	}
	return err
}

// Letters implements [stores.Outbox].
func (s *Store) Letters(ctx context.Context, user calendar.URI) (letters []stores.LetterInfo, err error) {
	err = s.retry(ctx, func() error {
		letters, err = lettersOf(ctx, s.pool, user)
		return withoutOutbox(err)
	})
	if err != nil {
		return nil, fmt.Errorf("list the letters in the outbox: %w", err)
	}
	return letters, nil
}

// Letters implements [stores.Owed].
func (t *tx) Letters() (letters []stores.LetterInfo, err error) {
	// Up to a savepoint: where there is no table, the transaction goes on.
	err = pgx.BeginFunc(t.ctx, t.db, func(db pgx.Tx) (err error) {
		letters, err = lettersOf(t.ctx, db, t.user)
		return err
	})
	if err := withoutOutbox(err); err != nil {
		return nil, fmt.Errorf("list the letters in the outbox: %w", err)
	}
	return letters, nil
}

// querier is what a statement is sent by.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func lettersOf(ctx context.Context, db querier, user calendar.URI) ([]stores.LetterInfo, error) {
	rows, err := db.Query(ctx, `SELECT letter, count(DISTINCT number) FILTER (WHERE number >= 0), max(changed), extract(epoch FROM clock_timestamp() - max(changed))::float8 FROM imip_agent_outbox
		WHERE store_user = $1 GROUP BY letter ORDER BY 3, 1`, string(user))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (stores.LetterInfo, error) {
		var l stores.LetterInfo
		var changed *time.Time
		var seconds *float64
		err := row.Scan(&l.Name, &l.Left, &changed, &seconds)
		if changed != nil && seconds != nil {
			l.Time, l.Age = changed.UTC(), time.Duration(*seconds*float64(time.Second))
		}
		return l, err
	})
}

// Deliver implements [stores.Outbox]. It holds an advisory lock of its session on the
// letter, which the server gives back if we die.
func (s *Store) Deliver(ctx context.Context, user calendar.URI, name string, send func(number int, mail io.Reader) error) error {
	if err := stores.CheckLetterName(name); err != nil {
		return err
	}
	var conn *pgxpool.Conn
	var free bool
	err := s.retry(ctx, func() (err error) {
		if conn, err = s.pool.Acquire(ctx); err != nil {
			return err
		}
		if err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, hashtext($2))", outboxLock, name+" "+string(user)).Scan(&free); err != nil {
			conn.Release()
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("lock a letter of the outbox: %w", err)
	}
	defer conn.Release()
	if !free {
		return fmt.Errorf("letter %s of %s is being delivered by another program: %w", name, user, stores.ErrLocked)
	}
	defer func() {
		unlock, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(unlock, "SELECT pg_advisory_unlock($1, hashtext($2))", outboxLock, name+" "+string(user)); err != nil {
			conn.Conn().Close(unlock) // which gives back all its locks
		}
	}()
	return deliver(ctx, conn, user, name, send)
}

// outboxLock is the first key of the advisory locks on letters.
const outboxLock = 20160313

// deliver sends what is left of a letter, whose lock is held.
func deliver(ctx context.Context, conn *pgxpool.Conn, user calendar.URI, name string, send func(number int, mail io.Reader) error) error {
	rows, err := conn.Query(ctx, "SELECT DISTINCT number FROM imip_agent_outbox WHERE store_user = $1 AND letter = $2 ORDER BY 1", string(user), name)
	var numbers []int
	if err == nil {
		numbers, err = pgx.CollectRows(rows, pgx.RowTo[int])
	}
	if err := withoutOutbox(err); err != nil {
		return fmt.Errorf("read a letter of the outbox: %w", err)
	}
	if len(numbers) == 0 {
		return fmt.Errorf("%w: letter %s of %s", stores.ErrNotFound, name, user)
	}
	var failures []error
	for _, number := range slices.DeleteFunc(numbers, func(n int) bool { return n < 0 }) {
		if ctx.Err() != nil {
			return errors.Join(append(failures, context.Cause(ctx))...)
		}
		mail := &mailReader{ctx: ctx, conn: conn, user: user, letter: name, number: number}
		mail.left, mail.err = mail.next()
		if errors.Is(mail.err, pgx.ErrNoRows) {
			continue // the letter has been dropped meanwhile
		}
		err := mail.err
		if err == nil {
			err = send(number, mail)
		}
		if err == nil {
			err = crossOff(ctx, conn, user, name, number)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// crossOff notes that a mail has gone out, also if the time for sending is over since.
func crossOff(ctx context.Context, conn *pgxpool.Conn, user calendar.URI, name string, number int) error {
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	defer cancel()
	_, err := conn.Exec(patience, `WITH sent AS (DELETE FROM imip_agent_outbox WHERE store_user = $1 AND letter = $2 AND number = $3)
		UPDATE imip_agent_outbox SET changed = now() WHERE store_user = $1 AND letter = $2 AND number = -1`, string(user), name, number)
	if err != nil {
		return fmt.Errorf("cross off a mail of the outbox: %w", err)
	}
	return nil
}

// Noted implements [stores.Outbox].
func (s *Store) Noted(ctx context.Context, user calendar.URI, name string) (there bool, err error) {
	if err := stores.CheckLetterName(name); err != nil || checkUser(user) != nil {
		return false, err
	}
	err = s.retry(ctx, func() error {
		return withoutOutbox(s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM imip_agent_outbox WHERE store_user = $1 AND letter = $2)", string(user), name).Scan(&there))
	})
	if err != nil {
		return false, fmt.Errorf("look into the outbox: %w", err)
	}
	return there, nil
}

// Ready implements [stores.Outbox]: a note needs nothing more.
func (s *Store) Ready(context.Context, calendar.URI) error { return nil }

// Note implements [stores.Outbox].
func (s *Store) Note(ctx context.Context, user calendar.URI, name string) error {
	if err := stores.CheckLetterName(name); err != nil {
		return err
	}
	if err := checkUser(user); err != nil {
		return err
	}
	if s.options.ReadOnly {
		return errReadOnly
	}
	err := s.retry(ctx, func() error {
		_, err := s.pool.Exec(ctx, `WITH unsynced AS (SELECT set_config('synchronous_commit', 'off', true))
			INSERT INTO imip_agent_outbox (store_user, letter, number, piece, mail, changed)
			SELECT $1, $2, -1, 0, NULL, now() FROM unsynced WHERE NOT EXISTS (SELECT FROM imip_agent_outbox WHERE store_user = $1 AND letter = $2)`,
			string(user), name)
		return err
	})
	if err != nil {
		return fmt.Errorf("put a note into the outbox: %w", err)
	}
	return nil
}

// Drop implements [stores.Outbox].
func (s *Store) Drop(ctx context.Context, user calendar.URI, name string) error {
	if err := stores.CheckLetterName(name); err != nil {
		return err
	}
	err := s.retry(ctx, func() error {
		_, err := s.pool.Exec(ctx, "DELETE FROM imip_agent_outbox WHERE store_user = $1 AND letter = $2", string(user), name)
		return withoutOutbox(err)
	})
	if err != nil {
		return fmt.Errorf("drop a letter of the outbox: %w", err)
	}
	return nil
}
