package availability

import "imip-agent/stores/calendar"

// Expectation is what a user's own free/busy has of a stored event, by what the
// handlers record. An object does not tell all: what a user has answered and then
// proposed otherwise, or never answered, leaves the same object. Then more than one
// thing is right.
type Expectation struct {
	Transps  []string // the transparencies that its records can have; none: there are no records
	Optional bool     // that there are no records is right as well
}

// Expect says what the own free/busy of user has of an active object.
func Expect(object *calendar.Object, user calendar.URI) Expectation {
	attending := AttendingTransp(object)
	attendee, attends := Attendee(object, user)
	status := ""
	if attends {
		status = attendee.PartStat()
	}
	if organizer, _ := object.Organizer(); organizer == user {
		switch {
		case !attends:
			// A user can take themself out of their own event by CANCEL, which raises
			// its SEQUENCE, and of which the object keeps no other trace.
			sequence, _ := object.Sequence()
			return Expectation{[]string{Organizing}, sequence > 0 && len(object.Attendees()) > 0}
		case status == "":
			return Expectation{[]string{Organizing, attending}, false}
		}
		// Always recorded when sent out; taken back when the organizer answers no.
		return Expectation{[]string{attending}, status == "DECLINED" || status == "DELEGATED"}
	}
	switch status {
	case "":
		// Sent out for somebody else, answered uninvited, or never answered.
		return Expectation{[]string{attending, Organizing}, true}
	case "DECLINED", "DELEGATED", "NEEDS-ACTION":
		return Expectation{}
	case "TENTATIVE":
		// A counter-proposal notes that too, and records nothing here.
		return Expectation{[]string{attending}, true}
	}
	return Expectation{[]string{attending}, false}
}

// Required reports whether there must be records.
func (e Expectation) Required() bool { return len(e.Transps) > 0 && !e.Optional }
