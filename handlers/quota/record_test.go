package quota_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"imip-agent/handlers/quota"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/freebusy"
)

// write writes a list of the quota by hand.
func write(t testing.TB, j *file.Journal, list, text string) {
	t.Helper()
	path := filepath.Join(j.Dir(), string(rooms), list)
	must(t, os.MkdirAll(filepath.Dir(path), 0o770))
	must(t, os.WriteFile(path, []byte(text), 0o660))
}

// Two rooms for one event: each has records of its own, and gives back its own.
func TestConfirmAndRetract(t *testing.T) {
	j := journal(t)
	lists{"groups": string(paul) + " staff", "delegates": string(attic) + "\n" + string(cave)}.set(t, j)
	a, c := newResource(attic), newResource(cave)
	event := object(t, "u", []calendar.URI{attic, cave})
	a.accept(t, j, event, quota.InGroup)
	wantTables(t, j, "staff: u attic 1202T09-1202T10 OPAQUE")
	wantEvents(t, j, "u  0: attic=ACCEPTED cave=NEEDS-ACTION")
	c.accept(t, j, event, quota.InGroup|quota.ByOrganizer)
	wantTables(t, j, "paul: u cave 1202T09-1202T10 ORG",
		"staff: u attic 1202T09-1202T10 OPAQUE", "staff: u cave 1202T09-1202T10 OPAQUE")
	wantEvents(t, j, "u  0: attic=ACCEPTED cave=ACCEPTED")
	c.accept(t, j, event, quota.InGroup|quota.ByOrganizer) // again, as after a crash
	wantEvents(t, j, "u  0: attic=ACCEPTED cave=ACCEPTED")

	// It is moved: attic accepts first.
	moved := object(t, "u", []calendar.URI{attic, cave}, "SEQUENCE:1", "DTSTART:20261203T110000Z", "DTEND:20261203T120000Z")
	a.accept(t, j, moved, quota.InGroup)
	wantTables(t, j, "paul: u cave 1202T09-1202T10 ORG",
		"staff: u cave 1202T09-1202T10 OPAQUE", "staff: u attic 1203T11-1203T12 OPAQUE")
	wantEvents(t, j, "u  1: attic=ACCEPTED cave=ACCEPTED")
	// And cave cannot.
	c.giveUp(t, j, stores.ID{UID: "u"})
	wantTables(t, j, "staff: u attic 1203T11-1203T12 OPAQUE")
	wantEvents(t, j, "u  1: attic=ACCEPTED")
	c.giveUp(t, j, stores.ID{UID: "u"})
	wantEvents(t, j, "u  1: attic=ACCEPTED")
	a.giveUp(t, j, stores.ID{UID: "u"})
	wantTables(t, j)
	wantEvents(t, j)
}

// A resource that declines without ever having accepted stays in the event that another has accepted, until it is called off.
func TestRetractNever(t *testing.T) {
	j := journal(t)
	lists{"delegates": string(attic) + "\n" + string(cave)}.set(t, j)
	a, c := newResource(attic), newResource(cave)
	a.accept(t, j, object(t, "u", []calendar.URI{attic, cave}), quota.InGroup)
	update(t, j, func(q *quota.Quota) { must(t, q.Retract(stores.ID{UID: "u"}, cave, c.own, false)) })
	wantEvents(t, j, "u  0: attic=ACCEPTED cave=NEEDS-ACTION")
	a.giveUp(t, j, stores.ID{UID: "u"})
	wantEvents(t, j, "u  0: cave=NEEDS-ACTION")
	c.giveUp(t, j, stores.ID{UID: "u"})
	wantEvents(t, j)
}

// Somebody else's event of the same name of file stays, and so do bookings of other events.
func TestRetractNothingElse(t *testing.T) {
	j := journal(t)
	a, c := newResource(attic), newResource(cave)
	for _, r := range []*resource{a, c} {
		r.accept(t, j, object(t, "u", []calendar.URI{attic, cave}), quota.InGroup)
		r.accept(t, j, object(t, "v", []calendar.URI{attic, cave}, "DTSTART:20261205T090000Z", "DTEND:20261205T100000Z"), quota.InGroup)
	}
	a.giveUp(t, j, stores.ID{UID: "u"})
	// Without a list of delegates, a room that has something booked counts.
	wantTables(t, j, "paul: u cave 1202T09-1202T10 OPAQUE", "paul: v attic 1205T09-1205T10 OPAQUE", "paul: v cave 1205T09-1205T10 OPAQUE")
	wantEvents(t, j, "u  0: cave=ACCEPTED", "v  0: attic=ACCEPTED cave=ACCEPTED")
}

