package storestest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// The quotas of the tests.
const (
	Cars  calendar.URI = "mailto:cars@example.com"
	Rooms calendar.URI = "mailto:rooms@example.com"
)

// RunJournal tests the journals that open returns. Each call must return an empty one, and a
// store beside it, with locks and, where that is possible, a place in common.
func RunJournal(t *testing.T, open func(t *testing.T) (stores.Journal, stores.Store)) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, stores.Journal, stores.Store)
	}{
		{"bookings", bookings},
		{"bookings of several resources", severalResources},
		{"passed on", passedOn},
		{"lists", lists},
		{"what no list has", badLists},
		{"events of quotas", quotaEvents},
		{"nothing on failure", journalFailure},
		{"a user and a quota", userAndQuota},
		{"quotas at once", quotasAtOnce},
		{"several quotas", severalQuotas},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, s := open(t)
			defer func() {
				if err := errors.Join(j.Close(), s.Close()); err != nil {
					t.Error(err)
				}
			}()
			test.run(t, j, s)
		})
	}
}

func updateQuota(t *testing.T, j stores.Journal, quota calendar.URI, fn func(stores.JournalTx)) {
	t.Helper()
	ok(t, j.Update(t.Context(), quota, func(tx stores.JournalTx) error { fn(tx); return nil }))
}

func viewQuota(t *testing.T, j stores.Journal, quota calendar.URI, fn func(stores.JournalTx)) {
	t.Helper()
	ok(t, j.View(t.Context(), quota, func(tx stores.JournalTx) error { fn(tx); return nil }))
}

func wantQuotas(t *testing.T, j stores.Journal, want ...calendar.URI) {
	t.Helper()
	var got []calendar.URI
	for quota, err := range j.Quotas(t.Context()) {
		ok(t, err)
		got = append(got, quota)
	}
	equal(t, "quotas", got, want)
}

// booking is a record of a group's table: uid, on a day of December, by a resource.
func booking(uid string, day int, resource calendar.URI) freebusy.Period {
	start := time.Date(2026, 12, day, 9, 0, 0, 0, time.UTC)
	return freebusy.Period{Start: start, End: start.Add(time.Hour), UID: uid, Transp: "OPAQUE", Summary: "Trip", Attendee: string(resource)}
}

func group(name string) stores.Table {
	return stores.Table{Kind: stores.Other, Other: calendar.URI(name)}
}

func booked(t *testing.T, tx stores.JournalTx, name string) []freebusy.Period {
	t.Helper()
	table, err := tx.Periods(group(name))
	ok(t, err)
	return slices.Collect(table.All())
}

// What groups have booked names the resource, and quotas have it apart.
func bookings(t *testing.T, j stores.Journal, _ stores.Store) {
	rows := []freebusy.Period{booking("u1", 2, Harvey), booking("u1", 3, Vincent), booking("u2", 3, Harvey)}
	updateQuota(t, j, Cars, func(tx stores.JournalTx) {
		if tx.User() != Cars {
			t.Errorf("records of %s", tx.User())
		}
		table, err := tx.Periods(group("staff"))
		ok(t, err)
		for _, row := range rows {
			table.Insert(row)
		}
	})
	updateQuota(t, j, Rooms, func(tx stores.JournalTx) {
		table, err := tx.Periods(group(string(Paul)))
		ok(t, err)
		table.Insert(rows[2])
	})
	viewQuota(t, j, Cars, func(tx stores.JournalTx) {
		equal(t, "bookings", booked(t, tx, "staff"), rows)
		groups, err := tx.Others()
		ok(t, err)
		equal(t, "groups", groups, []calendar.URI{"staff"})
	})
	viewQuota(t, j, Rooms, func(tx stores.JournalTx) {
		equal(t, "bookings", booked(t, tx, string(Paul)), rows[2:])
		equal(t, "bookings of the other quota", booked(t, tx, "staff"), nil)
	})
	wantQuotas(t, j, Cars, Rooms)
}

