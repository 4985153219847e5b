package outgoing_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers"
	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// watched is a store that tells which events are stored in one critical section, and
// cannot store the event "bad".
type watched struct {
	stores.Store
	sections [][]string
	after    func() // called after each critical section; may be nil
	bad      func() // called when "bad" cannot be stored; may be nil
}

type watchedTx struct {
	stores.Tx
	uids *[]string
	bad  func()
}

func (w *watched) Update(ctx context.Context, user calendar.URI, fn func(stores.Tx) error) error {
	err := w.Store.Update(ctx, user, func(tx stores.Tx) error {
		var uids []string
		err := fn(watchedTx{tx, &uids, w.bad})
		if err == nil {
			w.sections = append(w.sections, uids)
		}
		return err
	})
	if w.after != nil {
		w.after()
	}
	return err
}

func (t watchedTx) Put(key stores.Key, content []byte) error {
	if key.UID == "bad" {
		if t.bad != nil {
			t.bad()
		}
		return &stores.UnstorableError{What: "UID", Value: key.UID, Reason: "it is bad"}
	}
	*t.uids = append(*t.uids, key.UID+key.RecurrenceID)
	return t.Tx.Put(key, content)
}

// Many events of a message share a critical section, as far as no two are about the same
// event or occurrence.
func TestGroups(t *testing.T) {
	events := func(from, to int) (texts, uids []string) {
		for i := from; i < to; i++ {
			uid := fmt.Sprintf("e%03d", i)
			texts, uids = append(texts, event("UID:"+uid)), append(uids, uid)
		}
		return texts, uids
	}
	many, uids := events(0, 200)
	for _, test := range []struct {
		name    string
		events  []string
		want    [][]string
		aside   int
		records int
	}{
		{"many", many, [][]string{uids}, 0, len(uids)},
		{"one event and its occurrences", []string{
			event("UID:a", "RRULE:FREQ=WEEKLY;COUNT=3"), event("UID:a", "RECURRENCE-ID:20261209T090000Z"), event("UID:a", "RECURRENCE-ID:20261216T090000Z"),
		}, [][]string{{"a", "a20261209T090000Z", "a20261216T090000Z"}}, 0, 3},
		{"one event twice", []string{event("UID:a"), event("UID:b"), event("UID:a", "SUMMARY:again"), event("UID:c")}, [][]string{{"a", "b"}, {"a", "c"}}, 0, 3},
		{"one that cannot be stored", []string{event("UID:a"), event("UID:bad"), event("UID:b")}, [][]string{{"a"}, {"b"}}, 1, 2},
		{"one of many that cannot be stored", append(many[:100:100], event("UID:bad")), [][]string{uids[:50], uids[50:75], uids[75:88], uids[88:94], uids[94:97], uids[97:99], uids[99:100]}, 1, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			store := &watched{Store: s.Store}
			s.Store = store
			s.handle(message(paul, "REQUEST", test.events...))
			if !slices.EqualFunc(store.sections, test.want, slices.Equal) {
				t.Errorf("in critical sections: %q, want %q", store.sections, test.want)
			}
			if items, err := s.Rejected.List(); err != nil || len(items) != test.aside {
				t.Errorf("%d are put aside, want %d: %v", len(items), test.aside, err)
			}
			if n := strings.Count(s.busy(paul), "\n"); n != test.records {
				t.Errorf("%d records, want %d", n, test.records)
			}
		})
	}
}

// When events take long, those that have waited for the lock are let in between.
func TestGroupsThatTakeLong(t *testing.T) {
	s := newSite(t)
	store := &watched{Store: s.Store}
	s.Store = store
	now := s.Now()
	s.Now = func() time.Time { now = now.Add(800 * time.Millisecond); return now }
	s.handle(message(paul, "REQUEST", event("UID:a"), event("UID:b"), event("UID:c"), event("UID:d"), event("UID:e")))
	if want := [][]string{{"a", "b"}, {"c", "d"}, {"e"}}; !slices.EqualFunc(store.sections, want, slices.Equal) {
		t.Errorf("in critical sections: %q, want %q", store.sections, want)
	}
}

// Events of different users, which only the calendar system sends, share none.
func TestGroupsOfUsers(t *testing.T) {
	s := newSite(t)
	store := &watched{Store: s.Store}
	s.Store = store
	var text []string
	for i, user := range []string{paul, paul, "harvey.horse@example.com", paul} {
		text = append(text, event(fmt.Sprintf("UID:e%d", i), "ORGANIZER:mailto:"+user))
	}
	s.handle(message(system, "PUBLISH", text...))
	want := [][]string{{"e0", "e1"}, {"e2"}, {"e3"}}
	if !slices.EqualFunc(store.sections, want, slices.Equal) {
		t.Errorf("in critical sections: %q, want %q", store.sections, want)
	}
}

