package itip

import (
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// REQUEST and PUBLISH: the user organizes the event, anew or changed (RFC 5546 sections 3.2.1
// and 3.2.2).

// recordAsOrganizer records the event in the user's own free/busy.
func recordAsOrganizer(u *update) error {
	return u.recordOwn(u.Object, OrganizingTransp(u.Object, u.User()))
}

// callOffCancelled calls an event off that does not take place, for all.
func callOffCancelled(u *update) error {
	if !isCancelled(u.Object) {
		return nil
	}
	u.calling.all = true
	return u.instead(callOff)
}

// isCancelled reports whether the event that is sent out does not take place (RFC 5545
// section 3.8.1.11): some programs call an event off by that instead of by CANCEL.
//
// DEVIATION: status-cancelled. The original stores it as an event that takes place.
func isCancelled(object *calendar.Object) bool { return object.Status() == "CANCELLED" }

// isForwarded reports whether an event that a user sends is another's to send: the user
// attends it, and neither organizes it nor acts for who does.
//
// DEVIATION: forwarded-invitations. The original makes the user its organizer.
func isForwarded(object *calendar.Object, user calendar.URI) bool {
	organizer, known := object.Organizer()
	_, attends := Attendee(object, user)
	return attends && known && !organizer.Is(user) && !object.OrganizerSentBy().Is(user)
}

// passOn handles what is another's to send. Who delegates passes the invitation on to their
// delegate, which is an answer as well (RFC 5546 section 3.2.2.3).
func passOn(u *update) error {
	if !isForwarded(u.Object, u.User()) {
		return nil
	}
	if own, _ := Attendee(u.Object, u.User()); own.PartStat() == "DELEGATED" {
		return u.instead(reply)
	}
	return u.refuse(Forwarded)
}

// dropOccurrences deletes what is stored separately of the event's occurrences,
// active and cancelled: a whole event replaces all that was said of them before. If it
// comes for the first time, or once more, what was called off by later messages stays so:
// they have overtaken it.
func dropOccurrences(u *update) error {
	if u.ID.RecurrenceID != "" {
		return nil
	}
	stays, err := u.staying()
	if err != nil {
		return err
	}
	for _, part := range []stores.Part{stores.Active, stores.Cancelled} {
		recurrenceIDs, err := u.Recurrences(part, u.ID.UID)
		if err != nil {
			return err
		}
		for _, recurrenceID := range recurrenceIDs {
			id := stores.ID{UID: u.ID.UID, RecurrenceID: recurrenceID}
			if part == stores.Cancelled {
				if stay, err := stays(recurrenceID); err != nil {
					return err
				} else if stay {
					continue
				}
			}
			if err := u.Delete(stores.Key{Part: part, ID: id}); err != nil {
				return err
			}
			u.did(Effect{Kind: DroppedRecurrence, Recurrence: recurrenceID})
		}
	}
	return nil
}

// staying returns a function that reports whether the cancellation of an occurrence stays when the whole event is
// stored: see dropOccurrences.
func (u *update) staying() (func(recurrenceID string) (bool, error), error) {
	was := u.stored
	first := was != nil && u.Object.SameRevision(was)
	if was == nil {
		cancelled, err := u.calledOff(u.ID)
		if err != nil {
			return nil, err
		}
		first = cancelled == nil
	}
	return func(recurrenceID string) (bool, error) {
		if !first {
			return false, nil
		}
		cancelled, err := u.calledOff(stores.ID{UID: u.ID.UID, RecurrenceID: recurrenceID})
		return isOld(u.Object, cancelled, true), err
	}, nil
}
