package postgresql

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// stampLayout is how the tables' columns hold a date-time, in UTC.
const stampLayout = "20060102T150405Z"

// tableNames are the free/busy tables in the database.
var tableNames = map[stores.TableKind]string{stores.Own: "freebusy", stores.Offers: "freebusy_offers", stores.Other: "freebusy_other"}

// tableName returns the name of a free/busy table in the database.
func (t *tx) tableName(which stores.Table) string { return t.store.table(tableNames[which.Kind]) }

// identity is what tells the records of a table apart.
type identity struct {
	start, end        int64 // seconds since 1970
	uid, recurrenceID string
	attendee          string // in a journal
}

// recordColumns are the columns that all free/busy tables share.
var recordColumns = []string{"start", "end", "object_uid", "transp", "object_recurrenceid", "summary", "organiser"}

// layoutOf returns how a free/busy table is laid out, and which column it has besides
// those that all share; empty: none.
func (t *tx) layoutOf(which stores.Table) (layout freebusy.Layout, column string) {
	switch {
	case which.Kind == stores.Offers:
		return freebusy.Expiring, "expires"
	case which.Kind == stores.Other && t.store.journal:
		return freebusy.Attended, "attendee"
	}
	return freebusy.Plain, ""
}

// Periods implements [stores.Tx].
func (t *tx) Periods(which stores.Table) (*freebusy.Table, error) {
	if table := t.periods[which]; table != nil {
		return table, nil
	}
	if which.Kind == stores.Other {
		if err := stores.CheckText("user", string(which.Other)); err != nil {
			return nil, err
		}
	} else if t.store.journal && which.Kind == stores.Own {
		return freebusy.New(freebusy.Plain), nil // a journal has none
	} else if t.store.journal {
		if there, err := t.keepsOffers(); err != nil || !there {
			return freebusy.New(freebusy.Expiring), err
		}
	}
	table, err := t.readPeriods(which)
	if err != nil {
		return nil, fmt.Errorf("read the table %s: %w", t.tableName(which), err)
	}
	if t.periods == nil {
		t.periods = make(map[stores.Table]*freebusy.Table)
	}
	t.periods[which] = table
	return table, nil
}

// keepsOffers reports whether a journal has a table of offers. It is ours: a database that was made for the original
// has none, and keeps none then.
func (t *tx) keepsOffers() (there bool, err error) {
	err = t.db.QueryRow(t.ctx, "SELECT to_regclass($1) IS NOT NULL", journalOffers.name).Scan(&there)
	if err != nil {
		return false, fmt.Errorf("look for the table %s: %w", journalOffers.name, err)
	}
	return there, nil
}

