package outgoing_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"imip-agent/handlers"
	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

func changeOf(t *testing.T, method, uid string) handlers.Change {
	t.Helper()
	object, err := calendar.DecodeObject([]byte(event("UID:" + uid)))
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := itip.NewChange(method, object)
	if err != nil {
		t.Fatal(err)
	}
	return handlers.Change{Change: c, User: "mailto:" + paul}
}

// Changes that belong together are made in one critical section, with what comes after them. One that can
// never be stored is left out; what can be stored later is not.
func TestTogether(t *testing.T) {
	s := newSite(t)
	store := &watched{Store: s.Store}
	s.Store = store
	changes := []handlers.Change{changeOf(t, "REQUEST", "a"), changeOf(t, "REQUEST", "bad"), changeOf(t, "REQUEST", "b")}
	wanted := func(tx stores.Tx) (bool, error) {
		sent, err := tx.Sent("letter")
		return !sent, err
	}
	var seen []string
	finish := func(tx stores.Tx, results []handlers.Result) error {
		seen = nil
		for _, r := range results {
			seen = append(seen, r.String())
		}
		return tx.Send(stores.Letter{Name: "letter"})
	}
	settings := preferences.Preferences{WindowSize: 1, Warnings: []string{"a preference is odd"}}
	results, err := s.Together(t.Context(), "mailto:"+paul, settings, changes, handlers.Section{Wanted: wanted, Finish: finish})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"stored object, free/busy +1 -0", "none", "stored object, free/busy +1 -0"}; !slices.Equal(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
	if problems := handlers.Unstored(changes, results); len(problems) != 1 || problems[0].ID.UID != "bad" {
		t.Errorf("problems: %v", problems)
	}
	if !slices.EqualFunc(store.sections, [][]string{{"a", "b"}}, slices.Equal) {
		t.Errorf("in critical sections: %q", store.sections)
	}
	if log := s.log.String(); strings.Count(log, "a preference is odd") != 1 || strings.Count(log, "msg=handled") != 2 {
		t.Errorf("log: %s", log)
	}

	// What has been done before is not done again.
	if results, err = s.Together(t.Context(), "mailto:"+paul, settings, changes, handlers.Section{Wanted: wanted}); err != nil || results != nil {
		t.Errorf("again: %v, %v", results, err)
	}
	// Nor is anything done if what comes after fails.
	broken := errors.New("no luck")
	again := []handlers.Change{changeOf(t, "REQUEST", "c")}
	_, err = s.Together(t.Context(), "mailto:"+paul, settings, again, handlers.Section{
		Wanted: func(stores.Tx) (bool, error) { return true, nil },
		Finish: func(stores.Tx, []handlers.Result) error { return broken },
	})
	if !errors.Is(err, broken) || strings.Contains(s.busy(paul), "\tc\t") {
		t.Errorf("error %v, free/busy %s", err, s.busy(paul))
	}
}

// A message of nothing but what cannot be stored comes to an end.
func TestTogetherBad(t *testing.T) {
	s := newSite(t)
	s.Store = &watched{Store: s.Store}
	var changes []handlers.Change
	for range 300 {
		changes = append(changes, changeOf(t, "REQUEST", "bad"))
	}
	results, err := s.Together(t.Context(), "mailto:"+paul, preferences.Preferences{WindowSize: 1}, changes, handlers.Section{
		Wanted: func(stores.Tx) (bool, error) { return true, nil }, Finish: func(stores.Tx, []handlers.Result) error { return nil },
	})
	if err != nil || len(handlers.Unstored(changes, results)) != len(changes) {
		t.Errorf("%d of %d cannot be stored: %v", len(handlers.Unstored(changes, results)), len(changes), err)
	}
}
