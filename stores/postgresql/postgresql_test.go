package postgresql

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/stores/storestest"
	"imip-agent/tests/room"
	"imip-agent/tests/skip"
)

func TestMain(m *testing.M) {
	room.InMemory()
	os.Exit(postgresqltest.Main(m))
}

// memory keeps published calendars.
type memory map[calendar.URI][]byte

func (m memory) Read(user calendar.URI) ([]byte, error) {
	if text := m[user]; text != nil {
		return text, nil
	}
	return nil, stores.ErrNotFound
}

func (m memory) Write(user calendar.URI, text []byte) error {
	m[user] = text
	return nil
}

func open(t *testing.T, connInfo string, perUser bool) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{
		ConnInfo: connInfo, LockPerUser: perUser, LockTimeout: time.Minute,
		Published: memory{}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSchema(t *testing.T) {
	ctx := context.Background()
	s := open(t, postgresqltest.Database(t), false)
	created, err := s.CreateSchema(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(s.tables()) + 1; len(created) != 2*want { // and the outbox
		t.Errorf("created %d things in an empty database, want a table and an index for each of %d", len(created), want)
	}
	if missing, err := s.Schema(ctx); err != nil || len(missing) != 0 {
		t.Errorf("after creating all, missing %v, error %v", missing, err)
	}
	for _, damage := range []struct{ do, want string }{
		{`DROP INDEX imip_agent_freebusy`, "missing: an index on table freebusy"},
		{`ALTER TABLE freebusy_offers DROP COLUMN expires`, "missing: column expires of table freebusy_offers"},
		{`DROP TABLE requests`, "missing: table requests"},
	} {
		if _, err := s.pool.Exec(ctx, damage.do); err != nil {
			t.Fatal(err)
		}
		missing, err := s.Schema(ctx)
		if err != nil || len(missing) == 0 || missing[0].String() != damage.want {
			t.Errorf("after %s, missing %v, error %v, want %s", damage.do, missing, err, damage.want)
		}
		if _, err := s.CreateSchema(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestSchemas keeps two stores in one database, each in a schema of its own.
func TestSchemas(t *testing.T) {
	connInfo := postgresqltest.Database(t)
	public := open(t, connInfo, false)
	if _, err := public.pool.Exec(t.Context(), "CREATE SCHEMA apart"); err != nil {
		t.Fatal(err)
	}
	names, identities := make(map[string]bool), make(map[string]bool)
	for _, s := range []*Store{public, open(t, connInfo+" search_path=apart", false)} {
		identity, err := s.Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		names[s.String()], identities[identity] = true, true
	}
	if len(names) != 2 || len(identities) != 2 {
		t.Errorf("called %v, identified as %v, want two of each", names, identities)
	}
}

// TestOthersTables looks at tables that somebody else owns: they are there.
func TestOthersTables(t *testing.T) {
	ctx := context.Background()
	connInfo := postgresqltest.Database(t)
	s := open(t, connInfo, false)
	if _, err := s.CreateSchema(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(ctx, "CREATE ROLE stranger LOGIN"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = s.pool.Exec(ctx, "DROP ROLE stranger") })
	stranger := open(t, connInfo+" user=stranger", false)
	defer stranger.Close()
	if missing, err := stranger.Schema(ctx); err != nil || len(missing) != 0 {
		t.Errorf("missing %v, error %v", missing, err)
	}
	for _, err := range stranger.Users(ctx) {
		if err == nil || !strings.Contains(err.Error(), "has no permission") {
			t.Errorf("listing the users: got %v, want that the role may not", err)
		}
	}
}

// TestEncoding keeps texts in databases of other encodings than UTF-8, and with another one by
// default.
func TestEncoding(t *testing.T) {
	skip.OnOtherDays(t)
	ctx := context.Background()
	for _, test := range []struct {
		name, statement string
		suffix          string // of the database that is used
		text            string
		made, held      bool // the tables can be made, and the text be held in them
	}{
		{"default of the database", `ALTER DATABASE %s SET client_encoding = 'LATIN1'`, "", "Жук", true, true},
		{"SQL_ASCII", `CREATE DATABASE %s_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`, "_ascii", "Жук", true, true},
		{"LATIN1", `CREATE DATABASE %s_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`, "_latin", "Café", false, true},
		{"LATIN1, and other letters", `CREATE DATABASE %s_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`, "_latin", "Жук", false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			connInfo := postgresqltest.Database(t)
			first := open(t, connInfo, false)
			name := first.pool.Config().ConnConfig.Database
			if _, err := first.pool.Exec(ctx, fmt.Sprintf(test.statement, name)); err != nil {
				t.Fatal(err)
			}
			s := open(t, strings.ReplaceAll(connInfo, name, name+test.suffix), false)
			_, err := s.CreateSchema(ctx)
			if (err == nil) != test.made {
				t.Fatalf("making the tables: %v", err)
			}
			if err != nil { // somebody else has made them
				missing, err := s.Schema(ctx)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range missing {
					if _, err := s.pool.Exec(ctx, m.Create); err != nil {
						t.Fatal(err)
					}
				}
			}
			k := stores.Key{ID: stores.ID{UID: "u1"}}
			err = s.Update(ctx, storestest.Paul, func(tx stores.Tx) error { return tx.Put(k, storestest.Event("u1", "", test.text)) })
			if !test.held {
				if err == nil || !strings.Contains(err.Error(), "encoding") {
					t.Errorf("got %v, want that the encoding has not the letters", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var characters int
			if err := s.pool.QueryRow(ctx, "SELECT position('DTSTAMP:' in object_text) - position('SUMMARY:' in object_text) FROM objects").Scan(&characters); err != nil {
				t.Fatal(err)
			}
			want := len("SUMMARY:\r\n") + len([]rune(test.text))
			if test.name == "SQL_ASCII" { // knows octets only
				want = len("SUMMARY:\r\n") + len(test.text)
			}
			if characters != want {
				t.Errorf("the summary's line has %d characters in the database, want %d", characters, want)
			}
		})
	}
}

func TestStore(t *testing.T) {
	for name, perUser := range map[string]bool{"store lock": false, "user lock": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits for the server
			storestest.Run(t, func(t *testing.T) stores.Store {
				s := open(t, postgresqltest.Database(t), perUser)
				if _, err := s.CreateSchema(context.Background()); err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}

// Who holds a transaction sees the letters by it, also where the table of letters has not been made.
func TestLettersInside(t *testing.T) {
	s := open(t, postgresqltest.Database(t)+" pool_max_conns=1", false)
	if _, err := s.CreateSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	look := func() (names string) {
		err := s.Update(ctx, storestest.Paul, func(tx stores.Tx) error {
			names = ""
			letters, err := stores.LettersOf(ctx, s, tx)
			for _, l := range letters {
				names += l.Name
			}
			if err != nil {
				return err
			}
			return tx.Put(key("u1"), storestest.Event("u1", "", "Meeting"))
		})
		if err != nil {
			t.Error(err)
		}
		return names
	}
	if err := s.Note(ctx, storestest.Paul, "noted"); err != nil {
		t.Fatal(err)
	}
	if names := look(); names != "noted" {
		t.Errorf("found %q", names)
	}
	if _, err := s.pool.Exec(ctx, "DROP TABLE imip_agent_outbox"); err != nil {
		t.Fatal(err)
	}
	if names := look(); names != "" {
		t.Errorf("found %q without a table", names)
	}
}
