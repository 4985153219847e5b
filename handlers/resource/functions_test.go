package resource

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

func TestReadFunctions(t *testing.T) {
	for _, test := range []struct{ name, text, want, mistakes, warnings string }{
		{"none", "", "", "", ""},
		{"several", "same_domain_only\nschedule_in_freebusy 2\n", "1 same_domain_only | 2 schedule_in_freebusy 2", "", ""},
		{"blank lines, comments and white space", "\n  # who may\r\n\tsame_domain_only\t \n\n", "3 same_domain_only", "", ""},
		{"a byte order mark, and CR", "\ufeffsame_domain_only\r\n\r\nschedule_in_freebusy\t2\r\n", "1 same_domain_only | 3 schedule_in_freebusy 2", "", ""},
		{"a negative number", "schedule_in_freebusy -1", "", `line 1: schedule_in_freebusy: "-1" is not a number of bookings`, ""},
		{"a number that is too great", "schedule_in_freebusy 99999999999999999999", "", `line 1: schedule_in_freebusy: "99999999999999999999" is not a number`, ""},
		{"no word at all", "check_quota ''", "", `line 1: check_quota: the quota "": it is empty`, ""},
		{"a comma", "schedule_in_freebusy,2", "", "line 1: schedule_in_freebusy,2: there is no such scheduling function", ""},
		{"an unknown policy", "schedule_for_delegate mailto:rooms@example.com most_available", "1 schedule_for_delegate mailto:rooms@example.com most_available", "",
			"line 1: schedule_for_delegate: arguments without effect: most_available"},
		{"quotes", "access_control_list \"/etc/imip agent/'list'\"\naccess_control_list '/a \"b\"'", "1 access_control_list /etc/imip agent/'list' | 2 access_control_list /a \"b\"", "", ""},
		{"too many arguments", "same_domain_only now\nschedule_in_freebusy 1 2 3", "1 same_domain_only | 2 schedule_in_freebusy 1", "",
			"line 1: same_domain_only: arguments without effect: now; line 2: schedule_in_freebusy: arguments without effect: 2 3"},
		{"unknown", "same_domain_only\nschedule_in_freebusi", "", "line 2: schedule_in_freebusi: there is no such scheduling function", ""},
		{"in other letters", "Same_Domain_Only", "", "line 1: Same_Domain_Only: there is no such scheduling function", ""},
		{"no number", "schedule_corrected_in_freebusy one", "", `line 1: schedule_corrected_in_freebusy: "one" is not a number of bookings`, ""},
		{"no booking at all", "schedule_next_available_in_freebusy 0", "", `line 1: schedule_next_available_in_freebusy: "0" is not a number of bookings`, ""},
		{"a relative path", "access_control_list list.txt", "", `line 1: access_control_list: "list.txt" is not the absolute path`, ""},
		{"quotas", "check_quota\nschedule_across_quota mailto:rooms@example.com\nschedule_for_delegate mailto:rooms@example.com most-available available", "1 check_quota | 2 schedule_across_quota mailto:rooms@example.com | 3 schedule_for_delegate mailto:rooms@example.com most-available available", "", ""},
		{"no name of a quota", "check_quota rooms/small", "", `line 1: check_quota: the quota "rooms/small": there is a slash in it`, ""},
		{"an open quote", "access_control_list '/a", "", "line 1: access_control_list '/a: the quote ' is not closed", ""},
		{"several mistakes", "x\nsame_domain_only\ny", "", "line 1: x: there is no such scheduling function", ""},
	} {
		functions, err := ReadFunctions(test.text)
		if test.mistakes != "" {
			var mistake *MistakeError
			if err == nil || !strings.HasPrefix(err.Error(), test.mistakes) || !errors.As(err, &mistake) {
				t.Errorf("%s: error %v, want %s", test.name, err, test.mistakes)
			}
			continue
		}
		var got []string
		for _, f := range functions.All {
			got = append(got, strings.TrimSpace(fmt.Sprint(f.Line, " ", f.Name, " ", strings.Join(f.Arguments, " "))))
		}
		if err != nil || strings.Join(got, " | ") != test.want || strings.Join(functions.Warnings, "; ") != test.warnings {
			t.Errorf("%s: %q, warnings %q, %v", test.name, got, functions.Warnings, err)
		}
	}
	if _, err := ReadFunctions("x\nsame_domain_only\ny"); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two mistakes: %v", err)
	}
}