func (t *tx) readPeriods(which stores.Table) (*freebusy.Table, error) {
	layout, column := t.layoutOf(which)
	columns := quoted(recordColumns) + ", " + cmp.Or(column, "NULL")
	condition, values := "store_user = $1", []any{string(t.user)}
	if which.Kind == stores.Other {
		condition, values = condition+" AND other = $2", append(values, string(which.Other))
	}
	rows, err := t.db.Query(t.ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s LIMIT %d", columns, t.tableName(which), condition, maxRecords+1), values...)
	if err != nil {
		return nil, err
	}
	var periods []freebusy.Period
	count := 0
	seen := make(map[identity]bool)
	c := make([]*string, 8)
	into := make([]any, len(c))
	for i := range c {
		into[i] = &c[i]
	}
	_, err = pgx.ForEachRow(rows, into, func() error {
		if count++; count > maxRecords {
			return fmt.Errorf("%s has more than %d records; find out what they are, and remove them", t.user, maxRecords)
		}
		p := freebusy.Period{
			UID: value(c[2]), Transp: value(c[3]), RecurrenceID: value(c[4]), Summary: value(c[5]), Organizer: value(c[6]),
		}
		var startErr, endErr error
		p.Start, startErr = time.Parse(stampLayout, value(c[0]))
		p.End, endErr = time.Parse(stampLayout, value(c[1]))
		if startErr != nil || endErr != nil {
			t.store.options.Log.Warn("a free/busy record with times that cannot be read is passed over",
				"user", string(t.user), "table", t.tableName(which), "uid", p.UID, "start", value(c[0]), "end", value(c[1]))
			t.damaged(which, c, freebusy.BadTimes)
			return nil
		}
		if layout == freebusy.Attended {
			p.Attendee = value(c[7])
		} else {
			p.Expires, _ = time.Parse(stampLayout, value(c[7]))
		}
		same := identity{p.Start.Unix(), p.End.Unix(), p.UID, p.RecurrenceID, p.Attendee}
		if seen[same] {
			t.damaged(which, c, freebusy.Twice)
			return nil
		}
		seen[same] = true
		periods = append(periods, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return freebusy.New(layout, periods...), nil
}

// flush writes what changed in the tables that were read.
func (t *tx) flush() error {
	for which, table := range t.periods {
		removed, inserted := table.Changes()
		if err := t.removePeriods(which, removed); err != nil {
			return fmt.Errorf("remove records from the table %s: %w", t.tableName(which), err)
		}
		if err := t.insertPeriods(which, inserted); err != nil {
			return fmt.Errorf("add records to the table %s: %w", t.tableName(which), err)
		}
	}
	return nil
}

// removePeriods deletes records by the columns that tell them apart.
func (t *tx) removePeriods(which stores.Table, periods []freebusy.Period) error {
	if len(periods) == 0 {
		return nil
	}
	var starts, ends, uids, recurrenceIDs, attendees []string
	for _, p := range periods {
		starts, ends = append(starts, p.Start.UTC().Format(stampLayout)), append(ends, p.End.UTC().Format(stampLayout))
		uids, recurrenceIDs = append(uids, p.UID), append(recurrenceIDs, p.RecurrenceID)
		attendees = append(attendees, p.Attendee)
	}
	query := `DELETE FROM ` + t.tableName(which) + ` AS f
		USING unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) AS gone(s, e, u, r, a)
		WHERE f.store_user = $1 AND f."start" = gone.s AND f."end" = gone.e
			AND coalesce(f.object_recurrenceid, '') = gone.r`
	values := []any{string(t.user), starts, ends, uids, recurrenceIDs, attendees}
	if which.Kind == stores.Other {
		query, values = query+" AND f.other = $7", append(values, string(which.Other))
	}
	if layout, _ := t.layoutOf(which); layout == freebusy.Attended {
		query += " AND coalesce(f.attendee, '') = gone.a"
	}
	_, err := t.db.Exec(t.ctx, query+" AND f.object_uid = gone.u", values...)
	if err == nil && slices.Contains(uids, "") { // as the index does not find them
		_, err = t.db.Exec(t.ctx, query+" AND f.object_uid IS NULL AND gone.u = ''", values...)
	}
	return err
}

// insertPeriods adds records by COPY.
func (t *tx) insertPeriods(which stores.Table, periods []freebusy.Period) error {
	if len(periods) == 0 {
		return nil
	}
	layout, column := t.layoutOf(which)
	columns := append([]string{"store_user"}, recordColumns...)
	if which.Kind == stores.Other {
		columns = append(columns, "other")
	}
	if column != "" {
		columns = append(columns, column)
	}
	_, err := t.db.CopyFrom(t.ctx, pgx.Identifier{t.tableName(which)}, columns, pgx.CopyFromSlice(len(periods), func(i int) ([]any, error) {
		p := periods[i]
		row := []any{string(t.user), p.Start.UTC().Format(stampLayout), p.End.UTC().Format(stampLayout), null(p.UID),
			null(p.Transp), null(p.RecurrenceID), null(p.Summary), null(p.Organizer)}
		if which.Kind == stores.Other {
			row = append(row, string(which.Other))
		}
		switch layout {
		case freebusy.Expiring:
			expires := ""
			if !p.Expires.IsZero() {
				expires = p.Expires.UTC().Format(stampLayout)
			}
			row = append(row, null(expires))
		case freebusy.Attended:
			row = append(row, null(p.Attendee))
		}
		return row, nil
	}))
	return err
}

// null returns a column's value for a text, without what no column can hold.
func null(text string) *string {
	if text == "" {
		return nil
	}
	text = strings.ReplaceAll(text, "\x00", " ")
	return &text
}

// Others implements [stores.Tx].
func (t *tx) Others() ([]calendar.URI, error) {
	names, err := t.names(`SELECT DISTINCT other FROM `+t.store.table("freebusy_other")+` WHERE store_user = $1 AND other IS NOT NULL`, string(t.user))
	if err != nil {
		return nil, err
	}
	others := make(map[calendar.URI]bool)
	for _, name := range names {
		others[calendar.URI(name)] = true
	}
	for which, table := range t.periods {
		if which.Kind == stores.Other {
			others[which.Other] = table.Len() > 0
		}
	}
	maps.DeleteFunc(others, func(_ calendar.URI, known bool) bool { return !known })
	return slices.Sorted(maps.Keys(others)), nil
}

// Requests implements [stores.Tx].
func (t *tx) Requests() ([]stores.Request, error) {
	if t.queueRead || t.store.journal { // a journal has none
		return slices.Clone(t.queue), nil
	}
	// The table has no column for the order of the queue; rows of one page stand
	// in the order in which they came.
	rows, err := t.db.Query(t.ctx, "SELECT object_uid, object_recurrenceid, request_type FROM requests WHERE store_user = $1 ORDER BY ctid", string(t.user))
	if err != nil {
		return nil, fmt.Errorf("read the request queue: %w", err)
	}
	queue, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (stores.Request, error) {
		var uid, recurrenceID, kind *string
		err := row.Scan(&uid, &recurrenceID, &kind)
		return stores.Request{ID: stores.ID{UID: value(uid), RecurrenceID: value(recurrenceID)}, Type: value(kind)}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the request queue: %w", err)
	}
	t.queue, t.queueRead = queue, true
	return slices.Clone(queue), nil
}

// SetRequests implements [stores.Tx].
func (t *tx) SetRequests(queue []stores.Request) error {
	for _, r := range queue {
		if err := stores.CheckRequest(r); err != nil {
			return err
		}
	}
	t.queueRead = false
	if t.store.journal {
		if len(queue) > 0 {
			return errors.New("a journal has no request queue")
		}
		return nil
	}
	if _, err := t.db.Exec(t.ctx, "DELETE FROM requests WHERE store_user = $1", string(t.user)); err != nil {
		return fmt.Errorf("replace the request queue: %w", err)
	}
	_, err := t.db.CopyFrom(t.ctx, pgx.Identifier{"requests"}, []string{"store_user", "object_uid", "object_recurrenceid", "request_type"},
		pgx.CopyFromSlice(len(queue), func(i int) ([]any, error) {
			return []any{string(t.user), queue[i].UID, null(queue[i].RecurrenceID), null(queue[i].Type)}, nil
		}))
	if err != nil {
		return fmt.Errorf("replace the request queue: %w", err)
	}
	return nil
}

// Providers implements [stores.Tx].
func (t *tx) Providers() (stores.Providers, error) {
	var providers stores.Providers
	until, err := t.names(`SELECT "start" FROM `+t.store.table("freebusy_provider_datetimes")+` WHERE store_user = $1 AND "start" IS NOT NULL`, string(t.user))
	if err != nil || len(until) == 0 {
		return providers, err
	}
	if providers.Until, err = time.Parse(stampLayout, until[0]); err != nil {
		t.store.options.Log.Warn("the date-time in freebusy_provider_datetimes cannot be read", "user", string(t.user), "start", until[0])
		return stores.Providers{}, nil
	}
	rows, err := t.db.Query(t.ctx, "SELECT object_uid, object_recurrenceid FROM "+t.store.table("freebusy_providers")+" WHERE store_user = $1 ORDER BY ctid", string(t.user))
	if err != nil {
		return providers, fmt.Errorf("read the table freebusy_providers: %w", err)
	}
	providers.Events, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (stores.ID, error) {
		var uid, recurrenceID *string
		err := row.Scan(&uid, &recurrenceID)
		return stores.ID{UID: value(uid), RecurrenceID: value(recurrenceID)}, err
	})
	if err != nil {
		return providers, fmt.Errorf("read the table freebusy_providers: %w", err)
	}
	return providers, nil
}

// SetProviders implements [stores.Tx].
func (t *tx) SetProviders(providers stores.Providers) error {
	for _, table := range []string{"freebusy_providers", "freebusy_provider_datetimes"} {
		if _, err := t.db.Exec(t.ctx, "DELETE FROM "+t.store.table(table)+" WHERE store_user = $1", string(t.user)); err != nil {
			return fmt.Errorf("replace the table %s: %w", table, err)
		}
	}
	if providers.Until.IsZero() {
		return nil
	}
	if _, err := t.db.Exec(t.ctx, `INSERT INTO `+t.store.table("freebusy_provider_datetimes")+` (store_user, "start") VALUES ($1, $2)`,
		string(t.user), providers.Until.UTC().Format(stampLayout)); err != nil {
		return fmt.Errorf("replace the table freebusy_provider_datetimes: %w", err)
	}
	_, err := t.db.CopyFrom(t.ctx, pgx.Identifier{t.store.table("freebusy_providers")}, []string{"store_user", "object_uid", "object_recurrenceid"},
		pgx.CopyFromSlice(len(providers.Events), func(i int) ([]any, error) {
			return []any{string(t.user), providers.Events[i].UID, null(providers.Events[i].RecurrenceID)}, nil
		}))
	if err != nil {
		return fmt.Errorf("replace the table freebusy_providers: %w", err)
	}
	return nil
}
