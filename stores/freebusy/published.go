package freebusy

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Published returns the calendar in which a user's busy periods are published for
// other people's programs: METHOD:PUBLISH and one VFREEBUSY (RFC 5546 section 3.3.1)
// with a FREEBUSY for each record of the table that is OPAQUE. user is the user's
// URI, stamp the time of publishing.
//
// DEVIATION: published-prodid. RFC 5545 section 3.7.3 requires PRODID.
func Published(user string, stampedAt time.Time, t *Table) []byte {
	var text strings.Builder
	user = Clean(user)
	for _, line := range []string{
		"BEGIN:VCALENDAR", "PRODID:-//imip-agent//NONSGML imip-agent//EN", "VERSION:2.0", "METHOD:PUBLISH",
		"BEGIN:VFREEBUSY", "ORGANIZER:" + user, "UID:" + user, "DTSTAMP:" + stamp(stampedAt),
	} {
		fold(&text, line)
	}
	for _, r := range t.rows {
		if c := split(r); c[3] == "OPAQUE" || c[3] == "" {
			text.WriteString("FREEBUSY;FBTYPE=BUSY:" + c[0] + "/" + c[1] + "\r\n")
		}
	}
	text.WriteString("END:VFREEBUSY\r\nEND:VCALENDAR\r\n")
	return []byte(text.String())
}

// fold writes a content line so that none of its physical lines is longer than 75
// octets (RFC 5545 section 3.1).
func fold(text *strings.Builder, line string) {
	for width := 75; len(line) > width; width = 74 {
		at := width
		for !utf8.RuneStart(line[at]) {
			at--
		}
		text.WriteString(line[:at] + "\r\n ")
		line = line[at:]
	}
	text.WriteString(line + "\r\n")
}
