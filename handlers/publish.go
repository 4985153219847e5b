package handlers

import "imip-agent/stores"

// publish handles REQUEST and PUBLISH: the user organises the event, anew or
// changed (RFC 5546 sections 3.2.1 and 3.2.2).
func publish(r *request) error {
	was, err := r.stored(r.id)
	if err != nil {
		return err
	}
	if r.old(was, true) {
		r.did("none, it is older than what is stored")
		return nil
	}
	if err := r.store(stores.Active, r.object); err != nil {
		return err
	}
	if r.id.RecurrenceID == "" {
		err = r.dropRecurrences()
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

// dropRecurrences deletes what is stored separately of the event's occurrences,
// active and cancelled: a whole event replaces all that was said of them before.
func (r *request) dropRecurrences() error {
	for _, part := range []stores.Part{stores.Active, stores.Cancelled} {
		recurrenceIDs, err := r.tx.Recurrences(part, r.id.UID)
		if err != nil {
			return err
		}
		for _, recurrenceID := range recurrenceIDs {
			id := stores.ID{UID: r.id.UID, RecurrenceID: recurrenceID}
			if err := r.tx.Delete(stores.Key{Part: part, ID: id}); err != nil {
				return err
			}
			r.did("deleted recurrence %s", recurrenceID)
		}
	}
	return nil
}
