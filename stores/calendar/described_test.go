package calendar

import (
	"strings"
	"testing"
)

// decoded returns the stored form of the only event of a calendar, unfolded, and its warnings.
func decoded(t *testing.T, calendar string) (text string, warnings []string) {
	t.Helper()
	calendars, err := Decode("BEGIN:VCALENDAR\n" + calendar + "\nEND:VCALENDAR\n")
	if err != nil {
		t.Fatal(err)
	}
	e := calendars[0].Events[0]
	if e.Err != nil {
		t.Fatal(e.Err)
	}
	return strings.ReplaceAll(string(e.Object.Encode()), "\r\n ", ""), e.Warnings
}

// What is stored, so that nothing is lost and the original can read it; and what is warned of.
func TestStoredForms(t *testing.T) {
	const once = "DTSTART:20261124T120000Z"
	for _, c := range []struct {
		lines string
		want  string // a line that is stored, or without its "-" is not
		warns string // a word of a warning; none if empty
	}{
		{once + "\nDURATION:P1DT", "DURATION:P1D", ""},
		{once + "\nDURATION:+PT1H", "DURATION:PT1H", ""},
		{once + "\nDURATION:PT60M", "DURATION:PT60M", ""},
		{once + "\nDURATION:PT1H30S", "DURATION:PT1H0M30S", ""},
		{once + "\nDURATION:P1W2D", "DURATION:P9D", ""},
		{once + "\nDURATION:P1WT1H", "DURATION:P7DT1H", ""},
		{once + "\nDURATION:P2W", "DURATION:P2W", ""},
		{once + "\nDURATION:-PT1H", "DURATION:-PT1H", ""},
		{once + "\nDURATION:PT", "DURATION:PT", "length of the event is unknown"},
		{once + "\nDURATION:an hour", "DURATION:ANHOUR", "length of the event is unknown"},
		{once + "\nRDATE;VALUE=PERIOD:20261125T120000Z/+P1DT", "RDATE;VALUE=PERIOD:20261125T120000Z/P1D", ""},
		{once + "\nDTEND:20261124T1300000Z", "DTEND:20261124T1300000Z", "length of the event is unknown"},
		{once + "\nVEVENT:62", "X-PROPERTY;X-NAME=VEVENT:62", "VEVENT"},
		{once + "\nVALARM;X-A=1:62", "X-PROPERTY;X-A=1;X-NAME=VALARM:62", "VALARM"},
		{once + "\nVCALENDAR:1", "X-PROPERTY;X-NAME=VCALENDAR:1", "VCALENDAR"},
		{once + "\nDAYLIGHT:1", "X-PROPERTY;X-NAME=DAYLIGHT:1", "DAYLIGHT"},
		{once + "\nBEGIN:VALARM\nVTODO:1\nEND:VALARM", "X-PROPERTY;X-NAME=VTODO:1", "VTODO"},
		{once + "\nRECURRENCE-ID:20261124T120000Z\nRRULE:FREQ=DAILY", "-RRULE:FREQ=DAILY", "RRULE"},
		{once + "\nRECURRENCE-ID;RANGE=THISANDPRIOR:20261124T120000Z", "RECURRENCE-ID;RANGE=THISANDPRIOR:20261124T120000Z", "has no effect"},
		{once + "\nRECURRENCE-ID;RANGE=ThisAndFuture:20261124T120000Z", "RECURRENCE-ID;RANGE=ThisAndFuture:20261124T120000Z", ""},
		{once + "\nRECURRENCE-ID:20261124T120000Z\nEXRULE:FREQ=DAILY", "-EXRULE:FREQ=DAILY", "EXRULE"},
		{once + "\nRECURRENCE-ID:20261124T120000Z\nRDATE:20261125T120000Z", "-RDATE:20261125T120000Z", "RDATE"},
		{once + "\nDESCRIPTION:a\nDESCRIPTION:b", "DESCRIPTION:b", ""},
		{once + "\nURL:a\nURL:b\nURL:a", "URL:b", ""},
		{once + "\nSUMMARY:a\nSUMMARY:b", "-SUMMARY:b", "SUMMARY"},
		{once + "\nATTENDEE;CN=Unit: Oslo;PARTSTAT=ACCEPTED:mailto:bob@example.com", "ATTENDEE;CN=\"Unit: Oslo\";PARTSTAT=ACCEPTED:mailto:bob@example.com", "quoted"},
		{once + "\nATTENDEE;CN=mailto:x:MAILTO:bob@example.com", "ATTENDEE;CN=\"mailto:x\":mailto:bob@example.com", "quoted"},
		{once + "\nORGANIZER;SENT-BY=mailto:a@example.com:mailto:bob@example.com", "ORGANIZER;SENT-BY=\"mailto:a@example.com\":mailto:bob@example.com", "quoted"},
		{"DTSTART;TZID=(UTC+01:00) Atlantis:20261124T120000", "DTSTART;TZID=Etc/GMT-1:20261124T120000", "by the offset in its name"},
		{"DTSTART;TZID=Atlantis:20261124T120000", "DTSTART;X-TZID=Atlantis:20261124T120000", "unknown"},
	} {
		text, warnings := decoded(t, "BEGIN:VEVENT\nUID:u\n"+c.lines+"\nEND:VEVENT")
		line, absent := strings.CutPrefix(c.want, "-")
		if strings.Contains(text, "\r\n"+line+"\r\n") == absent {
			t.Errorf("%q: want %s in\n%s", c.lines, c.want, text)
		}
		warned := strings.Join(warnings, "\n")
		if c.warns == "" && warned != "" || !strings.Contains(warned, c.warns) {
			t.Errorf("%q: warnings %q", c.lines, warned)
		}
		if o, err := DecodeObject([]byte(text)); err != nil || string(o.Encode()) == "" || strings.ReplaceAll(string(o.Encode()), "\r\n ", "") != text {
			t.Errorf("%q: it is stored otherwise the second time (%v)", c.lines, err)
		}
	}
}

