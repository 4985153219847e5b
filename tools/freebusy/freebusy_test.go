package freebusy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
)

// TestOther works out what Paul knows of Vincent's free/busy.
func TestOther(t *testing.T) {
	which := stores.Table{Kind: stores.Other, Other: vincent}
	tests := []struct {
		name, status, before, want string
		needsAction                bool
	}{
		{name: "accepted", status: "ACCEPTED", want: at9("20261202", "e", "OPAQUE", "")},
		{name: "tentative", status: "TENTATIVE", want: at9("20261202", "e", "OPAQUE", "")},
		{name: "declined", status: "DECLINED", before: at9("20261202", "e", "OPAQUE", "")},
		{name: "not answered", status: "NEEDS-ACTION"},
		{name: "not answered, to be taken for accepted", status: "NEEDS-ACTION", needsAction: true, want: at9("20261202", "e", "OPAQUE", "")},
		{name: "no status", status: ""},
		{name: "no status, and recorded as an organiser's program does", status: "", before: at9("20261202", "e", "ORG", ""), want: at9("20261202", "e", "ORG", "")},
		{name: "received free/busy", status: "DECLINED", before: at9("20261203", "", "OPAQUE", ""), want: at9("20261203", "", "OPAQUE", "")},
	}
	everyStore(t, func(t *testing.T, empty func(*testing.T) stores.Store) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				store := empty(t)
				noted := stores.Providers{Until: noon.AddDate(0, 0, 60), Events: []stores.ID{{UID: "e"}}}
				records{
					texts: map[stores.Key]string{active("e", ""): event("e", morning, vincentIs(test.status))},
					table: test.before, providers: noted,
				}.lay(t, store, paul, which)
				m := maker(store, noon)
				m.Other, m.NeedsAction = vincent, test.needsAction
				if r := m.User(t.Context(), paul); r.Err != nil {
					t.Fatal(r.Err)
				}
				table, providers := state(t, store, paul, which)
				if table != test.want {
					t.Errorf("table %q, want %q", table, test.want)
				}
				if diff := cmp.Diff(noted, providers); diff != "" {
					t.Errorf("the own providers have changed (-want +got)\n%s", diff)
				}
				if own, _ := state(t, store, paul, stores.Table{}); own != "" {
					t.Errorf("own free/busy has changed: %s", own)
				}
			})
		}
	})
}

