package main

import (
	"strings"

	"imip-agent/tests/compat"
)

// arrivals are messages of organizers that the original's imip_person loses, fails on or gets wrong.
func arrivals() []*builder {
	const (
		second = "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261210T140000Z\nDTEND:20261210T150000Z"
		later  = "SEQUENCE:1\nDTSTART:20261203T140000Z\nDTEND:20261203T150000Z"
		own    = "ORGANIZER:@vincent\nATTENDEE:@paul\nATTENDEE:@vincent"
	)
	arriving := func(name, deviation, about string) *builder {
		return conversation("arrives-"+name, about).deviates(deviation)
	}
	request := func(edit ...string) string {
		mail := string(mailFrom("paul", "REQUEST", event(three)))
		return strings.NewReplacer(edit...).Replace(mail)
	}
	series := event(three, weekly)
	return []*builder{
		arriving("old", "lost-mail", "An invitation that a later one has overtaken, and a cancellation older than both.").
			receives("vincent", "paul", "REQUEST", event(three, later)).
			receives("vincent", "paul", "REQUEST", event(three)).
			receives("vincent", "paul", "CANCEL", event(three)),

		arriving("not-invited", "lost-mail", "An invitation and a publication that do not name the user, who gets them by an alias or a list.").
			receives("simon", "paul", "REQUEST", event(three)).
			receives("simon", "paul", "PUBLISH", event(meeting, "-ATTENDEE")),

		arriving("cancel-others", "lost-mail", "A cancellation for another attendee.").
			receives("vincent", "paul", "REQUEST", event(three)).
			receives("vincent", "paul", "CANCEL", event(three, "SEQUENCE:1\nATTENDEE:@harvey")),

		arriving("from-stranger", "lost-mail", "An invitation whose sender does not organize the event.").
			receives("vincent", "simon", "REQUEST", event(three)),

		arriving("addition-passed-over", "lost-mail", "An addition for a user who passes over them.").
			prefers("vincent", "add_method_response", "ignore").
			receives("vincent", "paul", "REQUEST", series).
			receives("vincent", "paul", "ADD", event(three, "SEQUENCE:1\nDTSTART:20261212T090000Z\nDTEND:20261212T100000Z")),

		arriving("task", "lost-mail", "A task.").
			arrives("vincent", request("VEVENT", "VTODO", "DTEND", "DUE")),

		arriving("without-recipient", "for-nobody", "Neither the mail system nor the field To says for whom an invitation is.").
			arrives("", request()),

		arriving("cancel-nobody", "cancel-without-attendees", "A cancellation without attendees.").
			receives("vincent", "paul", "REQUEST", event(three)).
			receives("vincent", "paul", "CANCEL", event("UID:meeting\nSEQUENCE:1\nORGANIZER:@paul\nDTSTART:20261202T090000Z\nDTEND:20261202T100000Z\nSTATUS:CANCELLED")),

		arriving("other-letters", "letter-case-of-addresses", "An invitation whose addresses are in other letters than the recipient and the sender.").
			receives("vincent", "paul", "REQUEST", event(three, "ORGANIZER:mailto:Paul.Boddie@Example.com\nATTENDEE:mailto:Vincent.Vole@EXAMPLE.com")),

		arriving("no-end", "neither-end-nor-duration", "An invitation without an end and a length.").
			receives("vincent", "paul", "REQUEST", event(three, "-DTEND")),

		arriving("unreadable", "unreadable-calendars", "A calendar that cannot be read.").
			arrives("vincent", request("END:VEVENT\n", "")),

		arriving("no-organizer", "one-organizer", "An invitation that names no organizer.").
			receives("vincent", "paul", "REQUEST", event(three, "-ORGANIZER")),

		arriving("two-organizers", "one-organizer", "An invitation that names two organizers.").
			arrives("vincent", request("ORGANIZER;", "ORGANIZER:mailto:simon.skunk@example.com\nORGANIZER;")),

		arriving("no-uid", "no-uid", "An invitation without UID.").
			receives("vincent", "paul", "REQUEST", event(three, "-UID")),

		arriving("unknown-method", "unknown-methods", "A message with a method that iTIP does not know.").
			receives("vincent", "paul", "INVITE", event(three)),

		arriving("unknown-charset", "wrong-charset", "An invitation in a charset that nobody knows.").
			arrives("vincent", request("charset=utf-8", "charset=x-unknown")),

		arriving("impossible-date", "unreadable-times", "An invitation for the 30th of February.").
			receives("vincent", "paul", "REQUEST", event(three, "DTSTART:20270230T090000Z\nDTEND:20270230T100000Z")),

		arriving("damaged-table", "damaged-tables", "An invitation from somebody whose free/busy is recorded with a damaged line.").
			has("vincent", "freebusy-other/mailto:paul.boddie@example.com", "20261130T090000Z\n").
			receives("vincent", "paul", "REQUEST", event(three)),

		arriving("occurrence-by-stranger", "organizer-of-occurrences", "A stranger changes an occurrence of Paul's event.").
			receives("vincent", "paul", "REQUEST", series).
			receives("vincent", "simon", "REQUEST", event(three, second, "ORGANIZER:@simon")),

		arriving("late-request", "older-than-cancelled", "An invitation that its cancellation has overtaken.").
			receives("vincent", "paul", "REQUEST", event(three)).
			receives("vincent", "paul", "CANCEL", event(three, "SEQUENCE:2")).
			receives("vincent", "paul", "REQUEST", event(three, later)),

		arriving("own-publication", "publications-to-oneself", "The manager tells the user's records of an event that they had called off, and then of an older version.").
			receives("vincent", "vincent", "PUBLISH", event(three, own)).
			receives("vincent", "vincent", "CANCEL", event(three, own, "SEQUENCE:1")).
			receives("vincent", "vincent", "PUBLISH", event(three, own, "SEQUENCE:2\nDTSTART:20261203T140000Z\nDTEND:20261203T150000Z")).
			receives("vincent", "vincent", "PUBLISH", event(three, own, "SEQUENCE:1")),

		arriving("own-cancellation", "cancellations-to-oneself", "The manager tells the user's records that a series with a moved occurrence is called off.").
			receives("vincent", "vincent", "PUBLISH", event(series, own)).
			receives("vincent", "vincent", "PUBLISH", event(three, own, second)).
			receives("vincent", "vincent", "CANCEL", event(series, own, "SEQUENCE:2")),

		arriving("twice", "repeated-invitations", "An invitation comes once more after the user has accepted it.").
			receives("vincent", "paul", "REQUEST", event(three, "DTSTAMP:20261120T120000Z")).
			sends("vincent", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")).
			receives("vincent", "paul", "REQUEST", event(three, "DTSTAMP:20261120T120000Z")),

		arriving("occurrence-first", "recurrences-before-their-event", "A moved occurrence stands before its event.").
			receives("vincent", "paul", "REQUEST", event(three, second), series),

		arriving("occurrence-replaced", "requests-of-replaced-occurrences", "A series is sent anew while a moved occurrence of it waits for an answer.").
			receives("vincent", "paul", "REQUEST", series).
			receives("vincent", "paul", "REQUEST", event(three, second)).
			receives("vincent", "paul", "REQUEST", event(series, "SEQUENCE:2")),

		arriving("delegated-by-stranger", "delegators-are-invited", "Somebody who is not invited names themself as who delegates an event to the user.").
			receives("vincent", "paul", "REQUEST", event(three)).
			receives("vincent", "simon", "REQUEST", event(three, later, `
				ATTENDEE;DELEGATED-FROM="@simon":@vincent
				ATTENDEE;DELEGATED-TO="@vincent":@simon`)),

		arriving("publication-for-user", "oneself-by-system-only", "A stranger names themself as who acts for the user.").
			receives("vincent", "simon", "PUBLISH", event(three, own, `ORGANIZER;SENT-BY="@simon":@vincent`)),

		arriving("reply-to", "lost-mail", "An invitation with a Reply-To beside From.").
			arrives("vincent", request("To: undisc", "Reply-To: office@example.com\nTo: undisc")),

		arriving("sent-by", "lost-mail", "An invitation that Paul sends himself, though it names his assistant.").
			receives("vincent", "paul", "REQUEST", event(three, `ORGANIZER;SENT-BY="@simon":@paul`)),

		arriving("no-from", "messages-without-sender", "An invitation that does not say from whom it comes.").
			arrives("vincent", request("From: paul.boddie@example.com\n", "")),

		arriving("wrong-label", "method-parameter-differs", "An invitation that is labelled as an answer.").
			arrives("vincent", request("method=REQUEST", "method=REPLY")),

		arriving("status-cancelled", "status-cancelled", "An event is called off by its status.").
			receives("vincent", "paul", "REQUEST", event(three)).
			receives("vincent", "paul", "REQUEST", event(three, "SEQUENCE:1\nSTATUS:CANCELLED")),

		arriving("own-status-cancelled", "status-cancelled", "The manager tells the user's records of an event, and then by its status that it does not take place.").
			receives("vincent", "vincent", "PUBLISH", event(three, own)).
			receives("vincent", "vincent", "PUBLISH", event(three, own, "SEQUENCE:1\nSTATUS:CANCELLED")),

		arriving("uid-slash", "unsafe-uid", "An invitation whose UID has a slash.").
			receives("vincent", "paul", "REQUEST", event(three, "UID:a/b")),

		arriving("uid-letters", "uids-beyond-ascii", "An invitation whose UID has letters beyond ASCII.").
			receives("vincent", "paul", "REQUEST", event(three, "UID:møte")).
			receives("vincent", "paul", "CANCEL", event(three, "UID:møte\nSEQUENCE:1")),

		arriving("uid-long", "unsafe-uid", "An invitation whose UID has 300 characters.").
			receives("vincent", "paul", "REQUEST", event(three, "UID:"+strings.Repeat("0123456789", 30))),

		arriving("line-break", "control-characters-in-tables", "An invitation whose summary has a line break, and another one.").
			receives("vincent", "paul", "REQUEST", event(three, `SUMMARY:First\nsecond`)).
			receives("vincent", "paul", "REQUEST", event(three, "UID:other")),

		arriving("cancel-by-stranger", "organizer-of-occurrences", "A stranger calls an occurrence of Paul's event off.").
			receives("vincent", "paul", "REQUEST", series).
			receives("vincent", "simon", "CANCEL", event(three, second, "ORGANIZER:@simon")),

		arriving("no-length", "whole-days-without-length", "An invitation to a whole day with a length of no days.").
			receives("vincent", "paul", "REQUEST", event(three, "DTSTART;VALUE=DATE:20261202\n-DTEND\nDURATION:PT0S")),

		arriving("wrong-charset", "wrong-charset", "An invitation in another charset than it says.").
			arrives("vincent", request("SUMMARY:Project meeting", "SUMMARY:M\xf8te")),

		arriving("comma", "unescaped-separators", "An invitation whose summary has an unescaped comma, when the user knows of other times of the organizer.").
			receives("vincent", "paul", "REQUEST", event(three, "UID:other")).
			receives("vincent", "paul", "REQUEST", event(three, "SUMMARY:Lunch, then work")),

		arriving("tab", "control-characters-in-tables", "An invitation whose summary has a TAB, and another one.").
			receives("vincent", "paul", "REQUEST", event(three, "SUMMARY:Before\tafter")).
			receives("vincent", "paul", "REQUEST", event(three, "UID:other")),

		arriving("sequence", "sequence-not-a-number", "An invitation whose SEQUENCE is no number, and a later one.").
			receives("vincent", "paul", "REQUEST", event(three, "SEQUENCE:first")).
			receives("vincent", "paul", "REQUEST", event(three, later)),

		arriving("late-addition", "late-additions", "An addition to a version of the event that has been replaced.").
			prefers("vincent", "add_method_response", "add").
			receives("vincent", "paul", "REQUEST", event(series, "SEQUENCE:2")).
			receives("vincent", "paul", "ADD", event(three, "SEQUENCE:1\nDTSTART:20261212T090000Z\nDTEND:20261212T100000Z")),

		arriving("addition-by-list", "answers-to-automatic-mail", "An addition that comes by a mailing list.").
			receives("vincent", "paul", "REQUEST", series).
			arrives("vincent", strings.Replace(string(compat.Mail("paul", "ADD", compat.Calendar("ADD", compat.Minutes(1),
				event(three, "SEQUENCE:1\nDTSTART:20261212T090000Z\nDTEND:20261212T100000Z")))), "To: ", "List-Id: <team.example.com>\nPrecedence: list\nTo: ", 1)),

		arriving("decline-unknown", "declines-of-nothing", "A counter-proposal is declined to an event that is not stored, and by a message that is older than the event.").
			receives("vincent", "paul", "DECLINECOUNTER", event(meeting, "UID:other\nATTENDEE:@vincent")).
			receives("vincent", "paul", "REQUEST", event(meeting, "SEQUENCE:2\nATTENDEE:@vincent")).
			receives("vincent", "paul", "DECLINECOUNTER", event(meeting, "SEQUENCE:1\nATTENDEE:@vincent")),

		arriving("decline-expired", "expired-offer", "A counter-proposal is declined when another offer has expired and one has not.").
			prefers("vincent", "freebusy_offers", "PT2H").
			has("vincent", "freebusy-offers", strings.ReplaceAll("20261202T090000Z|20261202T100000Z|meeting|OPAQUE||Meeting|mailto:paul.boddie@example.com|20261122T110000Z\n"+
				"20261203T090000Z|20261203T100000Z|other|OPAQUE||Other|mailto:paul.boddie@example.com|20261122T150000Z\n", "|", "\t")).
			receives("vincent", "paul", "DECLINECOUNTER", event(meeting)),
	}
}

// arrivingAnswers are answers of attendees to Paul.
func arrivingAnswers() []*builder {
	const (
		accepted = "-ATTENDEE\nATTENDEE;PARTSTAT=ACCEPTED:@vincent"
		crasher  = "ATTENDEE;PARTSTAT=ACCEPTED:@simon"
		proposed = "DTSTART:20261203T140000Z\nDTEND:20261203T150000Z"
	)
	answering := func(name, deviation, about string) *builder {
		return conversation("arrives-"+name, about).deviates(deviation)
	}
	return []*builder{
		answering("answer-unknown", "lost-mail", "An answer to an event that is not stored.").
			receives("paul", "vincent", "REPLY", event(meeting, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")),

		answering("answer-foreign", "lost-mail", "An answer to somebody else's event.").
			receives("paul", "vincent", "REPLY", event(meeting, "ORGANIZER:@simon", "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")),

		answering("answer-without-times", "reply-without-times", "An answer without times.").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "REPLY", event("UID:meeting\nSEQUENCE:0\nORGANIZER:@paul\nATTENDEE;PARTSTAT=ACCEPTED:@vincent")),

		answering("late-answer", "older-than-cancelled", "An answer to an occurrence that is called off, which it does not bring back.").
			sends("paul", "REQUEST", event(three, weekly)).
			sends("paul", "CANCEL", event(three, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T090000Z\nDTEND:20261209T100000Z")).
			receives("paul", "vincent", "REPLY", event(meeting, "RECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T090000Z\nDTEND:20261209T100000Z", "ATTENDEE;PARTSTAT=ACCEPTED:@vincent")),

		answering("refresh-unknown", "refresh-of-what-is-gone", "An attendee asks for an event that is not stored.").
			receives("paul", "vincent", "REFRESH", event(meeting)),

		answering("refresh-cancelled", "refresh-of-what-is-gone", "An attendee asks for an event that is called off.").
			prefers("paul", "event_refreshing", "always").
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1")).
			receives("paul", "vincent", "REFRESH", event(meeting)),

		answering("counter-unknown", "counters-to-what-is-gone", "A counter-proposal to an event that is not stored.").
			receives("paul", "vincent", "COUNTER", event(meeting, proposed)),

		answering("counter-cancelled", "counters-to-what-is-gone", "A counter-proposal to an event that is called off.").
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1")).
			receives("paul", "vincent", "COUNTER", event(meeting, proposed)),

		answering("old-counter", "old-counters", "A counter-proposal to a version of the event that another has replaced.").
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:2")).
			receives("paul", "vincent", "COUNTER", event(meeting, proposed, "SEQUENCE:1")),

		answering("refresh-undecided", "refresh-by-all-attendees", "An attendee who has not accepted asks for an event.").
			prefers("paul", "event_refreshing", "always").
			sends("paul", "REQUEST", event(meeting)).
			receives("paul", "vincent", "REFRESH", event(meeting)),

		answering("answer-to-occurrence", "answers-to-oneself", "An answer to an occurrence of a series that the organizer attends.").
			sends("paul", "REQUEST", event(three, weekly)).
			receives("paul", "vincent", "REPLY", event(meeting, accepted, "RECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T090000Z\nDTEND:20261209T100000Z")),

		answering("uninvited", "uninvited-answers", "Somebody who is not invited accepts an event, and proposes another time for it.").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "simon", "REPLY", event(meeting, crasher)).
			receives("paul", "simon", "COUNTER", event(meeting, crasher, proposed)),

		answering("uninvited-occurrence", "uninvited-answers", "Somebody who is not invited accepts an occurrence of a series.").
			sends("paul", "REQUEST", event(three, weekly)).
			receives("paul", "simon", "REPLY", event(meeting, crasher, "RECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T090000Z\nDTEND:20261209T100000Z")),

		answering("occurrence-redefined", "reply-defines-occurrence", "An answer to an occurrence gives it another time and another summary.").
			sends("paul", "REQUEST", event(three, weekly)).
			receives("paul", "vincent", "REPLY", event(meeting, accepted, "RECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T140000Z\nDTEND:20261209T180000Z\nSUMMARY:Accepted")),

		answering("answer-to-other-organizer", "answers-replace-nobody", "An answer names the user as the organizer of somebody else's event.").
			prefers("paul", "organiser_replacement", "any").
			receives("paul", "vincent", "REQUEST", event(meeting, "ORGANIZER:@vincent\nATTENDEE:@paul\nATTENDEE:@harvey")).
			receives("paul", "harvey", "REPLY", event(meeting, "SEQUENCE:1\nATTENDEE;PARTSTAT=ACCEPTED:@harvey")),
	}
}

// arrivingFreeBusy are messages with the free/busy of others.
func arrivingFreeBusy() []*builder {
	asks := func(method string) string {
		mail := string(compat.Mail("paul", method, compat.Calendar(method, compat.Minutes(0), event(
			"UID:busy\nORGANIZER:@paul\nATTENDEE:@vincent\nDTSTART:20261201T000000Z\nDTEND:20261208T000000Z"))))
		return strings.ReplaceAll(mail, "VEVENT", "VFREEBUSY")
	}
	publish := func(line string) string {
		mail := string(compat.Mail("paul", "PUBLISH", compat.Calendar("PUBLISH", compat.Minutes(0), event(
			"UID:busy\nORGANIZER:@paul\nDTSTART:20261201T000000Z\nDTEND:20261208T000000Z", line))))
		return strings.ReplaceAll(mail, "VEVENT", "VFREEBUSY")
	}
	reply := func(line string) string {
		mail := string(compat.Mail("paul", "REPLY", compat.Calendar("REPLY", compat.Minutes(0), event(
			"UID:busy\nORGANIZER:@vincent\nATTENDEE:@paul\nDTSTART:20261201T000000Z\nDTEND:20261208T000000Z", line))))
		return strings.ReplaceAll(mail, "VEVENT", "VFREEBUSY")
	}
	return []*builder{
		conversation("arrives-busy-list", "Free/busy with a list of periods.").deviates("lists-of-free-busy").
			arrives("vincent", publish("FREEBUSY;FBTYPE=BUSY:20261202T090000Z/20261202T100000Z,20261203T090000Z/PT1H")).
			arrives("vincent", reply("FREEBUSY;FBTYPE=BUSY:20261202T090000Z/20261202T100000Z,20261203T090000Z/PT1H")),

		conversation("arrives-busy-not-shared", "Somebody asks for the free/busy of a user who does not share it.").deviates("lost-mail").
			arrives("vincent", asks("REQUEST")),

		conversation("arrives-busy-method", "Free/busy with a method that it does not have.").deviates("unknown-methods").
			arrives("vincent", asks("CANCEL")),

		conversation("arrives-busy-none", "Free/busy without a period: all of that time is free.").
			arrives("vincent", publish("FREEBUSY;FBTYPE=BUSY:20261202T090000Z/20261202T100000Z")).
			arrives("vincent", publish("SUMMARY:Free")).
			arrives("vincent", reply("SUMMARY:Free")),

		conversation("arrives-busy-free", "Free/busy with periods that are free.").deviates("free-periods").
			arrives("vincent", publish("FREEBUSY;FBTYPE=BUSY:20261202T090000Z/20261202T100000Z\nFREEBUSY;FBTYPE=FREE:20261203T090000Z/20261203T100000Z")),
	}
}
