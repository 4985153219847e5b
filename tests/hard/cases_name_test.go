package hard

import (
	"strings"

	"imip-agent/tests/compat"
)

// nameCases are about what becomes the name of a file: UIDs and users.
var nameCases = []hardCase{
	{name: "uid/slash", why: "no UID is a path", in: "UID:a/b", want: `freebusy 20261202T090000Z/20261202T100000Z a/b ORG - Meeting
objects/__uid__a%2Fb`},
	{name: "uid/path out of the store", why: "no UID is a path", in: "UID:../../freebusy", want: `freebusy 20261202T090000Z/20261202T100000Z ../../freebusy ORG - Meeting
objects/__uid__..%2F..%2Ffreebusy`},
	{name: "uid/dot", why: "a name that every directory has", in: "UID:.", want: `freebusy 20261202T090000Z/20261202T100000Z . ORG - Meeting
objects/__uid__.`},
	{name: "uid/two dots", why: "a name that every directory has", in: "UID:..", want: `freebusy 20261202T090000Z/20261202T100000Z .. ORG - Meeting
objects/__uid__..`},
	{name: "uid/three dots", why: "an ordinary name", in: "UID:...", want: `freebusy 20261202T090000Z/20261202T100000Z ... ORG - Meeting
objects/...`},
	{name: "uid/hidden", why: "an ordinary name, that shells do not list", in: "UID:.hidden", want: `freebusy 20261202T090000Z/20261202T100000Z .hidden ORG - Meeting
objects/.hidden`},
	{name: "uid/255 octets", why: "as long as a name can be", in: "UID:" + strings.Repeat("u", 255), want: `freebusy 20261202T090000Z/20261202T100000Z uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu ORG - Meeting
objects/uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu`},
	{name: "uid/256 octets", why: "longer than a name can be", in: "UID:" + strings.Repeat("u", 256), want: `freebusy 20261202T090000Z/20261202T100000Z uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu ORG - Meeting
objects/__uid__sha256-eeea0b989db6a9440839f6b7aace67ddd53bc773d6c42b81404a48acb1626307`},
	{name: "uid/100,000 octets", why: "only its digest fits", in: "UID:" + strings.Repeat("u", 100_000), want: `freebusy 20261202T090000Z/20261202T100000Z uuuuuuuuuuuuuuuuuuuu...(100000 octets) ORG - Meeting
objects/__uid__sha256-591cd5c03bb652f6531599e95c0f504d521d27b16fe1d2061d3c64f3c22273dc`},
	{name: "uid/128 characters of two octets", why: "the limit counts octets", in: "UID:" + strings.Repeat("ø", 128), want: `freebusy 20261202T090000Z/20261202T100000Z øøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøøø ORG - Meeting
objects/__uid__sha256-a1a3c811652480d70cc33cec79dcef96c3ca852273fe5f26ec2d65a3971b41f3`},
	{name: "uid/our prefix", why: "not to be taken for an encoded name", in: "UID:__uid__x", want: `freebusy 20261202T090000Z/20261202T100000Z __uid__x ORG - Meeting
objects/__uid____uid__x`},
	{name: "uid/our digest prefix", why: "not to be taken for a digest", in: "UID:__uid__sha256-" + strings.Repeat("0", 64), want: `freebusy 20261202T090000Z/20261202T100000Z __uid__sha256-0000000000000000000000000000000000000000000000000000000000000000 ORG - Meeting
objects/__uid____uid__sha256-0000000000000000000000000000000000000000000000000000000000000000`},
	{name: "uid/lock directory", why: "objects stand a level below it", in: "UID:__lock__", want: `freebusy 20261202T090000Z/20261202T100000Z __lock__ ORG - Meeting
objects/__lock__`},
	{name: "uid/freebusy", why: "a table's name is no object's", in: "UID:freebusy", want: `freebusy 20261202T090000Z/20261202T100000Z freebusy ORG - Meeting
objects/freebusy`},
	{name: "uid/percent", why: "not to be decoded", in: "UID:100%25/", want: `freebusy 20261202T090000Z/20261202T100000Z 100%25/ ORG - Meeting
objects/__uid__100%2525%2F`},
	{name: "uid/percent plain", why: "as it stands", in: "UID:100%25", want: `freebusy 20261202T090000Z/20261202T100000Z 100%25 ORG - Meeting
objects/100%25`},
	{name: "uid/spaces", why: "as it stands", in: "UID:my event  1", want: `freebusy 20261202T090000Z/20261202T100000Z "my event  1" ORG - Meeting
objects/my event  1`},
	{name: "uid/spaces around", why: "tables strip them at the end", in: vcalendar(strings.Replace(plainLines, "UID:e", "UID: e ", 1)), want: `freebusy 20261202T090000Z/20261202T100000Z " e " ORG - Meeting
objects/ e `},
	{name: "uid/unicode", why: "as it stands", in: "UID:møte-🎉", want: `freebusy 20261202T090000Z/20261202T100000Z møte-🎉 ORG - Meeting
objects/møte-🎉`},
	{name: "uid/decomposed", why: "file systems may normalise, we do not", in: "UID:mo\u0308te", want: `freebusy 20261202T090000Z/20261202T100000Z möte ORG - Meeting
objects/möte`},
	{name: "uid/comma", why: "the original takes it for a list", in: "UID:a,b", want: `freebusy 20261202T090000Z/20261202T100000Z a,b ORG - Meeting
objects/a,b`},
	{name: "uid/semicolon", why: "the original takes it for a list", in: "UID:a;b", want: `freebusy 20261202T090000Z/20261202T100000Z a;b ORG - Meeting
objects/a;b`},
	{name: "uid/escaped comma", why: "the same UID as with the bare comma", in: "UID:a\\,b\n====\nUID:a,b\nSUMMARY:Again", want: `freebusy 20261202T090000Z/20261202T100000Z a,b ORG - Again
objects/a,b`},
	{name: "uid/backslash", why: "no separator here", in: `UID:a\\b`, want: `freebusy 20261202T090000Z/20261202T100000Z a\\b ORG - Meeting
objects/a\\b`},
	{name: "uid/line break", why: "control characters cannot be kept in tables", in: `UID:a\nb`, want: `rejected: event "a\nb": the event's UID has control characters`},
	{name: "uid/tab", why: "control characters cannot be kept in tables", in: vcalendar(strings.Replace(plainLines, "UID:e", "UID:a\tb", 1)), want: `rejected: event "a\tb": the event's UID has control characters`},
	{name: "uid/NUL", why: "a name ends there", in: vcalendar(strings.Replace(plainLines, "UID:e", "UID:a\x00b", 1)), want: `rejected: event "a b": the event's UID has control characters`},
	{name: "uid/line separator", why: "the original ends a line there", in: vcalendar(strings.Replace(plainLines, "UID:e", "UID:a\u2028b", 1)), want: `rejected: event "a b": the event's UID has control characters`},
	{name: "uid/invalid UTF-8", why: "repaired as any text", in: vcalendar(strings.Replace(plainLines, "UID:e", "UID:a\xffb", 1)), want: `freebusy 20261202T090000Z/20261202T100000Z aÿb ORG - Meeting
objects/aÿb`},
	{name: "uid/empty", why: "without a UID nothing can be addressed", in: "UID:", want: `rejected: the event has no UID`},
	{name: "uid/blank", why: "without a UID nothing can be addressed", in: vcalendar(strings.Replace(plainLines, "UID:e", "UID:   ", 1)), want: `rejected: event "   ": the event has no UID`},
	{name: "uid/missing", why: "without a UID nothing can be addressed", in: "-UID", want: `rejected: the event has no UID`},
	{name: "uid/two", why: "the first counts", in: "UID:e\nUID:f", want: `plain`},
	{name: "uid/quotes and shell", why: "as it stands", in: "UID:'; rm -rf $HOME \"x\" `id`", want: "freebusy 20261202T090000Z/20261202T100000Z \"'; rm -rf $HOME \\\"x\\\" `id`\" ORG - Meeting\nobjects/'; rm -rf $HOME \"x\" `id`"},
	{name: "uid/braces of Outlook", why: "as it stands", in: "UID:{12345678-ABCD}", want: `freebusy 20261202T090000Z/20261202T100000Z {12345678-ABCD} ORG - Meeting
objects/{12345678-ABCD}`},
	{name: "uid/URN", why: "as it stands", in: "UID:urn:uuid:4088E990-AD89-3DBB-B748-EB4D5B0CB4A6", want: `freebusy 20261202T090000Z/20261202T100000Z urn:uuid:4088E990-AD89-3DBB-B748-EB4D5B0CB4A6 ORG - Meeting
objects/urn:uuid:4088E990-AD89-3DBB-B748-EB4D5B0CB4A6`},
	{name: "uid/case", why: "two UIDs", in: "UID:e\n====\nUID:E", want: `freebusy 20261202T090000Z/20261202T100000Z E ORG - Meeting
freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
objects/E
objects/e`},
	{name: "uid/hyphen", why: "no option of a program", in: "UID:-rf", want: `freebusy 20261202T090000Z/20261202T100000Z -rf ORG - Meeting
objects/-rf`},
	{name: "uid/slash, moved and cancelled", why: "it is found again under its other name", in: "UID:a/b\nRRULE:FREQ=DAILY;COUNT=2\n====\nUID:a/b\nRECURRENCE-ID:20261203T090000Z\nDTSTART:20261203T120000Z\nDTEND:20261203T130000Z\n====\nMETHOD:CANCEL\nUID:a/b", want: `cancellations/objects/__uid__a%2Fb
recurrences/__uid__a%2Fb/20261203T090000Z`},
	{name: "uid/long, moved and cancelled", why: "it is found again under its digest", in: "UID:" + strings.Repeat("u", 300) + "\n====\nMETHOD:CANCEL\nUID:" + strings.Repeat("u", 300), want: `cancellations/objects/__uid__sha256-8b5089b44d9fefeafc563a34f6cb19fbdbe3814023622cb463bb4a74caba1c19`},

	{name: "user/in capitals", why: "the user's directory is named by the address as it stands", in: "METHOD:REQUEST\nFROM:Paul.Boddie@Example.COM\nORGANIZER:mailto:Paul.Boddie@Example.COM", want: `mailto:Paul.Boddie@Example.COM freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting mailto:Paul.Boddie@Example.COM
mailto:Paul.Boddie@Example.COM objects/e`},
	{name: "user/slash", why: "no user is a path", in: "METHOD:REQUEST\nFROM:a/b@example.com\nSUMMARY:Meeting", want: `rejected: event "e": user "mailto:a/b@example.com" cannot be stored: it has a slash in it`},
	{name: "user/path", why: "no user is a path", in: "METHOD:REQUEST\nFROM:../../../tmp/x@example.com\nSUMMARY:Meeting", want: `rejected: event "e": user "mailto:../../../tmp/x@example.com" cannot be stored: it has a slash in it`},
	{name: "user/plus and quotes", why: "an ordinary address, though odd", in: "METHOD:REQUEST\nFROM:\"a b+tag\"@example.com\nSUMMARY:Meeting", want: `mailto:"a b+tag"@example.com freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
mailto:"a b+tag"@example.com objects/e`},
	{name: "user/not ASCII", why: "RFC 6532", in: "METHOD:REQUEST\nFROM:pål@example.com\nSUMMARY:Meeting", want: `mailto:pål@example.com freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
mailto:pål@example.com objects/e`},
	{name: "user/long", why: "longer than a name can be", in: "METHOD:REQUEST\nFROM:" + strings.Repeat("a", 260) + "@example.com\nSUMMARY:Meeting", want: `rejected: event "e": user "mailto:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com" cannot be stored: it is longer than 255 octets`},
	{name: "user/none", why: "nobody to handle it for", in: "From: \nMIME-Version: 1.0\nContent-Type: text/calendar; method=REPLY\n\n" + strings.Replace(vcalendar(plainLines), "REQUEST", "REPLY", 1), want: ``},
	{name: "user/no From, a REQUEST", why: "the organizer, then", in: "Fromage: yes\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "user/two From addresses", why: "the first", in: "From: Paul <paul.boddie@example.com>, Vincent <vincent.vole@example.com>\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "user/two From fields", why: "the first", in: "From: Paul <paul.boddie@example.com>\nFrom: Vincent <vincent.vole@example.com>\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "user/comma in an unquoted name", why: "a name as clients should not write it", in: "From: Boddie, Paul <paul.boddie@example.com>\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "user/encoded name", why: "RFC 2047, with a comma inside", in: "From: =?utf-8?q?Boddie=2C_Pa=C3=BCl?= <paul.boddie@example.com>\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "user/bare address", why: "no angle brackets", in: "From: paul.boddie@example.com (Paul)\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "user/group", why: "RFC 5322 section 3.4", in: "From: Us: paul.boddie@example.com, vincent.vole@example.com;\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST\n\n" + vcalendar(plainLines), want: `plain`},
	{name: "user/MAILTO in capitals", why: "schemes are case-insensitive (RFC 3986 section 3.1)", in: "ORGANIZER:MAILTO:paul.boddie@example.com\nATTENDEE;PARTSTAT=ACCEPTED:MAILTO:paul.boddie@example.com", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting
objects/e`},
	{name: "user/attendee without scheme", why: "a bare address is a mail address", in: "ATTENDEE;PARTSTAT=ACCEPTED:paul.boddie@example.com", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting
objects/e`},
	{name: "user/urn organizer", why: "other schemes stay as they are", in: "ORGANIZER:urn:uuid:1234", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting urn:uuid:1234
objects/e`},
	{name: "user/does not participate", why: "the preference says so", in: "SUMMARY:Meeting", prefs: compat.Tree{"participating": "no"}, want: ``},
	{name: "user/attendee that is no file", why: "the event is stored, without that attendee's free/busy", store: vincentsEvent("RRULE:FREQ=DAILY;COUNT=2", "ATTENDEE;PARTSTAT=ACCEPTED:@paul", "ATTENDEE;PARTSTAT=ACCEPTED:http://example.com/x"), in: "METHOD:REPLY\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=ACCEPTED:@paul\nRECURRENCE-ID:20261203T090000Z\nDTSTART:20261203T090000Z\nDTEND:20261203T100000Z", want: `freebusy 20261203T090000Z/20261203T100000Z e OPAQUE 20261203T090000Z Meeting mailto:vincent.vole@example.com
objects/e
recurrences/e/20261203T090000Z`},
}