// What is passed on expires, and quotas have it apart.
func passedOn(t *testing.T, j stores.Journal, _ stores.Store) {
	offers := func(tx stores.JournalTx) *freebusy.Table {
		table, err := tx.Periods(stores.Table{Kind: stores.Offers})
		ok(t, err)
		return table
	}
	var rows []freebusy.Period
	for day, uid := range []string{"u1", "u2", "u3"} {
		row := booking(uid, day+2, "")
		row.Organizer, row.Expires = string(Harvey), row.Start.AddDate(0, 0, -1)
		rows = append(rows, row)
	}
	updateQuota(t, j, Cars, func(tx stores.JournalTx) { offers(tx).InsertAll(rows) })
	updateQuota(t, j, Cars, func(tx stores.JournalTx) {
		equal(t, "passed on", slices.Collect(offers(tx).All()), rows)
		if n := offers(tx).DropExpired(rows[0].Expires); n != 1 {
			t.Errorf("%d have expired", n)
		}
		offers(tx).Remove("u3", "")
	})
	viewQuota(t, j, Cars, func(tx stores.JournalTx) {
		equal(t, "passed on", slices.Collect(offers(tx).All()), rows[1:2])
		groups, err := tx.Others()
		ok(t, err)
		equal(t, "groups", groups, nil)
	})
	viewQuota(t, j, Rooms, func(tx stores.JournalTx) {
		equal(t, "passed on in another quota", slices.Collect(offers(tx).All()), nil)
	})
}

// The lists of a quota are replaced as a whole.
func lists(t *testing.T, j stores.Journal, _ stores.Store) {
	want := map[string][][]string{
		"delegates": {{string(Harvey)}, {string(Vincent)}},
		"groups":    {{string(Paul), "staff"}, {"*", "others"}},
		"limits":    {{"staff", "PT10H"}, {"*", "*"}},
	}
	updateQuota(t, j, Cars, func(tx stores.JournalTx) {
		for name, lines := range want {
			ok(t, tx.SetList(name, lines[1:]))
			ok(t, tx.SetList(name, lines))
		}
		if err := tx.SetList("requests", nil); err == nil {
			t.Error("a list that there is not was set")
		}
	})
	viewQuota(t, j, Cars, func(tx stores.JournalTx) {
		for name, lines := range want {
			got, err := tx.List(name)
			ok(t, err)
			byText := func(a, b []string) int { return slices.Compare(a, b) }
			slices.SortFunc(got, byText)
			slices.SortFunc(lines, byText)
			if !slices.EqualFunc(got, lines, slices.Equal) {
				t.Errorf("list %s: %q, want %q", name, got, lines)
			}
		}
	})
	viewQuota(t, j, Rooms, func(tx stores.JournalTx) {
		if got, err := tx.List("limits"); err != nil || len(got) > 0 {
			t.Errorf("limits of another quota: %q, %v", got, err)
		}
	})
	wantQuotas(t, j, Cars)
}

// Records of one event at one time, by several resources, are apart: one can go alone.
func severalResources(t *testing.T, j stores.Journal, _ stores.Store) {
	rows := []freebusy.Period{booking("u", 2, Harvey), booking("u", 2, Paul), booking("u", 2, Vincent)}
	change := func(fn func(table *freebusy.Table)) {
		updateQuota(t, j, Cars, func(tx stores.JournalTx) {
			table, err := tx.Periods(group("staff"))
			ok(t, err)
			fn(table)
		})
	}
	want := func(want ...freebusy.Period) {
		t.Helper()
		viewQuota(t, j, Cars, func(tx stores.JournalTx) { equal(t, "bookings", booked(t, tx, "staff"), want) })
	}
	change(func(table *freebusy.Table) {
		for _, i := range []int{2, 0, 1} {
			if !table.Insert(rows[i]) {
				t.Errorf("the booking by %s is taken for another one", rows[i].Attendee)
			}
		}
		if table.Insert(rows[1]) {
			t.Error("a booking is there twice")
		}
	})
	want(rows...)
	change(func(table *freebusy.Table) {
		if removed := table.RemoveFunc(func(p freebusy.Period) bool { return p.Attendee == string(Paul) }); removed != 1 {
			t.Errorf("%d bookings removed", removed)
		}
	})
	want(rows[0], rows[2])
	change(func(table *freebusy.Table) { table.Remove("u", "") })
	want()
}

