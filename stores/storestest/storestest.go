// Package storestest says in tests what every store of package stores must do, whatever
// it keeps its records in. A store's own tests call [Run], and add what is particular.
package storestest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// The people of the tests.
const (
	Paul    calendar.URI = "mailto:paul.boddie@example.com"
	Vincent calendar.URI = "mailto:vincent.vole@example.com"
	Harvey  calendar.URI = "mailto:harvey.horse@example.com"
)

// Run tests the stores that open returns. Each call must return an empty one.
func Run(t *testing.T, open func(t *testing.T) stores.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, stores.Store)
	}{
		{"texts", texts},
		{"parts", parts},
		{"own changes", ownChanges},
		{"keys", keys},
		{"odd UIDs", oddUIDs},
		{"unstorable", unstorable},
		{"nothing on failure", nothingOnFailure},
		{"nothing on panic", nothingOnPanic},
		{"nothing on cancellation", nothingOnCancellation},
		{"view drops changes", viewDrops},
		{"snapshot", snapshot},
		{"users", users},
		{"users in another letter case", letterCase},
		{"no user without records", noUserWithoutRecords},
		{"free/busy", freeBusy},
		{"offers", offers},
		{"others", others},
		{"requests", requests},
		{"providers", providers},
		{"published", publishing},
		{"outbox: with the other changes", outboxCommit},
		{"outbox: the first letter of a name", outboxFirst},
		{"outbox: crossing off", outboxCrossOff},
		{"outbox: large mails", outboxLarge},
		{"outbox: one at a time", outboxAlone},
		{"outbox: names", outboxNames},
		{"outbox: notes", outboxNotes},
		{"caller's buffers", buffers},
		{"one at a time", oneAtATime},
		{"users side by side", sideBySide},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			test.run(t, s)
		})
	}
}

// Event returns a text as a store would keep it.
func Event(uid, recurrenceID, summary string) []byte {
	text := "BEGIN:VEVENT\r\nUID:" + uid + "\r\n"
	if recurrenceID != "" {
		text += "RECURRENCE-ID:" + recurrenceID + "\r\n"
	}
	return []byte(text + "SUMMARY:" + summary + "\r\nDTSTAMP:20261122T120000Z\r\n" +
		"DTSTART:20261202T090000Z\r\nDTEND:20261202T100000Z\r\nEND:VEVENT\r\n")
}