func permits(t *testing.T, text string) permitted {
	t.Helper()
	times, err := preferences.ParseTimes(text)
	if err != nil {
		t.Fatal(err)
	}
	return permitted(times)
}

func TestPermitted(t *testing.T) {
	const form = "02 15:04:05"
	for _, test := range []struct{ times, from, want string }{
		{"", "02 09:10:11", "02 09:10:11"},
		{"0,15,30,45", "02 09:15:00", "02 09:15:00"},
		{"0,15,30,45", "02 09:10:30", "02 09:15:00"}, // any second is permitted, and the first one comes first
		{"0,15,30,45", "02 09:50:00", "02 10:00:00"}, // into the next hour
		{"30", "02 23:31:00", "03 00:30:00"},         // into the next day
		{":30", "02 09:00:00", "02 09:30:00"},
		{"9,10,11:0", "02 11:01:00", "03 09:00:00"},
		{"9,10,11:0", "02 08:59:59", "02 09:00:00"},
		{"9,10,11:", "02 11:59:59", "02 11:59:59"},
		{"9,10,11:", "02 12:00:00", "03 09:00:00"},
		{"::0", "02 09:00:01", "02 09:01:00"},
		{"::30", "02 23:59:31", "03 00:00:30"},
		{"23:59:59", "31 23:59:59", "31 23:59:59"},
		{"0:0:0", "30 00:00:01", "31 00:00:00"},
	} {
		from, err := time.Parse(form, test.from)
		if err != nil {
			t.Fatal(err)
		}
		p := permits(t, test.times)
		got := p.next(from)
		if got.Format(form) != test.want {
			t.Errorf("%q from %s: %s, want %s", test.times, test.from, got.Format(form), test.want)
		}
		if !p.permits(got) || p.permits(from) != got.Equal(from) {
			t.Errorf("%q: %s is permitted: %v, and %s: %v", test.times, test.from, p.permits(from), got.Format(form), p.permits(got))
		}
	}
}

