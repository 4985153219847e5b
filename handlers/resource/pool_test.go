package resource_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/postgresql"
	"imip-agent/stores/postgresql/postgresqltest"
	memory "imip-agent/tests/room"
	"imip-agent/tests/skip"
)

func TestMain(m *testing.M) {
	memory.InMemory()
	os.Exit(postgresqltest.Main(m))
}

// meeting is a store where so many critical sections wait for one another, each with all that it holds.
type meeting struct {
	stores.Store
	sections sync.WaitGroup
	entered  sync.Map // by user
}

func (m *meeting) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	return m.Store.Update(ctx, user, func(tx stores.Tx) error {
		if _, before := m.entered.LoadOrStore(user, true); !before {
			m.sections.Done()
		}
		m.sections.Wait()
		return fn(tx)
	})
}

// Rooms with a quota book at the same time, as many as there are connections to the database: none waits for what another one holds.
func TestAsManyAsConnections(t *testing.T) {
	skip.OnOtherDays(t)
	const number = 3
	for name, limit := range map[string]string{
		"of each pool":        " pool_max_conns=3",
		"that the server has": " user=few",
	} {
		t.Run(name, func(t *testing.T) {
			where := postgresqltest.Database(t)
			all := postgresql.Options{ConnInfo: where, LockPerUser: true, LockTimeout: time.Minute}
			makeTables(t, all)
			execute(t, where, "DROP ROLE IF EXISTS few", fmt.Sprintf("CREATE ROLE few LOGIN CONNECTION LIMIT %d", number))
			t.Cleanup(func() { execute(t, where, "DROP OWNED BY few", "DROP ROLE few") })
			execute(t, where, "GRANT ALL ON ALL TABLES IN SCHEMA public TO few")
			all.ConnInfo += limit
			store, err := postgresql.Open(t.Context(), all)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			journal, err := postgresql.OpenJournal(t.Context(), all)
			if err != nil {
				t.Fatal(err)
			}
			defer journal.Close()

			s := newSite(t)
			s.settings.SchedulingFunction = "schedule_in_freebusy\ncheck_quota " + rooms
			together := &meeting{Store: store}
			together.sections.Add(number)
			s.Store, s.Journal = together, func() (stores.Journal, error) { return journal, nil }
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var wg sync.WaitGroup
			for i := range number {
				own := *s.Handler
				to := fmt.Sprintf("room%d@example.com", i)
				own.Recipients = []string{to}
				wg.Go(func() {
					text := message(paul, "REQUEST", event(fmt.Sprintf("UID:meeting%d", i), "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:"+to))
					if err := own.Handle(ctx, strings.NewReader(text)); err != nil {
						t.Errorf("for %s: %v", to, err)
					}
				})
			}
			wg.Wait()
			if answers := s.others.Taken(); len(answers) != number {
				t.Errorf("%d answers, want %d", len(answers), number)
			}
		})
	}
}

// makeTables makes the tables of a store and a journal with a quota.
func makeTables(t *testing.T, o postgresql.Options) {
	t.Helper()
	store, err := postgresql.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := store.CreateSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	journal, err := postgresql.OpenJournal(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	if _, err := journal.CreateSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = journal.Update(t.Context(), rooms, func(tx stores.JournalTx) error { return tx.SetList("limits", [][]string{{"*", "*"}}) })
	if err != nil {
		t.Fatal(err)
	}
}

// execute does something in a database as its owner.
func execute(t *testing.T, where string, statements ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	db, err := pgx.Connect(ctx, where)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(ctx)
	for _, statement := range statements {
		if _, err := db.Exec(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
