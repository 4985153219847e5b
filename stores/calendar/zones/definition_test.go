package zones

import (
	"strings"
	"testing"
	"time"

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

// TestUse checks that a zone is what a definition describes only if it has the offsets
// when it is used, and that a described zone places times by its offsets where none is.
func TestUse(t *testing.T) {
	const (
		oldUS       = "DTSTART:16011028T020000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"
		oldUSSummer = "DTSTART:16010401T020000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4"
		newUS       = "DTSTART:20071104T020000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11"
		newUSSummer = "DTSTART:20070311T020000\nRRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3"
		southWinter = "DTSTART:16010218T000000\nRRULE:FREQ=YEARLY;BYDAY=3SU;BYMONTH=2"
		southSummer = "DTSTART:16011021T000000\nRRULE:FREQ=YEARLY;BYDAY=3SU;BYMONTH=10"
		eu          = "DTSTART:16011028T030000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"
		euSummer    = "DTSTART:16010325T020000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"
	)
	for _, c := range []struct {
		name, lines, local, from string
		want, utc                string
	}{
		{"the rules of Berlin", alternating("+0100", eu, "+0200", euSummer), "20261124T090000", "20261101", "Europe/Berlin", ""},
		{"southern summer, in it", alternating("-0300", southWinter, "-0200", southSummer), "20261201T090000", "20261101", "", "20261201T110000Z"},
		{"southern summer, in winter", alternating("-0300", southWinter, "-0200", southSummer), "20260701T090000", "20261101", "", "20260701T120000Z"},
		{"southern summer, while it was", alternating("-0300", southWinter, "-0200", southSummer), "20140106T090000", "20140101", "America/Sao_Paulo", ""},
		{"southern summer at New York's offsets", alternating("-0500", southWinter, "-0400", southSummer), "20261201T090000", "20261101", "", "20261201T130000Z"},
		{"southern summer at Berlin's offsets", alternating("+0100", southWinter, "+0200", southSummer), "20261201T090000", "20261101", "", "20261201T070000Z"},
		{"New York's offsets and the rules of Europe", alternating("-0500", eu, "-0400", euSummer), "20261201T090000", "20261101", "", "20261201T140000Z"},
		{"America before 2007, now", alternating("-0500", oldUS, "-0400", oldUSSummer), "20261028T090000", "20261001", "", "20261028T140000Z"},
		{"America before 2007, now, in summer", alternating("-0500", oldUS, "-0400", oldUSSummer), "20260728T090000", "20260701", "", "20260728T130000Z"},
		{"America before 2007, then", alternating("-0500", oldUS, "-0400", oldUSSummer), "20051028T090000", "20050901", "America/New_York", ""},
		{"two eras, the first without an end", alternating("-0500", oldUS, "-0400", oldUSSummer) + "\n" + alternating("-0500", newUS, "-0400", newUSSummer), "20270314T010000", "20261123", "America/New_York", ""},
		{"two eras, in another order", alternating("-0500", newUS, "-0400", newUSSummer) + "\n" + alternating("-0500", oldUS, "-0400", oldUSSummer), "20270314T010000", "20261123", "America/New_York", ""},
		{"an offset that no zone has", "BEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0013\nTZOFFSETTO:+0013\nEND:STANDARD", "20261201T090000", "20261101", "", "20261201T084700Z"},
		{"a time in a gap", alternating("+0013", eu, "+0113", euSummer), "20270328T023000", "20261101", "", "20270328T021700Z"},
		{"a time that comes twice", alternating("+0013", eu, "+0113", euSummer), "20261025T023000", "20261001", "", "20261025T011700Z"},
		{"after 2037", alternating("-0500", southWinter, "-0400", southSummer), "20501201T090000", "20501101", "", "20501201T130000Z"},
		{"a zone that lapsed", alternating("-0300", "DTSTART:20060312T020000\nRRULE:FREQ=YEARLY;UNTIL=20150308T040000Z;BYDAY=2SU;BYMONTH=3", "-0200", "DTSTART:20051009T020000\nRRULE:FREQ=YEARLY;UNTIL=20141005T050000Z;BYDAY=1SU;BYMONTH=10"), "20250115T090000", "20250101", "America/Montevideo", ""},
	} {
		r := NewResolver([]*ical.Component{vtimezone(t, "TZID:Customized Time Zone\n"+c.lines)})
		local, err := time.Parse("20060102T150405", c.local)
		if err != nil {
			t.Fatal(err)
		}
		from, err := time.Parse("20060102", c.from)
		if err != nil {
			t.Fatal(err)
		}
		zone := r.Find("Customized Time Zone", Use{Locals: []time.Time{local}, From: from, To: from.AddDate(1, 0, 0)})
		if zone.IANA != c.want || zone.Guess != "" || zone.Described() != (c.want == "") {
			t.Errorf("%s: got %q (guess: %q), want %q", c.name, zone.IANA, zone.Guess, c.want)
		}
		if zone.Described() {
			if got := zone.Place(local).Format("20060102T150405Z"); got != c.utc {
				t.Errorf("%s: %s is %s, want %s", c.name, c.local, got, c.utc)
			}
		}
	}
}

// TestGuesses checks that a zone that is guessed is said to be.
func TestGuesses(t *testing.T) {
	lost := vtimezone(t, "TZID:Lost\n"+alternating("+0100", "DTSTART:16011028T030000", "+0200", "DTSTART:16010325T020000"))
	r := NewResolver([]*ical.Component{lost})
	for _, tzid := range []string{"Lost", "(UTC+01:00) Atlantis"} {
		if zone := r.Find(tzid, Use{}); zone.IANA == "" || zone.Guess == "" {
			t.Errorf("%s: %+v is no guess", tzid, zone)
		}
	}
	for _, tzid := range []string{"UTC+01:00", "Europe/Oslo", "Berlin"} {
		if zone := r.Find(tzid, Use{}); zone.IANA == "" || zone.Guess != "" {
			t.Errorf("%s: %+v is a guess", tzid, zone)
		}
	}
}
