package freebusy

import (
	"time"

	"imip-agent/stores/calendar"
)

// Published returns the calendar in which a user's busy periods are published for
// other people's programs: METHOD:PUBLISH and one VFREEBUSY (RFC 5546 section 3.3.1)
// with a FREEBUSY for each record of the table that is OPAQUE. user is the user's
// URI, stamp the time of publishing.
//
// DEVIATION: published-prodid. RFC 5545 section 3.7.3 requires PRODID.
func Published(user string, stampedAt time.Time, t *Table) []byte {
	user = Clean(user)
	f := &calendar.FreeBusy{
		UID: user, Stamp: stampedAt, Organizer: calendar.NewAttendee(calendar.URI(user), ""),
		Further: t.busy, FurtherLen: len(t.rows),
	}
	d := calendar.Document{Method: "PUBLISH", FreeBusy: []*calendar.FreeBusy{f}}
	return d.Encode()
}

// busy yields the periods of the records that are OPAQUE.
func (t *Table) busy(yield func(calendar.BusyPeriod) bool) {
	for _, r := range t.rows {
		if c := split(r); c[3] == "OPAQUE" || c[3] == "" {
			if !yield(calendar.BusyPeriod{Start: instant(c[0]), End: instant(c[1])}) {
				return
			}
		}
	}
}
