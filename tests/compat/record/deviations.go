package main

import (
	"strings"

	"imip-agent/tests/compat"
)

// deviations are what the original gets wrong in what events say. Each of these
// has a heading in DEVIATIONS.md.
func deviations() []*builder {
	const (
		accepted  = "ATTENDEE;PARTSTAT=ACCEPTED:@vincent"
		declined  = "ATTENDEE;PARTSTAT=DECLINED:@vincent"
		tentative = "ATTENDEE;PARTSTAT=TENTATIVE:@vincent"
	)
	series := event(meeting, oslo, weekly)
	days := "DTSTART;VALUE=DATE:20261202\nDTEND;VALUE=DATE:20261203"
	after := event(meeting, "UID:after\nDTSTART:20270101T090000Z\nDTEND:20270101T100000Z")
	return []*builder{
		// Text.
		conversation("deviation-separators", "SUMMARY and other text with commas and semicolons that are not escaped.").
			deviates("unescaped-separators").
			sends("paul", "REQUEST", event(meeting, "SUMMARY:Lunch, then work; then home\nLOCATION:Oslo, Norway")).
			sends("paul", "REQUEST", after),
		conversation("object-escaped", "Commas and semicolons that are escaped, as they should be.").
			sends("paul", "REQUEST", event(meeting, `SUMMARY:Lunch\, then work\; then home`)).
			sends("paul", "REQUEST", after),
		conversation("deviation-line-break", "A SUMMARY with a line break, and the next message for the same user.").
			deviates("control-characters-in-tables").
			sends("paul", "REQUEST", event(meeting, `SUMMARY:First line\nsecond line`)).
			sends("paul", "REQUEST", after),
		conversation("deviation-tab", "A SUMMARY with a TAB, and the next message for the same user.").
			deviates("control-characters-in-tables").
			sends("paul", "REQUEST", event(meeting, "SUMMARY:Before\tafter")).
			sends("paul", "REQUEST", after),
		conversation("deviation-backslash", "Escaped backslashes, and backslashes before other letters.").
			deviates("escaped-backslash").
			sends("paul", "REQUEST", event(meeting, `SUMMARY:C:\\new\\Notes and \N more`)),
		conversation("deviation-line-separator", "Characters that Unicode takes for line breaks, within text.").
			deviates("line-separators").
			sends("paul", "REQUEST", event(meeting, "SUMMARY:Before\u2028after\nDESCRIPTION:NEL\u0085and VT\vhere")).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1")),

		// Rules.
		conversation("deviation-by-lists", "Every week on three days, and every year in two months.").
			deviates("lists-in-rules").
			prefers("paul", "window_size", "400").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=WEEKLY;BYDAY=WE,FR,MO;COUNT=7")).
			sends("paul", "REQUEST", event(meeting, oslo, "UID:yearly\nRRULE:FREQ=YEARLY;BYMONTH=1,12;BYDAY=1WE;COUNT=4")),
		conversation("deviation-until-date", "UNTIL as a date, for an event of whole days.").
			deviates("until-date").
			sends("paul", "REQUEST", event(meeting, days, "RRULE:FREQ=DAILY;UNTIL=20261205")),
		conversation("deviation-until-date-zoned", "UNTIL as a date, for an event with times.").
			deviates("until-date").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=DAILY;UNTIL=20261205")),
		conversation("rule-until-floating", "UNTIL without a zone, for an event in a zone.").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=DAILY;UNTIL=20261205T090000")),
		conversation("deviation-until-floating-floating", "UNTIL without a zone, for a floating event.").
			deviates("until-floating").
			prefers("paul", "TZID", "Europe/Oslo").
			sends("paul", "REQUEST", event(meeting, floating, "RRULE:FREQ=DAILY;UNTIL=20261205T090000")),
		conversation("deviation-bysetpos", "BYSETPOS: the last working day of the month.").
			deviates("bysetpos").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3\nDTSTART;TZID=Europe/Oslo:20261130T090000\nDTEND;TZID=Europe/Oslo:20261130T100000")),
		conversation("deviation-byweekno", "BYWEEKNO: Wednesday of the 49th week.").
			deviates("byweekno").
			prefers("paul", "window_size", "800").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=YEARLY;BYWEEKNO=49;BYDAY=WE;COUNT=3")),
		conversation("deviation-month-without-31st", "Every month on the 31st.").
			deviates("months-without-the-day").
			prefers("paul", "window_size", "300").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=MONTHLY;COUNT=4\nDTSTART;TZID=Europe/Oslo:20261231T090000\nDTEND;TZID=Europe/Oslo:20261231T100000")),
		conversation("deviation-29-february", "Every year on 29 February.").
			deviates("months-without-the-day").
			prefers("paul", "window_size", "3000").
			sends("paul", "REQUEST", event(meeting, "RRULE:FREQ=YEARLY;COUNT=2\nDTSTART:20280229T090000Z\nDTEND:20280229T100000Z")),
		conversation("deviation-byhour", "Every day at two times.").
			deviates("lists-in-rules").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=DAILY;BYHOUR=9,15;COUNT=4")),
		conversation("deviation-wkst", "Every second week on Sunday and Monday, in weeks that begin on Sunday.").
			deviates("week-start").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU;COUNT=4\nDTSTART;TZID=Europe/Oslo:20261206T090000\nDTEND;TZID=Europe/Oslo:20261206T100000")),
		conversation("rule-start-left-out", "The start is not on a day of the rule: it is no occurrence.").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=3")),
		conversation("deviation-gap", "Every day at a time that summer time skips on one of them, and repeats on another.").
			deviates("times-that-come-twice").
			prefers("paul", "window_size", "400").
			sends("paul", "REQUEST", event(meeting, "RRULE:FREQ=DAILY;COUNT=3\nDTSTART;TZID=Europe/Oslo:20270327T023000\nDTEND;TZID=Europe/Oslo:20270327T033000")).
			sends("paul", "REQUEST", event(meeting, "UID:twice\nRRULE:FREQ=DAILY;COUNT=3\nDTSTART;TZID=Europe/Oslo:20271030T023000\nDTEND;TZID=Europe/Oslo:20271030T024500")),
		conversation("deviation-limits", "Every month, but only in January.").
			deviates("months-that-a-rule-leaves-out").
			sends("paul", "REQUEST", event(meeting, oslo, "RRULE:FREQ=MONTHLY;BYMONTH=1;COUNT=2")).
			prefers("paul", "window_size", "300"),
		conversation("rule-length", "Occurrences of a day and a half across the change to summer time keep their exact length.").
			prefers("paul", "window_size", "400").
			sends("paul", "REQUEST", event(meeting, "RRULE:FREQ=DAILY;COUNT=3\nDTSTART;TZID=Europe/Oslo:20270326T200000\nDTEND;TZID=Europe/Oslo:20270327T200000")),

		// Properties.
		conversation("deviation-duplicates", "Properties that may occur once occur twice.").
			deviates("duplicate-properties").
			sends("paul", "REQUEST", event(meeting, "DTSTART:20261202T090000Z\nDTSTART:20261203T090000Z\nDTEND:20261202T100000Z\nDTEND:20261203T100000Z\nSUMMARY:One\nSUMMARY:Two\nSEQUENCE:1\nSEQUENCE:2")).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:3")),
		conversation("deviation-duplicate-uid", "UID occurs twice.").
			deviates("duplicate-properties").
			sends("paul", "REQUEST", event(meeting, "UID:one\nUID:two")),
		conversation("deviation-no-end", "Neither DTEND nor DURATION: a date-time has no length, a date is one day.").
			deviates("neither-end-nor-duration").
			sends("paul", "REQUEST", event(meeting, "-DTEND")).
			sends("paul", "REQUEST", event(meeting, "UID:day\n-DTEND\nDTSTART;VALUE=DATE:20261202")),
		conversation("deviation-components", "Components inside the event that are not alarms; and the event again.").
			deviates("unknown-components").
			sends("paul", "REQUEST", event(meeting, "BEGIN:VLOCATION\nUID:place\nNAME:Oslo\nEND:VLOCATION")).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1")),
		conversation("deviation-attachment", "An attachment in the event is kept as it is.").
			deviates("attachments").
			sends("paul", "REQUEST", event(meeting, "ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY:SGVsbG8=")),
		conversation("deviation-lower-case", "Names of properties and components in lower case.").
			deviates("lower-case-names").
			mails(strings.NewReplacer("BEGIN:VEVENT", "begin:vevent", "END:VEVENT", "end:vevent", "DTSTART", "dtstart", "DTEND", "DtEnd", "UID:", "uid:").
				Replace(string(mailFrom("paul", "REQUEST", event(meeting))))),
		conversation("deviation-param-without-value", "A parameter without a value.").
			deviates("parameters-without-value").
			sends("paul", "REQUEST", event(meeting, "ATTENDEE;RSVP;PARTSTAT=NEEDS-ACTION:@vincent")).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1")),
		conversation("deviation-windows-zone", "A time zone by the name that Outlook has for it.").
			deviates("time-zone-names").
			sends("paul", "REQUEST", event(meeting, "DTSTART;TZID=W. Europe Standard Time:20261202T090000\nDTEND;TZID=W. Europe Standard Time:20261202T100000")),
		conversation("deviation-prefixed-zone", "A time zone with a prefix before its name.").
			deviates("time-zone-names").
			sends("paul", "REQUEST", event(meeting, "DTSTART;TZID=/mozilla.org/20050126_1/Europe/Oslo:20261202T090000\nDTEND;TZID=/mozilla.org/20050126_1/Europe/Oslo:20261202T100000")),
		conversation("deviation-unknown-zone", "A time zone that nobody knows: as floating.").
			deviates("time-zone-names").
			prefers("paul", "TZID", "Europe/Oslo").
			sends("paul", "REQUEST", event(meeting, "DTSTART;TZID=Nowhere:20261202T090000\nDTEND;TZID=Nowhere:20261202T100000")),

		// Methods.
		conversation("deviation-cancel-nobody", "A CANCEL without attendees cancels the event.").
			deviates("cancel-without-attendees").
			sends("paul", "REQUEST", event(meeting)).
			sends("paul", "CANCEL", event("UID:meeting\nSEQUENCE:1\nORGANIZER:@paul")),
		conversation("deviation-cancel-nobody-published", "A published event is cancelled: it has no attendees.").
			deviates("cancel-without-attendees").
			sends("paul", "PUBLISH", event(meeting, "-ATTENDEE")).
			sends("paul", "CANCEL", event(meeting, "-ATTENDEE\nSEQUENCE:1")),
		conversation("deviation-cancel-occurrence-nobody", "A CANCEL of an occurrence, without attendees.").
			deviates("cancel-without-attendees").
			sends("paul", "REQUEST", series).
			sends("paul", "CANCEL", event("UID:meeting\nSEQUENCE:1\nORGANIZER:@paul\nRECURRENCE-ID;TZID=Europe/Oslo:20261209T090000")),
		conversation("deviation-reply-east", "A reply for an occurrence of an event in a zone east of UTC.").
			deviates("reply-to-occurrence-east-of-utc").
			receives("vincent", "paul", "REQUEST", event(three, oslo, weekly)).
			sends("vincent", "REPLY", event(meeting, oslo, weekly, accepted)).
			sends("vincent", "REPLY", event(meeting, declined, `
				RECURRENCE-ID;TZID=Europe/Oslo:20261209T090000
				DTSTART;TZID=Europe/Oslo:20261209T090000
				DTEND;TZID=Europe/Oslo:20261209T100000`)),
		conversation("deviation-reply-without-times", "A reply without the times of the event that is stored.").
			deviates("reply-without-times").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "REPLY", event("UID:meeting\nSEQUENCE:0\nORGANIZER:@paul", accepted)),
		conversation("deviation-several-counters", "An event that several others have made counter-proposals to is sent again.").
			deviates("several-counter-proposals").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "COUNTER", event(meeting, "ATTENDEE;PARTSTAT=TENTATIVE:@vincent\nDTSTART:20261203T130000Z\nDTEND:20261203T140000Z")).
			receives("paul", "harvey", "COUNTER", event(meeting, "ATTENDEE;PARTSTAT=TENTATIVE:@harvey\nDTSTART:20261204T130000Z\nDTEND:20261204T140000Z")).
			sends("paul", "REQUEST", event(three, "SEQUENCE:1")),
		conversation("deviation-expired-offer", "A counter-proposal when one offer has expired and another has not.").
			deviates("expired-offer").
			prefers("vincent", "freebusy_offers", "PT2H").
			receives("vincent", "paul", "REQUEST", event(three)).
			receives("vincent", "paul", "REQUEST", event(three, "UID:second")).
			receives("vincent", "paul", "REQUEST", event(three, "UID:third")).
			sends("vincent", "COUNTER", event(meeting, tentative, "DTSTART:20261203T130000Z\nDTEND:20261203T140000Z")).
			at("2026-11-22 13:30:00").
			sends("vincent", "COUNTER", event(meeting, tentative, "UID:second\nDTSTART:20261204T130000Z\nDTEND:20261204T140000Z")).
			at("2026-11-22 14:30:00").
			sends("vincent", "COUNTER", event(meeting, tentative, "UID:third\nDTSTART:20261205T130000Z\nDTEND:20261205T140000Z")),
		conversation("deviation-recurrence-first", "A message has a changed occurrence before the event that it is of.").
			deviates("recurrences-before-their-event").
			sends("paul", "REQUEST", event(meeting, "RECURRENCE-ID;TZID=Europe/Oslo:20261209T090000\nDTSTART;TZID=Europe/Oslo:20261209T130000\nDTEND;TZID=Europe/Oslo:20261209T150000"), series),

		// Mails.
		conversation("deviation-method-case", "METHOD in lower case.").
			deviates("method-in-lower-case").
			mails(strings.Replace(string(mailFrom("paul", "REQUEST", event(meeting))), "METHOD:REQUEST", "METHOD:request", 1)),
		conversation("deviation-method-parameter", "The part's method is not the calendar's.").
			deviates("method-parameter-differs").
			mails(strings.Replace(string(mailFrom("paul", "REQUEST", event(meeting))), "method=REQUEST", "method=PUBLISH", 1)),
		conversation("deviation-method-parameter-counter", "Google labels a COUNTER as REPLY.").
			deviates("method-parameter-differs").
			prefers("vincent", "freebusy_offers", "PT2H").
			receives("vincent", "paul", "REQUEST", event(three)).
			mails(strings.Replace(string(mailFrom("vincent", "COUNTER",
				event(meeting, "ATTENDEE;PARTSTAT=TENTATIVE:@vincent\nDTSTART:20261203T130000Z\nDTEND:20261203T140000Z"))), "method=COUNTER", "method=REPLY", 1)),
		conversation("deviation-charset", "The part says it is US-ASCII, or in a charset that nobody knows, but it is UTF-8.").
			deviates("wrong-charset").
			mails(strings.Replace(string(mailFrom("paul", "REQUEST", event(meeting, "SUMMARY:Møte"))), "charset=utf-8", "charset=us-ascii", 1)).
			mails(strings.Replace(string(mailFrom("paul", "REQUEST", event(meeting, "UID:unknown\nSUMMARY:Møte"))), "charset=utf-8", "charset=x-nowhere", 1)),
		conversation("deviation-charset-latin1", "The part says it is UTF-8, but it is ISO 8859-1.").
			deviates("wrong-charset").
			mails(strings.NewReplacer("8bit", "quoted-printable", "=", "=3D", "ø", "=F8", "charset=", "charset=", "method=", "method=").
				Replace(string(mailFrom("paul", "REQUEST", event(meeting, "SUMMARY:Møte"))))),
		conversation("mail-from-comma", "A comma in the sender's name.").
			mails(strings.Replace(string(mailFrom("paul", "REQUEST", event(meeting))), "From: paul.boddie@example.com", `From: "Boddie, Paul" <paul.boddie@example.com>`, 1)),
		conversation("mail-copy", "One event as two parts of one mail, the second with a lower version.").
			mails(strings.Replace(string(mailFrom("paul", "REQUEST", event(meeting))), "Content-Type: text/calendar; charset=utf-8; method=REQUEST\nContent-Transfer-Encoding: 8bit\n",
				"Content-Type: multipart/mixed; boundary=\"=_1\"\n\n--=_1\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\n", 1) +
				"--=_1\nContent-Type: application/ics; name=invite.ics; method=REQUEST\n\n" +
				compat.Calendar("REQUEST", compat.Minutes(0), event(meeting)) + "--=_1--\n"),
	}
}
