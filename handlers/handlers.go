// Package handlers brings a user's records up to date from the scheduling
// messages that the user sends (iMIP, RFC 6047; iTIP, RFC 5546).
//
// A message is taken apart into events; each event is a change to the records of the
// user whose message it is. The user is the calendar user who sent the message; the
// sender is every address that the message claims to come from. What a change does,
// package itip says. [Handler.Apply] makes changes, wherever they come from: inside
// critical sections of the store for the user, of which many changes share one.
//
// What can never be handled is put aside and is no error. Every error that
// [Handler.Handle] returns is temporary: the message is to be handed in again, and
// handling it again does no harm.
package handlers

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/handlers/mail"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
	"imip-agent/stores/rejected"
)

// Handler handles the messages that users send.
type Handler struct {
	Store       stores.Store
	Preferences preferences.Source
	Rejected    *rejected.Dir // where goes what cannot be handled
	Sender      calendar.URI  // the calendar system's own address (MESSAGE_SENDER)
	// Recipient is the user for whom the copy of the message was made, where the mail system
	// says so: nobody else's records are touched then. See [Recipient]. Empty: it is not known.
	Recipient calendar.URI
	// IsAlias reports whether an address is another one of a user, both without "mailto:". An
	// error is temporary. Nil: there are no aliases.
	IsAlias func(alias, user string) (bool, error)

	Log *slog.Logger     // one line for each event handled, and what was unusual
	Now func() time.Time // the clock

	MessageLimit int64 // octets of a message's calendar data that are looked at
	PeriodLimit  int   // free/busy records of one event

	// Import says that the messages are a user's own calendar: see [itip.Imported].
	Import bool
}

// side is from which side of the user's records messages come.
func (h *Handler) side() itip.Side {
	if h.Import {
		return itip.Imported
	}
	return itip.Sent
}

// Handle reads a message from r, to its end, and handles its events. It returns
// nil if nothing is left to be done, and otherwise an error that is temporary.
func (h *Handler) Handle(ctx context.Context, r io.Reader) error {
	var draft *rejected.Draft // of a message that is too large to be held in memory
	parsed, err := mail.Read(r, h.MessageLimit, func() (w io.Writer, err error) {
		draft, err = h.Rejected.Draft()
		return draft, err
	})
	if draft != nil {
		defer draft.Close()
	}
	if err != nil {
		return err
	}
	message, problems := h.open(parsed)
	others, err := h.claim(message)
	if err != nil {
		return err
	}
	problems = append(problems, others...)
	for i := range message.changes {
		c := &message.changes[i]
		c.Senders, c.Side = message.senders, h.side()
		if c.User = message.user; c.User == "" {
			c.User = h.user(c.Change)
		}
	}
	results, failure := h.Apply(ctx, message.changes)
	for i, result := range results {
		if result.Unstorable() {
			problems = append(problems, problemOf(message.changes[i].Change, result.Err.Error()))
		}
	}
	return errors.Join(failure, h.putAside(parsed, draft, problems))
}
