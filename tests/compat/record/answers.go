package main

// answers are replies as servers write them, which leave out what they may, and replies that
// say more than they may.
func answers() []*builder {
	const (
		reply    = "UID:meeting\nSEQUENCE:0\nORGANIZER:@paul"
		accepted = "ATTENDEE;PARTSTAT=ACCEPTED:@vincent"
		declined = "ATTENDEE;PARTSTAT=DECLINED:@vincent"
		series   = weekly + "\nRDATE:20261218T120000Z\nEXDATE:20261216T090000Z"
		start    = "DTSTART:20261202T090000Z"
		end      = "DTEND:20261202T100000Z"
	)
	return []*builder{
		conversation("answer-without-rule", "A series is accepted, and declined, by answers that have times and no rule, as SabreDAV writes them.").
			deviates("times-of-answers").
			receives("vincent", "paul", "REQUEST", event(three, series)).
			sends("vincent", "REPLY", event(reply, start, end, accepted)).
			sends("vincent", "REPLY", event(reply, start, end, declined)),

		conversation("answer-without-end", "An answer that has a beginning and no end.").
			deviates("times-of-answers").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "REPLY", event(reply, start, accepted)),

		conversation("answer-without-transparency", "An answer says nothing of the transparency that the event has, nor what it is called.").
			deviates("times-of-answers").
			receives("vincent", "paul", "REQUEST", event(three, "TRANSP:TRANSPARENT")).
			sends("vincent", "REPLY", event(reply, start, end, accepted)).
			sends("vincent", "REPLY", event(reply, start, end, accepted, "TRANSP:OPAQUE\nSUMMARY:Accepted: Project meeting")),

		conversation("answer-other-times", "An answer has other times than the event, which it does not move.").
			deviates("times-of-answers").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "REPLY", event(meeting, accepted, "DTSTART:20261203T140000Z\nDTEND:20261203T170000Z")),

		conversation("answer-later-version", "An answer to a version that has not come in: it says when the event begins, and what it leaves out is as before.").
			deviates("times-of-answers").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			sends("vincent", "REPLY", event(reply, accepted, "SEQUENCE:2\nDTSTART:20261203T140000Z")),

		conversation("answer-recurrence", "A moved occurrence is accepted by an answer with the times that it had before.").
			deviates("times-of-answers").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			receives("vincent", "paul", "REQUEST", event(three, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261210T140000Z\nDTEND:20261210T150000Z")).
			sends("vincent", "REPLY", event(reply, accepted, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T090000Z\nDTEND:20261209T100000Z")),

		conversation("answer-occurrence-without-times", "Occurrences that are not stored of their own are declined and accepted by answers without times.").
			deviates("reply-without-times").
			receives("vincent", "paul", "REQUEST", event(three, oslo, "-DTEND\nDURATION:PT90M\nTRANSP:TRANSPARENT", series)).
			sends("vincent", "REPLY", event(reply, accepted)).
			sends("vincent", "REPLY", event(reply, declined, "RECURRENCE-ID;TZID=Europe/Oslo:20261209T090000")).
			sends("vincent", "REPLY", event(reply, accepted, "RECURRENCE-ID:20261223T080000Z")).
			sends("vincent", "REPLY", event(reply, accepted, "RECURRENCE-ID:20261218T120000Z")),

		conversation("answer-occurrence-beginning", "An answer to an occurrence that says when it begins, and not when it ends.").
			deviates("reply-without-times").
			receives("vincent", "paul", "REQUEST", event(three, series)).
			sends("vincent", "REPLY", event(reply, accepted, "RECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T090000Z")),

		conversation("answer-day-without-times", "The same of an event of whole days, for a user east of UTC.").
			deviates("reply-without-times").
			prefers("vincent", "TZID", "Asia/Tokyo").
			receives("vincent", "paul", "REQUEST", event(three, allDay, weekly)).
			sends("vincent", "REPLY", event(reply, accepted)).
			sends("vincent", "REPLY", event(reply, declined, "RECURRENCE-ID;VALUE=DATE:20261209")).
			sends("vincent", "REPLY", event(reply, accepted, "RECURRENCE-ID;VALUE=DATE:20261216")),

		conversation("answer-no-occurrence", "An answer without times to what is no occurrence.").
			receives("vincent", "paul", "REQUEST", event(three, series)).
			sends("vincent", "REPLY", event(reply, accepted, "RECURRENCE-ID:20261210T090000Z")),

		conversation("answer-not-stored", "Answers to an event that is not stored, without times and with.").
			sends("vincent", "REPLY", event(reply, accepted)).
			sends("vincent", "REPLY", event(reply, declined, start, end)),

		conversation("answer-unreadable-times", "An answer has times that cannot be read, to an event that is stored.").
			deviates("reply-without-times").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "REPLY", event(reply, accepted, "DTSTART:soon\nDTEND:later")),

		conversation("decline-counter-without-times", "A DECLINECOUNTER without times.").
			deviates("decline-without-times").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "COUNTER", event(meeting, "ATTENDEE;PARTSTAT=TENTATIVE:@vincent\nDTSTART:20261203T130000Z\nDTEND:20261203T140000Z")).
			sends("paul", "DECLINECOUNTER", event("UID:meeting\nSEQUENCE:0\nORGANIZER:@paul\nATTENDEE:@vincent\nCOMMENT:No")),
	}
}
