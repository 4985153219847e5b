package postgresql

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Notes keep what was copied into a database, by source and name, in a table of their
// own there. The table is made when something is noted.
type Notes struct{ Store *Store }

// Load returns a note, or nil if there is none.
func (n Notes) Load(ctx context.Context, source, name string) (note []byte, err error) {
	err = n.Store.retry(ctx, func() error {
		note = nil
		err := n.Store.pool.QueryRow(ctx, "SELECT note FROM imip_agent_copied WHERE source = $1 AND name = $2", source, name).Scan(&note)
		if errors.Is(err, pgx.ErrNoRows) || code(err) == "42P01" { // undefined_table
			return nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what was copied before: %w", err)
	}
	return note, nil
}

// Note replaces a note along with the changes of a transaction. Something has to be noted by
// [Notes.Save] before.
func (t *tx) Note(source, name string, note []byte) error {
	_, err := t.db.Exec(t.ctx, `INSERT INTO imip_agent_copied VALUES ($1, $2, $3)
		ON CONFLICT (source, name) DO UPDATE SET note = excluded.note`, source, name, note)
	if err != nil {
		return fmt.Errorf("note what is copied: %w", err)
	}
	return nil
}

// Save replaces notes; nil removes one.
func (n Notes) Save(ctx context.Context, source string, notes map[string][]byte) error {
	var names, gone []string
	var contents [][]byte
	for name, content := range notes {
		if content == nil {
			gone = append(gone, name)
			continue
		}
		names, contents = append(names, name), append(contents, content)
	}
	err := n.Store.retry(ctx, func() error {
		return pgx.BeginFunc(ctx, n.Store.pool, func(dbtx pgx.Tx) error {
			// Two that create the table at once would fail, one of them.
			for _, statement := range []string{
				"SELECT pg_advisory_xact_lock(20160311, 0)",
				"CREATE TABLE IF NOT EXISTS imip_agent_copied (source text, name text, note bytea, PRIMARY KEY (source, name))",
			} {
				if _, err := dbtx.Exec(ctx, statement); err != nil {
					return err
				}
			}
			if _, err := dbtx.Exec(ctx, "DELETE FROM imip_agent_copied WHERE source = $1 AND name = ANY ($2)", source, gone); err != nil {
				return err
			}
			_, err := dbtx.Exec(ctx, `INSERT INTO imip_agent_copied SELECT $1, n, c FROM unnest($2::text[], $3::bytea[]) AS new(n, c)
				ON CONFLICT (source, name) DO UPDATE SET note = excluded.note`, source, names, contents)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("note what was copied: %w", err)
	}
	return nil
}
