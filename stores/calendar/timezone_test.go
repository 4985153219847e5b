package calendar

import (
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"
)

// offsetAt works out the offset that a VTIMEZONE has at an instant, as RFC 5545 section
// 3.6.5 says: that of the observance whose onset is the last one before it.
func offsetAt(t *testing.T, zone *ical.Component, at time.Time) int {
	t.Helper()
	var latest time.Time
	offset, found := 0, false
	for _, o := range zone.Children {
		from, to := seconds(t, o.Props.Get("TZOFFSETFROM").Value), seconds(t, o.Props.Get("TZOFFSETTO").Value)
		local := func(text string) time.Time {
			when, err := time.Parse("20060102T150405", text)
			if err != nil {
				t.Fatal(err)
			}
			return when
		}
		start := local(o.Props.Get("DTSTART").Value)
		onsets := []time.Time{start}
		if rule := o.Props.Get("RRULE"); rule != nil {
			r, err := rrule.StrToRRule(rule.Value)
			if err != nil {
				t.Fatal(err)
			}
			r.DTStart(start)
			onsets = r.Between(start, at.AddDate(0, 0, 2), true)
			if at.After(start) && (len(onsets) == 0 || !onsets[0].Equal(start)) {
				t.Errorf("%s: the rule %s does not begin at %s", zone.Props.Get("TZID").Value, rule.Value, start)
			}
		}
		for _, again := range o.Props.Values("RDATE") {
			onsets = append(onsets, local(again.Value))
		}
		for _, onset := range onsets {
			onset = onset.Add(-time.Duration(from) * time.Second)
			if !onset.After(at) && (!found || onset.After(latest) || onset.Equal(latest)) {
				latest, offset, found = onset, to, true
			}
		}
	}
	if !found {
		t.Errorf("%s: no offset at %s", zone.Props.Get("TZID").Value, at)
	}
	return offset
}

func seconds(t *testing.T, text string) int {
	t.Helper()
	var d time.Duration
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		if len(text) >= 3+2*i {
			d += time.Duration((text[1+2*i]-'0')*10+text[2+2*i]-'0') * unit
		}
	}
	if text[0] == '-' {
		d = -d
	}
	return int(d / time.Second)
}

// written returns the VTIMEZONE of a zone, read by another reader, and its text.
func written(t *testing.T, name string, zone *time.Location, since time.Time) (*ical.Component, string) {
	t.Helper()
	text := string(encodeComponent(timezone(name, zone, since)))
	decoded, err := ical.NewDecoder(strings.NewReader("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + text + "END:VCALENDAR\r\n")).Decode()
	if err != nil {
		t.Fatal(err)
	}
	return decoded.Children[0], text
}

// TestTimezone compares VTIMEZONEs with the zones that they describe, week by week.
func TestTimezone(t *testing.T) {
	for _, name := range []string{
		"Europe/Oslo", "Europe/London", "America/New_York", "America/Sao_Paulo", "Australia/Sydney", "Australia/Lord_Howe",
		"Asia/Kolkata", "Asia/Tehran", "Africa/Casablanca", "Asia/Jerusalem", "Europe/Istanbul", "Pacific/Chatham", "UTC",
		"America/St_Johns", "Pacific/Apia", "Europe/Dublin",
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, since := range []time.Time{time.Date(1995, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)} {
			written, _ := written(t, name, zone, since)
			step := 31 * 24 * time.Hour
			for at := since; at.Year() < lastYear; at = at.Add(step) {
				_, want := at.In(zone).Zone()
				if got := offsetAt(t, written, at); got != want {
					t.Errorf("%s from %d: offset at %s is %d, want %d", name, since.Year(), at, got, want)
					break
				}
			}
			// The rules go on after the last year that was looked at.
			at := time.Date(2045, 7, 1, 12, 0, 0, 0, time.UTC)
			if _, want := at.In(zone).Zone(); len(written.Children) > 2 && want != offsetAt(t, written, at) && name != "Africa/Casablanca" && name != "Asia/Jerusalem" {
				t.Errorf("%s from %d: another offset in 2045", name, since.Year())
			}
		}
	}
}

// TestTimezoneLimits has zones for times that are far from all others.
func TestTimezoneLimits(t *testing.T) {
	for _, name := range []string{"America/New_York", "Europe/Oslo", "America/Los_Angeles", "Asia/Kolkata", "UTC"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, year := range []int{1, 1601, 1970, 2026, 2036, 2037, 2060} {
			written, text := written(t, name, zone, time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC))
			if strings.Contains(text, "DTSTART:0") {
				t.Errorf("%s from %d begins when there was no zone:\n%s", name, year, text)
			}
			if strings.Contains(text, "DTSTART:20371231") {
				t.Errorf("%s from %d has a change that is none:\n%s", name, year, text)
			}
			for _, month := range []time.Month{1, 7} {
				at := time.Date(max(year, 2060), month, 1, 12, 0, 0, 0, time.UTC)
				if _, want := at.In(zone).Zone(); want != offsetAt(t, written, at) {
					t.Errorf("%s from %d: another offset at %s:\n%s", name, year, at, text)
				}
			}
		}
	}
}
