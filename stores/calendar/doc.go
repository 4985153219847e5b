// Package calendar is the one reader and writer of iCalendar: it takes calendars out of
// messages and files, reads and writes the objects that a store keeps, and writes calendars
// for others.
//
// An [Object] is one VEVENT (RFC 5545 section 3.6.1), a [FreeBusy] one VFREEBUSY (section
// 3.6.4). [Decode] finds them in the text of a message, and a [File] in one of any size;
// [DecodeObject] and [Object.Encode] read and write an object as a store keeps it: bare,
// BEGIN:VEVENT to END:VEVENT, with no VCALENDAR around it and no VTIMEZONE beside it. A
// [Document] is a calendar for other programs, which has both.
//
// # What is repaired
//
// Calendars that people send are often not quite iCalendar, and stored objects
// are also read by the original imip-agent, which fails on many things that are.
// So decoding brings an object into a form that means the same and that the
// original can read, with a warning wherever something had to be mended or left
// out:
//
//   - names of properties and parameters are upper case; a property that may
//     occur once does occur once, the first of them;
//   - in a text, commas and semicolons are escaped; characters at which the
//     original breaks lines are replaced;
//   - date-times in UTC have no TZID, and every other TZID is the name of an IANA
//     time zone (one that cannot be found out becomes X-TZID: local time of no
//     zone);
//   - addresses are "mailto:" URIs, however mailto was spelled;
//   - lines and parameters that are no iCalendar are mended, or left out.
//
// All else is kept as it came: X- properties, alarms, attachments, parameters.
// The order of properties is kept among those of one name.
//
// # The library
//
// Properties are those of go-ical ([ical.Prop], [ical.Component]), but its
// decoder and encoder are not used: the decoder gives up a whole calendar at its
// first bad line, panics on several kinds of them, nests without limit, and takes
// time quadratic in the length of a parameter; mending a text before it would
// mean to parse every line, and to write it, for it to be parsed again. The
// encoder does not fold lines and takes whole calendars only. No type of the
// library is part of this package's interface.
package calendar
