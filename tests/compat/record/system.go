package main

// system is about users' settings, mail that the calendar system itself sends,
// and events without end.
func system() []*builder {
	const (
		accepted  = "ATTENDEE;PARTSTAT=ACCEPTED:@vincent"
		forever   = "RRULE:FREQ=WEEKLY"
		providers = "20261122T000000Z\n"
	)
	shared := func(b *builder) *builder {
		return b.prefers("paul", "freebusy_sharing", "share").prefers("paul", "freebusy_publishing", "publish")
	}
	return []*builder{
		conversation("recipient-another", "A copy of vincent's mail whose From field says that it is paul's.").deviates("recipient-decides").
			sends("paul", "REQUEST", event(meeting)).copied("vincent"),
		conversation("recipient-own", "A copy of paul's mail, by the address that was made for it.").
			sends("paul", "REQUEST", event(meeting)).copied("paul"),

		conversation("calendar-request", "The calendar system sends an invitation: the organizer is the user.").
			sends("calendar", "REQUEST", event(meeting)),

		conversation("calendar-publish-add-cancel", "The calendar system publishes an event, adds to it and cancels it.").
			sends("calendar", "PUBLISH", event(meeting, "-ATTENDEE")).
			sends("calendar", "ADD", event(meeting, "-ATTENDEE\nSEQUENCE:1\nDTSTART:20261212T090000Z\nDTEND:20261212T110000Z")).
			sends("calendar", "CANCEL", event(meeting, "SEQUENCE:2")),

		conversation("calendar-cancel", "The calendar system cancels an event for its organizer.").
			sends("paul", "REQUEST", event(meeting)).
			sends("calendar", "CANCEL", event(meeting, `ORGANIZER;SENT-BY="@calendar":@paul`, "SEQUENCE:1")),

		conversation("calendar-decline-counter", "The calendar system declines a counter-proposal for the organizer.").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "COUNTER", event(meeting, "ATTENDEE;PARTSTAT=TENTATIVE:@vincent\nDTSTART:20261203T130000Z\nDTEND:20261203T140000Z")).
			sends("calendar", "DECLINECOUNTER", event(meeting)),

		conversation("calendar-reply", "The calendar system replies for an attendee: SENT-BY says for whom.").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("calendar", "REPLY", event(meeting, `ATTENDEE;PARTSTAT=ACCEPTED;SENT-BY="@calendar":@vincent`)),

		conversation("calendar-reply-others", "The calendar system replies for an attendee and, without saying so, for another; and an attendee together with the calendar system.").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("calendar", "REPLY", event(meeting, `
				ATTENDEE;PARTSTAT=ACCEPTED;SENT-BY="@calendar":@vincent
				ATTENDEE;PARTSTAT=TENTATIVE:@harvey`)).
			sends("vincent.vole@example.com, calendar@example.com", "REPLY", event(meeting, `
				ATTENDEE;PARTSTAT=DECLINED:@vincent
				ATTENDEE;PARTSTAT=ACCEPTED;SENT-BY="@calendar":@harvey`)),

		conversation("calendar-reply-nobody", "The calendar system sends a reply in which nobody is SENT-BY it.").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("calendar", "REPLY", event(meeting, accepted)),

		conversation("calendar-counter-refresh", "The calendar system makes a counter-proposal and asks for the event again.").
			prefers("vincent", "freebusy_offers", "PT2H").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("calendar", "COUNTER", event(meeting, `ATTENDEE;PARTSTAT=TENTATIVE;SENT-BY="@calendar":@vincent`, "DTSTART:20261203T130000Z\nDTEND:20261203T140000Z")).
			sends("calendar", "REFRESH", event(meeting, `ATTENDEE;SENT-BY="@calendar":@vincent`)),

		conversation("calendar-two-users", "One mail of the calendar system with events of two organizers.").deviates("user-of-each-event").
			sends("calendar", "REQUEST", event(meeting), event(meeting, "UID:his\nORGANIZER:@vincent\nATTENDEE:@paul")),

		conversation("calendar-among-senders", "The calendar system's address in From is passed over.").
			mails(string(mailFrom("calendar@example.com, paul.boddie@example.com", "REQUEST", event(meeting)))),

		conversation("participating-no", "A user who does not take part: nothing is done.").
			prefers("paul", "participating", "no").
			sends("paul", "REQUEST", event(meeting)).
			sends("vincent", "REQUEST", event(meeting, "ORGANIZER:@vincent\nATTENDEE:@paul")),

		conversation("participating-participate", "A user who takes part because they say so.").
			prefers("paul", "participating", "participate").
			sends("paul", "REQUEST", event(meeting)),

		shared(conversation("published", "Free/busy is published: only OPAQUE records, as the records change.")).
			sends("paul", "REQUEST", event(three)).
			sends("paul", "REQUEST", event(meeting, "UID:organizing")).
			sends("paul", "REQUEST", event(three, oslo, weekly, "UID:series")).
			sends("paul", "REQUEST", event(three, "UID:open\nTRANSP:TRANSPARENT")).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1")),

		shared(conversation("published-reply", "Free/busy is published after replies.")).
			receives("paul", "vincent", "REQUEST", event(meeting, "ORGANIZER:@vincent\nATTENDEE:@paul")).
			sends("paul", "REPLY", event(meeting, "ORGANIZER:@vincent\nATTENDEE;PARTSTAT=ACCEPTED:@paul")).
			sends("paul", "REPLY", event(meeting, "ORGANIZER:@vincent\nATTENDEE;PARTSTAT=DECLINED:@paul")),

		conversation("shared-not-published", "Sharing alone publishes nothing, nor does publishing alone.").
			prefers("paul", "freebusy_sharing", "share").
			prefers("vincent", "freebusy_publishing", "publish").
			sends("paul", "REQUEST", event(three)).
			sends("vincent", "REQUEST", event(meeting, "ORGANIZER:@vincent\nATTENDEE;PARTSTAT=ACCEPTED:@vincent")),

		conversation("window-short", "A window of five days.").
			prefers("paul", "window_size", "5").
			sends("paul", "REQUEST", event(meeting, "RRULE:FREQ=DAILY;COUNT=10\nDTSTART:20261124T090000Z\nDTEND:20261124T100000Z")),

		conversation("window-not-a-number", "A window that is not a number: the usual one.").
			prefers("paul", "window_size", "many").
			sends("paul", "REQUEST", event(meeting, weekly)),

		conversation("window-out-of-range", "A window of less than no days.").deviates("window-size-out-of-range").
			prefers("paul", "window_size", "-5").
			sends("paul", "REQUEST", event(meeting, weekly)),

		conversation("window-zero", "A window of no days.").
			prefers("paul", "window_size", "0").
			sends("paul", "REQUEST", event(meeting, weekly)),

		conversation("window-white-space", "White space around a preference does not count.").
			prefers("paul", "window_size", " 10 ").
			prefers("paul", "TZID", "\tEurope/Oslo ").
			sends("paul", "REQUEST", event(meeting, floating, weekly)),

		conversation("zone-unknown", "A preferred zone that there is not.").
			prefers("paul", "TZID", "Nowhere/At_All").
			sends("paul", "REQUEST", event(meeting, floating)),

		conversation("providers", "An event without end is noted, where the table is there and not empty, and taken out when it is cancelled.").
			has("paul", "freebusy-providers", providers+"another\t\n").
			sends("paul", "REQUEST", event(meeting, oslo, forever)).
			sends("paul", "REQUEST", event(meeting, "UID:once")).
			sends("paul", "REQUEST", event(meeting, "UID:bounded", weekly)).
			sends("paul", "CANCEL", event(meeting, oslo, forever, "SEQUENCE:1")),

		conversation("providers-update", "An event without end is sent again, then with an end.").
			has("paul", "freebusy-providers", providers).
			sends("paul", "REQUEST", event(meeting, oslo, forever)).
			sends("paul", "REQUEST", event(meeting, oslo, forever, "SEQUENCE:1\nSUMMARY:Again")).
			sends("paul", "REQUEST", event(meeting, oslo, weekly, "SEQUENCE:2")),

		conversation("providers-reply", "A reply to an event without end.").
			has("vincent", "freebusy-providers", providers).
			receives("vincent", "paul", "REQUEST", event(three, oslo, forever)).
			sends("vincent", "REPLY", event(meeting, oslo, forever, accepted)).
			sends("vincent", "REPLY", event(meeting, oslo, forever, "ATTENDEE;PARTSTAT=DECLINED:@vincent")),

		conversation("providers-occurrence", "An occurrence of an event without end is moved, and cancelled.").
			has("paul", "freebusy-providers", providers).
			sends("paul", "REQUEST", event(meeting, oslo, forever)).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1\nRECURRENCE-ID;TZID=Europe/Oslo:20261209T090000")).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:2\nRECURRENCE-ID;TZID=Europe/Oslo:20261209T090000")),

		conversation("providers-empty", "The table is there but empty: nothing is noted.").
			has("paul", "freebusy-providers", "").
			sends("paul", "REQUEST", event(meeting, oslo, forever)),

		conversation("clock", "Time passes: the window moves on, past records stay.").
			at("2026-11-22 12:00:00").
			prefers("paul", "window_size", "10").
			sends("paul", "REQUEST", event(meeting, "RRULE:FREQ=DAILY\nDTSTART:20261125T090000Z\nDTEND:20261125T100000Z")).
			at("2026-12-01 06:30:00").
			sends("paul", "REQUEST", event(meeting, "RRULE:FREQ=DAILY\nDTSTART:20261125T090000Z\nDTEND:20261125T100000Z\nSEQUENCE:1")).
			at("2027-03-01 00:00:00").
			sends("paul", "REQUEST", event(meeting, "UID:other")),
	}
}
