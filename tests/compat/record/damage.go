package main

import (
	"strings"
)

// damage is what the original chokes on: names that are no file names, calendars
// that cannot be read, tables that are damaged.
func damage() []*builder {
	after := event(meeting, "UID:after\nDTSTART:20270101T090000Z\nDTEND:20270101T100000Z")
	uid := func(name, about, uid string) *builder {
		return conversation("uid-"+name, about).deviates("unsafe-uid").
			sends("paul", "REQUEST", event(meeting, "UID:"+uid)).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1\nUID:"+uid))
	}
	table := "20261130T090000Z\t20261130T100000Z\tbefore\tOPAQUE\t\tBefore\tmailto:paul.boddie@example.com\n"
	damaged := func(name, about, lines string) *builder {
		return conversation("damaged-"+name, about).deviates("damaged-tables").
			has("paul", "freebusy", table+lines).
			sends("paul", "REQUEST", event(meeting))
	}
	return []*builder{
		uid("slash", "A UID with a slash.", "a/b"),
		uid("dot", "The UID '.'.", "."),
		uid("dots", "A UID that leads out of the directory.", "../freebusy"),
		uid("long", "A UID of 300 characters.", strings.Repeat("0123456789", 30)),
		uid("prefix", "A UID that begins as ours do for such UIDs.", "__uid__x"),
		conversation("uid-odd", "UIDs with spaces, quotes, percent signs and non-ASCII letters are file names as they are.").
			sends("paul", "REQUEST", event(meeting, `UID:a b "c" %41 $(d) & é*?`)).
			sends("paul", "CANCEL", event(meeting, `SEQUENCE:1`, `UID:a b "c" %41 $(d) & é*?`)),
		conversation("uid-comma", "A UID with an unescaped comma.").deviates("unescaped-separators").
			sends("paul", "REQUEST", event(meeting, `UID:a,b`)),
		conversation("uid-none", "An event without UID.").deviates("no-uid").
			sends("paul", "REQUEST", event(meeting, `-UID`), after),

		damaged("line-break", "A record with a line break in its summary.",
			"20261201T090000Z\t20261201T100000Z\tbroken\tOPAQUE\t\tFirst line\nsecond line\tmailto:paul.boddie@example.com\n"),
		damaged("tab", "A record with a TAB in its summary.",
			"20261201T090000Z\t20261201T100000Z\tbroken\tOPAQUE\t\tBefore\tafter\tmailto:paul.boddie@example.com\n"),
		damaged("short", "A record with too few columns, and an empty line.",
			"20261201T090000Z\t20261201T100000Z\tshort\n\n"),
		damaged("time", "A record whose time is none.",
			"tomorrow\t20261201T100000Z\tbroken\tOPAQUE\t\tSummary\tmailto:paul.boddie@example.com\n"),
		damaged("encoding", "A record that is not UTF-8.",
			"20261201T090000Z\t20261201T100000Z\tbroken\tOPAQUE\t\tM\xf8te\tmailto:paul.boddie@example.com\n"),
		conversation("damaged-object", "The stored object cannot be read.").deviates("damaged-objects").
			has("paul", "objects/meeting", "BEGIN:VEVENT\nUID:meeting\nSEQUENCE").
			sends("paul", "REQUEST", event(meeting)),
		conversation("damaged-requests", "A request queue with a line that is none.").deviates("damaged-tables").
			has("paul", "requests", "a\tb\tc\td\te\nmeeting\n\nother\t\t\n").
			sends("paul", "REQUEST", event(meeting)),

		conversation("rejected-calendar", "A calendar that stops within an event.").deviates("unreadable-calendars").
			mails(strings.Replace(string(mailFrom("paul", "REQUEST", event(meeting))), "END:VEVENT\nEND:VCALENDAR\n", "", 1)),
		conversation("rejected-text", "A calendar part that is no calendar.").deviates("unreadable-calendars").
			mails("From: paul.boddie@example.com\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST\n\nHello.\n"),
		conversation("rejected-method", "A method that iTIP does not know.").deviates("unknown-methods").
			sends("paul", "INVITE", event(meeting)),
		conversation("rejected-start", "A DTSTART that cannot be read, beside an event that can.").deviates("unreadable-times").
			sends("paul", "REQUEST", event(meeting, "DTSTART:tomorrow"), after),
		conversation("unreadable-rule", "A rule that cannot be read: the event happens once.").
			sends("paul", "REQUEST", event(meeting, "RRULE:FREQ=OFTEN")),
		conversation("unreadable-rules", "Rules that make no sense, or have something in them that does not.").deviates("unreadable-rules").
			sends("paul", "REQUEST", event(meeting, "RRULE:FREQ=DAILY;INTERVAL=0;COUNT=3")).
			sends("paul", "REQUEST", event(meeting, "UID:day\nRRULE:FREQ=WEEKLY;BYDAY=XX;COUNT=3")).
			sends("paul", "REQUEST", event(meeting, "UID:count\nRRULE:FREQ=DAILY;COUNT=many")).
			sends("paul", "REQUEST", event(meeting, "UID:month\nRRULE:FREQ=YEARLY;BYMONTH=13;COUNT=2")),
		conversation("rejected-user", "A sender whose address is no file name.").deviates("users-as-directories").
			sends("paul/../vincent@example.com", "REQUEST", event(meeting)),
		conversation("before-1900", "An event before 1900.").deviates("before-1900").
			sends("paul", "REQUEST", event(meeting, "DTSTART:18991231T090000Z\nDTEND:18991231T100000Z")).
			sends("paul", "REQUEST", after),
		conversation("ends-before-start", "An event that ends before it starts.").deviates("ends-before-start").
			sends("paul", "REQUEST", event(meeting, "DTEND:20261202T080000Z")),
	}
}
