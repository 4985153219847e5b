package check

import (
	"cmp"
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// An attendee's REPLY with a higher SEQUENCE than the stored event's answers a version that has not
// come in: free/busy gets the times of the answer, and the object keeps its own until that
// version comes. So the records are at other times than the object says, or are fewer or more, as
// they also are when a record or the object has been damaged.

// answersLater reports whether records at other times than the object's can be of an answer to a
// later version. What else is recorded must speak for it: such an answer replaces all records of
// the event, is published with them, and leaves the organizer's free/busy with the object's times.
func (e finder) answersLater(id stores.ID, object *text, rows []row, d difference) bool {
	return e.mayAnswerLater(object, rows) && !e.unpublished(rows) && !e.organizerElsewhere(id, object.organizedBy(), d.missing[0]) && isMoved(rows, d)
}

// mayAnswerLater reports whether an event can have been answered in a later version than is
// stored, and its records can be of one answer.
func (e finder) mayAnswerLater(object *text, rows []row) bool {
	if organizer := object.organizedBy(); organizer == "" || organizer.Is(e.user) {
		return false
	}
	if _, attends := itip.Attendee(object.object(), e.user); !attends {
		return false
	}
	if _, known := object.object().Sequence(); !known {
		return false // nothing is later than an event without a SEQUENCE
	}
	alike := func(r row) bool {
		return r.transp == rows[0].transp && r.summary == rows[0].summary && r.organizer == rows[0].organizer
	}
	return !slices.ContainsFunc(rows, func(r row) bool { return !alike(r) })
}

// isShorter reports whether the records that an event has are those of a rule that ends earlier, or
// that yields one occurrence in so many.
func isShorter(rows []row, d difference) bool {
	if len(rows) == 0 || rows[0].start > d.missing[0].start {
		return false
	}
	if d.missing[0].start > rows[len(rows)-1].start {
		return true
	}
	return len(rows) > 2 && agree(rows, near)
}

// isLonger reports whether the records of an event are those of a rule that yields what the
// object's does, and more.
func isLonger(rows []row, d difference) bool {
	if rows[0] == d.extra[0] {
		return false // it starts at another time
	}
	days := func(gap, _ int64) bool { return near((gap+dayLength/2)%dayLength, dayLength/2) }
	return agree(rows, days) || len(rows) > 2 && agree(rows, near)
}

const dayLength = int64(day / time.Second)

// agree reports whether records are as long as each other, but for a change of the clocks, and
// the gaps between them, in seconds, are right, each beside the first one.
func agree(rows []row, right func(gap, first int64) bool) bool {
	for i := 1; i < len(rows); i++ {
		if !near(rows[i].end-rows[i].start, rows[0].end-rows[0].start) || !right(rows[i].start-rows[i-1].start, rows[1].start-rows[0].start) {
			return false
		}
	}
	return true
}

// isMoved reports whether records are of another version of an event: none of them starts when the
// event does, or each is as far from its place as the others.
func isMoved(rows []row, d difference) bool {
	right := subtract(rows, d.extra)
	starts := make(map[int64]bool)
	for _, r := range d.missing {
		starts[r.start] = true
	}
	if len(right) == 0 && !slices.ContainsFunc(rows, func(r row) bool { return starts[r.start] }) {
		return true
	}
	if len(d.missing) > 0 && len(d.late) == 0 && rows[0] != d.extra[0] && d.extra[0].start > max(rows[len(right)-1].start, d.missing[len(d.missing)-1].start) {
		return len(rows) > 2 && agree(rows, near) // of a rule that yields one in so many, and as many
	}
	places := slices.Concat(right, d.missing, d.late)
	if len(places) != len(rows) {
		return false
	}
	slices.SortFunc(places, func(a, b row) int { return cmp.Compare(a.start, b.start) })
	first, place := rows[0], places[0]
	for i, r := range rows {
		if r.start == places[i].start && r.end == places[i].end ||
			!near(r.start-places[i].start, first.start-place.start) || !near(r.end-places[i].end, first.end-place.end) {
			return false
		}
	}
	return true
}

// near reports whether two distances in seconds are equal but for a change of the clocks.
func near(a, b int64) bool { return a-b <= 3600 && b-a <= 3600 }

// organizerElsewhere reports whether what is known of the organizer's free/busy has an event, and
// not at the time that the object says: then the object has been changed by no message.
func (e finder) organizerElsewhere(id stores.ID, organizer calendar.URI, is row) bool {
	table := e.knownOf(organizer)
	if table == nil {
		return false
	}
	elsewhere := false
	for p := range table.All() {
		if p.UID != id.UID || p.RecurrenceID != id.RecurrenceID {
			continue
		}
		if p.Start.Unix() == is.start && p.End.Unix() == is.end {
			return false
		}
		elsewhere = true
	}
	return elsewhere
}