// A zone that only the message describes, and that is not an IANA zone: the times by its own
// offsets, and the occurrences of a rule, each by its own.
func TestDescribed(t *testing.T) {
	const southern = "BEGIN:VTIMEZONE\nTZID:South\n" +
		"BEGIN:STANDARD\nDTSTART:16010218T000000\nRRULE:FREQ=YEARLY;BYDAY=3SU;BYMONTH=2\nTZOFFSETFROM:-0200\nTZOFFSETTO:-0300\nEND:STANDARD\n" +
		"BEGIN:DAYLIGHT\nDTSTART:16011021T000000\nRRULE:FREQ=YEARLY;BYDAY=3SU;BYMONTH=10\nTZOFFSETFROM:-0300\nTZOFFSETTO:-0200\nEND:DAYLIGHT\n" +
		"END:VTIMEZONE\nBEGIN:VEVENT\nUID:u\nDTSTAMP:20261101T000000Z\n"
	for _, c := range []struct {
		name, lines string
		want        []string
	}{
		{"once, in summer", "DTSTART;TZID=South:20261202T090000\nDTEND;TZID=South:20261202T100000", []string{"DTSTART;X-TZID=South:20261202T110000Z", "DTEND;X-TZID=South:20261202T120000Z"}},
		{"once, in winter", "DTSTART;TZID=South:20270702T090000", []string{"DTSTART;X-TZID=South:20270702T120000Z"}},
		{"a rule over a change", "DTSTART;TZID=South:20270202T090000\nRRULE:FREQ=MONTHLY;COUNT=3", []string{"DTSTART;X-TZID=South:20270202T110000Z", "RDATE:20270302T120000Z,20270402T120000Z", "X-RRULE:FREQ=MONTHLY;COUNT=3"}},
		{"UNTIL in UTC", "DTSTART;TZID=South:20270202T090000\nRRULE:FREQ=MONTHLY;UNTIL=20270302T120000Z", []string{"RDATE:20270302T120000Z"}},
		{"UNTIL a second sooner", "DTSTART;TZID=South:20270202T090000\nRRULE:FREQ=MONTHLY;UNTIL=20270302T115959Z", []string{"X-RRULE:FREQ=MONTHLY;UNTIL=20270302T115959Z"}},
		{"the weekday there", "DTSTART;TZID=South:20261201T230000\nRRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=2", []string{"DTSTART;X-TZID=South:20261202T010000Z", "RDATE:20261209T010000Z"}},
		{"exceptions", "DTSTART;TZID=South:20261201T090000\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=South:20261202T090000", []string{"RDATE:20261202T110000Z,20261203T110000Z", "EXDATE;X-TZID=South:20261202T110000Z"}},
		{"EXRULE", "DTSTART;TZID=South:20261201T090000\nDTEND;TZID=South:20261201T100000\nRRULE:FREQ=DAILY;COUNT=3\nEXRULE:FREQ=DAILY;COUNT=1", []string{"DTSTART;X-TZID=South:20261202T110000Z", "DTEND;X-TZID=South:20261202T120000Z", "RDATE:20261203T110000Z", "X-EXRULE:FREQ=DAILY;COUNT=1"}},
		{"an occurrence", "RECURRENCE-ID;TZID=South:20261202T090000\nDTSTART;TZID=South:20261202T100000\nRRULE:FREQ=DAILY", []string{"RECURRENCE-ID;X-TZID=South:20261202T110000Z", "DTSTART;X-TZID=South:20261202T120000Z"}},
		{"added periods", "DTSTART;TZID=South:20261202T090000\nRDATE;VALUE=PERIOD;TZID=South:20261203T090000/PT1H", []string{"RDATE;VALUE=PERIOD;X-TZID=South:20261203T110000Z/PT1H"}},
	} {
		text, warnings := decoded(t, southern+c.lines+"\nEND:VEVENT")
		for _, want := range c.want {
			if !strings.Contains(text, "\r\n"+want+"\r\n") {
				t.Errorf("%s: want %s in\n%s", c.name, want, text)
			}
		}
		if strings.Contains(text, ";TZID=") || strings.Contains(text, "\r\nRRULE") {
			t.Errorf("%s: the zone or the rule stays:\n%s", c.name, text)
		}
		if !strings.Contains(strings.Join(warnings, "\n"), "not an IANA zone") {
			t.Errorf("%s: warnings %q", c.name, warnings)
		}
	}

	text, warnings := decoded(t, southern+"DTSTART;TZID=South:20150101T090000\nRRULE:FREQ=DAILY\nEND:VEVENT")
	if n := strings.Count(text, "Z,"); n < 1900 || n > maxListed || !strings.Contains(strings.Join(warnings, "\n"), "ends after") {
		t.Errorf("of a rule without end %d are listed, with the warnings %q", n, warnings)
	}
	if !strings.Contains(text, "20261202T110000Z") {
		t.Error("of a rule that began long ago the latest are not listed")
	}
}
