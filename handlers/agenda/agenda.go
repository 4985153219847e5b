// Package agenda collects what a user's calendar has on some days, for the programs and
// pages that show it. Package draw makes texts, pages and pictures of that.
//
// What an entry is to the user, an [Entry]'s [Kind], comes from the stored event and from
// what the user has answered; where the event does not tell, from the free/busy table.
// Texts are as the events have them: who shows them makes them harmless.
package agenda

import (
	"cmp"
	"slices"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Kind says what an entry is to the user.
type Kind int

const (
	Busy        Kind = iota // the user takes part
	Tentative               // they take part perhaps, or the event takes place perhaps
	Organized               // they organize it without attending
	Transparent             // they take part and are free all the same
	Waiting                 // they have still to answer
	Proposed                // others propose it in place of what is planned
	Offered                 // they have proposed it themselves
	Cancelled               // an occurrence that has been called off
)

var kinds = [...]string{
	Busy:        "busy",
	Tentative:   "tentative",
	Organized:   "organized",
	Transparent: "free",
	Waiting:     "waiting",
	Proposed:    "proposed",
	Offered:     "offered",
	Cancelled:   "cancelled",
}

// String returns the kind as one word.
func (k Kind) String() string { return kinds[k] }

// Entry is something in a calendar: an occurrence of an event, or a proposal. Its texts
// are as the event has them, harmless or not.
type Entry struct {
	stores.ID
	Kind       Kind
	Start, End time.Time // in the user's zone
	AllDay     bool      // days, from midnight to midnight
	Summary    string
	Location   string
	People     string // the organizer if that is not the user; who proposes it
	Attendees  []calendar.Attendee
	// Description is the event's text, of several lines.
	Description string
	Moved       time.Time
	Changed     bool // an occurrence that differs from its event; Moved says from when, if from another time
	Recurs      bool
	Answer      string // "declined" or "delegated", if the user has and it is shown all the same
	Clash       bool   // overlaps with something else that keeps the user busy
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

// On returns the entries of a day.
func (c *Calendar) On(day time.Time) (entries []Entry) {
	next := day.AddDate(0, 0, 1)
	for _, e := range c.Entries {
		instant := !e.End.After(e.Start) && !e.Start.Before(day)
		if e.Start.Before(next) && (e.End.After(day) || instant) {
			entries = append(entries, e)
		}
	}
	return entries
}

// Order puts the entries in order of time, those of whole days first, and notes which of
// those that keep the user busy overlap.
func (c *Calendar) Order() {
	slices.SortStableFunc(c.Entries, compare)
	binding := func(e Entry) bool { return e.Kind <= Tentative && !e.AllDay }
	for i := range c.Entries {
		if !binding(c.Entries[i]) {
			continue
		}
		for j := i + 1; j < len(c.Entries) && c.Entries[j].Start.Before(c.Entries[i].End); j++ {
			if binding(c.Entries[j]) {
				c.Entries[i].Clash, c.Entries[j].Clash = true, true
			}
		}
	}
}

// compare orders entries by time, those of whole days first.
func compare(a, b Entry) int {
	days := 0
	if a.AllDay != b.AllDay && Midnight(a.Start).Equal(Midnight(b.Start)) {
		if days = 1; a.AllDay {
			days = -1
		}
	}
	return cmp.Or(days, a.Start.Compare(b.Start), b.End.Compare(a.End), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Summary, b.Summary), cmp.Compare(a.UID, b.UID), cmp.Compare(a.RecurrenceID, b.RecurrenceID))
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
	return Midnight(day).AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

// Midnight returns the beginning of a day.
func Midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// Name returns how a user is called: by their address, or else by their URI.
func Name(user calendar.URI) string {
	if address := user.Address(); address != "" {
		return address
	}
	return string(user)
}
