package zones

import (
	"strings"
	"testing"

	"github.com/emersion/go-ical"
)

// vtimezone reads a VTIMEZONE from its lines, which need no BEGIN and END of its
// own.
func vtimezone(t testing.TB, lines string) *ical.Component {
	t.Helper()
	text := "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\n" + strings.TrimSpace(lines) + "\nEND:VTIMEZONE\nEND:VCALENDAR\n"
	calendar, err := ical.NewDecoder(strings.NewReader(text)).Decode()
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return calendar.Children[0]
}

// alternating returns the lines of a zone with two offsets and their rules.
func alternating(standard, standardRule, daylight, daylightRule string) string {
	return "BEGIN:STANDARD\n" + standardRule + "\nTZOFFSETFROM:" + daylight + "\nTZOFFSETTO:" + standard + "\nEND:STANDARD\n" +
		"BEGIN:DAYLIGHT\n" + daylightRule + "\nTZOFFSETFROM:" + standard + "\nTZOFFSETTO:" + daylight + "\nEND:DAYLIGHT"
}

func TestDefinitions(t *testing.T) {
	const (
		outlookEU       = "DTSTART:16011028T030000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"
		outlookEUSummer = "DTSTART:16010325T020000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"
	)
	for _, c := range []struct{ name, lines, want string }{
		{"Outlook, central Europe", alternating("+0100", outlookEU, "+0200", outlookEUSummer), "Europe/Berlin"},
		{"rules since 1970", alternating("+0100", "DTSTART:19701025T030000\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "+0200", "DTSTART:19700329T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"), "Europe/Berlin"},
		{"lower case, and escapes that do not belong", alternating("+0100", strings.ToLower(strings.ReplaceAll("RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", ";", `\;`))+"\nDTSTART:16011028T030000", "+0200", outlookEUSummer), "Europe/Berlin"},
		{"London", alternating("+0000", "DTSTART:16011028T020000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "+0100", "DTSTART:16010325T010000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"), "Europe/London"},
		{"Helsinki", alternating("+0200", "DTSTART:16011028T040000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "+0300", "DTSTART:16010325T030000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"), "Europe/Bucharest"},
		{"New York", alternating("-0500", "DTSTART:16011104T020000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11", "-0400", "DTSTART:16010311T020000\nRRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3"), "America/New_York"},
		{"the US rules of 1987 to 2006", alternating("-0800", "DTSTART:19671029T020000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "-0700", "DTSTART:19870405T020000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4"), "America/Los_Angeles"},
		{"Los Angeles with its history", alternating("-0800", "DTSTART:19671029T020000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10;UNTIL=20061029T090000Z", "-0700", "DTSTART:19870405T020000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4;UNTIL=20060402T100000Z") + "\n" +
			alternating("-0800", "DTSTART:20071104T020000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11", "-0700", "DTSTART:20070311T020000\nRRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3"), "America/Los_Angeles"},
		{"Sydney", alternating("+1000", "DTSTART:16010401T030000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4", "+1100", "DTSTART:16011007T020000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=10"), "Australia/Sydney"},
		{"Lord Howe, half an hour", alternating("+1030", "DTSTART:16010401T020000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4", "+1100", "DTSTART:16011007T020000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=10"), "Australia/Lord_Howe"},
		{"one change of each, this year", alternating("+0100", "DTSTART:20261025T030000", "+0200", "DTSTART:20260329T020000"), "Europe/Berlin"},
		{"changes in a list", alternating("-0500", "DTSTART:20241103T020000\nRDATE:20241103T020000,20251102T020000,20261101T020000", "-0400", "DTSTART:20240310T020000\nRDATE:20240310T020000,20250309T020000,20260308T020000"), "America/New_York"},
		{"winter only", "BEGIN:STANDARD\nDTSTART:20261025T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD", "Europe/Berlin"},
		{"always the same", "BEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530\nEND:STANDARD", "Asia/Calcutta"},
		{"always UTC", "BEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0000\nEND:STANDARD", "Etc/UTC"},
		{"standard and daylight alike", alternating("+0900", "DTSTART:16010101T000000", "+0900", "DTSTART:16010101T000000"), "Asia/Tokyo"},
		{"no DTSTART", "BEGIN:STANDARD\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nEND:STANDARD", "Asia/Tokyo"},
		{"offset with a colon, no TZOFFSETFROM", "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETTO:+09:00\nEND:STANDARD", "Asia/Tokyo"},
		{"rules lost", alternating("-080000", "DTSTART:19671029T020000\nX-LIC-ERROR;X-LIC-ERRORTYPE=VALUE_PARSE_ERROR:Can't parse as RECUR value", "-070000", "DTSTART:19870405T020000"), "America/Los_Angeles"},
		{"rules that are none", alternating("+0100", "DTSTART:16011028T030000\nRRULE:FREQ=OFTEN", "+0200", "DTSTART:16010325T020000\nRRULE:"), "Europe/Berlin"},
		{"a zone that was: Moscow before 2011", alternating("+0300", "DTSTART:19961027T030000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "+0400", "DTSTART:19930328T020000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"), "Europe/Moscow"},
		{"an offset that no zone has", "BEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0013\nTZOFFSETTO:+0013\nEND:STANDARD", ""},
		{"an offset of days", "BEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETTO:+9900\nEND:STANDARD", ""},
		{"nothing", "", ""},
		{"no offsets", "BEGIN:STANDARD\nDTSTART:16010101T000000\nEND:STANDARD", ""},
		{"changes by the second", alternating("+0100", "DTSTART:16010101T000000\nRRULE:FREQ=SECONDLY", "+0200", "DTSTART:16010101T000000\nRRULE:FREQ=SECONDLY"), "Europe/Berlin"},
	} {
		r := NewResolver([]*ical.Component{vtimezone(t, "TZID:Customized Time Zone\n"+c.lines)})
		got, ok := r.Resolve("Customized Time Zone")
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s: got %q, %v, want %q", c.name, got, ok, c.want)
		}
	}
}
