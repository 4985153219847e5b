package main

// wholeEvents are invitations to events that happen once, and publications.
func wholeEvents() []*builder {
	return []*builder{
		conversation("request-utc", "An invitation to an event in UTC, by its organizer, who does not attend it.").
			sends("paul", "REQUEST", event(meeting)),

		conversation("request-zoned", "An invitation with times in a zone, by an organizer who prefers another one.").
			prefers("paul", "TZID", "America/New_York").
			sends("paul", "REQUEST", event(meeting, oslo)),

		conversation("request-floating", "An invitation with floating times, by an organizer without a TZID preference.").
			sends("paul", "REQUEST", event(meeting, floating)),

		conversation("request-floating-preferred-zone", "Floating times stand in the zone that the user prefers.").
			prefers("paul", "TZID", "Europe/Oslo").
			sends("paul", "REQUEST", event(meeting, floating)),

		conversation("request-all-day", "An event of two whole days, by an organizer without a TZID preference.").
			sends("paul", "REQUEST", event(meeting, allDay)),

		conversation("request-all-day-preferred-zone", "Days begin when they do in the zone that the user prefers.").
			prefers("paul", "TZID", "America/New_York").
			sends("paul", "REQUEST", event(meeting, allDay)),

		conversation("request-duration", "DURATION instead of DTEND: hours, in a zone.").
			sends("paul", "REQUEST", event(meeting, oslo, "-DTEND\nDURATION:PT1H30M")),

		conversation("request-duration-days", "DURATION in days, for a date.").
			prefers("paul", "TZID", "Europe/Oslo").
			sends("paul", "REQUEST", event(meeting, allDay, "-DTEND\nDURATION:P3D")),

		conversation("request-duration-weeks", "DURATION in weeks, and one of days and hours.").
			sends("paul", "REQUEST", event(meeting, "-DTEND\nDURATION:P1W")).
			sends("paul", "REQUEST", event(meeting, "UID:other\n-DTEND\nDURATION:P1DT2H3M4S")),

		conversation("request-end-other-zone", "DTSTART and DTEND in different zones.").
			sends("paul", "REQUEST", event(meeting, oslo, "DTEND;TZID=America/New_York:20261202T050000")),

		conversation("request-organizer-attends", "The organizer is an attendee who has accepted: the record is busy, not ORG.").
			sends("paul", "REQUEST", event(three)),

		conversation("request-organizer-undecided", "The organizer is an attendee who has not answered, or has no PARTSTAT.").
			sends("paul", "REQUEST", event(meeting, "ATTENDEE;PARTSTAT=NEEDS-ACTION:@paul\nATTENDEE:@vincent")).
			sends("paul", "REQUEST", event(meeting, "UID:other\nATTENDEE:@paul\nATTENDEE:@vincent")),

		conversation("request-organizer-declined", "The organizer is an attendee who has declined: it is recorded all the same.").
			sends("paul", "REQUEST", event(meeting, "ATTENDEE;PARTSTAT=DECLINED:@paul\nATTENDEE:@vincent")),

		conversation("request-transparent", "A transparent event: ORG for an organizer who does not attend, TRANSPARENT for one who does.").
			sends("paul", "REQUEST", event(meeting, "TRANSP:TRANSPARENT")).
			sends("paul", "REQUEST", event(three, "UID:other\nTRANSP:TRANSPARENT")).
			sends("paul", "REQUEST", event(three, "UID:opaque\nTRANSP:OPAQUE")),

		conversation("request-no-attendees", "An invitation to nobody.").
			sends("paul", "REQUEST", event(meeting, "-ATTENDEE")),

		conversation("request-no-summary", "An event without SUMMARY, and then without ORGANIZER.").
			sends("paul", "REQUEST", event(meeting, "-SUMMARY")).
			sends("paul", "REQUEST", event(meeting, "UID:other\n-ORGANIZER")),

		conversation("request-by-attendee", "A REQUEST passed on by an attendee.").
			deviates("forwarded-invitations").
			sends("vincent", "REQUEST", event(three)),

		conversation("request-past", "An event in the past, and one after the window: both are recorded.").
			sends("paul", "REQUEST", event(meeting, "DTSTART:20200102T090000Z\nDTEND:20200102T100000Z")).
			sends("paul", "REQUEST", event(meeting, "UID:later\nDTSTART:20300102T090000Z\nDTEND:20300102T100000Z")),

		conversation("publish-utc", "A published event, without attendees.").
			sends("paul", "PUBLISH", event(meeting, "-ATTENDEE")),

		conversation("publish-update", "A published event is published again with other times.").
			sends("paul", "PUBLISH", event(meeting, "-ATTENDEE")).
			sends("paul", "PUBLISH", event(meeting, oslo, "-ATTENDEE\nSEQUENCE:1")),

		conversation("request-order", "The records of several events are in order of start, end and UID.").
			sends("paul", "REQUEST", event(meeting, "UID:b")).
			sends("paul", "REQUEST", event(meeting, "UID:c\nDTEND:20261202T110000Z")).
			sends("paul", "REQUEST", event(meeting, "UID:a")).
			sends("paul", "REQUEST", event(meeting, "UID:0\nDTSTART:20261203T090000Z\nDTEND:20261203T100000Z")).
			sends("paul", "REQUEST", event(meeting, "UID:z\nDTSTART:20261201T090000Z\nDTEND:20261201T100000Z")).
			sends("paul", "REQUEST", event(meeting, "UID:é")).
			sends("paul", "REQUEST", event(meeting, "UID:Z")),

		conversation("request-gap", "Times in the hour that summer time skips, and in the one that it repeats.").
			sends("paul", "REQUEST", event(meeting,
				"DTSTART;TZID=Europe/Oslo:20270328T013000\nDTEND;TZID=Europe/Oslo:20270328T033000")).
			sends("paul", "REQUEST", event(meeting,
				"UID:twice\nDTSTART;TZID=Europe/Oslo:20271031T013000\nDTEND;TZID=Europe/Oslo:20271031T033000")),
	}
}

