package calendars

import (
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// read reads a stored event.
func read(t *testing.T, id stores.ID, cancelled bool, lines ...string) component {
	t.Helper()
	text := strings.Join(slices.Concat([]string{"BEGIN:VEVENT", "UID:u"}, lines, []string{"END:VEVENT"}), "\r\n")
	object, err := calendar.DecodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return component{id: id, cancelled: cancelled, object: object}
}

// lines returns the lines of objects as they are written.
func lines(objects []*calendar.Object) []string {
	var text string
	for _, object := range objects {
		text += string(object.Encode())
	}
	return strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
}

// A changed occurrence leaves in the form of its event, as programs compare the two.
func TestOverrideForm(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	got := lines((&Export{}).event([]component{
		read(t, stores.ID{UID: "u"}, false, "DTSTART;TZID=Europe/Oslo:20261202T090000", "RRULE:FREQ=DAILY", "EXDATE:20261204T090000"),
		read(t, stores.ID{UID: "u", RecurrenceID: "20261203T080000Z"}, false, "RECURRENCE-ID;TZID=Europe/London:20261203T080000", "DTSTART:20261203T120000Z"),
	}, newYork, func(id stores.ID, reason string) { t.Error(id, reason) }))
	for _, want := range []string{"EXDATE;TZID=Europe/Oslo:20261204T090000", "RECURRENCE-ID;TZID=Europe/Oslo:20261203T090000"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
}

// What is added to an event comes before its alarms, as all properties do.
func TestBeforeAlarms(t *testing.T) {
	alarm := []string{"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "END:VALARM"}
	read := func(id stores.ID, cancelled bool, lines ...string) component {
		return read(t, id, cancelled, append(lines, alarm...)...)
	}
	occurrence := stores.ID{UID: "u", RecurrenceID: "20261203T090000Z"}
	for _, test := range []struct {
		name       string
		components []component
		added      string
	}{
		{"EXDATE", []component{
			read(stores.ID{UID: "u"}, false, "DTSTART:20261202T090000Z", "RRULE:FREQ=DAILY"),
			read(occurrence, true, "DTSTART:20261203T090000Z", "RECURRENCE-ID:20261203T090000Z"),
		}, "EXDATE:20261203T090000Z"},
		{"DTSTAMP", []component{read(stores.ID{UID: "u"}, false, "DTSTART:20261202T090000Z")}, "DTSTAMP:20261122T120000Z"},
		{"STATUS", []component{read(stores.ID{UID: "u"}, true, "DTSTART:20261202T090000Z")}, "STATUS:CANCELLED"},
		{"RECURRENCE-ID", []component{read(occurrence, false, "DTSTART:20261203T090000Z")}, "RECURRENCE-ID:20261203T090000Z"},
	} {
		x := Export{Now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
		got := lines(x.event(test.components, time.UTC, func(_ stores.ID, text string) { t.Error(text) }))
		added, alarm, end := slices.Index(got, test.added), slices.Index(got, "BEGIN:VALARM"), slices.Index(got, "END:VEVENT")
		if added < 0 || added > alarm || alarm > end || end != len(got)-1 {
			t.Errorf("%s: it has to come before the alarm: %q", test.name, got)
		}
	}
}
