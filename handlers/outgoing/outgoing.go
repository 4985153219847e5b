// Package outgoing brings a user's records up to date from the scheduling messages that the
// user sends (iMIP, RFC 6047; iTIP, RFC 5546).
//
// The user is the calendar user who sent the message; the sender is every address that the message
// claims to come from.
package outgoing

import (
	"context"
	"errors"
	"io"

	"imip-agent/handlers"
	"imip-agent/handlers/itip"
	"imip-agent/stores/calendar"
)

// Handler handles the messages that users send.
type Handler struct {
	handlers.Pipeline

	// Recipient is the user for whom the copy of the message was made, where the mail system
	// says so: nobody else's records are touched then. See [Recipient]. Empty: it is not known.
	Recipient calendar.URI
	// IsAlias reports whether an address is another one of a user, both without "mailto:". An
	// error is temporary. Nil: there are no aliases.
	IsAlias func(alias, user string) (bool, error)
}

// Handle reads a message from r, to its end, and handles its events. It returns
// nil if nothing is left to be done, and otherwise an error that is temporary: the message is to be
// handed in again, and handling it again does no harm.
func (h *Handler) Handle(ctx context.Context, r io.Reader) error {
	m, err := h.Read(r, itip.Sent)
	if err != nil {
		return err
	}
	defer m.Close()
	user, problems, err := h.claim(m)
	if err != nil {
		return err
	}
	problems = append(m.Problems, problems...)
	for i := range m.Changes {
		c := &m.Changes[i]
		c.Senders, c.Side = m.Senders, itip.Sent
		if c.User = user; c.User == "" {
			c.User = h.user(c.Change)
		}
	}
	results, failure := h.Apply(ctx, m.Changes)
	problems = append(problems, handlers.Unstored(m.Changes, results)...)
	return errors.Join(failure, h.PutAside(m, "outgoing message", problems))
}