// period returns the period of an event from one time to another, by the clock in a zone.
func period(t *testing.T, zone, from, to string) calendar.Explicit {
	t.Helper()
	o, err := calendar.DecodeObject([]byte("BEGIN:VEVENT\nDTSTART;TZID=" + zone + ":" + from + "\nDTEND;TZID=" + zone + ":" + to + "\nEND:VEVENT\n"))
	if err != nil {
		t.Fatal(err)
	}
	periods, err := o.Explicit(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return periods[0]
}

func written(p calendar.Explicit) string {
	return p.Start.Format("0102T1504") + "-" + p.End.Format("0102T1504")
}

func TestCorrect(t *testing.T) {
	for _, test := range []struct{ times, from, to, want string }{
		{"", "20261202T091000", "20261202T092000", "1202T0910-1202T0920"},
		{"0,30", "20261202T090000", "20261202T100000", "1202T0900-1202T1000"},
		{"0,30", "20261202T091000", "20261202T094000", "1202T0930-1202T1000"},
		{"0,30", "20261202T090500", "20261202T092000", "1202T0930-1202T1000"},      // both to 9:30: the length counts
		{"0", "20261202T090500", "20261202T092000", "1202T1000-1202T1100"},         // rounded up
		{"9,10:0", "20261202T120000", "20261202T130000", "1203T0900-1203T1000"},    // on the next day
		{"9,10,12:0", "20261202T100000", "20261202T110000", "1202T1000-1202T1200"}, // an end that is not permitted
		{"0,30", "20261202T091000", "20261202T091000", "1202T0930-1202T0930"},      // no time at all
	} {
		if got := written(permits(t, test.times).correct(period(t, "Europe/Oslo", test.from, test.to))); got != test.want {
			t.Errorf("%q of %s: %s, want %s", test.times, test.from, got, test.want)
		}
	}
}

// span returns a period in December 2026 of which both ends are written as day, hour and minute.
func span(t *testing.T, text string) calendar.Span {
	t.Helper()
	from, to, _ := strings.Cut(text, "-")
	read := func(text string) time.Time {
		at, err := time.Parse("2006-01-02 1504", "2026-12-"+text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	return calendar.Span{Start: read(from), End: read(to)}
}

func spansOf(t *testing.T, texts ...string) (all spans) {
	t.Helper()
	for _, text := range texts {
		all = append(all, span(t, text))
	}
	return all
}

// When so many bookings are there at a time.
func TestAtLeast(t *testing.T) {
	records := spansOf(t, "02 0900-02 1100", "02 0900-02 1000", "02 1000-02 1030", "02 1030-02 1200", "03 0900-03 1000")
	for most, want := range map[int][]string{
		1: {"02 0900-02 1200", "03 0900-03 1000"},
		2: {"02 0900-02 1000", "02 1000-02 1030", "02 1030-02 1100"},
		3: nil,
	} {
		var got []string
		for _, s := range records.atLeast(most) {
			got = append(got, s.Start.Format("02 1504-")+s.End.Format("02 1504"))
		}
		// What touches may be one or several.
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%d at a time: %q, want %q", most, got, want)
		}
	}
	full := records.atLeast(2)
	for text, want := range map[string]bool{
		"02 0800-02 0900": false, "02 0800-02 0901": true, "02 1100-02 1200": false, "02 0930-02 0940": true, "02 0700-02 1200": true, "03 0900-03 1000": false,
	} {
		if _, got := full.over(span(t, text)); got != want {
			t.Errorf("%s overlaps: %v", text, got)
		}
	}
}

func TestEarliest(t *testing.T) {
	for _, test := range []struct {
		name, times, zone, from, to string
		busy                        []string // in UTC
		after                       string   // what the period before it ends with; empty: there is none
		want                        string
	}{
		{"where it is", "", "UTC", "20261202T090000", "20261202T100000", []string{"02 0800-02 0900", "02 1000-02 1100"}, "", "1202T0900-1202T1000"},
		{"after one booking", "", "UTC", "20261202T090000", "20261202T100000", []string{"02 0930-02 1015"}, "", "1202T1015-1202T1115"},
		{"a gap that is too short", "", "UTC", "20261202T090000", "20261202T100000", []string{"02 0930-02 1000", "02 1030-02 1200"}, "", "1202T1200-1202T1300"},
		{"a gap that is just long enough", "", "UTC", "20261202T090000", "20261202T100000", []string{"02 0900-02 1000", "02 1100-02 1200"}, "", "1202T1000-1202T1100"},
		{"at a permitted time", "0,30", "UTC", "20261202T090000", "20261202T100000", []string{"02 0930-02 1015"}, "", "1202T1030-1202T1130"},
		{"the end permitted, too", "9,10,11:0", "UTC", "20261202T090000", "20261202T110000", []string{"02 0930-02 0945"}, "", "1203T0900-1203T1100"},
		{"hours in the zone of the event", "9,10,11:0", "America/New_York", "20261202T090000", "20261202T100000", []string{"02 1400-02 1430"}, "", "1202T1000-1202T1100"},
		{"after the period before it", "", "UTC", "20261202T090000", "20261202T100000", nil, "02 0930", "1202T0930-1202T1030"},
		{"nothing in the window", "", "UTC", "20261202T090000", "20261202T100000", []string{"01 0000-12 0000"}, "", ""},
		{"nothing permitted in the window", "9:0", "UTC", "20261202T090000", "20261203T090000", []string{"01 0000-09 0901"}, "", ""},
		{"never permitted with that length", "9:0", "UTC", "20261202T090000", "20261202T100000", []string{"02 0900-02 1000"}, "", ""},
		{"the hour that comes twice", "", "Europe/Oslo", "20261025T013000", "20261025T022000", nil, "", "1025T0130-1025T0220"},
	} {
		p := period(t, test.zone, test.from, test.to)
		var after time.Time
		if test.after != "" {
			after = span(t, test.after+"-"+test.after).Start
		}
		until := time.Date(2026, 12, 10, 0, 0, 0, 0, time.UTC)
		got, ok := earliest(p, after, until, spansOf(t, test.busy...).atLeast(1), permits(t, test.times))
		if ok != (test.want != "") || ok && written(got) != test.want {
			t.Errorf("%s: %s, %v, want %s", test.name, written(got), ok, test.want)
		}
		if ok && got.Length() != p.Length() {
			t.Errorf("%s: it lasts %v, not %v", test.name, got.Length(), p.Length())
		}
	}
}

// A time that the clock shows twice cannot be written twice: the search goes on behind it.
func TestEarliestTwice(t *testing.T) {
	p := period(t, "Europe/Oslo", "20261025T020000", "20261025T023000") // 00:00 UTC
	day := time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)
	busy := spans{{Start: day, End: day.Add(65 * time.Minute)}} // to 2:05, the second time
	got, ok := earliest(p, time.Time{}, day.AddDate(0, 0, 1), busy, permitted{})
	if start := got.Instant(got.Start); !ok || start.Before(busy[0].End) {
		t.Errorf("%s, %v", written(got), ok)
	}
}

// A room that is booked without a gap as long as can be looked at.
func BenchmarkEarliest(b *testing.B) {
	var booked spans
	begin := time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC)
	for i := range 100 * 48 {
		start := begin.Add(time.Duration(i) * 30 * time.Minute)
		booked = append(booked, calendar.Span{Start: start, End: start.Add(30 * time.Minute)})
	}
	o, err := calendar.DecodeObject([]byte("BEGIN:VEVENT\nDTSTART:20261202T090000Z\nDTEND:20261202T100000Z\nEND:VEVENT\n"))
	if err != nil {
		b.Fatal(err)
	}
	periods, err := o.Explicit(time.UTC)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, ok := earliest(periods[0], time.Time{}, begin.AddDate(0, 0, 101), booked.atLeast(1).atLeast(1), permitted{Minutes: []int{0, 30}}); !ok {
			b.Fatal("nothing is found")
		}
	}
}