// Occurrences of a series are booked and given back by themselves.
func TestOccurrences(t *testing.T) {
	j := journal(t)
	a := newResource(attic)
	series := object(t, "u", []calendar.URI{attic}, "RRULE:FREQ=DAILY;COUNT=3")
	a.accept(t, j, series, quota.InGroup)
	wantTables(t, j, "paul: u attic 1202T09-1202T10 OPAQUE", "paul: u attic 1203T09-1203T10 OPAQUE", "paul: u attic 1204T09-1204T10 OPAQUE")

	one := object(t, "u", []calendar.URI{attic}, "RECURRENCE-ID:20261203T090000Z", "SEQUENCE:1", "DTSTART:20261203T150000Z", "DTEND:20261203T160000Z")
	a.accept(t, j, one, quota.InGroup)
	moved := []string{"paul: u attic 1202T09-1202T10 OPAQUE", "paul: u/20261203T090000Z attic 1203T15-1203T16 OPAQUE", "paul: u attic 1204T09-1204T10 OPAQUE"}
	wantTables(t, j, moved...)
	wantEvents(t, j, "u  0: attic=ACCEPTED", "u 20261203T090000Z 1: attic=ACCEPTED")

	// One that is called off, and is not kept apart.
	a.giveUp(t, j, stores.ID{UID: "u", RecurrenceID: "20261204T090000Z"})
	wantTables(t, j, moved[:2]...)
	a.giveUp(t, j, stores.ID{UID: "u", RecurrenceID: "20261203T090000Z"})
	wantTables(t, j, moved[0])
	wantEvents(t, j, "u  0: attic=ACCEPTED")

	// The same version again, by another room that comes later, does not undo that; a new version does.
	a.accept(t, j, one, quota.InGroup)
	c := newResource(cave)
	both := object(t, "u", []calendar.URI{attic, cave}, "RRULE:FREQ=DAILY;COUNT=3")
	c.accept(t, j, both, quota.InGroup)
	wantEvents(t, j, "u  0: attic=ACCEPTED cave=ACCEPTED", "u 20261203T090000Z 1: attic=ACCEPTED")
	a.accept(t, j, object(t, "u", []calendar.URI{attic, cave}, "SEQUENCE:2"), quota.InGroup)
	wantEvents(t, j, "u  2: attic=ACCEPTED cave=ACCEPTED")
	wantTables(t, j, "paul: u attic 1202T09-1202T10 OPAQUE", "paul: u cave 1202T09-1202T10 OPAQUE",
		"paul: u cave 1203T09-1203T10 OPAQUE", "paul: u cave 1204T09-1204T10 OPAQUE")
	a.giveUp(t, j, stores.ID{UID: "u"})
	c.giveUp(t, j, stores.ID{UID: "u"})
	wantTables(t, j)
	wantEvents(t, j)
}

// An occurrence alone is booked, of a series of which the quota knows nothing.
func TestOccurrenceAlone(t *testing.T) {
	j := journal(t)
	a := newResource(attic)
	a.record(booking(t, object(t, "u", []calendar.URI{attic}, "RRULE:FREQ=DAILY;COUNT=3"), attic)) // before there was a quota
	a.accept(t, j, object(t, "u", []calendar.URI{attic}, "RECURRENCE-ID:20261203T090000Z", "DTSTART:20261203T150000Z", "DTEND:20261203T160000Z"), quota.InGroup)
	wantTables(t, j, "paul: u/20261203T090000Z attic 1203T15-1203T16 OPAQUE")
	a.giveUp(t, j, stores.ID{UID: "u"})
	wantTables(t, j)
	wantEvents(t, j)
}

// The organizer has come into another group: what was booked before goes from the former one's table.
func TestOtherGroup(t *testing.T) {
	j := journal(t)
	a := newResource(attic)
	lists{"groups": "* staff"}.set(t, j)
	a.accept(t, j, object(t, "u", []calendar.URI{attic}), quota.InGroup|quota.ByOrganizer)
	lists{"groups": "* others"}.set(t, j)
	a.accept(t, j, object(t, "u", []calendar.URI{attic}, "SEQUENCE:1"), quota.InGroup)
	wantTables(t, j, "others: u attic 1202T09-1202T10 OPAQUE")
}

