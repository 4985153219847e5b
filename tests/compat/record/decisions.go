package main

import (
	"strings"

	"imip-agent/tests/compat"
)

// Events of resources.
const (
	// booking is Paul's meeting in the room.
	booking = `
		UID:booking
		SEQUENCE:0
		SUMMARY:Project meeting
		DTSTART:20261202T090000Z
		DTEND:20261202T100000Z
		ORGANIZER;CN="Paul Boddie":@paul
		ATTENDEE;CN="Paul Boddie";PARTSTAT=ACCEPTED:@paul
		ATTENDEE;CUTYPE=ROOM;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:@room`
)

var (
	// overlapping is Harvey's, at a time that overlaps with it.
	overlapping = event(booking, `
		UID:overlapping
		DTSTART:20261202T093000Z
		DTEND:20261202T103000Z
		ORGANIZER:@harvey
		ATTENDEE;PARTSTAT=ACCEPTED:@harvey
		ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:@room`)

	// touching is Harvey's, right after it.
	touching = event(overlapping, `
		UID:touching
		DTSTART:20261202T100000Z
		DTEND:20261202T110000Z`)

	// moved is a later version of booking.
	moved = event(booking, `
		SEQUENCE:1
		DTSTART:20261203T090000Z
		DTEND:20261203T100000Z`)
)

func decided(name, about string) *builder { return conversation("resource-"+name, about) }

// by has the room decide by functions.
func (b *builder) by(lines ...string) *builder {
	return b.prefers("room", "scheduling_function", strings.Join(lines, "\n"))
}

// vfreebusy is a mail with a VFREEBUSY for the room.
func vfreebusy(from, method string, lines ...string) string {
	return string(compat.Mail(from, method, "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.com//conversation//EN\nMETHOD:"+method+"\nBEGIN:VFREEBUSY\nDTSTAMP:20261122T120000Z\n"+
		event(strings.Join(lines, "\n")).String()+"\nEND:VFREEBUSY\nEND:VCALENDAR\n"))
}

