package itip

import "imip-agent/stores/calendar"

// DECLINECOUNTER: the user turns counter-proposals down (RFC 5546 section 3.2.8).

// dropNamedCounters deletes the counter-proposals of those whom the object names. With the last
// of them the event does not wait for an answer any more.
func dropNamedCounters(u *update) error {
	// DEVIATION: several-counter-proposals.
	// DEVIATION: decline-without-attendees. The original fails for ever.
	left, err := u.dropCounters(func(other calendar.URI) bool {
		_, named := Attendee(u.Object, other)
		return named
	})
	if err == nil && left == 0 {
		err = dequeue(u)
	}
	if err == nil && len(u.outcome.Effects) == 0 {
		return u.refuse(NoCounter)
	}
	return err
}
