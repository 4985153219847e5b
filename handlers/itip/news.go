package itip

import (
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// News is what a message that was received brings for the user: what a summary says.
type News struct {
	Kind NewsKind
	// ID is where the event or the occurrence is stored: an ADD does not name the occurrence that it adds.
	ID stores.ID
	// Object is what the message says of the event, and Stored what the records had of it or of
	// its occurrence: the message may leave out what does not change. Either may be nil. They are
	// nobody else's to be changed.
	Object, Stored *calendar.Object
	// FreeBusy is what the message says of somebody's time, where it is about no event.
	FreeBusy *calendar.FreeBusy
	// From are the attendees who answer, propose, ask or tell, as the message names them; none:
	// the news is from the organizer.
	From []calendar.Attendee
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

// newsOf returns what a message of that method brings.
func newsOf(method string) NewsKind {
	switch method {
	case "ADD":
		return Addition
	case "CANCEL":
		return Cancellation
	case "COUNTER":
		return Proposal
	case "DECLINECOUNTER":
		return DeclinedProposal
	case "PUBLISH":
		return Details
	case "REFRESH":
		return Question
	case "REPLY":
		return Answered
	default: // REQUEST
		return Invitation
	}
}

// news returns what the message brings, when all is done. What was refused because it is known, or
// because the event does not invite who sent it, is news all the same.
func (u *update) news() (n News, err error) {
	switch u.outcome.Refused {
	case Applied, Repeated, Uninvited:
	default:
		return News{}, nil
	}
	switch {
	case u.silent:
		return News{Kind: Silence}, nil
	case u.FreeBusy != nil:
		return News{Kind: BusyTimes, FreeBusy: u.FreeBusy, From: u.speakers}, nil
	}
	n = News{Kind: newsOf(u.Method), ID: u.ID, Object: u.message, From: u.speakers}
	if u.calling.entire { // also by STATUS
		n.Kind = Cancellation
	}
	n.Stored, err = u.known()
	return n, err
}

// known returns what the records have of the event, or of the occurrence: where that is not stored
// apart, as the event has it.
func (u *update) known() (*calendar.Object, error) {
	switch {
	case u.stored != nil:
		return u.stored, nil
	case u.answered != nil && u.message.Has("RECURRENCE-ID") == u.answered.Has("RECURRENCE-ID"):
		return u.answered, nil
	case u.ID.RecurrenceID == "":
		return nil, nil
	}
	parent, err := u.whole()
	if parent == nil || err != nil {
		return nil, err
	}
	if at, err := parent.InstantFor(u.Object, u.Preferences.Zone); err == nil {
		if occurrence, _ := parent.Occurrence(at, u.Preferences.Zone); occurrence != nil {
			return occurrence, nil
		}
	}
	return parent, nil
}
