package itip

import "imip-agent/stores/calendar"

// News is what a message that was received brings for the user: what a summary says.
type News struct {
	Kind NewsKind
	// Object is the event or occurrence to be shown, with what is stored of it where the message
	// leaves something out; nil: see FreeBusy. It is nobody else's to be changed.
	Object *calendar.Object
	// From are the attendees who answer, propose or ask, as the message names them.
	From     []calendar.Attendee
	FreeBusy *calendar.FreeBusy
}

// NewsKind says what kind of news there is.
type NewsKind int

const (
	NoNews           NewsKind = iota // the message says nothing to the user's calendar: it is delivered as it came
	Silence                          // it was dealt with, and the user need not see it
	Invitation                       // REQUEST
	Details                          // PUBLISH
	Cancellation                     // CANCEL
	Answered                         // REPLY
	Proposal                         // COUNTER
	DeclinedProposal                 // DECLINECOUNTER
	Addition                         // ADD
	Question                         // REFRESH: somebody asks for the event to be sent again
	BusyTimes                        // VFREEBUSY
)

// Told reports whether a summary says it.
func (n News) Told() bool { return n.Kind > Silence }
