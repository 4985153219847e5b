package handlers

import (
	"bytes"
	"slices"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// cancel handles CANCEL: the user calls the event off, or some of its attendees
// (RFC 5546 section 3.2.5).
func cancel(r *request) error { return r.callOff(false) }

// callOff calls the event off for those whom the message names, or for all.
func (r *request) callOff(all bool) error {
	stored, err := r.stored(r.id)
	if err != nil {
		return err
	}
	if done, err := r.cancelled(stored); done || err != nil {
		return err
	}
	was := stored
	if r.id.RecurrenceID != "" && (stored == nil || r.again(stored)) {
		parent, err := r.parent()
		if err != nil {
			return err
		}
		if parent != nil {
			stored, was = nil, parent
		}
	}
	if was == nil && r.unreadable {
		// Of what cannot be read, the message tells as much as there is to know.
		was = r.object
	}
	if old, err := r.old(stored, true); old || err != nil {
		return err
	}
	// DEVIATION: cancel-without-attendees. Without attendees the whole event is
	// called off (RFC 5546 section 3.2.5).
	given := r.object.Attendees()
	all = all || len(given) == 0
	if was == nil {
		return r.callOffUnknown(all || isCancelled(r.object))
	}
	named := func(a calendar.Attendee) bool {
		return slices.ContainsFunc(given, func(g calendar.Attendee) bool { return g.URI.Is(a.URI) })
	}
	entire := all || !slices.ContainsFunc(was.Attendees(), func(a calendar.Attendee) bool { return !named(a) })

	if stored == nil && !entire && r.id.RecurrenceID != "" {
		// DEVIATION: cancel-again. Nobody is left who could be called off.
		gone, err := r.calledOff(r.id)
		if err != nil {
			return err
		}
		if gone != nil {
			r.did("none, the occurrence is called off already")
			return nil
		}
	}

	object := r.object
	if stored != nil {
		object = stored
		object.CopyFrom(r.object, "SEQUENCE", "DTSTAMP")
		object.CopyRange(r.object)
		if !entire {
			object.SetAttendees(lastOfEach(slices.DeleteFunc(object.Attendees(), named)))
		}
	}
	if err := r.forget(was, entire); err != nil {
		return err
	}
	if err := r.storeCancelled(object, entire); err != nil {
		return err
	}
	if err := r.dequeue(); err != nil {
		return err
	}
	_, err = r.dropCounters(everybody)
	return err
}

// callOffUnknown calls off what is not stored. If that is known to be the whole of it, it is
// kept, for the message has overtaken the invitation: that is old then, when it comes.
//
// DEVIATION: cancel-before-invitation. The original forgets it.
func (r *request) callOffUnknown(entire bool) error {
	if !entire {
		r.did(notStored)
		return nil
	}
	object, err := r.calledOff(r.id)
	if err != nil {
		return err
	}
	if object == nil {
		object = r.object
	}
	object.CopyFrom(r.object, "SEQUENCE", "DTSTAMP")
	if err := r.store(stores.Cancelled, object); err != nil {
		return err
	}
	r.did("the event is not stored")
	removed, err := r.forgetRecurrences()
	if removed == 0 || err != nil {
		return err
	}
	r.did("free/busy -%d", removed)
	r.publishFreeBusy()
	return nil
}

// cancelled reports whether this very message has cancelled the occurrence already.
// Held against the whole event, it might call off less than it did.
//
// DEVIATION: cancel-again.
func (r *request) cancelled(stored *calendar.Object) (bool, error) {
	if stored != nil || r.id.RecurrenceID == "" {
		return false, nil
	}
	object, err := r.calledOff(r.id)
	if object == nil || err != nil {
		return false, err
	}
	if !isSameVersion(r.object, object) {
		return false, nil
	}
	r.did("none, it has been handled before")
	return true, nil
}

// again reports whether the stored occurrence is what this very message has left,
// handed in before and cut short: it names only those who are called off, and must
// not be taken for an occurrence that all are called off from.
//
// DEVIATION: cancel-again.
func (r *request) again(stored *calendar.Object) bool {
	return bytes.Equal(stored.Encode(), r.object.Encode())
}

// forget removes a cancelled event from the free/busy tables of those who are
// called off.
func (r *request) forget(was *calendar.Object, entire bool) error {
	calledOff := r.object
	if len(calledOff.Attendees()) == 0 {
		calledOff = was
	}
	organizer, ok := r.object.Organizer()
	if !ok {
		// DEVIATION: cancel-without-organizer. The original fails on it for ever.
		organizer, ok = was.Organizer()
	}
	if ok {
		if err := r.forgetOther(organizer, calledOff); err != nil {
			return err
		}
	}
	_, user := itip.Attendee(r.object, r.user)
	if entire || user {
		if err := r.forgetOwn(); err != nil {
			return err
		}
	}
	if entire {
		invited := make(map[calendar.URI]bool)
		for _, attendee := range was.Attendees() {
			invited[attendee.URI.Folded()] = true
		}
		for _, attendee := range calledOff.Attendees() {
			if !invited[attendee.URI.Folded()] {
				continue // not called off: the original, observed
			}
			if err := r.forgetOther(attendee.URI, calledOff); err != nil {
				return err
			}
		}
	}
	if entire || user {
		for _, attendee := range was.Attendees() {
			if err := r.tidyOther(attendee.URI); err != nil {
				return err
			}
		}
	}
	return nil
}

// storeCancelled keeps the object, as cancelled if it is so as a whole.
func (r *request) storeCancelled(object *calendar.Object, entire bool) error {
	if !entire {
		return r.store(stores.Active, object)
	}
	if err := r.store(stores.Cancelled, object); err != nil {
		return err
	}
	if err := r.tx.Delete(stores.Key{Part: stores.Active, ID: r.id}); err != nil || r.id.RecurrenceID == "" {
		return err
	}
	return r.cancelLater(object)
}
