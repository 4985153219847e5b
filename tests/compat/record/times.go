package main

import (
	"strings"

	"imip-agent/tests/compat"
)

// times are events whose times stand in forms that the original reads otherwise. Each of
// these has a heading in DEVIATIONS.md.
func times() []*builder {
	const (
		days   = "DTSTART;VALUE=DATE:20261202\nDTEND;VALUE=DATE:20261203"
		second = "SEQUENCE:1\nRECURRENCE-ID;TZID=Europe/Oslo:20261209T090000"
	)
	series := event(meeting, oslo, weekly)
	const method = "METHOD:REQUEST\n"
	southern := method + "BEGIN:VTIMEZONE\nTZID:South\n" +
		"BEGIN:STANDARD\nDTSTART:16010218T000000\nRRULE:FREQ=YEARLY;BYDAY=3SU;BYMONTH=2\nTZOFFSETFROM:-0200\nTZOFFSETTO:-0300\nEND:STANDARD\n" +
		"BEGIN:DAYLIGHT\nDTSTART:16011021T000000\nRRULE:FREQ=YEARLY;BYDAY=3SU;BYMONTH=10\nTZOFFSETFROM:-0300\nTZOFFSETTO:-0200\nEND:DAYLIGHT\nEND:VTIMEZONE\n"
	return []*builder{
		conversation("times-exceptions-without-zone", "EXDATE and RDATE without a zone, for an event in one; the user is elsewhere.").
			deviates("times-in-another-form").
			prefers("paul", "TZID", "America/New_York").
			sends("paul", "REQUEST", event(series, "EXDATE:20261209T090000\nRDATE:20261203T090000")),
		conversation("times-exceptions-of-days", "EXDATE as midnight in a zone and in UTC, for an event of days; the user is elsewhere.").
			deviates("times-in-another-form").
			prefers("paul", "TZID", "America/New_York").
			sends("paul", "REQUEST", event(meeting, days, "RRULE:FREQ=DAILY;COUNT=4", "EXDATE;TZID=Europe/Oslo:20261203T000000\nEXDATE:20261204T000000Z")),
		conversation("times-added-days", "RDATE as a date, for an event with times, and as a time, for one of days.").
			deviates("times-in-another-form").
			prefers("paul", "TZID", "America/New_York").
			sends("paul", "REQUEST", event(meeting, oslo, "RDATE;VALUE=DATE:20261204")).
			sends("paul", "REQUEST", event(meeting, "UID:days", days, "RDATE:20261205T120000Z")),
		conversation("times-recurrence-without-zone", "An occurrence is moved whose RECURRENCE-ID has no zone; the user is elsewhere.").
			deviates("times-in-another-form").
			prefers("paul", "TZID", "America/New_York").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(series, "-RRULE\nSEQUENCE:1\nRECURRENCE-ID:20261209T090000\nDTSTART;TZID=Europe/Oslo:20261209T150000\nDTEND;TZID=Europe/Oslo:20261209T160000")),
		conversation("times-recurrence-a-date", "An occurrence is cancelled whose RECURRENCE-ID is a date.").
			deviates("times-in-another-form").
			sends("paul", "REQUEST", series).
			sends("paul", "CANCEL", event(series, "-RRULE\nSEQUENCE:1\nRECURRENCE-ID;VALUE=DATE:20261209")),
		conversation("times-end-of-days", "DTEND as a time, for an event of days; the user is elsewhere.").
			deviates("times-in-another-form").
			prefers("paul", "TZID", "America/New_York").
			sends("paul", "REQUEST", event(meeting, "DTSTART;VALUE=DATE:20261202\nDTEND:20261203T000000Z")),
		conversation("end-in-another-form", "DTEND without a zone, and as a date, for an event in a zone; the user is elsewhere.").
			prefers("paul", "TZID", "America/New_York").
			sends("paul", "REQUEST", event(meeting, "DTSTART;TZID=Europe/Oslo:20261202T090000\nDTEND:20261202T100000")).
			sends("paul", "REQUEST", event(meeting, "UID:date\nDTSTART;TZID=Europe/Oslo:20261202T090000\nDTEND;VALUE=DATE:20261203")),

		conversation("deviation-occurrence-with-rule", "A changed occurrence still has the rule of its event.").
			deviates("occurrences-with-rules").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(series, second, "DTSTART;TZID=Europe/Oslo:20261209T150000\nDTEND;TZID=Europe/Oslo:20261209T160000")),
		conversation("deviation-exception-rule", "EXRULE takes away every second occurrence.").
			deviates("exception-rules").
			sends("paul", "REQUEST", event(series, "EXRULE:FREQ=WEEKLY;INTERVAL=2")),
		conversation("deviation-range", "An occurrence and all later ones are moved, and some of them called off.").
			deviates("ranges-of-occurrences").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(series, "-RRULE\nSEQUENCE:1\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Oslo:20261209T090000\nDTSTART;TZID=Europe/Oslo:20261209T150000\nDTEND;TZID=Europe/Oslo:20261209T170000")).
			sends("paul", "CANCEL", event(series, "-RRULE\nSEQUENCE:2\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Oslo:20261223T090000")),
		conversation("deviation-range-cancelled", "An occurrence and all later ones are called off; one of them had been moved.").
			deviates("ranges-of-occurrences").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(series, "-RRULE\nSEQUENCE:1\nRECURRENCE-ID;TZID=Europe/Oslo:20261216T090000\nDTSTART;TZID=Europe/Oslo:20261216T150000\nDTEND;TZID=Europe/Oslo:20261216T170000")).
			sends("paul", "CANCEL", event(series, "-RRULE\nSEQUENCE:2\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Oslo:20261209T090000")),
		conversation("deviation-day-without-length", "A whole day ends on the day on which it begins, or before.").
			deviates("whole-days-without-length").
			sends("paul", "REQUEST", event(meeting, "DTSTART;VALUE=DATE:20261202\nDTEND;VALUE=DATE:20261202")).
			sends("paul", "REQUEST", event(meeting, "UID:duration\nDTSTART;VALUE=DATE:20261202\n-DTEND\nDURATION:PT0S")),
		conversation("deviation-duration-spelling", "DURATION in spellings that say the same.").
			deviates("spellings-of-durations").
			sends("paul", "REQUEST", event(meeting, "-DTEND\nDURATION:P1DT")).
			sends("paul", "REQUEST", event(meeting, "UID:plus\n-DTEND\nDURATION:+PT1H")).
			sends("paul", "REQUEST", event(meeting, "UID:gap\n-DTEND\nDURATION:PT1H30S")).
			sends("paul", "REQUEST", event(meeting, "UID:weeks\n-DTEND\nDURATION:P1W1D")),
		conversation("deviation-end-unreadable", "DTEND that cannot be read.").
			deviates("unreadable-ends").
			sends("paul", "REQUEST", event(meeting, "DTEND:20261202T1000000Z")),
		conversation("deviation-property-vevent", "A property that is named as a component; and the event again.").
			deviates("properties-named-as-components").
			sends("paul", "REQUEST", event(meeting, "VEVENT:62")).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1")),
		conversation("deviation-zone-described", "A zone that only the message describes, and that no IANA zone is like.").
			deviates("zones-only-described").
			mails(string(compat.Mail("paul", "REQUEST", strings.Replace(compat.Calendar("REQUEST", compat.Minutes(0),
				event(meeting, "DTSTART;TZID=South:20261202T090000\nDTEND;TZID=South:20261202T100000\nRRULE:FREQ=MONTHLY;COUNT=4")),
				method, southern, 1)))),
		conversation("descriptions-twice", "DESCRIPTION, LOCATION, URL and CLASS occur twice.").
			sends("paul", "REQUEST", event(meeting, "DESCRIPTION:Agenda\nDESCRIPTION:Dial-in\nLOCATION:Room 1\nLOCATION:Building 2\nURL:https://a.example/\nURL:https://b.example/\nCLASS:PUBLIC\nCLASS:PRIVATE")).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1")),
	}
}
