package main

// replies are what attendees answer.
func replies() []*builder {
	const (
		accepted = "ATTENDEE;PARTSTAT=ACCEPTED:@vincent"
		declined = "ATTENDEE;PARTSTAT=DECLINED:@vincent"
		second   = "RECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T090000Z\nDTEND:20261209T100000Z"
		moved    = "RECURRENCE-ID:20261209T090000Z\nDTSTART:20261210T140000Z\nDTEND:20261210T150000Z"
	)
	// answer is a conversation in which Vincent is invited and replies.
	answer := func(name, about string, reply ...any) *builder {
		return conversation("reply-"+name, about).
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "REPLY", event(append([]any{meeting}, reply...)...))
	}
	return []*builder{
		answer("accept", "An invitation is accepted: the record appears, the request leaves the queue.", accepted),
		answer("decline", "An invitation is declined.", declined),
		answer("tentative", "An invitation is accepted tentatively.", "ATTENDEE;PARTSTAT=TENTATIVE:@vincent"),
		answer("undecided", "A reply that says NEEDS-ACTION leaves the request in the queue.", "ATTENDEE;PARTSTAT=NEEDS-ACTION:@vincent"),
		answer("no-partstat", "A reply without PARTSTAT.", "ATTENDEE:@vincent"),
		answer("params", "The reply's parameters replace the stored ones, and what it calls the event counts for free/busy.",
			`ATTENDEE;PARTSTAT=ACCEPTED;CN="V. Vole";X-NOTE=maybe;LANGUAGE=no:@vincent`, "SUMMARY:Renamed\nCOMMENT:Fine"),
		answer("transparent", "The reply's TRANSP counts for free/busy.", accepted, "TRANSP:TRANSPARENT"),
		answer("old-sequence", "A reply with a lower SEQUENCE than the stored object is old.", accepted, "SEQUENCE:-1"),
		answer("old-stamp", "A reply with an earlier DTSTAMP is not old for free/busy, but its participation is not merged.",
			accepted, "DTSTAMP:20261101T120000Z"),
		answer("for-others", "A reply that names others too: only the sender's own answer counts.",
			accepted, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent\nATTENDEE;PARTSTAT=DECLINED:@harvey"),
		answer("stranger", "A reply in which somebody is named who was not invited.", "ATTENDEE;PARTSTAT=ACCEPTED:@simon"),

		conversation("reply-unknown", "A reply to an event that is not stored.").
			sends("vincent", "REPLY", event(meeting, accepted)),

		conversation("reply-not-invited", "Somebody who was not invited replies to an event that is stored.").
			receives("harvey", "paul", "REQUEST", event(three)).
			sends("harvey", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@simon")),

		conversation("reply-change-of-mind", "Accepted, then declined, then accepted.").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "REPLY", event(meeting, accepted)).
			sends("vincent", "REPLY", event(meeting, declined)).
			sends("vincent", "REPLY", event(meeting, accepted)),

		conversation("reply-several-attendees", "Several attendees reply, each with records of their own; the organizer gets the replies.").
			sends("paul", "REQUEST", event(three)).
			receives("vincent", "paul", "REQUEST", event(three)).
			receives("harvey", "paul", "REQUEST", event(three)).
			sends("vincent", "REPLY", event(meeting, accepted)).
			receives("paul", "vincent", "REPLY", event(meeting, accepted)).
			sends("harvey", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=DECLINED:@harvey")).
			receives("paul", "harvey", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=DECLINED:@harvey")),

		conversation("reply-update-reply", "Accepted; then an update comes in; accepted again.").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "REPLY", event(meeting, accepted)).
			receives("vincent", "paul", "REQUEST", event(three, "SEQUENCE:1\nDTSTART:20261203T090000Z\nDTEND:20261203T100000Z")).
			sends("vincent", "REPLY", event(meeting, accepted, "SEQUENCE:1\nDTSTART:20261203T090000Z\nDTEND:20261203T100000Z")),

		conversation("reply-stored-by-request", "A reply to an object that the user's own REQUEST stored.").
			sends("vincent", "REQUEST", event(three, "ORGANIZER:@vincent")).
			sends("vincent", "REPLY", event(meeting, accepted, "ORGANIZER:@vincent")).
			sends("vincent", "REPLY", event(meeting, declined, "ORGANIZER:@vincent")),

		conversation("reply-sent-by", "Simon replies for Vincent: SENT-BY makes him the sender.").
			deviates("lost-mail").
			receives("simon", "paul", "REQUEST", event(three)).
			sends("simon", "REPLY", event(meeting, `ATTENDEE;PARTSTAT=ACCEPTED;SENT-BY="@simon":@vincent`)),

		conversation("reply-delegate", "Vincent delegates to Simon.").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "REPLY", event(meeting, `
				ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="@simon":@vincent
				ATTENDEE;PARTSTAT=NEEDS-ACTION;DELEGATED-FROM="@vincent":@simon`)),

		conversation("reply-delegate-in-calendar", "Vincent's REQUEST hands the event to Simon, who accepts.").
			deviates("forwarded-invitations").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "REQUEST", event(three, `
				ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="@simon":@vincent
				ATTENDEE;PARTSTAT=NEEDS-ACTION;DELEGATED-FROM="@vincent":@simon
				ATTENDEE;PARTSTAT=ACCEPTED:@paul`)).
			receives("simon", "vincent", "REQUEST", event(three, `
				ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="@simon":@vincent
				ATTENDEE;PARTSTAT=NEEDS-ACTION;DELEGATED-FROM="@vincent":@simon
				ATTENDEE;PARTSTAT=ACCEPTED:@paul`)).
			sends("simon", "REPLY", event(meeting, `
				ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="@simon":@vincent
				ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-FROM="@vincent":@simon`)),

		conversation("reply-recurring", "A recurring event is accepted, then declined.").
			receives("vincent", "paul", "REQUEST", event(three, oslo, weekly)).
			sends("vincent", "REPLY", event(meeting, oslo, weekly, accepted)).
			sends("vincent", "REPLY", event(meeting, oslo, weekly, declined)),

		conversation("reply-recurring-forever", "A recurring event without end is accepted; the rule is in the reply.").
			receives("vincent", "paul", "REQUEST", event(three, oslo, "RRULE:FREQ=WEEKLY")).
			sends("vincent", "REPLY", event(meeting, oslo, "RRULE:FREQ=WEEKLY", accepted)),

		conversation("reply-recurrence", "A moved occurrence is accepted, after the whole event.").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			sends("vincent", "REPLY", event(meeting, weekly, accepted)).
			receives("vincent", "paul", "REQUEST", event(three, moved, "SEQUENCE:1")).
			sends("vincent", "REPLY", event(meeting, moved, accepted, "SEQUENCE:1")),

		conversation("reply-recurrence-declined", "A moved occurrence is declined, after the whole event was accepted.").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			sends("vincent", "REPLY", event(meeting, weekly, accepted)).
			receives("vincent", "paul", "REQUEST", event(three, moved, "SEQUENCE:1")).
			sends("vincent", "REPLY", event(meeting, moved, declined, "SEQUENCE:1")),

		conversation("reply-recurrence-keeps", "The whole event is accepted again: the record of the moved occurrence stays.").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			receives("vincent", "paul", "REQUEST", event(three, moved, "SEQUENCE:1")).
			sends("vincent", "REPLY", event(meeting, moved, accepted, "SEQUENCE:1")).
			sends("vincent", "REPLY", event(meeting, weekly, accepted)).
			sends("vincent", "REPLY", event(meeting, weekly, declined)),

		conversation("reply-new-occurrence", "An occurrence that is not stored of its own is declined: it becomes a recurrence.").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			sends("vincent", "REPLY", event(meeting, weekly, accepted)).
			sends("vincent", "REPLY", event(meeting, second, declined)),

		conversation("reply-new-occurrence-accepted", "An occurrence that is not stored of its own is accepted, of an event that was not.").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			sends("vincent", "REPLY", event(meeting, second, accepted)),

		conversation("reply-new-occurrence-newyork", "The same, of an event in a zone west of UTC.").
			receives("vincent", "paul", "REQUEST", event(three, newYork, weekly)).
			sends("vincent", "REPLY", event(meeting, newYork, weekly, accepted)).
			sends("vincent", "REPLY", event(meeting, declined, `
				RECURRENCE-ID;TZID=America/New_York:20261209T090000
				DTSTART;TZID=America/New_York:20261209T090000
				DTEND;TZID=America/New_York:20261209T100000`)),

		conversation("reply-no-occurrence", "A reply for a time that is no occurrence.").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			sends("vincent", "REPLY", event(meeting, second, declined, "RECURRENCE-ID:20261210T090000Z")),

		conversation("reply-cancelled-occurrence", "A reply for an occurrence that is cancelled.").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			sends("vincent", "CANCEL", event(three, second, "SEQUENCE:1")).
			sends("vincent", "REPLY", event(meeting, second, accepted, "SEQUENCE:1")),

		conversation("reply-organizer", "The organizer replies to the event that is their own.").
			sends("paul", "REQUEST", event(meeting, "ATTENDEE;PARTSTAT=NEEDS-ACTION:@paul\nATTENDEE;PARTSTAT=NEEDS-ACTION:@vincent")).
			sends("paul", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@paul")),

		conversation("reply-all-day", "An event of whole days is accepted, in a zone that the user prefers.").
			prefers("vincent", "TZID", "Asia/Tokyo").
			receives("vincent", "paul", "REQUEST", event(three, allDay)).
			sends("vincent", "REPLY", event(meeting, allDay, accepted)),
	}
}