// A message whose time is over between two groups is not done.
func TestTimeOver(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	store := &watched{Store: s.Store, after: cancel}
	s.Store = store
	now := s.Now()
	s.Now = func() time.Time { now = now.Add(3 * time.Second); return now } // each event takes long
	text := message(paul, "REQUEST", event("UID:a"), event("UID:a", "RECURRENCE-ID:20261202T090000Z"))
	if err := s.Handle(ctx, strings.NewReader(text)); err == nil {
		t.Error("no error, so that the rest of the message would be lost")
	}
	if got := s.files("store"); got["mailto:"+paul+"/objects/a"] == "" || got["mailto:"+paul+"/recurrences/a/20261202T090000Z"] != "" {
		t.Errorf("stored: %v", got)
	}
	store.after = nil
	s.handle(text)
	if got := s.files("store"); got["mailto:"+paul+"/recurrences/a/20261202T090000Z"] == "" {
		t.Errorf("after the next try: %v", got)
	}
}

// An event that can never be stored says nothing of those beside it, for which there was no
// more time.
func TestTimeOverWithBad(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	store := &watched{Store: s.Store, bad: cancel}
	s.Store = store
	text := message(paul, "REQUEST", event("UID:bad"), event("UID:good"))
	if err := s.Handle(ctx, strings.NewReader(text)); err == nil {
		t.Error("no error, so that the good event would be lost")
	}
	store.bad = nil
	s.handle(text)
	if !strings.Contains(s.busy(paul), "good") {
		t.Error("the good event is not handled at the next try")
	}
}

// What becomes of each change is told, wherever it comes from.
func TestApply(t *testing.T) {
	s := newSite(t)
	s.Store = &watched{Store: s.Store}
	change := func(method string, side itip.Side, lines ...string) handlers.Change {
		object, err := calendar.DecodeObject([]byte(event(lines...)))
		if err != nil {
			t.Fatal(err)
		}
		c, warnings, err := itip.NewChange(method, object)
		if err != nil {
			t.Fatal(err)
		}
		return handlers.Change{Change: c, User: "mailto:" + vincent, Side: side, Warnings: warnings}
	}
	attending := "ATTENDEE;PARTSTAT=ACCEPTED:mailto:" + vincent
	changes := []handlers.Change{
		change("PUBLISH", itip.Imported, "UID:taken", attending),
		change("PUBLISH", itip.Imported, "UID:bad", attending),
		change("PUBLISH", itip.Imported, "UID:taken", attending, "DTSTAMP:20261122T100000Z"),
		change("PUBLISH", itip.Sent, "UID:forwarded", attending),
		change("ADD", itip.Imported, "UID:added", attending),
		change("PUBLISH", itip.Imported, "UID:last", "RECURRENCE-ID:20261202T090000Z", attending),
		change("ADD", itip.Sent, "UID:once", "RRULE:FREQ=DAILY", "ORGANIZER:mailto:"+vincent),
	}
	results, err := s.Apply(t.Context(), changes)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, r := range results {
		got = append(got, fmt.Sprintf("%s %s %s %t", changes[i].Method, changes[i].ID.UID, r, r.Unstorable()))
	}
	want := []string{
		"PUBLISH taken stored object, free/busy +1 -0 false", "PUBLISH bad none true", "PUBLISH taken none, it is older than the stored event false",
		"PUBLISH forwarded none, it is forwarded: somebody else organizes the event false", "ADD added none true", "PUBLISH last stored object, free/busy +1 -0 false",
		"ADD once none, the event is not stored false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !slices.Equal(changes[6].Warnings, []string{"RRULE left out: an occurrence does not recur"}) || !strings.Contains(s.log.String(), changes[6].Warnings[0]) {
		t.Errorf("warnings %q, log\n%s", changes[6].Warnings, s.log.String())
	}
}

// Changes that are not tried have the error that others were stopped by, and nothing is said to
// be done that is not.
func TestApplyStopped(t *testing.T) {
	s := newSite(t)
	s.Store = &failing{Store: s.Store, fails: 1, err: fmt.Errorf("user: %w", stores.ErrLocked)}
	var changes []handlers.Change
	for _, uid := range []string{"a", "b", "a"} {
		object, err := calendar.DecodeObject([]byte(event("UID:" + uid)))
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := itip.NewChange("REQUEST", object)
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, handlers.Change{Change: c, User: "mailto:" + paul})
	}
	results, err := s.Apply(t.Context(), changes)
	if !errors.Is(err, stores.ErrLocked) {
		t.Fatalf("error %v", err)
	}
	for i, r := range results {
		if !errors.Is(r.Err, stores.ErrLocked) || r.Unstorable() || len(r.Effects) > 0 {
			t.Errorf("%d: %+v", i, r)
		}
	}
	if results, err = s.Apply(t.Context(), changes); err != nil || results[2].Err != nil || len(results[2].Effects) == 0 {
		t.Errorf("the next try: %+v, %v", results, err)
	}
}
