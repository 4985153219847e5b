package hard

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
)

// mimeCases are about how a calendar is wrapped up in a mail.
var mimeCases = []hardCase{
	{name: "mime/bounce", why: "what it quotes was handled when it was sent", in: mime("Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n\n--b\nContent-Type: message/rfc822\n\n" + mime("Content-Type: text/calendar; method=REQUEST\n\n"+vcalendar(plainLines)) + "\n--b--\n"), want: ``},
	{name: "mime/bounce hidden deep", why: "anywhere in the mail", in: mime("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines) + "\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n\n--b--\n--a--\n"), want: ``},
	{name: "mime/read receipt", why: "a disposition notification is no delivery report", in: mime("Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\nContent-Type: message/disposition-notification\n\nDisposition: manual-action\n\n--b\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines) + "\n--b--\n"), want: `plain`},
	{name: "mime/attached mail", why: "what is enclosed was sent by somebody else", in: mime("Content-Type: message/rfc822\n\n" + mime("Content-Type: text/calendar; method=REQUEST\n\n"+vcalendar(plainLines))), want: ``},
	{name: "mime/nested alternatives", why: "as Apple Mail and Outlook nest them", in: mime("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\nContent-Type: text/plain\n\nHi\n--c\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines) + "--c--\n--b--\n--a--\n"), want: `plain`},
	{name: "mime/boundaries alike", why: "one is the beginning of the other", in: mime("Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\nContent-Type: multipart/alternative; boundary=\"bb\"\n\n--bb\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines) + "--bb--\n--b--\n"), want: `plain`},
	{name: "mime/boundary never closed", why: "a mail cut off after the calendar", in: mime("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines)), want: `plain`},
	{name: "mime/boundary missing", why: "a multipart that names none", in: mime("Content-Type: multipart/mixed\n\n--b\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines) + "--b--\n"), want: `plain`},
	{name: "mime/1,000 deep", why: "nested without limit", in: deep(1000), want: `plain`},
	{name: "mime/50 deep", why: "deeper than any client nests", in: deep(50), want: `plain`},
	{name: "mime/base64", why: "as Exchange sends", in: mime("Content-Type: text/calendar; charset=utf-8; method=REQUEST\nContent-Transfer-Encoding: base64\n\n" + wrapped(vcalendar(plainLines))), want: `plain`},
	{name: "mime/base64 in one line", why: "longer than lines may be", in: mime("Content-Type: text/calendar; method=REQUEST\nContent-Transfer-Encoding: BASE64\n\n" + base64.StdEncoding.EncodeToString([]byte(vcalendar(plainLines)))), want: `plain`},
	{name: "mime/base64 without padding", why: "the last characters are missing", in: mime("Content-Type: text/calendar; method=REQUEST\nContent-Transfer-Encoding: base64\n\n" + strings.TrimRight(wrapped(vcalendar(plainLines)+" "), "=\n") + "\n"), want: `plain`},
	{name: "mime/base64 with a footer", why: "a mailing list adds text", in: mime("Content-Type: text/calendar; method=REQUEST\nContent-Transfer-Encoding: base64\n\n" + wrapped(vcalendar(plainLines)) + "\n_______________\nlist mailing list\n"), want: `plain`},
	{name: "mime/base64 with rubbish inside", why: "characters outside of the alphabet are passed over (RFC 2045 section 6.8)", in: mime("Content-Type: text/calendar; method=REQUEST\nContent-Transfer-Encoding: base64\n\n" + strings.ReplaceAll(wrapped(vcalendar(plainLines)), "\n", "!\n")), want: `plain`},
	{name: "mime/base64 cut off", why: "the event is not whole", in: mime("Content-Type: text/calendar; method=REQUEST\nContent-Transfer-Encoding: base64\n\n" + wrapped(vcalendar(plainLines))[:120] + "\n"), want: `rejected: event "e": the event is cut: it has no END:VEVENT`},
	{name: "mime/base64 that is not", why: "labelled so, but plain", in: mime("Content-Type: text/calendar; method=REQUEST\nContent-Transfer-Encoding: base64\n\n" + vcalendar(plainLines)), want: `plain`},
	{name: "mime/quoted-printable", why: "as Outlook sends", in: mime("Content-Type: text/calendar; charset=utf-8; method=REQUEST\nContent-Transfer-Encoding: quoted-printable\n\n" + strings.ReplaceAll(vcalendar(bare, "SUMMARY:M=C3=B8te=\n=20her"), "TZID=", "TZID=3D")), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "Møte her"
objects/e`},
	{name: "mime/quoted-printable broken", why: "an equals sign that encodes nothing", in: mime("Content-Type: text/calendar; charset=utf-8; method=REQUEST\nContent-Transfer-Encoding: quoted-printable\n\n" + vcalendar(bare, "SUMMARY:a=ZZb")), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - a=ZZb
objects/e`},
	{name: "mime/quoted-printable that is not", why: "labelled so, but parameters are not encoded", in: mime("Content-Type: text/calendar; charset=utf-8; method=REQUEST\nContent-Transfer-Encoding: quoted-printable\n\n" + vcalendar(strings.Replace(plainLines, "DTSTART:20261202T090000Z", "DTSTART;TZID=Europe/Oslo:20261202T100000", 1))), want: `plain`},
	{name: "mime/encoding unknown", why: "x-uuencode: cannot be decoded", in: mime("Content-Type: text/calendar; method=REQUEST\nContent-Transfer-Encoding: x-foo\n\n" + vcalendar(plainLines)), want: `plain`},
	{name: "mime/encoding twice", why: "the first counts", in: mime("Content-Type: text/calendar; method=REQUEST\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: 8bit\n\n" + vcalendar(plainLines)), want: `plain`},
	{name: "mime/latin1", why: "as labelled", in: mime("Content-Type: text/calendar; charset=iso-8859-1; method=REQUEST\n\n" + vcalendar(bare, "SUMMARY:M\xf8te")), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Møte
objects/e`},
	{name: "mime/latin1 called UTF-8", why: "windows-1252 as the last resort", in: mime("Content-Type: text/calendar; charset=utf-8; method=REQUEST\n\n" + vcalendar(bare, "SUMMARY:M\xf8te \x93x\x94")), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "Møte “x”"
objects/e`},
	{name: "mime/UTF-8 called ASCII", why: "UTF-8 is tried", in: mime("Content-Type: text/calendar; charset=us-ascii; method=REQUEST\n\n" + vcalendar(bare, "SUMMARY:Møte")), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Møte
objects/e`},
	{name: "mime/UTF-8 unlabelled", why: "UTF-8 if none is named", in: mime("Content-Type: text/calendar; method=REQUEST\n\n" + vcalendar(bare, "SUMMARY:Møte")), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Møte
objects/e`},
	{name: "mime/charset unknown", why: "UTF-8 is tried", in: mime("Content-Type: text/calendar; charset=x-klingon; method=REQUEST\n\n" + vcalendar(bare, "SUMMARY:Møte")), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Møte
objects/e`},
	{name: "mime/charset in quotes and capitals", why: "names are case-insensitive", in: mime("Content-Type: TEXT/Calendar; CHARSET=\"UTF-8\"; METHOD=\"Request\"\n\n" + vcalendar(bare, "SUMMARY:Møte")), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Møte
objects/e`},
	{name: "mime/UTF-16", why: "with a byte order mark, in base64", in: mime("Content-Type: text/calendar; charset=utf-16; method=REQUEST\nContent-Transfer-Encoding: base64\n\n" + wrapped(wide(vcalendar(bare, "SUMMARY:Møte 🎉")))), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "Møte 🎉"
objects/e`},
	{name: "mime/UTF-16 unlabelled", why: "the byte order mark tells", in: mime("Content-Type: text/calendar; method=REQUEST\nContent-Transfer-Encoding: base64\n\n" + wrapped(wide(vcalendar(bare, "SUMMARY:Møte 🎉")))), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "Møte 🎉"
objects/e`},
	{name: "mime/Shift JIS", why: "as labelled", in: mime("Content-Type: text/calendar; charset=shift_jis; method=REQUEST\n\n" + vcalendar(bare, "SUMMARY:\x89\xef\x8bc")), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - 会議
objects/e`},
	{name: "mime/ISO-2022-JP", why: "with escapes", in: mime("Content-Type: text/calendar; charset=iso-2022-jp; method=REQUEST\n\n" + vcalendar(bare, "SUMMARY:\x1b$B2q5D\x1b(B")), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - 会議
objects/e`},
	{name: "mime/method missing", why: "an attached file, not a message", in: mime("Content-Type: text/calendar\n\n" + vcalendar(plainLines)), want: ``},
	{name: "mime/method empty", why: "the parameter says nothing", in: mime("Content-Type: text/calendar; method=\n\n" + vcalendar(plainLines)), want: ``},
	{name: "mime/method differs", why: "the calendar decides", in: mime("Content-Type: text/calendar; method=CANCEL\n\n" + vcalendar(plainLines)), want: `plain`},
	{name: "mime/method is none", why: "a parameter that is nonsense; the calendar decides", in: mime("Content-Type: text/calendar; method=foo\n\n" + vcalendar(plainLines)), want: `plain`},
	{name: "mime/method by RFC 2231", why: "an extended parameter", in: mime("Content-Type: text/calendar; method*=us-ascii''REQUEST\n\n" + vcalendar(plainLines)), want: `plain`},
	{name: "mime/type application/ics", why: "with a method it is a message", in: mime("Content-Type: application/ics; method=REQUEST; name=invite.ics\n\n" + vcalendar(plainLines)), want: `plain`},
	{name: "mime/type octet-stream", why: "a file, whatever its name", in: mime("Content-Type: application/octet-stream; method=REQUEST; name=invite.ics\n\n" + vcalendar(plainLines)), want: ``},
	{name: "mime/type plain", why: "a calendar quoted in a text", in: mime("Content-Type: text/plain\n\n" + vcalendar(plainLines)), want: ``},
	{name: "mime/type broken", why: "parameters without sense", in: mime("Content-Type: text/calendar; charset; method=REQUEST;; =x; name=\"a\n\n" + vcalendar(plainLines)), want: `plain`},
	{name: "mime/type folded", why: "a header over several lines", in: mime("Content-Type: text/calendar;\n\tcharset=\"utf-8\";\n method=REQUEST\n\n" + vcalendar(plainLines)), want: `plain`},
	{name: "mime/type twice", why: "the first counts", in: mime("Content-Type: text/calendar; method=REQUEST\nContent-Type: text/plain\n\n" + vcalendar(plainLines)), want: `plain`},
	{name: "mime/no MIME-Version", why: "old programs forget it", in: "From: paul.boddie@example.com\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "mime/mbox line first", why: "From without a colon, as pipes add it", in: "From paul.boddie@example.com Sun Nov 22 12:00:00 2026\nFrom: paul.boddie@example.com\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "mime/CRLF", why: "line ends of RFC 5322", in: crlf(mime("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines) + "--b--\n")), want: `plain`},
	{name: "mime/two parts, one event", why: "one event arriving twice is one event", in: mime("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines) + "--b\nContent-Type: application/ics; method=REQUEST\nContent-Transfer-Encoding: base64\n\n" + wrapped(crlf(vcalendar(plainLines))) + "--b--\n"), want: `plain`},
	{name: "mime/two parts, two events", why: "both are handled", in: mime("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines) + "--b\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(strings.Replace(plainLines, "UID:e", "UID:f", 1)) + "--b--\n"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261202T090000Z/20261202T100000Z f ORG - Meeting
objects/e
objects/f`},
	{name: "mime/good part beside a bad one", why: "the good one is handled", in: mime("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/calendar; method=REQUEST\n\nrubbish\n--b\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines) + "--b--\n"), want: `plain
rejected: the text holds no calendar`},
	{name: "mime/empty mail", why: "nothing to do", in: "From", want: ``},
	{name: "mime/header only", why: "nothing to do", in: "From: paul.boddie@example.com\nSubject: x\n", want: ``},
	{name: "mime/header without end", why: "a line of a megabyte", in: "From: paul.boddie@example.com\nX-Long: " + strings.Repeat("x", 1<<20) + "\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "mime/header of 100,000 fields", why: "more than libraries take", in: "From: paul.boddie@example.com\n" + strings.Repeat("Received: by example.com\n", 100_000) + "Content-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "mime/rubbish in the header", why: "lines without a colon", in: "From: paul.boddie@example.com\nthis is no field\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "mime/10,000 parts", why: "more than anybody sends", in: mime("Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: text/plain\n\nx\n", 10_000) + "--b\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines) + "--b--\n"), want: `plain`},
	{name: "mime/over the limit", why: "more than 32 MiB of calendar data is put aside", in: mime("Content-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines) + strings.Repeat("x", 32<<20)), want: `rejected: the message has more than 33554432 octets of calendar data (MESSAGE_SIZE_LIMIT): only a part is examined`},
}

// deep is a calendar inside so many multiparts.
func deep(levels int) string {
	var head, tail strings.Builder
	for i := range levels {
		boundary := "b" + strings.Repeat("x", i%7) + string(rune('0'+i%10)) + base64.RawURLEncoding.EncodeToString([]byte{byte(i >> 8), byte(i)})
		head.WriteString("Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\n\n--" + boundary + "\n")
	}
	return mime(head.String() + tail.String() + "Content-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines))
}

// wrapped is text in base64, in lines.
func wrapped(text string) string {
	encoded := base64.StdEncoding.EncodeToString([]byte(text))
	var lines strings.Builder
	for len(encoded) > 76 {
		lines.WriteString(encoded[:76] + "\n")
		encoded = encoded[76:]
	}
	return lines.String() + encoded + "\n"
}

// wide is text in UTF-16, low octets first, with a byte order mark.
func wide(text string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		out.WriteByte(byte(unit))
		out.WriteByte(byte(unit >> 8))
	}
	return out.String()
}
