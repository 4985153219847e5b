package postgresql

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// tx is a user's records in a transaction. Texts are read and written at once, and
// the transaction keeps changes apart; free/busy tables are kept in memory until flush.
type tx struct {
	store     *Store
	ctx       context.Context
	db        pgx.Tx
	user      calendar.URI
	periods   map[stores.Table]*freebusy.Table
	damages   []stores.Damage  // rows that are in none of periods
	queue     []stores.Request // as it was read or set, if it was
	queueRead bool
	published []byte // to be published after the commit; nil: nothing
}

var _ stores.Tx = (*tx)(nil)

func (t *tx) User() calendar.URI { return t.user }

// The names of the two statuses in the tables.
var statuses = map[stores.Part]string{stores.Active: "active", stores.Cancelled: "cancelled"}

// place is where a key's text is: its table, and the condition for its row.
type place struct {
	table     string
	columns   string // of the condition
	condition string
	values    []any
}

// maxUID is how long a UID can be, in octets: an index takes no more than 2700 for all
// its columns.
const maxUID = 2000

// How much is read: more than any program of ours writes, and no more than a host has room for.
const (
	maxText    = 48 << 20  // octets of an event: package calendar makes none of more than 40 MiB
	maxRecords = 3_000_000 // of a free/busy table
)

// checkKey returns an UnstorableError for a key at which no text can be stored.
//
// DEVIATION: database-long-uid: the original, without indexes, stores longer UIDs as well.
func checkKey(k stores.Key) error {
	if err := stores.CheckID(k.ID); err != nil {
		return err
	}
	if len(k.UID) > maxUID {
		return &stores.UnstorableError{What: "UID", Value: k.UID[:40], Reason: fmt.Sprintf("it is longer than the %d octets that the database's index takes", maxUID)}
	}
	if k.Part == stores.Countered {
		return stores.CheckText("user", string(k.Other))
	}
	return nil
}

func (t *tx) place(k stores.Key) place {
	p := place{table: "objects", columns: "store_user, object_uid", condition: "store_user = $1 AND object_uid = $2", values: []any{string(t.user), k.UID}}
	and := func(column, value string) {
		p.values = append(p.values, value)
		p.columns += ", " + column
		p.condition += fmt.Sprintf(" AND %s = $%d", column, len(p.values))
	}
	if k.RecurrenceID != "" {
		p.table = "recurrences"
		and("object_recurrenceid", k.RecurrenceID)
	}
	if k.Part == stores.Countered {
		p.table = "countered_" + p.table
		and("other", string(k.Other))
	} else {
		p.table = t.store.table(p.table)
	}
	return p
}

// inPart returns the place narrowed to rows of that status.
func (p place) inPart(part stores.Part) place {
	if status, ok := statuses[part]; ok {
		p.values = append(p.values[:len(p.values):len(p.values)], status)
		p.condition += fmt.Sprintf(" AND status = $%d", len(p.values))
	}
	return p
}

// Get implements [stores.Tx].
func (t *tx) Get(k stores.Key) ([]byte, error) {
	if checkKey(k) != nil {
		return nil, fmt.Errorf("%q of %s: %w", k.UID, t.user, stores.ErrNotFound)
	}
	p := t.place(k).inPart(k.Part)
	var size int64
	var text string
	err := t.db.QueryRow(t.ctx, fmt.Sprintf("SELECT coalesce(octet_length(object_text), 0), CASE WHEN octet_length(object_text) <= %d THEN object_text ELSE '' END FROM %s WHERE %s LIMIT 1",
		maxText, p.table, p.condition), p.values...).Scan(&size, &text)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("%s %q of %s: %w", p.table, k.UID, t.user, stores.ErrNotFound)
	} else if err != nil {
		return nil, fmt.Errorf("read %q from %s: %w", k.UID, p.table, err)
	} else if size > maxText {
		return nil, t.tooLarge(k, p.table, size)
	}
	return []byte(text), nil
}

// tooLarge says that a text has more octets than are read.
func (t *tx) tooLarge(k stores.Key, table string, size int64) error {
	return fmt.Errorf("read %q of %s from %s: it has %d octets, and such a text never has more than %d; find out what it is, and remove it", k.UID, t.user, table, size, maxText)
}

// Check implements [stores.Checker].
func (t *tx) Check(text stores.Text) error {
	if err := checkKey(text.Key); err != nil {
		return err
	}
	return checkObject(text.Content)
}

// Put implements [stores.Tx]. A text put in one status takes the place of the one
// in the other, since there is only one row for both.
func (t *tx) Put(k stores.Key, text []byte) error {
	if err := t.Check(stores.Text{Key: k, Content: text}); err != nil {
		return err
	}
	p := t.place(k)
	columns, values := p.columns+", object_text", append(p.values[:len(p.values):len(p.values)], string(text))
	if status, ok := statuses[k.Part]; ok {
		columns, values = columns+", status", append(values, status)
	}
	marks := ""
	for i := range values {
		if i > 0 {
			marks += ", "
		}
		marks += fmt.Sprintf("$%d", i+1)
	}
	var both pgx.Batch // one way to the server and back
	both.Queue("DELETE FROM "+p.table+" WHERE "+p.condition, p.values...)
	both.Queue("INSERT INTO "+p.table+" ("+columns+") VALUES ("+marks+")", values...)
	if err := t.db.SendBatch(t.ctx, &both).Close(); err != nil {
		return fmt.Errorf("store %q in %s: %w", k.UID, p.table, err)
	}
	return nil
}

