package main

import (
	"strings"

	"imip-agent/tests/compat"
)

// messages are about how an event is wrapped up in a mail, and what an object
// may hold.
func messages() []*builder {
	// calendar is one REQUEST as text.
	calendar := func(blocks ...any) string {
		return compat.Calendar("REQUEST", compat.Minutes(0), event(append([]any{meeting}, blocks...)...))
	}
	mail := func(header, body string) string {
		return "From: Paul Boddie <paul.boddie@example.com>\nTo: vincent.vole@example.com\nSubject: Project meeting\nMIME-Version: 1.0\n" +
			header + "\n\n" + body
	}
	return []*builder{
		conversation("mail-alternative", "The calendar is one part beside a text, in a multipart/alternative.").
			mails(mail(`Content-Type: multipart/alternative; boundary="=_1"`, `--=_1
Content-Type: text/plain; charset=utf-8

You are invited.
--=_1
Content-Type: text/calendar; charset=utf-8; method=REQUEST

`+calendar()+`--=_1--
`)),

		conversation("mail-types", "text/x-vcalendar and application/ics are calendars too; a part without a method parameter is only a file.").
			mails(mail("Content-Type: text/x-vcalendar; method=REQUEST", calendar("UID:vcalendar"))).
			mails(mail(`Content-Type: application/ics; name="invite.ics"; method="REQUEST"`, calendar("UID:ics"))).
			mails(mail("Content-Type: text/calendar; charset=utf-8", calendar("UID:file"))).
			mails(mail("Content-Type: text/plain; method=REQUEST", calendar("UID:text"))),

		conversation("mail-two-calendars", "Two calendar parts in one mail, one of them in a mail that is forwarded.").
			deviates("enclosed-messages").
			mails(mail(`Content-Type: multipart/mixed; boundary="=_1"`, `--=_1
Content-Type: text/calendar; method=REQUEST

`+calendar("UID:first")+`--=_1
Content-Type: message/rfc822

From: somebody@example.com
MIME-Version: 1.0
Content-Type: text/calendar; method=REQUEST

`+calendar("UID:forwarded")+`--=_1--
`)),

		conversation("mail-bounce", "A mail with a message/delivery-status part is a bounce: nothing in it counts.").
			mails(mail(`Content-Type: multipart/report; report-type=delivery-status; boundary="=_1"`, `--=_1
Content-Type: message/delivery-status

Reporting-MTA: dns; example.com

Final-Recipient: rfc822; vincent.vole@example.com
Action: failed
Status: 5.1.1

--=_1
Content-Type: text/calendar; method=REQUEST

`+calendar()+`--=_1--
`)),

		conversation("mail-base64", "Base64 and quoted-printable.").
			mails(mail("Content-Type: text/calendar; charset=utf-8; method=REQUEST\nContent-Transfer-Encoding: base64",
				base64Lines(calendar("UID:base64\nSUMMARY:Møte på torget")))).
			mails(mail("Content-Type: text/calendar; charset=utf-8; method=REQUEST\nContent-Transfer-Encoding: quoted-printable",
				strings.ReplaceAll(strings.ReplaceAll(calendar("UID:quoted\nSUMMARY:Møte på torget"), "=", "=3D"), "ø", "=C3=B8"))),

		conversation("mail-latin1", "The text is in the charset that the part says it is in.").
			mails(mail("Content-Type: text/calendar; charset=iso-8859-1; method=REQUEST\nContent-Transfer-Encoding: quoted-printable",
				strings.NewReplacer("=", "=3D", "ø", "=F8").Replace(calendar("SUMMARY:Møte")))),

		conversation("mail-nothing", "A mail without a calendar is nothing to do.").
			mails(mail("Content-Type: text/plain", "Hello.\n")),

		conversation("mail-several-senders", "The first address in From is the user; Sender and Reply-To do not count.").
			mails(strings.Replace(mail("Content-Type: text/calendar; method=REQUEST\nSender: secretary@example.com\nReply-To: harvey.horse@example.com", calendar()),
				"From: Paul Boddie <paul.boddie@example.com>", "From: paul.boddie@example.com, vincent.vole@example.com", 1)),

		conversation("several-events", "Two events in one message.").
			sends("paul", "REQUEST", event(meeting), event(meeting, oslo, "UID:other\nSUMMARY:Another meeting")),

		conversation("several-users", "Messages of several users: each has records of their own.").
			sends("paul", "REQUEST", event(meeting)).
			sends("vincent", "REQUEST", event(meeting, "UID:his\nORGANIZER:@vincent\nATTENDEE:@paul")).
			sends("harvey", "PUBLISH", event(meeting, "UID:open\nORGANIZER:@harvey\n-ATTENDEE")),

		conversation("other-components", "Tasks, journals and free/busy change nothing.").
			mails(mail("Content-Type: text/calendar; method=REQUEST", `BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example.com//conversation//EN
METHOD:REQUEST
BEGIN:VTODO
UID:task
DTSTAMP:20261120T120000Z
DTSTART:20261202T090000Z
DUE:20261202T100000Z
SUMMARY:A task
ORGANIZER:mailto:paul.boddie@example.com
END:VTODO
BEGIN:VFREEBUSY
UID:busy
DTSTAMP:20261120T120000Z
DTSTART:20261202T090000Z
DTEND:20261203T090000Z
ORGANIZER:mailto:paul.boddie@example.com
ATTENDEE:mailto:vincent.vole@example.com
END:VFREEBUSY
END:VCALENDAR
`)),

		conversation("timezone-component", "A VTIMEZONE beside the event is not stored.").
			mails(mail("Content-Type: text/calendar; method=REQUEST", strings.Replace(calendar(oslo), "BEGIN:VEVENT", `BEGIN:VTIMEZONE
TZID:Europe/Oslo
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT`, 1))),

		conversation("object-properties", "Unknown properties and parameters, attachments, categories and alarms are kept.").
			sends("paul", "REQUEST", event(meeting, `
				X-EXAMPLE-COLOUR;X-SHADE=dark:blue
				CATEGORIES:WORK,PROJECT
				ATTACH:https://example.com/agenda.pdf
				GEO:59.91;10.75
				URL:https://example.com/?a=b&c=d
				CLASS:PRIVATE
				PRIORITY:5
				STATUS:CONFIRMED
				LOCATION:Oslo
				BEGIN:VALARM
				TRIGGER:-PT15M
				ACTION:DISPLAY
				DESCRIPTION:Soon
				END:VALARM
				BEGIN:VALARM
				TRIGGER;VALUE=DATE-TIME:20261202T080000Z
				ACTION:AUDIO
				END:VALARM`)),

		conversation("object-text", "UTF-8, escaped text and long lines.").
			sends("paul", "REQUEST", event(meeting, `
				SUMMARY:Møte på torget – ☕ and 日本語のとても長い要約文がここにあり、七十五オクテットを超えるので折り返されます
				DESCRIPTION:One line\nand another one with a backslash that is long enough to be folded somewhere in the middle of it
				LOCATION:Room 5`)),

		conversation("object-params", "Quoted parameters: delegation, SENT-BY, MEMBER, DIR, ALTREP, and CN with separators in it.").
			sends("paul", "REQUEST", event(meeting, `
				ORGANIZER;CN="Boddie, Paul; the organizer: himself";SENT-BY="@simon";DIR="ldap://example.com/cn=paul":@paul
				ATTENDEE;CN=Vincent;DELEGATED-TO="@harvey","@simon";PARTSTAT=DELEGATED;RSVP=FALSE:@vincent
				ATTENDEE;CN=Harvey;DELEGATED-FROM="@vincent";MEMBER="mailto:team@example.com";PARTSTAT=NEEDS-ACTION:@harvey
				DESCRIPTION;ALTREP="https://example.com/description";LANGUAGE=en:A meeting`)),

		conversation("object-mailto-case", "Any spelling of mailto; and addresses keep their case.").
			sends("paul", "REQUEST", event(meeting, "ORGANIZER:MAILTO:paul.boddie@example.com\nATTENDEE;PARTSTAT=ACCEPTED:Mailto:Paul.Boddie@example.com\nATTENDEE;PARTSTAT=ACCEPTED:MAILTO:paul.boddie@example.com")),
	}
}
