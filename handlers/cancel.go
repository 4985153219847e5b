package handlers

import (
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/availability"
	"imip-agent/stores/calendar"
)

// cancel handles CANCEL: the user calls the event off, or some of its attendees
// (RFC 5546 section 3.2.5).
func cancel(r *request) error {
	stored, err := r.stored(r.id)
	if err != nil {
		return err
	}
	was := stored
	if was == nil && r.id.RecurrenceID != "" {
		if was, err = r.parent(); err != nil {
			return err
		}
	}
	if was == nil && r.unreadable {
		// Of what cannot be read, the message tells as much as there is to know.
		was = r.object
	}
	if was == nil {
		r.did("none, the event is not stored")
		return nil
	}
	if r.old(stored, true) {
		r.did("none, it is older than what is stored")
		return nil
	}

	// DEVIATION: cancel-without-attendees. Without attendees the whole event is
	// called off (RFC 5546 section 3.2.5).
	given := r.object.Attendees()
	named := func(a calendar.Attendee) bool {
		return slices.ContainsFunc(given, func(g calendar.Attendee) bool { return g.URI == a.URI })
	}
	entire := len(given) == 0 || !slices.ContainsFunc(was.Attendees(), func(a calendar.Attendee) bool { return !named(a) })

	object := r.object
	if stored != nil {
		object = stored
		object.CopyFrom(r.object, "SEQUENCE", "DTSTAMP")
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
	_, user := availability.Attendee(r.object, r.user)
	if entire || user {
		if err := r.forgetOwn(); err != nil {
			return err
		}
	}
	if entire {
		invited := make(map[calendar.URI]bool)
		for _, attendee := range was.Attendees() {
			invited[attendee.URI] = true
		}
		for _, attendee := range calledOff.Attendees() {
			if !invited[attendee.URI] {
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
	return r.tx.Delete(stores.Key{Part: stores.Active, ID: r.id})
}