func TestACL(t *testing.T) {
	const (
		ann = "ORGANIZER:mailto:ann@example.com\nATTENDEE:mailto:ann@example.com\nATTENDEE:mailto:room@example.com\n"
		bob = "ORGANIZER:mailto:bob@example.com\nATTENDEE:mailto:eve@example.com\nATTENDEE:mailto:room@example.com\n"
	)
	for _, test := range []struct {
		name, list string
		ann, bob   bool
	}{
		{"all", "accept", true, true},
		{"nobody", "decline\n", false, false},
		{"nobody, in another word", "reject", false, false},
		{"one", "decline\naccept organiser ann@example.com", true, false},
		{"one, and so nobody else", "accept organiser ann@example.com", true, false},
		{"all but one", "decline organizer mailto:ann@example.com", false, true},
		{"all but one, in another word", "reject organizers ann@example.com", false, true},
		{"by an attendee", "accept\ndecline attendee eve@example.com", true, false},
		{"by the resource", "decline attendees room@example.com", false, false},
		{"the last one counts", "accept organiser ann@example.com\ndecline attendee room@example.com\naccept organiser bob@example.com", false, true},
		{"a default in the end", "accept organiser ann@example.com\ndecline", false, false},
		{"several addresses", "accept organiser eve@example.com ann@example.com bob@example.com", true, true},
		{"in other letters", "ACCEPT Organiser MAILTO:Ann@Example.COM", true, false},
		{"a byte order mark, tabs and CR", "\ufeff# list\r\n\r\n\taccept\torganiser\tann@example.com\t\r\n", true, false},
		{"comments and quotes", "# list\n\n  accept 'organiser' \"ann@example.com\"\n", true, false},
	} {
		list, err := ReadACL(test.list)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for lines, want := range map[string]bool{ann: test.ann, bob: test.bob} {
			o, err := calendar.DecodeObject([]byte("BEGIN:VEVENT\n" + lines + "END:VEVENT\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got := list.permits(o); got != want {
				t.Errorf("%s: %v for %s", test.name, got, lines)
			}
		}
	}
	for list, want := range map[string]string{
		"":                              "there is no rule",
		"# nothing\n":                   "there is no rule",
		"accept\npermit organiser a@b":  `line 2: "permit" is none of`,
		"accept everybody":              `line 1: "everybody" is none of`,
		"accept organiser":              "line 1: it names no address",
		"accept organiser 'a@b":         "line 1: the quote ' is not closed",
		"accept\n\naccept attendee '' ": "line 3: it names no address",
	} {
		if _, err := ReadACL(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", list, err, want)
		}
	}
}