// A version that another room has accepted before is not put back by an older one.
func TestOlderVersion(t *testing.T) {
	j := journal(t)
	a, c := newResource(attic), newResource(cave)
	a.accept(t, j, object(t, "u", []calendar.URI{attic, cave}, "SEQUENCE:3"), quota.InGroup)
	c.accept(t, j, object(t, "u", []calendar.URI{attic, cave}, "SEQUENCE:2"), quota.InGroup)
	wantEvents(t, j, "u  3: attic=ACCEPTED cave=ACCEPTED")
}

// How busy somebody is stands in a group's table as in the resource's own, and in an organizer's as
// theirs.
func TestTransparency(t *testing.T) {
	for _, c := range []struct{ name, line, group, organizer string }{
		{"as it is", "TRANSP:OPAQUE", "OPAQUE", "ORG"},
		{"transparent", "TRANSP:TRANSPARENT", "TRANSPARENT", "ORG"},
		{"an organizer who attends", "ATTENDEE;PARTSTAT=ACCEPTED:" + string(paul), "OPAQUE", "OPAQUE"},
		{"an organizer without status", "ATTENDEE:" + string(paul), "OPAQUE", "ORG"},
	} {
		j := journal(t)
		lists{"groups": "* staff"}.set(t, j)
		newResource(attic).accept(t, j, object(t, "u", []calendar.URI{attic}, c.line), quota.InGroup|quota.ByOrganizer)
		t.Run(c.name, func(t *testing.T) {
			wantTables(t, j, "paul: u attic 1202T09-1202T10 "+c.organizer, "staff: u attic 1202T09-1202T10 "+c.group)
		})
	}
	j := journal(t)
	newResource(attic).accept(t, j, object(t, "u", []calendar.URI{attic}), quota.InGroup|quota.ByOrganizer)
	wantTables(t, j, "paul: u attic 1202T09-1202T10 OPAQUE") // one table for both
}

// Events without end are noted where that is done, and forgotten.
func TestProviders(t *testing.T) {
	j := journal(t)
	a := newResource(attic)
	endless := object(t, "u", []calendar.URI{attic}, "RRULE:FREQ=WEEKLY")
	noted := func() (p stores.Providers) {
		update(t, j, func(q *quota.Quota) {
			var err error
			p, err = q.Providers()
			must(t, err)
		})
		return p
	}
	a.accept(t, j, endless, quota.InGroup)
	if p := noted(); len(p.Events) > 0 {
		t.Errorf("noted without a table: %v", p)
	}
	update(t, j, func(q *quota.Quota) { must(t, q.SetProviders(stores.Providers{Until: now})) })
	a.accept(t, j, endless, quota.InGroup)
	a.accept(t, j, endless, quota.InGroup)
	if p := noted(); len(p.Events) != 1 || p.Events[0].UID != "u" || !p.Until.Equal(now) {
		t.Errorf("noted: %v", p)
	}
	a.giveUp(t, j, stores.ID{UID: "u"})
	if p := noted(); len(p.Events) > 0 || p.Until.IsZero() {
		t.Errorf("noted after it was given back: %v", p)
	}
	a.accept(t, j, endless, quota.InGroup)
	a.accept(t, j, object(t, "u", []calendar.URI{attic}, "SEQUENCE:1"), quota.InGroup)
	if p := noted(); len(p.Events) > 0 {
		t.Errorf("noted though it ends: %v", p)
	}
}

// What is kept and cannot be read is written anew with a booking, and left by what is given back.
func TestUnreadableEvent(t *testing.T) {
	j := journal(t)
	a := newResource(attic)
	event := object(t, "u", []calendar.URI{attic})
	update(t, j, func(q *quota.Quota) { must(t, q.Put(stores.Key{ID: stores.ID{UID: "u"}}, []byte("nonsense"))) })
	a.giveUp(t, j, stores.ID{UID: "u"})
	update(t, j, func(q *quota.Quota) {
		if text, err := q.Get(stores.Key{ID: stores.ID{UID: "u"}}); err != nil || string(text) != "nonsense" {
			t.Errorf("%q, %v", text, err)
		}
	})
	a.accept(t, j, event, quota.InGroup)
	wantEvents(t, j, "u  0: attic=ACCEPTED")
}

