package calendar

import (
	"strings"
	"testing"
	"time"
)

// What other programs compare as it is written leaves in the form of DTSTART.
func TestAlign(t *testing.T) {
	const (
		oslo = "DTSTART;TZID=Europe/Oslo:20261124T090000\nRRULE:FREQ=DAILY"
		utc  = "DTSTART:20261124T080000Z\nRRULE:FREQ=DAILY"
		days = "DTSTART;VALUE=DATE:20261124\nRRULE:FREQ=DAILY"
		hour = "DTSTART:20261124T090000\nRRULE:FREQ=DAILY"
	)
	for _, c := range []struct{ event, line, want string }{
		{oslo, "RECURRENCE-ID;TZID=Europe/London:20261125T080000", "RECURRENCE-ID;TZID=Europe/Oslo:20261125T090000"},
		{oslo, "RECURRENCE-ID:20261125T080000Z", "RECURRENCE-ID;TZID=Europe/Oslo:20261125T090000"},
		{oslo, "RECURRENCE-ID:20261125T090000", "RECURRENCE-ID;TZID=Europe/Oslo:20261125T090000"},
		{oslo, "RECURRENCE-ID;VALUE=DATE:20261125", "RECURRENCE-ID;TZID=Europe/Oslo:20261125T090000"},
		{oslo, "RECURRENCE-ID;RANGE=THISANDFUTURE:20261125T080000Z", "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Oslo:20261125T090000"},
		{oslo, "RECURRENCE-ID;TZID=Europe/Oslo:20261125T090000", "RECURRENCE-ID;TZID=Europe/Oslo:20261125T090000"},
		{utc, "RECURRENCE-ID;TZID=Europe/Oslo:20261125T090000", "RECURRENCE-ID:20261125T080000Z"},
		{days, "RECURRENCE-ID;TZID=Europe/Oslo:20261125T000000", "RECURRENCE-ID;VALUE=DATE:20261125"},
		{days, "RECURRENCE-ID:20261125T000000Z", "RECURRENCE-ID;VALUE=DATE:20261125"},
		{hour, "RECURRENCE-ID:20261125T140000Z", "RECURRENCE-ID:20261125T090000"}, // in New York
		{oslo, "EXDATE:20261125T090000,20261126T080000Z", "EXDATE;TZID=Europe/Oslo:20261125T090000,20261126T090000"},
		{oslo, "EXDATE;VALUE=DATE:20261125", "EXDATE;TZID=Europe/Oslo:20261125T090000"},
		{days, "EXDATE;TZID=Europe/Oslo:20261125T000000", "EXDATE;VALUE=DATE:20261125"},
		{days, "EXDATE:20261125", "EXDATE:20261125"},
		{oslo, "EXDATE:someday", "EXDATE:SOMEDAY"},
	} {
		event := object(t, c.event)
		o, of := object(t, "DTSTART:20261125T120000Z", c.line), event
		if strings.HasPrefix(c.line, "EXDATE") {
			o = object(t, c.event, c.line)
			of = nil
		}
		before := string(o.Encode())
		changed := o.Align(of, location(t, "America/New_York"))
		text := strings.ReplaceAll(string(o.Encode()), "\r\n ", "")
		if !strings.Contains(text, "\r\n"+c.want+"\r\n") {
			t.Errorf("%s of %s: want %s, got\n%s", c.line, c.event, c.want, text)
		}
		if changed != (string(o.Encode()) != before) {
			t.Errorf("%s of %s: changed is %v", c.line, c.event, changed)
		}
	}
}

// What takes an occurrence out of an event has the form of its DTSTART.
func TestExclude(t *testing.T) {
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
		object, err := DecodeObject([]byte("BEGIN:VEVENT\r\nUID:u\r\n" + test.start + "\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := object.Exclude(test.recurrenceID, oslo); err == nil {
			for line := range strings.Lines(string(object.Encode())) {
				if strings.HasPrefix(line, "EXDATE") {
					got += strings.TrimSuffix(line, "\r\n")
				}
			}
		}
		if got != test.want {
			t.Errorf("%s of %s: %q, want %q", test.recurrenceID, test.start, got, test.want)
		}
	}
}
