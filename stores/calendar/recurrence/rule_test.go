package recurrence

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

const form = "20060102T150405"

// list expands a rule up to a number of occurrences, as text.
func list(t testing.TB, rule string, in Range, most int) string {
	t.Helper()
	r, err := Parse(rule)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	if err := r.Expand(in, func(local time.Time) bool {
		texts = append(texts, local.Format(form))
		return len(texts) < most
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(texts, " ")
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	local, err := time.Parse(form, text)
	if err != nil {
		t.Fatal(err)
	}
	return local
}

func TestParseLenient(t *testing.T) {
	const start, want = "20261124T120000", "20261124T120000 20261126T120000 20261201T120000"
	for _, c := range []struct{ rule, reason string }{
		{"FREQ=WEEKLY;COUNT=3;BYDAY=TU,TH", "plain"},
		{"freq=weekly;count=3;byday=tu,th", "lower case"},
		{" FREQ = WEEKLY ; COUNT = 3 ; BYDAY = TU , TH ", "white space"},
		{"FREQ=WEEKLY;COUNT=3;BYDAY=TU,TH;", "semicolon at the end"},
		{";FREQ=WEEKLY;;COUNT=3;BYDAY=TU,TH", "empty parts"},
		{"COUNT=3;BYDAY=TH,TU;FREQ=WEEKLY", "in another order"},
		{"FREQ=WEEKLY;FREQ=WEEKLY;COUNT=3;BYDAY=TU,TH", "a part twice, with one value"},
		{"FREQ=WEEKLY;COUNT=3;BYDAY=TU,TU,TH,TH", "values twice"},
		{"FREQ=WEEKLY;COUNT=3;BYDAY=TU;TH", "lists as the original writes them"},
		{"FREQ=WEEKLY;COUNT=3;BYDAY=1TU,-2TH", "numbers that mean nothing in weeks"},
		{"FREQ=WEEKLY;COUNT=3;BYDAY=TU,TH;X-FOO=BAR", "an extension"},
		{"FREQ=WEEKLY;COUNT=3;BYDAY=TU,TH;FOO=BAR", "an unknown part"},
		{"RSCALE=GREGORIAN;FREQ=WEEKLY;COUNT=3;BYDAY=TU,TH;SKIP=OMIT", "RFC 7529, as it is without"},
		{"FREQ=WEEKLY;COUNT=003;INTERVAL=01;BYDAY=TU,TH", "zeros before numbers"},
	} {
		if got := list(t, c.rule, Range{Start: at(t, start)}, 9); got != want {
			t.Errorf("%s (%s): %s", c.rule, c.reason, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ rule, reason string }{
		{"", "nothing"},
		{";;", "nothing"},
		{"DAILY", "no name"},
		{"COUNT=3", "no FREQ"},
		{"FREQ=", "no frequency"},
		{"FREQ=OFTEN", "unknown frequency"},
		{"FREQ=DAILY;FREQ=WEEKLY", "two frequencies"},
		{"FREQ=DAILY;COUNT=1;COUNT=2", "two counts"},
		{"FREQ=DAILY;INTERVAL=0", "no interval"},
		{"FREQ=DAILY;INTERVAL=-1", "backwards"},
		{"FREQ=DAILY;INTERVAL=1.5", "no integer"},
		{"FREQ=DAILY;INTERVAL=", "empty"},
		{"FREQ=DAILY;COUNT=0", "no occurrence"},
		{"FREQ=DAILY;COUNT=many", "no number"},
		{"FREQ=DAILY;UNTIL=", "empty"},
		{"FREQ=DAILY;UNTIL=TheCowsComeHome", "no date"},
		{"FREQ=DAILY;UNTIL=20260230", "no such day"},
		{"FREQ=DAILY;UNTIL=20260228T240000Z", "no such hour"},
		{"FREQ=DAILY;WKST=XX", "no day of the week"},
		{"FREQ=DAILY;WKST=1MO", "a number, too"},
		{"FREQ=DAILY;BYSECOND=61", "out of range"},
		{"FREQ=DAILY;BYSECOND=-1", "out of range"},
		{"FREQ=DAILY;BYMINUTE=60", "out of range"},
		{"FREQ=DAILY;BYHOUR=24", "out of range"},
		{"FREQ=DAILY;BYDAY=", "empty"},
		{"FREQ=DAILY;BYDAY=MO,", "an empty value"},
		{"FREQ=DAILY;BYDAY=M", "no day of the week"},
		{"FREQ=MONTHLY;BYDAY=0MO", "there is no 0th"},
		{"FREQ=YEARLY;BYDAY=54MO", "out of range"},
		{"FREQ=YEARLY;BYDAY=-54MO", "out of range"},
		{"FREQ=YEARLY;BYDAY=+-1MO", "two signs"},
		{"FREQ=MONTHLY;BYMONTHDAY=0", "there is no 0th"},
		{"FREQ=MONTHLY;BYMONTHDAY=32", "out of range"},
		{"FREQ=MONTHLY;BYMONTHDAY=-32", "out of range"},
		{"FREQ=MONTHLY;BYMONTHDAY=99999999999999999999", "out of range"},
		{"FREQ=YEARLY;BYYEARDAY=367", "out of range"},
		{"FREQ=YEARLY;BYWEEKNO=54", "out of range"},
		{"FREQ=YEARLY;BYMONTH=0", "out of range"},
		{"FREQ=YEARLY;BYMONTH=13", "out of range"},
		{"FREQ=YEARLY;BYMONTH=-1", "not counted from the end"},
		{"FREQ=YEARLY;BYMONTH=5L", "a leap month, of other calendars"},
		{"FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "there is no 0th"},
		{"FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367", "out of range"},
		{"FREQ=YEARLY;RSCALE=HEBREW", "another calendar"},
		{"FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD", "changes the days"},
		{"FREQ=YEARLY;BYEASTER=0", "changes the days"},
		{"FREQ=DAILY;BYDAY=" + strings.Repeat("MO,", 100000) + "MO", "too long"},
	} {
		if _, err := Parse(c.rule); err == nil {
			t.Errorf("%.80s is taken: %s", c.rule, c.reason)
		} else if text := err.Error(); len(text) > 1000 {
			t.Errorf("%.80s: an error of %d octets", c.rule, len(text))
		}
	}
}

func TestUntil(t *testing.T) {
	for _, c := range []struct {
		rule    string
		form    Form
		time    string
		forever bool
	}{
		{"FREQ=DAILY", None, "", true},
		{"FREQ=DAILY;COUNT=1", None, "", false},
		{"FREQ=DAILY;UNTIL=20261224", Date, "20261224T000000", false},
		{"FREQ=DAILY;UNTIL=20261224T090000", Local, "20261224T090000", false},
		{"FREQ=DAILY;UNTIL=20261224T090000Z", UTC, "20261224T090000", false},
		{"freq=daily;until=20261224t090000z", UTC, "20261224T090000", false},
	} {
		r, err := Parse(c.rule)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Until(); got.Form != c.form || !got.Time.Equal(at(t, c.time)) || r.Forever() != c.forever {
			t.Errorf("%s: %v, forever %v", c.rule, got, r.Forever())
		}
	}
}

// TestExpand has what the rules of other projects do not have.
func TestExpand(t *testing.T) {
	for _, c := range []struct {
		name, rule, start, from, until string
		date                           bool
		want                           string
	}{
		{name: "BYSETPOS counts from the beginning of the first week", rule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,3;COUNT=3", start: "20241023T120000",
			want: "20241023T120000 20241028T120000 20241030T120000"},
		{name: "weekdays with and without a number", rule: "FREQ=MONTHLY;BYDAY=MO,1TU;COUNT=6", start: "20261101T120000",
			want: "20261102T120000 20261103T120000 20261109T120000 20261116T120000 20261123T120000 20261130T120000"},
		{name: "week 1, counted from the end of its own year", rule: "FREQ=YEARLY;BYWEEKNO=-52;BYDAY=MO;COUNT=2", start: "20241201T120000",
			want: "20241230T120000 20260105T120000"},
		{name: "the 53rd Monday", rule: "FREQ=YEARLY;BYDAY=53MO;COUNT=2", start: "20240101T120000", want: "20241230T120000 20291231T120000"},
		{name: "the first Monday of two months", rule: "FREQ=YEARLY;BYMONTH=2,3;BYDAY=1MO;COUNT=2", start: "20260101T120000", want: "20260202T120000 20260302T120000"},
		{name: "the first Monday of the year", rule: "FREQ=YEARLY;BYDAY=1MO;COUNT=2", start: "20260101T120000", want: "20260105T120000 20270104T120000"},
		{name: "29 February", rule: "FREQ=YEARLY", start: "20240229T120000", until: "20330101T000000", want: "20240229T120000 20280229T120000 20320229T120000"},
		{name: "29 February 2100 is none", rule: "FREQ=YEARLY;INTERVAL=4", start: "20960229T120000", until: "21050101T000000", want: "20960229T120000 21040229T120000"},
		{name: "date, by the hour: every day once", rule: "FREQ=HOURLY;INTERVAL=6;COUNT=3", start: "20261124T000000", date: true, want: "20261124T000000 20261125T000000 20261126T000000"},
		{name: "date, with a time part", rule: "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=1;BYSECOND=2;COUNT=2", start: "20261124T000000", date: true, want: "20261124T000000 20261125T000000"},
		{name: "range inclusive", rule: "FREQ=DAILY", start: "20261124T120000", from: "20261125T120000", until: "20261126T120000", want: "20261125T120000 20261126T120000"},
		{name: "range before DTSTART", rule: "FREQ=DAILY", start: "20261124T120000", until: "20261123T120000"},
		{name: "range far from DTSTART, in weeks", rule: "FREQ=WEEKLY;INTERVAL=3", start: "20001107T120000", from: "20261101T000000", until: "20261224T000000",
			want: "20261103T120000 20261124T120000 20261215T120000"},
		{name: "range far from DTSTART, in months", rule: "FREQ=MONTHLY;INTERVAL=7", start: "20001107T120000", from: "20260101T000000", until: "20270701T000000",
			want: "20260707T120000 20270207T120000"},
		{name: "range after COUNT is used up", rule: "FREQ=DAILY;COUNT=3", start: "20261124T120000", from: "20261127T000000"},
		{name: "the last second", rule: "FREQ=SECONDLY", start: "99991231T235958", want: "99991231T235958 99991231T235959"},
		{name: "the first year", rule: "FREQ=YEARLY;COUNT=2", start: "00010101T000000", want: "00010101T000000 00020101T000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Range{Start: at(t, c.start), Date: c.date, From: at(t, c.from), Until: at(t, c.until)}
			if got := list(t, c.rule, in, 9); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// randomRule makes up a rule, of which any parts may be there.
func randomRule(r *rand.Rand) string {
	freq := []string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"}[r.IntN(7)]
	parts := []string{"FREQ=" + freq}
	add := func(chance float64, name string, values func() string, most int) {
		if r.Float64() >= chance {
			return
		}
		var list []string
		for range 1 + r.IntN(most) {
			list = append(list, values())
		}
		parts = append(parts, name+"="+strings.Join(list, ","))
	}
	upTo := func(low, high int, signed bool) func() string {
		return func() string {
			n := low + r.IntN(high-low+1)
			if signed && r.IntN(3) == 0 {
				n = -n
			}
			return fmt.Sprint(n)
		}
	}
	add(0.5, "INTERVAL", upTo(1, 100, false), 1)
	add(0.3, "COUNT", upTo(1, 60, false), 1)
	add(0.3, "BYMONTH", upTo(1, 12, false), 3)
	add(0.1, "BYWEEKNO", upTo(1, 53, true), 3)
	add(0.1, "BYYEARDAY", upTo(1, 366, true), 9)
	add(0.2, "BYMONTHDAY", upTo(1, 31, true), 4)
	add(0.3, "BYDAY", func() string {
		nth := ""
		if r.IntN(3) == 0 {
			nth = upTo(1, 5, true)()
		}
		return nth + []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}[r.IntN(7)]
	}, 3)
	add(0.2, "BYHOUR", upTo(0, 23, false), 3)
	add(0.2, "BYMINUTE", upTo(0, 59, false), 3)
	add(0.2, "BYSECOND", upTo(0, 59, false), 3)
	add(0.2, "BYSETPOS", upTo(1, 4, true), 3)
	add(0.3, "WKST", func() string { return []string{"MO", "SU", "WE"}[r.IntN(3)] }, 1)
	return strings.Join(parts, ";")
}

// TestSkipping checks that an expansion from some time on has what one from the
// beginning has from there on: that nothing is lost or counted wrongly by what
// is skipped.
func TestSkipping(t *testing.T) {
	r := rand.New(rand.NewPCG(5545, 33))
	for range 1000 {
		rule := randomRule(r)
		start := time.Date(2020, 1, 1, 0, 0, r.IntN(400*86400), 0, time.UTC)
		in := Range{Start: start, Until: start.AddDate(30, 0, 0)}
		all := strings.Fields(list(t, rule, in, 300))
		if len(all) == 0 {
			continue
		}
		i := r.IntN(max(1, len(all)-1))
		in.From = at(t, all[i]).Add(time.Duration(r.IntN(3)-1) * time.Second)
		want := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return at(t, s).Before(in.From) })
		got := strings.Fields(list(t, rule, in, len(want)+1))
		if len(all) == 300 {
			got = got[:min(len(got), len(want))] // all was cut there
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s from %s, wanted from %s:\ngot  %v\nwant %v", rule, start.Format(form), in.From.Format(form), got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		f.Add(randomRule(r), int64(r.IntN(1<<31)))
	}
	f.Add("FREQ=SECONDLY;INTERVAL=86399;BYHOUR=8;BYMINUTE=0;BYSECOND=0", int64(0))
	f.Add("freq = weekly ;; byday = 1mo ; su; until=20261224", int64(-1<<35))
	f.Fuzz(func(t *testing.T, text string, start int64) {
		rule, err := Parse(text)
		if err != nil {
			return
		}
		last := time.Time{}
		in := Range{Start: time.Unix(start%(1<<36), 0).UTC(), Until: time.Unix(1<<33, 0)}
		n := 0
		_ = rule.Expand(in, func(local time.Time) bool {
			if !local.After(last) && n > 0 || local.Before(in.Start) || local.After(in.Until) {
				t.Fatalf("%v after %v, from %v", local, last, in.Start)
			}
			last = local
			n++
			return n < 1000
		})
	})
}
