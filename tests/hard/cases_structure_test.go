package hard

import "strings"

// structureCases are about how a calendar is put together.
var structureCases = []hardCase{
	{name: "structure/LF", why: "line ends of Unix", in: vcalendar(plainLines), want: `plain`},
	{name: "structure/CRLF", why: "line ends of RFC 5545", in: crlf(vcalendar(plainLines)), want: `plain`},
	{name: "structure/mixed line ends", why: "some of each", in: strings.Replace(crlf(vcalendar(plainLines)), "\r\n", "\n", 4), want: `plain`},
	{name: "structure/CR CR LF", why: "converted twice", in: strings.ReplaceAll(vcalendar(plainLines), "\n", "\r\r\n"), want: `plain`},
	{name: "structure/BOM", why: "a byte order mark before the calendar", in: "\ufeff" + vcalendar(plainLines), want: `plain`},
	{name: "structure/no line end at the end", why: "cut short by nothing", in: strings.TrimSuffix(vcalendar(plainLines), "\n"), want: `plain`},
	{name: "structure/blank lines", why: "some programs double them", in: strings.ReplaceAll(vcalendar(plainLines), "\n", "\n\n"), want: `plain`},
	{name: "structure/blank lines between folds", why: "a continuation after a blank line", in: vcalendar(bare, "SUMMARY:Meet\n\n ing"), want: `plain`},
	{name: "structure/spaces at line ends", why: "trailing white space after values", in: strings.ReplaceAll(vcalendar(bare, "SUMMARY:Meeting"), "\n", " \n"), want: `freebusy 20261202T090000Z/20261202T100000Z "e " ORG - "Meeting "
objects/e `},
	{name: "structure/text around", why: "a greeting before the calendar", in: "From: paul.boddie@example.com\nContent-Type: text/calendar; method=REQUEST\n\nHello,\nhere it is:\n" + vcalendar(plainLines) + "-- \nPaul\n", want: `plain`},
	{name: "structure/lower case", why: "names are case-insensitive (RFC 5545 section 2)", in: strings.NewReplacer("BEGIN:VCALENDAR", "BEGIN:vcalendar", "BEGIN:VEVENT", "begin:vevent", "END:VEVENT", "end:vevent", "UID", "uid", "DTSTART", "dtstart", "DTEND", "DtEnd", "METHOD:REQUEST", "method:request", "ORGANIZER", "organizer", "SUMMARY", "summary").Replace(vcalendar(plainLines)), want: `plain`},
	{name: "structure/lower case parameters", why: "so are those of parameters", in: "dtstart;tzid=Europe/Oslo:20261202T100000\nDTEND;tzid=Europe/Oslo:20261202T110000\n-DTSTART", want: `plain`},
	{name: "structure/group prefix", why: "vCard's group.NAME is no iCalendar", in: vcalendar(plainLines, "item1.LOCATION:here"), want: `plain`},
	{name: "structure/fold with TAB", why: "as Outlook folds", in: vcalendar(bare, "SUMMARY:Mee\n\tting"), want: `plain`},
	{name: "structure/fold in a name", why: "unfolding comes first (RFC 5545 section 3.1)", in: vcalendar(bare, "SUM\n MARY:Meeting"), want: `plain`},
	{name: "structure/fold in END", why: "unfolding comes first", in: strings.Replace(vcalendar(plainLines), "END:VEVENT", "END:VE\n VENT", 1), want: `plain`},
	{name: "structure/fold in a parameter", why: "unfolding comes first", in: vcalendar("UID:e", "ORGANIZER:"+paul, "SUMMARY:Meeting", "DTSTART;TZID=Euro\n pe/Oslo:20261202T100000", "DTEND:20261202T100000Z"), want: `plain`},
	{name: "structure/fold of nothing", why: "a continuation without text", in: vcalendar(bare, "SUMMARY:Meeting\n "), want: `plain`},
	{name: "structure/continuation first", why: "with nothing to continue", in: "From: paul.boddie@example.com\nContent-Type: text/calendar; method=REQUEST\n\n x\n" + vcalendar(plainLines), want: `plain`},
	{name: "structure/line of 1 MB", why: "never folded", in: vcalendar(bare, "SUMMARY:Meeting", "DESCRIPTION:"+strings.Repeat("word ", 200_000)), want: `plain`},
	{name: "structure/line without colon", why: "the rest of the line before, which a mail client has broken", in: vcalendar(plainLines, "JUST SOME TEXT"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "Meeting JUST SOME TEXT"
objects/e`},
	{name: "structure/name empty", why: "the rest of the line before", in: vcalendar(plainLines, ":value"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "Meeting :value"
objects/e`},
	{name: "structure/name with spaces", why: "the rest of the line before", in: vcalendar(plainLines, "MY PROP:value"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "Meeting MY PROP:value"
objects/e`},
	{name: "structure/parameter without value", why: "go-ical panics, the original fails", in: "ATTENDEE;RSVP:@vincent", want: `plain`},
	{name: "structure/parameter and no colon", why: "go-ical panics; it is the rest of the line before", in: vcalendar(plainLines, "ATTENDEE;CN=x"), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - "Meeting ATTENDEE;CN=x"
objects/e`},
	{name: "structure/parameter empty", why: "two semicolons", in: `ATTENDEE;;CN="x":@vincent`, want: `plain`},
	{name: "structure/parameter twice", why: "the first counts", in: "ATTENDEE;PARTSTAT=ACCEPTED;PARTSTAT=DECLINED:@paul", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting
objects/e`},
	{name: "structure/vCalendar 1.0", why: "parameters are bare words", in: "From: paul.boddie@example.com\nContent-Type: text/x-vcalendar; method=REQUEST\n\n" + strings.Replace(vcalendar(plainLines, "ATTENDEE;RSVP;EXPECT=REQUIRE:vincent.vole@example.com"), "VERSION:2.0", "VERSION:1.0", 1), want: `plain`},
	{name: "structure/no END:VEVENT", why: "an event cut off may lack anything", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\n" + plainLines + "\nEND:VCALENDAR\n", want: `rejected: event "e": the event is cut: it has no END:VEVENT`},
	{name: "structure/cut off", why: "an event cut off may lack anything", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\n" + plainLines, want: `rejected: event "e": the event is cut: it has no END:VEVENT`},
	{name: "structure/no END:VCALENDAR", why: "the event is whole", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\n" + vevent(plainLines), want: `plain`},
	{name: "structure/no BEGIN:VEVENT", why: "no event that could be told from another", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\n" + plainLines + "\nEND:VEVENT\nEND:VCALENDAR\n", want: `rejected: the event is damaged: it has no BEGIN:VEVENT`},
	{name: "structure/no VCALENDAR", why: "the part says the method", in: vevent(plainLines), want: `plain`},
	{name: "structure/END of another", why: "an end that ends nothing", in: vcalendar(plainLines, "END:VALARM"), want: `plain`},
	{name: "structure/several calendars", why: "all are handled", in: vcalendar(plainLines) + vcalendar(strings.Replace(plainLines, "UID:e", "UID:f", 1)), want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261202T090000Z/20261202T100000Z f ORG - Meeting
objects/e
objects/f`},
	{name: "structure/several methods", why: "each calendar has its own", in: vcalendar(plainLines) + strings.Replace(vcalendar(plainLines), "REQUEST", "CANCEL", 1), want: `cancellations/objects/e`},
	{name: "structure/calendar in calendar", why: "nested, as no program should", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\n" + vcalendar(plainLines) + "END:VCALENDAR\n", want: `plain`},
	{name: "structure/event in event", why: "the inner one shows that an end is missing", in: vcalendar(plainLines, strings.TrimSuffix(vevent(strings.Replace(plainLines, "UID:e", "UID:f", 1)), "\n")), want: `freebusy 20261202T090000Z/20261202T100000Z f ORG - Meeting
objects/f
rejected: event "e": the event is cut: it has no END:VEVENT`},
	{name: "structure/deep", why: "nested without limit", in: vcalendar(plainLines, strings.Repeat("BEGIN:X-A\n", 100_000)+strings.TrimSuffix(strings.Repeat("END:X-A\n", 100_000), "\n")), want: `rejected: event "e": the event has too many components inside it, or they are nested too deep`},
	{name: "structure/1,000 events", why: "one critical section each", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\n" + strings.Repeat(vevent(plainLines), 1000) + "END:VCALENDAR\n", want: `plain`},
	{name: "structure/one bad among good", why: "the others are handled", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\n" + vevent("UID:bad", "DTSTART:soon") + vevent(plainLines) + vevent("DTSTART:20261202T090000Z") + "END:VCALENDAR\n", want: `plain
rejected: event "bad": it has no readable DTSTART; the event has no UID`},
	{name: "structure/nothing but a calendar", why: "no component", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n", want: ``},
	{name: "structure/task beside", why: "only events are handled", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VTODO\nUID:t\nDTSTART:20261202T090000Z\nEND:VTODO\n" + vevent(plainLines) + "END:VCALENDAR\n", want: `plain`},
	{name: "structure/task and journal only", why: "only events are handled", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VTODO\nUID:t\nEND:VTODO\nBEGIN:VJOURNAL\nUID:j\nEND:VJOURNAL\nEND:VCALENDAR\n", want: ``},
	{name: "structure/free/busy", why: "free/busy messages change nothing", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VFREEBUSY\nUID:f\nORGANIZER:" + paul + "\nDTSTART:20261202T090000Z\nDTEND:20261203T090000Z\nEND:VFREEBUSY\nEND:VCALENDAR\n", want: ``},
	{name: "structure/unknown component inside", why: "RFC 9073 has some", in: "BEGIN:PARTICIPANT\nUID:p\nPARTICIPANT-TYPE:SPEAKER\nEND:PARTICIPANT", want: `plain`},
	{name: "structure/unknown component beside", why: "not handled", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:X-THING\nUID:x\nEND:X-THING\n" + vevent(plainLines) + "END:VCALENDAR\n", want: `plain`},
	{name: "structure/unknown properties", why: "they are kept", in: "X-FOO;X-BAR=\"a:b\":1,2;3\nIANA-TOKEN:x", want: `plain`, has: []string{`X-FOO;X-BAR="a:b":1,2;3`, "IANA-TOKEN:x"}},
	{name: "structure/doubled properties", why: "the first of each counts (RFC 5545 section 3.6.1)", in: "SUMMARY:Meeting\nSUMMARY:Other\nDTSTART:20261202T090000Z\nDTSTART:20261203T090000Z\nDTEND:20261202T100000Z\nDTEND:20261203T100000Z\nORGANIZER:@paul\nORGANIZER:@vincent\nSEQUENCE:1\nSEQUENCE:2\nSTATUS:CONFIRMED\nSTATUS:CANCELLED\nTRANSP:OPAQUE\nTRANSP:TRANSPARENT", want: `plain`, has: []string{"SUMMARY:Meeting", "!SUMMARY:Other", "SEQUENCE:1", "!SEQUENCE:2"}},
	{name: "structure/attendee twice", why: "the first names the status", in: "ATTENDEE;PARTSTAT=ACCEPTED:@paul\nATTENDEE;PARTSTAT=DECLINED:@paul", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting
objects/e`},
	{name: "structure/no organizer", why: "as the sender's own", in: "-ORGANIZER", want: `plain`},
	{name: "structure/organizer is another", why: "the sender's records all the same", in: "ORGANIZER:@vincent", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting mailto:vincent.vole@example.com
objects/e`},
	{name: "structure/organizer unreadable", why: "kept as it came", in: "ORGANIZER:Paul Boddie", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting "mailto:Paul Boddie"
objects/e`},
	{name: "structure/method missing", why: "the part says it", in: strings.Replace(vcalendar(plainLines), "METHOD:REQUEST\n", "", 1), want: `plain`},
	{name: "structure/method empty", why: "the part says it", in: strings.Replace(vcalendar(plainLines), "METHOD:REQUEST", "METHOD:", 1), want: `plain`},
	{name: "structure/method odd", why: "iTIP has no such method", in: strings.Replace(vcalendar(plainLines), "METHOD:REQUEST", "METHOD:X-INVITE", 1), want: `rejected: the method "X-INVITE" is not one of iTIP`},
	{name: "structure/method twice", why: "the first counts", in: strings.Replace(vcalendar(plainLines), "METHOD:REQUEST", "METHOD:REQUEST\nMETHOD:CANCEL", 1), want: `plain`},
	{name: "structure/method in lower case", why: "it is case-insensitive", in: strings.Replace(vcalendar(plainLines), "METHOD:REQUEST", "METHOD:request", 1), want: `plain`},
	{name: "structure/method after the events", why: "calendar properties come in any order", in: "BEGIN:VCALENDAR\n" + vevent(plainLines) + "METHOD:CANCEL\nEND:VCALENDAR\n====\n" + vcalendar(plainLines), want: `plain`},
	{name: "structure/method with spaces", why: "a careless program", in: strings.Replace(vcalendar(plainLines), "METHOD:REQUEST", "METHOD: REQUEST ", 1), want: `plain`},
	{name: "structure/not a calendar", why: "it can never be read", in: "From: paul.boddie@example.com\nContent-Type: text/calendar; method=REQUEST\n\nThis is no calendar.\n", want: `rejected: the text holds no calendar`},
	{name: "structure/empty part", why: "it can never be read", in: "From: paul.boddie@example.com\nContent-Type: text/calendar; method=REQUEST\n\n", want: `rejected: the text holds no calendar`},
	{name: "structure/binary", why: "it can never be read", in: "From: paul.boddie@example.com\nContent-Type: text/calendar; method=REQUEST\n\n\x00\x01\x02\xff\xfe", want: `rejected: the text holds no calendar`},
	{name: "structure/JSON", why: "jCal is not iCalendar", in: "From: paul.boddie@example.com\nContent-Type: text/calendar; method=REQUEST\n\n[\"vcalendar\",[],[]]\n", want: `rejected: the text holds no calendar`},
	{name: "structure/stale", why: "a lower SEQUENCE changes nothing", in: "SEQUENCE:2\n====\nSEQUENCE:1\nSUMMARY:Old", want: `plain`},
	{name: "structure/stale by DTSTAMP", why: "an earlier DTSTAMP changes nothing", in: "SEQUENCE:2\nDTSTAMP:20261122T120000Z\n====\nSEQUENCE:2\nDTSTAMP:20261122T110000Z\nSUMMARY:Old", want: `plain`},
	{name: "structure/SEQUENCE missing", why: "then nothing is old", in: "SEQUENCE:2\n====\n-SEQUENCE\nDTSTAMP:20200101T000000Z\nSUMMARY:New", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - New
objects/e`},
	{name: "structure/cancel without attendees", why: "the whole event (RFC 5546 section 3.2.5)", in: "SUMMARY:Meeting\n====\nMETHOD:CANCEL\nSEQUENCE:1", want: `cancellations/objects/e`},
	{name: "structure/cancel of nothing", why: "it may have overtaken the invitation", in: "METHOD:CANCEL\nSEQUENCE:1", want: `cancellations/objects/e`},
	{name: "structure/cancel one attendee", why: "the event stays, without them", in: "ATTENDEE:@vincent\nATTENDEE:@harvey\n====\nMETHOD:CANCEL\nATTENDEE:@harvey", want: `plain`, has: []string{"ATTENDEE:mailto:vincent.vole@example.com", "!ATTENDEE:mailto:harvey.horse@example.com"}},
	{name: "structure/add", why: "an occurrence more", in: "RRULE:FREQ=DAILY;COUNT=2\n====\nMETHOD:ADD\nDTSTART:20261205T090000Z\nDTEND:20261205T100000Z", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
freebusy 20261205T090000Z/20261205T100000Z e ORG 20261205T090000Z Meeting
objects/e
recurrences/e/20261205T090000Z`},
	{name: "structure/add to nothing", why: "there is no event", in: "METHOD:ADD\nSUMMARY:Meeting", want: ``},
	{name: "structure/refresh", why: "it asks for the event", in: "METHOD:REFRESH\n-DTSTART", want: ``},
	{name: "structure/reply without times", why: "RFC 5546 section 3.2.3 allows it", store: vincentsEvent("ATTENDEE;PARTSTAT=NEEDS-ACTION:@paul"), in: "METHOD:REPLY\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=ACCEPTED:@paul\n-DTSTART\n-DTEND", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting mailto:vincent.vole@example.com
objects/e`, has: []string{"ATTENDEE;PARTSTAT=ACCEPTED:mailto:paul.boddie@example.com"}},
	{name: "structure/reply for another", why: "only senders speak for themselves", store: vincentsEvent("ATTENDEE;PARTSTAT=ACCEPTED:@paul", "ATTENDEE;PARTSTAT=NEEDS-ACTION:@harvey"), in: "METHOD:REPLY\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=ACCEPTED:@harvey", want: `objects/e`, has: []string{"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:harvey.horse@example.com"}},
	{name: "structure/published calendar", why: "with a store of web pages", in: "ATTENDEE;PARTSTAT=ACCEPTED:@paul", prefs: map[string]string{"freebusy_sharing": "share", "freebusy_publishing": "publish"}, want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting
objects/e
published freebusy`},
	{name: "structure/offer expires never", why: "an offer's length beyond the calendar", in: "METHOD:COUNTER\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=TENTATIVE:@paul", prefs: map[string]string{"freebusy_offers": "P99999999D"}, want: ``},
	{name: "structure/offer nonsense", why: "a preference that is no duration", in: "METHOD:COUNTER\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=TENTATIVE:@paul", prefs: map[string]string{"freebusy_offers": "a while"}, want: ``},
}
