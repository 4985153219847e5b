package itip

import (
	"bytes"
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// CANCEL: the user calls the event off, or some of its attendees (RFC 5546 section 3.2.5).

// callingOff is what is called off, and for whom.
type callingOff struct {
	all    bool             // the message calls it off for all
	entire bool             // nobody is left in it
	was    *calendar.Object // what it is called off from; nil: nothing is stored
	object *calendar.Object // what is kept of it

	given []calendar.Attendee // those whom the message names
}

// ifNotRepeated refuses what has cancelled the occurrence already. Held against the whole event,
// it might call off less than it did.
//
// DEVIATION: cancel-again.
func ifNotRepeated(u *update) error {
	if u.stored != nil || u.ID.RecurrenceID == "" {
		return nil
	}
	object, err := u.calledOff(u.ID)
	if object == nil || err != nil || !u.Object.SameRevision(object) {
		return err
	}
	return u.refuse(Repeated)
}

// findCalledOff finds what it is that is called off: an occurrence that is not stored apart is
// called off from its event.
func findCalledOff(u *update) error {
	u.calling.was = u.stored
	if u.ID.RecurrenceID != "" && (u.stored == nil || u.again(u.stored)) {
		parent, err := u.whole()
		if err != nil {
			return err
		}
		if parent != nil {
			u.stored, u.calling.was = nil, parent
		}
	}
	if u.calling.was == nil && u.unreadable() {
		// Of what cannot be read, the message tells as much as there is to know.
		u.calling.was = u.Object
	}
	return nil
}

// whoIsCalledOff finds whom the message calls off: those whom it names, or all. What is not stored
// is called off then, too.
func whoIsCalledOff(u *update) error {
	// DEVIATION: cancel-without-attendees. Without attendees the whole event is
	// called off (RFC 5546 section 3.2.5).
	c := &u.calling
	c.given = u.Object.Attendees()
	c.all = c.all || len(c.given) == 0
	if c.was == nil {
		u.done = true
		return u.callOffUnknown(c.all || isCancelled(u.Object))
	}
	c.entire = c.all || !slices.ContainsFunc(c.was.Attendees(), func(a calendar.Attendee) bool { return !c.named(a) })
	return nil
}

// named reports whether the message names an attendee.
func (c *callingOff) named(a calendar.Attendee) bool {
	return slices.ContainsFunc(c.given, func(given calendar.Attendee) bool { return given.URI.Is(a.URI) })
}

// ifNotCalledOff refuses to call attendees off from an occurrence that is called off.
func ifNotCalledOff(u *update) error {
	if u.stored != nil || u.calling.entire || u.ID.RecurrenceID == "" {
		return nil
	}
	// DEVIATION: cancel-again. Nobody is left who could be called off.
	gone, err := u.calledOff(u.ID)
	if err == nil && gone != nil {
		return u.refuse(CalledOffAlready)
	}
	return err
}

// callOffUnknown calls off what is not stored. If that is known to be the whole of it, it is
// kept, for the message has overtaken the invitation: that is old then, when it comes.
//
// DEVIATION: cancel-before-invitation. The original forgets it.
func (u *update) callOffUnknown(entire bool) error {
	if !entire {
		return u.refuse(NotStored)
	}
	object, err := u.calledOff(u.ID)
	if err != nil {
		return err
	}
	if object == nil {
		object = u.Object
	}
	object.CopyFrom(u.Object, "SEQUENCE", "DTSTAMP")
	if err := u.store(stores.Cancelled, object); err != nil {
		return err
	}
	u.did(Effect{Kind: UnknownEvent})
	removed, err := u.forgetRecurrences()
	if removed == 0 || err != nil {
		return err
	}
	u.did(Effect{Kind: Unrecorded, Table: stores.Own, Removed: removed})
	u.publishFreeBusy()
	return nil
}

// again reports whether the stored occurrence is what this very message has left,
// handed in before and cut short: it names only those who are called off, and must
// not be taken for an occurrence that all are called off from.
//
// DEVIATION: cancel-again.
func (u *update) again(stored *calendar.Object) bool {
	return bytes.Equal(stored.Encode(), u.Object.Encode())
}

// takeOut takes those who are called off out of what is stored, and gives it the version of the
// message. Where nothing is stored, the message's object is kept.
func takeOut(u *update) error {
	c := &u.calling
	if c.object = u.Object; u.stored == nil {
		return nil
	}
	c.object = u.stored
	c.object.CopyFrom(u.Object, "SEQUENCE", "DTSTAMP")
	c.object.CopyRange(u.Object)
	if !c.entire {
		c.object.SetAttendees(lastOfEach(slices.DeleteFunc(c.object.Attendees(), c.named)))
	}
	return nil
}

// forget removes a cancelled event from the free/busy tables of those who are
// called off.
func forget(u *update) error {
	was, entire := u.calling.was, u.calling.entire
	calledOff := u.Object
	if len(calledOff.Attendees()) == 0 {
		calledOff = was
	}
	organizer, ok := u.Object.Organizer()
	if !ok {
		// DEVIATION: cancel-without-organizer. The original fails on it for ever.
		organizer, ok = was.Organizer()
	}
	if ok {
		if err := u.forgetOther(organizer, calledOff); err != nil {
			return err
		}
	}
	_, user := Attendee(u.Object, u.User())
	if entire || user {
		if err := u.forgetOwn(); err != nil {
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
			if err := u.forgetOther(attendee.URI, calledOff); err != nil {
				return err
			}
		}
	}
	if entire || user {
		for _, attendee := range was.Attendees() {
			if err := u.tidyOther(attendee.URI); err != nil {
				return err
			}
		}
	}
	return nil
}

// storeCancelled keeps the object, as cancelled if it is so as a whole.
func storeCancelled(u *update) error {
	object := u.calling.object
	if !u.calling.entire {
		return u.store(stores.Active, object)
	}
	if err := u.store(stores.Cancelled, object); err != nil {
		return err
	}
	if err := u.Delete(stores.Key{Part: stores.Active, ID: u.ID}); err != nil || u.ID.RecurrenceID == "" {
		return err
	}
	return u.cancelLater(object)
}