// Lines that no list can have are refused, and change nothing.
func badLists(t *testing.T, j stores.Journal, _ stores.Store) {
	want := [][]string{{"a b", "PT1H"}, {"it's", "PT2H"}}
	updateQuota(t, j, Cars, func(tx stores.JournalTx) { ok(t, tx.SetList("limits", want)) })
	for _, words := range [][]string{{"one"}, {"one", "two", "three"}, {"", "PT1H"}, {"a\nb", "PT1H"}, {"\xff", "PT1H"}} {
		err := j.Update(t.Context(), Cars, func(tx stores.JournalTx) error { return tx.SetList("limits", [][]string{words}) })
		if unstorable := (*stores.UnstorableError)(nil); !errors.As(err, &unstorable) {
			t.Errorf("%q: %v", words, err)
		}
	}
	viewQuota(t, j, Cars, func(tx stores.JournalTx) {
		if got, err := tx.List("limits"); err != nil || !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("limits: %q, %v", got, err)
		}
	})
}

// A journal keeps events as a store does.
func quotaEvents(t *testing.T, j stores.Journal, _ stores.Store) {
	whole, one := key(stores.Active, "u", "", ""), key(stores.Active, "u", "20261202T090000Z", "")
	end := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	updateQuota(t, j, Cars, func(tx stores.JournalTx) {
		ok(t, tx.Put(whole, Event("u", "", "Trip")))
		ok(t, tx.Put(one, Event("u", "20261202T090000Z", "Trip")))
		ok(t, tx.SetProviders(stores.Providers{Until: end, Events: []stores.ID{whole.ID}}))
	})
	updateQuota(t, j, Cars, func(tx stores.JournalTx) { ok(t, tx.Delete(one)) })
	viewQuota(t, j, Cars, func(tx stores.JournalTx) {
		text, err := tx.Get(whole)
		if err != nil || string(text) != string(Event("u", "", "Trip")) {
			t.Errorf("got %q, %v", text, err)
		}
		if _, err := tx.Get(one); !errors.Is(err, stores.ErrNotFound) {
			t.Errorf("a deleted occurrence: %v", err)
		}
		providers, err := tx.Providers()
		if err != nil || !providers.Until.Equal(end) || !slices.Equal(providers.Events, []stores.ID{whole.ID}) {
			t.Errorf("events without end: %v, %v", providers, err)
		}
	})
}

