package handlers

import "imip-agent/stores"

// add handles ADD: the user adds an occurrence to an event (RFC 5546 section
// 3.2.4).
func add(r *request) error {
	// DEVIATION: add-with-recurrence-id. The original adds to the recurrence of that
	// id, if it is stored.
	r.object.RecurAtStart()
	var err error
	if r.id.RecurrenceID, err = r.object.RecurrenceID(); err != nil {
		return err
	}
	switch {
	case r.forwarded():
		return r.passOn()
	case isCancelled(r.object):
		return r.callOff(true)
	}
	parent, err := r.parent()
	if err != nil {
		return err
	}
	if parent == nil {
		r.did(notStored)
		return nil
	}
	was, err := r.stored(r.id)
	if err != nil {
		return err
	}
	if isOld(r.object, parent, true) {
		r.did(olderThanStored)
		return nil
	}
	if old, err := r.old(was, true); old || err != nil {
		return err
	}
	if err := r.store(stores.Active, r.object); err != nil {
		return err
	}
	if err := r.reactivate(); err != nil {
		return err
	}
	return r.recordAsOrganizer(r.object)
}
