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
	m, problems, err := h.open(r)
	if err != nil {
		return err
	}
	defer m.Close()
	results, failure := h.Apply(ctx, m.Changes)
	problems = append(problems, handlers.Unstored(m.Changes, results)...)
	return errors.Join(failure, h.PutAside(m, source, problems))
}

const source = "outgoing message"

// open reads a message, and finds out whose records its changes are for. The message is to be closed.
func (h *Handler) open(r io.Reader) (*handlers.Message, []handlers.Problem, error) {
	m, err := h.Read(r, itip.Sent)
	if err != nil {
		return nil, nil, err
	}
	user, problems, err := h.claim(m)
	if err != nil {
		m.Close()
		return nil, nil, err
	}
	problems = append(m.Problems, problems...)
	for i := range m.Changes {
		c := &m.Changes[i]
		c.Senders, c.Side = m.Senders, itip.Sent
		if c.User = user; c.User == "" {
			c.User = h.user(c.Change)
		}
	}
	return m, problems, nil
}

// Copy is a message with the user for whom the copy of it was made, who may be empty (see [Handler]).
type Copy struct {
	Recipient calendar.URI
	Message   io.Reader
}

// HandleInOrder handles messages in their order, as Handle does each of them. Their changes share
// critical sections. It returns an error for each message. Nothing is changed by those that follow one with an
// error, which have one, too: they are to be handed in again with it.
func (h *Handler) HandleInOrder(ctx context.Context, copies []Copy) []error {
	errs := make([]error, len(copies))
	messages := make([]*handlers.Message, 0, len(copies))
	defer func() {
		for _, m := range messages {
			m.Close()
		}
	}()
	var changes []handlers.Change
	var problems [][]handlers.Problem
	for i, c := range copies {
		one := *h
		one.Recipient = c.Recipient
		m, bad, err := one.open(c.Message)
		if err != nil {
			fill(errs[i:], err)
			break
		}
		messages, problems = append(messages, m), append(problems, bad)
		changes = append(changes, m.Changes...)
	}
	results, _ := h.ApplyInOrder(ctx, changes)
	for i, m := range messages {
		n := len(m.Changes)
		mine, own := changes[:n], results[:n]
		changes, results = changes[n:], results[n:]
		err := temporary(own)
		if err == nil {
			err = h.PutAside(m, source, append(problems[i], handlers.Unstored(mine, own)...))
		}
		if err != nil {
			fill(errs[i:], err)
			break
		}
	}
	return errs
}

// temporary returns why a message is to be handed in again, by the results of its changes.
func temporary(results []handlers.Result) error {
	for _, r := range results {
		if r.Err != nil && !r.Unstorable() {
			return r.Err
		}
	}
	return nil
}

func fill(errs []error, err error) {
	for i := range errs {
		errs[i] = err
	}
}