// decisions are messages for resources, which the original's imip_resource handles as it should.
func decisions() []*builder {
	return []*builder{
		decided("free", "A room is booked by one meeting, declines one that overlaps, and takes the one that follows.").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "harvey", "REQUEST", event(overlapping)).
			asks("room", "harvey", "REQUEST", event(touching)),
		decided("moved", "A booking is moved, and the room is free at its former time.").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "REQUEST", event(moved)).
			asks("room", "harvey", "REQUEST", event(overlapping)),
		decided("moved-into-another", "A booking that is moved into another one is declined, and given up.").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "harvey", "REQUEST", event(touching)).
			asks("room", "paul", "REQUEST", event(booking, "SEQUENCE:1\nDTSTART:20261202T100000Z\nDTEND:20261202T103000Z")).
			asks("room", "harvey", "REQUEST", event(overlapping)),
		decided("moved-over-itself", "A booking is made longer: it does not collide with itself.").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "REQUEST", event(booking, "SEQUENCE:1\nDTEND:20261202T110000Z")),
		decided("transparent", "A meeting that leaves people free takes the room.").
			asks("room", "paul", "REQUEST", event(booking, "TRANSP:TRANSPARENT")).
			asks("room", "harvey", "REQUEST", event(overlapping)),
		decided("recurring", "A series is accepted as a whole, and another one declined that collides once.").
			asks("room", "paul", "REQUEST", event(booking, weekly)).
			asks("room", "harvey", "REQUEST", event(overlapping, "RRULE:FREQ=DAILY;COUNT=3\nDTSTART:20261207T093000Z\nDTEND:20261207T103000Z")).
			asks("room", "harvey", "REQUEST", event(overlapping, "UID:other\nDTSTART:20261208T093000Z\nDTEND:20261208T103000Z")),
		decided("published", "A room publishes when it is taken.").
			prefers("room", "freebusy_sharing", "share").
			prefers("room", "freebusy_publishing", "publish").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "CANCEL", event(booking, "SEQUENCE:1")),
		decided("cancel", "A booking is called off, and the room is free.").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "CANCEL", event(booking, "SEQUENCE:1")).
			asks("room", "harvey", "REQUEST", event(overlapping)),
		decided("occurrence", "One occurrence of a series is moved, and another one called off.").
			asks("room", "paul", "REQUEST", event(booking, weekly)).
			asks("room", "paul", "REQUEST", event(booking, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261210T090000Z\nDTEND:20261210T100000Z")).
			asks("room", "paul", "CANCEL", event(booking, "SEQUENCE:1\nRECURRENCE-ID:20261216T090000Z\nDTSTART:20261216T090000Z\nDTEND:20261216T100000Z")).
			asks("room", "harvey", "REQUEST", event(overlapping, "DTSTART:20261209T090000Z\nDTEND:20261209T100000Z")).
			asks("room", "harvey", "REQUEST", event(touching, "DTSTART:20261216T090000Z\nDTEND:20261216T100000Z")),
		decided("occurrence-declined", "An occurrence is moved to where the room is taken.").
			asks("room", "harvey", "REQUEST", event(touching)).
			asks("room", "paul", "REQUEST", event(booking, weekly)).
			asks("room", "paul", "REQUEST", event(booking, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261202T103000Z\nDTEND:20261202T113000Z")),
		decided("corrected", "Times are moved to permitted ones: another time is proposed, and offered to nobody else.").
			by("schedule_corrected_in_freebusy").
			prefers("room", "permitted_times", "0,30").
			prefers("room", "freebusy_offers", "PT1H").
			asks("room", "paul", "REQUEST", event(booking, "DTSTART:20261202T091500Z\nDTEND:20261202T100500Z")).
			asks("room", "harvey", "REQUEST", event(overlapping)).
			asks("room", "paul", "REQUEST", event(booking, "SEQUENCE:1\nDTSTART:20261202T093000Z\nDTEND:20261202T103000Z")),
		decided("corrected-zone", "Hours are those of the event's own zone, and go on the next day.").
			by("schedule_corrected_in_freebusy").
			prefers("room", "permitted_times", "9,10,11,12:0").
			asks("room", "paul", "REQUEST", event(booking, "DTSTART;TZID=Europe/Oslo:20261202T083000\nDTEND;TZID=Europe/Oslo:20261202T100000")).
			asks("room", "paul", "REQUEST", event(booking, "UID:evening\nDTSTART;TZID=America/New_York:20261202T123000\nDTEND;TZID=America/New_York:20261203T093000")),
		decided("permitted", "Times that are permitted stay.").
			by("schedule_corrected_in_freebusy").
			prefers("room", "permitted_times", "0,15,30,45").
			asks("room", "paul", "REQUEST", event(booking)),
		decided("corrected-taken", "The room is not free at the corrected time.").
			by("schedule_corrected_in_freebusy").
			prefers("room", "permitted_times", "0,30").
			asks("room", "harvey", "REQUEST", event(touching)).
			asks("room", "paul", "REQUEST", event(booking, "DTSTART:20261202T094500Z\nDTEND:20261202T101000Z")),
		decided("next-free", "Another time need not be found.").
			by("schedule_next_available_in_freebusy").
			asks("room", "paul", "REQUEST", event(booking)),
		decided("same-domain", "Somebody of another domain may not book the room.").
			by("same_domain_only", "schedule_in_freebusy").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "mallory", "REQUEST", event(overlapping, "DTSTART:20261203T090000Z\nDTEND:20261203T100000Z\nORGANIZER:@mallory\nATTENDEE;PARTSTAT=NEEDS-ACTION:@room")),
		decided("access", "By a list, some may book the room, unless they bring somebody along.").
			by("access_control_list", "schedule_in_freebusy").
			prefers("room", "acl", "decline\naccept organiser paul.boddie@example.com mailto:harvey.horse@example.com\ndecline attendee simon.skunk@example.com").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "harvey", "REQUEST", event(touching, "ATTENDEE;PARTSTAT=ACCEPTED:@simon\nATTENDEE;PARTSTAT=NEEDS-ACTION:@room")).
			asks("room", "vincent", "REQUEST", event(touching, "UID:third\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=NEEDS-ACTION:@room")),
		decided("access-implied", "A first rule that accepts some declines all others.").
			by("access_control_list", "schedule_in_freebusy").
			prefers("room", "acl", "accept organiser mailto:paul.boddie@example.com").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "harvey", "REQUEST", event(touching)),
		decided("not-participating", "A room that does not take part.").
			prefers("room", "participating", "no").
			asks("room", "paul", "REQUEST", event(booking)),
		decided("ask-for-event", "An occurrence is added, and the room asks for all of the event.").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "ADD", event(booking, "SEQUENCE:1\nDTSTART:20261212T090000Z\nDTEND:20261212T100000Z")),
		decided("publication", "Somebody publishes when they are busy.").
			reaches("room", vfreebusy("paul", "PUBLISH", "UID:busy", "ORGANIZER:@paul", "DTSTART:20261201T000000Z", "DTEND:20261208T000000Z", "FREEBUSY;FBTYPE=BUSY:20261202T090000Z/20261202T100000Z")),
		decided("declined-counter", "An offer is declined, and the room is free for others.").
			by("schedule_corrected_in_freebusy").
			prefers("room", "permitted_times", "0,30").
			prefers("room", "freebusy_offers", "P1D").
			asks("room", "paul", "REQUEST", event(booking, "DTSTART:20261202T091500Z\nDTEND:20261202T100500Z")).
			asks("room", "paul", "DECLINECOUNTER", event(booking, "DTSTART:20261202T093000Z\nDTEND:20261202T103000Z")).
			asks("room", "harvey", "REQUEST", event(overlapping)),
		decided("offer-called-off", "An event with an offer is called off, and the room is free for others.").deviates("offers-of-what-is-called-off").
			by("schedule_corrected_in_freebusy").
			prefers("room", "permitted_times", "0,30").
			prefers("room", "freebusy_offers", "P1D").
			asks("room", "paul", "REQUEST", event(booking, "DTSTART:20261202T091500Z\nDTEND:20261202T100500Z")).
			asks("room", "paul", "CANCEL", event(booking, "SEQUENCE:1\nDTSTART:20261202T091500Z\nDTEND:20261202T100500Z")).
			asks("room", "harvey", "REQUEST", event(overlapping)),
		decided("offer-expired", "An offer has expired, and the room is free for others.").
			by("schedule_corrected_in_freebusy").
			prefers("room", "permitted_times", "0,30").
			prefers("room", "freebusy_offers", "PT1H").
			asks("room", "paul", "REQUEST", event(booking, "DTSTART:20261202T091500Z\nDTEND:20261202T100500Z")).
			at("2026-11-22 14:00:00").
			asks("room", "harvey", "REQUEST", event(overlapping)),
		decided("offer-without-length", "No offer is recorded where the room has no preference for it.").
			by("schedule_corrected_in_freebusy").
			prefers("room", "permitted_times", "0,30").
			asks("room", "paul", "REQUEST", event(booking, "DTSTART:20261202T091500Z\nDTEND:20261202T100500Z")).
			asks("room", "harvey", "REQUEST", event(overlapping)),
		decided("delegate-of-another", "Another room has delegated the event to this one, which informs both.").
			asks("room", "paul", "REQUEST", event(booking, "ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"@room\":@attic\nATTENDEE;DELEGATED-FROM=\"@attic\":@room")),
	}
}

