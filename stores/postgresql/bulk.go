package postgresql

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"imip-agent/stores"
)

// Texts yields every text of the user, parents before their recurrences. The text must
// not be kept beyond the step; nothing else can be asked of the transaction meanwhile.
func (t *tx) Texts() iter.Seq2[stores.Text, error] {
	return func(yield func(stores.Text, error) bool) {
		// What is larger than any text of ours is not sent.
		wanted := fmt.Sprintf("coalesce(octet_length(object_text), 0), CASE WHEN octet_length(object_text) <= %d THEN object_text ELSE '' END", maxText)
		rows, err := t.db.Query(t.ctx, t.textsQuery(wanted), string(t.user))
		if err != nil {
			yield(stores.Text{}, fmt.Errorf("read the objects in the database: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			k, size, content, err := scanText(rows)
			if err != nil {
				yield(stores.Text{}, fmt.Errorf("read the objects in the database: %w", err))
				return
			}
			if size > maxText {
				yield(stores.Text{}, t.tooLarge(k, t.place(k).table, size))
				return
			}
			if !yield(stores.Text{Key: k, Content: content}, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(stores.Text{}, fmt.Errorf("read the objects in the database: %w", err))
		}
	}
}

// PutNew stores texts, by COPY, where none are: the caller has looked.
func (t *tx) PutNew(texts []stores.Text) error {
	byTable := make(map[string][]stores.Text)
	for _, text := range texts {
		if err := t.Check(text); err != nil {
			return err
		}
		p := t.place(text.Key)
		byTable[p.table] = append(byTable[p.table], text)
	}
	for _, definition := range t.store.tables() {
		list := byTable[definition.name]
		if len(list) == 0 {
			continue
		}
		_, err := t.db.CopyFrom(t.ctx, pgx.Identifier{definition.name}, definition.columns, pgx.CopyFromSlice(len(list), func(i int) ([]any, error) {
			row := make([]any, len(definition.columns))
			for n, column := range definition.columns {
				switch column {
				case "store_user":
					row[n] = string(t.user)
				case "other":
					row[n] = string(list[i].Other)
				case "object_uid":
					row[n] = list[i].UID
				case "object_recurrenceid":
					row[n] = list[i].RecurrenceID
				case "object_text":
					row[n] = string(list[i].Content)
				case "status":
					row[n] = statuses[list[i].Part]
				}
			}
			return row, nil
		}))
		if err != nil {
			return fmt.Errorf("store objects in %s: %w", definition.name, err)
		}
	}
	return nil
}

// listColumns are the columns of a quota's lists, by the names that they have as files.
var listColumns = map[string]struct {
	table   string
	columns []string
}{
	"delegates": {"quota_delegates", []string{"store_user"}},
	"groups":    {"user_groups", []string{"store_user", "user_group"}},
	"limits":    {"quota_limits", []string{"user_group", "quota_limit"}},
}

// List returns one of a quota's lists: delegates, groups or limits, in order of what they
// hold, since the tables keep none. A store's users have none.
func (t *tx) List(name string) ([][]string, error) {
	list, known := listColumns[name]
	if !known || !t.store.journal {
		return nil, nil
	}
	rows, err := t.db.Query(t.ctx, "SELECT "+quoted(list.columns)+" FROM "+list.table+" WHERE quota = $1", string(t.user))
	if err != nil {
		return nil, fmt.Errorf("read the table %s: %w", list.table, err)
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]string, error) {
		columns := make([]*string, len(list.columns))
		into := make([]any, len(columns))
		for i := range columns {
			into[i] = &columns[i]
		}
		err := row.Scan(into...)
		texts := make([]string, len(columns))
		for i, column := range columns {
			texts[i] = value(column)
		}
		return texts, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the table %s: %w", list.table, err)
	}
	slices.SortFunc(lines, slices.Compare)
	for _, words := range lines {
		if err := stores.CheckList(name, words); err != nil {
			return nil, &stores.ListError{List: "the table " + list.table, Text: strings.Join(words, " "), Reason: err.Error()}
		}
	}
	return lines, nil
}

// ListMistake implements [stores.JournalTx].
func (t *tx) ListMistake(name string, number int, reason string) *stores.ListError {
	mistake := &stores.ListError{List: "the table " + listColumns[name].table, Reason: reason}
	if lines, err := t.List(name); err == nil && number < len(lines) {
		mistake.Text = strings.Join(lines[number], " ")
	}
	return mistake
}

// SetList replaces one of a quota's lists.
func (t *tx) SetList(name string, lines [][]string) error {
	list, known := listColumns[name]
	if !known || !t.store.journal {
		return fmt.Errorf("there is no list %q in the database", name)
	}
	for _, words := range lines {
		if err := stores.CheckList(name, words); err != nil {
			return &stores.UnstorableError{What: name, Value: strings.Join(words, " "), Reason: err.Error()}
		}
	}
	if _, err := t.db.Exec(t.ctx, "DELETE FROM "+list.table+" WHERE quota = $1", string(t.user)); err != nil {
		return fmt.Errorf("replace the table %s: %w", list.table, err)
	}
	_, err := t.db.CopyFrom(t.ctx, pgx.Identifier{list.table}, append([]string{"quota"}, list.columns...),
		pgx.CopyFromSlice(len(lines), func(i int) ([]any, error) {
			row := []any{string(t.user)}
			for _, word := range lines[i] {
				row = append(row, word)
			}
			return row, nil
		}))
	if err != nil {
		return fmt.Errorf("replace the table %s: %w", list.table, err)
	}
	return nil
}
