package compat

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// randomEvent is a random event: how its times are written, and how it recurs.
// Messages may say of it that it is elsewhere; that is where its occurrences are
// looked for.
type randomEvent struct {
	uid    string
	form   form
	start  time.Time // local
	length time.Duration
	rule   rule
	lines  string // RDATE and EXDATE
}

// form is how times are written.
type form struct {
	params string // of DTSTART
	layout string
	// east is whether the original cannot find the occurrence that a reply is for:
	// see reply-to-occurrence-east-of-utc in DEVIATIONS.md.
	east bool
}

const (
	inUTC = "20060102T150405Z"
	local = "20060102T150405"
	date  = "20060102"
)

var forms = []form{
	{"", inUTC, false},
	{";TZID=America/New_York", local, false},
	{";TZID=Atlantic/Reykjavik", local, false},
	{";TZID=Europe/Oslo", local, true},
	{";TZID=Asia/Kolkata", local, true},
	{"", local, true},
	{";VALUE=DATE", date, true},
}

// whole tells whether events in this form are of whole days.
func (f form) whole() bool { return f.layout == date }

// rule is how an event recurs, and how far apart its occurrences usually are.
type rule struct {
	text         string
	months, days int
	within       bool // within the day: not for events of whole days
}

// The rules have no lists and no days that some months lack, which the original
// does not understand. They are for events that start on a Wednesday.
var rules = []rule{
	{text: ""},
	{text: "RRULE:FREQ=DAILY;COUNT=4", days: 1},
	{text: "RRULE:FREQ=WEEKLY;COUNT=5", days: 7},
	{text: "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3", days: 14},
	{text: "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3", days: 7},
	{text: "RRULE:FREQ=MONTHLY;COUNT=3", months: 1},
	{text: "RRULE:FREQ=MONTHLY;BYDAY=1WE;COUNT=3", days: 35},
	{text: "RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", days: 28},
	{text: "RRULE:FREQ=MONTHLY;BYMONTHDAY=2;COUNT=4", months: 1},
	{text: "RRULE:FREQ=YEARLY;COUNT=2", months: 12},
	{text: "RRULE:FREQ=YEARLY;BYMONTH=12;COUNT=2", months: 12},
	{text: "RRULE:FREQ=WEEKLY", days: 7},
	{text: "RRULE:FREQ=DAILY;INTERVAL=3", days: 3},
	{text: "RRULE:FREQ=MONTHLY", months: 1},
	{text: "RRULE:FREQ=YEARLY", months: 12},
	{text: "RRULE:FREQ=DAILY;UNTIL=20261212T235959Z", days: 1, within: true},
	{text: "RRULE:FREQ=WEEKLY;UNTIL=20270401T000000Z", days: 7, within: true},
	{text: "RRULE:FREQ=HOURLY;INTERVAL=8;COUNT=6", days: 1, within: true},
	{text: "RRULE:FREQ=MINUTELY;INTERVAL=90;COUNT=4", days: 1, within: true},
}

// The days on which events start are Wednesdays on which all months have a day like
// it; from the later ones, some occurrences are on the other side of a change of the
// clocks, in March or in October. None is at a time that the change leaves out or
// gives twice.
var days = []time.Time{
	time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC),
	time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC),
	time.Date(2026, 11, 4, 0, 0, 0, 0, time.UTC), // past
	time.Date(2027, 3, 10, 0, 0, 0, 0, time.UTC),
	time.Date(2027, 3, 24, 0, 0, 0, 0, time.UTC),
	time.Date(2027, 10, 20, 0, 0, 0, 0, time.UTC),
}

// oneIn draws true once in so many times.
func oneIn(t *rapid.T, n int, what string) bool { return rapid.IntRange(0, n-1).Draw(t, what) == n-1 }

// drawEvent draws an event with the given UID.
func drawEvent(t *rapid.T, uid string) randomEvent {
	e := randomEvent{uid: uid}
	e.form = rapid.SampledFrom(forms).Draw(t, "form")
	e.start = rapid.SampledFrom(days).Draw(t, "day")
	e.start = e.start.Add(time.Duration(rapid.IntRange(8, 46).Draw(t, "start")) * 30 * time.Minute)
	e.length = time.Duration(rapid.IntRange(0, 4).Draw(t, "length")) * 30 * time.Minute
	if e.form.whole() {
		e.length = max(e.length, 30*time.Minute) * 48
	}
	e.recur(t)
	return e
}

