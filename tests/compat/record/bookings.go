package main

// quota is the quota of the conversations.
const quota = "mailto:rooms@example.com"

// both are the attendees of an event with two rooms.
const both = `ATTENDEE;CN="Paul Boddie";PARTSTAT=ACCEPTED:@paul
ATTENDEE;CUTYPE=ROOM;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:@room
ATTENDEE;CUTYPE=ROOM;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:@attic`

// bookings are messages for resources with quotas, which the original's imip_resource handles as it should.
func bookings() []*builder {
	delegating := func(b *builder, functions string) *builder {
		for _, room := range []string{"room", "attic", "cellar"} {
			b.prefers(room, "scheduling_function", functions)
		}
		return b.allots(quota, "delegates", "mailto:room@example.com\nmailto:attic@example.com\nmailto:cellar@example.com\n").
			allots(quota, "limits", "* *\n").
			allots(quota, "groups", "* everybody\n") // whose bookings count as each other's
	}
	return []*builder{
		decided("quota", "A group may book two hours: one, one and a half is too much, one more.").
			by("schedule_in_freebusy", "check_quota "+quota).
			allots(quota, "limits", "staff PT2H\n").
			allots(quota, "groups", "mailto:paul.boddie@example.com staff\nmailto:harvey.horse@example.com staff\n").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "harvey", "REQUEST", event(touching, "DTEND:20261202T113000Z")).
			asks("room", "harvey", "REQUEST", event(touching, "SEQUENCE:1")),
		decided("quota-none", "Nothing is allocated to the group of the organizer.").
			by("check_quota "+quota).
			allots(quota, "limits", "others PT2H\n").
			asks("room", "paul", "REQUEST", event(booking)),
		decided("quota-own", "The quota of the room itself, and an organizer without a group.").
			by("check_quota").
			allots("mailto:room@example.com", "limits", "mailto:paul.boddie@example.com PT1H\n").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "REQUEST", event(booking, "UID:more\nDTSTART:20261203T090000Z\nDTEND:20261203T100000Z")),
		decided("quota-everybody", "A limit for everybody, and none.").
			by("check_quota "+quota).
			allots(quota, "limits", "* PT1H\nmailto:harvey.horse@example.com *\n").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "REQUEST", event(booking, "UID:more\nDTSTART:20261203T090000Z\nDTEND:20261203T100000Z")).
			asks("room", "harvey", "REQUEST", event(touching, "DTSTART:20261204T090000Z\nDTEND:20261204T190000Z")),
		decided("quota-cancelled", "What is called off can be booked again.").
			by("schedule_in_freebusy", "check_quota "+quota).
			allots(quota, "limits", "* PT1H\n").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "CANCEL", event(booking, "SEQUENCE:1")).
			asks("room", "paul", "REQUEST", event(booking, "UID:again")),
		decided("quota-recurring", "All periods of a series count.").
			by("check_quota "+quota).
			allots(quota, "limits", "* PT3H\n").
			asks("room", "paul", "REQUEST", event(booking, weekly)).
			asks("room", "paul", "REQUEST", event(booking, "UID:shorter\nRRULE:FREQ=WEEKLY;COUNT=3")),
		decided("quota-across", "Nobody books two rooms at the same time.").
			by("schedule_in_freebusy", "schedule_across_quota "+quota).
			prefers("attic", "scheduling_function", "schedule_in_freebusy\nschedule_across_quota "+quota).
			asks("room", "paul", "REQUEST", event(booking)).
			asks("attic", "paul", "REQUEST", event(booking, "UID:other\nATTENDEE;PARTSTAT=NEEDS-ACTION:@attic")).
			asks("attic", "harvey", "REQUEST", event(overlapping, "ATTENDEE;PARTSTAT=NEEDS-ACTION:@attic")),
		delegating(decided("delegated", "The room is booked, and delegates to one that is free, which accepts."), "schedule_for_delegate "+quota).
			allots(quota, "delegates", "mailto:room@example.com\nmailto:attic@example.com\n").
			asks("room", "harvey", "REQUEST", event(touching, "DTSTART:20261202T090000Z")).
			asks("room", "paul", "REQUEST", event(booking)).
			asks("attic", "calendar", "REQUEST", event(booking, `
				ATTENDEE;CUTYPE=ROOM;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:attic@example.com";SENT-BY="mailto:calendar@example.com":@room
				ATTENDEE;DELEGATED-FROM="mailto:room@example.com":@attic`)).
			asks("room", "simon", "REQUEST", event(overlapping, "UID:third\nORGANIZER:@simon")),
		delegating(decided("delegated-most-available", "The room with the least bookings."), "schedule_for_delegate "+quota+" most-available").
			asks("room", "harvey", "REQUEST", event(touching, "DTSTART:20261202T090000Z")).
			asks("room", "paul", "REQUEST", event(booking)),
	}
}

