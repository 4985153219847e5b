package freebusy

import (
	"iter"
	"strings"
)

// Event is what a record says, beside its times, of the event that it is of.
type Event struct {
	UID, RecurrenceID string
	Transp            string
}

// Events yields the event of each record, in the order of the table. It is cheaper than
// All, which reads the times.
func (t *Table) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for _, r := range t.rows {
			if !yield(eventOf(r)) {
				return
			}
		}
	}
}

// RemoveEvents removes the records of all events for which match is true, and returns
// their number.
func (t *Table) RemoveEvents(match func(Event) bool) int {
	return t.removeFunc(func(r string) bool { return match(eventOf(r)) })
}

func eventOf(row string) (e Event) {
	var rest string
	e.UID, rest, _ = strings.Cut(row[uidAt:], "\t")
	e.Transp, rest, _ = strings.Cut(rest, "\t")
	e.RecurrenceID, _, _ = strings.Cut(rest, "\t")
	return e
}
