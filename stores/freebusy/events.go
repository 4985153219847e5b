package freebusy

import (
	"cmp"
	"iter"
	"slices"
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

// RemoveFunc removes the records for which match is true, and returns their number.
func (t *Table) RemoveFunc(match func(Period) bool) int {
	return t.removeFunc(func(r string) bool { return match(period(t.layout, r)) })
}

func eventOf(row string) (e Event) {
	var rest string
	e.UID, rest, _ = strings.Cut(row[uidAt:], "\t")
	e.Transp, rest, _ = strings.Cut(rest, "\t")
	e.RecurrenceID, _, _ = strings.Cut(rest, "\t")
	return e
}

// At returns the record of that number, from 0, in the order of the table.
func (t *Table) At(i int) Period { return period(t.layout, t.rows[i]) }

// EventAt returns what the record of that number says of its event.
func (t *Table) EventAt(i int) Event { return eventOf(t.rows[i]) }

// ByEvent returns the numbers of all records in order of UID and recurrence id, those of one
// event in the order of the table. They hold until the table is changed.
func (t *Table) ByEvent() []int32 {
	numbers := make([]int32, len(t.rows))
	for i := range numbers {
		numbers[i] = int32(i)
	}
	slices.SortFunc(numbers, func(a, b int32) int {
		uidA, recurrenceA := event(t.rows[a])
		uidB, recurrenceB := event(t.rows[b])
		return cmp.Or(strings.Compare(uidA, uidB), strings.Compare(recurrenceA, recurrenceB), cmp.Compare(a, b))
	})
	return numbers
}
