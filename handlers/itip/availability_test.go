package itip

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Who takes part in an event (RFC 5545 section 3.2.12).
func TestTakesPart(t *testing.T) {
	for _, c := range []struct {
		name, lines string
		user        calendar.URI
		want        bool
	}{
		{"accepted", "ATTENDEE;PARTSTAT=ACCEPTED:" + bob, bob, true},
		{"perhaps", "ATTENDEE;PARTSTAT=TENTATIVE:" + bob, bob, true},
		{"without status: the original, observed", "ATTENDEE:" + bob, bob, true},
		{"a status of somebody's own", "ATTENDEE;PARTSTAT=X-LATE:" + bob, bob, true},
		{"declined", "ATTENDEE;PARTSTAT=DECLINED:" + bob, bob, false},
		{"in lower case", "ATTENDEE;PARTSTAT=declined:" + bob, bob, false},
		{"delegated", "ATTENDEE;PARTSTAT=DELEGATED:" + bob, bob, false},
		{"not answered", "ATTENDEE;PARTSTAT=NEEDS-ACTION:" + bob, bob, false},
		{"not invited", "ATTENDEE;PARTSTAT=ACCEPTED:" + ann, bob, false},
		{"organizer who is no attendee", "ORGANIZER:" + bob, bob, false},
		{"by another spelling", "ATTENDEE;PARTSTAT=ACCEPTED:MAILTO:Bob@Example.com", bob, true},
		{"twice: the last one counts", "ATTENDEE;PARTSTAT=ACCEPTED:" + bob + "\nATTENDEE;PARTSTAT=DECLINED:" + bob, bob, false},
	} {
		if got := TakesPart(object(t, c.lines), c.user); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// How busy an event makes who attends it, and whom its organizer's program records (RFC 5545
// section 3.8.2.7).
func TestTransparencies(t *testing.T) {
	for _, c := range []struct{ name, lines, attending, organizing string }{
		{"by default", "ATTENDEE;PARTSTAT=ACCEPTED:" + bob, Opaque, Opaque},
		{"transparent", "TRANSP:TRANSPARENT\nATTENDEE;PARTSTAT=ACCEPTED:" + bob, Transparent, Transparent},
		{"in lower case", "TRANSP:transparent\nATTENDEE;PARTSTAT=ACCEPTED:" + bob, Transparent, Transparent},
		{"no word of the RFC", "TRANSP:MAYBE\nATTENDEE;PARTSTAT=ACCEPTED:" + bob, Opaque, Opaque},
		{"without status", "TRANSP:TRANSPARENT\nATTENDEE:" + bob, Transparent, Organizing},
		{"no attendee", "ATTENDEE;PARTSTAT=ACCEPTED:" + ann, Opaque, Organizing},
		{"not answered", "ATTENDEE;PARTSTAT=NEEDS-ACTION:" + bob, Opaque, Opaque},
	} {
		o := object(t, c.lines)
		if got := AttendingTransp(o); got != c.attending {
			t.Errorf("%s: attending %s", c.name, got)
		}
		if got := OrganizingTransp(o, bob); got != c.organizing {
			t.Errorf("%s: organizing %s", c.name, got)
		}
	}
}

// An event has a record for each of its periods, with what a table has of it.
func TestRecords(t *testing.T) {
	o := object(t, "SUMMARY:Talk\nORGANIZER:"+ann+"\nDTSTART:20261202T090000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY")
	id := stores.ID{UID: "meeting"}
	expires := now.AddDate(0, 0, 7)
	options := calendar.PeriodOptions{Zone: time.UTC, Now: now, Until: now.AddDate(0, 0, 30), Max: 2}
	series := NewSeries(id, o)
	times, err := series.Times(options)
	records := series.Records(times.Spans, Opaque, expires)
	var got []string
	for _, p := range records {
		got = append(got, fmt.Sprint(p.Start.Format("02 15:04"), p.End.Format("-15:04 "), p.UID, p.RecurrenceID, " ", p.Transp, " ", p.Summary, " ", p.Organizer, " ", p.Expires.Equal(expires)))
	}
	want := []string{"02 09:00-10:00 meeting OPAQUE Talk " + ann + " true", "09 09:00-10:00 meeting OPAQUE Talk " + ann + " true"}
	if !slices.Equal(got, want) || !times.Truncated || err != nil {
		t.Errorf("%q %v %v", got, times.Truncated, err)
	}
}
