package calendar

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inCalendar puts lines into an event, and that into a calendar.
func inCalendar(lines string) string {
	return "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n" + lines + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

// contents returns the content lines of an object, unfolded, one a line of text,
// without its own BEGIN and END.
func contents(o *Object) string {
	text := strings.ReplaceAll(string(o.Encode()), "\r\n ", "")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.TrimPrefix(text, "BEGIN:VEVENT\n")
	return strings.TrimSuffix(strings.TrimSuffix(text, "END:VEVENT\n"), "\n")
}

// eventCases are lines of an event and what they are stored as. What the original
// does with the lines as they come is noted where it is the reason.
var eventCases = []struct {
	name  string // with the reason, if the lines are bad
	lines string
	want  string
	warn  string // part of a warning; "" for none at all
}{
	// Names, and order.
	{"order by name, and of one name as it came", "B:1\nA:2\nB:0\nUID:u", "A:2\nB:1\nB:0\nUID:u", ""},
	{"lower case: not found by the original", "summary;language=en:x", "SUMMARY;LANGUAGE=en:x", ""},
	{"space around names", "SUMMARY ; LANGUAGE =en:x", "SUMMARY;LANGUAGE=en:x", ""},
	{"names that are not quite names", "X_A.1:x", "X_A.1:x", ""},

	// Lines that are none.
	{"no colon: unreadable for the original", "A:1\nnothing\nB:2", "A:1\nB:2", "not a property"},
	{"no name", "A:1\n:x\n;X=1:x", "A:1", "not a property"},
	{"space inside a name", "A:1\nmore text: x", "A:1", "not a property"},
	{"a name that is not ASCII", "A:1\nÉ:x", "A:1", "not a property"},
	{"parameters and no value", "A:1\nB;X=1", "A:1", "not a property"},
	{"a text that goes on without folding", "DESCRIPTION:one\ntwo, three\nUID:u", `DESCRIPTION:one\ntwo\, three` + "\nUID:u", "joined"},
	{"a title that goes on without folding", "SUMMARY:one\ntwo\nUID:u", "SUMMARY:one two\nUID:u", "joined"},
	{"a UID does not go on", "UID:one\ntwo", "UID:one", "not a property"},
	{"an end of nothing: unreadable for the original", "A:1\nEND:VTODO\nB:2", "A:1\nB:2", "ends nothing"},
	{"a beginning with parameters", "A:1\nBEGIN;X=1:VALARM\nEND ;X=1:VALARM\nB:2", "A:1\nB:2", "not a property"},
	{"a beginning of nothing", "A:1\nBEGIN:\nB:2", "A:1\nB:2", "begins nothing"},

	// Texts.
	{"right as it is", `SUMMARY:a\, b\; c\nd \\ e`, `SUMMARY:a\, b\; c\nd \\ e`, ""},
	{"unescaped separators: a list for the original", "SUMMARY:a, b; c", `SUMMARY:a\, b\; c`, ""},
	{"the same in a UID: no file name for the original", "UID:a,b;c", `UID:a\,b\;c`, ""},
	{"an escaped backslash before a comma", `SUMMARY:a\\,b`, `SUMMARY:a\\\,b`, ""},
	{"line break in upper case", `DESCRIPTION:a\Nb`, `DESCRIPTION:a\nb`, ""},
	{"a backslash at the end", `SUMMARY:a\`, `SUMMARY:a\`, ""},
	{"empty", "SUMMARY:", "SUMMARY:", ""},
	{"space at both ends is kept", "SUMMARY: a ", "SUMMARY: a ", ""},
	{"TAB is kept", "SUMMARY:a\tb", "SUMMARY:a\tb", ""},
	{"lists are left alone", `CATEGORIES:a,b\,c;d`, `CATEGORIES:a,b\,c;d`, ""},
	{"structured values too", "GEO:1.5;2.5\nREQUEST-STATUS:2.0;Success;x,y", "GEO:1.5;2.5\nREQUEST-STATUS:2.0;Success;x,y", ""},
	{"own properties too", `X-A;X-B=1:a,b;c\Nd`, `X-A;X-B=1:a,b;c\Nd`, ""},
	{"a URI is no text", "URL:http://x/a,b;c", "URL:http://x/a,b;c", ""},

	// Characters.
	{"VT, FF, NEL, LS and PS in a title: line breaks for the original", "SUMMARY:a\vb\fc\u0085d\u2028e\u2029f", "SUMMARY:a b c d e f", ""},
	{"the same in a text of several lines", "DESCRIPTION:a\vb\fc\u0085d\u2028e\u2029f\nUID:u", `DESCRIPTION:a\nb\nc\nd\ne\nf` + "\nUID:u", ""},
	{"FS, GS, RS too", "DESCRIPTION:a\x1cb\x1dc\x1ed", "DESCRIPTION:a b c d", ""},
	{"other controls, against RFC 5545 section 3.1", "X-A:a\x00b\x01c\x1fd\x7fe", "X-A:a b c d e", ""},
	{"in a parameter", "ATTENDEE;CN=a\u2028b:mailto:x@y", "ATTENDEE;CN=a b:mailto:x@y", ""},
	{"in an alarm", "BEGIN:VALARM\nX-A:a\u2028b\nEND:VALARM", "BEGIN:VALARM\nX-A:a b\nEND:VALARM", ""},
	{"no UTF-8: unreadable for the original", "SUMMARY:caf\xe9 \x96 \xf0\x9f\x98\x80", "SUMMARY:café – 😀", "windows-1252"},
	{"folded inside a character", "SUMMARY:caf\xc3\r\n \xa9", "SUMMARY:café", ""},
	{"U+FFFD that came so", "SUMMARY:a\ufffdb", "SUMMARY:a\ufffdb", ""},

	// Parameters.
	{"quotes where none are needed: part of the value for the original", `ATTENDEE;PARTSTAT="ACCEPTED";CN="A B":mailto:x@y`, "ATTENDEE;CN=A B;PARTSTAT=ACCEPTED:mailto:x@y", ""},
	{"quotes where they are", `ATTENDEE;CN="A, B";X-A="a:b";X-B="a;b":mailto:x@y`, `ATTENDEE;CN="A, B";X-A="a:b";X-B="a;b":mailto:x@y`, ""},
	{"the six that are always quoted", "ATTENDEE;DIR=x;SENT-BY=a@b;MEMBER=c@d;DELEGATED-TO=e@f;DELEGATED-FROM=g@h:mailto:x@y\nSUMMARY;ALTREP=x:y",
		`ATTENDEE;DELEGATED-FROM="mailto:g@h";DELEGATED-TO="mailto:e@f";DIR="x";MEMBER="mailto:c@d";SENT-BY="mailto:a@b":mailto:x@y` + "\nSUMMARY;ALTREP=\"x\":y", ""},
	{"lists of them", `ATTENDEE;DELEGATED-TO="mailto:a@b","MAILTO:c@d":mailto:x@y`, `ATTENDEE;DELEGATED-TO="mailto:a@b","mailto:c@d":mailto:x@y`, ""},
	{"one list in two parameters", `ATTENDEE;MEMBER="mailto:a@b";MEMBER="mailto:c@d":mailto:x@y`, `ATTENDEE;MEMBER="mailto:a@b","mailto:c@d":mailto:x@y`, ""},
	{"empty one of the six: the original fails", "ATTENDEE;DELEGATED-TO=;SENT-BY=\"\":mailto:x@y", "ATTENDEE:mailto:x@y", "empty"},
	{"one of them that is no address", "ATTENDEE;DELEGATED-TO=\"mailto:\",\"mailto:a@b\";SENT-BY=\"<>\":mailto:x@y", `ATTENDEE;DELEGATED-TO="mailto:a@b":mailto:x@y`, ""},
	{"empty", "ATTENDEE;CN=;X-A=\"\":mailto:x@y", "ATTENDEE;CN=;X-A=:mailto:x@y", ""},
	{"a list of one's own", `X-P;X-A=a,"b,c",d:x`, `X-P;X-A=a,"b,c",d:x`, ""},
	{"comma not quoted", "ATTENDEE;CN=Boddie, Paul;RSVP=TRUE:mailto:x@y", `ATTENDEE;CN="Boddie, Paul";RSVP=TRUE:mailto:x@y`, ""},
	{"RFC 6868 as it came", "ATTENDEE;CN=a^'b^n^^c:mailto:x@y", "ATTENDEE;CN=a^'b^n^^c:mailto:x@y", ""},
	{"backslash as it came", `ATTENDEE;CN=a\nb\,c:mailto:x@y`, `ATTENDEE;CN="a\nb\,c":mailto:x@y`, ""},
	{"no =: the original fails when it writes", "ATTENDEE;RSVP;PARTSTAT=ACCEPTED:mailto:x@y", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:x@y", `"RSVP" left out`},
	{"semicolons in excess: the same", "ATTENDEE;;CN=x;:mailto:x@y", "ATTENDEE;CN=x:mailto:x@y", ""},
	{"no name", "ATTENDEE;=1;CN=x:mailto:x@y", "ATTENDEE;CN=x:mailto:x@y", "is not a name"},
	{"twice", "ATTENDEE;PARTSTAT=ACCEPTED;PARTSTAT=DECLINED:mailto:x@y", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:x@y", "more than once"},
	{"quotes in the middle", `ATTENDEE;CN=Paul "P" Boddie:mailto:x@y`, "ATTENDEE;CN=Paul ^'P^' Boddie:mailto:x@y", "quotes"},
	{"text after quotes: go-ical panics", `ATTENDEE;CN="x"y:mailto:x@y`, "ATTENDEE;CN=^'x^'y:mailto:x@y", "quotes"},
	{"quotes in quotes", `ATTENDEE;CN="Paul \"P\" Boddie":mailto:x@y`, "ATTENDEE;CN=Paul ^'P^' Boddie:mailto:x@y", "quotes"},
	{"quotes twice", `ATTENDEE;CN=""Paul"":mailto:x@y`, "ATTENDEE;CN=Paul:mailto:x@y", "quotes"},
	{"quotes in the middle that protect", `ATTENDEE;CN=a"b;c:d":mailto:x@y`, `ATTENDEE;CN="a^'b;c:d^'":mailto:x@y`, "quotes"},
	{"a quote that is not closed: unreadable for the original", `ATTENDEE;CN="Boddie, Paul;RSVP=TRUE:mailto:x@y`, `ATTENDEE;CN="Boddie, Paul";RSVP=TRUE:mailto:x@y`, "quotes"},
	{"a line break in quotes", "ATTENDEE;CN=\"Paul\nBoddie\":mailto:x@y", "ATTENDEE;CN=Paul Boddie:mailto:x@y", "line break"},
	{"a URI not quoted: cut at its colon by the original", "ATTENDEE;SENT-BY=mailto:a@b;CN=c:mailto:x@y", `ATTENDEE;CN=c;SENT-BY="mailto:a@b":mailto:x@y`, "should be quoted"},
	{"SENT-BY with two values", `ATTENDEE;SENT-BY="mailto:a@b","mailto:c@d":mailto:x@y`, `ATTENDEE;SENT-BY="mailto:a@b":mailto:x@y`, "several values"},
	{"values in lower case that the original compares", "ATTENDEE;PARTSTAT=declined:mailto:x@y\nDTSTART;VALUE=date:20261202\nTRANSP: transparent ",
		"ATTENDEE;PARTSTAT=DECLINED:mailto:x@y\nDTSTART;VALUE=DATE:20261202\nTRANSP:TRANSPARENT", ""},

	// Addresses.
	{"spellings of mailto", "ORGANIZER:MAILTO:Paul@Example.com\nATTENDEE:mailto: b@c \nATTENDEE:d@e", "ATTENDEE:mailto:b@c\nATTENDEE:mailto:d@e\nORGANIZER:mailto:Paul@Example.com", ""},
	{"other schemes", "ORGANIZER:urn:uuid:1\nATTENDEE:http://x/y", "ATTENDEE:http://x/y\nORGANIZER:urn:uuid:1", ""},
	{"separators: a list for the original, which fails", "ATTENDEE:mailto:a,b@c\nORGANIZER:mailto:d;e@f", "ATTENDEE:mailto:a%2Cb@c\nORGANIZER:mailto:d%3Be@f", ""},
	{"vCalendar 1.0", "ATTENDEE;ROLE=OWNER:John <j@x.com>\nATTENDEE:mailto:<k@x.com>", "ATTENDEE;ROLE=OWNER:mailto:j@x.com\nATTENDEE:mailto:k@x.com", ""},
	{"empty", "A:1\nATTENDEE:\nORGANIZER;CN=x:mailto:", "A:1", "ATTENDEE left out, since it is empty"},

	// Properties that occur once.
	{"twice: the original fails", "SUMMARY:a\nDTSTART:20261202T090000Z\nSUMMARY:b\nDTSTART:20261203T090000Z", "DTSTART:20261202T090000Z\nSUMMARY:a", "SUMMARY left out"},
	{"the same twice", "SUMMARY:a\nsummary:a", "SUMMARY:a", ""},
	{"two rules: the original fails", "RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY", "RRULE left out"},
	{"the first that is not empty", "DTEND:\nDTEND:20261202T090000Z", "DTEND:20261202T090000Z", "DTEND left out, since it is empty"},
	{"others may occur again", "COMMENT:a\nCOMMENT:b\nEXDATE:20261202\nEXDATE:20261203", "COMMENT:a\nCOMMENT:b\nEXDATE:20261202\nEXDATE:20261203", ""},

	// Times, rules, numbers.
	{"empty: the original fails", "A:1\nDTEND:\nEXDATE:\nRRULE:\nDURATION:", "A:1", "EXDATE left out"},
	{"an empty RECURRENCE-ID stays: without it the event would be the whole", "RECURRENCE-ID:", "RECURRENCE-ID:", ""},
	{"leap seconds: the original fails on them", "DTSTART:20261231T235960Z\nEXDATE:20260630T235960Z,20260716T100000Z", "DTSTART:20261231T235959Z\nEXDATE:20260630T235959Z,20260716T100000Z", ""},
	{"lower case, and space", "DTSTART: 20261202t090000z \nEXDATE:20261202, 20261203", "DTSTART:20261202T090000Z\nEXDATE:20261202,20261203", ""},
	{"a rule in lower case with empty parts", "RRULE: freq=weekly; byday=mo,tu;;count=3;", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU;COUNT=3", ""},
	{"a rule as the original writes it", "RRULE:FREQ=WEEKLY;BYDAY=MO;TU;WE;COUNT=3", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE;COUNT=3", ""},
	{"a SEQUENCE that is no number: the original fails at the next message", "A:1\nSEQUENCE:abc", "A:1", "SEQUENCE left out"},
	{"a SEQUENCE with space", "SEQUENCE: 3", "SEQUENCE:3", ""},

	// Zones.
	{"UTC as the original writes it", "DTSTART;TZID=UTC:20261202T090000Z", "DTSTART:20261202T090000Z", ""},
	{"UTC with another TZID", "DTSTART;TZID=Europe/Oslo:20261202T090000Z", "DTSTART:20261202T090000Z", ""},
	{"UTC by its TZID", "DTSTART;TZID=Etc/UTC:20261202T090000", "DTSTART:20261202T090000Z", ""},
	{"dates by that TZID", "RDATE;TZID=UTC;VALUE=DATE:20261202", "RDATE;TZID=UTC;VALUE=DATE:20261202", ""},
	{"periods by that TZID", "RDATE;TZID=UTC;VALUE=PERIOD:20261202T090000/PT1H,20261202T090000/20261202T100000", "RDATE;VALUE=PERIOD:20261202T090000Z/PT1H,20261202T090000Z/20261202T100000Z", ""},
	{"IANA", "DTSTART;TZID=Europe/Oslo:20261202T090000", "DTSTART;TZID=Europe/Oslo:20261202T090000", ""},
	{"quoted", `DTSTART;TZID="Europe/Oslo":20261202T090000`, "DTSTART;TZID=Europe/Oslo:20261202T090000", ""},
	{"Windows, wherever a TZID is", "DTSTART;TZID=W. Europe Standard Time:20261202T090000\nEXDATE;TZID=W. Europe Standard Time:20261202T090000,20261203T090000\nX-A;TZID=W. Europe Standard Time:x",
		"DTSTART;TZID=Europe/Berlin:20261202T090000\nEXDATE;TZID=Europe/Berlin:20261202T090000,20261203T090000\nX-A;TZID=Europe/Berlin:x", ""},
	{"a colon that is not quoted", "DTSTART;TZID=GMT+01:00;VALUE=DATE-TIME:20261202T090000", "DTSTART;TZID=Etc/GMT-1;VALUE=DATE-TIME:20261202T090000", "should be quoted"},
	{"unknown: floating", "DTSTART;TZID=Nowhere at all:20261202T090000", "DTSTART;X-TZID=Nowhere at all:20261202T090000", "unknown"},
	{"empty", "DTSTART;TZID=:20261202T090000", "DTSTART:20261202T090000", "empty"},

	// Kept as they came.
	{"alarms", "BEGIN:VALARM\nTRIGGER;RELATED=END:-PT5M\nDESCRIPTION:a,b\nDESCRIPTION:c\nEND:VALARM\nbegin:valarm\nend:valarm",
		"BEGIN:VALARM\nDESCRIPTION:a,b\nDESCRIPTION:c\nTRIGGER;RELATED=END:-PT5M\nEND:VALARM\nBEGIN:VALARM\nEND:VALARM", ""},
	{"an alarm that is not ended", "BEGIN:VALARM\nACTION:DISPLAY", "BEGIN:VALARM\nACTION:DISPLAY\nEND:VALARM", "VALARM is not ended"},
	{"other components: the original fails", "BEGIN:PARTICIPANT\nNAME:a,b\nBEGIN:VALARM\nEND:VALARM\nEND:PARTICIPANT",
		"X-COMPONENT;X-NAME=PARTICIPANT:BEGIN:PARTICIPANT\\nNAME:a\\,b\\nBEGIN:VALARM\\nEND:VALARM\\nEND:PARTICIPANT\\n", "X-COMPONENT"},
	{"other components inside an alarm: the original fails", "BEGIN:VALARM\nACTION:DISPLAY\nBEGIN:VLOCATION\nNAME:a\nBEGIN:X\nEND:X\nEND:VLOCATION\nEND:VALARM",
		"BEGIN:VALARM\nACTION:DISPLAY\nX-COMPONENT;X-NAME=VLOCATION:BEGIN:VLOCATION\\nNAME:a\\nBEGIN:X\\nEND:X\\nEND:VLOCATION\\n\nEND:VALARM", "X-COMPONENT"},
	{"alarms inside an alarm", "BEGIN:VALARM\nA:1\nBEGIN:VALARM\nA:2\nEND:VALARM\nEND:VALARM", "BEGIN:VALARM\nA:1\nBEGIN:VALARM\nA:2\nEND:VALARM\nEND:VALARM", ""},
	{"attachments", "ATTACH;ENCODING=BASE64;VALUE=BINARY:QUJD\nATTACH:http://x/y\nATTACH;ENCODING=8BIT:x", "ATTACH;ENCODING=BASE64;VALUE=BINARY:QUJD\nATTACH:http://x/y\nATTACH;ENCODING=8BIT:x", ""},
	{"base64 without padding: the original fails", "ATTACH;ENCODING=BASE64:QUI", "ATTACH;ENCODING=BASE64:QUI=", ""},
	{"base64 as the original writes it", `ATTACH;ENCODING=BASE64:QUJD\nQUI=\n`, "ATTACH;ENCODING=BASE64:QUJDQUI=", ""},
	{"base64 that is none: the original fails", "ATTACH;ENCODING=BASE64:QUJDQ\nATTACH;ENCODING=BASE64:Q!", "ATTACH;X-ENCODING=BASE64:QUJDQ\nATTACH;X-ENCODING=BASE64:Q!", "not BASE64"},
	{"no base64 at all: the original fails when it writes", "BEGIN:VALARM\nATTACH;ENCODING=BASE64:\nEND:VALARM", "BEGIN:VALARM\nATTACH;X-ENCODING=BASE64:\nEND:VALARM", "not BASE64"},

	// vCalendar 1.0.
	{"quoted-printable", "DESCRIPTION;QUOTED-PRINTABLE;CHARSET=iso-8859-1:caf=E9,=0D=0Abar", `DESCRIPTION:café\,\nbar`, ""},
	{"quoted-printable with soft line breaks", "SUMMARY;ENCODING=QUOTED-PRINTABLE:one =\ntwo=\nthree=C3=A9\nUID:u", "SUMMARY:one twothreeé\nUID:u", "joined"},
	{"base64 in lines", "ATTACH;BASE64:QUJD\nQUJD\nQUI=\nUID:u", "ATTACH;ENCODING=BASE64:QUJDQUJDQUI=\nUID:u", "joined"},
	{"quoted-printable that is none", "SUMMARY;ENCODING=QUOTED-PRINTABLE:a = b", "SUMMARY:a = b", ""},
}

func TestNormalise(t *testing.T) {
	for _, c := range eventCases {
		t.Run(c.name, func(t *testing.T) {
			calendars, err := Decode(inCalendar(c.lines))
			if err != nil || len(calendars) != 1 || len(calendars[0].Events) != 1 {
				t.Fatalf("Decode gives %v and the error %v", calendars, err)
			}
			event := calendars[0].Events[0]
			if diff := cmp.Diff(c.want, contents(event.Object)); diff != "" {
				t.Errorf("stored as (-want +got)\n%s", diff)
			}
			warnings := strings.Join(event.Warnings, "\n")
			if c.warn == "" && warnings != "" || !strings.Contains(warnings, c.warn) {
				t.Errorf("warnings %q, want one of %q", event.Warnings, c.warn)
			}
			checkStable(t, event.Object)
		})
	}
}
