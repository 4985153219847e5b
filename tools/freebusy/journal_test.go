package freebusy

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
)

const (
	rooms calendar.URI = "mailto:rooms@example.com"
	attic calendar.URI = "mailto:attic@example.com"
	cave  calendar.URI = "mailto:cave@example.com"
)

// windows are preferences with a window of ten days, or of twenty for cave.
type windows struct{}

func (windows) Load(user calendar.URI) (preferences.Preferences, error) {
	p := preferences.Preferences{Zone: time.UTC, WindowSize: 10}
	if user.Is(cave) {
		p.WindowSize = 20
	}
	return p, nil
}

// Bookings of events without end go on with time, for each resource and table that has them, by
// the resource's own records, or by the journal's where it has none.
func TestExtendQuota(t *testing.T) {
	dir := t.TempDir()
	store, err := file.Open(file.Options{Dir: dir + "/store"})
	if err != nil {
		t.Fatal(err)
	}
	journal, err := file.OpenJournal(file.Options{Dir: dir + "/journal"})
	if err != nil {
		t.Fatal(err)
	}
	at := func(day int) time.Time { return time.Date(2026, 12, day, 9, 0, 0, 0, time.UTC) }
	event := func(uid string, lines ...string) []byte {
		return []byte("BEGIN:VEVENT\r\nUID:" + uid + "\r\nSUMMARY:Meeting\r\nORGANIZER:mailto:paul@example.com\r\nDTSTAMP:20261101T120000Z\r\nSEQUENCE:0\r\n" +
			"ATTENDEE;PARTSTAT=ACCEPTED:" + string(attic) + "\r\nDTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\n")
	}
	weekly := "RRULE:FREQ=WEEKLY"
	record := func(uid string, day int, resource calendar.URI, transp string) freebusy.Period {
		return freebusy.Period{Start: at(day), End: at(day).Add(time.Hour), UID: uid, Transp: transp, Summary: "Meeting", Organizer: "mailto:paul@example.com", Attendee: string(resource)}
	}
	put := func(records stores.Records, uid, recurrenceID string, part stores.Part, text []byte) {
		t.Helper()
		if err := records.Put(stores.Key{Part: part, ID: stores.ID{UID: uid, RecurrenceID: recurrenceID}}, text); err != nil {
			t.Fatal(err)
		}
	}
	err = journal.Update(t.Context(), rooms, func(tx stores.JournalTx) error {
		for _, uid := range []string{"journal", "own", "gone"} {
			put(tx, uid, "", stores.Active, event(uid, weekly))
		}
		put(tx, "once", "", stores.Active, event("once"))
		put(tx, "broken", "", stores.Active, []byte("nonsense"))
		for group, rows := range map[string][]freebusy.Period{
			"staff": {
				record("journal", 1, attic, "OPAQUE"), record("journal", 1, cave, "TRANSPARENT"),
				record("own", 1, attic, "OPAQUE"), record("gone", 1, attic, "OPAQUE"), record("once", 1, attic, "OPAQUE"),
			},
			"mailto:paul@example.com": {record("own", 1, attic, "ORG")},
		} {
			table, err := tx.Periods(stores.Table{Kind: stores.Other, Other: calendar.URI(group)})
			if err != nil {
				return err
			}
			table.InsertAll(rows)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Attic has one event itself, of which an occurrence is called off, and has called off another.
	err = store.Update(t.Context(), attic, func(tx stores.Tx) error {
		put(tx, "own", "", stores.Active, event("own", weekly))
		put(tx, "own", "20261208T090000Z", stores.Cancelled, event("own", "RECURRENCE-ID:20261208T090000Z"))
		put(tx, "gone", "", stores.Cancelled, event("gone", weekly))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	m := &Quotas{Journal: journal, Store: store, Preferences: windows{}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }}
	lines := func(r QuotaResult) (lines []string) {
		for _, group := range r.Groups {
			for p := range r.Tables[group].All() {
				lines = append(lines, fmt.Sprintf("%s %s %s %s %s", group, p.UID, p.Start.Format("0102"), p.Attendee[7:strings.Index(p.Attendee, "@")], p.Transp))
			}
		}
		return lines
	}
	want := func(inserted, noted int, want ...string) {
		t.Helper()
		r, err := m.Extend(t.Context(), rooms)
		if err != nil {
			t.Fatal(err)
		}
		if got := lines(r); r.Inserted != inserted || r.Noted != noted || want != nil && !slices.Equal(got, want) {
			t.Errorf("inserted %d, noted %d:\n%s\nwant %d, %d:\n%s", r.Inserted, r.Noted, strings.Join(got, "\n"), inserted, noted, strings.Join(want, "\n"))
		}
		for _, p := range r.Problems {
			if p.UID != "broken" {
				t.Errorf("problem with %s: %v", p.UID, p.Err)
			}
		}
	}
	first := []string{
		"mailto:paul@example.com own 1201 attic ORG",
		"staff gone 1201 attic OPAQUE", "staff journal 1201 attic OPAQUE", "staff journal 1201 cave TRANSPARENT",
		"staff once 1201 attic OPAQUE", "staff own 1201 attic OPAQUE",
		"staff journal 1208 attic OPAQUE", "staff journal 1208 cave TRANSPARENT", "staff journal 1215 cave TRANSPARENT",
	}
	want(3, 4, first...) // as it would be: those three that recur, and one that cannot be read
	want(3, 4, first...) // so nothing was stored
	m.Keep = true
	want(3, 4, first...)
	want(0, 4, first...)
	var noted stores.Providers
	err = journal.View(t.Context(), rooms, func(tx stores.JournalTx) (err error) {
		noted, err = tx.Providers()
		return err
	})
	if err != nil || !noted.Until.Equal(now.AddDate(0, 0, 10)) {
		t.Errorf("noted %v, %v", noted, err)
	}
	// A week later.
	now = now.AddDate(0, 0, 7)
	want(2+1+1, 4)
	r, err := m.Extend(t.Context(), rooms)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"mailto:paul@example.com own 1215 attic ORG", "staff own 1215 attic OPAQUE", "staff journal 1215 attic OPAQUE", "staff journal 1222 cave TRANSPARENT"} {
		if !slices.Contains(lines(r), line) {
			t.Errorf("%s is missing", line)
		}
	}
}

// rules are preferences of resources that book under a quota.
type rules map[calendar.URI]string

func (r rules) Load(user calendar.URI) (preferences.Preferences, error) {
	return preferences.Preferences{Zone: time.UTC, WindowSize: 10, SchedulingFunction: r[user.Folded()]}, nil
}

// An event without end is booked again when no record of it is left: where the resource books, and
// what is past stays out. What the resource does not have, and what others have, is not.
func TestExtendFromNothing(t *testing.T) {
	dir := t.TempDir()
	store, err := file.Open(file.Options{Dir: dir + "/store"})
	if err != nil {
		t.Fatal(err)
	}
	journal, err := file.OpenJournal(file.Options{Dir: dir + "/journal"})
	if err != nil {
		t.Fatal(err)
	}
	event := func(uid string, status string) []byte {
		return []byte("BEGIN:VEVENT\r\nUID:" + uid + "\r\nSUMMARY:Meeting\r\nORGANIZER:mailto:paul@example.com\r\nDTSTAMP:20261101T120000Z\r\nSEQUENCE:0\r\n" +
			"ATTENDEE;PARTSTAT=ACCEPTED:mailto:paul@example.com\r\nATTENDEE;PARTSTAT=" + status + ":mailto:Attic@example.com\r\nATTENDEE;PARTSTAT=ACCEPTED:" + string(cave) + "\r\n" +
			"ATTENDEE;PARTSTAT=ACCEPTED:mailto:a/b@example.com\r\nDTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n")
	}
	put := func(records stores.Records, uid string, part stores.Part, status string) {
		t.Helper()
		if err := records.Put(stores.Key{Part: part, ID: stores.ID{UID: uid}}, event(uid, status)); err != nil {
			t.Fatal(err)
		}
	}
	err = journal.Update(t.Context(), rooms, func(tx stores.JournalTx) error {
		for _, uid := range []string{"kept", "off", "declined", "unknown"} {
			put(tx, uid, stores.Active, "ACCEPTED")
		}
		if err := tx.SetList("groups", [][]string{{"mailto:paul@example.com", "staff"}}); err != nil {
			return err
		}
		return tx.SetProviders(stores.Providers{Until: time.Date(2026, 12, 11, 0, 0, 0, 0, time.UTC), Events: []stores.ID{{UID: "kept"}, {UID: "off"}, {UID: "declined"}, {UID: "unknown"}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	err = store.Update(t.Context(), attic, func(tx stores.Tx) error {
		put(tx, "kept", stores.Active, "ACCEPTED")
		put(tx, "off", stores.Cancelled, "ACCEPTED")
		put(tx, "declined", stores.Active, "DECLINED")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2027, 3, 2, 12, 0, 0, 0, time.UTC) // a Tuesday, after the meeting
	prefs := rules{
		attic: "check_quota " + string(rooms) + "\nschedule_across_quota " + string(rooms) + "\nschedule_in_freebusy",
		cave:  "schedule_in_freebusy\ncheck_quota",
	}
	m := &Quotas{Journal: journal, Store: store, Preferences: prefs, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }, Keep: true}
	for day, want := range [][]string{
		{
			"mailto:paul@example.com 20270309T090000Z\t20270309T100000Z\tkept\tOPAQUE\t\tMeeting\tmailto:paul@example.com\t\tmailto:attic@example.com",
			"staff 20270309T090000Z\t20270309T100000Z\tkept\tOPAQUE\t\tMeeting\tmailto:paul@example.com\t\tmailto:attic@example.com",
		},
		nil, // it is there
	} {
		r, err := m.Extend(t.Context(), rooms)
		if err != nil {
			t.Fatal(err)
		}
		if r.Inserted != len(want) || len(r.Problems) > 0 {
			t.Errorf("day %d: %d inserted, %v", day, r.Inserted, r.Problems)
		}
		var lines []string
		for _, group := range r.Groups {
			for p := range r.Tables[group].All() {
				lines = append(lines, fmt.Sprintf("%s %s\t%s\t%s\t%s\t%s\t%s\t%s\t\t%s", group, p.Start.Format("20060102T150405Z"), p.End.Format("20060102T150405Z"), p.UID, p.Transp, p.RecurrenceID, p.Summary, p.Organizer, p.Attendee))
			}
		}
		if want != nil && !slices.Equal(lines, want) {
			t.Errorf("booked\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}
		now = now.AddDate(0, 0, 1)
	}
	// A mistake in a list is told, and takes nothing away.
	if err := os.WriteFile(dir+"/journal/"+string(rooms)+"/limits", []byte("staff\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.AddDate(0, 2, 0)
	if err := journal.Update(t.Context(), rooms, func(tx stores.JournalTx) error {
		for _, group := range []calendar.URI{"staff", "mailto:paul@example.com"} {
			table, err := tx.Periods(stores.Table{Kind: stores.Other, Other: group})
			if err != nil {
				return err
			}
			table.RemoveFunc(func(freebusy.Period) bool { return true })
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if r, err := m.Extend(t.Context(), rooms); err != nil || len(r.Problems) != 1 || r.Noted != 4 {
		t.Errorf("with a mistake: %v, %v, %d noted", err, r.Problems, r.Noted)
	}
}
