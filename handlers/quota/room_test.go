package quota_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/handlers/quota"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/freebusy"
)

const (
	paul  calendar.URI = "mailto:paul@example.com"
	vera  calendar.URI = "mailto:vera@example.com"
	attic calendar.URI = "mailto:attic@example.com"
	cave  calendar.URI = "mailto:cave@example.com"
	barn  calendar.URI = "mailto:barn@example.com"
	rooms calendar.URI = "mailto:rooms@example.com"
)

// now is before everything that is booked, but for what is past.
var now = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// journal returns an empty journal.
func journal(t testing.TB) *file.Journal {
	t.Helper()
	j, err := file.OpenJournal(file.Options{Dir: t.TempDir(), LockTimeout: time.Minute})
	must(t, err)
	return j
}

// lists are a quota's lists, in lines.
type lists map[string]string

func (l lists) set(t testing.TB, j stores.Journal) {
	t.Helper()
	must(t, j.Update(t.Context(), rooms, func(tx stores.JournalTx) error {
		for name, text := range l {
			var lines [][]string
			for line := range strings.Lines(text) {
				words, err := stores.Words(line)
				must(t, err)
				lines = append(lines, words)
			}
			if err := tx.SetList(name, lines); err != nil {
				return err
			}
		}
		return nil
	}))
}

func update(t testing.TB, j stores.Journal, fn func(*quota.Quota)) {
	t.Helper()
	must(t, quota.Update(t.Context(), nil, j, []calendar.URI{rooms}, func(quotas map[calendar.URI]*quota.Quota) error {
		fn(quotas[rooms])
		return nil
	}))
}

// object returns an event of paul's, with resources as attendees, and lines in place of others.
func object(t testing.TB, uid string, resources []calendar.URI, lines ...string) *calendar.Object {
	t.Helper()
	text := []string{"BEGIN:VEVENT", "UID:" + uid, "SUMMARY:Meeting"}
	given := strings.Join(lines, "\n")
	for _, line := range []string{"ORGANIZER:" + string(paul), "SEQUENCE:0", "DTSTAMP:20261101T120000Z", "DTSTART:20261202T090000Z", "DTEND:20261202T100000Z"} {
		name, _, _ := strings.Cut(line, ":")
		if !strings.HasPrefix(given, name) && !strings.Contains(given, "\n"+name) {
			text = append(text, line)
		}
	}
	text = append(text, lines...)
	for _, r := range resources {
		text = append(text, "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:"+string(r))
	}
	o, err := calendar.DecodeObject([]byte(strings.Join(append(text, "END:VEVENT", ""), "\n")))
	must(t, err)
	return o
}

// booking returns what a resource is asked for.
func booking(t testing.TB, o *calendar.Object, resource calendar.URI) quota.Booking {
	t.Helper()
	id, err := o.RecurrenceID()
	must(t, err)
	b := quota.Booking{ID: stores.ID{UID: o.UID(), RecurrenceID: id}, Object: o, Resource: resource}
	if id != "" {
		b.At, err = calendar.InstantOf(id, time.UTC)
		must(t, err)
	}
	b.Spans, _, err = o.Periods(calendar.PeriodOptions{Zone: time.UTC, Now: now, Until: now.AddDate(0, 0, 100)})
	must(t, err)
	return b
}

// resource is what a resource has of its own.
type resource struct {
	uri calendar.URI
	own *freebusy.Table
}

func newResource(uri calendar.URI) *resource { return &resource{uri, freebusy.New(freebusy.Plain)} }

// accept changes the resource's own records, as a handler does, and confirms.
func (r *resource) accept(t testing.TB, j stores.Journal, o *calendar.Object, books quota.Books) {
	t.Helper()
	b := booking(t, accepted(o, r.uri), r.uri)
	r.record(b)
	update(t, j, func(q *quota.Quota) { must(t, q.Confirm(b, r.own, books)) })
}

func (r *resource) record(b quota.Booking) {
	r.own.Remove(b.UID, b.RecurrenceID)
	if b.RecurrenceID == "" {
		r.own.RemoveRecurrences(b.UID, func(string) bool { return false })
	} else {
		r.own.RemoveStarting(b.UID, "", b.At)
	}
	r.own.InsertAll(itip.NewSeries(b.ID, b.Object).Records(b.Spans, itip.AttendingTransp(b.Object), time.Time{}))
}

// giveUp changes the resource's own records, as a handler does, and retracts.
func (r *resource) giveUp(t testing.TB, j stores.Journal, id stores.ID) {
	t.Helper()
	r.own.Remove(id.UID, id.RecurrenceID)
	if id.RecurrenceID == "" {
		r.own.RemoveRecurrences(id.UID, func(string) bool { return false })
	} else if at, err := calendar.InstantOf(id.RecurrenceID, time.UTC); err == nil {
		r.own.RemoveStarting(id.UID, "", at)
	}
	update(t, j, func(q *quota.Quota) { must(t, q.Retract(id, r.uri, r.own, true)) })
}

// accepted returns the object as a resource that accepts has it.
func accepted(o *calendar.Object, resource calendar.URI) *calendar.Object {
	o = o.Clone()
	attendees := o.Attendees()
	for i, a := range attendees {
		if a.URI.Is(resource) {
			attendees[i] = a.Accepted()
		}
	}
	o.SetAttendees(attendees)
	return o
}

// tables returns what is booked under the quota, a line for each record.
func tables(t testing.TB, j stores.Journal) (lines []string) {
	t.Helper()
	update(t, j, func(q *quota.Quota) {
		groups, err := q.Others()
		must(t, err)
		for _, group := range groups {
			table, err := q.Periods(stores.Table{Kind: stores.Other, Other: group})
			must(t, err)
			for p := range table.All() {
				id := p.UID
				if p.RecurrenceID != "" {
					id += "/" + p.RecurrenceID
				}
				lines = append(lines, fmt.Sprintf("%s: %s %s %s-%s %s", short(string(group)), id, short(p.Attendee),
					p.Start.Format("0102T15"), p.End.Format("0102T15"), p.Transp))
			}
		}
	})
	return lines
}

func short(uri string) string {
	return strings.TrimSuffix(strings.TrimPrefix(uri, "mailto:"), "@example.com")
}

func wantTables(t testing.TB, j stores.Journal, want ...string) {
	t.Helper()
	if got := tables(t, j); !slices.Equal(got, want) {
		t.Errorf("booked:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// events returns what is kept of events: the names, sequence numbers and who has accepted.
func events(t testing.TB, j stores.Journal) (lines []string) {
	t.Helper()
	update(t, j, func(q *quota.Quota) {
		for key, err := range q.Keys() {
			must(t, err)
			text, err := q.Get(key)
			must(t, err)
			o, err := calendar.DecodeObject(text)
			must(t, err)
			sequence, _ := o.Sequence()
			line := fmt.Sprintf("%s %s %d:", key.UID, key.RecurrenceID, sequence)
			for _, a := range o.Attendees() {
				line += fmt.Sprintf(" %s=%s", short(string(a.URI)), a.PartStat())
			}
			lines = append(lines, line)
		}
	})
	slices.Sort(lines)
	return lines
}

func wantEvents(t testing.TB, j stores.Journal, want ...string) {
	t.Helper()
	if got := events(t, j); !slices.Equal(got, want) {
		t.Errorf("events:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
