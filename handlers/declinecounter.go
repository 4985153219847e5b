package handlers

import (
	"imip-agent/handlers/itip"
	"imip-agent/stores/calendar"
)

// declineCounter handles DECLINECOUNTER: the user turns counter-proposals down
// (RFC 5546 section 3.2.8).
func declineCounter(r *request) error {
	stored, err := r.stored(r.id)
	if err != nil {
		return err
	}
	if old, err := r.old(stored, true); old || err != nil {
		return err
	}
	// DEVIATION: several-counter-proposals.
	// DEVIATION: decline-without-attendees. The original fails for ever.
	left, err := r.dropCounters(func(other calendar.URI) bool {
		_, named := itip.Attendee(r.object, other)
		return named
	})
	if err == nil && left == 0 {
		err = r.dequeue()
	}
	if len(r.changes) == 0 {
		r.did("none, there is no such counter-proposal")
	}
	return err
}