// versions are messages that come late, twice or without saying their version.
func versions() []*builder {
	moved := "DTSTART:20261203T140000Z\nDTEND:20261203T150000Z\nSUMMARY:Moved"
	return []*builder{
		conversation("update-sequence", "A later SEQUENCE replaces the event and its record.").
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "REQUEST", event(meeting, moved, "SEQUENCE:1")),

		conversation("update-same-sequence", "The same SEQUENCE with a later DTSTAMP replaces the event.").
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "REQUEST", event(meeting, moved)),

		conversation("repeated", "The very same message again changes nothing.").
			sends("paul", "REQUEST", event(meeting, "DTSTAMP:20261120T120000Z")).
			sends("paul", "REQUEST", event(meeting, "DTSTAMP:20261120T120000Z")),

		conversation("same-version-other-content", "The same SEQUENCE and DTSTAMP with other content is not old.").
			sends("paul", "REQUEST", event(meeting, "DTSTAMP:20261120T120000Z")).
			sends("paul", "REQUEST", event(meeting, moved, "DTSTAMP:20261120T120000Z")),

		conversation("stale-sequence", "A lower SEQUENCE is old, whatever its DTSTAMP.").
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:2\nDTSTAMP:20261120T120000Z")).
			sends("paul", "REQUEST", event(meeting, moved, "SEQUENCE:1\nDTSTAMP:20261121T120000Z")),

		conversation("stale-stamp", "The same SEQUENCE with an earlier DTSTAMP is old.").
			sends("paul", "REQUEST", event(meeting, "DTSTAMP:20261120T120000Z")).
			sends("paul", "REQUEST", event(meeting, moved, "DTSTAMP:20261119T120000Z")),

		conversation("later-sequence-earlier-stamp", "A later SEQUENCE counts even if its DTSTAMP is earlier.").
			sends("paul", "REQUEST", event(meeting, "DTSTAMP:20261120T120000Z")).
			sends("paul", "REQUEST", event(meeting, moved, "SEQUENCE:1\nDTSTAMP:20261119T120000Z")),

		conversation("sequence-as-number", "SEQUENCE is compared as a number.").
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:9\nDTSTAMP:20261120T120000Z")).
			sends("paul", "REQUEST", event(meeting, moved, "SEQUENCE:10\nDTSTAMP:20261120T120000Z")),

		conversation("no-sequence", "Without SEQUENCE in the message nothing is old.").
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:3\nDTSTAMP:20261120T120000Z")).
			sends("paul", "REQUEST", event(meeting, moved, "-SEQUENCE\nDTSTAMP:20261119T120000Z")),

		conversation("no-sequence-stored", "Without SEQUENCE in the stored object nothing is old.").
			sends("paul", "REQUEST", event(meeting, "-SEQUENCE\nDTSTAMP:20261120T120000Z")).
			sends("paul", "REQUEST", event(meeting, moved, "SEQUENCE:0\nDTSTAMP:20261119T120000Z")),

		conversation("no-stamp", "The same SEQUENCE without DTSTAMP is old, where the stored object has one.").
			sends("paul", "REQUEST", event(meeting, "DTSTAMP:20261120T120000Z")).
			sends("paul", "REQUEST", event(meeting, moved, "-DTSTAMP")),

		conversation("no-stamp-stored", "The same SEQUENCE with a DTSTAMP is not old, where the stored object has none.").
			sends("paul", "REQUEST", event(meeting, "-DTSTAMP")).
			sends("paul", "REQUEST", event(meeting, moved, "DTSTAMP:20261119T120000Z")),

		conversation("no-stamp-at-all", "The same SEQUENCE, and DTSTAMP in neither.").
			sends("paul", "REQUEST", event(meeting, "-DTSTAMP")).
			sends("paul", "REQUEST", event(meeting, moved, "-DTSTAMP")),

		conversation("publish-stale", "An old publication changes nothing.").
			sends("paul", "PUBLISH", event(meeting, "SEQUENCE:2\n-ATTENDEE")).
			sends("paul", "PUBLISH", event(meeting, moved, "SEQUENCE:1\n-ATTENDEE")),
	}
}