// Delete implements [stores.Tx].
func (t *tx) Delete(k stores.Key) error {
	if checkKey(k) != nil {
		return nil
	}
	p := t.place(k).inPart(k.Part)
	if _, err := t.db.Exec(t.ctx, "DELETE FROM "+p.table+" WHERE "+p.condition, p.values...); err != nil {
		return fmt.Errorf("delete %q from %s: %w", k.UID, p.table, err)
	}
	return nil
}

// Recurrences implements [stores.Tx].
func (t *tx) Recurrences(part stores.Part, uid string) ([]string, error) {
	return t.names(`SELECT DISTINCT object_recurrenceid COLLATE "C" FROM `+t.store.table("recurrences")+`
		WHERE store_user = $1 AND object_uid = $2 AND status = $3 AND object_recurrenceid IS NOT NULL ORDER BY 1`,
		string(t.user), uid, statuses[part])
}

// Counters implements [stores.Tx].
func (t *tx) Counters(id stores.ID) ([]calendar.URI, error) {
	if stores.CheckID(id) != nil {
		return nil, nil
	}
	if t.store.journal {
		return nil, nil
	}
	p := t.place(stores.Key{Part: stores.Active, ID: id})
	names, err := t.names(`SELECT DISTINCT other COLLATE "C" FROM countered_`+p.table+` WHERE `+p.condition+` AND other IS NOT NULL ORDER BY 1`, p.values...)
	return uris(names), err
}

func uris(names []string) []calendar.URI {
	list := make([]calendar.URI, len(names))
	for i, name := range names {
		list[i] = calendar.URI(name)
	}
	return list
}

// names runs a query for one text column.
func (t *tx) names(query string, values ...any) ([]string, error) {
	rows, err := t.db.Query(t.ctx, query, values...)
	if err != nil {
		return nil, fmt.Errorf("read from the database: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read from the database: %w", err)
	}
	return names, nil
}

// Keys implements [stores.Tx].
func (t *tx) Keys() iter.Seq2[stores.Key, error] {
	return func(yield func(stores.Key, error) bool) {
		rows, err := t.db.Query(t.ctx, t.textsQuery("0, ''"), string(t.user))
		if err != nil {
			yield(stores.Key{}, fmt.Errorf("list the objects in the database: %w", err))
			return
		}
		keys, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (stores.Key, error) {
			k, _, _, err := scanText(row)
			return k, err
		})
		if err != nil {
			yield(stores.Key{}, fmt.Errorf("list the objects in the database: %w", err))
			return
		}
		for _, k := range keys {
			if !yield(k, nil) {
				return
			}
		}
	}
}

// textsQuery asks for all texts of a user, with SQL expressions for what is wanted of each
// besides its key, its size and the text itself. Parents come before recurrences.
func (t *tx) textsQuery(wanted string) string {
	query := `SELECT 0, status, object_uid, '' AS recurrenceid, '' AS other, ` + wanted + ` FROM ` + t.store.table("objects") + ` WHERE store_user = $1 AND object_uid IS NOT NULL
		UNION ALL SELECT 1, status, object_uid, object_recurrenceid, '', ` + wanted + ` FROM ` + t.store.table("recurrences") + ` WHERE store_user = $1 AND object_uid IS NOT NULL`
	if !t.store.journal {
		query += `
		UNION ALL SELECT 2, '', object_uid, '', other, ` + wanted + ` FROM countered_objects WHERE store_user = $1 AND object_uid IS NOT NULL
		UNION ALL SELECT 3, '', object_uid, object_recurrenceid, other, ` + wanted + ` FROM countered_recurrences WHERE store_user = $1 AND object_uid IS NOT NULL`
	}
	return query + " ORDER BY 1"
}

// scanText reads a row of textsQuery.
func scanText(row pgx.CollectableRow) (k stores.Key, size int64, text []byte, err error) {
	var kind int
	var status, recurrenceID, other *string
	if err := row.Scan(&kind, &status, &k.UID, &recurrenceID, &other, &size, &text); err != nil {
		return k, 0, nil, err
	}
	switch {
	case kind >= 2:
		k.Part = stores.Countered
	case value(status) == statuses[stores.Cancelled]:
		k.Part = stores.Cancelled
	}
	k.RecurrenceID, k.Other = value(recurrenceID), calendar.URI(value(other))
	return k, size, text, nil
}

// value returns a column's text; NULL is none.
func value(column *string) string {
	if column == nil {
		return ""
	}
	return *column
}

// Published implements [stores.Tx].
func (t *tx) Published() ([]byte, error) {
	if t.published != nil {
		return t.published, nil
	}
	if t.store.options.Published == nil {
		return nil, fmt.Errorf("published free/busy of %s: %w", t.user, stores.ErrNotFound)
	}
	return t.store.options.Published.Read(t.user)
}

// Publish implements [stores.Tx].
func (t *tx) Publish(text []byte) error {
	if t.store.options.Published == nil {
		return errors.New("publishing free/busy: no directory is set: set PUBLISH_DIR")
	}
	t.published = append([]byte{}, text...)
	return nil
}
