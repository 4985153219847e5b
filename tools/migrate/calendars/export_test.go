package calendars

import (
	"slices"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// What takes an occurrence out of an event has the form of its DTSTART.
func TestExclusion(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ start, recurrenceID, want string }{
		{"DTSTART;TZID=Europe/Oslo:20261202T100000", "20261203T090000Z", "EXDATE;TZID=Europe/Oslo:20261203T100000"},
		{"DTSTART;TZID=Europe/Oslo:20261202T100000", "20261203T100000", "EXDATE;TZID=Europe/Oslo:20261203T100000"},
		{"DTSTART;TZID=America/New_York:20261202T100000", "20261203T100000", "EXDATE;TZID=America/New_York:20261203T100000"}, // the event's time
		{"DTSTART;TZID=Europe/Oslo:20261202T100000", "20261203", "EXDATE;TZID=Europe/Oslo:20261203T100000"},
		{"DTSTART:20261202T090000Z", "20261203T090000Z", "EXDATE:20261203T090000Z"},
		{"DTSTART:20261202T090000Z", "20261203T090000", "EXDATE:20261203T090000Z"},
		{"DTSTART:20261202T090000Z", "20261203", "EXDATE:20261203T090000Z"},
		{"DTSTART:20261202T100000", "20261203T100000", "EXDATE:20261203T100000"},
		{"DTSTART:20261202T100000", "20261203T090000Z", "EXDATE:20261203T100000"},
		{"DTSTART;VALUE=DATE:20261202", "20261203", "EXDATE;VALUE=DATE:20261203"},
		{"DTSTART;VALUE=DATE:20261202", "20261202T230000Z", "EXDATE;VALUE=DATE:20261203"}, // Oslo's midnight
		{"DTSTART:20261202T100000", "some day", ""},
	} {
		object, err := calendar.DecodeObject([]byte("BEGIN:VEVENT\r\nUID:u\r\n" + test.start + "\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if line, err := object.Exclusion(test.recurrenceID, oslo); err == nil {
			got = line
		}
		if got != test.want {
			t.Errorf("%s of %s: %q, want %q", test.recurrenceID, test.start, got, test.want)
		}
	}
}

// A changed occurrence leaves in the form of its event, as programs compare the two.
func TestOverrideForm(t *testing.T) {
	read := func(id stores.ID, lines ...string) component {
		object, err := calendar.DecodeObject(fold(slices.Concat([]string{"BEGIN:VEVENT", "UID:u"}, lines, []string{"END:VEVENT"})))
		if err != nil {
			t.Fatal(err)
		}
		return component{id: id, object: object, recurs: object.Has("RRULE"), lines: unfold(string(object.Encode()))}
	}
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	lines := (&Export{}).event([]component{
		read(stores.ID{UID: "u"}, "DTSTART;TZID=Europe/Oslo:20261202T090000", "RRULE:FREQ=DAILY", "EXDATE:20261204T090000"),
		read(stores.ID{UID: "u", RecurrenceID: "20261203T080000Z"}, "RECURRENCE-ID;TZID=Europe/London:20261203T080000", "DTSTART:20261203T120000Z"),
	}, map[string]time.Time{}, newYork, func(id stores.ID, reason string) { t.Error(id, reason) })
	for _, want := range []string{"EXDATE;TZID=Europe/Oslo:20261204T090000", "RECURRENCE-ID;TZID=Europe/Oslo:20261203T090000"} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %s in %q", want, lines)
		}
	}
}

// What is added to an event comes before its alarms, as all properties do.
func TestBeforeAlarms(t *testing.T) {
	read := func(id stores.ID, cancelled bool, lines ...string) component {
		text := fold(slices.Concat([]string{"BEGIN:VEVENT", "UID:u"}, lines, []string{"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "END:VALARM", "END:VEVENT"}))
		object, err := calendar.DecodeObject(text)
		if err != nil {
			t.Fatal(err)
		}
		return component{id: id, cancelled: cancelled, object: object, recurs: object.Has("RRULE"), lines: unfold(string(object.Encode()))}
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
		lines := x.event(test.components, make(map[string]time.Time), time.UTC, func(_ stores.ID, text string) { t.Error(text) })
		added, alarm, end := slices.Index(lines, test.added), slices.Index(lines, "BEGIN:VALARM"), slices.Index(lines, "END:VEVENT")
		if added < 0 || added > alarm || alarm > end || end != len(lines)-1 {
			t.Errorf("%s: it has to come before the alarm: %q", test.name, lines)
		}
	}
}
