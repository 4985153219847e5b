// Package show shows a user's calendar as people look at one: as an agenda for a
// terminal, or by weeks as a page or a picture for a browser.
//
// What an entry is to the user, an [Entry]'s [Kind], comes from the stored event and from
// what the user has answered; where the event does not tell, from the free/busy table.
// Everything that comes from messages is made harmless before it is shown: no control
// character reaches a terminal, and no markup a page.
package show

import (
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Kind says what an entry is to the user.
type Kind int

const (
	Busy        Kind = iota // the user takes part
	Tentative               // they take part perhaps, or the event takes place perhaps
	Organised               // they organise it without attending
	Transparent             // they take part and are free all the same
	Waiting                 // they have still to answer
	Proposed                // others propose it in place of what is planned
	Offered                 // they have proposed it themselves
	Cancelled               // an occurrence that has been called off
)

// kinds are the kinds' names, for people and for classes of a page, and the marks that
// tell them apart where there is no colour.
var kinds = [...]struct{ name, title, mark string }{
	Busy:        {"busy", "busy", "●"},
	Tentative:   {"tentative", "tentative", "◐"},
	Organised:   {"organised", "organised, not attending", "◆"},
	Transparent: {"free", "shown as free", "○"},
	Waiting:     {"waiting", "waiting for an answer", "?"},
	Proposed:    {"proposed", "proposed by others", "↔"},
	Offered:     {"offered", "proposed by the user", "→"},
	Cancelled:   {"cancelled", "cancelled", "✕"},
}

// String returns the kind as one word.
func (k Kind) String() string { return kinds[k].name }

// Entry is something in a calendar: an occurrence of an event, or a proposal. Its texts
// are as the event has them, harmless or not.
type Entry struct {
	stores.ID
	Kind       Kind
	Start, End time.Time // in the user's zone
	AllDay     bool      // days, from midnight to midnight
	Summary    string
	Location   string
	People     string // the organiser if that is not the user; who proposes it
	Attendees  []calendar.Attendee
	// Description is the event's text, of several lines.
	Description string
	Moved       time.Time
	Changed     bool // an occurrence that differs from its event; Moved says from when, if from another time
	Recurs      bool
	Answer      string // "declined" or "delegated", if the user has and it is shown all the same
	Clash       bool   // overlaps with something else that keeps the user busy
}

// Request is an entry of the queue of what awaits the user's answer, or of proposals
// that do.
type Request struct {
	Entry
	Counter bool // others propose other times
	Unknown bool // the event is not stored: the entry says no more than its ID
}

// Calendar is what a user's calendar has from one day to another.
type Calendar struct {
	User     calendar.URI
	Zone     *time.Location
	Now      time.Time
	From, To time.Time // midnights in Zone; To is the day after the last
	Entries  []Entry   // in order of time
	Requests []Request
	Problems []Problem
}

// Problem is an event that cannot be shown.
type Problem struct {
	stores.ID
	Err error
}

// Days is a range of days, Last included. Only the dates count.
type Days struct{ First, Last time.Time }

// Week returns the Monday of a day's week (ISO 8601).
func Week(day time.Time) time.Time {
	return midnight(day).AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

// midnight returns the beginning of a day.
func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// name returns how a user is called: their address, or else their URI.
func name(user calendar.URI) string {
	if address := user.Address(); address != "" {
		return address
	}
	return string(user)
}
