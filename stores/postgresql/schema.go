package postgresql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// table is a table of the schema.
type table struct {
	name    string
	columns []string
	indexed []string          // the columns by which rows are looked for
	types   map[string]string // the types of columns that are not text
}

// definition returns a column with its type, as SQL writes it.
func (t table) definition(column string) string {
	kind := t.types[column]
	if kind == "" {
		kind = "text"
	}
	return quoted([]string{column}) + " " + kind
}

// shared are the tables that a store and a journal have both. The first column says
// whose a row is.
var shared = []table{
	{name: "objects", columns: []string{"store_user", "object_uid", "object_text", "status"}, indexed: []string{"store_user", "object_uid"}},
	{name: "recurrences", columns: []string{"store_user", "object_uid", "object_recurrenceid", "object_text", "status"}, indexed: []string{"store_user", "object_uid", "object_recurrenceid"}},
	{name: "freebusy_other", columns: append([]string{"store_user", "other"}, periodColumns...), indexed: []string{"store_user", "other", "start", "end"}},
	{name: "freebusy_providers", columns: []string{"store_user", "object_uid", "object_recurrenceid"}, indexed: []string{"store_user", "object_uid"}},
	{name: "freebusy_provider_datetimes", columns: []string{"store_user", "start"}, indexed: []string{"store_user"}},
}

// storeOnly are the other tables of a store, journalOnly those of a journal.
var (
	storeOnly = []table{
		{name: "countered_objects", columns: []string{"store_user", "other", "object_uid", "object_text"}, indexed: []string{"store_user", "object_uid", "other"}},
		{name: "countered_recurrences", columns: []string{"store_user", "other", "object_uid", "object_recurrenceid", "object_text"}, indexed: []string{"store_user", "object_uid", "object_recurrenceid", "other"}},
		{name: "freebusy", columns: append([]string{"store_user"}, periodColumns...), indexed: []string{"store_user", "start", "end"}},
		{name: "freebusy_offers", columns: append(append([]string{"store_user"}, periodColumns...), "expires"), indexed: []string{"store_user", "start", "end"}},
		{name: "requests", columns: []string{"store_user", "object_uid", "object_recurrenceid", "request_type"}, indexed: []string{"store_user", "object_uid"}},
	}
	journalOnly = []table{
		{name: "quota_delegates", columns: []string{"quota", "store_user"}, indexed: []string{"quota"}},
		{name: "quota_limits", columns: []string{"quota", "user_group", "quota_limit"}, indexed: []string{"quota"}},
		{name: "user_groups", columns: []string{"quota", "store_user", "user_group"}, indexed: []string{"quota"}},
	}
)

// journalOffers is a table of ours, which the original does not know: what resources have passed on to others.
var journalOffers = table{
	name:    "journal_freebusy_offers",
	columns: append(append([]string{"store_user"}, periodColumns...), "expires"), indexed: []string{"store_user", "start", "end"},
}

// tables is the original's schema, as far as the store goes, or the journal.
func (s *Store) tables() []table {
	if !s.journal {
		return append(slices.Clone(shared), storeOnly...)
	}
	var all []table
	for _, t := range shared {
		t.name = s.table(t.name)
		if t.name == "journal_freebusy_other" {
			t.columns = append(slices.Clone(t.columns), "attendee")
		}
		all = append(all, t)
	}
	return append(all, journalOnly...)
}

var periodColumns = []string{"start", "end", "object_uid", "transp", "object_recurrenceid", "summary", "organiser"}

// index returns the name of the table's index.
func (t table) index() string { return "imip_agent_" + t.name }

// quoted returns names as SQL has them, in a list.
func quoted(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = pgx.Identifier{name}.Sanitize()
	}
	return strings.Join(list, ", ")
}

// Missing is something that the schema has and a database has not.
type Missing struct {
	Table  string
	Column string // empty: the whole table, or an index
	Index  string // empty: the table or a column
	// Create is the statement that mends it. It touches no data.
	Create string
}

func (m Missing) String() string {
	switch {
	case m.Index != "":
		return fmt.Sprintf("missing: an index on table %s", m.Table)
	case m.Column != "":
		return fmt.Sprintf("missing: column %s of table %s", m.Column, m.Table)
	}
	return fmt.Sprintf("missing: table %s", m.Table)
}

