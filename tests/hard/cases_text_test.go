package hard

import (
	"fmt"
	"strings"
)

// textCases are about what can stand in a text value.
var textCases = []hardCase{
	{name: "text/comma", why: "an unescaped comma in SUMMARY is part of the text (many clients)",
		in: `SUMMARY:Lunch, then work`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "Lunch, then work"
objects/e`, has: []string{`SUMMARY:Lunch\, then work`}},
	{name: "text/semicolon", why: "an unescaped semicolon in SUMMARY is part of the text",
		in: `SUMMARY:Lunch; then work`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "Lunch; then work"
objects/e`, has: []string{`SUMMARY:Lunch\; then work`}},
	{name: "text/escaped", why: "escapes are kept in the object and read for the table (RFC 5545 section 3.3.11)",
		in: `SUMMARY:a\, b\; c`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "a, b; c"
objects/e`, has: []string{`SUMMARY:a\, b\; c`}},
	{name: "text/backslashes", why: `\\n is a backslash and an n, not a line break`,
		in: `SUMMARY:C:\\new`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - C:\new
objects/e`},
	{name: "text/line break", why: "a line break would break the table",
		in: `SUMMARY:one\ntwo`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two"
objects/e`, has: []string{`SUMMARY:one\ntwo`}},
	{name: "text/line break in capitals", why: `\N is a line break too (RFC 5545 section 3.3.11)`,
		in: `SUMMARY:one\Ntwo`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two"
objects/e`, has: []string{`SUMMARY:one\ntwo`}},
	{name: "text/only line breaks", why: "a summary of nothing visible is none in a table",
		in: `SUMMARY:\n\n \n`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG
objects/e`},
	{name: "text/tab", why: "a TAB would make a column",
		in: vcalendar(bare, "SUMMARY:one\ttwo"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two"
objects/e`},
	{name: "text/lone backslash at the end", why: "an escape of nothing",
		in: `SUMMARY:Meeting\`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting\
objects/e`},
	{name: "text/unknown escape", why: "only four escapes are known; the rest is text",
		in: `SUMMARY:50\% of \x`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "50\\% of \\x"
objects/e`},
	{name: "text/vertical tab", why: "the original's reader ends a line there",
		in: vcalendar(bare, "SUMMARY:one\vtwo"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two"
objects/e`},
	{name: "text/form feed", why: "the original's reader ends a line there",
		in: vcalendar(bare, "SUMMARY:one\ftwo"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two"
objects/e`},
	{name: "text/separators FS GS RS", why: "the original's reader ends a line there",
		in: vcalendar(bare, "SUMMARY:one\x1ctwo\x1dthree\x1efour"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two three four"
objects/e`},
	{name: "text/unit separator", why: "a control character that ends no line",
		in: vcalendar(bare, "SUMMARY:one\x1ftwo"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two"
objects/e`},
	{name: "text/next line NEL", why: "the original's reader ends a line there",
		in: vcalendar(bare, "SUMMARY:one\u0085two"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two"
objects/e`},
	{name: "text/line separator", why: "the original's reader ends a line there",
		in: vcalendar(bare, "SUMMARY:one\u2028two"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two"
objects/e`},
	{name: "text/paragraph separator", why: "the original's reader ends a line there",
		in: vcalendar(bare, "SUMMARY:one\u2029two"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two"
objects/e`},
	{name: "text/separators elsewhere", why: "in any property, and in parameters",
		in: vcalendar(bare, "SUMMARY:Meeting", "DESCRIPTION:a\u2028b\u0085c\vd", "ATTENDEE;CN=\"V\u2028V\":mailto:vincent.vole@example.com"), want: `plain`},
	{name: "text/lone CR", why: "a CR that is not part of a line end",
		in: crlf(vcalendar(bare, "SUMMARY:one\rtwo")), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two"
objects/e`},
	{name: "text/bell and escape", why: "control characters (RFC 5545 section 3.1 forbids them)",
		in: vcalendar(bare, "SUMMARY:one\atwo\x1b[31mthree\x7f"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two [31mthree "
objects/e`},
	{name: "text/NUL", why: "a C string ends there, and nothing may be lost",
		in: vcalendar(bare, "SUMMARY:one\x00two"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "one two"
objects/e`},
	{name: "text/emoji", why: "outside of Unicode's first plane",
		in: "SUMMARY:🎉 Møte 👩‍👩‍👧", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "🎉 Møte 👩\u200d👩\u200d👧"
objects/e`, has: []string{"SUMMARY:🎉 Møte 👩‍👩‍👧"}},
	{name: "text/emoji folded in the middle", why: "clients fold within a character; unfolding comes first (RFC 5545 section 3.1)",
		in: vcalendar(bare, "SUMMARY:\xf0\x9f\n \x8e\x89 party"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "🎉 party"
objects/e`, has: []string{"SUMMARY:🎉 party"}},
	{name: "text/right to left", why: "with marks that change the direction",
		in: "SUMMARY:\u202eפגישה\u202c اجتماع", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "\u202eפגישה\u202c اجتماع"
objects/e`, has: []string{"SUMMARY:\u202eפגישה\u202c اجتماع"}},
	{name: "text/combining", why: "a letter in two characters stays as it is",
		in: "SUMMARY:Mo\u0308te", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Möte
objects/e`, has: []string{"SUMMARY:Mo\u0308te"}},
	{name: "text/no-break space", why: "white space that Unicode-aware programs strip",
		in: "SUMMARY:a\u00a0b\u3000c", want: "freebusy 20261202T090000Z/20261202T100000Z e ORG - a\u00a0b\u3000c\nobjects/e"},
	{name: "text/zero width and BOM inside", why: "no white space, and not to be lost",
		in: "SUMMARY:a\u200bb\ufeffc", want: "freebusy 20261202T090000Z/20261202T100000Z e ORG - a\u200bb\ufeffc\nobjects/e", has: []string{"SUMMARY:a\u200bb\ufeffc"}},
	{name: "text/spaces around", why: "text keeps its spaces in the object",
		in: vcalendar(bare, "SUMMARY:  Meeting  "), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "  Meeting  "
objects/e`},
	{name: "text/invalid UTF-8", why: "a wrongly labelled Latin-1 text is still a text",
		in: vcalendar(bare, "SUMMARY:M\xf8te"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Møte
objects/e`},
	{name: "text/surrogates in UTF-8", why: "CESU-8, as some Java programs write",
		in: vcalendar(bare, "SUMMARY:\xed\xa0\xbc\xed\xbe\x89"), want: "freebusy 20261202T090000Z/20261202T100000Z e ORG - \u00ed\u00a0\u00bc\u00ed\u00be\u2030\nobjects/e"},
	{name: "text/overlong UTF-8", why: "an encoding of / that is none",
		in: vcalendar(bare, "SUMMARY:\xc0\xaf"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - À¯
objects/e`},
	{name: "text/quotes", why: "quotes are ordinary in a text value",
		in: `SUMMARY:"Quoted" 'text' and "more`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "\"Quoted\" 'text' and \"more"
objects/e`, has: []string{`SUMMARY:"Quoted" 'text' and "more`}},
	{name: "text/colons", why: "only the first colon ends the name",
		in: `SUMMARY:a:b;c=d:e`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - a:b;c=d:e
objects/e`},
	{name: "text/END in text", why: "a value that looks like a line of the calendar",
		in: `SUMMARY:END:VEVENT\nEND:VCALENDAR`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "END:VEVENT END:VCALENDAR"
objects/e`},
	{name: "text/html", why: "markup is text",
		in: `SUMMARY:<b>Meeting</b> & more`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "<b>Meeting</b> & more"
objects/e`},
	{name: "text/empty summary", why: "a property without value",
		in: `SUMMARY:`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG
objects/e`},
	{name: "text/no summary", why: "SUMMARY is optional (RFC 5545 section 3.6.1)",
		in: `-SUMMARY`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG
objects/e`},
	{name: "text/summary with language", why: "parameters are kept",
		in: `SUMMARY;LANGUAGE=nb-NO;ALTREP="http://example.com/a;b,c":Møte`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Møte
objects/e`, has: []string{`SUMMARY;ALTREP="http://example.com/a;b,c";LANGUAGE=nb-NO:Møte`}},
	{name: "text/10 MB summary", why: "within the limit on a message, so to be handled",
		in: vcalendar(bare, "SUMMARY:"+strings.Repeat("0123456789", 1<<20)), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - 01234567890123456789...(10485760 octets)
objects/e`},
	{name: "text/10 MB description folded", why: "folded to the utmost, a character a line",
		in: vcalendar(bare, "SUMMARY:Meeting", "DESCRIPTION:"+strings.Repeat("x\n ", 400_000)), want: `plain`},
	{name: "text/10,000 attendees", why: "a mailing list written out",
		in: attendees(10_000), want: `plain`},
	{name: "text/quoted comma in CN", why: "as Thunderbird writes names",
		in: `ATTENDEE;CN="Vole, Vincent";PARTSTAT=NEEDS-ACTION:@vincent`, want: `plain`, has: []string{`ATTENDEE;CN="Vole, Vincent";PARTSTAT=NEEDS-ACTION:mailto:vincent.vole@example.com`}},
	{name: "text/unquoted comma in CN", why: "a comma that should be quoted (RFC 5545 section 3.2)",
		in: `ATTENDEE;CN=Vole, Vincent;PARTSTAT=NEEDS-ACTION:@vincent`, want: `plain`},
	{name: "text/quote inside CN", why: "go-ical panics where a quote ends in the middle",
		in: `ATTENDEE;CN="Vincent" Vole;PARTSTAT=NEEDS-ACTION:@vincent`, want: `plain`},
	{name: "text/quote never closed", why: "the rest of the line is one parameter",
		in: `ATTENDEE;CN="Vincent Vole:mailto:vincent.vole@example.com`, want: `plain`},
	{name: "text/caret escapes", why: "RFC 6868: kept as they are",
		in: `ATTENDEE;CN="George ^'Babe^' Ruth":@vincent`, want: `plain`, has: []string{`ATTENDEE;CN=George ^'Babe^' Ruth:mailto:vincent.vole@example.com`}},
	{name: "text/colon in unquoted parameter", why: "X-APPLE-STRUCTURED-LOCATION and the like",
		in: `LOCATION;X-A=geo:1,2:here`, want: `plain`},
	{name: "text/categories list", why: "a list stays a list",
		in: "CATEGORIES:A,B\nCATEGORIES:C\\,D", want: `plain`, has: []string{`CATEGORIES:A,B`, `CATEGORIES:C\,D`}},
	{name: "text/attachment", why: "base64 is kept as it came",
		in: `ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY:SGVsbG8=`, want: `plain`, has: []string{`ATTACH;ENCODING=BASE64;FMTTYPE=text/plain;VALUE=BINARY:SGVsbG8=`}},
	{name: "text/alarm", why: "an alarm belongs to the event and stays in it",
		in: "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nDESCRIPTION:a\\, b\nEND:VALARM", want: `plain`, has: []string{"BEGIN:VALARM", "TRIGGER:-PT15M", `DESCRIPTION:a\, b`, "END:VALARM"}},
	{name: "text/quoted-printable value", why: "vCalendar 1.0 encodes in the value",
		in: `SUMMARY;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:M=C3=B8te`, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Møte
objects/e`},
}

// attendees is so many different attendees.
func attendees(n int) string {
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "ATTENDEE;CN=Somebody %d;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:somebody.%d@example.com\n", i, i)
	}
	return strings.TrimSuffix(lines.String(), "\n")
}
