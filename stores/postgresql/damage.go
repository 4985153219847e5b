package postgresql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"imip-agent/stores"
	"imip-agent/stores/freebusy"
)

var _ stores.Damaged = (*tx)(nil)

// damaged notes a row of a free/busy table, of the columns that readPeriods reads.
func (t *tx) damaged(which stores.Table, row []*string, flaw freebusy.Flaw) {
	d := stores.Damage{
		Table: which, ID: stores.ID{UID: value(row[2]), RecurrenceID: value(row[4])},
		Row: make([]*string, len(row)), Flaw: flaw,
	}
	for i, column := range row {
		if column != nil {
			text := *column
			d.Row[i] = &text
		}
	}
	t.damages = append(t.damages, d)
}

// Damages implements [stores.Damaged].
func (t *tx) Damages() []stores.Damage { return t.damages }

// row returns the columns of a damaged row and their values, those in front that tell
// whose it is.
func (t *tx) row(d stores.Damage) (columns []string, values []any, err error) {
	columns, values = []string{"store_user"}, []any{string(t.user)}
	if d.Table.Kind == stores.Other {
		columns, values = append(columns, "other"), append(values, string(d.Table.Other))
	}
	record := recordColumns
	if _, column := t.layoutOf(d.Table); column != "" {
		record = append(slices.Clone(record), column)
	}
	if len(d.Row) < len(record) {
		return nil, nil, fmt.Errorf("the row has %d columns, not %d", len(d.Row), len(record))
	}
	for i, column := range record {
		columns, values = append(columns, column), append(values, d.Row[i])
	}
	return columns, values, nil
}

// RemoveDamage implements [stores.Damaged].
func (t *tx) RemoveDamage(d stores.Damage) error {
	columns, values, err := t.row(d)
	if err != nil {
		return err
	}
	conditions := make([]string, len(columns))
	for i, column := range columns {
		conditions[i] = fmt.Sprintf("%s IS NOT DISTINCT FROM $%d", pgx.Identifier{column}.Sanitize(), i+1)
	}
	table := t.tableName(d.Table)
	tag, err := t.db.Exec(t.ctx, "DELETE FROM "+table+" WHERE ctid = (SELECT ctid FROM "+table+
		" WHERE "+strings.Join(conditions, " AND ")+" LIMIT 1)", values...)
	if err == nil && tag.RowsAffected() == 0 {
		err = fmt.Errorf("the row is no longer in the table %s", table)
	}
	return err
}

// RestoreDamage implements [stores.Damaged].
func (t *tx) RestoreDamage(d stores.Damage) error {
	columns, values, err := t.row(d)
	if err != nil {
		return err
	}
	_, err = t.db.CopyFrom(t.ctx, pgx.Identifier{t.tableName(d.Table)}, columns, pgx.CopyFromRows([][]any{values}))
	return err
}
