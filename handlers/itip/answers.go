package itip

import "imip-agent/stores/calendar"

// Answer is a message that the user's calendar owes to another user. The mail around it is
// the caller's.
type Answer struct {
	Kind  AnswerKind
	To    calendar.URI        // neither the user nor the calendar system
	As    Role                // on whose behalf: the user is that of the event
	Parts []calendar.Document // each with its METHOD and one object; there is at least one
}

// AnswerKind says what an answer is, for its Subject.
type AnswerKind int

const (
	AsksForEvent   AnswerKind = iota // REFRESH: the user asks for the event to be sent again
	UpdatesEvent                     // REQUEST, unasked: an occurrence has become one of its own
	RefreshesEvent                   // REQUEST and CANCEL: what was asked for
	TellsFreeBusy                    // REPLY with VFREEBUSY: what was asked for
)

// Role is what a user is in an event.
type Role int

const (
	AsOrganizer Role = iota
	AsAttendee
)
