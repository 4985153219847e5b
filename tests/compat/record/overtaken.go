package main

// overtaken are messages that come after a later one about the same event, and events that
// are called off by their STATUS.
func overtaken() []*builder {
	const (
		first  = "RECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T090000Z\nDTEND:20261209T100000Z"
		moved  = "RECURRENCE-ID:20261209T090000Z\nDTSTART:20261210T140000Z\nDTEND:20261210T150000Z"
		off    = "UID:meeting\nSEQUENCE:1\nSTATUS:CANCELLED\nORGANIZER:@paul\nATTENDEE:@vincent"
		series = three + "\n" + weekly
	)
	return []*builder{
		conversation("overtaken-invitation", "An event is called off before the invitation, which was deferred, comes; then a new one comes.").
			deviates("cancel-before-invitation").
			sends("paul", "CANCEL", event(off, "-ATTENDEE")).
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:2")),

		conversation("overtaken-status", "The same, called off for those who are named, with STATUS:CANCELLED; and once more.").
			deviates("cancel-before-invitation").
			sends("paul", "CANCEL", event(off)).
			sends("paul", "CANCEL", event(off, "SEQUENCE:2")).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1")),

		conversation("overtaken-attendees", "Attendees are called off before the invitation comes: whether that is all of them is not known.").
			sends("paul", "CANCEL", event(off, "-STATUS")).
			sends("paul", "REQUEST", event(meeting)),

		conversation("overtaken-series", "An occurrence is called off before the series comes; then the series is sent again.").
			deviates("cancel-before-invitation").
			sends("paul", "CANCEL", event(off, "RECURRENCE-ID:20261209T090000Z")).
			sends("paul", "REQUEST", event(series)).
			sends("paul", "REQUEST", event(series, "SEQUENCE:2")),

		conversation("overtaken-alone", "An occurrence comes before its series, which is then called off.").
			deviates("cancel-before-invitation").
			sends("paul", "REQUEST", event(three, moved)).
			sends("paul", "CANCEL", event(off)),

		conversation("overtaken-occurrence", "An occurrence that was moved before the series was called off.").
			deviates("older-than-cancelled").
			sends("paul", "REQUEST", event(series)).
			sends("paul", "CANCEL", event(series, "SEQUENCE:2")).
			sends("paul", "REQUEST", event(three, moved, "SEQUENCE:1")),

		conversation("overtaken-change", "An occurrence that was moved before it was called off.").
			deviates("older-than-cancelled").
			sends("paul", "REQUEST", event(series)).
			sends("paul", "CANCEL", event(three, first, "SEQUENCE:2")).
			sends("paul", "REQUEST", event(three, moved, "SEQUENCE:1")),

		conversation("overtaken-addition", "An occurrence that was added before it was called off.").
			deviates("older-than-cancelled").
			sends("paul", "REQUEST", event(series)).
			sends("paul", "CANCEL", event(three, first, "SEQUENCE:2")).
			sends("paul", "ADD", event(three, "SEQUENCE:1\nDTSTART:20261209T090000Z\nDTEND:20261209T100000Z")),

		conversation("overtaken-answer", "An answer to what has been called off meanwhile.").
			deviates("older-than-cancelled").
			sends("vincent", "REQUEST", event(meeting, "ORGANIZER:@vincent\nATTENDEE:@paul\nATTENDEE;PARTSTAT=ACCEPTED:@vincent")).
			sends("vincent", "CANCEL", event(meeting, "SEQUENCE:1\nORGANIZER:@vincent\nATTENDEE:@paul\nATTENDEE:@vincent")).
			sends("vincent", "REPLY", event(meeting, "ORGANIZER:@vincent\nATTENDEE;PARTSTAT=ACCEPTED:@vincent")),

		conversation("status-cancelled", "An invitation says that the event does not take place.").
			deviates("status-cancelled").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")).
			sends("paul", "REQUEST", event(three, "SEQUENCE:1\nSTATUS:CANCELLED")),

		conversation("status-cancelled-published", "A publication says that the event does not take place, before the event was known and after.").
			deviates("status-cancelled").
			sends("paul", "PUBLISH", event(meeting, "-ATTENDEE\nUID:unknown\nSTATUS:CANCELLED")).
			sends("paul", "PUBLISH", event(meeting, "-ATTENDEE")).
			sends("paul", "PUBLISH", event(meeting, "-ATTENDEE\nSEQUENCE:1\nSTATUS:CANCELLED")),

		conversation("status-cancelled-occurrence", "A series is sent with an occurrence that does not take place.").
			deviates("status-cancelled").
			sends("paul", "REQUEST", event(series)).
			sends("paul", "REQUEST", event(series, "SEQUENCE:1"), event(three, first, "SEQUENCE:1\nSTATUS:CANCELLED")),

		conversation("status-cancelled-addition", "An occurrence is added that does not take place.").
			deviates("status-cancelled").
			sends("paul", "REQUEST", event(series)).
			sends("paul", "ADD", event(three, "SEQUENCE:1\nDTSTART:20261212T090000Z\nDTEND:20261212T100000Z")).
			sends("paul", "ADD", event(three, "SEQUENCE:2\nDTSTART:20261212T090000Z\nDTEND:20261212T100000Z\nSTATUS:CANCELLED")),
	}
}
