package main

// counters are counter-proposals and what becomes of them, and requests to be
// sent an event again.
func counters() []*builder {
	const (
		proposed = "ATTENDEE;PARTSTAT=TENTATIVE:@vincent\nDTSTART:20261203T130000Z\nDTEND:20261203T140000Z"
		other    = "ATTENDEE;PARTSTAT=TENTATIVE:@harvey\nDTSTART:20261204T130000Z\nDTEND:20261204T140000Z"
		second   = "RECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T150000Z\nDTEND:20261209T160000Z"
	)
	return []*builder{
		conversation("counter", "A counter-proposal, with offers switched off.").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "COUNTER", event(meeting, proposed)),

		conversation("counter-offer", "A counter-proposal records an offer that expires.").
			prefers("vincent", "freebusy_offers", "PT2H").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "COUNTER", event(meeting, proposed)),

		conversation("counter-offer-days", "An offer that stands for two days.").
			prefers("vincent", "freebusy_offers", "P2D").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "COUNTER", event(meeting, proposed)),

		conversation("counter-again", "Another counter-proposal replaces the offer.").
			prefers("vincent", "freebusy_offers", "P2D").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "COUNTER", event(meeting, proposed)).
			sends("vincent", "COUNTER", event(meeting, proposed, "DTSTART:20261205T130000Z\nDTEND:20261205T140000Z")),

		conversation("counter-two-events", "Offers for two events stand side by side.").
			prefers("vincent", "freebusy_offers", "P2D").
			receives("vincent", "paul", "REQUEST", event(three)).
			receives("vincent", "paul", "REQUEST", event(three, "UID:other")).
			sends("vincent", "COUNTER", event(meeting, proposed)).
			sends("vincent", "COUNTER", event(meeting, proposed, "UID:other")),

		conversation("counter-all-expired", "A counter-proposal when the only offer has expired.").
			prefers("vincent", "freebusy_offers", "PT2H").
			receives("vincent", "paul", "REQUEST", event(three)).
			receives("vincent", "paul", "REQUEST", event(three, "UID:other")).
			sends("vincent", "COUNTER", event(meeting, proposed)).
			at("2026-11-22 18:00:00").
			sends("vincent", "COUNTER", event(meeting, proposed, "UID:other")),

		conversation("counter-declining", "A counter-proposal by somebody who declines the event as it is.").
			prefers("vincent", "freebusy_offers", "PT2H").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "COUNTER", event(meeting, proposed, "ATTENDEE;PARTSTAT=DECLINED:@vincent")),

		conversation("counter-undecided", "Counter-proposals by somebody who does not say, delegates, or is not named.").
			prefers("vincent", "freebusy_offers", "PT2H").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "COUNTER", event(meeting, proposed, "ATTENDEE;PARTSTAT=NEEDS-ACTION:@vincent")).
			sends("vincent", "COUNTER", event(meeting, proposed, "ATTENDEE;PARTSTAT=DELEGATED:@vincent\nDTEND:20261203T150000Z")).
			sends("vincent", "COUNTER", event(meeting, proposed, "ATTENDEE;PARTSTAT=ACCEPTED:@harvey\nDTEND:20261203T160000Z")),

		conversation("counter-occurrence", "A counter-proposal for an occurrence.").
			prefers("vincent", "freebusy_offers", "P2D").
			receives("vincent", "paul", "REQUEST", event(three, weekly)).
			sends("vincent", "COUNTER", event(meeting, second, "ATTENDEE;PARTSTAT=TENTATIVE:@vincent")),

		conversation("counter-unknown", "A counter-proposal to an event that is not stored.").
			prefers("vincent", "freebusy_offers", "PT2H").
			sends("vincent", "COUNTER", event(meeting, proposed)),

		conversation("counter-then-reply", "A counter-proposal, and then the event as it is is accepted.").
			prefers("vincent", "freebusy_offers", "PT2H").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "COUNTER", event(meeting, proposed)).
			sends("vincent", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")),

		conversation("decline-counter", "The organizer declines the only counter-proposal.").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "COUNTER", event(meeting, proposed)).
			sends("paul", "DECLINECOUNTER", event(meeting)),

		conversation("decline-counter-one-of-two", "The organizer declines one of two counter-proposals, then the other.").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "COUNTER", event(meeting, proposed)).
			receives("paul", "harvey", "COUNTER", event(meeting, other)).
			sends("paul", "DECLINECOUNTER", event(meeting)).
			sends("paul", "DECLINECOUNTER", event(meeting, "ATTENDEE:@harvey")),

		conversation("decline-counter-stale", "An old DECLINECOUNTER changes nothing.").
			sends("paul", "REQUEST", event(three, "SEQUENCE:2")).
			receives("paul", "vincent", "COUNTER", event(meeting, proposed, "SEQUENCE:2")).
			sends("paul", "DECLINECOUNTER", event(meeting, "SEQUENCE:1")),

		conversation("decline-counter-occurrence", "The organizer declines a counter-proposal for a moved occurrence.").
			sends("paul", "REQUEST", event(three, weekly)).
			sends("paul", "REQUEST", event(three, second)).
			receives("paul", "vincent", "COUNTER", event(meeting, second, "ATTENDEE;PARTSTAT=TENTATIVE:@vincent\nDTSTART:20261209T170000Z\nDTEND:20261209T180000Z")).
			sends("paul", "DECLINECOUNTER", event(meeting, second)),

		conversation("decline-counter-none", "A DECLINECOUNTER when there is no counter-proposal.").
			sends("paul", "REQUEST", event(three)).
			sends("paul", "DECLINECOUNTER", event(meeting)),

		conversation("counter-accepted", "The organizer takes up a counter-proposal by sending the event with its times.").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "COUNTER", event(meeting, proposed)).
			sends("paul", "REQUEST", event(three, "SEQUENCE:1\nDTSTART:20261203T130000Z\nDTEND:20261203T140000Z")),

		conversation("counter-cancelled", "The event is cancelled while a counter-proposal stands.").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "COUNTER", event(meeting, proposed)).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1")),

		conversation("refresh", "REFRESH changes nothing, whether the event is stored or not.").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "REFRESH", event("UID:meeting\nORGANIZER:@paul\nATTENDEE:@vincent")).
			sends("vincent", "REFRESH", event("UID:other\nORGANIZER:@paul\nATTENDEE:@vincent")),
	}
}