func journalFailure(t *testing.T, j stores.Journal, _ stores.Store) {
	failed := errors.New("no luck")
	err := j.Update(t.Context(), Cars, func(tx stores.JournalTx) error {
		ok(t, tx.Put(key(stores.Active, "u", "", ""), Event("u", "", "Trip")))
		ok(t, tx.SetList("limits", [][]string{{"*", "PT1H"}}))
		table, err := tx.Periods(group("staff"))
		ok(t, err)
		table.Insert(booking("u", 2, Harvey))
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	viewQuota(t, j, Cars, func(tx stores.JournalTx) {
		if _, err := tx.Get(key(stores.Active, "u", "", "")); !errors.Is(err, stores.ErrNotFound) {
			t.Errorf("an event is stored: %v", err)
		}
		limits, err := tx.List("limits")
		ok(t, err)
		if len(limits) > 0 || len(booked(t, tx, "staff")) > 0 {
			t.Error("a change that failed is stored")
		}
	})
}

// A quota is changed within a user's critical section, and what is known of users stays apart
// from what is known of quotas.
func userAndQuota(t *testing.T, j stores.Journal, s stores.Store) {
	update(t, s, Harvey, func(tx stores.Tx) {
		ok(t, tx.Put(key(stores.Active, "u", "", ""), Event("u", "", "Trip")))
		updateQuota(t, j, Cars, func(tx stores.JournalTx) {
			table, err := tx.Periods(group("staff"))
			ok(t, err)
			table.Insert(booking("u", 2, Harvey))
		})
	})
	view(t, s, Harvey, func(tx stores.Tx) {
		wantText(t, tx, key(stores.Active, "u", "", ""), Event("u", "", "Trip"))
		viewQuota(t, j, Cars, func(tx stores.JournalTx) {
			equal(t, "bookings", booked(t, tx, "staff"), []freebusy.Period{booking("u", 2, Harvey)})
			if _, err := tx.Get(key(stores.Active, "u", "", "")); !errors.Is(err, stores.ErrNotFound) {
				t.Errorf("the user's event is the quota's: %v", err)
			}
		})
	})
	view(t, s, Cars, func(tx stores.Tx) {
		if others, err := tx.Others(); err != nil || len(others) > 0 {
			t.Errorf("a quota is a user who knows of %v, %v", others, err)
		}
	})
}

// Users at once, each with the same quota inside, lose nothing and do not wait for ever.
func quotasAtOnce(t *testing.T, j stores.Journal, s stores.Store) {
	const times = 10
	people := []calendar.URI{Paul, Vincent, Harvey}
	failures := make(chan error)
	for _, user := range people {
		go func() {
			var err error
			for i := 0; i < times && err == nil; i++ {
				err = s.Update(t.Context(), user, func(stores.Tx) error {
					return j.Update(t.Context(), Cars, func(tx stores.JournalTx) error {
						table, err := tx.Periods(group("staff"))
						if err == nil {
							table.Insert(booking(string(user), 1+i, user))
						}
						return err
					})
				})
			}
			failures <- err
		}()
	}
	for range people {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	viewQuota(t, j, Cars, func(tx stores.JournalTx) {
		if got := len(booked(t, tx, "staff")); got != times*len(people) {
			t.Errorf("%d bookings, want %d", got, times*len(people))
		}
	})
}

// Several quotas are changed together, in the order of their names, whoever else wants them.
func severalQuotas(t *testing.T, j stores.Journal, s stores.Store) {
	const times = 10
	orders := [][]calendar.URI{{Rooms, Cars}, {Cars, Rooms, Cars}, {Rooms}}
	failures := make(chan error)
	for n, quotas := range orders {
		user := []calendar.URI{Paul, Vincent, Harvey}[n]
		go func() {
			var err error
			for i := 0; i < times && err == nil; i++ {
				err = s.Update(t.Context(), user, func(tx stores.Tx) error {
					update := j.UpdateAll
					if i%2 > 0 {
						update = func(ctx context.Context, quotas []calendar.URI, fn func([]stores.JournalTx) error) error {
							return stores.UpdateWithin(ctx, tx, j, quotas, fn)
						}
					}
					return update(t.Context(), quotas, func(all []stores.JournalTx) error {
						for i, tx := range all {
							if i > 0 && all[i-1].User() >= tx.User() {
								return errors.New("quotas out of order")
							}
						}
						for _, tx := range all {
							table, err := tx.Periods(group("staff"))
							if err != nil {
								return err
							}
							table.Insert(booking(string(user), 1+i, user))
						}
						return nil
					})
				})
			}
			failures <- err
		}()
	}
	for range orders {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	failed := errors.New("no luck")
	err := j.UpdateAll(t.Context(), orders[0], func(all []stores.JournalTx) error {
		for _, tx := range all {
			ok(t, tx.SetList("limits", [][]string{{"*", "PT1H"}}))
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	ok(t, j.ViewAll(t.Context(), orders[0], func(all []stores.JournalTx) error {
		for i, tx := range all {
			limits, err := tx.List("limits")
			ok(t, err)
			if got := len(booked(t, tx, "staff")); got != times*(2+i) || len(limits) > 0 {
				t.Errorf("%s: %d bookings, limits %q", tx.User(), got, limits)
			}
		}
		return nil
	}))
	ran := false
	ok(t, j.UpdateAll(t.Context(), nil, func(all []stores.JournalTx) error { ran = len(all) == 0; return nil }))
	if !ran {
		t.Error("without quotas nothing was done")
	}
}
