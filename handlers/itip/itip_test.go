package itip

import (
	"strings"
	"testing"
	"time"

	"imip-agent/stores/calendar"
)

const (
	ann = "mailto:ann@example.com"
	bob = "mailto:bob@example.com"
)

func object(t *testing.T, lines string) *calendar.Object {
	t.Helper()
	uid := "meeting"
	if rest, ok := strings.CutPrefix(lines, "X-UID:"); ok {
		uid, lines, _ = strings.Cut(rest, "\n")
	}
	o, err := calendar.DecodeObject([]byte("BEGIN:VEVENT\nUID:" + uid + "\n" + lines + "\nEND:VEVENT\n"))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestIsForwarded(t *testing.T) {
	for _, c := range []struct {
		name, lines string
		user        calendar.URI
		want        bool
	}{
		{"attendee", "ORGANIZER:" + ann + "\nATTENDEE:" + bob, bob, true},
		{"attendee in other letters", "ORGANIZER:" + ann + "\nATTENDEE:mailto:BOB@EXAMPLE.com", bob, true},
		{"organizer", "ORGANIZER:" + ann + "\nATTENDEE:" + ann, ann, false},
		{"organizer in other letters", "ORGANIZER:mailto:Ann@Example.COM\nATTENDEE:" + ann, ann, false},
		{"who acts for the organizer", "ORGANIZER;SENT-BY=\"mailto:Bob@example.com\":" + ann + "\nATTENDEE:" + bob, bob, false},
		{"who acts for an attendee", "ORGANIZER:" + ann + "\nATTENDEE;SENT-BY=\"" + bob + "\":mailto:eve@example.com", bob, false},
		{"neither: an assistant who does not say so", "ORGANIZER:" + ann + "\nATTENDEE:mailto:eve@example.com", bob, false},
		{"nobody's event", "ATTENDEE:" + bob, bob, false},
	} {
		if got := isForwarded(object(t, c.lines), c.user); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// What an answer records of the event that is stored, or of another version of it.
func TestAnswer(t *testing.T) {
	const (
		series = "SEQUENCE:1\nSUMMARY:Talk\nTRANSP:TRANSPARENT\nORGANIZER:" + ann + "\nDTSTART;TZID=Europe/Oslo:20261202T090000\nDURATION:PT90M\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=Europe/Oslo:20261203T090000\n"
		day    = "SEQUENCE:1\nDTSTART;VALUE=DATE:20261202\nDTEND;VALUE=DATE:20261204\n"
	)
	for _, c := range []struct {
		name, message, stored string
		want                  []string // periods in UTC
		transp, summary       string
	}{
		{"as SabreDAV answers", "SEQUENCE:1\nDTSTART;TZID=Europe/Oslo:20261202T090000\nDTEND;TZID=Europe/Oslo:20261202T103000", series,
			[]string{"02 0800-0930", "04 0800-0930"}, "TRANSPARENT", "Talk"},
		{"without any time", "SEQUENCE:1", series, []string{"02 0800-0930", "04 0800-0930"}, "TRANSPARENT", "Talk"},
		{"without SEQUENCE", "DTSTART:20261205T120000Z", series, []string{"02 0800-0930", "04 0800-0930"}, "TRANSPARENT", "Talk"},
		{"with other times and another rule", "SEQUENCE:1\nDTSTART:20261205T120000Z\nRRULE:FREQ=WEEKLY\nRDATE:20261206T120000Z", series,
			[]string{"02 0800-0930", "04 0800-0930"}, "TRANSPARENT", "Talk"},
		{"what it says of itself", "SEQUENCE:1\nTRANSP:OPAQUE\nSUMMARY:Accepted: Talk", series, []string{"02 0800-0930", "04 0800-0930"}, "OPAQUE", "Accepted: Talk"},
		{"to a later version", "SEQUENCE:2\nDTSTART:20261205T120000Z", series, []string{"05 1200-1330", "06 1200-1330", "07 1200-1330"}, "TRANSPARENT", "Talk"},
		{"to a later version with all", "SEQUENCE:2\nDTSTART:20261205T120000Z\nDTEND:20261205T130000Z\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE:20261206T120000Z", series, []string{"05 1200-1300"}, "TRANSPARENT", "Talk"},
		{"to a later version, without times", "SEQUENCE:2", series, []string{"02 0800-0930", "04 0800-0930"}, "TRANSPARENT", "Talk"},
		{"to a later version, in days", "SEQUENCE:2\nDTSTART;VALUE=DATE:20261210", day, []string{"10 0000-0000"}, "", ""},
		{"to what is not stored", "SEQUENCE:2\nDTSTART:20261205T120000Z\nDTEND:20261205T130000Z", "", []string{"05 1200-1300"}, "", ""},
	} {
		var stored *calendar.Object
		if c.stored != "" {
			stored = object(t, c.stored)
		}
		event := answer(object(t, c.message), stored, time.UTC)
		spans, _, err := event.Periods(calendar.PeriodOptions{Zone: time.UTC, Until: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var got []string
		for _, s := range spans {
			got = append(got, s.Start.Format("02 1504-")+s.End.Format("1504"))
		}
		if !equal(got, c.want) || event.Transp() != c.transp || event.Summary() != c.summary {
			t.Errorf("%s: %q %q %q", c.name, got, event.Transp(), event.Summary())
		}
	}
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestIsOld(t *testing.T) {
	for _, c := range []struct {
		name, message, object string
		stamped, want         bool
	}{
		{"lower", "SEQUENCE:1\nDTSTAMP:20261122T130000Z", "SEQUENCE:2\nDTSTAMP:20261122T120000Z", true, true},
		{"higher", "SEQUENCE:2\nDTSTAMP:20261122T110000Z", "SEQUENCE:1\nDTSTAMP:20261122T120000Z", true, false},
		{"same, earlier", "SEQUENCE:1\nDTSTAMP:20261122T110000Z", "SEQUENCE:1\nDTSTAMP:20261122T120000Z", true, true},
		{"same, earlier, in an answer", "SEQUENCE:1\nDTSTAMP:20261122T110000Z", "SEQUENCE:1\nDTSTAMP:20261122T120000Z", false, false},
		{"same, not stamped", "SEQUENCE:1", "SEQUENCE:1\nDTSTAMP:20261122T120000Z", true, true},
		{"same, the other not stamped", "SEQUENCE:1\nDTSTAMP:20261122T110000Z", "SEQUENCE:1", true, false},
		{"the same", "SEQUENCE:1\nDTSTAMP:20261122T110000Z", "SEQUENCE:1\nDTSTAMP:20261122T110000Z", true, false},
		{"no sequence", "DTSTAMP:20261122T110000Z", "SEQUENCE:1\nDTSTAMP:20261122T120000Z", true, false},
	} {
		if got := isOld(object(t, c.message), object(t, c.object), c.stamped); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if isOld(object(t, "SEQUENCE:1"), nil, true) {
		t.Error("older than nothing")
	}
}
