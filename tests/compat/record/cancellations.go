package main

// cancellations are events, occurrences and attendees that are called off, and
// events that come back.
func cancellations() []*builder {
	const (
		first  = "RECURRENCE-ID;TZID=Europe/Oslo:20261209T090000\nDTSTART;TZID=Europe/Oslo:20261209T090000\nDTEND;TZID=Europe/Oslo:20261209T100000"
		second = "RECURRENCE-ID;TZID=Europe/Oslo:20261216T090000\nDTSTART;TZID=Europe/Oslo:20261216T130000\nDTEND;TZID=Europe/Oslo:20261216T140000"
	)
	series := event(meeting, oslo, weekly)
	trio := event(three, oslo, weekly)
	return []*builder{
		conversation("cancel-whole", "An event is cancelled for all its attendees.").
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1")),

		conversation("cancel-minimal", "A CANCEL with no more than it needs.").
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "CANCEL", event("UID:meeting\nSEQUENCE:1\nORGANIZER:@paul\nATTENDEE:@vincent\nSTATUS:CANCELLED")),

		conversation("cancel-organizer-attends", "All attendees are named, the organizer among them.").
			sends("paul", "REQUEST", event(three)).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1")),

		conversation("cancel-attendee", "One attendee of three is taken out.").
			sends("paul", "REQUEST", event(three)).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1\nATTENDEE:@harvey")),

		conversation("cancel-attendees-by-and-by", "One attendee is taken out after the other.").
			sends("paul", "REQUEST", event(three)).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1\nATTENDEE:@harvey")).
			sends("paul", "CANCEL", event(three, "SEQUENCE:2\nATTENDEE:@vincent")).
			sends("paul", "CANCEL", event(three, "SEQUENCE:3\nATTENDEE:@paul")),

		conversation("cancel-self", "The user is among the attendees taken out.").
			sends("paul", "REQUEST", event(three)).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1\nATTENDEE:@paul")),

		conversation("cancel-stranger", "An attendee is taken out who is not one.").
			sends("paul", "REQUEST", event(three)).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1\nATTENDEE:@simon")),

		conversation("cancel-unknown", "Something is cancelled that is not stored.").
			sends("paul", "CANCEL", event(meeting)),

		conversation("cancel-stale", "A CANCEL that is older than the event.").
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:2")).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1")),

		conversation("cancel-same-sequence", "A CANCEL with the SEQUENCE of the event and a later DTSTAMP.").
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "CANCEL", event(meeting)),

		conversation("cancel-again", "The same event is cancelled twice.").
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1")).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1")),

		conversation("cancel-recurring", "A recurring event is cancelled as a whole.").
			sends("paul", "REQUEST", series).
			sends("paul", "CANCEL", event(series, "SEQUENCE:1")),

		conversation("cancel-recurring-with-recurrences", "A recurring event with a moved occurrence is cancelled as a whole.").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(meeting, second, "SEQUENCE:1")).
			sends("paul", "CANCEL", event(series, "SEQUENCE:2")),

		conversation("cancel-occurrence", "An occurrence that is not stored of its own is cancelled.").
			sends("paul", "REQUEST", series).
			sends("paul", "CANCEL", event(meeting, first, "SEQUENCE:1")),

		conversation("cancel-occurrence-minimal", "The same with no more than it needs.").
			sends("paul", "REQUEST", series).
			sends("paul", "CANCEL", event("UID:meeting\nSEQUENCE:1\nORGANIZER:@paul\nATTENDEE:@vincent\nRECURRENCE-ID;TZID=Europe/Oslo:20261209T090000")),

		conversation("cancel-occurrence-moved", "An occurrence that was moved is cancelled.").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(meeting, second, "SEQUENCE:1")).
			sends("paul", "CANCEL", event(meeting, second, "SEQUENCE:2")),

		conversation("cancel-occurrence-attendee", "An attendee is taken out of an occurrence that is not stored of its own.").
			sends("paul", "REQUEST", trio).
			sends("paul", "CANCEL", event(three, first, "SEQUENCE:1\nATTENDEE:@harvey")),

		conversation("cancel-occurrence-attendee-again", "The same twice: the second time it is the whole occurrence, since it is stored as the CANCEL describes it.").
			sends("paul", "REQUEST", trio).
			sends("paul", "CANCEL", event(three, first, "SEQUENCE:1\nATTENDEE:@harvey")).
			sends("paul", "CANCEL", event(three, first, "SEQUENCE:1\nATTENDEE:@harvey")),

		conversation("cancel-moved-occurrence-attendee", "An attendee is taken out of an occurrence that was moved.").
			sends("paul", "REQUEST", trio).
			sends("paul", "REQUEST", event(three, second, "SEQUENCE:1")).
			sends("paul", "CANCEL", event(three, second, "SEQUENCE:2\nATTENDEE:@harvey")),

		conversation("cancel-occurrence-utc", "An occurrence in UTC is cancelled.").
			sends("paul", "REQUEST", event(meeting, weekly)).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T090000Z\nDTEND:20261209T100000Z")),

		conversation("cancel-occurrence-all-day", "A day of an event of whole days is cancelled.").
			prefers("paul", "TZID", "America/New_York").
			sends("paul", "REQUEST", event(meeting, allDay, weekly)).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1\nRECURRENCE-ID;VALUE=DATE:20261209\nDTSTART;VALUE=DATE:20261209\nDTEND;VALUE=DATE:20261211")),

		conversation("cancel-occurrence-floating", "An occurrence of a floating event is cancelled.").
			prefers("paul", "TZID", "America/New_York").
			sends("paul", "REQUEST", event(meeting, floating, weekly)).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000\nDTSTART:20261209T090000\nDTEND:20261209T100000")),

		conversation("cancel-occurrence-then-whole", "An occurrence is cancelled, then the event.").
			sends("paul", "REQUEST", series).
			sends("paul", "CANCEL", event(meeting, first, "SEQUENCE:1")).
			sends("paul", "CANCEL", event(series, "SEQUENCE:2")),

		conversation("cancel-occurrence-then-update", "An occurrence is cancelled, then the whole event is sent again: all occurrences are back.").
			sends("paul", "REQUEST", series).
			sends("paul", "CANCEL", event(meeting, first, "SEQUENCE:1")).
			sends("paul", "REQUEST", event(series, "SEQUENCE:2")),

		conversation("reinstate", "A cancelled event is sent again.").
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1")).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:2")),

		conversation("reinstate-old", "A cancelled event is sent again with the SEQUENCE it had: it is older than what has called it off.").
			deviates("older-than-cancelled").
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1")).
			sends("paul", "REQUEST", event(meeting)),

		conversation("reinstate-occurrence", "A cancelled occurrence is sent again.").
			sends("paul", "REQUEST", series).
			sends("paul", "CANCEL", event(meeting, first, "SEQUENCE:1")).
			sends("paul", "REQUEST", event(meeting, first, "SEQUENCE:2")),

		conversation("reinstate-with-recurrences", "A recurring event is cancelled with a moved and a cancelled occurrence, and sent again.").
			sends("paul", "REQUEST", series).
			sends("paul", "REQUEST", event(meeting, second, "SEQUENCE:1")).
			sends("paul", "CANCEL", event(meeting, first, "SEQUENCE:1")).
			sends("paul", "CANCEL", event(series, "SEQUENCE:2")).
			sends("paul", "REQUEST", event(series, "SEQUENCE:3")),

		conversation("cancel-add", "An added occurrence is cancelled, and added again.").
			sends("paul", "REQUEST", series).
			sends("paul", "ADD", event(meeting, "SEQUENCE:1\nDTSTART;TZID=Europe/Oslo:20261212T090000\nDTEND;TZID=Europe/Oslo:20261212T110000")).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:2\nRECURRENCE-ID;TZID=Europe/Oslo:20261212T090000\nDTSTART;TZID=Europe/Oslo:20261212T090000\nDTEND;TZID=Europe/Oslo:20261212T110000")).
			sends("paul", "ADD", event(meeting, "SEQUENCE:3\nDTSTART;TZID=Europe/Oslo:20261212T090000\nDTEND;TZID=Europe/Oslo:20261212T110000")),

		conversation("cancel-other-freebusy", "A cancelled event leaves what is known of its attendees.").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")).
			receives("paul", "harvey", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@harvey")).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1\nATTENDEE;PARTSTAT=ACCEPTED:@harvey\nATTENDEE;PARTSTAT=ACCEPTED:@vincent\nATTENDEE;PARTSTAT=ACCEPTED:@paul")),

		conversation("cancel-self-others-known", "The user takes themself out of an event whose other attendees' free/busy is known.").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1\nATTENDEE;PARTSTAT=ACCEPTED:@paul")),

		conversation("cancel-attendee-known", "An attendee is taken out whose free/busy is known.").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1\nATTENDEE;PARTSTAT=ACCEPTED:@vincent")),

		conversation("cancel-attendee-not-taking-part", "A cancelled event stays in the free/busy of an attendee whom the CANCEL names as undecided.").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1")),

		conversation("cancel-occurrence-other-freebusy", "A cancelled occurrence leaves what is known of its attendees.").
			sends("paul", "REQUEST", event(three, weekly)).
			receives("paul", "vincent", "REPLY", event(meeting, weekly, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nATTENDEE;PARTSTAT=ACCEPTED:@vincent\nATTENDEE:@harvey\nATTENDEE:@paul")),

		conversation("cancel-uninvited-known", "A CANCEL of the whole event names somebody who is not invited any more: what is known of them stays.").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "harvey", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@harvey")).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1")).
			sends("paul", "CANCEL", event(three, "SEQUENCE:2\nATTENDEE;PARTSTAT=ACCEPTED:@harvey\nATTENDEE;PARTSTAT=ACCEPTED:@vincent")),

		conversation("cancel-organizer-known", "An attendee takes themself out of an occurrence: it goes from what is known of the organizer.").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			sends("vincent", "CANCEL", event(meeting, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nATTENDEE:@vincent")),

		conversation("cancel-organizer-undecided", "Whether the organizer takes part is what the stored event says, not the CANCEL.").
			receives("vincent", "paul", "REQUEST", event(three)).
			receives("vincent", "paul", "REQUEST", event(three, "SEQUENCE:1\nATTENDEE;PARTSTAT=NEEDS-ACTION:@paul\nATTENDEE:@vincent\nATTENDEE:@harvey")).
			sends("vincent", "CANCEL", event(meeting, "SEQUENCE:2\nATTENDEE;PARTSTAT=ACCEPTED:@paul")).
			sends("vincent", "CANCEL", event(meeting, "SEQUENCE:3\nATTENDEE;PARTSTAT=ACCEPTED:@paul\nATTENDEE;PARTSTAT=ACCEPTED:@vincent\nATTENDEE;PARTSTAT=ACCEPTED:@harvey")),

		conversation("cancel-no-sequence", "A CANCEL without SEQUENCE and DTSTAMP: the stored event loses them.").
			sends("paul", "REQUEST", event(three)).
			sends("paul", "CANCEL", event(three, "-SEQUENCE\n-DTSTAMP\nATTENDEE:@harvey")),

		conversation("cancel-self-forever", "The user takes themself out of an event without end, which is noted as such.").
			has("paul", "freebusy-providers", "20261122T000000Z\n").
			sends("paul", "REQUEST", event(three, oslo, "RRULE:FREQ=WEEKLY")).
			sends("paul", "CANCEL", event(three, oslo, "RRULE:FREQ=WEEKLY\nSEQUENCE:1\nATTENDEE:@paul")),

		conversation("cancel-by-attendee", "A CANCEL sent on by an attendee, who knows the organizer's free/busy.").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "CANCEL", event(three, "SEQUENCE:1")),
	}
}
