package calendar

import (
	"errors"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/clock"
)

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// spansText writes spans as "start/end", separated by spaces.
func spansText(spans []Span) string {
	var texts []string
	for _, s := range spans {
		texts = append(texts, s.Start.Format(formUTC)+"/"+s.End.Format(formUTC))
	}
	return strings.Join(texts, " ")
}

// Pieces of events that many cases share.
const (
	utcEvent  = "DTSTART:20261124T120000Z\nDTEND:20261124T130000Z\n"
	osloEvent = "DTSTART;TZID=Europe/Oslo:20261124T120000\nDTEND;TZID=Europe/Oslo:20261124T130000\n"
	floating  = "DTSTART:20261124T120000\nDTEND:20261124T130000\n"
	dateEvent = "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125\n"
	fourDays  = "RRULE:FREQ=DAILY;COUNT=4\n"
)

// TestPeriods works out periods at 2026-11-22 12:00 UTC, with a window of 100 days
// unless the case says otherwise, for a user in Oslo.
func TestPeriods(t *testing.T) {
	now := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, lines string
		want        string
		zone        string // default Europe/Oslo
		window      int    // days; default 100
	}{
		{name: "UTC", lines: utcEvent, want: "20261124T120000Z/20261124T130000Z"},
		{name: "zone", lines: osloEvent, want: "20261124T110000Z/20261124T120000Z"},
		{name: "floating", lines: floating, zone: "Asia/Tokyo", want: "20261124T030000Z/20261124T040000Z"},
		{name: "date", lines: dateEvent, want: "20261123T230000Z/20261124T230000Z"},
		{name: "date, west", lines: dateEvent, zone: "America/New_York", want: "20261124T050000Z/20261125T050000Z"},
		{name: "date with a TZID stands there", lines: "DTSTART;VALUE=DATE;TZID=Asia/Tokyo:20261124", want: "20261123T150000Z/20261124T150000Z"},
		{name: "date without VALUE", lines: "DTSTART:20261124\nDTEND:20261126", want: "20261123T230000Z/20261125T230000Z"},
		{name: "midnight that is said to be a date", lines: "DTSTART;VALUE=DATE:20261124T000000\nDTEND;VALUE=DATE:20261125T000000", want: "20261123T230000Z/20261124T230000Z"},
		{name: "date-time that is said to be a date", lines: "DTSTART;VALUE=DATE:20261124T120000Z", want: "20261124T120000Z/20261124T120000Z"},
		{name: "UTC with the TZID of the original", lines: "DTSTART;TZID=UTC:20261124T120000Z\nDTEND;TZID=UTC:20261124T130000Z", want: "20261124T120000Z/20261124T130000Z"},
		{name: "Z against TZID", lines: "DTSTART;TZID=Europe/Oslo:20261124T120000Z", want: "20261124T120000Z/20261124T120000Z"},
		{name: "zone that nobody knows is floating", lines: "DTSTART;TZID=Nowhere/Such:20261124T120000", zone: "Asia/Tokyo", want: "20261124T030000Z/20261124T030000Z"},
		{name: "leap second", lines: "DTSTART:20261124T235960Z", want: "20261124T235959Z/20261124T235959Z"},
		{name: "lower case", lines: "DTSTART:20261124t120000z", want: "20261124T120000Z/20261124T120000Z"},

		{name: "UNTIL in UTC of floating times", lines: "DTSTART:20261124T003000\nRRULE:FREQ=DAILY;UNTIL=20261125T235959Z", zone: "Europe/Oslo", want: "20261123T233000Z/20261123T233000Z 20261124T233000Z/20261124T233000Z"},
		{name: "UNTIL at the end of a day of dates", lines: "DTSTART;VALUE=DATE:20261124\nRRULE:FREQ=DAILY;UNTIL=20261125T235959Z", zone: "Europe/Oslo", want: "20261123T230000Z/20261124T230000Z 20261124T230000Z/20261125T230000Z"},
		{name: "no end: no length", lines: "DTSTART:20261124T120000Z", want: "20261124T120000Z/20261124T120000Z"},
		{name: "no end of a date: a day", lines: "DTSTART;VALUE=DATE:20261025", want: "20261024T220000Z/20261025T230000Z"},
		{name: "end before start: no length", lines: "DTSTART:20261124T120000Z\nDTEND:20261124T110000Z", want: "20261124T120000Z/20261124T120000Z"},
		{name: "end before start, dates", lines: "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261123", want: "20261123T230000Z/20261124T230000Z"},
		{name: "end as start, dates", lines: "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261124", want: "20261123T230000Z/20261124T230000Z"},
		{name: "date-time to date", lines: "DTSTART:20261124T120000Z\nDTEND;VALUE=DATE:20261125", want: "20261124T120000Z/20261125T000000Z"},
		{name: "date to date-time", lines: "DTSTART;VALUE=DATE:20261124\nDTEND:20261125T120000Z", want: "20261123T230000Z/20261125T120000Z"},
		{name: "zones differ", lines: "DTSTART;TZID=Europe/Oslo:20261124T120000\nDTEND;TZID=America/New_York:20261124T100000", want: "20261124T110000Z/20261124T150000Z"},
		{name: "end that cannot be read is none", lines: "DTSTART:20261124T120000Z\nDTEND:tomorrow\nDURATION:PT1H", want: "20261124T120000Z/20261124T130000Z"},
		{name: "DTEND before DURATION", lines: utcEvent + "DURATION:PT5H", want: "20261124T120000Z/20261124T130000Z"},
		{name: "weeks", lines: "DTSTART:20261124T120000Z\nDURATION:P1W", want: "20261124T120000Z/20261201T120000Z"},
		{name: "days and time", lines: "DTSTART:20261124T120000Z\nDURATION:P1DT2H3M4S", want: "20261124T120000Z/20261125T140304Z"},
		{name: "a day is the calendar's", lines: "DTSTART;TZID=Europe/Oslo:20261024T120000\nDURATION:P1D", want: "20261024T100000Z/20261025T110000Z"},
		{name: "24 hours are the clock's", lines: "DTSTART;TZID=Europe/Oslo:20261024T120000\nDURATION:PT24H", want: "20261024T100000Z/20261025T100000Z"},
		{name: "negative duration: no length", lines: "DTSTART:20261124T120000Z\nDURATION:-PT1H", want: "20261124T120000Z/20261124T120000Z"},
		{name: "date and hours: whole days", lines: "DTSTART;VALUE=DATE:20261124\nDURATION:PT36H", want: "20261123T230000Z/20261124T230000Z"},
		{name: "absurd duration", lines: "DTSTART:20261124T120000Z\nDURATION:P999999999999999999999D", want: "20261124T120000Z/99991231T235959Z"},

		{name: "in a gap: the offset before it", lines: "DTSTART;TZID=Europe/Oslo:20270328T023000\nDURATION:PT1H", want: "20270328T013000Z/20270328T023000Z"},
		{name: "twice: the first", lines: "DTSTART;TZID=Europe/Oslo:20261025T023000\nDURATION:PT1H", want: "20261025T003000Z/20261025T013000Z"},
		{name: "rule over a gap", lines: "DTSTART;TZID=Europe/Oslo:20270327T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3", window: 200,
			want: "20270327T013000Z/20270327T023000Z 20270328T013000Z/20270328T023000Z 20270329T003000Z/20270329T013000Z"},
		{name: "rule over an overlap", lines: "DTSTART;TZID=Europe/Oslo:20261024T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3",
			want: "20261024T003000Z/20261024T013000Z 20261025T003000Z/20261025T013000Z 20261026T013000Z/20261026T023000Z"},
		{name: "by the hour over a gap, without duplicates", lines: "DTSTART;TZID=Europe/Oslo:20270328T010000\nRRULE:FREQ=HOURLY;COUNT=4", window: 200,
			want: "20270328T000000Z/20270328T000000Z 20270328T010000Z/20270328T010000Z 20270328T020000Z/20270328T020000Z"},
		{name: "exact length by DTEND", lines: "DTSTART;TZID=Europe/Oslo:20261024T120000\nDTEND;TZID=Europe/Oslo:20261025T120000\nRRULE:FREQ=DAILY;COUNT=2",
			want: "20261024T100000Z/20261025T110000Z 20261025T110000Z/20261026T120000Z"},
		{name: "nominal length by DURATION", lines: "DTSTART;TZID=Europe/Oslo:20261023T120000\nDURATION:P1D\nRRULE:FREQ=DAILY;COUNT=3",
			want: "20261023T100000Z/20261024T100000Z 20261024T100000Z/20261025T110000Z 20261025T110000Z/20261026T110000Z"},
		{name: "days of dates", lines: "DTSTART;VALUE=DATE:20261024\nDTEND;VALUE=DATE:20261026\nRRULE:FREQ=WEEKLY;COUNT=2",
			want: "20261023T220000Z/20261025T230000Z 20261030T230000Z/20261101T230000Z"},

		{name: "DTSTART off the rule is none", lines: utcEvent + "RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=FR", want: "20261127T120000Z/20261127T130000Z 20261204T120000Z/20261204T130000Z"},
		{name: "the 31st", lines: "DTSTART:20261231T120000Z\nRRULE:FREQ=MONTHLY;COUNT=3", window: 300,
			want: "20261231T120000Z/20261231T120000Z 20270131T120000Z/20270131T120000Z 20270331T120000Z/20270331T120000Z"},
		{name: "BYHOUR with a date is ignored", lines: dateEvent + "RRULE:FREQ=DAILY;COUNT=2;BYHOUR=9,10", want: "20261123T230000Z/20261124T230000Z 20261124T230000Z/20261125T230000Z"},
		{name: "rule never matches", lines: utcEvent + "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"},

		{name: "window: up to its end, not at it", lines: "DTSTART:20261122T120000Z\nRRULE:FREQ=DAILY", window: 2,
			want: "20261122T120000Z/20261122T120000Z 20261123T120000Z/20261123T120000Z"},
		{name: "window with UNTIL beyond: at its end", lines: "DTSTART:20261123T120000Z\nRRULE:FREQ=DAILY;UNTIL=20270101T000000Z", window: 2,
			want: "20261123T120000Z/20261123T120000Z 20261124T120000Z/20261124T120000Z"},
		{name: "window by the event's clock, west", lines: "DTSTART;TZID=America/New_York:20261124T100000\nRRULE:FREQ=HOURLY", window: 2,
			want: "20261124T150000Z/20261124T150000Z 20261124T160000Z/20261124T160000Z"},
		{name: "window by the event's clock, east", lines: "DTSTART;TZID=Asia/Tokyo:20261124T100000\nRRULE:FREQ=HOURLY", window: 2,
			want: "20261124T010000Z/20261124T010000Z 20261124T020000Z/20261124T020000Z"},
		{name: "window of dates: the day of its end", lines: "DTSTART;VALUE=DATE:20261123\nRRULE:FREQ=DAILY", window: 2, zone: "UTC",
			want: "20261123T000000Z/20261124T000000Z 20261124T000000Z/20261125T000000Z"},
		{name: "past is in the window", lines: "DTSTART:20201120T120000Z\nRRULE:FREQ=DAILY;COUNT=2", want: "20201120T120000Z/20201120T120000Z 20201121T120000Z/20201121T120000Z"},
		{name: "all beyond the window", lines: "DTSTART:20281120T120000Z\nRRULE:FREQ=DAILY;COUNT=2"},
		{name: "beyond the window without a rule", lines: "DTSTART:20281120T120000Z", want: "20281120T120000Z/20281120T120000Z"},
		{name: "RDATE beyond the window", lines: utcEvent + "RRULE:FREQ=DAILY;COUNT=1\nRDATE:20281120T120000Z", want: "20261124T120000Z/20261124T130000Z 20281120T120000Z/20281120T130000Z"},

		{name: "nothing before 1900", lines: "DTSTART:18991230T120000Z\nRRULE:FREQ=DAILY;COUNT=4", want: "19000101T120000Z/19000101T120000Z 19000102T120000Z/19000102T120000Z"},
		{name: "nor a single event", lines: "DTSTART;VALUE=DATE:18700324"},

		{name: "UNTIL is inclusive", lines: utcEvent + "RRULE:FREQ=DAILY;UNTIL=20261125T120000Z", want: "20261124T120000Z/20261124T130000Z 20261125T120000Z/20261125T130000Z"},
		{name: "UNTIL a second before", lines: utcEvent + "RRULE:FREQ=DAILY;UNTIL=20261125T115959Z", want: "20261124T120000Z/20261124T130000Z"},
		{name: "UNTIL in UTC is an instant", lines: osloEvent + "RRULE:FREQ=DAILY;UNTIL=20261125T110000Z", want: "20261124T110000Z/20261124T120000Z 20261125T110000Z/20261125T120000Z"},
		{name: "UNTIL in UTC before it", lines: osloEvent + "RRULE:FREQ=DAILY;UNTIL=20261125T105959Z", want: "20261124T110000Z/20261124T120000Z"},
		{name: "UNTIL floating is the event's", lines: osloEvent + "RRULE:FREQ=DAILY;UNTIL=20261125T120000", want: "20261124T110000Z/20261124T120000Z 20261125T110000Z/20261125T120000Z"},
		{name: "UNTIL floating for UTC", lines: utcEvent + "RRULE:FREQ=DAILY;UNTIL=20261125T120000", want: "20261124T120000Z/20261124T130000Z 20261125T120000Z/20261125T130000Z"},
		{name: "UNTIL a date: that day too", lines: osloEvent + "RRULE:FREQ=DAILY;UNTIL=20261125", want: "20261124T110000Z/20261124T120000Z 20261125T110000Z/20261125T120000Z"},
		{name: "UNTIL a date, floating", lines: floating + "RRULE:FREQ=DAILY;UNTIL=20261125", want: "20261124T110000Z/20261124T120000Z 20261125T110000Z/20261125T120000Z"},
		{name: "UNTIL floating, floating", lines: floating + "RRULE:FREQ=DAILY;UNTIL=20261125T120000", want: "20261124T110000Z/20261124T120000Z 20261125T110000Z/20261125T120000Z"},
		{name: "UNTIL a date, of dates", lines: dateEvent + "RRULE:FREQ=DAILY;UNTIL=20261125", want: "20261123T230000Z/20261124T230000Z 20261124T230000Z/20261125T230000Z"},
		{name: "UNTIL the start of the day in UTC, of dates", lines: dateEvent + "RRULE:FREQ=DAILY;UNTIL=20261124T230000Z", want: "20261123T230000Z/20261124T230000Z 20261124T230000Z/20261125T230000Z"},
		{name: "UNTIL the end of the day in UTC, of dates", lines: dateEvent + "RRULE:FREQ=DAILY;UNTIL=20261125T225959Z", want: "20261123T230000Z/20261124T230000Z 20261124T230000Z/20261125T230000Z"},
		{name: "UNTIL midnight in UTC is that date", lines: dateEvent + "RRULE:FREQ=DAILY;UNTIL=20261125T000000Z", zone: "America/New_York", want: "20261124T050000Z/20261125T050000Z 20261125T050000Z/20261126T050000Z"},
		{name: "UNTIL floating, of dates", lines: dateEvent + "RRULE:FREQ=DAILY;UNTIL=20261125T000000", want: "20261123T230000Z/20261124T230000Z 20261124T230000Z/20261125T230000Z"},
		{name: "UNTIL before DTSTART", lines: utcEvent + "RRULE:FREQ=DAILY;UNTIL=20261101T120000Z"},
		{name: "COUNT and UNTIL", lines: utcEvent + "RRULE:FREQ=DAILY;COUNT=3;UNTIL=20261125T120000Z", want: "20261124T120000Z/20261124T130000Z 20261125T120000Z/20261125T130000Z"},

		{name: "RDATE alone, and DTSTART", lines: utcEvent + "RDATE:20261126T120000Z", want: "20261124T120000Z/20261124T130000Z 20261126T120000Z/20261126T130000Z"},
		{name: "RDATE at DTSTART", lines: utcEvent + "RDATE:20261124T120000Z", want: "20261124T120000Z/20261124T130000Z"},
		{name: "RDATE in lists and zones", lines: utcEvent + "RDATE:20261126T120000Z,20261127T120000Z\nRDATE;TZID=America/New_York:20261128T070000",
			want: "20261124T120000Z/20261124T130000Z 20261126T120000Z/20261126T130000Z 20261127T120000Z/20261127T130000Z 20261128T120000Z/20261128T130000Z"},
		{name: "RDATE of dates", lines: dateEvent + "RDATE;VALUE=DATE:20261130", want: "20261123T230000Z/20261124T230000Z 20261129T230000Z/20261130T230000Z"},
		{name: "RDATE a date, of date-times", lines: utcEvent + "RDATE;VALUE=DATE:20261130", want: "20261124T120000Z/20261124T130000Z 20261130T120000Z/20261130T130000Z"},
		{name: "RDATE a date-time, of dates", lines: dateEvent + "RDATE:20261130T120000Z", want: "20261123T230000Z/20261124T230000Z 20261129T230000Z/20261130T230000Z"},
		{name: "RDATE periods", lines: utcEvent + "RDATE;VALUE=PERIOD:20261130T120000Z/PT3H,20261201T120000Z/20261201T140000Z",
			want: "20261124T120000Z/20261124T130000Z 20261130T120000Z/20261130T150000Z 20261201T120000Z/20261201T140000Z"},
		{name: "RDATE period in a zone", lines: osloEvent + "RDATE;VALUE=PERIOD;TZID=Europe/Oslo:20261130T120000/20261130T150000", want: "20261124T110000Z/20261124T120000Z 20261130T110000Z/20261130T140000Z"},
		{name: "RDATE a longer period at an occurrence", lines: utcEvent + "RDATE;VALUE=PERIOD:20261124T120000Z/PT3H", want: "20261124T120000Z/20261124T130000Z 20261124T120000Z/20261124T150000Z"},

		{name: "EXDATE", lines: utcEvent + fourDays + "EXDATE:20261125T120000Z,20261126T120000Z", want: "20261124T120000Z/20261124T130000Z 20261127T120000Z/20261127T130000Z"},
		{name: "EXDATE in several, each in its zone", lines: utcEvent + fourDays + "EXDATE;TZID=America/New_York:20261125T070000\nEXDATE;TZID=Europe/Oslo:20261126T130000", want: "20261124T120000Z/20261124T130000Z 20261127T120000Z/20261127T130000Z"},
		{name: "EXDATE at another time", lines: utcEvent + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:20261125T130000Z", want: "20261124T120000Z/20261124T130000Z 20261125T120000Z/20261125T130000Z"},
		{name: "EXDATE of dates", lines: dateEvent + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE;VALUE=DATE:20261124", want: "20261124T230000Z/20261125T230000Z"},
		{name: "EXDATE of dates at their start", lines: dateEvent + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:20261123T230000Z", want: "20261124T230000Z/20261125T230000Z"},
		{name: "EXDATE a date takes that day's", lines: osloEvent + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE;VALUE=DATE:20261124", want: "20261125T110000Z/20261125T120000Z"},
		{name: "EXDATE counts after COUNT", lines: utcEvent + "RRULE:FREQ=DAILY;COUNT=1\nEXDATE:20261124T120000Z"},
		{name: "EXDATE takes RDATE", lines: utcEvent + "RDATE:20261126T120000Z\nEXDATE:20261126T120000Z", want: "20261124T120000Z/20261124T130000Z"},
		{name: "EXDATE takes a period of RDATE", lines: utcEvent + "RDATE;VALUE=PERIOD:20261126T120000Z/PT3H\nEXDATE:20261126T120000Z", want: "20261124T120000Z/20261124T130000Z"},
		{name: "EXDATE without a zone is the event's", lines: osloEvent + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:20261124T120000", zone: "America/New_York", want: "20261125T110000Z/20261125T120000Z"},
		{name: "EXDATE without a zone, of UTC", lines: utcEvent + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:20261124T120000", zone: "America/New_York", want: "20261125T120000Z/20261125T130000Z"},
		{name: "EXDATE midnight in a zone, of dates", lines: dateEvent + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE;TZID=Europe/Oslo:20261124T000000", zone: "America/New_York", want: "20261125T050000Z/20261126T050000Z"},
		{name: "EXDATE midnight in a zone further east", lines: dateEvent + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE;TZID=Asia/Tokyo:20261124T000000", zone: "Pacific/Honolulu", want: "20261125T100000Z/20261126T100000Z"},
		{name: "EXDATE midnight in UTC, of dates", lines: dateEvent + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:20261124T000000Z", zone: "America/New_York", want: "20261125T050000Z/20261126T050000Z"},
		{name: "EXDATE midnight without a zone, of dates", lines: dateEvent + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:20261124T000000", zone: "America/New_York", want: "20261125T050000Z/20261126T050000Z"},
		{name: "EXDATE another time, of dates: the user's date", lines: dateEvent + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:20261125T030000Z", zone: "America/New_York", want: "20261125T050000Z/20261126T050000Z"},
		{name: "RDATE without a zone is the event's", lines: osloEvent + "RDATE:20261126T120000", zone: "America/New_York", want: "20261124T110000Z/20261124T120000Z 20261126T110000Z/20261126T120000Z"},
		{name: "RDATE a date, in the event's zone", lines: osloEvent + "RDATE;VALUE=DATE:20261126", zone: "America/New_York", want: "20261124T110000Z/20261124T120000Z 20261126T110000Z/20261126T120000Z"},
		{name: "RDATE period without a zone is the event's", lines: osloEvent + "RDATE;VALUE=PERIOD:20261126T120000/PT3H", zone: "America/New_York", want: "20261124T110000Z/20261124T120000Z 20261126T110000Z/20261126T140000Z"},
		{name: "RDATE midnight in a zone, of dates", lines: dateEvent + "RDATE;TZID=Europe/Oslo:20261126T000000", zone: "America/New_York", want: "20261124T050000Z/20261125T050000Z 20261126T050000Z/20261127T050000Z"},
		{name: "DTEND without a zone is the start's", lines: "DTSTART;TZID=Europe/Oslo:20261124T120000\nDTEND:20261124T130000", zone: "America/New_York", want: "20261124T110000Z/20261124T120000Z"},
		{name: "DTEND a date, in the start's zone", lines: "DTSTART;TZID=Europe/Oslo:20261124T120000\nDTEND;VALUE=DATE:20261125", zone: "America/New_York", want: "20261124T110000Z/20261124T230000Z"},
		{name: "DTEND the date of the start: all of it", lines: "DTSTART;TZID=Europe/Oslo:20261124T120000\nDTEND;VALUE=DATE:20261124", zone: "America/New_York", want: "20261124T110000Z/20261124T230000Z"},
		{name: "DTEND midnight in a zone, of a date", lines: "DTSTART;VALUE=DATE:20261124\nDTEND;TZID=Europe/Oslo:20261126T000000", zone: "America/New_York", want: "20261124T050000Z/20261126T050000Z"},
		{name: "DTEND midnight in UTC, of a date", lines: "DTSTART;VALUE=DATE:20261124\nDTEND:20261125T000000Z", zone: "America/New_York", want: "20261124T050000Z/20261125T050000Z"},
		{name: "DTEND a time, of a date", lines: "DTSTART;VALUE=DATE:20261124\nDTEND:20261124T170000Z", zone: "America/New_York", want: "20261124T050000Z/20261124T170000Z"},

		{name: "DURATION of no days, of a date", lines: "DTSTART;VALUE=DATE:20261124\nDURATION:PT0S", want: "20261123T230000Z/20261124T230000Z"},
		{name: "DURATION of hours, of a date", lines: "DTSTART;VALUE=DATE:20261124\nDURATION:PT1H", want: "20261123T230000Z/20261124T230000Z"},
		{name: "DURATION of less than nothing, of a date", lines: "DTSTART;VALUE=DATE:20261124\nDURATION:-P1D", want: "20261123T230000Z/20261124T230000Z"},

		{name: "EXRULE", lines: utcEvent + fourDays + "EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=2", want: "20261125T120000Z/20261125T130000Z 20261127T120000Z/20261127T130000Z"},
		{name: "EXRULE without end", lines: utcEvent + fourDays + "EXRULE:FREQ=DAILY;INTERVAL=3", want: "20261125T120000Z/20261125T130000Z 20261126T120000Z/20261126T130000Z"},
		{name: "EXRULE with UNTIL in UTC", lines: osloEvent + fourDays + "EXRULE:FREQ=DAILY;UNTIL=20261126T110000Z", want: "20261127T110000Z/20261127T120000Z"},
		{name: "EXRULE yields nothing that is there", lines: utcEvent + "RRULE:FREQ=DAILY;COUNT=2\nEXRULE:FREQ=DAILY;BYHOUR=13", want: "20261124T120000Z/20261124T130000Z 20261125T120000Z/20261125T130000Z"},
		{name: "two EXRULEs", lines: utcEvent + fourDays + "EXRULE:FREQ=DAILY;COUNT=1\nEXRULE:FREQ=DAILY;INTERVAL=3;COUNT=2", want: "20261125T120000Z/20261125T130000Z 20261126T120000Z/20261126T130000Z"},
		{name: "EXRULE takes RDATE", lines: utcEvent + "RDATE:20261126T120000Z,20261127T120000Z\nEXRULE:FREQ=DAILY;INTERVAL=2", want: "20261127T120000Z/20261127T130000Z"},
		{name: "EXRULE of dates", lines: dateEvent + "RRULE:FREQ=DAILY;COUNT=3\nEXRULE:FREQ=DAILY;COUNT=2", want: "20261125T230000Z/20261126T230000Z"},
		{name: "EXDATE takes a single event", lines: utcEvent + "EXDATE:20261124T120000Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := object(t, strings.TrimSpace(c.lines))
			if c.zone == "" {
				c.zone = "Europe/Oslo"
			}
			if c.window == 0 {
				c.window = 100
			}
			spans, truncated, err := o.Periods(PeriodOptions{Zone: location(t, c.zone), Now: now, Until: now.AddDate(0, 0, c.window)})
			if err != nil || truncated {
				t.Fatalf("error %v, truncated %v", err, truncated)
			}
			if got := spansText(spans); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPeriodsIncomplete(t *testing.T) {
	const start = "20261124T120000Z/20261124T130000Z"
	for _, c := range []struct{ reason, lines, want string }{
		{"unknown frequency", "RRULE:FREQ=OFTEN", start},
		{"no frequency", "RRULE:COUNT=3", start},
		{"interval 0", "RRULE:FREQ=DAILY;INTERVAL=0", start},
		{"a date among RDATE that is none", "RDATE:20261199T120000Z,20261125T120000Z", start + " 20261125T120000Z/20261125T130000Z"},
		{"half a period", "RDATE;VALUE=PERIOD:20261125T120000Z/", start},
		{"a date among EXDATE that is none", "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:soon,20261125T120000Z", start},
	} {
		o := object(t, strings.TrimSpace(utcEvent+c.lines))
		spans, _, err := o.Periods(PeriodOptions{})
		var incomplete *IncompleteError
		if !errors.As(err, &incomplete) || len(incomplete.Reasons) != 1 {
			t.Errorf("%s: error %v", c.reason, err)
		}
		if got := spansText(spans); got != c.want {
			t.Errorf("%s: got %s, want %s", c.reason, got, c.want)
		}
	}
}

func TestNoStart(t *testing.T) {
	for _, c := range []struct{ reason, line string }{
		{"no DTSTART", "SUMMARY:x"},
		{"no such day", "DTSTART:20260230T120000Z"},
		{"no such month", "DTSTART;VALUE=DATE:20261301"},
		{"no such hour", "DTSTART:20260228T240000Z"},
		{"text", "DTSTART:tomorrow"},
		{"too short", "DTSTART:2026022"},
		{"minutes missing", "DTSTART:20260228T12Z"},
		{"other characters", "DTSTART:2026022８T120000Z"},
	} {
		o := object(t, c.line, "UID:1")
		if o.HasStart() {
			t.Errorf("%s: the event has a start", c.reason)
		}
		_, startErr := o.Start(time.UTC)
		_, _, periodsErr := o.Periods(PeriodOptions{})
		_, occursErr := o.OccursAt(clock.Day, time.UTC)
		for _, err := range []error{startErr, periodsErr, occursErr} {
			var permanent *Error
			if !errors.As(err, &permanent) {
				t.Errorf("%s: error %v", c.reason, err)
			}
		}
	}
}

func TestTruncation(t *testing.T) {
	now := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ name, lines, first, last string }{
		{"by the second, from years back", "DTSTART:20201122T120000Z\nRRULE:FREQ=SECONDLY", "20261122T120000Z/20261122T120000Z", "20261122T121639Z/20261122T121639Z"},
		{"by the second, a thousand million", "DTSTART:20201122T120000Z\nRRULE:FREQ=SECONDLY;COUNT=1000000000", "20261122T120000Z/20261122T120000Z", "20261122T121639Z/20261122T121639Z"},
		{"one that is not over counts", "DTSTART:20201122T113000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY", "20261122T113000Z/20261122T123000Z", "20270103T023000Z/20270103T033000Z"},
		{"in a zone", "DTSTART;TZID=America/New_York:20200101T000000\nRRULE:FREQ=MINUTELY", "20261122T120000Z/20261122T120000Z", "20261123T043900Z/20261123T043900Z"},
		{"RDATE counts in", "DTSTART:20201122T120000Z\nRRULE:FREQ=SECONDLY\nRDATE:20261122T120000Z,20281122T120000Z", "20261122T120000Z/20261122T120000Z", "20261122T121639Z/20261122T121639Z"},
		{"from the first year on", "DTSTART:00010101T000000Z\nRRULE:FREQ=SECONDLY", "20261122T120000Z/20261122T120000Z", "20261122T121639Z/20261122T121639Z"},
		{"EXDATE does not", "DTSTART:20201122T120000Z\nRRULE:FREQ=SECONDLY\nEXDATE:20261122T120000Z", "20261122T120001Z/20261122T120001Z", "20261122T121640Z/20261122T121640Z"},
	} {
		o := object(t, c.lines)
		spans, truncated, err := o.Periods(PeriodOptions{Now: now, Until: now.AddDate(0, 0, 100), Max: 1000})
		if err != nil || !truncated || len(spans) != 1000 {
			t.Errorf("%s: %d periods, truncated %v, error %v", c.name, len(spans), truncated, err)
			continue
		}
		if got := spansText(spans[:1]); got != c.first {
			t.Errorf("%s: first is %s, want %s", c.name, got, c.first)
		}
		if got := spansText(spans[999:]); !strings.HasPrefix(got, c.last) {
			t.Errorf("%s: last is %s, want %s", c.name, got, c.last)
		}
	}
}

func TestTruncationIsOfTheFuture(t *testing.T) {
	now := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	o := object(t, "DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY")
	spans, truncated, err := o.Periods(PeriodOptions{Now: now, Until: now.AddDate(0, 0, 10), Max: 100})
	if err != nil || !truncated {
		t.Fatalf("truncated %v, error %v", truncated, err)
	}
	want := "20261123T000000Z"
	if len(spans) != 10 || spans[0].Start.Format(formUTC) != want {
		t.Errorf("%d periods: %s; want 10 from %s on", len(spans), spansText(spans), want)
	}
	if spans, truncated, _ := o.Periods(PeriodOptions{Now: now, Until: now.AddDate(0, 0, 10)}); truncated || len(spans) != 2528 {
		t.Errorf("without limit: %d periods, truncated %v", len(spans), truncated)
	}
}

func TestOccursAt(t *testing.T) {
	for _, c := range []struct {
		lines, at string
		want      bool
	}{
		{utcEvent, "20261124T120000Z", true},
		{utcEvent, "20261124T130000Z", false},
		{utcEvent + "RRULE:FREQ=DAILY", "20961124T120000Z", true},
		{utcEvent + "RRULE:FREQ=DAILY", "20261123T120000Z", false},
		{utcEvent + "RRULE:FREQ=DAILY;COUNT=2", "20261125T120000Z", true},
		{utcEvent + "RRULE:FREQ=DAILY;COUNT=2", "20261126T120000Z", false},
		{utcEvent + "RRULE:FREQ=DAILY;UNTIL=20261126", "20261127T120000Z", false},
		{utcEvent + "RRULE:FREQ=SECONDLY;COUNT=1000000000", "20561124T120000Z", true},
		{utcEvent + "RRULE:FREQ=SECONDLY;COUNT=1000000000", "20591124T120000Z", false},
		{utcEvent + "RRULE:FREQ=DAILY\nEXDATE:20261125T120000Z", "20261125T120000Z", false},
		{utcEvent + "RDATE:20261125T120000Z", "20261125T120000Z", true},
		{utcEvent + "RDATE;VALUE=PERIOD:20261125T120000Z/PT3H", "20261125T120000Z", true},
		{osloEvent + "RRULE:FREQ=DAILY", "20270701T100000Z", true},
		{osloEvent + "RRULE:FREQ=DAILY", "20270701T110000Z", false},
		{"DTSTART;TZID=Asia/Tokyo:20261124T030000\nRRULE:FREQ=DAILY", "20261130T180000Z", true},
		{"DTSTART;TZID=Europe/Oslo:20270327T023000\nRRULE:FREQ=DAILY", "20270328T013000Z", true},
		{dateEvent + "RRULE:FREQ=WEEKLY", "20261130T230000Z", true},
		{dateEvent + "RRULE:FREQ=WEEKLY", "20261201T000000Z", false},
		{utcEvent + "RRULE:FREQ=WEEKLY;BYDAY=FR", "20261124T120000Z", false},
	} {
		at, err := time.Parse(formUTC, c.at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := object(t, strings.TrimSpace(c.lines)).OccursAt(at, location(t, "Europe/Oslo"))
		if err != nil || got != c.want {
			t.Errorf("%s at %s: %v, error %v, want %v", c.lines, c.at, got, err, c.want)
		}
	}
}

func TestInstants(t *testing.T) {
	oslo := location(t, "Europe/Oslo")
	for _, c := range []struct{ id, want string }{
		{"20261202", "20261201T230000Z"},
		{"20261202T090000", "20261202T080000Z"},
		{"20261202T090000Z", "20261202T090000Z"},
		{"", ""},
		{"20261202T0900", ""},
		{"20261299", ""},
	} {
		got, err := InstantOf(c.id, oslo)
		if (err == nil) != (c.want != "") || err == nil && got.Format(formUTC) != c.want {
			t.Errorf("InstantOf(%q): %v, error %v", c.id, got, err)
		}
	}
	for _, c := range []struct{ line, want string }{
		{"RECURRENCE-ID;VALUE=DATE:20261202", "20261201T230000Z"},
		{"RECURRENCE-ID:20261202T090000", "20261202T080000Z"},
		{"RECURRENCE-ID;TZID=Asia/Tokyo:20261202T090000", "20261202T000000Z"},
		{"RECURRENCE-ID:20261202T090000Z", "20261202T090000Z"},
		{"RECURRENCE-ID:later", ""},
		{"SUMMARY:none", ""},
	} {
		got, err := object(t, c.line, "UID:1").RecurrenceInstant(oslo)
		if (err == nil) != (c.want != "") || err == nil && got.Format(formUTC) != c.want {
			t.Errorf("%s: %v, error %v", c.line, got, err)
		}
	}
}

func TestRecursForever(t *testing.T) {
	for _, c := range []struct {
		lines string
		want  bool
	}{
		{"UID:1", false},
		{"RRULE:FREQ=DAILY", true},
		{"RRULE:FREQ=DAILY;COUNT=3", false},
		{"RRULE:FREQ=DAILY;UNTIL=20261224", false},
		{"RRULE:FREQ=SOMETIMES", false},
	} {
		if got := object(t, "DTSTART:20261124T120000Z", c.lines).RecursForever(); got != c.want {
			t.Errorf("%s: %v", c.lines, got)
		}
	}
}

func FuzzPeriods(f *testing.F) {
	for _, lines := range []string{
		utcEvent + fourDays, osloEvent + "RRULE:FREQ=MONTHLY;BYDAY=-1FR", dateEvent + "EXDATE;VALUE=DATE:20261124",
		floating + "RDATE;VALUE=PERIOD:20261130T120000Z/PT3H", "DTSTART:00010101T000000\nDURATION:P99999999D",
		"DTSTART:99991231T235959Z\nRRULE:FREQ=SECONDLY", "DTSTART;TZID=Europe/Oslo:20261025T023000\nDURATION:-P1DT1S",
	} {
		f.Add(lines)
	}
	now := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	zone := location(f, "Asia/Tokyo")
	f.Fuzz(func(t *testing.T, lines string) {
		o, err := DecodeObject([]byte("BEGIN:VEVENT\n" + lines + "\nEND:VEVENT\n"))
		if err != nil {
			return
		}
		spans, _, err := o.Periods(PeriodOptions{Zone: zone, Now: now, Until: now.AddDate(0, 0, 100), Max: 50})
		var permanent *Error
		if errors.As(err, &permanent) == o.HasStart() {
			t.Errorf("error %v, but HasStart is %v", err, o.HasStart())
		}
		for i, s := range spans {
			form := s.Start.Format(formUTC) + s.End.Format(formUTC)
			if s.End.Before(s.Start) || len(form) != 2*len(formUTC) || i > 0 && s.Start.Before(spans[i-1].Start) {
				t.Fatalf("bad or out of order: %s", spansText(spans))
			}
			if i < 3 {
				if occurs, _ := o.OccursAt(s.Start, zone); !occurs {
					t.Errorf("no occurrence at %v", s.Start)
				}
			}
		}
	})
}
