package main

import (
	"strings"

	"imip-agent/tests/compat"
)

// inputs are what mail programs send against the rules, and what the original
// reads otherwise than the rules say.
func inputs() []*builder {
	calendar := compat.Calendar("REQUEST", compat.Minutes(0), event(meeting))
	plain := string(mailFrom("paul", "REQUEST", event(meeting)))
	replaced := func(old, new string) string {
		if !strings.Contains(plain, old) {
			panic("no " + old + " in the mail")
		}
		return strings.Replace(plain, old, new, 1)
	}
	const contentType = "Content-Type: text/calendar; charset=utf-8; method=REQUEST"
	return []*builder{
		// Mails.
		conversation("broken-header", "A line among the header's fields that is none.").deviates("broken-headers").
			mails(replaced("Subject: REQUEST", "Subject: REQUEST\nthis is no field")),
		conversation("broken-media-type", "A Content-Type without a semicolon where one belongs.").deviates("broken-media-types").
			mails(replaced(contentType, "Content-Type: text/calendar method=REQUEST; charset=utf-8")),
		conversation("mail-media-type", "A semicolon too many and spaces around the equals sign in Content-Type.").
			mails(replaced(contentType, "Content-Type: text/calendar;; charset = utf-8; method = REQUEST;")),
		conversation("broken-multipart", "A multipart whose boundary is not the one that it names.").deviates("broken-multiparts").
			mails(replaced(contentType+"\nContent-Transfer-Encoding: 8bit\n",
				"Content-Type: multipart/alternative; boundary=\"=_1\"\n\n--=_2\n"+contentType+"\n") + "--=_2--\n"),
		conversation("broken-sender", "A From that is no address in the end, and one without the comma between two.").deviates("broken-senders").
			mails(replaced("From: paul.boddie@example.com", "From: Paul Boddie [paul.boddie@example.com]")).
			mails(replaced("From: paul.boddie@example.com", "From: paul.boddie@example.com (Paul, in Oslo)")),
		conversation("international-delivery-report", "A bounce with an international delivery report.").deviates("international-delivery-reports").
			mails(replaced(contentType+"\nContent-Transfer-Encoding: 8bit\n",
				"Content-Type: multipart/report; report-type=global-delivery-status; boundary=\"=_1\"\n\n--=_1\n"+
					"Content-Type: message/global-delivery-status\n\nReporting-MTA: dns; example.com\n\nAction: failed\n\n--=_1\n"+contentType+"\n") + "--=_1--\n"),
		conversation("wrong-encoding", "Text that is not in the transfer encoding that the part names.").deviates("wrong-encoding").
			mails(replaced("Encoding: 8bit", "Encoding: base64")).
			mails(replaced("Encoding: 8bit", "Encoding: utf-8")),

		// Properties.
		conversation("empty-properties", "Properties without a value: those that cannot be empty are left out.").deviates("empty-properties").
			sends("paul", "REQUEST", event(meeting, "RRULE:\nEXDATE:\nRDATE:")).
			sends("paul", "REQUEST", event(meeting, "UID:location\nLOCATION:\nDESCRIPTION:\nATTENDEE:")).
			sends("paul", "REQUEST", event(meeting, "UID:location\nSEQUENCE:1")),
		conversation("sequence-not-a-number", "A SEQUENCE that is no number, and the next message.").deviates("sequence-not-a-number").
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:first")).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1")),
		conversation("separators-in-addresses", "Addresses with a comma; and names around them, as in vCalendar 1.0.").deviates("separators-in-addresses").
			sends("paul", "REQUEST", event(meeting, "ATTENDEE:mailto:vole,vincent@example.com")).
			sends("paul", "REQUEST", event(meeting, "UID:name\nATTENDEE:Vincent Vole <vincent.vole@example.com>")).
			sends("paul", "REQUEST", event(meeting, "UID:organizer\nORGANIZER:mailto:boddie,paul@example.com")),
		conversation("leap-second", "A leap second.").deviates("leap-seconds").
			sends("paul", "REQUEST", event(meeting, "DTSTART:20261231T235900Z\nDTEND:20261231T235960Z")),
		conversation("days-in-durations", "A DURATION in days across the change to summer time: by the calendar, hours by the clock.").deviates("days-in-durations").
			sends("paul", "REQUEST", event(meeting, "DTSTART;TZID=Europe/Oslo:20270327T090000\n-DTEND\nDURATION:P1D")).
			sends("paul", "REQUEST", event(meeting, "UID:hours\nDTSTART;TZID=Europe/Oslo:20270327T090000\n-DTEND\nDURATION:PT24H")).
			sends("paul", "REQUEST", event(meeting, "UID:both\nDTSTART;TZID=Europe/Oslo:20270327T090000\n-DTEND\nDURATION:P1DT1H")),
		conversation("days-that-summer-time-shortens", "Whole days, again and again, of which the first ones are when the clocks change.").deviates("days-that-summer-time-shortens").
			prefers("paul", "TZID", "Europe/Oslo").
			prefers("paul", "window_size", "400").
			sends("paul", "REQUEST", event(meeting, "RRULE:FREQ=WEEKLY;COUNT=2\nDTSTART;VALUE=DATE:20270325\nDTEND;VALUE=DATE:20270329")).
			sends("paul", "REQUEST", event(meeting, "UID:autumn\nRRULE:FREQ=WEEKLY;COUNT=2\nDTSTART;VALUE=DATE:20271028\nDTEND;VALUE=DATE:20271101")).
			sends("paul", "REQUEST", event(meeting, "UID:dates\nRDATE;VALUE=DATE:20270401\nDTSTART;VALUE=DATE:20270325\nDTEND;VALUE=DATE:20270329")).
			sends("paul", "REQUEST", event(meeting, "UID:once\nDTSTART;VALUE=DATE:20270325\nDTEND;VALUE=DATE:20270329")).
			sends("paul", "REQUEST", event(meeting, "UID:one\nRRULE:FREQ=WEEKLY;COUNT=2\nDTSTART;VALUE=DATE:20270328\nDTEND;VALUE=DATE:20270329")),

		// Recurrence.
		conversation("exceptions-by-day", "EXDATE with a date, for an event of times.").deviates("exceptions-by-day").
			sends("paul", "REQUEST", event(meeting, oslo, weekly, "EXDATE;VALUE=DATE:20261209")),
		conversation("exceptions-and-periods", "EXDATE takes away an RDATE that is a period by its start.").deviates("exceptions-and-periods").
			sends("paul", "REQUEST", event(meeting, "RDATE;VALUE=PERIOD:20261205T090000Z/20261205T120000Z,20261206T090000Z/PT5M\nEXDATE:20261205T090000Z")),
		conversation("hours-that-a-rule-leaves-out", "Every six hours, but only at three in the afternoon.").deviates("hours-that-a-rule-leaves-out").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=HOURLY;INTERVAL=6;BYHOUR=15;COUNT=3")),
		conversation("mail-calendar-end", "A calendar without its last line.").
			mails(replaced("END:VCALENDAR\n", "")),
		conversation("week-start", "Every second week, with and without a Sunday before the start in its week.").deviates("week-start").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;COUNT=3")).
			sends("paul", "REQUEST", event(meeting, oslo, "UID:sunday\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU;COUNT=3")),

		// Tables.
		conversation("damaged-order", "Records that are not in order, and one that is there twice.").deviates("unordered-table").
			has("paul", "freebusy", ""+
				"20261210T090000Z\t20261210T100000Z\tlast\tOPAQUE\t\tLast\tmailto:paul.boddie@example.com\n"+
				"20261202T090000Z\t20261202T100000Z\tmeeting\tOPAQUE\t\tOld\tmailto:paul.boddie@example.com\n"+
				"20261201T090000Z\t20261201T100000Z\tfirst\tOPAQUE\t\tFirst\tmailto:paul.boddie@example.com\n"+
				"20261201T090000Z\t20261201T100000Z\tfirst\tOPAQUE\t\tFirst\tmailto:paul.boddie@example.com\n").
			sends("paul", "REQUEST", event(meeting)),

		// The same event as two parts, as many mail programs send it.
		conversation("mail-two-copies", "One event as a part of a multipart/alternative and as an attachment.").
			mails(replaced(contentType+"\nContent-Transfer-Encoding: 8bit\n",
				"Content-Type: multipart/mixed; boundary=\"=_1\"\n\n--=_1\nContent-Type: multipart/alternative; boundary=\"=_2\"\n\n"+
					"--=_2\nContent-Type: text/plain\n\nYou are invited.\n--=_2\n"+contentType+"\n") + "--=_2--\n" +
				"--=_1\nContent-Type: application/ics; name=\"invite.ics\"; method=REQUEST\nContent-Disposition: attachment; filename=\"invite.ics\"\nContent-Transfer-Encoding: base64\n\n" +
				base64Lines(calendar) + "--=_1--\n"),
	}
}
