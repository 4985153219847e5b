package handlers

import "imip-agent/stores"

// add handles ADD: the user adds an occurrence to an event (RFC 5546 section
// 3.2.4).
func add(r *request) error {
	parent, err := r.parent()
	if err != nil {
		return err
	}
	if parent == nil {
		r.did("none, the event is not stored")
		return nil
	}
	if r.old(parent, true) {
		r.did("none, it is older than what is stored")
		return nil
	}
	// DEVIATION: add-with-recurrence-id. The original adds to the recurrence of that
	// id, if it is stored.
	r.object.RecurAtStart()
	if r.id.RecurrenceID, err = r.object.RecurrenceID(); err != nil {
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