// Schema returns what the database lacks of the original's tables, of ours, and of
// the indexes that the queries of this package need. An index of any name counts that
// begins with the same columns.
func (s *Store) Schema(ctx context.Context) (missing []Missing, err error) {
	err = s.retry(ctx, func() (err error) {
		missing, err = s.missing(ctx)
		return err
	})
	return missing, err
}

// missing looks for what the database lacks, once.
func (s *Store) missing(ctx context.Context) ([]Missing, error) {
	// Not from information_schema, which leaves out the tables that somebody else owns.
	columns, err := s.pairs(ctx, `
		SELECT t.relname, a.attname
		FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_attribute a ON a.attrelid = t.oid
		WHERE n.nspname = ANY (current_schemas(false)) AND pg_table_is_visible(t.oid) AND t.relkind = ANY ('{r,p,v,f}')
			AND a.attnum > 0 AND NOT a.attisdropped`)
	if err != nil {
		return nil, err
	}
	indexes, err := s.pairs(ctx, `
		SELECT t.relname, string_agg(a.attname, ' ' ORDER BY k.place)
		FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
			CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place)
			JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number
		WHERE n.nspname = ANY (current_schemas(false)) AND pg_table_is_visible(t.oid) GROUP BY i.indexrelid, t.relname`)
	if err != nil {
		return nil, err
	}
	var missing []Missing
	wanted := s.tables()
	if s.journal {
		wanted = append(wanted, journalOffers)
	} else {
		wanted = append(wanted, outboxTable)
	}
	for _, t := range wanted {
		name := pgx.Identifier{t.name}.Sanitize()
		if len(columns[t.name]) == 0 {
			definitions := make([]string, len(t.columns))
			for i, column := range t.columns {
				definitions[i] = t.definition(column)
			}
			missing = append(missing, Missing{Table: t.name, Create: "CREATE TABLE " + name + " (" + strings.Join(definitions, ", ") + ")"})
		} else {
			for _, column := range t.columns {
				if !slices.Contains(columns[t.name], column) {
					missing = append(missing, Missing{Table: t.name, Column: column,
						Create: "ALTER TABLE " + name + " ADD COLUMN " + t.definition(column)})
				}
			}
		}
		key := strings.Join(t.indexed, " ")
		if !slices.ContainsFunc(indexes[t.name], func(have string) bool { return have == key || strings.HasPrefix(have, key+" ") }) {
			missing = append(missing, Missing{Table: t.name, Index: t.index(),
				Create: "CREATE INDEX " + quoted([]string{t.index()}) + " ON " + name + " (" + quoted(t.indexed) + ")"})
		}
	}
	return missing, nil
}

// CreateSchema creates what the database lacks, in one transaction, and returns
// what that was. It changes no data.
func (s *Store) CreateSchema(ctx context.Context) ([]Missing, error) {
	missing, err := s.Schema(ctx)
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	if err := s.checkEncoding(ctx); err != nil {
		return nil, err
	}
	err = s.retry(ctx, func() error {
		// Of a try before that was lost, the commit may have been done.
		left, err := s.missing(ctx)
		if err != nil {
			return err
		}
		return pgx.BeginFunc(ctx, s.pool, func(dbtx pgx.Tx) error {
			for _, m := range left {
				if _, err := dbtx.Exec(ctx, m.Create); err != nil {
					return fmt.Errorf("%s: %s: %w", m, m.Create, err)
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("create the tables: %w", err)
	}
	return missing, nil
}

// checkEncoding fails if there are characters that the database cannot hold.
func (s *Store) checkEncoding(ctx context.Context) error {
	var encoding string
	err := s.retry(ctx, func() error { return s.pool.QueryRow(ctx, "SHOW server_encoding").Scan(&encoding) })
	switch {
	case err != nil:
		return fmt.Errorf("ask for the database's encoding: %w", err)
	case encoding != "UTF8" && encoding != "SQL_ASCII":
		return fmt.Errorf("the database's encoding %s lacks characters: create one with ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
	return nil
}

// pairs runs a query for two text columns, and returns the second by the first.
func (s *Store) pairs(ctx context.Context, query string) (map[string][]string, error) {
	rows, err := s.pool.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("examine the database's tables: %w", err)
	}
	found := make(map[string][]string)
	var first, second string
	_, err = pgx.ForEachRow(rows, []any{&first, &second}, func() error {
		found[first] = append(found[first], second)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("examine the database's tables: %w", err)
	}
	return found, nil
}
