package main

import (
	"strings"

	"imip-agent/tests/compat"
)

// spellings are the many ways to write one thing, right and wrong, of which the
// original reads some.
func spellings() []*builder {
	const contentType = "Content-Type: text/calendar; charset=utf-8; method=REQUEST"
	// mail is an invitation with a UID of its own, in which something is replaced.
	mail := func(uid string, oldNew ...string) string {
		text := string(mailFrom("paul", "REQUEST", event(meeting, "UID:"+uid+"\nSUMMARY:Møte")))
		for i := 0; i < len(oldNew); i += 2 {
			if !strings.Contains(text, oldNew[i]) {
				panic("no " + oldNew[i] + " in the mail")
			}
			text = strings.Replace(text, oldNew[i], oldNew[i+1], 1)
		}
		return text
	}
	const from = "From: paul.boddie@example.com"
	each := func(b *builder, mails ...string) *builder {
		for _, m := range mails {
			b.mails(m)
		}
		return b
	}
	encoded := func(uid, encoding, contents string) string {
		head, _, _ := strings.Cut(mail(uid, "8bit", encoding), "\n\n")
		return head + "\n\n" + contents
	}
	calendar := func(uid string) string {
		return compat.Calendar("REQUEST", compat.Minutes(0), event(meeting, "UID:"+uid))
	}
	return []*builder{
		// Mails.
		each(conversation("broken-senders", "Names and addresses in From in other orders, or with marks missing.").deviates("broken-senders"),
			mail("comma", from, "From: Boddie, Paul <paul.boddie@example.com>"),
			mail("no-marks", from, "From: Paul Boddie paul.boddie@example.com"),
			mail("address-as-name", from, "From: paul@example.net <paul.boddie@example.com>"),
			mail("mailto", from, "From: <mailto:paul.boddie@example.com>"),
			mail("twice", from, "From: <<paul.boddie@example.com>>"),
			mail("utf-8", from, "From: Paul <pål.boddie@example.com>")),
		each(conversation("broken-headers", "Other lines that do not belong into a header.").deviates("broken-headers"),
			mail("space", "Subject: ", "Subject : "),
			mail("quoted", from, ">From paul Sun Nov 22 12:00:00 2026\n"+from),
			mail("blank", "Subject: REQUEST\n", "Subject: REQUEST\n \n"),
			mail("no-blank", "8bit\n\n", "8bit\n")),
		each(conversation("broken-media-types", "Other spellings of the media type.").deviates("broken-media-types"),
			mail("comment", contentType, "Content-Type: text/calendar (an invitation); method=REQUEST"),
			mail("extended", contentType, "Content-Type: text/calendar; charset=utf-8; method*=us-ascii''REQUEST"),
			mail("twice", contentType, "Content-Type: text/plain\n"+contentType)),
		each(conversation("broken-encodings", "Base64 with something in it that is none, and quoted-printable with spaces before a line break.").deviates("wrong-encoding"),
			encoded("junk", "base64", strings.Replace(base64Lines(calendar("junk")), "\n", "\n*** junk ***\n", 1)),
			encoded("padding", "base64", base64Lines(calendar("padding")[:40])+base64Lines(calendar("padding")[40:])),
			encoded("space", "quoted-printable", strings.Replace(strings.ReplaceAll(calendar("space"), "=", "=3D"), "Project", "Pro= \nject", 1))),
		each(conversation("broken-charsets", "UTF-8 with a mark, and UTF-16 without.").deviates("wrong-charset"),
			mail("mark", "BEGIN:VCALENDAR", "\ufeffBEGIN:VCALENDAR"),
			encoded("utf-16", "base64", base64Lines(utf16(calendar("utf-16")))),
			strings.Replace(encoded("utf-16", "base64", base64Lines(utf16(calendar("utf-16")))), "charset=utf-8", "charset=utf-16", 1)),

		// Addresses.
		conversation("spelling-of-mailto", "Addresses without mailto, and mailto in upper case, also of the organizer in an attendee's CANCEL.").deviates("spelling-of-mailto").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "CANCEL", event(meeting, "SEQUENCE:1\nORGANIZER:MAILTO:paul.boddie@example.com\nATTENDEE;PARTSTAT=ACCEPTED:@paul")).
			sends("paul", "REQUEST", event(meeting, "ORGANIZER:paul.boddie@example.com\nATTENDEE;PARTSTAT=ACCEPTED:paul.boddie@example.com")).
			sends("paul", "REQUEST", event(meeting, "UID:space\nORGANIZER: mailto:paul.boddie@example.com")),
		conversation("cancel-without-organizer", "An attendee's CANCEL that does not name the organizer.").deviates("cancel-without-organizer").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "CANCEL", event(meeting, "SEQUENCE:1\n-ORGANIZER\nATTENDEE;PARTSTAT=ACCEPTED:@paul")),
		conversation("cancel-other-organizer", "An attendee's CANCEL names another organizer, whose free/busy it is about then.").
			receives("vincent", "paul", "REQUEST", event(three)).
			sends("vincent", "CANCEL", event(meeting, "SEQUENCE:1\nORGANIZER:@simon\nATTENDEE;PARTSTAT=ACCEPTED:@paul")),
		conversation("attendee-twice", "Attendees who are named twice: the last one counts, and is left when the attendees change.").
			sends("paul", "REQUEST", event(meeting, weekly, "ATTENDEE;PARTSTAT=ACCEPTED;CN=A:@paul\nATTENDEE;CN=B:@paul\nATTENDEE;CN=C:@harvey\nATTENDEE;CN=D:@harvey\nATTENDEE;CN=E:@vincent")).
			sends("paul", "CANCEL", event(meeting, "SEQUENCE:1\nATTENDEE:@vincent")).
			receives("vincent", "paul", "REQUEST", event(meeting, weekly, "ATTENDEE;PARTSTAT=NEEDS-ACTION;CN=A:@vincent\nATTENDEE;PARTSTAT=NEEDS-ACTION;CN=B:@vincent\nATTENDEE:@paul")).
			sends("vincent", "REPLY", event(meeting, weekly, "ATTENDEE;PARTSTAT=ACCEPTED:@vincent\nATTENDEE;PARTSTAT=DECLINED:@vincent")).
			sends("vincent", "REPLY", event(meeting, weekly, "ATTENDEE;PARTSTAT=DECLINED:@vincent\nATTENDEE;PARTSTAT=ACCEPTED:@vincent")),

		conversation("decline-without-attendees", "A DECLINECOUNTER that names nobody: no counter-proposal is declined.").deviates("decline-without-attendees").
			sends("paul", "REQUEST", event(three)).
			receives("paul", "vincent", "COUNTER", event(meeting, "ATTENDEE;PARTSTAT=TENTATIVE:@vincent\nDTSTART:20261203T130000Z\nDTEND:20261203T140000Z")).
			sends("paul", "DECLINECOUNTER", event(meeting, "-ATTENDEE")),
		conversation("add-with-recurrence-id", "ADD with a RECURRENCE-ID, of what is stored, and of what is not.").deviates("add-with-recurrence-id").
			sends("paul", "REQUEST", event(meeting, weekly)).
			sends("paul", "ADD", event(meeting, "SEQUENCE:1\nRECURRENCE-ID:20261220T090000Z\nDTSTART:20261220T090000Z\nDTEND:20261220T100000Z")).
			sends("paul", "REQUEST", event(meeting, "SEQUENCE:1\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261209T110000Z\nDTEND:20261209T120000Z")).
			sends("paul", "ADD", event(meeting, "SEQUENCE:2\nRECURRENCE-ID:20261209T090000Z\nDTSTART:20261222T090000Z\nDTEND:20261222T100000Z")),

		// Values.
		conversation("quoted-parameters", "Quotes around values that need none, and none around addresses.").deviates("quoted-parameters").
			sends("paul", "REQUEST", event(meeting, `DTSTART;TZID="Europe/Oslo":20261202T090000`, `DTEND;TZID="Europe/Oslo":20261202T100000`)).
			sends("paul", "REQUEST", event(three, "UID:reply")).
			sends("paul", "REPLY", event(three, "UID:reply", `ATTENDEE;PARTSTAT="DECLINED":@paul`)).
			sends("paul", "REQUEST", event(meeting, "UID:day", `DTSTART;VALUE="DATE":20261202`, `DTEND;VALUE="DATE":20261203`)).
			receives("vincent", "paul", "REQUEST", event(three, "UID:delegated")).
			sends("vincent", "REPLY", event(meeting, "UID:delegated\nATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=mailto:simon.skunk@example.com:@vincent\nATTENDEE;DELEGATED-FROM=mailto:vincent.vole@example.com:@simon")),
		conversation("seconds-in-rules", "Every day at a second that the rule names.").deviates("seconds-in-rules").
			sends("paul", "REQUEST", event(meeting, "RRULE:FREQ=DAILY;BYSECOND=0;COUNT=2")),
		conversation("limits-by-days", "Every day or week, but only in one month or on one day of the month.").deviates("months-that-a-rule-leaves-out").
			sends("paul", "REQUEST", event(meeting, "RRULE:FREQ=DAILY;BYMONTH=12;COUNT=3")).
			sends("paul", "REQUEST", event(meeting, "UID:day\nRRULE:FREQ=DAILY;BYMONTHDAY=5;COUNT=3")).
			sends("paul", "REQUEST", event(meeting, "UID:week\nRRULE:FREQ=WEEKLY;BYMONTH=1;COUNT=3")),
		conversation("lower-case-values", "Participation and transparency in lower case, and a reply that declines.").deviates("lower-case-values").
			sends("paul", "REQUEST", event(three, "ATTENDEE;PARTSTAT=accepted:@paul\nTRANSP:transparent")).
			sends("paul", "REPLY", event(three, "ATTENDEE;PARTSTAT=declined:@paul")),
		conversation("transparency-values", "A transparency that there is not.").deviates("transparency-values").
			sends("paul", "REQUEST", event(three, "TRANSP:SEMITRANSPARENT")),
		conversation("no-length", "A DURATION of no length, and a DTEND that is the start.").deviates("neither-end-nor-duration").
			sends("paul", "REQUEST", event(meeting, "-DTEND\nDURATION:PT0S")).
			sends("paul", "REQUEST", event(meeting, "UID:end\nDTEND:20261202T090000Z")),
		conversation("zone-newer", "A time zone whose name is newer than the original's data, and UTC as one.").deviates("time-zone-names").
			sends("paul", "REQUEST", event(meeting, "DTSTART;TZID=Europe/Kyiv:20261202T090000\nDTEND;TZID=Europe/Kyiv:20261202T100000")).
			sends("paul", "REQUEST", event(meeting, "UID:utc\nDTSTART;TZID=UTC:20261202T090000\nDTEND;TZID=UTC:20261202T100000")),
		conversation("summer-time-after-2037", "Summer time, far in the future.").deviates("summer-time-after-2037").
			sends("paul", "REQUEST", event(meeting, "DTSTART;TZID=Europe/Oslo:20450702T090000\nDTEND;TZID=Europe/Oslo:20450702T100000")),
		conversation("until-for-dates", "UNTIL in UTC, for an event of whole days.").deviates("until-date").
			sends("paul", "REQUEST", event(meeting, allDay, "RRULE:FREQ=WEEKLY;UNTIL=20261216T000000Z")),
		conversation("unreadable-rules-more", "More rules that make no sense, and one in lower case.").deviates("unreadable-rules").
			sends("paul", "REQUEST", event(meeting, "RRULE:freq=daily;count=3")).
			sends("paul", "REQUEST", event(meeting, "UID:none\nRRULE:FREQ=DAILY;COUNT=0")).
			sends("paul", "REQUEST", event(meeting, "UID:day\nRRULE:FREQ=MONTHLY;BYMONTHDAY=32;COUNT=3")),
	}
}

// utf16 encodes ASCII text.
func utf16(text string) string {
	var out strings.Builder
	for _, b := range []byte(text) {
		out.Write([]byte{0, b})
	}
	return out.String()
}
