package calendar

import (
	"strings"
	"testing"
	"time"
)

// The periods that an event names are moved and written in its own form.
func TestExplicit(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		lines string
		found string // by the clock of the event
		moved string // lines with all an hour later
	}{
		"UTC": {"DTSTART:20261202T090000Z\nDTEND:20261202T100000Z", "09:00-10:00",
			"DTEND:20261202T110000Z\nDTSTART:20261202T100000Z"},
		"in a zone, with a length": {"DTSTART;TZID=America/New_York:20261202T090000\nDURATION:PT30M", "09:00-09:30",
			"DTEND;TZID=America/New_York:20261202T103000\nDTSTART;TZID=America/New_York:20261202T100000"},
		"floating": {"DTSTART:20261202T090000\nDTEND:20261202T100000", "09:00-10:00",
			"DTEND:20261202T110000\nDTSTART:20261202T100000"},
		"an end in another zone": {"DTSTART;TZID=Europe/Oslo:20261202T090000\nDTEND:20261202T090000Z", "09:00-10:00",
			"DTEND;TZID=Europe/Oslo:20261202T110000\nDTSTART;TZID=Europe/Oslo:20261202T100000"},
		"without length": {"DTSTART:20261202T090000Z", "09:00-09:00",
			"DTEND:20261202T100000Z\nDTSTART:20261202T100000Z"},
		"dates": {"DTSTART;TZID=Europe/Oslo:20261202T090000\nDURATION:PT1H\nRDATE;TZID=Europe/Oslo:20261203T090000\nRDATE;VALUE=PERIOD:20261204T090000Z/PT30M\nEXDATE:20261204T090000Z", "09:00-10:00 09:00-10:00",
			"DTEND;TZID=Europe/Oslo:20261202T110000\nDTSTART;TZID=Europe/Oslo:20261202T100000\nEXDATE:20261204T090000Z\nRDATE;VALUE=PERIOD:20261203T090000Z/20261203T100000Z"},
	} {
		o, err := DecodeObject([]byte("BEGIN:VEVENT\n" + test.lines + "\nEND:VEVENT\n"))
		if err != nil {
			t.Fatal(err)
		}
		periods, err := o.Explicit(oslo)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var found []string
		for i, p := range periods {
			found = append(found, p.Start.Format("15:04")+"-"+p.End.Format("15:04"))
			periods[i].Start, periods[i].End = p.Start.Add(time.Hour), p.End.Add(time.Hour)
		}
		if got := strings.Join(found, " "); got != test.found {
			t.Errorf("%s: %s, want %s", name, got, test.found)
		}
		o.SetExplicit(periods)
		if got, want := strings.ReplaceAll(string(o.Encode()), "\r\n", "\n"), "BEGIN:VEVENT\n"+test.moved+"\nEND:VEVENT\n"; got != want {
			t.Errorf("%s: moved %s, want %s", name, got, want)
		}
		again, err := o.Explicit(oslo)
		if err != nil || !SameExplicit(again, periods) && name != "dates" {
			t.Errorf("%s: read again %v, %v, want %v", name, again, err, periods)
		}
	}
	for name, lines := range map[string]string{
		"no beginning": "SUMMARY:x",
		"a day more":   "DTSTART:20261202T090000Z\nRDATE;VALUE=DATE:soon",
	} {
		o, err := DecodeObject([]byte("BEGIN:VEVENT\n" + lines + "\nEND:VEVENT\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Explicit(oslo); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
