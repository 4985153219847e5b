// Package handlers is what all programs share that bring users' records up to date from
// scheduling messages (iMIP, RFC 6047; iTIP, RFC 5546): a [Pipeline].
//
// [Pipeline.Read] takes a message apart into events; each event is a change to the records of
// a user. Whose records these are, the packages below this one say: of a message that a user sends,
// package outgoing. What a change does, package itip says. [Pipeline.Apply] makes changes,
// wherever they come from, inside critical sections of the store for the user; many changes
// share one.
//
// What can never be handled is put aside ([Pipeline.PutAside]) and is no error. Every error that
// is returned is temporary: the message is to be handed in again, and handling it again does no
// harm.
package handlers

import (
	"log/slog"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
)

// Pipeline is what messages go through, whoever's they are.
type Pipeline struct {
	Store       stores.Store
	Preferences preferences.Source
	Rejected    *rejected.Dir // where goes what cannot be handled
	Sender      calendar.URI  // the calendar system's own address (MESSAGE_SENDER)

	Log *slog.Logger     // one line for each event handled, and what was unusual
	Now func() time.Time // the clock

	MessageLimit int64 // octets of a message's calendar data that are looked at
	PeriodLimit  int   // free/busy records of one event

	// Sections lets messages that are handled at the same time share critical sections. Nil: each has its own.
	Sections *Sections

	// Observe is told what has become of each change, also of those that are tried again. It may be called from several
	// goroutines. Nil: nobody wants to know.
	Observe func(Change, Result)
}

// observe tells what has become of changes.
func (p *Pipeline) observe(changes []Change, results []Result) {
	if p.Observe == nil {
		return
	}
	for i, c := range changes {
		p.Observe(c, results[i])
	}
}

// IsSystem reports whether the calendar system itself goes by this URI.
func (p *Pipeline) IsSystem(uri calendar.URI) bool {
	return uri != "" && uri.Is(p.Sender)
}
