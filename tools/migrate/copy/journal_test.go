package copy_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/postgresql"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/stores/storestest"
	"imip-agent/tools/migrate"
	"imip-agent/tools/migrate/copy"
)

const rooms calendar.URI = "mailto:rooms@example.com"

// withJournal adds a journal of files to a side.
func withJournal(t testing.TB, side *copy.Side, dir string) *copy.Side {
	t.Helper()
	journal, err := file.OpenJournal(file.Options{Dir: dir, LockTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	side.Journal, side.JournalNamed = journal, true
	return side
}

// withTables adds a journal in a database of its own to a side.
func withTables(t testing.TB, side *copy.Side) *copy.Side {
	t.Helper()
	journal, err := postgresql.OpenJournal(t.Context(), postgresql.Options{ConnInfo: postgresqltest.Database(t), LockTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { journal.Close() })
	if _, err := journal.CreateSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	side.Journal, side.JournalNamed, side.Unordered = journal, true, true
	return side
}

func updateQuota(t testing.TB, side *copy.Side, fn func(stores.JournalTx) error) {
	t.Helper()
	if err := side.Journal.Update(t.Context(), rooms, fn); err != nil {
		t.Fatal(err)
	}
}

// quotaState is what there is of a quota.
type quotaState struct {
	Lists     map[string][][]string
	Booked    []freebusy.Period
	Text      string
	Providers stores.Providers
}

func stateOf(t testing.TB, side *copy.Side) (s quotaState) {
	t.Helper()
	s.Lists = map[string][][]string{}
	err := side.Journal.View(t.Context(), rooms, func(tx stores.JournalTx) error {
		for _, l := range stores.QuotaLists {
			lines, err := tx.List(l.Name)
			if err != nil {
				return err
			}
			s.Lists[l.Name] = lines
		}
		table, err := tx.Periods(stores.Table{Kind: stores.Other, Other: "staff"})
		if err != nil {
			return err
		}
		s.Booked = slices.Collect(table.All())
		text, err := tx.Get(key("u"))
		if err != nil {
			return err
		}
		s.Text = string(text)
		s.Providers, err = tx.Providers()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A journal goes along, with the order of its lists where both sides have one, and with the
// bookings of several resources for one event.
func TestJournal(t *testing.T) {
	from := withJournal(t, files(t, t.TempDir()), t.TempDir())
	start := time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC)
	delegates := [][]string{{"mailto:zoo@example.com"}, {"mailto:attic@example.com"}, {"mailto:hall@example.com"}}
	limits := [][]string{{"staff", "PT1H"}, {"*", "*"}}
	updateQuota(t, from, func(tx stores.JournalTx) error {
		table, err := tx.Periods(stores.Table{Kind: stores.Other, Other: "staff"})
		if err != nil {
			return err
		}
		for _, room := range delegates {
			table.Insert(freebusy.Period{Start: start, End: start.Add(time.Hour), UID: "u", Transp: "OPAQUE", Attendee: room[0]})
		}
		for name, lines := range map[string][][]string{"delegates": delegates, "limits": limits, "groups": {{"mailto:paul@example.com", "staff"}}} {
			if err := tx.SetList(name, lines); err != nil {
				return err
			}
		}
		if err := tx.SetProviders(stores.Providers{Until: start, Events: []stores.ID{{UID: "u"}}}); err != nil {
			return err
		}
		return tx.Put(key("u"), storestest.Event("u", "", "Meeting"))
	})
	for _, to := range []*copy.Side{
		withJournal(t, files(t, t.TempDir()), t.TempDir()),
		withTables(t, database(t)),
	} {
		mustCopy(t, from, to, copy.Options{Verify: true}, nil)
		ordered := func(s quotaState) quotaState {
			if to.Unordered {
				for _, lines := range s.Lists {
					slices.SortFunc(lines, slices.Compare)
				}
			}
			return s
		}
		want := ordered(stateOf(t, from))
		if diff := cmp.Diff(want, stateOf(t, to)); diff != "" {
			t.Fatalf("the copy differs:\n%s", diff)
		}
		if result := mustCopy(t, from, to, copy.Options{Verify: true}, nil); result.Changed != 0 || result.Verified != 1 {
			t.Errorf("again: %d changed, %d verified", result.Changed, result.Verified)
		}
		// And back.
		back := withJournal(t, files(t, t.TempDir()), t.TempDir())
		mustCopy(t, to, back, copy.Options{Verify: true}, nil)
		if diff := cmp.Diff(want, stateOf(t, back)); diff != "" {
			t.Errorf("the copy of the copy differs:\n%s", diff)
		}

		// Another order is a change, and so is a line; what somebody adds in the target stays.
		updateQuota(t, to, func(tx stores.JournalTx) error {
			return tx.SetList("groups", [][]string{{"mailto:paul@example.com", "staff"}, {"mailto:vera@example.com", "guests"}})
		})
		slices.Reverse(delegates)
		updateQuota(t, from, func(tx stores.JournalTx) error {
			if err := tx.SetList("delegates", delegates); err != nil {
				return err
			}
			return tx.SetList("limits", limits[1:])
		})
		mustCopy(t, from, to, copy.Options{}, map[migrate.Kind]int{migrate.Newer: 1})
		want = ordered(stateOf(t, from))
		want.Lists["groups"] = append(want.Lists["groups"], []string{"mailto:vera@example.com", "guests"})
		if diff := cmp.Diff(want, stateOf(t, to)); diff != "" {
			t.Errorf("after a change, the copy differs:\n%s", diff)
		}
		updateQuota(t, from, func(tx stores.JournalTx) error { return tx.SetList("limits", limits) })
	}
}

// A quota with a list that cannot be read is not copied, and the line is named.
func TestUnreadableList(t *testing.T) {
	dir := t.TempDir()
	from, to := withJournal(t, files(t, t.TempDir()), dir), withJournal(t, files(t, t.TempDir()), t.TempDir())
	if err := os.Mkdir(dir+"/"+string(rooms), 0o770); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/"+string(rooms)+"/limits", []byte("staff PT1H\nothers\n"), 0o660); err != nil {
		t.Fatal(err)
	}
	result := mustCopy(t, from, to, copy.Options{}, map[migrate.Kind]int{migrate.Failed: 1})
	if text := result.Issues[0].Text; text != dir+`/mailto:rooms@example.com/limits, line 2: "others": it has 1 word, and must have 2` {
		t.Errorf("it says: %s", text)
	}
	for quota := range to.Journal.Quotas(t.Context()) {
		t.Errorf("%s is there", quota)
	}
}