// recur draws how the event recurs.
func (e *randomEvent) recur(t *rapid.T) {
	e.rule = rapid.SampledFrom(rules).Draw(t, "rule")
	if e.form.whole() && e.rule.within || e.form.layout == local && e.form.params == "" && strings.Contains(e.rule.text, "UNTIL") {
		e.rule = rules[1]
	}
	e.lines = ""
	if oneIn(t, 4, "rdate") {
		at := []string{e.at(e.start.AddDate(0, 0, 5))}
		if rapid.Bool().Draw(t, "two") {
			at = append(at, e.at(e.start.AddDate(0, 0, 8)))
		}
		e.lines += "RDATE" + e.form.params + ":" + strings.Join(at, ",") + "\n"
		if !e.form.whole() && oneIn(t, 3, "period") {
			from := e.start.AddDate(0, 0, 9)
			e.lines += "RDATE" + e.form.params + ";VALUE=PERIOD:" + e.at(from) + "/PT3H," + e.at(from.AddDate(0, 0, 1)) + "/" + e.at(from.AddDate(0, 0, 1).Add(time.Hour)) + "\n"
		}
	}
	if oneIn(t, 4, "exdate") {
		e.except(rapid.IntRange(0, 2).Draw(t, "which"))
		if oneIn(t, 3, "another exdate") {
			e.except(2, 3)
		}
	}
}

// except adds an EXDATE for some of the occurrences, but not where a period of RDATE begins,
// which the original does not take away: exceptions-and-periods.
func (e *randomEvent) except(occurrences ...int) {
	var at []string
	for _, n := range occurrences {
		if when := e.at(e.occurrence(n)); !strings.Contains(e.lines, when+"/") {
			at = append(at, when)
		}
	}
	if len(at) > 0 {
		e.lines += "EXDATE" + e.form.params + ":" + strings.Join(at, ",") + "\n"
	}
}

// at writes a local time as the event's times are written.
func (e randomEvent) at(local time.Time) string { return local.Format(e.form.layout) }

// occurrence is where the nth occurrence usually starts, local.
func (e randomEvent) occurrence(n int) time.Time {
	return e.start.AddDate(0, n*e.rule.months, n*e.rule.days)
}

// drawTimes gives DTSTART, and DTEND or DURATION.
func (e randomEvent) drawTimes(t *rapid.T, start time.Time) string {
	text := "DTSTART" + e.form.params + ":" + e.at(start) + "\n"
	if e.length == 0 || !oneIn(t, 4, "duration") {
		return text + "DTEND" + e.form.params + ":" + e.at(start.Add(e.length)) + "\n"
	}
	if e.form.whole() {
		return text + fmt.Sprintf("DURATION:P%dD\n", e.length/(24*time.Hour))
	}
	return text + fmt.Sprintf("DURATION:PT%dM\n", e.length/time.Minute)
}

// shortened tells whether whole days from start on have fewer hours than others, which makes
// the original's occurrences a day shorter: days-that-summer-time-shortens.
func (e randomEvent) shortened(start time.Time) bool {
	if !e.form.whole() {
		return false
	}
	year, month, day := start.Date()
	for _, name := range []string{"Europe/Oslo", "America/New_York"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			panic(err)
		}
		days := int(e.length / (24 * time.Hour))
		if time.Date(year, month, day+days, 0, 0, 0, 0, zone).Sub(time.Date(year, month, day, 0, 0, 0, 0, zone)) < e.length {
			return true
		}
	}
	return false
}

// recurrenceID is where an occurrence is, as file names say it, or "" where that
// depends on a zone.
func (e randomEvent) recurrenceID(start time.Time) string {
	if zone, ok := strings.CutPrefix(e.form.params, ";TZID="); ok {
		location, err := time.LoadLocation(zone)
		if err != nil {
			panic(err)
		}
		year, month, day := start.Date()
		return time.Date(year, month, day, start.Hour(), start.Minute(), 0, 0, location).UTC().Format(inUTC)
	}
	return e.at(start)
}