// bookedOtherwise are messages for resources with quotas that the original fails on or gets wrong.
func bookedOtherwise() []*builder {
	return []*builder{
		decided("quota-moved", "A booking that is moved does not count twice.").deviates("moved-bookings").
			by("check_quota "+quota).
			allots(quota, "limits", "* PT1H\n").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "REQUEST", event(moved)),
		decided("quota-given-up", "A booking that is given up goes back to the quota.").deviates("bookings-that-are-given-up").
			by("schedule_in_freebusy", "check_quota "+quota).
			allots(quota, "limits", "* PT1H\n").
			asks("room", "harvey", "REQUEST", event(touching)).
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "REQUEST", event(booking, "SEQUENCE:1\nDTSTART:20261202T100000Z\nDTEND:20261202T103000Z")).
			asks("room", "paul", "REQUEST", event(booking, "UID:again")),
		decided("quota-across-cancelled", "What is called off can be booked in another room.").deviates("bookings-across-a-quota").
			by("schedule_across_quota "+quota).
			prefers("attic", "scheduling_function", "schedule_across_quota "+quota).
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "CANCEL", event(booking, "SEQUENCE:1")).
			asks("attic", "paul", "REQUEST", event(booking, "UID:other\nATTENDEE;PARTSTAT=NEEDS-ACTION:@attic")),
		decided("quota-version", "The journal has the version of the event that is booked.").deviates("journal-of-the-first-version").
			by("check_quota "+quota).
			allots(quota, "limits", "* *\n").
			allots(quota, "delegates", "mailto:room@example.com\n").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "REQUEST", event(moved)),
		decided("quota-again", "A room takes part again that was taken out of the booking of several, under a quota.").deviates("bookings-once-more").
			by("check_quota "+quota).
			allots(quota, "limits", "* *\n").
			allots(quota, "delegates", "mailto:room@example.com\nmailto:attic@example.com\n").
			asks("room", "paul", "REQUEST", event(booking, both)).
			asks("room", "paul", "CANCEL", event(booking, "SEQUENCE:1\n"+both)).
			asks("room", "paul", "REQUEST", event(booking, "SEQUENCE:2\n"+both)),
		decided("quota-blank-line", "A blank line in a quota's limits.").deviates("lists-of-quotas").
			by("check_quota "+quota).
			allots(quota, "limits", "# staff\n\n* PT2H\n").
			asks("room", "paul", "REQUEST", event(booking)),
		decided("delegated-after-accepted", "A room passes on a later version of what it has accepted.").deviates("bookings-that-are-passed-on").
			by("schedule_for_delegate "+quota).
			prefers("attic", "scheduling_function", "schedule_for_delegate "+quota).
			allots(quota, "limits", "* *\n").
			allots(quota, "groups", "* everybody\n").
			allots(quota, "delegates", "mailto:room@example.com\nmailto:attic@example.com\n").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "harvey", "REQUEST", event(touching, "DTSTART:20261203T090000Z\nDTEND:20261203T100000Z")).
			asks("room", "paul", "REQUEST", event(booking, "SEQUENCE:1\nDTSTART:20261203T090000Z\nDTEND:20261203T100000Z")),
		decided("delegated-in-order", "Of several rooms that are free the first one takes the place.").deviates("delegates-in-order").
			by("schedule_for_delegate "+quota).
			prefers("attic", "scheduling_function", "schedule_for_delegate "+quota).
			allots(quota, "limits", "* *\n").
			allots(quota, "groups", "* everybody\n").
			allots(quota, "delegates", "mailto:room@example.com\nmailto:cellar@example.com\nmailto:attic@example.com\nmailto:lobby@example.com\n").
			asks("room", "harvey", "REQUEST", event(touching, "DTSTART:20261202T090000Z")).
			asks("room", "paul", "REQUEST", event(booking)),
	}
}
