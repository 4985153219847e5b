package postgresql

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/stores/storestest"
)

func TestMain(m *testing.M) { os.Exit(postgresqltest.Main(m)) }

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
		ConnInfo: connInfo, LockPerUser: perUser, LockTimeout: 10 * time.Second,
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
	if len(created) != 2*len(s.tables()) {
		t.Errorf("created %d things in an empty database, want a table and an index for each of %d", len(created), len(s.tables()))
	}
	if missing, err := s.Schema(ctx); err != nil || len(missing) != 0 {
		t.Errorf("after creating all, missing %v, error %v", missing, err)
	}
	for _, damage := range []struct{ do, want string }{
		{`DROP INDEX imip_agent_freebusy`, "no index on table freebusy"},
		{`ALTER TABLE freebusy_offers DROP COLUMN expires`, "no column expires in table freebusy_offers"},
		{`DROP TABLE requests`, "no table requests"},
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

func TestStore(t *testing.T) {
	for name, perUser := range map[string]bool{"store lock": false, "user lock": true} {
		t.Run(name, func(t *testing.T) {
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
