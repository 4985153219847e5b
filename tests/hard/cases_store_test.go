package hard

import (
	"strings"

	"imip-agent/tests/compat"
)

// good is a record of another event in a table.
const good = "20261201T090000Z\t20261201T100000Z\tother\tOPAQUE\t\tOther\tmailto:paul.boddie@example.com\n"

// object is a stored object with these lines.
func object(lines ...string) string { return crlf(vevent(lines...)) }

// storeCases are about what is in the store already, in a state that it should
// not be in.
var storeCases = []hardCase{
	{name: "store/unreadable object, REQUEST", why: "it counts as absent; a copy is put aside", store: compat.Tree{"objects/e": "rubbish"}, in: "SUMMARY:Meeting", want: `plain
rejected: a stored object cannot be read: the text holds no VEVENT`},
	{name: "store/unreadable object, CANCEL", why: "it counts as absent; a copy is put aside", store: compat.Tree{"objects/e": "rubbish"}, in: "METHOD:CANCEL\nSEQUENCE:1", want: `cancellations/objects/e
rejected: a stored object cannot be read: the text holds no VEVENT`},
	{name: "store/unreadable object, REPLY", why: "it counts as absent; a copy is put aside", store: compat.Tree{"objects/e": "rubbish"}, in: "METHOD:REPLY\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=ACCEPTED:@paul", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting mailto:vincent.vole@example.com
objects/e
rejected: a stored object cannot be read: the text holds no VEVENT`, unreadable: "it was so before"},
	{name: "store/unreadable parent, occurrence", why: "the occurrence does not need it", store: compat.Tree{"objects/e": "BEGIN:VEVENT\r\n"}, in: "RECURRENCE-ID:20261202T090000Z", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG 20261202T090000Z Meeting
objects/e
recurrences/e/20261202T090000Z`},
	{name: "store/empty object", why: "as a crash of another program leaves it", store: compat.Tree{"objects/e": ""}, in: "SUMMARY:Meeting", want: `plain
rejected: a stored object cannot be read: the text holds no VEVENT`},
	{name: "store/object cut off", why: "as a full disk leaves it", store: compat.Tree{"objects/e": strings.TrimSuffix(object(plainLines, "SEQUENCE:5"), "END:VEVENT\r\n")}, in: "SEQUENCE:1", want: `plain
rejected: a stored object cannot be read: the event is cut: it has no END:VEVENT`},
	{name: "store/object in a calendar", why: "readable all the same", store: compat.Tree{"objects/e": vcalendar(plainLines, "SEQUENCE:5")}, in: "SEQUENCE:1\nSUMMARY:Old", want: `objects/e`},
	{name: "store/object with LF", why: "both line ends are read", store: compat.Tree{"objects/e": vevent(plainLines, "SEQUENCE:5")}, in: "SEQUENCE:1\nSUMMARY:Old", want: `objects/e`},
	{name: "store/object not UTF-8", why: "repaired when it is written again", store: compat.Tree{"objects/e": object(bare, "SUMMARY:M\xf8te", "ATTENDEE;PARTSTAT=NEEDS-ACTION:"+paul)}, in: "METHOD:REPLY\nATTENDEE;PARTSTAT=ACCEPTED:@paul", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting
objects/e`},
	{name: "store/object with TZID=UTC", why: "the original writes it on times in UTC", store: compat.Tree{"objects/e": object("UID:e", "DTSTART;TZID=UTC:20261202T090000Z", "DTEND;TZID=UTC:20261202T100000Z", "ATTENDEE;PARTSTAT=NEEDS-ACTION:"+paul)}, in: "METHOD:REPLY\nATTENDEE;PARTSTAT=ACCEPTED:@paul\n-DTSTART\n-DTEND\n-SUMMARY\n-ORGANIZER", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE
objects/e`},
	{name: "store/object of another UID", why: "what the file is called counts", store: compat.Tree{"objects/e": object(strings.Replace(plainLines, "UID:e", "UID:f", 1), "SEQUENCE:5")}, in: "SEQUENCE:1\nSUMMARY:Old", want: `objects/e`},
	{name: "store/damaged table, short line", why: "read past, put aside when written", store: compat.Tree{"freebusy": good + "20261203T090000Z\n"}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - Other
plain
rejected: damaged lines of a table: line 2: not a record: it does not begin with two times from 1900 to 9999`},
	{name: "store/damaged table, line break in a summary", why: "the halves are joined", store: compat.Tree{"freebusy": "20261201T090000Z\t20261201T100000Z\tother\tOPAQUE\t\tOne\ntwo\tmailto:paul.boddie@example.com\n"}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - "One two"
plain`},
	{name: "store/damaged table, TAB in a summary", why: "a column too many", store: compat.Tree{"freebusy": "20261201T090000Z\t20261201T100000Z\tother\tOPAQUE\t\tOne\ttwo\tmailto:paul.boddie@example.com\n"}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - "One two"
plain`},
	{name: "store/damaged table, not UTF-8", why: "repaired", store: compat.Tree{"freebusy": strings.Replace(good, "Other", "\xf8", 1)}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - �
plain`},
	{name: "store/damaged table, rubbish", why: "read past, put aside when written", store: compat.Tree{"freebusy": "\x00\x01\x02 rubbish\n\n\n" + good}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - Other
plain
rejected: damaged lines of a table: line 1: not a record: it does not begin with two times from 1900 to 9999`},
	{name: "store/damaged table, half a line at the end", why: "as a full disk leaves it", store: compat.Tree{"freebusy": good + good[:40]}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - Other
freebusy 20261201T090000Z/20261201T100000Z other OPAQUE
plain`},
	{name: "store/damaged table, no line end at the end", why: "the last record is whole", store: compat.Tree{"freebusy": strings.TrimSuffix(good, "\n")}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - Other
plain`},
	{name: "store/damaged table, times that are none", why: "read past, put aside when written", store: compat.Tree{"freebusy": strings.Replace(good, "20261201T090000Z", "20261301T090000Z", 1)}, in: "SUMMARY:Meeting", want: `plain
rejected: damaged lines of a table: line 1: not a record: it does not begin with two times from 1900 to 9999`},
	{name: "store/damaged table, times with offsets", why: "not what tables have", store: compat.Tree{"freebusy": strings.Replace(good, "20261201T090000Z", "2026-12-01T09:00:00Z", 1)}, in: "SUMMARY:Meeting", want: `plain
rejected: damaged lines of a table: line 1: not a record: it does not begin with two times from 1900 to 9999`},
	{name: "store/table with CRLF", why: "CR is stripped", store: compat.Tree{"freebusy": crlf(good)}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - Other
plain`},
	{name: "store/table with BOM", why: "an editor's", store: compat.Tree{"freebusy": "\ufeff" + good}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - Other
plain`},
	{name: "store/table out of order", why: "order is put right", store: compat.Tree{"freebusy": strings.ReplaceAll(good, "1201T", "1205T") + good}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - Other
freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261205T090000Z/20261205T100000Z other OPAQUE - Other
objects/e`},
	{name: "store/table with a record twice", why: "twice is once", store: compat.Tree{"freebusy": good + good}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - Other
freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - Other
plain`},
	{name: "store/table with spaces", why: "trailing spaces are stripped", store: compat.Tree{"freebusy": strings.TrimSuffix(good, "\n") + "   \n"}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE - Other
plain`},
	{name: "store/table without summary and organizer", why: "columns at the end that are empty", store: compat.Tree{"freebusy": "20261201T090000Z\t20261201T100000Z\tother\tOPAQUE\t\t\t\n"}, in: "SUMMARY:Meeting", want: `freebusy 20261201T090000Z/20261201T100000Z other OPAQUE
plain`},
	{name: "store/empty table", why: "the same as none", store: compat.Tree{"freebusy": ""}, in: "SUMMARY:Meeting", want: `plain`},
	{name: "store/queue not UTF-8", why: "repaired or put aside", store: compat.Tree{"requests": "e\t\t\nm\xf8te\t\t\nf\t\tCOUNTER\n"}, in: "SUMMARY:Meeting", want: `plain
rejected: damaged lines of a table: line 2: it is not UTF-8
requests f - COUNTER`},
	{name: "store/queue with rubbish", why: "read past", store: compat.Tree{"requests": "\t\t\n\ne\t\t\ta\tb\ne\n"}, in: "SUMMARY:Meeting", want: `plain
rejected: damaged lines of a table: line 3: there are more columns in it than belong there`},
	{name: "store/queue with both kinds", why: "the event's entries go, both", store: compat.Tree{"requests": "e\t\t\ne\t\tCOUNTER\ne\t20261203T090000Z\t\nf\t\t\n"}, in: "SUMMARY:Meeting", want: `plain
requests e 20261203T090000Z
requests f -`},
	{name: "store/providers empty", why: "nothing is noted in a table that is not kept", store: compat.Tree{"freebusy-providers": ""}, in: "RRULE:FREQ=WEEKLY;INTERVAL=12", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20270224T090000Z/20270224T100000Z e ORG - Meeting
objects/e`},
	{name: "store/providers kept", why: "an event without end is noted", store: compat.Tree{"freebusy-providers": "20270302T120000Z\t\nother\t\n"}, in: "RRULE:FREQ=WEEKLY;INTERVAL=12", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20270224T090000Z/20270224T100000Z e ORG - Meeting
freebusy-providers 20270302T120000Z -
freebusy-providers other -
freebusy-providers e -
objects/e`},
	{name: "store/providers damaged", why: "the first line is no time", store: compat.Tree{"freebusy-providers": "soon\t\nother\t\n"}, in: "RRULE:FREQ=WEEKLY;INTERVAL=12", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20270224T090000Z/20270224T100000Z e ORG - Meeting
freebusy-providers soon -
freebusy-providers other -
objects/e`},
	{name: "store/counter-proposals, several", why: "all of the event's go", store: compat.Tree{"counters/objects/e/" + vincent: object(plainLines), "counters/objects/e/mailto:harvey.horse@example.com": object(plainLines)}, in: "SUMMARY:Meeting", want: `plain`},
	{name: "store/counter-proposals, one declined", why: "the other stays, and the queue entry with it", store: compat.Tree{"requests": "e\t\tCOUNTER\n", "objects/e": object(plainLines), "counters/objects/e/" + vincent: object(plainLines), "counters/objects/e/mailto:harvey.horse@example.com": object(plainLines)}, in: "METHOD:DECLINECOUNTER\nATTENDEE:@vincent", want: `counters/objects/e/mailto:harvey.horse@example.com
objects/e
requests e - COUNTER`},
	{name: "store/offers expired", why: "dropped when the table is touched", prefs: compat.Tree{"freebusy_offers": "P1D"}, store: compat.Tree{"freebusy-offers": strings.TrimSuffix(good, "\n") + "\t20261120T000000Z\n"}, in: "METHOD:COUNTER\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=TENTATIVE:@paul", want: `freebusy-offers 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting mailto:vincent.vole@example.com 20261123T120000Z`},
	{name: "store/offers of seven columns", why: "an expiry that is missing", prefs: compat.Tree{"freebusy_offers": "P1D"}, store: compat.Tree{"freebusy-offers": good}, in: "METHOD:COUNTER\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=TENTATIVE:@paul", want: `freebusy-offers 20261201T090000Z/20261201T100000Z other OPAQUE - Other
freebusy-offers 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting mailto:vincent.vole@example.com 20261123T120000Z`},
	{name: "store/staging left over", why: "removed by the next one that writes", store: compat.Tree{"__staging__/0": "half"}, in: "SUMMARY:Meeting", want: `plain`},
	{name: "store/staging left over, published", why: "overwritten", prefs: compat.Tree{"freebusy_sharing": "share", "freebusy_publishing": "publish"}, in: "ATTENDEE;PARTSTAT=ACCEPTED:@paul\n====\nATTENDEE;PARTSTAT=ACCEPTED:@paul\nSUMMARY:Again", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Again
objects/e
published freebusy`},
	{name: "store/cancelled before", why: "an older REQUEST does not bring it back", store: compat.Tree{"cancellations/objects/e": object(plainLines, "SEQUENCE:9")}, in: "SEQUENCE:0", want: `cancellations/objects/e`},
	{name: "store/cancelled before, sent anew", why: "a later REQUEST brings it back", store: compat.Tree{"cancellations/objects/e": object(plainLines, "SEQUENCE:9")}, in: "SEQUENCE:10", want: `plain`},
	{name: "store/active and cancelled at once", why: "as a crash may leave it", store: compat.Tree{"objects/e": object(plainLines), "cancellations/objects/e": object(plainLines)}, in: "METHOD:CANCEL\nSEQUENCE:1", want: `cancellations/objects/e`},
	{name: "store/stray file among recurrences", why: "a file that an editor left", store: compat.Tree{"objects/e": object(plainLines, "RRULE:FREQ=DAILY;COUNT=2"), "recurrences/e/20261203T090000Z~": "x", "recurrences/e/.nfs0001": "x"}, in: "SEQUENCE:1\nRRULE:FREQ=DAILY;COUNT=2", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "store/100 recurrences", why: "all go with the whole event", store: manyRecurrences(100), in: "SEQUENCE:1", want: `plain`},
	{name: "store/unknown files", why: "what we do not know is not ours to touch", store: compat.Tree{"notes": "x", "journal/x": "y"}, in: "SUMMARY:Meeting", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
journal/x
notes
objects/e`},
}

// vincentsEvent is a store with the plain event as Vincent organizes it, with more lines.
func vincentsEvent(lines ...string) compat.Tree {
	text := strings.Join(append([]string{strings.Replace(plain, "ORGANIZER:@paul", "ORGANIZER:@vincent", 1)}, lines...), "\n")
	for short, uri := range map[string]string{"@paul": paul, "@vincent": "mailto:vincent.vole@example.com", "@harvey": "mailto:harvey.horse@example.com"} {
		text = strings.ReplaceAll(text, ":"+short, ":"+uri)
	}
	return compat.Tree{"objects/e": object(text)}
}

// manyRecurrences is a store with so many occurrences that are stored separately.
func manyRecurrences(n int) compat.Tree {
	tree := compat.Tree{"objects/e": object(plainLines)}
	for _, line := range strings.Split(exdates(n), "\n") {
		id := strings.TrimPrefix(line, "EXDATE:")
		tree["recurrences/e/"+id] = object(plainLines, "RECURRENCE-ID:"+id)
	}
	return tree
}

// systemCases are about mails that the calendar system itself sends: the user is
// found in the event.
var systemCases = []hardCase{
	{name: "system/request", why: "the organizer's", in: "METHOD:REQUEST\nFROM:calendar\nSUMMARY:Meeting", want: `plain`},
	{name: "system/reply", why: "the attendee for whom the system speaks", in: "METHOD:REPLY\nFROM:calendar\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=ACCEPTED:@harvey\nATTENDEE;PARTSTAT=ACCEPTED;SENT-BY=\"@calendar\":@paul", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting mailto:vincent.vole@example.com`},
	{name: "system/reply for nobody", why: "nobody to handle it for", in: "METHOD:REPLY\nFROM:calendar\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=ACCEPTED:@paul", want: ``},
	{name: "system/reply by several", why: "the first for whom the system speaks", in: "METHOD:REPLY\nFROM:calendar\nORGANIZER:@harvey\nATTENDEE;PARTSTAT=ACCEPTED;SENT-BY=\"@calendar\":@paul\nATTENDEE;PARTSTAT=ACCEPTED;SENT-BY=\"@calendar\":@vincent", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting mailto:harvey.horse@example.com`},
	{name: "system/reply, SENT-BY unquoted", why: "a parameter as it should not be written", in: "METHOD:REPLY\nFROM:calendar\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=ACCEPTED;SENT-BY=MAILTO:calendar@example.com:mailto:paul.boddie@example.com", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting mailto:vincent.vole@example.com`},
	{name: "system/cancel", why: "the organizer's", in: "SUMMARY:Meeting\n====\nMETHOD:CANCEL\nFROM:calendar\nSEQUENCE:1", want: `cancellations/objects/e`},
	{name: "system/no organizer", why: "nobody to handle it for", in: "METHOD:REQUEST\nFROM:calendar\n-ORGANIZER", want: ``},
	{name: "system/organizer unsafe", why: "no user is a path", in: "METHOD:REQUEST\nFROM:calendar\nORGANIZER:mailto:../x@example.com", want: `rejected: event "e": user "mailto:../x@example.com" cannot be stored: it has a slash in it`},
	{name: "system/user beside it", why: "the first who is not the system", in: "From: calendar@example.com, paul.boddie@example.com\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "system/in other capitals", why: "addresses are the same whatever their case", in: "METHOD:REQUEST\nFROM:Calendar@Example.com\nSUMMARY:Meeting", want: `plain`},
	{name: "system/refresh", why: "no effect, whoever sends it", in: "METHOD:REFRESH\nFROM:calendar", want: ``},
	{name: "system/counter", why: "the attendee for whom the system speaks", in: "METHOD:COUNTER\nFROM:calendar\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=TENTATIVE;SENT-BY=\"@calendar\":@paul", prefs: compat.Tree{"freebusy_offers": "P1D"}, want: `freebusy-offers 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting mailto:vincent.vole@example.com 20261123T120000Z`},
}