// decidedOtherwise are messages for resources that the original fails on or gets wrong.
func decidedOtherwise() []*builder {
	const (
		quarters = "DTSTART:20261202T091000Z\nDTEND:20261202T092000Z"
		addition = "SEQUENCE:1\nDTSTART:20261212T090000Z\nDTEND:20261212T100000Z"
	)
	return []*builder{
		decided("next-available", "The room is not free, and the next time is proposed when it is.").deviates("next-available").
			by("schedule_next_available_in_freebusy").
			prefers("room", "freebusy_offers", "PT1H").
			asks("room", "harvey", "REQUEST", event(touching)).
			asks("room", "paul", "REQUEST", event(booking, "DTSTART:20261202T093000Z\nDTEND:20261202T103000Z")).
			asks("room", "harvey", "REQUEST", event(touching, "UID:later\nDTSTART:20261202T110000Z\nDTEND:20261202T120000Z")),
		decided("next-available-of-all", "The next time is when the room and all others who attend are free, and begins and ends at permitted times.").deviates("next-available").
			by("schedule_next_available_in_freebusy").
			prefers("room", "permitted_times", "9,10,11,12:0,30").
			has("room", "freebusy-other/mailto:paul.boddie@example.com", "20261202T103000Z\t20261202T113000Z\tpauls\tOPAQUE\t\tPaul's\tmailto:paul.boddie@example.com\n").
			asks("room", "harvey", "REQUEST", event(touching, "DTSTART:20261202T090000Z\nDTEND:20261202T103000Z")).
			asks("room", "paul", "REQUEST", event(booking, "DTSTART:20261202T093000Z\nDTEND:20261202T103000Z\nRDATE:20261203T093000Z")).
			asks("room", "paul", "REQUEST", event(booking, "UID:series", weekly)),
		decided("two-arguments", "A function has an argument too many.").deviates("arguments-of-functions").
			by("schedule_in_freebusy 1 2").
			asks("room", "paul", "REQUEST", event(booking)),
		decided("no-number", "A number of bookings that is none.").deviates("arguments-of-functions").
			by("schedule_in_freebusy many").
			asks("room", "paul", "REQUEST", event(booking)),
		decided("misspelt", "A function that does not exist.").deviates("unknown-functions").
			by("schedule_in_freebusi").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "harvey", "REQUEST", event(overlapping)),
		decided("blank-line", "Blank lines and comments among the functions.").deviates("blank-lines-among-functions").
			by("# who may", "same_domain_only", "", "schedule_in_freebusy").
			asks("room", "paul", "REQUEST", event(booking)),
		decided("no-access-list", "There is no access control list.").deviates("unreadable-access-list").
			by("access_control_list", "schedule_in_freebusy").
			asks("room", "paul", "REQUEST", event(booking)),
		decided("odd-access-list", "A line of an access control list that is none.").
			by("access_control_list", "schedule_in_freebusy").
			prefers("room", "acl", "accept\npermit organiser paul.boddie@example.com").
			asks("room", "paul", "REQUEST", event(booking)),
		decided("access-in-other-letters", "A list and an organizer whose domain are in other letters.").deviates("letter-case-of-addresses").
			by("access_control_list", "same_domain_only").
			prefers("room", "acl", "ACCEPT Organizer MAILTO:Paul.Boddie@Example.com").
			asks("room", "paul", "REQUEST", event(booking, "ORGANIZER:mailto:paul.boddie@EXAMPLE.COM")),
		decided("language", "A room whose language has letters beyond ASCII.").
			prefers("room", "LANG", "nb_NO").
			asks("room", "harvey", "REQUEST", event(touching)).
			asks("room", "paul", "REQUEST", event(booking, "DTEND:20261202T103000Z")),
		decided("no-organizer", "An invitation that names no organizer.").deviates("one-organizer").
			asks("room", "paul", "REQUEST", event(booking, "-ORGANIZER")),
		decided("plain-attendee", "An attendee without parameters.").deviates("attendees-without-parameters").
			asks("room", "paul", "REQUEST", event(booking, "ATTENDEE:@room")),
		decided("several-at-once", "A room for two meetings at a time.").deviates("concurrent-bookings").
			by("schedule_in_freebusy 2").
			asks("room", "harvey", "REQUEST", event(touching, "DTSTART:20261202T090000Z")).
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "harvey", "REQUEST", event(overlapping, "DTSTART:20261202T100000Z\nDTEND:20261202T110000Z")).
			asks("room", "harvey", "REQUEST", event(overlapping, "UID:third")),
		decided("corrected-to-nothing", "Both ends are moved to the same permitted time.").deviates("corrected-length").
			by("schedule_corrected_in_freebusy").
			prefers("room", "permitted_times", "0,15,30,45").
			asks("room", "paul", "REQUEST", event(booking, "DTSTART:20261202T090500Z\nDTEND:20261202T091000Z")),
		decided("corrected-rule", "A series whose times are not permitted.").deviates("permitted-occurrences").
			by("schedule_corrected_in_freebusy").
			prefers("room", "permitted_times", "0,15,30,45").
			asks("room", "paul", "REQUEST", event(booking, quarters, weekly)),
		decided("corrected-day", "A whole day where times are permitted.").
			by("schedule_corrected_in_freebusy").
			prefers("room", "permitted_times", "0,15,30,45").
			asks("room", "paul", "REQUEST", event(booking, allDay)),
		decided("addition", "An occurrence is added to a booking.").deviates("additions-to-resources").
			prefers("room", "add_method_response", "add").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "ADD", event(booking, addition)).
			asks("room", "harvey", "REQUEST", event(overlapping, "DTSTART:20261212T093000Z\nDTEND:20261212T103000Z")),
		decided("addition-ignored", "A room that passes over additions.").deviates("additions-to-resources").
			prefers("room", "add_method_response", "ignore").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "ADD", event(booking, addition)),
		decided("cancel-series", "A series with a moved occurrence is called off.").deviates("cancelled-occurrences-of-resources").
			asks("room", "paul", "REQUEST", event(booking, weekly)).
			asks("room", "paul", "REQUEST", event(booking, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261210T090000Z\nDTEND:20261210T100000Z")).
			asks("room", "paul", "CANCEL", event(booking, weekly, "SEQUENCE:2")).
			asks("room", "harvey", "REQUEST", event(overlapping, "DTSTART:20261210T093000Z\nDTEND:20261210T103000Z")),
		decided("occurrence-longer", "An occurrence is moved a little, over its own former time.").deviates("occurrences-over-themselves").
			asks("room", "paul", "REQUEST", event(booking, weekly)).
			asks("room", "paul", "REQUEST", event(booking, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T093000Z\nDTEND:20261209T103000Z")),
		decided("when-free", "Somebody asks when the room is free, which does not share it.").deviates("free-busy-of-resources").
			asks("room", "paul", "REQUEST", event(booking)).
			reaches("room", vfreebusy("harvey", "REQUEST", "UID:question", "ORGANIZER:@harvey", "ATTENDEE;PARTSTAT=NEEDS-ACTION:@room", "DTSTART:20261202T000000Z", "DTEND:20261203T000000Z")),
		decided("of-no-use", "Answers and publications for a room.").deviates("lost-mail").
			asks("room", "paul", "PUBLISH", event(booking)).
			asks("room", "paul", "REPLY", event(booking)).
			asks("room", "paul", "REFRESH", event(booking)),
		decided("from-stranger", "An invitation whose sender does not organize the event.").deviates("lost-mail").
			asks("room", "harvey", "REQUEST", event(booking)),
		decided("repeated", "An invitation comes once more.").deviates("repeated-invitations").
			asks("room", "paul", "REQUEST", event(booking, "DTSTAMP:20261120T120000Z")).
			asks("room", "paul", "REQUEST", event(booking, "DTSTAMP:20261120T120000Z")),
		decided("older-than-cancelled", "An invitation that its cancellation has overtaken.").deviates("older-than-cancelled").
			asks("room", "paul", "REQUEST", event(booking)).
			asks("room", "paul", "CANCEL", event(booking, "SEQUENCE:2")).
			asks("room", "paul", "REQUEST", event(moved)),
		decided("two-offers", "One of two offers has expired.").deviates("expired-offer").
			by("schedule_corrected_in_freebusy").
			prefers("room", "permitted_times", "0,30").
			prefers("room", "freebusy_offers", "PT1H").
			asks("room", "paul", "REQUEST", event(booking, "DTSTART:20261202T091500Z\nDTEND:20261202T100500Z")).
			at("2026-11-22 12:30:00").
			asks("room", "harvey", "REQUEST", event(touching, "DTSTART:20261203T091500Z\nDTEND:20261203T100500Z")).
			at("2026-11-22 13:15:00").
			asks("room", "harvey", "REQUEST", event(overlapping)),
		decided("list", "An invitation comes by a mailing list.").deviates("answers-to-automatic-mail").
			reaches("room", strings.Replace(string(mailFrom("paul", "REQUEST", event(booking))), "\nTo: ", "\nList-Id: <staff.example.com>\nTo: ", 1)),
	}
}
