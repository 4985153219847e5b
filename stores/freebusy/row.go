package freebusy

import (
	"cmp"
	"strings"
)

// A row is one record as its line in the file, without the line's end. Every row of a
// table has exactly its layout's columns, in valid UTF-8, two times of stampSize octets in
// front, and spaces at its end removed. So start, end and UID stand at fixed places.
const (
	endAt = stampSize + 1
	uidAt = endAt + stampSize + 1
)

// times returns the start and the end of a row, which are compared as one text.
func times(row string) string { return row[:uidAt-1] }

// event returns the UID and the recurrence id of a row.
func event(row string) (uid, recurrenceID string) {
	uid, rest, _ := strings.Cut(row[uidAt:], "\t")
	_, rest, _ = strings.Cut(rest, "\t")
	recurrenceID, _, _ = strings.Cut(rest, "\t")
	return uid, recurrenceID
}

// compare orders rows by start, end, UID and recurrence id.
func compare(a, b string) int {
	if c := strings.Compare(times(a), times(b)); c != 0 {
		return c
	}
	uidA, recurrenceA := event(a)
	uidB, recurrenceB := event(b)
	return cmp.Or(strings.Compare(uidA, uidB), strings.Compare(recurrenceA, recurrenceB))
}

// compare orders rows of the layout. In a table of what several attendees have booked, each
// has records of their own: the original, observed.
func (l Layout) compare(a, b string) int {
	c := compare(a, b)
	if c == 0 && l == Attended {
		return strings.Compare(a[strings.LastIndexByte(a, '\t')+1:], b[strings.LastIndexByte(b, '\t')+1:])
	}
	return c
}

// split returns the columns of a row.
func split(row string) (columns [8]string) {
	for i := range columns {
		var found bool
		if columns[i], row, found = strings.Cut(row, "\t"); !found {
			break
		}
	}
	return columns
}

// period returns a row's record.
func period(layout Layout, row string) Period {
	c := split(row)
	p := Period{
		Start: instant(c[0]), End: instant(c[1]),
		UID: c[2], Transp: c[3], RecurrenceID: c[4], Summary: c[5], Organizer: c[6],
	}
	switch layout {
	case Expiring:
		p.Expires = instant(c[7])
	case Attended:
		p.Attendee = c[7]
	}
	return p
}

// rows returns the records as rows, leaving out those that no table can hold. The
// rows share one piece of memory. Most often the records are the occurrences of one
// event, and what comes after their times is worked out once.
func rows(layout Layout, periods []Period) []string {
	var (
		text   []byte
		ends   = make([]int, 0, len(periods))
		tail   string
		tailOf Period
	)
	for _, p := range periods {
		if !storable(p.Start) || !storable(p.End) {
			continue
		}
		like := p
		like.Start, like.End = tailOf.Start, tailOf.End
		if tail == "" || like != tailOf {
			tail, tailOf = rowTail(layout, p), p
		}
		if text == nil {
			text = make([]byte, 0, len(periods)*(uidAt-1+len(tail)))
		}
		text = appendStamp(text, p.Start)
		text = append(text, '\t')
		text = appendStamp(text, p.End)
		text = append(text, tail...)
		ends = append(ends, len(text))
	}
	all, start := string(text), 0
	result := make([]string, len(ends))
	for i, end := range ends {
		result[i] = all[start:end]
		start = end
	}
	return result
}

// rowTail returns all of a record's row that follows its times.
func rowTail(layout Layout, p Period) string {
	transp := Clean(p.Transp)
	if transp == "" {
		transp = "OPAQUE"
	}
	tail := strings.Join([]string{"",
		Clean(p.UID), transp, Clean(p.RecurrenceID), Clean(p.Summary), Clean(p.Organizer)}, "\t")
	switch layout {
	case Expiring:
		tail += "\t"
		if storable(p.Expires) {
			tail += stamp(p.Expires)
		}
	case Attended:
		tail += "\t" + Clean(p.Attendee)
	}
	return strings.TrimRight(tail, " ")
}
