package handlers

import (
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/availability"
	"imip-agent/stores/calendar"
)

// reply handles REPLY and COUNTER: the user answers an invitation, or proposes
// other times (RFC 5546 sections 3.2.3 and 3.2.7).
func reply(r *request) error {
	stored, err := r.stored(r.id)
	if err != nil {
		return err
	}
	if stored == nil && !r.object.HasStart() {
		// DEVIATION: reply-without-times. RFC 5546 section 3.2.3 lets an answer leave
		// out the times, which then have to be known.
		r.did("none, it has no times and the event is not stored")
		return nil
	}
	if r.old(stored, false) {
		r.did("none, it is older than what is stored")
		return nil
	}

	parent, err := r.parentOfNew(stored)
	if err != nil {
		return err
	}
	switch {
	case parent != nil:
		err = r.separate(parent)
	case stored != nil && !r.old(stored, true):
		err = r.merge(stored)
	}
	if err != nil {
		return err
	}

	if own, ok := availability.Attendee(r.object, r.user); ok {
		if status := own.PartStat(); status != "" && status != "NEEDS-ACTION" {
			if err := r.dequeue(); err != nil {
				return err
			}
		}
	}
	if _, err := r.dropCounters(everybody); err != nil {
		return err
	}
	timed := r.object
	if !timed.HasStart() {
		timed = stored
	}
	if r.method == "COUNTER" {
		return r.offer(timed)
	}
	return r.recordAsAttendee(timed)
}

// parentOfNew returns the stored parent, if the message is about an occurrence
// of it that has not been stored by itself so far.
func (r *request) parentOfNew(stored *calendar.Object) (*calendar.Object, error) {
	if r.id.RecurrenceID == "" || stored != nil {
		return nil, nil
	}
	parent, err := r.parent()
	if parent == nil || err != nil {
		return nil, err
	}
	at, err := r.object.RecurrenceInstant(r.preferences.Zone)
	if err != nil {
		return nil, err
	}
	// DEVIATION: reply-to-occurrence-east-of-utc.
	occurs, err := parent.OccursAt(at, r.preferences.Zone)
	if err != nil {
		r.log.Warn("the occurrences of the stored event cannot all be worked out", "reason", err)
	}
	if !occurs {
		return nil, nil
	}
	return parent, nil
}

// separate makes the occurrence that the message is about a recurrence of its
// own, with all the attendees that the whole event has.
func (r *request) separate(parent *calendar.Object) error {
	occurrence := r.object
	occurrence.Remove("RRULE", "RDATE")
	attendees := occurrence.Attendees()
	for _, attendee := range parent.Attendees() {
		if _, ok := availability.Attendee(occurrence, attendee.URI); !ok {
			attendees = append(attendees, attendee)
		}
	}
	attendees = lastOfEach(attendees)
	occurrence.SetAttendees(attendees)
	if err := r.store(stores.Active, occurrence); err != nil {
		return err
	}
	if err := r.reactivate(); err != nil {
		return err
	}
	for _, attendee := range attendees {
		if err := r.recordOther(attendee.URI, occurrence); err != nil {
			return err
		}
	}
	return nil
}

// merge takes what the senders say of themselves over into the stored object,
// whose times and SEQUENCE and DTSTAMP stay.
func (r *request) merge(stored *calendar.Object) error {
	attendees := stored.Attendees()
	for _, given := range lastOfEach(r.object.Attendees()) {
		if !r.isSender(given) {
			continue
		}
		known := false
		for i := range attendees {
			if attendees[i].URI == given.URI {
				attendees[i] = attendees[i].WithParams(given)
				known = true
			}
		}
		if !known && isDelegate(given, attendees) {
			attendees = append(attendees, given)
		}
	}
	stored.SetAttendees(lastOfEach(attendees))
	if err := r.store(stores.Active, stored); err != nil {
		return err
	}
	// A recurrence that is stored is not cancelled. It can be noted as such only
	// if the store was left between two steps, when this answer made it one.
	return r.reactivate()
}

// lastOfEach returns the last of the attendees of one address, which is the one that
// counts. The original leaves the others where it stores an event as it came, and
// drops them where it changes who attends it.
func lastOfEach(attendees []calendar.Attendee) (out []calendar.Attendee) {
	last := make(map[calendar.URI]int)
	for i, attendee := range attendees {
		last[attendee.URI] = i
	}
	for i, attendee := range attendees {
		if last[attendee.URI] == i {
			out = append(out, attendee)
		}
	}
	return out
}

// isDelegate reports whether one of the attendees has named this one as their
// delegate, and is named by them (RFC 5546 section 3.2.2.3).
func isDelegate(given calendar.Attendee, attendees []calendar.Attendee) bool {
	from := given.DelegatedFrom()
	return slices.ContainsFunc(attendees, func(a calendar.Attendee) bool {
		return slices.Contains(from, a.URI) && slices.Contains(a.DelegatedTo(), given.URI)
	})
}
