// Package freebusy keeps tables of busy periods: what a user's freebusy,
// freebusy-offers and freebusy-other files hold, one record a line.
//
// A [Table] is made for files of 100,000 lines of which a message touches a few. A
// record that is read stays a part of the file's text: its columns are looked at
// where they stand, it is copied as it is when the table is written, and its times
// are worked out only when somebody asks for them.
//
// Records are in order of start, end, UID and recurrence id, none before any text,
// and text by code point. That is the order of their UTF-8 octets, so that keys are
// compared as they stand in the file.
package freebusy

import "time"

// Period is one record: a time during which somebody is busy with an event. Text is
// made safe, as [Clean] does, when it is put into a table.
//
// A period that starts or ends before 1900, or after 9999, is not put into a table.
// DEVIATION: before-1900
type Period struct {
	Start, End time.Time // UTC, in seconds
	UID        string
	// Transp is OPAQUE or TRANSPARENT (RFC 5545 section 3.8.2.7), or ORG for an
	// organizer who does not attend. A table gives none as OPAQUE.
	Transp       string
	RecurrenceID string // normalised; none for the whole event
	Summary      string
	Organizer    string    // URI
	Expires      time.Time // in tables that are Expiring; zero for none
	Attendee     string    // in tables that are Attended
}

// Layout says which columns a table has.
type Layout int

const (
	Plain    Layout = iota // start, end, uid, transp, recurrenceid, summary, organiser
	Expiring               // the same, then expires
	Attended               // the same, then attendee
)

// columns returns the number of columns of a record.
func (l Layout) columns() int {
	if l == Plain {
		return 7
	}
	return 8
}
