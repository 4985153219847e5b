package copy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/postgresql"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/stores/storestest"
	"imip-agent/tests/bench"
	"imip-agent/tests/clock"
	"imip-agent/tests/room"
	"imip-agent/tests/skip"
	"imip-agent/tools/migrate"
	"imip-agent/tools/migrate/copy"
)

func TestMain(m *testing.M) {
	room.InMemory()
	os.Exit(postgresqltest.Main(m))
}

// full tells whether there is time for everything.
var full = os.Getenv("IMIP_AGENT_FULL") != ""

// files returns a store of files as a side.
func files(t testing.TB, dir string) *copy.Side {
	t.Helper()
	store, err := file.Open(file.Options{Dir: dir, Deferred: true, LockTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return &copy.Side{Name: "file:" + dir, Store: store, Notes: copy.NotesDir{Path: dir + ".copied"}}
}

// database returns an empty store in a database as a side.
func database(t testing.TB) *copy.Side { return databaseAt(t, postgresqltest.Database(t)) }

func databaseAt(t testing.TB, where string) *copy.Side {
	t.Helper()
	store, err := postgresql.Open(context.Background(), postgresql.Options{ConnInfo: where, LockTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if _, err := store.CreateSchema(context.Background()); err != nil {
		t.Fatal(err)
	}
	return &copy.Side{Name: "database", Store: store, OneStatus: true, CleanTables: true, Notes: postgresql.Notes{Store: store}}
}

// tree returns the files below a directory. Empty ones are as good as none.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if len(content) > 0 {
			name, _ := filepath.Rel(dir, path)
			found[name] = string(content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// mustCopy copies and wants these numbers of issues.
func mustCopy(t testing.TB, from, to *copy.Side, o copy.Options, issues map[migrate.Kind]int) *copy.Result {
	t.Helper()
	o.Now = clock.Running(bench.Now)
	result, err := copy.Run(context.Background(), from, to, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(issues)+len(result.Number) > 0 && !maps.Equal(result.Number, issues) {
		t.Errorf("issues %v, want %v: %v", result.Number, issues, result.Issues)
	}
	return result
}

func update(t testing.TB, side *copy.Side, user calendar.URI, fn func(stores.Tx) error) {
	t.Helper()
	if err := side.Store.Update(context.Background(), user, fn); err != nil {
		t.Fatal(err)
	}
}

func key(uid string) stores.Key { return stores.Key{ID: stores.ID{UID: uid}} }

// put stores an event, with a free/busy record.
func put(tx stores.Tx, uid, summary string) error {
	table, err := tx.Periods(stores.Table{})
	if err != nil {
		return err
	}
	start := time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC)
	table.Remove(uid, "")
	table.Insert(freebusy.Period{Start: start, End: start.Add(time.Hour), UID: uid, Summary: summary, Organizer: string(tx.User())})
	return tx.Put(key(uid), storestest.Event(uid, "", summary))
}

// odd fills a store with what can be in one, and seldom is.
func odd(t testing.TB, side *copy.Side) {
	t.Helper()
	update(t, side, storestest.Paul, func(tx stores.Tx) error {
		for _, uid := range []string{"plain", "with/slash", "..", "grün 予定", strings.Repeat("long", 100), "__uid__x", "a'b\"c;d,e"} {
			for _, k := range []stores.Key{
				key(uid),
				{ID: stores.ID{UID: uid, RecurrenceID: "20261202T090000Z"}},
				{Part: stores.Cancelled, ID: stores.ID{UID: uid, RecurrenceID: "20261209"}},
				{Part: stores.Countered, ID: stores.ID{UID: uid}, Other: storestest.Vincent},
				{Part: stores.Countered, ID: stores.ID{UID: uid, RecurrenceID: "20261202T090000Z"}, Other: storestest.Harvey},
			} {
				if err := tx.Put(k, storestest.Event(uid, k.RecurrenceID, "Übung, 演習")); err != nil {
					return err
				}
			}
			for _, which := range []stores.Table{{}, {Kind: stores.Offers}, {Kind: stores.Other, Other: storestest.Vincent}} {
				table, err := tx.Periods(which)
				if err != nil {
					return err
				}
				for day := 1; day < 4; day++ {
					start := time.Date(2026, 12, day, 9, 0, 0, 0, time.UTC)
					p := freebusy.Period{Start: start, End: start.Add(time.Hour), UID: uid, Summary: "Übung", Organizer: "mailto:x@example.com"}
					if which.Kind == stores.Offers && day > 1 {
						p.Expires = start
					}
					table.Insert(p)
				}
			}
		}
		if err := tx.Put(stores.Key{Part: stores.Cancelled, ID: stores.ID{UID: "off"}}, []byte("no event at all")); err != nil {
			return err
		}
		err := tx.SetRequests([]stores.Request{
			{ID: stores.ID{UID: "z"}}, {ID: stores.ID{UID: "a", RecurrenceID: "20261202"}, Type: "COUNTER"}, {ID: stores.ID{UID: "a"}},
		})
		if err != nil {
			return err
		}
		return tx.SetProviders(stores.Providers{
			Until:  time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC),
			Events: []stores.ID{{UID: "with/slash"}, {UID: "a", RecurrenceID: "20261202T090000Z"}},
		})
	})
}

// TestRoundTrip copies stores of every shape by way of files and of a database, and
// wants the same files again.
func TestRoundTrip(t *testing.T) {
	for name, fill := range map[string]func(testing.TB, *copy.Side, string){
		"odd": func(t testing.TB, side *copy.Side, _ string) { odd(t, side) },
		"generated": func(t testing.TB, _ *copy.Side, dir string) {
			size := bench.Size{Users: 20, Events: 20, Seed: 4}
			if full {
				size.Users = 200
			}
			if err := bench.GenerateStore(dir, size); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			from := files(t, dir)
			fill(t, from, dir)
			want := tree(t, dir)
			between := map[string]*copy.Side{"files": files(t, filepath.Join(t.TempDir(), "between")), "database": database(t)}
			for name, side := range between {
				back := filepath.Join(t.TempDir(), "back")
				o := copy.Options{Verify: true}
				first := mustCopy(t, from, side, o, nil)
				if first.Verified != first.Users || first.Written.Total() == 0 {
					t.Errorf("%s: %d of %d users verified, %d items written", name, first.Verified, first.Users, first.Written.Total())
				}
				mustCopy(t, side, files(t, back), o, nil)
				if diff := cmp.Diff(want, tree(t, back)); diff != "" {
					t.Errorf("by way of %s (-want +got): %s", name, diff)
				}
				if again := mustCopy(t, from, side, o, nil); again.Changed != 0 || again.Written.Total() != 0 {
					t.Errorf("%s: copying again changes %d users", name, again.Changed)
				}
			}
			if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
				t.Errorf("the source has changed: %s", diff)
			}
		})
	}
}

// TestAgain copies, changes either side, and copies again, several times: what the target
// has of its own stays however often that is done.
func TestAgain(t *testing.T) {
	skip.OnOtherDays(t)
	type step func(stores.Tx) error
	put := func(uid, summary string) step { return func(tx stores.Tx) error { return put(tx, uid, summary) } }
	remove := func(tx stores.Tx) error {
		table, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		table.Remove("u1", "")
		return tx.Delete(key("u1"))
	}
	cancel := func(tx stores.Tx) error {
		content, err := tx.Get(key("u1"))
		if err != nil {
			return err
		}
		if err := remove(tx); err != nil {
			return err
		}
		return tx.Put(stores.Key{Part: stores.Cancelled, ID: stores.ID{UID: "u1"}}, content)
	}
	busy := func(summary string) step {
		return func(tx stores.Tx) error {
			content, err := tx.Get(key("u1"))
			if err != nil {
				return err
			}
			if err := put("u1", summary)(tx); err != nil {
				return err
			}
			return tx.Put(key("u1"), content)
		}
	}
	text := func(summary string) step {
		return func(tx stores.Tx) error { return tx.Put(key("u1"), storestest.Event("u1", "", summary)) }
	}
	free := func(tx stores.Tx) error {
		table, err := tx.Periods(stores.Table{})
		if err == nil {
			table.Remove("u1", "")
		}
		return err
	}
	none := func(stores.Tx) error { return nil }
	for _, test := range []struct {
		name           string
		source, target step
		options        copy.Options
		issues         map[migrate.Kind]int
		want           string // the summaries of u1 and u2 in the target, "-" for none, "x" if cancelled
	}{
		{"nothing", none, none, copy.Options{}, nil, "first -"},
		{"changed in the source", put("u1", "second"), none, copy.Options{}, nil, "second -"},
		{"added to the source", put("u2", "new"), none, copy.Options{}, nil, "first new"},
		{"changed in the target", none, put("u1", "newer"), copy.Options{},
			map[migrate.Kind]int{migrate.Newer: 2}, "newer -"},
		{"changed in the target, overwritten", none, put("u1", "newer"), copy.Options{Overwrite: true}, nil, "first -"},
		{"added to the target", none, put("u2", "own"), copy.Options{}, map[migrate.Kind]int{migrate.Newer: 2}, "first own"},
		{"added to the target, and others deleted", none, put("u2", "own"), copy.Options{Delete: true},
			map[migrate.Kind]int{migrate.Newer: 2}, "first own"},
		{"removed from the target", none, remove, copy.Options{}, map[migrate.Kind]int{migrate.Newer: 2}, "- -"},
		{"changed in both", put("u1", "second"), put("u1", "newer"), copy.Options{},
			map[migrate.Kind]int{migrate.Conflict: 2}, "newer -"},
		{"changed in both, and another added", func(tx stores.Tx) error {
			if err := put("u1", "second")(tx); err != nil {
				return err
			}
			return put("u2", "new")(tx)
		}, put("u1", "newer"), copy.Options{}, map[migrate.Kind]int{migrate.Conflict: 2}, "newer new"},
		{"changed in both, overwritten", put("u1", "second"), put("u1", "newer"), copy.Options{Overwrite: true}, nil, "second -"},
		{"changed in the source, removed from the target", put("u1", "second"), remove, copy.Options{},
			map[migrate.Kind]int{migrate.Conflict: 2}, "- -"},
		{"removed from the source, changed in the target", remove, put("u1", "newer"), copy.Options{},
			map[migrate.Kind]int{migrate.Conflict: 2}, "newer -"},
		{"removed from the source, changed in the target, deleted", remove, put("u1", "newer"), copy.Options{Delete: true},
			map[migrate.Kind]int{migrate.Conflict: 2}, "newer -"},
		{"changed in both to the same", put("u1", "second"), put("u1", "second"), copy.Options{}, nil, "second -"},
		{"removed from the source", remove, none, copy.Options{}, map[migrate.Kind]int{migrate.Extra: 1}, "first -"},
		{"removed from the source, nothing would be left", remove, none, copy.Options{Delete: true},
			map[migrate.Kind]int{migrate.Refused: 1}, "first -"},
		{"removed from the source, and from the target", remove, none, copy.Options{Delete: true, ForceDelete: true}, nil, "- -"},
		{"free in the source", free, none, copy.Options{}, nil, "first (not busy) -"},
		{"free in the source, changed in the target", free, text("newer"), copy.Options{Delete: true},
			map[migrate.Kind]int{migrate.Newer: 1}, "newer (busy with first) -"},
		{"busy otherwise in the source, changed in the target", busy("second"), text("newer"), copy.Options{},
			map[migrate.Kind]int{migrate.Newer: 2}, "newer (busy with first) -"},
		{"busy again in the source, removed from the target", busy("second"), remove, copy.Options{},
			map[migrate.Kind]int{migrate.Newer: 1, migrate.Conflict: 1}, "- -"},
		{"removed from the source, busy otherwise in the target", remove, busy("own"), copy.Options{Delete: true, ForceDelete: true}, nil, "- -"},
		{"cancelled in the source", cancel, none, copy.Options{}, nil, "x -"},
		{"cancelled in the target", none, cancel, copy.Options{}, map[migrate.Kind]int{migrate.Newer: 2}, "x -"},
		{"a dry run", put("u1", "second"), none, copy.Options{DryRun: true}, nil, "first -"},
	} {
		for _, to := range []string{"files", "database"} {
			t.Run(test.name+", "+to, func(t *testing.T) {
				from, target := files(t, filepath.Join(t.TempDir(), "from")), files(t, filepath.Join(t.TempDir(), "to"))
				if to == "database" {
					if !full && test.name[0] != 'c' { // making databases takes time
						skip.Because(t, "only with IMIP_AGENT_FULL")
					}
					target = database(t)
				}
				update(t, from, storestest.Paul, put("u1", "first"))
				mustCopy(t, from, target, copy.Options{}, nil)
				update(t, from, storestest.Paul, test.source)
				update(t, target, storestest.Paul, test.target)
				for range 3 {
					mustCopy(t, from, target, test.options, test.issues)
					if got := summaries(t, target); got != test.want {
						t.Errorf("the target has %q, want %q", got, test.want)
					}
				}
			})
		}
	}
}

// TestDeleteLater deletes what the source has no longer when that is said at last, and
// nothing that the target has got on its own.
func TestDeleteLater(t *testing.T) {
	from, to := files(t, filepath.Join(t.TempDir(), "from")), files(t, filepath.Join(t.TempDir(), "to"))
	update(t, from, storestest.Paul, func(tx stores.Tx) error {
		if err := put(tx, "u1", "first"); err != nil {
			return err
		}
		return put(tx, "stays", "x")
	})
	mustCopy(t, from, to, copy.Options{}, nil)
	update(t, from, storestest.Paul, func(tx stores.Tx) error { return tx.Delete(key("u1")) })
	update(t, to, storestest.Paul, func(tx stores.Tx) error { return tx.Put(key("u2"), storestest.Event("u2", "", "own")) })
	want := map[migrate.Kind]int{migrate.Extra: 1, migrate.Newer: 1}
	for range 2 {
		mustCopy(t, from, to, copy.Options{}, want)
	}
	delete(want, migrate.Extra)
	for range 2 {
		mustCopy(t, from, to, copy.Options{Delete: true}, want)
		err := to.Store.View(t.Context(), storestest.Paul, func(tx stores.Tx) error {
			if _, err := tx.Get(key("u1")); !errors.Is(err, stores.ErrNotFound) {
				t.Errorf("what was to be deleted: %v", err)
			}
			_, err := tx.Get(key("u2"))
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestGoneUser lists whom the source has no longer, until they are deleted, and nothing of
// others whom only the target has.
func TestGoneUser(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "from")
	from, to := files(t, dir), files(t, filepath.Join(t.TempDir(), "to"))
	for _, user := range []calendar.URI{storestest.Paul, storestest.Vincent} {
		update(t, from, user, func(tx stores.Tx) error { return put(tx, "u1", "first") })
	}
	mustCopy(t, from, to, copy.Options{}, nil)
	update(t, to, storestest.Harvey, func(tx stores.Tx) error { return put(tx, "u1", "own") })
	if err := os.RemoveAll(filepath.Join(dir, string(storestest.Paul))); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		result := mustCopy(t, from, to, copy.Options{}, map[migrate.Kind]int{migrate.Extra: 1})
		if len(result.Issues) != 1 || result.Issues[0].User != storestest.Paul {
			t.Errorf("%v", result.Issues)
		}
	}
	mustCopy(t, from, to, copy.Options{Users: []calendar.URI{storestest.Vincent}}, nil)
	mustCopy(t, from, to, copy.Options{Users: []calendar.URI{storestest.Paul}, Delete: true, ForceDelete: true}, nil)
	if got := summaries(t, to); got != "- -" {
		t.Errorf("the target has %q", got)
	}
	mustCopy(t, from, to, copy.Options{}, nil)
}

// killed are the notes of a copy that is killed when it has written what it was to, and
// before it has noted so.
type killed struct{ copy.Notes }

var errKilled = errors.New("killed")

func (k killed) Save(ctx context.Context, source string, notes map[string][]byte) error {
	for name := range notes {
		if strings.HasPrefix(name, "store/") || strings.HasPrefix(name, "preferences/") {
			return errKilled
		}
	}
	return k.Notes.Save(ctx, source, notes)
}

// TestChangedAfterKill changes the source after a copy of it was killed: what the target has is
// from the source and is no conflict, unless somebody has changed it there as well.
func TestChangedAfterKill(t *testing.T) {
	skip.OnOtherDays(t)
	for _, form := range []string{"files", "database"} {
		t.Run(form, func(t *testing.T) {
			from, to := files(t, filepath.Join(t.TempDir(), "from")), files(t, filepath.Join(t.TempDir(), "to"))
			if form == "database" {
				to = database(t)
			}
			from.Preferences, to.Preferences = t.TempDir(), t.TempDir()
			setting := filepath.Join(from.Preferences, string(storestest.Paul), "TZID")
			if err := os.Mkdir(filepath.Dir(setting), 0o770); err != nil {
				t.Fatal(err)
			}
			change := func(side *copy.Side, uid, summary string) {
				t.Helper()
				if err := os.WriteFile(setting, []byte(summary), 0o660); err != nil {
					t.Fatal(err)
				}
				update(t, side, storestest.Paul, func(tx stores.Tx) error { return put(tx, uid, summary) })
			}
			remove := func(side *copy.Side) {
				t.Helper()
				update(t, side, storestest.Paul, func(tx stores.Tx) error {
					table, err := tx.Periods(stores.Table{})
					if err != nil {
						return err
					}
					table.Remove("u2", "")
					return tx.Delete(key("u2"))
				})
			}
			o := copy.Options{Delete: true, Now: clock.Running(bench.Now)}
			kill := func() {
				t.Helper()
				notes := to.Notes
				to.Notes = killed{notes}
				if _, err := copy.Run(t.Context(), from, to, o); !errors.Is(err, errKilled) {
					t.Fatal(err)
				}
				to.Notes = notes
			}
			resume := func(want string, issues map[migrate.Kind]int) {
				t.Helper()
				o := o
				o.Resume = true
				mustCopy(t, from, to, o, issues)
				if got := summaries(t, to); got != want {
					t.Errorf("the target has %q, want %q", got, want)
				}
			}
			change(from, "u1", "first")
			change(from, "u2", "first")
			kill()
			change(from, "u1", "second")
			resume("second first", nil)
			change(from, "u1", "third")
			kill()
			change(from, "u1", "fourth")
			kill()
			change(from, "u1", "fifth")
			resume("fifth first", nil)
			remove(from)
			kill()
			change(from, "u2", "again")
			resume("fifth again", nil)
			change(from, "u1", "sixth")
			kill()
			update(t, to, storestest.Paul, func(tx stores.Tx) error { return put(tx, "u1", "own") })
			resume("own again", map[migrate.Kind]int{migrate.Conflict: 2})
			if content, err := os.ReadFile(filepath.Join(to.Preferences, string(storestest.Paul), "TZID")); err != nil || string(content) != "sixth" {
				t.Errorf("the preference is %q: %v", content, err)
			}
		})
	}
}

// TestPreferencesAgain leaves preferences as the target has them, however often they are
// copied.
func TestPreferencesAgain(t *testing.T) {
	from, to := files(t, filepath.Join(t.TempDir(), "from")), files(t, filepath.Join(t.TempDir(), "to"))
	update(t, from, storestest.Paul, func(tx stores.Tx) error { return put(tx, "u1", "first") })
	from.Preferences, to.Preferences = t.TempDir(), t.TempDir()
	here, there := filepath.Join(from.Preferences, string(storestest.Paul)), filepath.Join(to.Preferences, string(storestest.Paul))
	write := func(dir, name, value string) {
		t.Helper()
		if err := os.MkdirAll(dir, 0o770); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o660); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"CN", "TZID", "participating"} {
		write(here, name, "first")
	}
	mustCopy(t, from, to, copy.Options{}, nil)
	write(here, "TZID", "second")
	write(there, "CN", "newer")
	write(there, "notify_changes", "own")
	if err := os.Remove(filepath.Join(there, "participating")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		mustCopy(t, from, to, copy.Options{}, map[migrate.Kind]int{migrate.Newer: 3})
		want := map[string]string{"CN": "newer", "TZID": "second", "notify_changes": "own"}
		if diff := cmp.Diff(want, tree(t, there)); diff != "" {
			t.Errorf("(-want +got): %s", diff)
		}
	}
}

// TestDamagedPreference leaves in the target what cannot be read in the source.
func TestDamagedPreference(t *testing.T) {
	from, to := files(t, filepath.Join(t.TempDir(), "from")), files(t, filepath.Join(t.TempDir(), "to"))
	update(t, from, storestest.Paul, func(tx stores.Tx) error { return put(tx, "u1", "first") })
	from.Preferences, to.Preferences = t.TempDir(), t.TempDir()
	here, there := filepath.Join(from.Preferences, string(storestest.Paul)), filepath.Join(to.Preferences, string(storestest.Paul))
	if err := os.Mkdir(here, 0o770); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"CN", "TZID"} {
		if err := os.WriteFile(filepath.Join(here, name), []byte("first"), 0o660); err != nil {
			t.Fatal(err)
		}
	}
	mustCopy(t, from, to, copy.Options{}, nil)
	want := tree(t, there)
	if err := os.Truncate(filepath.Join(here, "TZID"), 2<<20); err != nil { // no setting is as large
		t.Fatal(err)
	}
	for range 2 {
		mustCopy(t, from, to, copy.Options{Delete: true}, map[migrate.Kind]int{migrate.Damaged: 1})
		if diff := cmp.Diff(want, tree(t, there)); diff != "" {
			t.Errorf("(-want +got): %s", diff)
		}
	}
}

// TestKeepsWhatItCannotReplace leaves an event in the target as it is when there is no
// putting the source's in its place.
func TestKeepsWhatItCannotReplace(t *testing.T) {
	from, to := files(t, filepath.Join(t.TempDir(), "from")), database(t)
	update(t, from, storestest.Paul, func(tx stores.Tx) error { return tx.Put(key("u1"), storestest.Event("u1", "", "first")) })
	mustCopy(t, from, to, copy.Options{}, nil)
	update(t, from, storestest.Paul, func(tx stores.Tx) error {
		if err := tx.Delete(key("u1")); err != nil {
			return err
		}
		return tx.Put(stores.Key{Part: stores.Cancelled, ID: stores.ID{UID: "u1"}}, storestest.Event("u1", "", "gr\xfcn"))
	})
	for range 2 {
		mustCopy(t, from, to, copy.Options{}, map[migrate.Kind]int{migrate.Unstorable: 1})
		if got := summaries(t, to); got != "first (not busy) -" {
			t.Errorf("the target has %q", got)
		}
	}
}

// TestBadNote copies nothing of a user of whom it cannot be read what was copied before.
func TestBadNote(t *testing.T) {
	from, to := files(t, filepath.Join(t.TempDir(), "from")), files(t, filepath.Join(t.TempDir(), "to"))
	update(t, from, storestest.Paul, func(tx stores.Tx) error { return put(tx, "u1", "first") })
	mustCopy(t, from, to, copy.Options{}, nil)
	update(t, to, storestest.Paul, func(tx stores.Tx) error { return put(tx, "u2", "own") })
	if err := to.Notes.Save(t.Context(), from.Name, map[string][]byte{"store/" + string(storestest.Paul): {}}); err != nil {
		t.Fatal(err)
	}
	mustCopy(t, from, to, copy.Options{Delete: true}, map[migrate.Kind]int{migrate.Failed: 1})
	if got := summaries(t, to); got != "first own" {
		t.Errorf("the target has %q", got)
	}
}

// summaries says which versions of u1 and u2 a target has.
func summaries(t *testing.T, side *copy.Side) string {
	t.Helper()
	var found []string
	err := side.Store.View(t.Context(), storestest.Paul, func(tx stores.Tx) error {
		for _, uid := range []string{"u1", "u2"} {
			content, err := tx.Get(key(uid))
			word := "-"
			if err == nil {
				_, word, _ = strings.Cut(string(content), "SUMMARY:")
				word, _, _ = strings.Cut(word, "\r\n")
			}
			if _, err := tx.Get(stores.Key{Part: stores.Cancelled, ID: stores.ID{UID: uid}}); err == nil {
				word = "x"
			}
			table, err := tx.Periods(stores.Table{})
			if err != nil {
				return err
			}
			busy := false
			for p := range table.All() {
				busy = busy || p.UID == uid
				if p.UID == uid && p.Summary != word {
					word += fmt.Sprintf(" (busy with %s)", p.Summary)
				}
			}
			if word != "-" && word != "x" && !busy {
				word += " (not busy)"
			}
			found = append(found, word)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(found, " ")
}

// TestForeignTarget copies to where somebody else's records are.
func TestForeignTarget(t *testing.T) {
	for _, test := range []struct {
		name    string
		have    string // the event that the target has
		options copy.Options
		issues  map[migrate.Kind]int
		want    string
	}{
		{"another version", "u1", copy.Options{}, map[migrate.Kind]int{migrate.Conflict: 2}, "other -"},
		{"another version, overwritten", "u1", copy.Options{Overwrite: true}, nil, "first -"},
		{"another event", "u2", copy.Options{}, map[migrate.Kind]int{migrate.Conflict: 2}, "- other"},
		{"another event, beside which it is written", "u2", copy.Options{Overwrite: true}, nil, "first other"},
		{"another event, deleted", "u2", copy.Options{Overwrite: true, Delete: true}, nil, "first -"},
	} {
		t.Run(test.name, func(t *testing.T) {
			from, to := files(t, filepath.Join(t.TempDir(), "from")), files(t, filepath.Join(t.TempDir(), "to"))
			update(t, from, storestest.Paul, func(tx stores.Tx) error { return put(tx, "u1", "first") })
			update(t, to, storestest.Paul, func(tx stores.Tx) error { return put(tx, test.have, "other") })
			mustCopy(t, from, to, test.options, test.issues)
			if got := summaries(t, to); got != test.want {
				t.Errorf("the target has %q, want %q", got, test.want)
			}
		})
	}
}

// TestCannotHold copies to a database what none can hold: it is listed, and all else
// copied.
func TestCannotHold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "from")
	from, to := files(t, dir), database(t)
	update(t, from, storestest.Paul, func(tx stores.Tx) error {
		if err := put(tx, "u1", "active"); err != nil {
			return err
		}
		if err := tx.Put(stores.Key{Part: stores.Cancelled, ID: stores.ID{UID: "u1"}}, storestest.Event("u1", "", "cancelled")); err != nil {
			return err
		}
		if err := tx.Put(key("latin"), []byte("BEGIN:VEVENT\r\nSUMMARY:gr\xfcn\r\nEND:VEVENT\r\n")); err != nil {
			return err
		}
		return put(tx, "u2", "second")
	})
	table := filepath.Join(dir, string(storestest.Paul), "freebusy")
	good, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(table, append([]byte("this is no record\n"), good...), 0o660); err != nil {
		t.Fatal(err)
	}
	update(t, from, storestest.Paul, func(tx stores.Tx) error {
		long := strings.Repeat("x", 2100)
		return tx.Put(key(long), storestest.Event(long, "", "long"))
	})
	want := tree(t, dir)
	// A dry run says the same.
	issues := map[migrate.Kind]int{migrate.Unstorable: 3, migrate.Damaged: 1}
	dry := mustCopy(t, from, to, copy.Options{DryRun: true}, issues)
	done := mustCopy(t, from, to, copy.Options{}, issues)
	if diff := cmp.Diff(done.Written, dry.Written); diff != "" {
		t.Errorf("(-copied +said to be copied): %s", diff)
	}
	err = to.Store.View(t.Context(), storestest.Paul, func(tx stores.Tx) error {
		content, err := tx.Get(key("u1"))
		if err != nil || !strings.Contains(string(content), "SUMMARY:active") {
			t.Errorf("u1 is %q, %v", content, err)
		}
		if _, err := tx.Get(key("u2")); err != nil {
			t.Error(err)
		}
		periods, err := tx.Periods(stores.Table{})
		if err == nil && periods.Len() != 2 {
			t.Errorf("%d records, want 2", periods.Len())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Errorf("the source has changed: %s", diff)
	}
}

// TestDamagedLines copies tables with lines that come out otherwise, each of which is
// listed, and with odd ones that stay as they are.
func TestDamagedLines(t *testing.T) {
	const odd = "20261202T090000Z\t20261202T100000Z\todd\tOPAQUE\t\ta\x00b \x01c\t\n"
	dir := filepath.Join(t.TempDir(), "from")
	user := filepath.Join(dir, string(storestest.Paul))
	if err := os.MkdirAll(user, 0o770); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(user, name), []byte(text), 0o660); err != nil {
			t.Fatal(err)
		}
	}
	write("freebusy", odd+
		"20261203T090000Z\t20261203T100000Z\tu1\tOPAQUE\t\tcaf\xe9\t\n"+
		"20261203T110000Z\t20261203T120000Z\tu2\tOPAQUE\t\ta\tb\tmailto:o\n"+
		"20261203T130000Z\t20261203T140000Z\tu3\tOPAQUE\t\tone\tmailto:o\n"+
		"20261203T130000Z\t20261203T140000Z\tu3\tOPAQUE\t\tother\tmailto:o\n")
	write("requests", "u1\t\t\nu1\t\t\n\t\tCOUNTER\nu2\t\t\n")
	write("freebusy-providers", "20270101T000000Z\t\nu1\t\n\t20261203T090000Z\n")
	want := tree(t, dir)
	for name, to := range map[string]*copy.Side{"files": files(t, filepath.Join(t.TempDir(), "to")), "database": database(t)} {
		t.Run(name, func(t *testing.T) {
			issues := map[migrate.Kind]int{migrate.Damaged: 6}
			if name == "database" {
				issues[migrate.Unstorable] = 1
			}
			from := files(t, dir)
			for range 2 {
				result := mustCopy(t, from, to, copy.Options{Verify: true}, issues)
				if result.Verified != 1 {
					t.Error("the sides differ")
				}
				for _, part := range []string{"line 2", "line 3", `free/busy "u3"`, `request "u1"`, "requests: line 3: there is no UID in it", "freebusy-providers: line 3: there is no UID in it"} {
					if !slices.ContainsFunc(result.Issues, func(i migrate.Issue) bool { return strings.Contains(i.String(), part) }) {
						t.Errorf("%s is not listed: %v", part, result.Issues)
					}
				}
			}
			if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
				t.Errorf("the source has changed: %s", diff)
			}
			if store, ok := to.Store.(*file.Store); ok {
				got, err := os.ReadFile(store.TablePath(storestest.Paul, stores.Table{}))
				if err != nil || !strings.HasPrefix(string(got), odd) {
					t.Errorf("%q %v", got, err)
				}
			}
		})
	}
}

// TestDamagedRows copies from a database what can be read in it, and lists the rest.
func TestDamagedRows(t *testing.T) {
	where := postgresqltest.Database(t)
	from, to := databaseAt(t, where), files(t, filepath.Join(t.TempDir(), "to"))
	update(t, from, storestest.Paul, func(tx stores.Tx) error { return put(tx, "u1", "first") })
	db, err := pgx.Connect(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	for _, query := range []string{
		`INSERT INTO freebusy SELECT * FROM freebusy`, // twice is once
		`INSERT INTO freebusy (store_user, "start", "end", object_uid) VALUES ($1, 'soon', 'later', 'u2')`,
	} {
		var args []any
		if strings.Contains(query, "$1") {
			args = []any{string(storestest.Paul)}
		}
		if _, err := db.Exec(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	result := mustCopy(t, from, to, copy.Options{Verify: true}, map[migrate.Kind]int{migrate.Damaged: 1})
	if len(result.Issues) != 1 || !strings.Contains(result.Issues[0].Text, `"u2"`) || result.Verified != 1 {
		t.Errorf("%+v", result)
	}
	if got := summaries(t, to); got != "first -" {
		t.Errorf("the target has %q", got)
	}
}

// TestVerify finds what differs between two sides.
func TestVerify(t *testing.T) {
	from, to := files(t, filepath.Join(t.TempDir(), "from")), files(t, filepath.Join(t.TempDir(), "to"))
	update(t, from, storestest.Paul, func(tx stores.Tx) error { return put(tx, "u1", "first") })
	mustCopy(t, from, to, copy.Options{Verify: true}, nil)
	update(t, to, storestest.Paul, func(tx stores.Tx) error { return put(tx, "u1", "other") })
	mustCopy(t, from, to, copy.Options{Verify: true}, map[migrate.Kind]int{migrate.Newer: 2, migrate.Differs: 2})
}

// TestVerifyFailed lists once who could not be copied.
func TestVerifyFailed(t *testing.T) {
	from, to := files(t, filepath.Join(t.TempDir(), "from")), files(t, filepath.Join(t.TempDir(), "to"))
	for _, user := range []calendar.URI{storestest.Paul, storestest.Vincent} {
		update(t, from, user, func(tx stores.Tx) error { return put(tx, "u1", "first") })
	}
	// A directory in the place of a table cannot be read.
	table := from.Store.(*file.Store).TablePath(storestest.Vincent, stores.Table{})
	if err := os.Remove(table); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(table, "x"), 0o770); err != nil {
		t.Fatal(err)
	}
	result := mustCopy(t, from, to, copy.Options{Verify: true}, map[migrate.Kind]int{migrate.Failed: 1})
	if result.Verified != 1 {
		t.Errorf("%d users are the same, want 1", result.Verified)
	}
}

// TestConcurrent copies twice at once while a writer is at work on the source.
func TestConcurrent(t *testing.T) {
	skip.OnOtherDays(t)
	from, to := files(t, filepath.Join(t.TempDir(), "from")), files(t, filepath.Join(t.TempDir(), "to"))
	if full {
		to = database(t)
	}
	users := []calendar.URI{storestest.Paul, storestest.Vincent, storestest.Harvey}
	for _, user := range users {
		update(t, from, user, func(tx stores.Tx) error { return put(tx, "first", "x") })
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 5 {
				// What both change at the same time may come out as a conflict of the one.
				if _, err := copy.Run(context.Background(), from, to, copy.Options{Now: clock.Running(bench.Now)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	const events = 20
	wg.Go(func() {
		for i := range events {
			for _, user := range users {
				update(t, from, user, func(tx stores.Tx) error { return put(tx, fmt.Sprintf("u%d", i), "x") })
			}
		}
	})
	wg.Wait()
	result := mustCopy(t, from, to, copy.Options{Verify: true}, nil)
	if result.Verified != len(users) {
		t.Errorf("%d users are the same on both sides, want %d", result.Verified, len(users))
	}
}

// TestLetters copies outboxes: what is left goes along, and so does what is done.
func TestLetters(t *testing.T) {
	const paul, vincent calendar.URI = "mailto:paul.boddie@example.com", "mailto:vincent.vole@example.com"
	letter := func(name string, mails ...string) stores.Letter {
		l := stores.Letter{Name: name}
		for _, m := range mails {
			l.Mails = append(l.Mails, stores.Mail(m))
		}
		return l
	}
	// left tells of the letters of a user, with what is left of them.
	left := func(side *copy.Side, user calendar.URI) string {
		letters, err := side.Store.Letters(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, l := range letters {
			text := l.Name + ":"
			kept := errors.New("kept")
			err := side.Store.Deliver(t.Context(), user, l.Name, func(_ int, mail io.Reader) error {
				content, err := io.ReadAll(mail)
				text += fmt.Sprintf(" %q", content)
				return errors.Join(err, kept)
			})
			if err != nil && !errors.Is(err, kept) {
				t.Fatal(err)
			}
			all = append(all, text)
		}
		slices.Sort(all)
		return strings.Join(all, "; ")
	}
	deliver := func(side *copy.Side, name string, numbers ...int) {
		kept := errors.New("kept")
		err := side.Store.Deliver(t.Context(), paul, name, func(number int, _ io.Reader) error {
			if !slices.Contains(numbers, number) {
				return kept
			}
			return nil
		})
		if err != nil && !errors.Is(err, kept) {
			t.Fatal(err)
		}
	}
	want := func(side *copy.Side, user calendar.URI, want string) {
		t.Helper()
		if got := left(side, user); got != want {
			t.Errorf("%s has %s, want %s", side.Name, got, want)
		}
	}
	for name, open := range map[string]func() *copy.Side{
		"files":    func() *copy.Side { return files(t, filepath.Join(t.TempDir(), "between")) },
		"database": func() *copy.Side { return database(t) },
		"database with one connection": func() *copy.Side {
			return databaseAt(t, postgresqltest.Database(t)+" pool_max_conns=1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			from, to, back := files(t, dir), open(), files(t, filepath.Join(t.TempDir(), "back"))
			update(t, from, paul, func(tx stores.Tx) error {
				return errors.Join(put(tx, "a", "A"), tx.Send(letter("waiting", "one\r\n\x00\xff", "two")), tx.Send(letter("done")))
			})
			if err := from.Store.Note(t.Context(), vincent, "noted"); err != nil { // and nothing else of him
				t.Fatal(err)
			}
			if dry := mustCopy(t, from, to, copy.Options{DryRun: true}, nil); dry.Written.Letters != 3 {
				t.Errorf("%d letters would be copied", dry.Written.Letters)
			}
			want(to, paul, "")
			if r := mustCopy(t, from, to, copy.Options{Verify: true}, nil); r.Written.Letters != 3 {
				t.Errorf("%d letters are copied", r.Written.Letters)
			}
			mustCopy(t, to, back, copy.Options{}, nil)
			for _, side := range []*copy.Side{from, to, back} {
				want(side, paul, `done:; waiting: "one\r\n\x00\xff" "two"`)
				want(side, vincent, "noted:")
			}

			// What the source has sent meanwhile does not go out from the target.
			deliver(from, "waiting", 0)
			if r := mustCopy(t, from, to, copy.Options{}, nil); r.Written.Letters != 1 || r.Unchanged.Letters != 2 {
				t.Errorf("copied %d letters, the same are %d", r.Written.Letters, r.Unchanged.Letters)
			}
			want(to, paul, `done:; waiting: "two"`)

			// And what the target has sent does not come back.
			deliver(to, "waiting", 0)
			mustCopy(t, from, to, copy.Options{Overwrite: true}, nil)
			want(to, paul, "done:; waiting:")
			want(from, paul, `done:; waiting: "two"`)

			// A letter whose commit was interrupted stays where it is: its message is handled again.
			letterDir := filepath.Join(dir, string(paul), "__outbox__", "half")
			if err := os.Mkdir(letterDir, 0o770); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(letterDir, "unfinished"), nil, 0o660); err != nil {
				t.Fatal(err)
			}
			mustCopy(t, from, to, copy.Options{}, nil)
			want(to, paul, "done:; waiting:")
		})
	}
}
