package migrate

import (
	"testing"
	"time"

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
		{"DTSTART;TZID=America/New_York:20261202T100000", "20261203T100000", "EXDATE;TZID=America/New_York:20261203T100000"}, // Oslo's would match none
		{"DTSTART;TZID=Europe/Oslo:20261202T100000", "20261203", "EXDATE;TZID=Europe/Oslo:20261203T100000"},
		{"DTSTART;TZID=America/New_York:20261202T040000", "20261203T100000", "EXDATE;TZID=America/New_York:20261203T040000"},
		{"DTSTART:20261202T090000Z", "20261203T090000Z", "EXDATE:20261203T090000Z"},
		{"DTSTART:20261202T090000Z", "20261203T100000", "EXDATE:20261203T090000Z"},
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
		if line, ok := exclusion(object, test.recurrenceID, oslo); ok {
			got = line.String()
		}
		if got != test.want {
			t.Errorf("%s of %s: %q, want %q", test.recurrenceID, test.start, got, test.want)
		}
	}
}
