package freebusy

import "strings"

// split returns the columns of a row.
func split(row string) (columns [8]string) {
	for i := range columns {
		var found bool
		columns[i], row, found = strings.Cut(row, "\t")
		if !found {
			break
		}
	}
	return columns
}

// row returns a period as a line of a table, every value made safe.
func row(layout Layout, p Period) string {
	transp := Clean(p.Transp)
	if transp == "" {
		transp = "OPAQUE"
	}
	columns := []string{stamp(p.Start), stamp(p.End), Clean(p.UID), transp,
		Clean(p.RecurrenceID), Clean(p.Summary), Clean(p.Organizer)}
	switch layout {
	case Expiring:
		columns = append(columns, stamp(p.Expires))
	case Attended:
		columns = append(columns, Clean(p.Attendee))
	}
	return strings.Join(columns, "\t")
}

// period is the reverse of row.
func period(layout Layout, row string) Period {
	c := split(row)
	p := Period{
		Start: instant(c[0]), End: instant(c[1]),
		UID: c[2], Transp: c[3], RecurrenceID: c[4], Summary: c[5], Organizer: c[6],
	}
	if p.Transp == "" {
		p.Transp = "OPAQUE"
	}
	switch layout {
	case Expiring:
		p.Expires = instant(c[7])
	case Attended:
		p.Attendee = c[7]
	}
	return p
}