func update(t *testing.T, s stores.Store, user calendar.URI, fn func(stores.Tx)) {
	t.Helper()
	err := s.Update(t.Context(), user, func(tx stores.Tx) error {
		fn(tx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, s stores.Store, user calendar.URI, fn func(stores.Tx)) {
	t.Helper()
	err := s.View(t.Context(), user, func(tx stores.Tx) error {
		fn(tx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// must returns a value of which the store gave no error.
func must[T any](t *testing.T, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func key(part stores.Part, uid, recurrenceID string, other calendar.URI) stores.Key {
	return stores.Key{Part: part, ID: stores.ID{UID: uid, RecurrenceID: recurrenceID}, Other: other}
}

func wantText(t *testing.T, tx stores.Tx, k stores.Key, want []byte) {
	t.Helper()
	got, err := tx.Get(k)
	if err != nil || string(got) != string(want) {
		t.Errorf("text of %v: %q, %v; want %q", k, got, err, want)
	}
}

func wantNone(t *testing.T, tx stores.Tx, k stores.Key) {
	t.Helper()
	if got, err := tx.Get(k); !errors.Is(err, stores.ErrNotFound) {
		t.Errorf("text of %v: %q, %v; want none", k, got, err)
	}
}

func allKeys(t *testing.T, tx stores.Tx) []stores.Key {
	t.Helper()
	var all []stores.Key
	for k, err := range tx.Keys() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	return all
}

// at returns an instant of the day on which the tests take place.
func at(hour int) time.Time { return time.Date(2026, 12, 2, hour, 0, 0, 0, time.UTC) }

func busy(uid, recurrenceID string, hour int) freebusy.Period {
	return freebusy.Period{
		Start: at(hour), End: at(hour + 1), UID: uid, RecurrenceID: recurrenceID,
		Transp: "OPAQUE", Summary: "Meeting", Organizer: string(Paul),
	}
}

func periods(t *testing.T, tx stores.Tx, table stores.Table) []freebusy.Period {
	t.Helper()
	return slices.Collect(must2(t, tx, table).All())
}

func must2(t *testing.T, tx stores.Tx, table stores.Table) *freebusy.Table {
	t.Helper()
	periods, err := tx.Periods(table)
	if err != nil {
		t.Fatal(err)
	}
	return periods
}

var errOnPurpose = errors.New("on purpose")

func nothingOnFailure(t *testing.T, s stores.Store) {
	k := key(stores.Active, "u1", "", "")
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.Put(k, Event("u1", "", "first"))) })
	err := s.Update(t.Context(), Paul, func(tx stores.Tx) error {
		ok(t, tx.Put(k, Event("u1", "", "second")))
		ok(t, tx.Put(key(stores.Active, "u2", "", ""), Event("u2", "", "x")))
		must2(t, tx, stores.Table{}).Insert(busy("u1", "", 9))
		ok(t, tx.SetRequests([]stores.Request{{ID: k.ID}}))
		return errOnPurpose
	})
	if !errors.Is(err, errOnPurpose) {
		t.Errorf("got %v", err)
	}
	view(t, s, Paul, func(tx stores.Tx) { unchanged(t, tx, k) })
}

// unchanged sees that only the first version of the event is stored.
func unchanged(t *testing.T, tx stores.Tx, k stores.Key) {
	t.Helper()
	wantText(t, tx, k, Event("u1", "", "first"))
	equal(t, "keys", allKeys(t, tx), []stores.Key{k})
	if n := must2(t, tx, stores.Table{}).Len(); n != 0 {
		t.Errorf("%d periods, want none", n)
	}
	if r, err := tx.Requests(); err != nil || len(r) != 0 {
		t.Errorf("requests %v, %v; want none", r, err)
	}
}

func nothingOnPanic(t *testing.T, s stores.Store) {
	k := key(stores.Active, "u1", "", "")
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.Put(k, Event("u1", "", "first"))) })
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		s.Update(t.Context(), Paul, func(tx stores.Tx) error {
			ok(t, tx.Put(k, Event("u1", "", "second")))
			panic("on purpose")
		})
	}()
	// The lock has been given back.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ok(t, s.Update(ctx, Paul, func(tx stores.Tx) error {
		unchanged(t, tx, k)
		return nil
	}))
}

func nothingOnCancellation(t *testing.T, s stores.Store) {
	k := key(stores.Active, "u1", "", "")
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.Put(k, Event("u1", "", "first"))) })
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, Paul, func(tx stores.Tx) error {
		ok(t, tx.Put(k, Event("u1", "", "second")))
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancellation", err)
	}
	view(t, s, Paul, func(tx stores.Tx) { unchanged(t, tx, k) })
}

func viewDrops(t *testing.T, s stores.Store) {
	k := key(stores.Active, "u1", "", "")
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.Put(k, Event("u1", "", "first"))) })
	view(t, s, Paul, func(tx stores.Tx) {
		ok(t, tx.Put(k, Event("u1", "", "second")))
		wantText(t, tx, k, Event("u1", "", "second"))
		must2(t, tx, stores.Table{}).Insert(busy("u1", "", 9))
		ok(t, tx.SetRequests([]stores.Request{{ID: k.ID}}))
		ok(t, tx.Delete(k))
	})
	view(t, s, Paul, func(tx stores.Tx) { unchanged(t, tx, k) })
	err := s.View(t.Context(), Paul, func(stores.Tx) error { return errOnPurpose })
	if !errors.Is(err, errOnPurpose) {
		t.Errorf("got %v", err)
	}
}

func users(t *testing.T, s stores.Store) {
	for _, user := range []calendar.URI{Vincent, Paul, Harvey} {
		update(t, s, user, func(tx stores.Tx) {
			if tx.User() != user {
				t.Errorf("transaction of %s, want %s", tx.User(), user)
			}
			ok(t, tx.Put(key(stores.Active, "u1", "", ""), Event("u1", "", string(user))))
		})
	}
	var got []calendar.URI
	for user, err := range s.Users(t.Context()) {
		ok(t, err)
		got = append(got, user)
	}
	equal(t, "users", got, []calendar.URI{Harvey, Paul, Vincent})
	for range s.Users(t.Context()) {
		break // must not be called again after that
	}
	for _, user := range got {
		view(t, s, user, func(tx stores.Tx) {
			wantText(t, tx, key(stores.Active, "u1", "", ""), Event("u1", "", string(user)))
		})
	}
}