func TestPublish(t *testing.T) {
	everyStore(t, func(t *testing.T, empty func(*testing.T) stores.Store) {
		store := empty(t)
		records{texts: map[stores.Key]string{active("e", ""): event("e", morning, vincentIs("ACCEPTED"))}}.lay(t, store, vincent, stores.Table{})
		for _, test := range []struct {
			name    string
			publish bool
			sharing bool
			want    bool
		}{
			{"not asked for", false, true, false},
			{"not wanted by the user", true, false, false},
			{"asked for and wanted", true, true, true},
		} {
			m := maker(store, noon)
			m.Publish = test.publish
			m.Preferences = settings{Zone: time.UTC, WindowSize: 100, Sharing: test.sharing, Publishing: true}
			if r := m.User(t.Context(), vincent); r.Err != nil || r.Published != test.want {
				t.Errorf("%s: published %v, %v", test.name, r.Published, r.Err)
			}
			err := store.View(t.Context(), vincent, func(tx stores.Tx) error {
				text, err := tx.Published()
				if got := strings.Contains(string(text), "FREEBUSY;FBTYPE=BUSY:20261202T090000Z/20261202T100000Z\r\n"); got != test.want {
					t.Errorf("%s: published %q, %v", test.name, text, err)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestNightlyCost counts what is read of stores of different sizes.
func TestNightlyCost(t *testing.T) {
	for _, test := range []struct{ single, endless int }{{10, 3}, {300, 3}, {10, 30}} {
		t.Run(fmt.Sprintf("%d single, %d without end", test.single, test.endless), func(t *testing.T) {
			dir := t.TempDir()
			files, err := file.Open(file.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			texts := make(map[stores.Key]string)
			for i := range test.single {
				uid := fmt.Sprint("single", i)
				texts[active(uid, "")] = event(uid, morning)
			}
			for i := range test.endless {
				uid := fmt.Sprint("endless", i)
				texts[active(uid, "")] = event(uid, daily)
			}
			store := &counting{Store: files}
			records{texts: texts}.lay(t, files, paul, stores.Table{})
			for night, want := range []int{test.single + test.endless, test.endless, test.endless} {
				store.read = 0
				r := maker(store, noon.AddDate(0, 0, 7*night)).User(t.Context(), paul)
				if r.Err != nil || store.read != want || r.Noted != test.endless {
					t.Errorf("night %d: %d texts read, want %d; %d noted, %v", night, store.read, want, r.Noted, r.Err)
				}
				if added := test.endless; night > 0 && (r.Inserted != added || r.Removed != 0) {
					t.Errorf("night %d: %d records inserted, %d removed, want %d more", night, r.Inserted, r.Removed, added)
				}
			}
			nightly, providers := state(t, files, paul, stores.Table{})
			m := maker(files, noon.AddDate(0, 0, 14))
			m.Reset = true
			if r := m.User(t.Context(), paul); r.Err != nil || r.Removed+r.Inserted > 0 {
				t.Errorf("anew: %d removed, %d inserted, %v", r.Removed, r.Inserted, r.Err)
			}
			anew, providersAnew := state(t, files, paul, stores.Table{})
			if nightly != anew {
				t.Error("what was extended by night differs from what is worked out anew")
			}
			if diff := cmp.Diff(providersAnew, providers); diff != "" {
				t.Errorf("providers (-anew +by night)\n%s", diff)
			}
		})
	}
}

// failing are preferences that cannot be read for one user, and make the program fail
// for another.
type failing struct{ settings }

func (f failing) Load(user calendar.URI) (preferences.Preferences, error) {
	switch user {
	case "mailto:u3@example.com":
		return preferences.Preferences{}, errors.New("no luck")
	case "mailto:u5@example.com":
		panic("no luck at all")
	case "mailto:u7@example.com":
		return preferences.Preferences{Absent: true}, nil
	}
	return f.settings.Load(user)
}

func TestEach(t *testing.T) {
	store, err := file.Open(file.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		records{texts: map[stores.Key]string{active("e", ""): event("e", morning)}, table: at9("20261202", "e", "ORG", "")}.
			lay(t, store, calendar.URI(fmt.Sprintf("mailto:u%d@example.com", i)), stores.Table{})
	}
	m := maker(store, noon)
	m.Preferences = failing{usual}
	outcome := make(map[calendar.URI]string)
	var inDone atomic.Int32
	err = m.Each(t.Context(), store.Users(t.Context()), 4, func(r Result) {
		if inDone.Add(1) != 1 {
			t.Error("two results at once")
		}
		defer inDone.Add(-1)
		switch {
		case r.Err != nil:
			outcome[r.User] = r.Err.Error()
		case r.Left != "":
			outcome[r.User] = r.Left
		}
		if (r.Err == nil && r.Left == "") != (r.Table != nil) {
			t.Errorf("%s: table %v", r.User, r.Table)
		}
	})
	if err != nil {
		t.Error(err)
	}
	for user, text := range outcome {
		outcome[user], _, _ = strings.Cut(text, "\n")
	}
	want := map[calendar.URI]string{
		"mailto:u3@example.com": "no luck",
		"mailto:u5@example.com": "panic: no luck at all",
		"mailto:u7@example.com": "the user does not participate",
	}
	if !maps.Equal(outcome, want) {
		t.Errorf("got %v, want %v", outcome, want)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	n := 0
	err = m.Each(ctx, store.Users(t.Context()), 1, func(Result) {
		n++
		cancel(stopped)
	})
	if !errors.Is(err, stopped) || n == 20 {
		t.Errorf("after being stopped: %v, %d users", err, n)
	}
	unreadable := errors.New("unreadable")
	users := func(yield func(calendar.URI, error) bool) {
		_ = yield("", unreadable) && yield("mailto:u1@example.com", nil)
	}
	n = 0
	if err := m.Each(t.Context(), users, 1, func(Result) { n++ }); !errors.Is(err, unreadable) || n != 1 {
		t.Errorf("users that cannot be listed: %v, %d users", err, n)
	}
}
