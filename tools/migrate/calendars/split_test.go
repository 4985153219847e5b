package calendars

import (
	"slices"
	"strings"
	"testing"
)

// Of a component that never ends, the events that it takes with it are named, and no more are lost
// than must be.
func TestSplitUnended(t *testing.T) {
	lines := func(words ...string) string { return strings.Join(words, "\n") + "\n" }
	event := func(uid string) string { return lines("BEGIN:VEVENT", "UID:"+uid, "END:VEVENT") }
	for _, test := range []struct {
		name, text string
		uids       []string
		problems   []string
	}{
		{"event", lines("BEGIN:VCALENDAR", event("a")+"BEGIN:VEVENT", "UID:b", "SUMMARY:Lunch", event("c")+"END:VCALENDAR"),
			[]string{"a", "c"}, []string{`the event "b" ("Lunch") is lost: it never ends`}},
		{"several", lines("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:a", "BEGIN:VEVENT", "UID:b", "END:VCALENDAR", "BEGIN:VCALENDAR", event("c")+"END:VCALENDAR"),
			[]string{"c"}, []string{`the event "a" is lost: it never ends`, `the event "b" is lost: it never ends`}},
		{"alarm", lines("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:a", "BEGIN:VALARM", "END:VEVENT", event("b")+"END:VCALENDAR"),
			[]string{"b"}, []string{`the event "a" is lost: the VALARM in it never ends`}},
		{"zone", lines("BEGIN:VCALENDAR", "BEGIN:VTIMEZONE", "TZID:Oslo", "BEGIN:STANDARD", event("a")+"END:VCALENDAR"),
			[]string{"a"}, []string{`the time zone "Oslo" is lost: the STANDARD in it never ends`}},
		{"calendar", lines("BEGIN:VCALENDAR", event("a")+"BEGIN:VCALENDAR", event("b")+"END:VCALENDAR"),
			[]string{"a", "b"}, []string{"a calendar ends half-way: VCALENDAR"}},
		{"end of the file", lines("BEGIN:VCALENDAR", event("a")+"BEGIN:VEVENT", "UID:b"),
			[]string{"a"}, []string{"it ends half-way: VCALENDAR, VEVENT", `the event "b" is lost: it never ends`}},
		{"no UID", lines("BEGIN:VCALENDAR", "BEGIN:VTODO", event("a")+"END:VCALENDAR"),
			[]string{"a"}, []string{"the todo is lost: it never ends"}},
	} {
		f := split(test.text)
		if !slices.Equal(f.uids, test.uids) || !slices.Equal(f.problems, test.problems) {
			t.Errorf("%s: events %q, problems %q", test.name, f.uids, f.problems)
		}
	}
}
