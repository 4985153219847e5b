// Package person handles messages that arrive for users (iMIP, RFC 6047): it brings each recipient's
// records up to date, answers where the recipient lets it, and hands the message on to the mailbox, exactly
// once.
//
// Each recipient is handled apart, and what is owed then is handed over as package arrival says.
//
// Whatever is wrong with a message, it gets to the mailbox. Every error that [Handler.Handle] returns is
// temporary.
package person

import (
	"context"
	"io"

	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/itip"
	"imip-agent/stores"
)

// Handler handles messages that arrive for users.
type Handler struct {
	arrival.Handler

	// Link returns the place in the web manager where a user can see an event; empty: there is none.
	Link func(stores.ID) string
}

// Handle reads a message from r, to its end, and handles it for each recipient. It returns nil if
// nothing is left to be done. Otherwise the message is to be handed in again; what one recipient fails with
// does not keep it from the others.
func (h *Handler) Handle(ctx context.Context, r io.Reader) error {
	return h.Each(ctx, r, itip.Received, h.commit)
}

// HandleKept handles a message that is kept, for recipients by their addresses, as Handle does. It says of each what
// became of it, as [arrival.Handler.EachOf] does.
func (h *Handler) HandleKept(ctx context.Context, kept arrival.Kept, to []string, done func(i int, err error)) {
	h.EachOf(ctx, kept, itip.Received, to, h.commit, done)
}

// commit makes the changes to a user's records, and leaves the letter in their outbox.
func (h *Handler) commit(ctx context.Context, m *arrival.Message, to arrival.Recipient) error {
	if m.Empty() || !to.Preferences.Participates() {
		return arrival.ErrPass
	}
	now := h.Now()
	return h.Together(ctx, m, to, nil, func(tx stores.Tx, results []handlers.Result) ([]deliver.Mail, error) {
		mails := h.mailboxMails(m, to, results)
		answers, err := h.Answers(m, tx, to, now, results)
		return append(mails, answers...), err
	})
}
