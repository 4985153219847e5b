package handlers

import (
	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// publish handles REQUEST and PUBLISH: the user organises the event, anew or
// changed (RFC 5546 sections 3.2.1 and 3.2.2).
func publish(r *request) error {
	switch {
	case r.forwarded():
		return r.passOn()
	case isCancelled(r.object) && !r.handler.Import:
		return r.callOff(true)
	}
	was, err := r.stored(r.id)
	if err != nil {
		return err
	}
	if old, err := r.old(was, true); old || err != nil {
		return err
	}
	if err := r.store(stores.Active, r.object); err != nil {
		return err
	}
	if r.id.RecurrenceID == "" {
		err = r.dropRecurrences(was)
	}
	if err == nil {
		err = r.reactivate()
	}
	if err == nil {
		err = r.dequeue()
	}
	if err == nil {
		_, err = r.dropCounters(everybody)
	}
	if err != nil {
		return err
	}
	return r.recordAsOrganizer(r.object)
}

// isCancelled reports whether the event that is sent out does not take place (RFC 5545
// section 3.8.1.11): some programs call an event off by that instead of by CANCEL.
//
// DEVIATION: status-cancelled. The original stores it as an event that takes place.
func isCancelled(object *calendar.Object) bool { return object.Status() == "CANCELLED" }

// forwarded reports whether the user passes on what is another's to send.
func (r *request) forwarded() bool {
	return !r.handler.Import && isForwarded(r.object, r.user)
}

// isForwarded reports whether an event that a user sends is another's to send: the user
// attends it, and neither organizes it nor acts for who does.
//
// DEVIATION: forwarded-invitations. The original makes the user its organizer.
func isForwarded(object *calendar.Object, user calendar.URI) bool {
	organizer, known := object.Organizer()
	_, attends := itip.Attendee(object, user)
	return attends && known && !organizer.Is(user) && !object.OrganizerSentBy().Is(user)
}

// passOn handles what is another's to send. Who delegates passes the invitation on to their
// delegate, which is an answer as well (RFC 5546 section 3.2.2.3).
func (r *request) passOn() error {
	if own, _ := itip.Attendee(r.object, r.user); own.PartStat() == "DELEGATED" {
		return reply(r)
	}
	r.did("none, it is forwarded: somebody else organizes the event")
	return nil
}

// dropRecurrences deletes what is stored separately of the event's occurrences,
// active and cancelled: a whole event replaces all that was said of them before. If it
// comes for the first time, or once more, what was called off by later messages stays so:
// they have overtaken it.
func (r *request) dropRecurrences(was *calendar.Object) error {
	first := was != nil && isSameVersion(r.object, was)
	if was == nil {
		cancelled, err := r.calledOff(r.id)
		if err != nil {
			return err
		}
		first = cancelled == nil
	}
	for _, part := range []stores.Part{stores.Active, stores.Cancelled} {
		recurrenceIDs, err := r.tx.Recurrences(part, r.id.UID)
		if err != nil {
			return err
		}
		for _, recurrenceID := range recurrenceIDs {
			id := stores.ID{UID: r.id.UID, RecurrenceID: recurrenceID}
			if first && part == stores.Cancelled {
				cancelled, err := r.calledOff(id)
				if err != nil {
					return err
				}
				if isOld(r.object, cancelled, true) {
					continue
				}
			}
			if err := r.tx.Delete(stores.Key{Part: part, ID: id}); err != nil {
				return err
			}
			r.did("deleted recurrence %s", recurrenceID)
		}
	}
	return nil
}
