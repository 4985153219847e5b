package freebusy

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/postgresql"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/stores/preferences"
	"imip-agent/tests/room"
)

func TestMain(m *testing.M) {
	room.InMemory()
	os.Exit(postgresqltest.Main(m))
}

const (
	paul    calendar.URI = "mailto:paul.boddie@example.com"
	vincent calendar.URI = "mailto:vincent.vole@example.com"
)

// noon is when the tests begin; a window of 100 days ends on 2 March 2027.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// everyStore runs a test with each kind of store. Each call of empty returns a store
// without records.
func everyStore(t *testing.T, run func(t *testing.T, empty func(*testing.T) stores.Store)) {
	t.Run("file", func(t *testing.T) {
		run(t, func(t *testing.T) stores.Store {
			dir := t.TempDir()
			store, err := file.Open(file.Options{Dir: dir + "/store", PublishDir: dir + "/static"})
			if err != nil {
				t.Fatal(err)
			}
			return store
		})
	})
	t.Run("postgresql", func(t *testing.T) {
		where := postgresqltest.Database(t)
		calendars := published{}
		store, err := postgresql.Open(t.Context(), postgresql.Options{
			ConnInfo: where, LockTimeout: time.Minute, Published: calendars, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		if _, err := store.CreateSchema(t.Context()); err != nil {
			t.Fatal(err)
		}
		db, err := pgx.Connect(t.Context(), where)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close(context.Background())
		run(t, func(t *testing.T) stores.Store {
			clear(calendars)
			_, err := db.Exec(t.Context(), `DO $$ DECLARE t record; BEGIN
				FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
				LOOP EXECUTE 'DELETE FROM ' || quote_ident(t.tablename); END LOOP; END $$`)
			if err != nil {
				t.Fatal(err)
			}
			return store
		})
	})
}

// published keeps published calendars beside a database.
type published map[calendar.URI][]byte

func (p published) Read(user calendar.URI) ([]byte, error) {
	if text := p[user]; text != nil {
		return text, nil
	}
	return nil, stores.ErrNotFound
}

func (p published) Write(user calendar.URI, text []byte) error {
	p[user] = text
	return nil
}

// settings are the same preferences for everybody.
type settings preferences.Preferences

func (s settings) Load(calendar.URI) (preferences.Preferences, error) {
	return preferences.Preferences(s), nil
}

var usual = settings{Zone: time.UTC, WindowSize: 100, Sharing: true, Publishing: true}

// maker returns what works on a store at a time.
func maker(store stores.Store, now time.Time) *Maker {
	return &Maker{
		Store: store, Preferences: usual, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }, Keep: true,
	}
}

// records are a user's records as the tests give and compare them.
type records struct {
	texts     map[stores.Key]string
	table     string // lines with spaces for TABs
	providers stores.Providers
	requests  []stores.Request
}

// lay puts a user's records into a store.
func (r records) lay(t *testing.T, store stores.Store, user calendar.URI, which stores.Table) {
	t.Helper()
	err := store.Update(t.Context(), user, func(tx stores.Tx) error {
		for key, text := range r.texts {
			if err := tx.Put(key, []byte(text)); err != nil {
				return err
			}
		}
		table, err := tx.Periods(which)
		if err != nil {
			return err
		}
		given, damages := freebusy.Read([]byte(tabbed(r.table)), freebusy.Plain)
		if len(damages) > 0 {
			t.Fatalf("the test's table: %v", damages)
		}
		for p := range given.All() {
			table.Insert(p)
		}
		if err := tx.SetRequests(r.requests); err != nil {
			return err
		}
		return tx.SetProviders(r.providers)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// state returns a user's table and providers.
func state(t *testing.T, store stores.Store, user calendar.URI, which stores.Table) (table string, providers stores.Providers) {
	t.Helper()
	err := store.View(t.Context(), user, func(tx stores.Tx) error {
		periods, err := tx.Periods(which)
		if err != nil {
			return err
		}
		table = spaced(string(periods.Append(nil)))
		providers, err = tx.Providers()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return table, providers
}

func tabbed(text string) string { return strings.ReplaceAll(text, " ", "\t") }
func spaced(text string) string { return strings.ReplaceAll(text, "\t", " ") }

func active(uid, recurrenceID string) stores.Key {
	return stores.Key{Part: stores.Active, ID: stores.ID{UID: uid, RecurrenceID: recurrenceID}}
}

func cancelled(uid, recurrenceID string) stores.Key {
	return stores.Key{Part: stores.Cancelled, ID: stores.ID{UID: uid, RecurrenceID: recurrenceID}}
}

// event returns an object of Paul's, as stored, with more properties.
func event(uid string, lines ...string) string {
	return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nSUMMARY:s\r\nORGANIZER:" + string(paul) + "\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\n"
}

// counting counts the texts that are read.
type counting struct {
	stores.Store
	read int
}

func (c *counting) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	return c.Store.Update(ctx, user, func(tx stores.Tx) error { return fn(countingTx{tx, c}) })
}

type countingTx struct {
	stores.Tx
	c *counting
}

func (tx countingTx) Get(key stores.Key) ([]byte, error) {
	text, err := tx.Tx.Get(key)
	if !errors.Is(err, stores.ErrNotFound) {
		tx.c.read++
	}
	return text, err
}