func letterCase(t *testing.T, s stores.Store) {
	named := func(user, want calendar.URI) {
		t.Helper()
		if got, err := s.Named(t.Context(), user); got != want || err != nil {
			t.Errorf("%s is named %s, want %s; error %v", user, got, want, err)
		}
	}
	const shouting, mixed, kelvin = "mailto:PAUL.BODDIE@EXAMPLE.COM", "mailto:Paul.Boddie@example.com", "mailto:Å@\u212a.example"
	named(Paul, Paul)
	named(shouting, shouting)
	for _, user := range []calendar.URI{mixed, Harvey, kelvin} {
		update(t, s, user, func(tx stores.Tx) { ok(t, tx.Put(key(stores.Active, "u1", "", ""), Event("u1", "", "x"))) })
	}
	named(Paul, mixed)
	named(shouting, mixed)
	named(mixed, mixed)
	named(Vincent, Vincent)
	named("mailto:å@\u212a.EXAMPLE", kelvin)
	named("mailto:å@k.example", "mailto:å@k.example") // with a k, and not the sign of the unit
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.Put(key(stores.Active, "u1", "", ""), Event("u1", "", "x"))) })
	named(Paul, Paul)
	named(shouting, mixed) // the first of the two
	named("mailto:a/b@example.com", "mailto:a/b@example.com")
	named("", "")
}

func noUserWithoutRecords(t *testing.T, s stores.Store) {
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.Put(key(stores.Active, "u1", "", ""), Event("u1", "", "x"))) })
	update(t, s, Vincent, func(tx stores.Tx) {
		ok(t, tx.Delete(key(stores.Active, "u1", "", "")))
		must2(t, tx, stores.Table{}).Remove("u1", "")
		ok(t, tx.SetRequests(nil))
	})
	view(t, s, Harvey, func(tx stores.Tx) { equal(t, "keys", allKeys(t, tx), nil) })
	for user, err := range s.Users(t.Context()) {
		ok(t, err)
		if user != Paul {
			t.Errorf("user %s has no records", user)
		}
	}
}

func oneAtATime(t *testing.T, s stores.Store) {
	const writers, times = 8, 3
	errs := make(chan error, writers)
	for range writers {
		go func() {
			errs <- func() error {
				for range times {
					err := s.Update(t.Context(), Paul, func(tx stores.Tx) error {
						table, err := tx.Periods(stores.Table{})
						if err != nil {
							return err
						}
						n := table.Len()
						requests, err := tx.Requests()
						if err != nil {
							return err
						}
						uid := fmt.Sprintf("u%02d", n)
						table.Insert(busy(uid, "", 9))
						if err := tx.SetRequests(append(requests, stores.Request{ID: stores.ID{UID: uid}})); err != nil {
							return err
						}
						return tx.Put(key(stores.Active, uid, "", ""), Event(uid, "", "x"))
					})
					if err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range writers {
		ok(t, <-errs)
	}
	view(t, s, Paul, func(tx stores.Tx) {
		if n := must2(t, tx, stores.Table{}).Len(); n != writers*times {
			t.Errorf("%d periods, want %d", n, writers*times)
		}
		for i, r := range must2r(t, tx) {
			if want := fmt.Sprintf("u%02d", i); r.UID != want {
				t.Errorf("request %d is for %s, want %s", i, r.UID, want)
			}
		}
		if n := len(allKeys(t, tx)); n != writers*times {
			t.Errorf("%d texts, want %d", n, writers*times)
		}
	})
}

func must2r(t *testing.T, tx stores.Tx) []stores.Request {
	t.Helper()
	requests, err := tx.Requests()
	ok(t, err)
	return requests
}

// sideBySide sees that one user's critical section does not keep another user out,
// unless the store says so by taking its time; either way both finish.
func sideBySide(t *testing.T, s stores.Store) {
	done := make(chan error, 2)
	for _, user := range []calendar.URI{Paul, Vincent} {
		go func() {
			done <- s.Update(t.Context(), user, func(tx stores.Tx) error {
				return tx.Put(key(stores.Active, "u1", "", ""), Event("u1", "", string(user)))
			})
		}()
	}
	ok(t, <-done)
	ok(t, <-done)
	for _, user := range []calendar.URI{Paul, Vincent} {
		view(t, s, user, func(tx stores.Tx) {
			wantText(t, tx, key(stores.Active, "u1", "", ""), Event("u1", "", string(user)))
		})
	}
}