// What is past is given back, and what has an occurrence to come stays.
func TestExpire(t *testing.T) {
	j := journal(t)
	a := newResource(attic)
	for _, o := range []*calendar.Object{
		object(t, "past", []calendar.URI{attic}),
		object(t, "ending", []calendar.URI{attic}, "DTEND:20261205T120000Z"), // at this very moment
		object(t, "running", []calendar.URI{attic}, "RRULE:FREQ=DAILY;COUNT=9"),
		object(t, "over", []calendar.URI{attic}, "RRULE:FREQ=DAILY;COUNT=3"),
		object(t, "moved", []calendar.URI{attic}, "RRULE:FREQ=DAILY;COUNT=2"),
		object(t, "moved", []calendar.URI{attic}, "RECURRENCE-ID:20261203T090000Z", "DTSTART:20261220T090000Z", "DTEND:20261220T100000Z"),
		object(t, "endless", []calendar.URI{attic}, "RRULE:FREQ=YEARLY"),
		object(t, "odd", []calendar.URI{attic}, "DTSTART:20261207T090000Z", "DTEND:20261207T100000Z"),
	} {
		a.accept(t, j, o, quota.InGroup)
	}
	at := time.Date(2026, 12, 5, 12, 0, 0, 500, time.UTC)
	update(t, j, func(q *quota.Quota) {
		must(t, q.SetProviders(stores.Providers{Until: at.AddDate(0, 0, 90), Events: []stores.ID{{UID: "endless"}, {UID: "over"}}}))
		must(t, q.Put(stores.Key{ID: stores.ID{UID: "bad"}}, []byte("nonsense")))
		gone, err := q.Expire(at, time.UTC)
		must(t, err)
		// past, two of running (2nd to 4th are three; the 5th ended at 10), over's three, moved's first, endless' first
		if want := (quota.Expired{Bookings: 1 + 4 + 3 + 1 + 1, Events: 2}); gone != want {
			t.Errorf("gone: %+v, want %+v", gone, want)
		}
		p, err := q.Providers()
		must(t, err)
		if !p.Until.Equal(at.Truncate(time.Second)) || len(p.Events) != 1 || p.Events[0].UID != "endless" {
			t.Errorf("providers: %v", p)
		}
		for p := range all(t, q) {
			if p.End.Before(at.Truncate(time.Second)) {
				t.Errorf("still there: %v", p)
			}
		}
		for _, uid := range []string{"ending", "running", "moved", "endless", "odd", "bad"} {
			if _, err := q.Get(stores.Key{ID: stores.ID{UID: uid}}); err != nil {
				t.Errorf("%s: %v", uid, err)
			}
		}
	})
}

// all yields every record of the quota.
func all(t testing.TB, q *quota.Quota) func(func(freebusy.Period) bool) {
	return func(yield func(freebusy.Period) bool) {
		groups, err := q.Others()
		must(t, err)
		for _, group := range groups {
			table, err := q.Periods(stores.Table{Kind: stores.Other, Other: group})
			must(t, err)
			for p := range table.All() {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// The invitation to a series is overtaken by that to one of its occurrences, and not accepted: what is booked of the occurrence
// stays.
func TestRetractLeavesOccurrences(t *testing.T) {
	j := journal(t)
	r := newResource(attic)
	r.accept(t, j, object(t, "meeting", []calendar.URI{attic}, "RECURRENCE-ID:20261203T090000Z", "DTSTART:20261203T090000Z", "DTEND:20261203T100000Z"), quota.InGroup)
	booked, kept := tables(t, j), events(t, j)
	if len(booked) != 1 || len(kept) != 1 {
		t.Fatalf("booked %q, kept %q", booked, kept)
	}
	update(t, j, func(q *quota.Quota) { must(t, q.Retract(stores.ID{UID: "meeting"}, r.uri, r.own, true)) })
	wantTables(t, j, booked...)
	wantEvents(t, j, kept...)
	r.giveUp(t, j, stores.ID{UID: "meeting"})
	wantTables(t, j)
	wantEvents(t, j)
}
