package hard

import (
	"fmt"
	"strings"
	"time"

	"imip-agent/tests/compat"
)

// ruleCases are about how an event recurs. The window ends 100 days after now, on
// 2 March 2027.
var ruleCases = []hardCase{
	{name: "rule/daily", why: "until the end of the window", in: "RRULE:FREQ=DAILY", want: `freebusy 91 records
freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20270302T090000Z/20270302T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/by the second", why: "the original never comes back", in: "-DTEND\nDURATION:PT1S\nRRULE:FREQ=SECONDLY", want: `freebusy 50000 records
freebusy 20261202T090000Z/20261202T090001Z e ORG - Meeting
freebusy 20261202T225319Z/20261202T225320Z e ORG - Meeting
objects/e`},
	{name: "rule/by the minute", why: "beyond the limit on periods", in: "-DTEND\nDURATION:PT1S\nRRULE:FREQ=MINUTELY", want: `freebusy 50000 records
freebusy 20261202T090000Z/20261202T090001Z e ORG - Meeting
freebusy 20270106T021900Z/20270106T021901Z e ORG - Meeting
objects/e`},
	{name: "rule/by the second from 1970", why: "a thousand million occurrences before now", in: "-DTEND\nDTSTART:19700101T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY", want: `freebusy 50000 records
freebusy 20261122T120000Z/20261122T120001Z e ORG - Meeting
freebusy 20261123T015319Z/20261123T015320Z e ORG - Meeting
objects/e`},
	{name: "rule/count of a thousand million", why: "not to be counted out", in: "RRULE:FREQ=DAILY;COUNT=1000000000", want: `freebusy 91 records
freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20270302T090000Z/20270302T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/count of a thousand million seconds", why: "not to be counted out", in: "-DTEND\nDURATION:PT1S\nRRULE:FREQ=SECONDLY;COUNT=1000000000", want: `freebusy 50000 records
freebusy 20261202T090000Z/20261202T090001Z e ORG - Meeting
freebusy 20261202T225319Z/20261202T225320Z e ORG - Meeting
objects/e`},
	{name: "rule/count beyond 64 bits", why: "more than a number holds", in: "RRULE:FREQ=DAILY;COUNT=99999999999999999999", want: `freebusy 91 records
freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20270302T090000Z/20270302T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/count zero", why: "no rule by RFC 5545 section 3.3.10", in: "RRULE:FREQ=DAILY;COUNT=0", want: `plain`},
	{name: "rule/count negative", why: "no rule by RFC 5545 section 3.3.10", in: "RRULE:FREQ=DAILY;COUNT=-5", want: `plain`},
	{name: "rule/count one", why: "only the start", in: "RRULE:FREQ=DAILY;COUNT=1", want: `plain`},
	{name: "rule/never matching", why: "30 February", in: "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", want: `objects/e`},
	{name: "rule/never matching by the second", why: "31 April, second by second", in: "RRULE:FREQ=SECONDLY;BYMONTH=4;BYMONTHDAY=31", want: `objects/e`},
	{name: "rule/never matching by position", why: "the tenth of at most five Mondays", in: "RRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=10", want: `objects/e`},
	{name: "rule/interval zero", why: "it would never move on", in: "RRULE:FREQ=DAILY;INTERVAL=0", want: `plain`},
	{name: "rule/interval huge", why: "beyond the calendar", in: "RRULE:FREQ=YEARLY;INTERVAL=9223372036854775807", want: `plain`},
	{name: "rule/interval negative", why: "backwards", in: "RRULE:FREQ=DAILY;INTERVAL=-1", want: `plain`},
	{name: "rule/list of days", why: "the original takes the first only", in: "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=5", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261204T090000Z/20261204T100000Z e ORG - Meeting
freebusy 20261207T090000Z/20261207T100000Z e ORG - Meeting
freebusy 20261209T090000Z/20261209T100000Z e ORG - Meeting
freebusy 20261211T090000Z/20261211T100000Z e ORG - Meeting
objects/e`, has: []string{"RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=5"}},
	{name: "rule/last weekday of the month", why: "BYSETPOS", in: "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3", want: `freebusy 20261231T090000Z/20261231T100000Z e ORG - Meeting
freebusy 20270129T090000Z/20270129T100000Z e ORG - Meeting
freebusy 20270226T090000Z/20270226T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/week number", why: "BYWEEKNO", in: "DTSTART:20270104T090000Z\nDTEND:20270104T100000Z\nRRULE:FREQ=YEARLY;BYWEEKNO=1,2;BYDAY=MO;COUNT=2", want: `freebusy 20270104T090000Z/20270104T100000Z e ORG - Meeting
freebusy 20270111T090000Z/20270111T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/week 53", why: "2026 has one, and it ends in 2027", in: "RRULE:FREQ=YEARLY;BYWEEKNO=53;BYDAY=SU;COUNT=1", want: `freebusy 20270103T090000Z/20270103T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/week start", why: "the example of RFC 5545 section 3.3.10: WKST decides", in: "DTSTART:20261201T090000Z\nDTEND:20261201T100000Z\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", want: `freebusy 20261201T090000Z/20261201T100000Z e ORG - Meeting
freebusy 20261213T090000Z/20261213T100000Z e ORG - Meeting
freebusy 20261215T090000Z/20261215T100000Z e ORG - Meeting
freebusy 20261227T090000Z/20261227T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/week start Monday", why: "the same with weeks from Monday", in: "DTSTART:20261201T090000Z\nDTEND:20261201T100000Z\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", want: `freebusy 20261201T090000Z/20261201T100000Z e ORG - Meeting
freebusy 20261206T090000Z/20261206T100000Z e ORG - Meeting
freebusy 20261215T090000Z/20261215T100000Z e ORG - Meeting
freebusy 20261220T090000Z/20261220T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/31st", why: "months without it are left out", in: "DTSTART:20261031T090000Z\nDTEND:20261031T100000Z\nRRULE:FREQ=MONTHLY;COUNT=3", want: `freebusy 20261031T090000Z/20261031T100000Z e ORG - Meeting
freebusy 20261231T090000Z/20261231T100000Z e ORG - Meeting
freebusy 20270131T090000Z/20270131T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/29 February", why: "leap years only; the window of 100 days ends the rule", in: "DTSTART:20240229T090000Z\nDTEND:20240229T100000Z\nRRULE:FREQ=YEARLY", want: `freebusy 20240229T090000Z/20240229T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/last day of the month", why: "BYMONTHDAY=-1", in: "DTSTART:20261130T090000Z\nDTEND:20261130T100000Z\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=4", want: `freebusy 20261130T090000Z/20261130T100000Z e ORG - Meeting
freebusy 20261231T090000Z/20261231T100000Z e ORG - Meeting
freebusy 20270131T090000Z/20270131T100000Z e ORG - Meeting
freebusy 20270228T090000Z/20270228T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/day of the year", why: "BYYEARDAY", in: "DTSTART:20261231T090000Z\nDTEND:20261231T100000Z\nRRULE:FREQ=YEARLY;BYYEARDAY=-1,1;COUNT=2", want: `freebusy 20261231T090000Z/20261231T100000Z e ORG - Meeting
freebusy 20270101T090000Z/20270101T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/Friday the 13th", why: "two limits at once", in: "DTSTART:20261113T090000Z\nDTEND:20261113T100000Z\nRRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", want: `freebusy 20261113T090000Z/20261113T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/start not in the rule", why: "DTSTART that the rule does not yield is no occurrence", in: "RRULE:FREQ=WEEKLY;BYDAY=TH;COUNT=2", want: `freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
freebusy 20261210T090000Z/20261210T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/in capitals and small letters", why: "a rule is case-insensitive", in: "RRULE:freq=daily;count=2", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/spaces", why: "as a careless program writes it", in: "RRULE: FREQ=DAILY; COUNT=2", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/semicolon at the end", why: "old Outlook wrote it", in: "RRULE:FREQ=DAILY;COUNT=2;", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/unknown part", why: "an extension", in: "RRULE:FREQ=DAILY;COUNT=2;X-FOO=1", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/RSCALE", why: "RFC 7529, Gregorian", in: "RRULE:RSCALE=GREGORIAN;FREQ=DAILY;COUNT=2;SKIP=OMIT", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/no FREQ", why: "no rule", in: "RRULE:COUNT=2", want: `plain`},
	{name: "rule/nonsense", why: "no rule", in: "RRULE:every day", want: `plain`},
	{name: "rule/empty", why: "no rule", in: "RRULE:", want: `plain`},
	{name: "rule/numbers out of range", why: "BYHOUR=25", in: "RRULE:FREQ=DAILY;BYHOUR=25;COUNT=2", want: `plain`},
	{name: "rule/until a date", why: "with that day (the original fails)", in: "RRULE:FREQ=DAILY;UNTIL=20261204", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
freebusy 20261204T090000Z/20261204T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/until a date, whole days", why: "the right form for dates", in: "DTSTART;VALUE=DATE:20261202\nDTEND;VALUE=DATE:20261203\nRRULE:FREQ=DAILY;UNTIL=20261204", want: `freebusy 20261202T000000Z/20261203T000000Z e ORG - Meeting
freebusy 20261203T000000Z/20261204T000000Z e ORG - Meeting
freebusy 20261204T000000Z/20261205T000000Z e ORG - Meeting
objects/e`},
	{name: "rule/until floating", why: "local time of the event (the original fails)", in: "DTSTART:20261202T090000\nDTEND:20261202T100000\nRRULE:FREQ=DAILY;UNTIL=20261204T090000", prefs: oslo, want: `freebusy 20261202T080000Z/20261202T090000Z e ORG - Meeting
freebusy 20261203T080000Z/20261203T090000Z e ORG - Meeting
freebusy 20261204T080000Z/20261204T090000Z e ORG - Meeting
objects/e`},
	{name: "rule/until floating, zoned", why: "local time of the event", in: "DTSTART;TZID=Europe/Oslo:20261202T090000\nDTEND;TZID=Europe/Oslo:20261202T100000\nRRULE:FREQ=DAILY;UNTIL=20261204T090000", want: `freebusy 20261202T080000Z/20261202T090000Z e ORG - Meeting
freebusy 20261203T080000Z/20261203T090000Z e ORG - Meeting
freebusy 20261204T080000Z/20261204T090000Z e ORG - Meeting
objects/e`},
	{name: "rule/until in UTC, zoned", why: "the right form for zones", in: "DTSTART;TZID=Europe/Oslo:20261202T090000\nDTEND;TZID=Europe/Oslo:20261202T100000\nRRULE:FREQ=DAILY;UNTIL=20261204T080000Z", want: `freebusy 20261202T080000Z/20261202T090000Z e ORG - Meeting
freebusy 20261203T080000Z/20261203T090000Z e ORG - Meeting
freebusy 20261204T080000Z/20261204T090000Z e ORG - Meeting
objects/e`},
	{name: "rule/until in UTC, whole days", why: "clients write so", in: "DTSTART;VALUE=DATE:20261202\nDTEND;VALUE=DATE:20261203\nRRULE:FREQ=DAILY;UNTIL=20261204T000000Z", want: `freebusy 20261202T000000Z/20261203T000000Z e ORG - Meeting
freebusy 20261203T000000Z/20261204T000000Z e ORG - Meeting
freebusy 20261204T000000Z/20261205T000000Z e ORG - Meeting
objects/e`},
	{name: "rule/until a date in another zone", why: "the day in the event's zone, where it ends later", in: "DTSTART;TZID=America/Los_Angeles:20261202T200000\nDTEND;TZID=America/Los_Angeles:20261202T210000\nRRULE:FREQ=DAILY;UNTIL=20261203", want: `freebusy 20261203T040000Z/20261203T050000Z e ORG - Meeting
freebusy 20261204T040000Z/20261204T050000Z e ORG - Meeting
objects/e`},
	{name: "rule/until before the start", why: "no occurrence", in: "RRULE:FREQ=DAILY;UNTIL=20261101T000000Z", want: `objects/e`},
	{name: "rule/until nonsense", why: "no rule", in: "RRULE:FREQ=DAILY;UNTIL=tomorrow", want: `plain`},
	{name: "rule/until and count", why: "only one may be there; the shorter is safe", in: "RRULE:FREQ=DAILY;UNTIL=20261210T000000Z;COUNT=2", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/two rules", why: "RFC 5545 section 3.8.5.3 says once: what is doubled is the first", in: "RRULE:FREQ=DAILY;COUNT=2\nRRULE:FREQ=WEEKLY;COUNT=2", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/over summer time", why: "09:00 stays 09:00", in: "DTSTART;TZID=Europe/Oslo:20261024T090000\nDTEND;TZID=Europe/Oslo:20261024T100000\nRRULE:FREQ=DAILY;COUNT=2", want: `freebusy 20261024T070000Z/20261024T080000Z e ORG - Meeting
freebusy 20261025T080000Z/20261025T090000Z e ORG - Meeting
objects/e`},
	{name: "rule/through the gap", why: "only that day's occurrence moves", in: "-DTEND\nDTSTART;TZID=America/New_York:20270313T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3", prefs: compat.Tree{"window_size": "200"}, want: `freebusy 20270313T073000Z/20270313T083000Z e ORG - Meeting
freebusy 20270314T073000Z/20270314T083000Z e ORG - Meeting
freebusy 20270315T063000Z/20270315T073000Z e ORG - Meeting
objects/e`},
	{name: "rule/hourly through the overlap", why: "local times, worked out in the event's zone", in: "-DTEND\nDTSTART;TZID=Europe/Oslo:20261025T010000\nDURATION:PT10M\nRRULE:FREQ=HOURLY;COUNT=4", want: `freebusy 20261024T230000Z/20261024T231000Z e ORG - Meeting
freebusy 20261025T000000Z/20261025T001000Z e ORG - Meeting
freebusy 20261025T020000Z/20261025T021000Z e ORG - Meeting
freebusy 20261025T030000Z/20261025T031000Z e ORG - Meeting
objects/e`},
	{name: "rule/20,000 occurrences", why: "as many as there are", in: "-DTEND\nDURATION:PT1M\nRRULE:FREQ=MINUTELY;COUNT=20000", want: `freebusy 20000 records
freebusy 20261202T090000Z/20261202T090100Z e ORG - Meeting
freebusy 20261216T061900Z/20261216T062000Z e ORG - Meeting
objects/e`},
	{name: "rule/100,000 occurrences", why: "the limit is 50,000, the earliest from now on", in: "-DTEND\nDTSTART:20261122T115900Z\nDURATION:PT30S\nRRULE:FREQ=MINUTELY;COUNT=100000", want: `freebusy 50000 records
freebusy 20261122T120000Z/20261122T120030Z e ORG - Meeting
freebusy 20261227T051900Z/20261227T051930Z e ORG - Meeting
objects/e`},
	{name: "rule/window", why: "the preference says how far", in: "RRULE:FREQ=DAILY", prefs: compat.Tree{"window_size": "12"}, want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
freebusy 20261204T090000Z/20261204T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/window nonsense", why: "the default, then", in: "RRULE:FREQ=WEEKLY", prefs: compat.Tree{"window_size": "soon"}, want: `freebusy 13 records
freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20270224T090000Z/20270224T100000Z e ORG - Meeting
objects/e`},
	{name: "rule/old", why: "a series that began long ago", in: "DTSTART:19970902T090000Z\nDTEND:19970902T100000Z\nRRULE:FREQ=YEARLY;COUNT=3", want: `freebusy 19970902T090000Z/19970902T100000Z e ORG - Meeting
freebusy 19980902T090000Z/19980902T100000Z e ORG - Meeting
freebusy 19990902T090000Z/19990902T100000Z e ORG - Meeting
objects/e`},

	{name: "dates/RDATE list", why: "the original takes a list for something else", in: "RDATE:20261203T090000Z,20261204T090000Z", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
freebusy 20261204T090000Z/20261204T100000Z e ORG - Meeting
objects/e`},
	{name: "dates/RDATE only, start listed", why: "equal occurrences are one", in: "RDATE:20261202T090000Z", want: `plain`},
	{name: "dates/RDATE date on date-time", why: "the event's time on that day", in: "RDATE;VALUE=DATE:20261203", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "dates/RDATE period", why: "with an end of its own", in: "RDATE;VALUE=PERIOD:20261203T090000Z/20261203T120000Z,20261204T090000Z/PT30M", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T120000Z e ORG - Meeting
freebusy 20261204T090000Z/20261204T093000Z e ORG - Meeting
objects/e`},
	{name: "dates/RDATE period without VALUE", why: "it shows by itself", in: "RDATE:20261203T090000Z/PT2H", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T110000Z e ORG - Meeting
objects/e`},
	{name: "dates/RDATE zoned", why: "in a zone of its own", in: "RDATE;TZID=Europe/Oslo:20261203T100000", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "dates/RDATE beyond the window", why: "the window is for rules", in: "RDATE:20301203T090000Z", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20301203T090000Z/20301203T100000Z e ORG - Meeting
objects/e`},
	{name: "dates/RDATE nonsense", why: "the rest counts", in: "RDATE:20261203T090000Z,soon", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "dates/EXDATE list", why: "the original takes a list for something else", in: "RRULE:FREQ=DAILY;COUNT=4\nEXDATE:20261203T090000Z,20261204T090000Z", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261205T090000Z/20261205T100000Z e ORG - Meeting
objects/e`},
	{name: "dates/EXDATE several", why: "one a line", in: "RRULE:FREQ=DAILY;COUNT=4\nEXDATE:20261203T090000Z\nEXDATE:20261204T090000Z", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261205T090000Z/20261205T100000Z e ORG - Meeting
objects/e`},
	{name: "dates/EXDATE in another zone", why: "the instant counts", in: "RRULE:FREQ=DAILY;COUNT=2\nEXDATE;TZID=Europe/Oslo:20261203T100000", want: `plain`},
	{name: "dates/EXDATE date on date-time", why: "by start: a date is its midnight, which is no start", in: "RRULE:FREQ=DAILY;COUNT=2\nEXDATE;VALUE=DATE:20261203", want: `plain`},
	{name: "dates/EXDATE of all", why: "an event that never takes place", in: "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:20261202T090000Z,20261203T090000Z", want: `objects/e`},
	{name: "dates/EXDATE of the only one", why: "without a rule", in: "EXDATE:20261202T090000Z", want: `objects/e`},
	{name: "dates/EXDATE nonsense", why: "the rest counts", in: "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:never\nEXDATE:20261203T090000Z", want: `plain`},
	{name: "dates/EXDATE of an RDATE", why: "exceptions come last", in: "RDATE:20261203T090000Z\nEXDATE:20261203T090000Z", want: `plain`},
	{name: "dates/EXRULE", why: "RFC 2445: it takes away what it yields", in: "RRULE:FREQ=DAILY;COUNT=2\nEXRULE:FREQ=DAILY;COUNT=1", want: `freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "dates/5,000 EXDATE", why: "a long series with many exceptions", in: "RRULE:FREQ=DAILY\n" + exdates(5000), want: `plain`},

	{name: "recurrence/without parent", why: "stored as a recurrence of its own", in: "RECURRENCE-ID:20261202T090000Z", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG 20261202T090000Z Meeting
recurrences/e/20261202T090000Z`},
	{name: "recurrence/zoned", why: "its name is the instant in UTC", in: "RECURRENCE-ID;TZID=Europe/Oslo:20261202T100000", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG 20261202T090000Z Meeting
recurrences/e/20261202T090000Z`},
	{name: "recurrence/date", why: "its name is the date", in: "DTSTART;VALUE=DATE:20261202\nDTEND;VALUE=DATE:20261203\nRECURRENCE-ID;VALUE=DATE:20261202", want: `freebusy 20261202T000000Z/20261203T000000Z e ORG 20261202 Meeting
recurrences/e/20261202`},
	{name: "recurrence/date with zone", why: "the start of that day", in: "RECURRENCE-ID;VALUE=DATE;TZID=Europe/Oslo:20261202", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG 20261201T230000Z Meeting
recurrences/e/20261201T230000Z`},
	{name: "recurrence/floating", why: "as given", in: "RECURRENCE-ID:20261202T090000", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG 20261202T090000 Meeting
recurrences/e/20261202T090000`},
	{name: "recurrence/of Outlook's zone", why: "the zone is mapped first", in: "RECURRENCE-ID;TZID=W. Europe Standard Time:20261202T100000", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG 20261202T090000Z Meeting
recurrences/e/20261202T090000Z`},
	{name: "recurrence/RANGE", why: "THISANDFUTURE is kept, without effect", in: "RECURRENCE-ID;RANGE=THISANDFUTURE:20261202T090000Z", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG 20261202T090000Z Meeting
recurrences/e/20261202T090000Z`},
	{name: "recurrence/nonsense", why: "no name of a file", in: "RECURRENCE-ID:../../freebusy", want: `rejected: event "e": the RECURRENCE-ID "../../FREEBUSY" is neither a date nor a date-time`},
	{name: "recurrence/empty", why: "neither a whole event nor an occurrence", in: "RECURRENCE-ID:", want: `rejected: event "e": the RECURRENCE-ID "" is neither a date nor a date-time`},
	{name: "recurrence/before its event in the mail", why: "parents are handled first", in: "BEGIN:VCALENDAR\nMETHOD:REQUEST\n" +
		vevent("UID:e", "ORGANIZER:"+paul, "RECURRENCE-ID:20261203T090000Z", "DTSTART:20261203T120000Z", "DTEND:20261203T130000Z", "SUMMARY:Later") +
		vevent(plainLines, "RRULE:FREQ=DAILY;COUNT=3") + "END:VCALENDAR\n", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T120000Z/20261203T130000Z e ORG 20261203T090000Z Later
freebusy 20261204T090000Z/20261204T100000Z e ORG - Meeting
objects/e
recurrences/e/20261203T090000Z`},
	{name: "recurrence/with a rule of its own", why: "it is one occurrence, whatever it says", in: "RECURRENCE-ID:20261202T090000Z\nRRULE:FREQ=DAILY;COUNT=2", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG 20261202T090000Z Meeting
recurrences/e/20261202T090000Z`},
	{name: "recurrence/replaced, then whole", why: "a whole event removes what was said of its occurrences", in: "RRULE:FREQ=DAILY;COUNT=2\n====\nRECURRENCE-ID:20261203T090000Z\nDTSTART:20261203T120000Z\nDTEND:20261203T130000Z\n====\nSEQUENCE:1\nRRULE:FREQ=DAILY;COUNT=2", want: `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261203T090000Z/20261203T100000Z e ORG - Meeting
objects/e`},
	{name: "recurrence/cancelled twice", why: "nothing is left to be done", in: "RRULE:FREQ=DAILY;COUNT=3\n====\nMETHOD:CANCEL\nRECURRENCE-ID:20261203T090000Z\nDTSTART:20261203T090000Z\nDTEND:20261203T100000Z\n====\nMETHOD:CANCEL\nRECURRENCE-ID:20261203T090000Z\nDTSTART:20261203T090000Z\nDTEND:20261203T100000Z", want: `cancellations/recurrences/e/20261203T090000Z
freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
freebusy 20261204T090000Z/20261204T100000Z e ORG - Meeting
objects/e`},
	{name: "recurrence/declined from east of UTC", why: "the occurrence is found in any zone", store: compat.Tree{"objects/e": object("UID:e\nORGANIZER:mailto:vincent.vole@example.com\nSUMMARY:Meeting\nDTSTART;TZID=Asia/Tokyo:20261202T180000\nDTEND;TZID=Asia/Tokyo:20261202T190000\nATTENDEE;PARTSTAT=ACCEPTED:mailto:paul.boddie@example.com\nRRULE:FREQ=DAILY;COUNT=2")}, in: "METHOD:REPLY\nORGANIZER:@vincent\nATTENDEE;PARTSTAT=DECLINED:@paul\nRECURRENCE-ID;TZID=Asia/Tokyo:20261203T180000\nDTSTART;TZID=Asia/Tokyo:20261203T180000\nDTEND;TZID=Asia/Tokyo:20261203T190000", want: `objects/e
recurrences/e/20261203T090000Z`},
}

// exdates is an exception for each of so many days from the second occurrence on.
func exdates(days int) string {
	var lines strings.Builder
	for i := range days {
		fmt.Fprintf(&lines, "EXDATE:%s\n", time.Date(2026, 12, 3+i, 9, 0, 0, 0, time.UTC).Format("20060102T150405Z"))
	}
	return strings.TrimSuffix(lines.String(), "\n")
}
