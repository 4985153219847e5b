package postgresql

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/stores/storestest"
	"imip-agent/tests/skip"
)

// prepared returns a store with its tables made.
func prepared(t *testing.T, connInfo string, perUser bool) *Store {
	t.Helper()
	s := open(t, connInfo, perUser)
	if _, err := s.CreateSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func put(s *Store, user calendar.URI, uid string) error {
	return s.Update(context.Background(), user, func(tx stores.Tx) error {
		return tx.Put(stores.Key{ID: stores.ID{UID: uid}}, storestest.Event(uid, "", "x"))
	})
}

// TestRestart breaks the connections in the middle of a transaction: it is done again,
// and once.
func TestRestart(t *testing.T) {
	skip.OnOtherDays(t)
	s := prepared(t, postgresqltest.Database(t), false)
	if err := put(s, storestest.Paul, "before"); err != nil {
		t.Fatal(err)
	}
	tries := 0
	err := s.Update(t.Context(), storestest.Paul, func(tx stores.Tx) error {
		if tries++; tries == 1 {
			postgresqltest.Restart(t)
		}
		table, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		start := time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC)
		table.Insert(freebusy.Period{Start: start, End: start.Add(time.Hour), UID: "after"})
		return tx.Put(stores.Key{ID: stores.ID{UID: "after"}}, storestest.Event("after", "", "x"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if tries < 2 {
		t.Errorf("tried %d times, want at least 2", tries)
	}
	err = s.View(t.Context(), storestest.Paul, func(tx stores.Tx) error {
		n := 0
		for _, err := range tx.Keys() {
			if err != nil {
				return err
			}
			n++
		}
		table, err := tx.Periods(stores.Table{})
		if err == nil && (n != 2 || table.Len() != 1) {
			t.Errorf("%d texts and %d periods, want 2 and 1", n, table.Len())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestBrokenWhileReading breaks the connection of somebody who goes on after errors: what they
// read is not taken for all that there is.
func TestBrokenWhileReading(t *testing.T) {
	skip.OnOtherDays(t)
	connInfo := postgresqltest.Database(t)
	s := prepared(t, connInfo, false)
	if err := put(s, storestest.Paul, "u1"); err != nil {
		t.Fatal(err)
	}
	other, err := pgx.Connect(t.Context(), connInfo)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(t.Context())
	tries, found := 0, 0
	err = s.View(t.Context(), storestest.Paul, func(x stores.Tx) error {
		if tries++; tries == 1 {
			terminate(t, other, x.(*tx).db.Conn().PgConn().PID())
		}
		found = 0
		for range 2 {
			if _, err := x.Get(key("u1")); err == nil {
				found++
			}
		}
		return nil
	})
	if err != nil || found != 2 || tries != 2 {
		t.Errorf("found %d times at the try %d, want twice at the second: %v", found, tries, err)
	}
}

// TestBrokenUsers lists the users over a connection that is broken.
func TestBrokenUsers(t *testing.T) {
	skip.OnOtherDays(t)
	connInfo := postgresqltest.Database(t)
	s := prepared(t, connInfo, false)
	if err := put(s, storestest.Paul, "u1"); err != nil {
		t.Fatal(err)
	}
	conn, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other, err := pgx.Connect(t.Context(), connInfo)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(t.Context())
	terminate(t, other, conn.Conn().PgConn().PID())
	conn.Release()
	n := 0
	for user, err := range s.Users(t.Context()) {
		if n++; err != nil || user != storestest.Paul {
			t.Errorf("got %q, %v", user, err)
		}
	}
	if n != 1 {
		t.Errorf("%d users, want 1", n)
	}
}

func key(uid string) stores.Key { return stores.Key{ID: stores.ID{UID: uid}} }

// terminate ends a connection, and comes back when it has ended.
func terminate(t *testing.T, by *pgx.Conn, pid uint32) {
	t.Helper()
	for there := true; there; {
		err := by.QueryRow(t.Context(), "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE pid = $1", pid).Scan(&there)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestAway asks a server that is not there.
func TestAway(t *testing.T) {
	skip.OnOtherDays(t)
	s := prepared(t, postgresqltest.Database(t), false)
	postgresqltest.Stop(t)
	defer postgresqltest.Restart(t)
	// Each tries for a while.
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := put(s, storestest.Paul, "u1"); !errors.Is(err, stores.ErrAway) {
			t.Errorf("got %v, want that the store is away", err)
		}
	})
	wg.Go(func() {
		for _, err := range s.Users(t.Context()) {
			if !errors.Is(err, stores.ErrAway) {
				t.Errorf("the users: got %v, want that the store is away", err)
			}
		}
	})
	wg.Go(func() {
		if _, err := s.Schema(t.Context()); !errors.Is(err, stores.ErrAway) {
			t.Errorf("the schema: got %v, want that the store is away", err)
		}
	})
	wg.Go(func() {
		if _, err := s.CreateSchema(t.Context()); !errors.Is(err, stores.ErrAway) {
			t.Errorf("making the schema: got %v, want that the store is away", err)
		}
	})
	wg.Wait()
}

// TestDeadlock commits against a transaction of somebody who takes no lock: a deadlock
// is resolved by trying again.
func TestDeadlock(t *testing.T) {
	skip.OnOtherDays(t)
	connInfo := postgresqltest.Database(t)
	s := prepared(t, connInfo, false)
	ctx := t.Context()
	other, err := pgx.Connect(ctx, connInfo)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(ctx)
	watcher, err := pgx.Connect(ctx, connInfo)
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Close(ctx)
	for _, statement := range []string{
		"CREATE TABLE a (n int)", "CREATE TABLE b (n int)", "INSERT INTO a VALUES (0)", "INSERT INTO b VALUES (0)",
	} {
		if _, err := other.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	tries := 0
	done := make(chan error, 1)
	err = s.Update(ctx, storestest.Paul, func(x stores.Tx) error {
		db := x.(*tx).db
		if _, err := db.Exec(ctx, "SET LOCAL deadlock_timeout = '20ms'"); err != nil {
			return err
		}
		if _, err := db.Exec(ctx, "UPDATE a SET n = n + 1"); err != nil {
			return err
		}
		if tries++; tries == 1 {
			if _, err := other.Exec(ctx, "BEGIN; SET LOCAL deadlock_timeout = '1min'; UPDATE b SET n = n + 1"); err != nil {
				return err
			}
			go func() {
				_, err := other.Exec(ctx, "UPDATE a SET n = n + 1; COMMIT")
				done <- err
			}()
			for waits := false; !waits; {
				if err := watcher.QueryRow(ctx, "SELECT count(*) > 0 FROM pg_locks WHERE pid = $1 AND NOT granted", other.PgConn().PID()).Scan(&waits); err != nil {
					return err
				}
			}
		}
		_, err := db.Exec(ctx, "UPDATE b SET n = n + 1")
		return err
	})
	if err != nil || tries != 2 {
		t.Errorf("%d tries, want 2: %v", tries, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestLocks sees who waits for whom.
func TestLocks(t *testing.T) {
	skip.OnOtherDays(t)
	for _, test := range []struct {
		name         string
		first        bool // lock per user, of who holds the lock
		second       bool // of who wants it
		user         calendar.URI
		wantsNothing bool // is let through
	}{
		{"store lock, same user", false, false, storestest.Paul, false},
		{"store lock, another user", false, false, storestest.Vincent, false},
		{"user lock, same user", true, true, storestest.Paul, false},
		{"user lock, another user", true, true, storestest.Vincent, true},
		{"user lock held, store lock wanted", true, false, storestest.Vincent, false},
		{"store lock held, user lock wanted", false, true, storestest.Vincent, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			connInfo := postgresqltest.Database(t)
			first, second := prepared(t, connInfo, test.first), open(t, connInfo, test.second)
			second.options.LockTimeout = 100 * time.Millisecond
			err := first.Update(t.Context(), storestest.Paul, func(stores.Tx) error {
				return second.Update(t.Context(), test.user, func(stores.Tx) error { return nil })
			})
			if errors.Is(err, stores.ErrLocked) == test.wantsNothing {
				t.Errorf("let through: %v, want %v: %v", err == nil, test.wantsNothing, err)
			}
		})
	}
}

// TestOriginalsLock holds the lock as the original does, for the session.
func TestOriginalsLock(t *testing.T) {
	skip.OnOtherDays(t)
	connInfo := postgresqltest.Database(t)
	for _, perUser := range []bool{false, true} {
		s := prepared(t, connInfo, perUser)
		s.options.LockTimeout = 100 * time.Millisecond
		original, err := pgx.Connect(t.Context(), connInfo)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := original.Exec(t.Context(), "select pg_advisory_lock(20160311)"); err != nil {
			t.Fatal(err)
		}
		if err := put(s, storestest.Paul, "u1"); !errors.Is(err, stores.ErrLocked) {
			t.Errorf("lock per user %v: got %v, want that it is locked", perUser, err)
		}
		original.Close(t.Context())
		s.options.LockTimeout = time.Minute // the server ends the session in its own time
		if err := put(s, storestest.Paul, "u1"); err != nil {
			t.Error(err)
		}
	}
}

// TestManyWriters has several stores, as several hosts are, add to the same tables.
func TestManyWriters(t *testing.T) {
	skip.OnOtherDays(t)
	connInfo := postgresqltest.Database(t)
	prepared(t, connInfo, false)
	const hosts, times = 4, 10
	var wg sync.WaitGroup
	for host := range hosts {
		// Some have the one setting and some the other, as while it is being changed.
		s := open(t, connInfo, host%2 == 0)
		s.options.LockTimeout = 5 * time.Minute
		for _, user := range []calendar.URI{storestest.Paul, storestest.Vincent} {
			wg.Go(func() {
				for i := range times {
					err := s.Update(context.Background(), user, func(tx stores.Tx) error {
						requests, err := tx.Requests()
						if err != nil {
							return err
						}
						return tx.SetRequests(append(requests, stores.Request{ID: stores.ID{UID: fmt.Sprintf("%d-%d", host, i)}}))
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	s := open(t, connInfo, false)
	for _, user := range []calendar.URI{storestest.Paul, storestest.Vincent} {
		err := s.View(t.Context(), user, func(tx stores.Tx) error {
			requests, err := tx.Requests()
			if len(requests) != hosts*times {
				t.Errorf("%d requests of %s, want %d", len(requests), user, hosts*times)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// A store and a journal in one database.
func TestJournal(t *testing.T) {
	for _, perUser := range []bool{false, true} {
		t.Run(fmt.Sprintf("lock per user %t", perUser), func(t *testing.T) {
			t.Parallel() // it waits for the server
			storestest.RunJournal(t, func(t *testing.T) (stores.Journal, stores.Store) {
				connInfo := postgresqltest.Database(t)
				s := open(t, connInfo, perUser)
				if _, err := s.CreateSchema(t.Context()); err != nil {
					t.Fatal(err)
				}
				j, err := OpenJournal(t.Context(), Options{ConnInfo: connInfo, LockPerUser: perUser, LockTimeout: time.Minute})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := j.CreateSchema(t.Context()); err != nil {
					t.Fatal(err)
				}
				return j, s
			})
		})
	}
}

// A journal that is where the store is changes with the user's records, or not at all. One that may be somewhere else is committed first.
func TestJoin(t *testing.T) {
	const quota calendar.URI = "mailto:rooms@example.com"
	failed := errors.New("no luck")
	fails := func() error { return failed }
	works := func() error { return nil }
	for _, test := range []struct {
		name           string
		place          string // of the journal
		inside, after  func() error
		goesOn         bool // after an error inside
		stored, booked bool
	}{
		{"all is well", "", works, works, false, true, true},
		{"the booking fails", "", fails, works, false, false, false},
		{"the booking fails, and the rest does not", "", fails, works, true, true, false},
		{"the rest fails", "", works, fails, false, false, false},
		{"the rest fails, and the journal may be somewhere else", " application_name=journal", works, fails, false, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			connInfo := postgresqltest.Database(t)
			s := prepared(t, connInfo, true)
			j, err := OpenJournal(t.Context(), Options{ConnInfo: connInfo + test.place, LockPerUser: true, LockTimeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			if _, err := j.CreateSchema(t.Context()); err != nil {
				t.Fatal(err)
			}
			err = s.Update(t.Context(), storestest.Paul, func(tx stores.Tx) error {
				if err := tx.Put(key("u1"), storestest.Event("u1", "", "Meeting")); err != nil {
					return err
				}
				err := stores.UpdateWithin(t.Context(), tx, j, []calendar.URI{quota}, func(all []stores.JournalTx) error {
					if err := all[0].SetList("limits", [][]string{{"*", "PT1H"}}); err != nil {
						return err
					}
					table, err := all[0].Periods(stores.Table{Kind: stores.Other, Other: "staff"})
					if err != nil {
						return err
					}
					table.Insert(freebusy.Period{Start: time.Unix(1e9, 0).UTC(), End: time.Unix(1e9+60, 0).UTC(), UID: "u1", Attendee: "mailto:room@example.com"})
					return test.inside()
				})
				if err != nil && !test.goesOn {
					return err
				}
				return test.after()
			})
			if (err == nil) != test.stored || err != nil && !errors.Is(err, failed) {
				t.Errorf("the change ends with %v", err)
			}
			for query, want := range map[string]bool{
				"SELECT count(*) > 0 FROM objects":                test.stored,
				"SELECT count(*) > 0 FROM quota_limits":           test.booked,
				"SELECT count(*) > 0 FROM journal_freebusy_other": test.booked,
			} {
				var there bool
				if err := s.pool.QueryRow(t.Context(), query).Scan(&there); err != nil {
					t.Fatal(err)
				}
				if there != want {
					t.Errorf("%s: %v", query, there)
				}
			}
		})
	}
}

// A database without a store's tables has no store, and neither has one that does not exist.
func TestNoStore(t *testing.T) {
	connInfo := postgresqltest.Database(t)
	for name, s := range map[string]*Store{
		"no tables":   open(t, connInfo, false),
		"no database": open(t, connInfo+" dbname=there_is_none", false),
	} {
		for user, err := range s.Users(t.Context()) {
			if !errors.Is(err, stores.ErrNoStore) || user != "" {
				t.Errorf("%s: user %q, %v", name, user, err)
			}
		}
	}
}
