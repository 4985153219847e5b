package hard

import "imip-agent/tests/compat"

// oslo is the preference of a user in Norway.
var oslo = compat.Tree{"TZID": "Europe/Oslo"}

// timeCases are about when an event takes place.
var timeCases = []hardCase{
	{name: "time/date", why: "a date stands in the user's zone",
		in: "DTSTART;VALUE=DATE:20261202\nDTEND;VALUE=DATE:20261203", prefs: oslo, want: `freebusy 20261201T230000Z/20261202T230000Z e ORG - Meeting
objects/e`},
	{name: "time/date without VALUE", why: "a date that does not say so",
		in: "DTSTART:20261202\nDTEND:20261203", prefs: oslo, want: `freebusy 20261201T230000Z/20261202T230000Z e ORG - Meeting
objects/e`},
	{name: "time/date without end", why: "one day (RFC 5545 section 3.6.1)",
		in: "-DTEND\nDTSTART;VALUE=DATE:20261202", prefs: oslo, want: `freebusy 20261201T230000Z/20261202T230000Z e ORG - Meeting
objects/e`},
	{name: "time/date-time without end", why: "no length (RFC 5545 section 3.6.1)",
		in: "-DTEND", want: `freebusy 20261202T090000Z/20261202T090000Z e ORG - Meeting
objects/e`},
	{name: "time/end is start", why: "no length",
		in: "DTEND:20261202T090000Z", want: `freebusy 20261202T090000Z/20261202T090000Z e ORG - Meeting
objects/e`},
	{name: "time/date, end is start", why: "clients write whole days so: it is one day",
		in: "DTSTART;VALUE=DATE:20261202\nDTEND;VALUE=DATE:20261202", want: `freebusy 20261202T000000Z/20261203T000000Z e ORG - Meeting
objects/e`},
	{name: "time/end before start", why: "a typing error must not destroy free/busy",
		in: "DTEND:20261202T080000Z", want: `freebusy 20261202T090000Z/20261202T090000Z e ORG - Meeting
objects/e`},
	{name: "time/end of another type", why: "a date with a date-time as its end",
		in: "DTSTART;VALUE=DATE:20261202\nDTEND:20261203T120000Z", want: `freebusy 20261202T000000Z/20261203T120000Z e ORG - Meeting
objects/e`},
	{name: "time/duration", why: "instead of DTEND",
		in: "-DTEND\nDURATION:PT1H30M", want: `freebusy 20261202T090000Z/20261202T103000Z e ORG - Meeting
objects/e`},
	{name: "time/duration in weeks", why: "P1W (RFC 5545 section 3.3.6)",
		in: "-DTEND\nDURATION:P1W", want: `freebusy 20261202T090000Z/20261209T090000Z e ORG - Meeting
objects/e`},
	{name: "time/duration in days over a change", why: "a day is a day, whatever its length (RFC 5545 section 3.3.6)",
		in: "-DTEND\nDTSTART;TZID=Europe/Oslo:20270327T120000\nDURATION:P1D", want: `freebusy 20270327T110000Z/20270328T100000Z e ORG - Meeting
objects/e`},
	{name: "time/duration in hours over a change", why: "24 hours are exact",
		in: "-DTEND\nDTSTART;TZID=Europe/Oslo:20270327T120000\nDURATION:PT24H", want: `freebusy 20270327T110000Z/20270328T110000Z e ORG - Meeting
objects/e`},
	{name: "time/duration negative", why: "an event does not end before it starts",
		in: "-DTEND\nDURATION:-PT1H", want: `freebusy 20261202T090000Z/20261202T090000Z e ORG - Meeting
objects/e`},
	{name: "time/duration zero", why: "no length",
		in: "-DTEND\nDURATION:PT0S", want: `freebusy 20261202T090000Z/20261202T090000Z e ORG - Meeting
objects/e`},
	{name: "time/duration huge", why: "it ends after the calendar does",
		in: "-DTEND\nDURATION:P99999999999D", want: `freebusy 20261202T090000Z/99991231T235959Z e ORG - Meeting
objects/e`},
	{name: "time/duration that overflows", why: "more seconds than 64 bits hold",
		in: "-DTEND\nDURATION:PT99999999999999999999S", want: `freebusy 20261202T090000Z/21161110T090000Z e ORG - Meeting
objects/e`},
	{name: "time/duration malformed", why: "Outlook once wrote such",
		in: "-DTEND\nDURATION:1 hour", want: `freebusy 20261202T090000Z/20261202T090000Z e ORG - Meeting
objects/e`},
	{name: "time/duration empty", why: "P is no duration",
		in: "-DTEND\nDURATION:P", want: `freebusy 20261202T090000Z/20261202T090000Z e ORG - Meeting
objects/e`},
	{name: "time/duration of a date in hours", why: "only days fit a date",
		in: "-DTEND\nDTSTART;VALUE=DATE:20261202\nDURATION:PT36H", want: `freebusy 20261202T000000Z/20261203T000000Z e ORG - Meeting
objects/e`},
	{name: "time/end and duration", why: "only one of them may be there: DTEND counts",
		in: "DURATION:PT5H", want: `plain`},
	{name: "time/floating", why: "it stands in the user's zone",
		in: "DTSTART:20261202T090000\nDTEND:20261202T100000", prefs: oslo, want: `freebusy 20261202T080000Z/20261202T090000Z e ORG - Meeting
objects/e`},
	{name: "time/floating in a bad zone", why: "a preference that names no zone: the system's",
		in: "DTSTART:20261202T090000\nDTEND:20261202T100000", prefs: compat.Tree{"TZID": "Mars/Olympus"}, want: `plain`},
	{name: "time/zone", why: "an IANA name",
		in: "DTSTART;TZID=America/New_York:20261202T040000\nDTEND;TZID=America/New_York:20261202T050000", want: `plain`},
	{name: "time/zone in lower case", why: "names of zones are matched loosely by clients",
		in: "DTSTART;TZID=america/new_york:20261202T040000\nDTEND;TZID=america/new_york:20261202T050000", want: `plain`},
	{name: "time/zone linked", why: "an old name of a zone",
		in: "DTSTART;TZID=US/Eastern:20261202T040000\nDTEND;TZID=US/Eastern:20261202T050000", want: `plain`},
	{name: "time/zone of Outlook", why: "a Windows name", has: []string{"DTSTART;TZID=Europe/Berlin:20261202T100000"},
		in: "DTSTART;TZID=W. Europe Standard Time:20261202T100000\nDTEND;TZID=W. Europe Standard Time:20261202T110000", want: `plain`},
	{name: "time/zone of Outlook in quotes", why: "quoted",
		in: "DTSTART;TZID=\"W. Europe Standard Time\":20261202T100000\nDTEND;TZID=\"W. Europe Standard Time\":20261202T110000", want: `plain`},
	{name: "time/zone of Outlook, display name", why: "the long name of Windows",
		in: "DTSTART;TZID=\"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna\":20261202T100000\nDTEND;TZID=\"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna\":20261202T110000", want: `plain`},
	{name: "time/zone with prefix", why: "as libical and Mozilla wrote them", has: []string{"DTSTART;TZID=Europe/Oslo:20261202T100000"},
		in: "DTSTART;TZID=/mozilla.org/20050126_1/Europe/Oslo:20261202T100000\nDTEND;TZID=/mozilla.org/20050126_1/Europe/Oslo:20261202T110000", want: `plain`},
	{name: "time/zone with deep prefix", why: "zone of three parts",
		in: "DTSTART;TZID=/freeassociation.sourceforge.net/Tzfile/America/Argentina/Buenos_Aires:20261202T060000\nDTEND;TZID=/freeassociation.sourceforge.net/Tzfile/America/Argentina/Buenos_Aires:20261202T070000", want: `plain`},
	{name: "time/zone only described", why: "the VTIMEZONE tells which it is",
		in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VTIMEZONE\nTZID:Customized Time Zone 1\n" +
			"BEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n" +
			"BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\n" +
			"END:VTIMEZONE\n" + vevent("UID:e", "ORGANIZER:"+paul, "SUMMARY:Meeting", "DTSTART;TZID=Customized Time Zone 1:20261202T100000", "DTEND;TZID=Customized Time Zone 1:20261202T110000") + "END:VCALENDAR\n",
		want: `plain`},
	{name: "time/zone of a fixed offset, described", why: "a VTIMEZONE without summer time",
		in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0545\nTZOFFSETTO:+0545\nEND:STANDARD\nEND:VTIMEZONE\n" +
			vevent("UID:e", "ORGANIZER:"+paul, "SUMMARY:Meeting", "DTSTART;TZID=Mine:20261202T144500", "DTEND;TZID=Mine:20261202T154500") + "END:VCALENDAR\n",
		want: `plain`},
	{name: "time/zone unknown", why: "as floating, in the user's zone", prefs: oslo,
		in: "DTSTART;TZID=Nowhere:20261202T100000\nDTEND;TZID=Nowhere:20261202T110000", want: `plain`},
	{name: "time/zone that is a path", why: "a zone's name must not reach the file system", prefs: oslo,
		in: "DTSTART;TZID=../../etc/passwd:20261202T100000\nDTEND;TZID=../../etc/passwd:20261202T110000", want: `plain`},
	{name: "time/zone empty", why: "as floating", prefs: oslo,
		in: "DTSTART;TZID=:20261202T100000\nDTEND;TZID=:20261202T110000", want: `plain`},
	{name: "time/zone Local", why: "a name that means something to Go only", prefs: oslo,
		in: "DTSTART;TZID=Local:20261202T100000\nDTEND;TZID=Local:20261202T110000", want: `plain`},
	{name: "time/zone UTC", why: "Google writes it", prefs: oslo,
		in: "DTSTART;TZID=UTC:20261202T090000\nDTEND;TZID=UTC:20261202T100000", want: `plain`},
	{name: "time/zone GMT+5", why: "an offset as the name of a zone",
		in: "DTSTART;TZID=Etc/GMT+5:20261202T040000\nDTEND;TZID=Etc/GMT+5:20261202T050000", want: `plain`},
	{name: "time/Z and TZID", why: "Z decides (RFC 5545 section 3.3.5 form 2)", prefs: oslo,
		in: "DTSTART;TZID=America/New_York:20261202T090000Z\nDTEND;TZID=America/New_York:20261202T100000Z", want: `plain`},
	{name: "time/zones differ", why: "a flight", has: []string{"DTEND;TZID=America/New_York:20261202T050000"},
		in: "DTSTART;TZID=Europe/Oslo:20261202T100000\nDTEND;TZID=America/New_York:20261202T050000", want: `plain`},
	{name: "time/gap, Oslo", why: "02:30 does not exist; read with the offset before the gap (RFC 5545 section 3.3.5)",
		in: "DTSTART;TZID=Europe/Oslo:20270328T023000\nDTEND;TZID=Europe/Oslo:20270328T033000", want: `freebusy 20270328T013000Z/20270328T013000Z e ORG - Meeting
objects/e`},
	{name: "time/gap, New York", why: "the same on another date",
		in: "-DTEND\nDTSTART;TZID=America/New_York:20270314T023000\nDURATION:PT1H", want: `freebusy 20270314T073000Z/20270314T083000Z e ORG - Meeting
objects/e`},
	{name: "time/gap, Lord Howe", why: "a gap of half an hour",
		in: "-DTEND\nDTSTART;TZID=Australia/Lord_Howe:20271003T021500\nDURATION:PT1H", want: `freebusy 20271002T154500Z/20271002T164500Z e ORG - Meeting
objects/e`},
	{name: "time/gap at midnight", why: "a day that starts at 01:00",
		in: "DTSTART;VALUE=DATE:20270430\nDTEND;VALUE=DATE:20270501", prefs: compat.Tree{"TZID": "Africa/Cairo"}, want: `freebusy 20270429T220000Z/20270430T210000Z e ORG - Meeting
objects/e`},
	{name: "time/overlap, Oslo", why: "02:30 comes twice; the first one (RFC 5545 section 3.3.5)",
		in: "-DTEND\nDTSTART;TZID=Europe/Oslo:20271031T023000\nDURATION:PT1H", want: `freebusy 20271031T003000Z/20271031T013000Z e ORG - Meeting
objects/e`},
	{name: "time/overlap, Lord Howe", why: "of half an hour",
		in: "-DTEND\nDTSTART;TZID=Australia/Lord_Howe:20270404T014500\nDURATION:PT1H", want: `freebusy 20270403T144500Z/20270403T154500Z e ORG - Meeting
objects/e`},
	{name: "time/a day that was left out", why: "Samoa had no 30 December 2011",
		in: "-DTEND\nDTSTART;TZID=Pacific/Apia:20111230T120000\nDURATION:PT1H", want: `freebusy 20111230T220000Z/20111230T230000Z e ORG - Meeting
objects/e`},
	{name: "time/negative summer time", why: "Dublin's winter time is the exception",
		in: "-DTEND\nDTSTART;TZID=Europe/Dublin:20261202T090000\nDURATION:PT1H", want: `plain`},
	{name: "time/29 February", why: "in a leap year",
		in: "DTSTART:20280229T090000Z\nDTEND:20280229T100000Z", want: `freebusy 20280229T090000Z/20280229T100000Z e ORG - Meeting
objects/e`},
	{name: "time/29 February that is not", why: "no such day: the times cannot be read",
		in: "DTSTART:20270229T090000Z\nDTEND:20270229T100000Z", want: `rejected: event "e": it has no readable DTSTART`},
	{name: "time/hour 24", why: "no such hour",
		in: "DTSTART:20261202T240000Z", want: `rejected: event "e": it has no readable DTSTART`},
	{name: "time/leap second", why: "RFC 5545 section 3.3.12 allows 60, to be taken as 59",
		in: "DTSTART:20261202T085960Z", want: `freebusy 20261202T085959Z/20261202T100000Z e ORG - Meeting
objects/e`},
	{name: "time/without seconds", why: "vCalendar exporters write so",
		in: "DTSTART:20261202T0900Z\nDTEND:20261202T1000Z", want: `rejected: event "e": it has no readable DTSTART`},
	{name: "time/ISO 8601", why: "with hyphens and colons it is no iCalendar",
		in: "DTSTART:2026-12-02T09:00:00Z", want: `rejected: event "e": it has no readable DTSTART`},
	{name: "time/start missing", why: "without it nothing can be recorded (RFC 5546 section 3.2.2)",
		in: "-DTSTART", want: `rejected: event "e": it has no readable DTSTART`},
	{name: "time/start empty", why: "a property without value",
		in: "DTSTART:", want: `rejected: event "e": it has no readable DTSTART`},
	{name: "time/year 0001", why: "tables cannot have it: the original stops on such a record",
		in: "DTSTART:00010101T000000Z\nDTEND:00010101T010000Z", want: `objects/e`},
	{name: "time/year 0000", why: "there is none",
		in: "DTSTART:00000101T000000Z\nDTEND:00000101T010000Z", want: `objects/e`},
	{name: "time/year 1601", why: "Windows's beginning of time",
		in: "DTSTART:16010101T000000Z\nDTEND:16010101T010000Z", want: `objects/e`},
	{name: "time/year 1899 to 1900", why: "the table begins in 1900",
		in: "DTSTART:18991231T230000Z\nDTEND:19000101T010000Z", want: `objects/e`},
	{name: "time/year 9999", why: "the last year of the calendar",
		in: "DTSTART:99991231T220000Z\nDTEND:99991231T230000Z", want: `freebusy 99991231T220000Z/99991231T230000Z e ORG - Meeting
objects/e`},
	{name: "time/over the end of 9999", why: "the end would need five digits",
		in: "-DTEND\nDTSTART:99991231T230000Z\nDURATION:PT2H", want: `freebusy 99991231T230000Z/99991231T235959Z e ORG - Meeting
objects/e`},
	{name: "time/year of five digits", why: "no date",
		in: "DTSTART:100000101T000000Z", want: `rejected: event "e": it has no readable DTSTART`},
	{name: "time/before the epoch", why: "negative for computers, not for people",
		in: "DTSTART:19610412T060700Z\nDTEND:19610412T075500Z", want: `freebusy 19610412T060700Z/19610412T075500Z e ORG - Meeting
objects/e`},
	{name: "time/hundred years long", why: "a period like any other",
		in: "DTEND:21261202T100000Z", want: `freebusy 20261202T090000Z/21261202T100000Z e ORG - Meeting
objects/e`},
	{name: "time/stamp missing", why: "DTSTAMP is required, but nothing depends on it",
		in: vcalendar(plainLines, "SEQUENCE:0"), want: `plain`},
	{name: "time/transparent", why: "TRANSP of an event at which the user takes part",
		in: "ATTENDEE;PARTSTAT=ACCEPTED:@paul\nTRANSP:TRANSPARENT", want: `freebusy 20261202T090000Z/20261202T100000Z e TRANSPARENT - Meeting
objects/e`},
	{name: "time/transparency odd", why: "RFC 5545 section 3.8.2.7 knows two values",
		in: "ATTENDEE;PARTSTAT=ACCEPTED:@paul\nTRANSP:maybe", want: `freebusy 20261202T090000Z/20261202T100000Z e OPAQUE - Meeting
objects/e`},
	{name: "time/sequence odd", why: "a SEQUENCE that is no number is none",
		in: "SEQUENCE:first", want: `plain`},
	{name: "time/sequence huge", why: "beyond 64 bits", in: "SEQUENCE:99999999999999999999\n====\nSEQUENCE:1\nSUMMARY:Later", want: `plain`},
	{name: "time/sequence negative", why: "below zero", in: "SEQUENCE:-1", want: `plain`},
}
