package itip

import (
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// REQUEST, PUBLISH, CANCEL, ADD and DECLINECOUNTER that the user receives: somebody else organizes
// the event. When the user is busy does not change until the user answers, but for what is called
// off.

// callItOff calls the event off.
func callItOff(u *update) error { return u.instead(calledOff[u.side]) }

// calledOffInstead calls off what does not take place: see isCancelled.
func calledOffInstead(u *update) error {
	if !isCancelled(u.Object) {
		return nil
	}
	return callItOff(u)
}

// ifOtherRevision refuses the very revision that is stored: the user may have answered it.
//
// DEVIATION: repeated-invitations. The original stores it again, without the answer.
func ifOtherRevision(u *update) error {
	if u.stored != nil && u.Object.SameRevision(u.stored) {
		return u.refuse(Repeated)
	}
	return nil
}

// enqueue has the event wait for the user's answer.
func enqueue(u *update) error { return u.enqueue("") }

// enqueueCounter has the counter-proposal wait for the user's answer.
func enqueueCounter(u *update) error { return u.enqueue("COUNTER") }

// enqueue puts the event into the request queue, unless it is there, whatever of it waits.
func (u *update) enqueue(kind string) error {
	queue, err := u.Requests()
	if err != nil || slices.ContainsFunc(queue, func(entry stores.Request) bool { return entry.ID == u.ID }) {
		return err
	}
	u.did(Effect{Kind: Queued})
	return u.SetRequests(append(slices.Clip(queue), stores.Request{ID: u.ID, Type: kind}))
}

// dequeueOccurrences takes the occurrences of a whole event out of the request queue, with the
// counter-proposals to them: they are gone.
//
// DEVIATION: requests-of-replaced-occurrences. The original leaves them in the queue.
func dequeueOccurrences(u *update) error {
	if u.ID.RecurrenceID != "" {
		return nil
	}
	queue, err := u.Requests()
	if err != nil {
		return err
	}
	goes := func(entry stores.Request) bool { return entry.RecurrenceID != "" && entry.UID == u.ID.UID }
	if !slices.ContainsFunc(queue, goes) {
		return nil
	}
	var left []stores.Request
	for _, entry := range queue {
		if !goes(entry) {
			left = append(left, entry)
			continue
		}
		others, err := u.Counters(entry.ID)
		if err != nil {
			return err
		}
		for _, other := range others {
			if err := u.Delete(stores.Key{Part: stores.Countered, ID: entry.ID, Other: other}); err != nil {
				return err
			}
		}
	}
	u.did(Effect{Kind: Dequeued})
	return u.SetRequests(left)
}

// recordOrganizer records what the event says of its organizer's free/busy.
func recordOrganizer(u *update) error {
	organizer, _ := u.Object.Organizer()
	return u.recordOtherAs(organizer, u.Object, AttendingTransp(u.Object))
}

// callOffEntirely finds that the event is called off for the user, whoever else it is called off
// for. What is kept of it is the message's.
func callOffEntirely(u *update) error {
	u.calling = callingOff{entire: true, object: u.Object}
	return nil
}

// forgetCalledOff removes an event that is called off from the user's own free/busy, and from its
// organizer's.
func forgetCalledOff(u *update) error {
	organizer, _ := u.Object.Organizer()
	if err := u.forgetOther(organizer, u.Object); err != nil {
		return err
	}
	return u.forgetOwn()
}

// forgetCalledOffForAll removes an event that the user has called off from the user's own free/busy,
// and from that of all who attend it.
func forgetCalledOffForAll(u *update) error {
	for _, attendee := range lastOfEach(u.Object.Attendees()) {
		if err := u.forgetOther(attendee.URI, u.Object); err != nil {
			return err
		}
	}
	return u.forgetOwn()
}

// dropAllOccurrences deletes what is stored of a whole event's occurrences, and of what has called
// them off: the whole event is called off.
func dropAllOccurrences(u *update) error {
	if err := dropActiveOccurrences(u); err != nil {
		return err
	}
	return u.dropApart(stores.Cancelled)
}

// dropActiveOccurrences deletes what is stored of a whole event's occurrences. Those that were called
// off before stay so.
func dropActiveOccurrences(u *update) error { return u.dropApart(stores.Active) }

// dropApart deletes what is stored apart of a whole event.
func (u *update) dropApart(part stores.Part) error {
	if u.ID.RecurrenceID != "" {
		return nil
	}
	ids, err := u.Recurrences(part, u.ID.UID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := u.Delete(stores.Key{Part: part, ID: stores.ID{UID: u.ID.UID, RecurrenceID: id}}); err != nil {
			return err
		}
		u.did(Effect{Kind: DroppedRecurrence, Recurrence: id})
	}
	return nil
}

// dropOffer removes the event from the periods that the user has offered: nobody holds the user to
// them any more. Where nothing is stored of the event, the offer itself says who organizes it.
//
// DEVIATION: declines-of-nothing. The original tells the user of it all the same.
func dropOffer(u *update) (err error) {
	which := stores.Table{Kind: stores.Offers}
	table, err := u.Periods(which)
	if err != nil {
		return err
	}
	organizer, _ := u.Object.Organizer()
	offered, by := offers(table, u.ID.UID, organizer)
	if u.stored == nil && !offered {
		if u.parent, err = u.whole(); u.parent == nil || err != nil {
			u.refuse(NotStored)
			return err
		}
	}
	if !by {
		if recorded, err := u.recorded(); recorded == nil || err != nil {
			u.refuse(OrganizerDiffers)
			return err
		}
	}
	return u.dropOffers()
}

// withdrawOffers removes what is called off from the periods that are offered, unless somebody else organizes it, as
// the offer says.
//
// DEVIATION: offers-of-what-is-called-off. The original holds them until they expire.
func withdrawOffers(u *update) error {
	table, err := u.Periods(stores.Table{Kind: stores.Offers})
	if err != nil {
		return err
	}
	organizer, _ := u.Object.Organizer()
	switch offered, by := offers(table, u.ID.UID, organizer); {
	case !offered:
		return nil
	case !by:
		if recorded, err := u.recorded(); recorded == nil || err != nil {
			return err
		}
	}
	return u.dropOffers()
}

// dropOffers removes the event from the periods that the user has offered.
func (u *update) dropOffers() error {
	which := stores.Table{Kind: stores.Offers}
	if err := u.remove(which); err != nil || u.ID.RecurrenceID != "" {
		return err
	}
	table, err := u.Periods(which)
	if err != nil {
		return err
	}
	if removed := table.RemoveRecurrences(u.ID.UID, func(string) bool { return false }); removed > 0 {
		u.did(Effect{Kind: Unrecorded, Table: which.Kind, Removed: removed})
	}
	return nil
}

// offers reports whether there are records of an event, and whether all of them are of an event of that
// organizer, as far as they say.
func offers(table *freebusy.Table, uid string, organizer calendar.URI) (offered, by bool) {
	uid, by = freebusy.Clean(uid), true
	for e := range table.Events() {
		offered = offered || e.UID == uid
	}
	if offered {
		for p := range table.All() {
			if p.UID == uid && p.Organizer != "" && !calendar.URI(p.Organizer).Is(organizer) {
				by = false
			}
		}
	}
	return offered, by
}
