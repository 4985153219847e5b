package itip

import (
	"slices"
	"time"

	"imip-agent/stores/calendar"
)

// Expectation is what a user's own free/busy has of a stored event, by what the
// handlers record. An object does not tell all: what a user has answered and then
// proposed otherwise, or never answered, leaves the same object. Then more than one
// thing is right.
type Expectation struct {
	Transps  []string // the transparencies that its records can have; none: there are no records
	Optional bool     // that there are no records is right as well
	// Chosen says that the answer of the user decided on OPAQUE or TRANSPARENT, which the
	// object need not show.
	Chosen bool
	// Sent says that the user sends the event for its organizer: free/busy had it as organized as long as it did not
	// say whether they take part, and a counter-proposal, which can say so, leaves that.
	Sent bool
	// Waiting says that they have yet to answer: what free/busy has is what they answered before.
	Waiting bool
	// Left says that there may be no records because the organizer has taken themself out of the event by a CANCEL
	// without SEQUENCE, of which the object keeps no trace.
	Left bool
}

// Facts are what an object says of a user's part in it.
type Facts struct {
	Organizes bool // the user is the organizer
	Sends     bool // the user is somebody else, who sends it for the organizer
	Attends   bool // the user is an attendee
	Attended  bool // there is an attendee
	Status    string
	Transp    string // TRANSP in upper case
	Sequence  int    // 0 if there is none
	Sequenced bool   // there is a SEQUENCE
}

// Expect says what the own free/busy of user has of an active object.
func Expect(object *calendar.Object, user calendar.URI) Expectation {
	organizer, _ := object.Organizer()
	attendee, attends := Attendee(object, user)
	f := Facts{
		Organizes: organizer.Is(user), Attends: attends, Attended: object.Has("ATTENDEE"), Transp: object.Transp(),
	}
	f.Sends = !f.Organizes && object.OrganizerSentBy().Is(user)
	if attends {
		f.Status = attendee.PartStat()
	}
	f.Sequence, f.Sequenced = object.Sequence()
	return f.Expect()
}

// Expect says what the own free/busy of the user has of an active object.
func (f Facts) Expect() Expectation {
	e := f.expect()
	e.Waiting = f.Status == "NEEDS-ACTION" && !f.Organizes
	e.Sent = f.Sends
	return e
}

func (f Facts) expect() Expectation {
	attending := attendingTransp(f.Transp)
	status := f.Status
	if f.Organizes {
		switch {
		case !f.Attends:
			// A user can take themself out of their own event by CANCEL, which raises
			// its SEQUENCE, and of which the object keeps no other trace.
			return Expectation{Transps: []string{Organizing}, Optional: f.Sequence > 0 && f.Attended, Left: !f.Sequenced && f.Attended}
		case status == "":
			return Expectation{Transps: []string{Organizing, attending}}
		}
		// Always recorded when sent out; taken back when the organizer answers no.
		return Expectation{Transps: []string{attending}, Optional: status == "DECLINED" || status == "DELEGATED"}
	}
	switch status {
	case "":
		// Sent out for somebody else, answered uninvited, or never answered.
		return Expectation{Transps: []string{attending, Organizing}, Optional: true, Chosen: true}
	case "DECLINED":
		return Expectation{}
	case "NEEDS-ACTION", "DELEGATED", "TENTATIVE":
		// An event that an attendee sends out, as who delegates it does, is recorded
		// whatever the status. A counter-proposal notes one and records nothing here.
		return Expectation{Transps: []string{attending}, Optional: true, Chosen: true}
	}
	return Expectation{Transps: []string{attending}, Chosen: true}
}

// ExpectOther says what a user knows of another user's free/busy because of an active object.
func ExpectOther(object *calendar.Object, other calendar.URI) (e Expectation) {
	attendee, attends := Attendee(object, other)
	status := attendee.PartStat()
	switch {
	case !attends:
		// Handlers record nothing; the original's tool records whom it takes to organize.
		e = Expectation{Transps: []string{Organizing}, Optional: true}
	case status == "":
		// With or without an answer, from the organizer's side or the attendee's.
		e = Expectation{Transps: []string{AttendingTransp(object), Organizing}, Optional: true}
	case TakesPart(object, other):
		e = Expectation{Transps: []string{AttendingTransp(object)}}
	}
	organizer, _ := object.Organizer()
	e.Waiting = status == "NEEDS-ACTION" && !organizer.Is(other)
	return e
}

// allows reports whether records can have a transparency.
func (e Expectation) allows(transp string) bool {
	return slices.Contains(e.Transps, transp) || e.Chosen && (transp == Opaque || transp == Transparent || transp == Organizing && (e.Sent || e.Optional))
}

// Transp returns the transparency of the records, "" if there are none: where several are right, the
// one that most of the records have that there are, else the first.
func (e Expectation) Transp(there ...string) (transp string) {
	most := 0
	for _, t := range slices.Concat(e.Transps, []string{Opaque, Transparent, Organizing}) {
		n := 0
		for _, other := range there {
			if other == t {
				n++
			}
		}
		if transp == "" && len(e.Transps) > 0 || n > most && e.allows(t) {
			transp, most = t, n
		}
	}
	return transp
}

// Declinable reports whether the user of an active object may have declined its occurrence at
// an instant, of which nothing is stored. The original stores nothing of an answer to an
// occurrence of an event that goes by a clock east of UTC, or by the user's own, and takes the
// record out of the user's free/busy (reply-to-occurrence-east-of-utc, observed).
func Declinable(object *calendar.Object, user calendar.URI, at time.Time) bool {
	organizer, organized := object.Organizer()
	_, attends := Attendee(object, user)
	if !organized || organizer.Is(user) || !attends || !object.Recurs() || object.Has("RECURRENCE-ID") {
		return false
	}
	zone := object.Clock()
	if zone == nil {
		return true
	}
	_, offset := at.In(zone).Zone()
	return offset > 0
}

// Required reports whether there must be records.
func (e Expectation) Required() bool { return len(e.Transps) > 0 && !e.Optional }
