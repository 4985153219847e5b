package main

// occurrences are single occurrences of recurring events that are changed,
// added or come in different disguises.
func occurrences() []*builder {
	const (
		second = "RECURRENCE-ID;TZID=Europe/Oslo:20261209T090000\n" +
			"DTSTART;TZID=Europe/Oslo:20261209T130000\nDTEND;TZID=Europe/Oslo:20261209T150000\nSUMMARY:Later that day"
		third = "RECURRENCE-ID;TZID=Europe/Oslo:20261216T090000\n" +
			"DTSTART;TZID=Europe/Oslo:20261217T090000\nDTEND;TZID=Europe/Oslo:20261217T100000\nSUMMARY:The day after"
	)
	series := event(meeting, oslo, weekly)
	return []*builder{
		conversation("occurrence-with-rule", "A changed occurrence, and an added one, still carry the rule of the series.").
			deviates("occurrences-with-rules").
			sends("paul", "REQUEST", event(meeting, weekly)).
			sends("paul", "REQUEST", event(meeting, weekly, "EXDATE:20261216T090000Z\nSEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261210T140000Z\nDTEND:20261210T150000Z")).
			sends("paul", "ADD", event(meeting, weekly, "SEQUENCE:2\nDTSTART:20261212T090000Z\nDTEND:20261212T100000Z")),

		conversation("occurrence-changed", "An occurrence is moved: its record replaces the one it stands for.").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(meeting, second, "SEQUENCE:1")),

		conversation("occurrence-changed-twice", "An occurrence is moved, and moved again.").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(meeting, second, "SEQUENCE:1")).
			sends("paul", "REQUEST", event(meeting, third, second, "SEQUENCE:2\nDTSTART;TZID=Europe/Oslo:20261210T090000\nDTEND;TZID=Europe/Oslo:20261210T100000")),

		conversation("occurrence-stale", "An old message for an occurrence changes nothing; versions of occurrences are their own.").
			sends("paul", "REQUEST", event(series, "SEQUENCE:5")).
			sends("paul", "REQUEST", event(meeting, second, "SEQUENCE:3")).
			sends("paul", "REQUEST", event(meeting, second, "SEQUENCE:2\nSUMMARY:Old")).
			sends("paul", "REQUEST", event(meeting, third, "SEQUENCE:1")),

		conversation("occurrences-then-whole", "The whole event sent again removes its separate recurrences.").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(meeting, second, "SEQUENCE:1")).
			sends("paul", "REQUEST", event(meeting, third, "SEQUENCE:1")).
			sends("paul", "REQUEST", event(series, "SEQUENCE:2\nSUMMARY:As planned")),

		conversation("occurrences-one-message", "A recurring event and two changed occurrences in one message.").
			sends("paul", "REQUEST", series, event(meeting, second), event(meeting, third)),

		conversation("occurrence-utc", "RECURRENCE-ID in UTC, of an event in UTC.").
			sends("paul", "REQUEST", event(meeting, weekly)).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261210T090000Z\nDTEND:20261210T100000Z")),

		conversation("occurrence-utc-of-zoned", "RECURRENCE-ID in UTC, of an event in a zone.").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(meeting, oslo, "SEQUENCE:1\nRECURRENCE-ID:20261209T080000Z\nDTSTART:20261210T090000Z\nDTEND:20261210T100000Z")),

		conversation("occurrence-floating", "A floating RECURRENCE-ID, of a floating event.").
			prefers("paul", "TZID", "Europe/Oslo").
			sends("paul", "REQUEST", event(meeting, floating, weekly)).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000\nDTSTART:20261210T090000\nDTEND:20261210T100000")),

		conversation("occurrence-all-day", "A RECURRENCE-ID that is a date, of an event of whole days.").
			sends("paul", "REQUEST", event(meeting, allDay, weekly)).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1\nRECURRENCE-ID;VALUE=DATE:20261209\nDTSTART;VALUE=DATE:20261211\nDTEND;VALUE=DATE:20261212")),

		conversation("occurrence-all-day-zone", "The same, in a zone that the user prefers.").
			prefers("paul", "TZID", "America/New_York").
			sends("paul", "REQUEST", event(meeting, allDay, weekly)).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1\nRECURRENCE-ID;VALUE=DATE:20261209\nDTSTART;VALUE=DATE:20261211\nDTEND;VALUE=DATE:20261212")),

		conversation("occurrence-without-parent", "An occurrence of an event that is not stored.").
			sends("paul", "REQUEST", event(meeting, second)),

		conversation("occurrence-then-parent", "The occurrence comes before the whole event.").
			sends("paul", "REQUEST", event(meeting, second)).
			sends("paul", "REQUEST", series),

		conversation("occurrence-not-of-rule", "A recurrence at a time that the rule does not give.").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(meeting, second, "RECURRENCE-ID;TZID=Europe/Oslo:20261210T090000")),

		conversation("occurrence-same-time", "An occurrence whose times stay the same.").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(meeting, second, `
				SEQUENCE:1
				DTSTART;TZID=Europe/Oslo:20261209T090000
				DTEND;TZID=Europe/Oslo:20261209T100000`)),

		conversation("occurrence-published", "A changed occurrence of a published event.").
			sends("paul", "PUBLISH", event(series, "-ATTENDEE")).
			sends("paul", "PUBLISH", event(meeting, second, "-ATTENDEE\nSEQUENCE:1")),

		conversation("occurrence-of-dates", "An occurrence that RDATE gave is moved.").
			sends("paul", "REQUEST", event(meeting, oslo, "RDATE;TZID=Europe/Oslo:20261209T090000")).
			sends("paul", "REQUEST", event(meeting, second, "SEQUENCE:1")),

		conversation("add", "ADD stores an occurrence, in a zone, and its record.").
			sends("paul", "REQUEST", series).
			sends("paul", "ADD", event(meeting, "SEQUENCE:1\nDTSTART;TZID=Europe/Oslo:20261212T090000\nDTEND;TZID=Europe/Oslo:20261212T110000")),

		conversation("add-utc", "ADD to an event in UTC that does not recur.").
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "ADD", event(meeting, "SEQUENCE:1\nDTSTART:20261212T090000Z\nDTEND:20261212T110000Z")),

		conversation("add-all-day", "ADD of a day.").
			sends("paul", "REQUEST", event(meeting, allDay, weekly)).
			sends("paul", "ADD", event(meeting, "SEQUENCE:1\nDTSTART;VALUE=DATE:20261212\nDTEND;VALUE=DATE:20261213")),

		conversation("add-without-parent", "ADD to an event that is not stored.").
			sends("paul", "ADD", event(meeting)),

		conversation("add-stale", "ADD is old against the whole event.").
			sends("paul", "REQUEST", event(series, "SEQUENCE:2")).
			sends("paul", "ADD", event(meeting, "SEQUENCE:1\nDTSTART;TZID=Europe/Oslo:20261212T090000\nDTEND;TZID=Europe/Oslo:20261212T110000")),

		conversation("add-twice", "The same ADD again, and one with other times of the same start.").
			sends("paul", "REQUEST", series).
			sends("paul", "ADD", event(meeting, "SEQUENCE:1\nDTSTART;TZID=Europe/Oslo:20261212T090000\nDTEND;TZID=Europe/Oslo:20261212T110000")).
			sends("paul", "ADD", event(meeting, "SEQUENCE:1\nDTSTART;TZID=Europe/Oslo:20261212T090000\nDTEND;TZID=Europe/Oslo:20261212T120000")),
	}
}
