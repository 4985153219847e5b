// Package person handles messages that arrive for users (iMIP, RFC 6047): it brings each recipient's
// records up to date, answers where the recipient lets it, and hands the message on to the mailbox, exactly
// once.
//
// Each recipient is handled apart, in one critical section: the changes that the message makes to their
// records are committed together with a letter, in which stands what is to be done then, namely how the message
// gets to the mailbox, and the answers. Then the letter's mails are handed over, and each is crossed off. The letter
// is named by the message and the recipient, and stays for a while when all is done. So a message that is
// handed in again is known: its changes are not made again, and only what is left is sent. See package
// deliver.
//
// Whatever is wrong with a message, it gets to the mailbox. Every error that [Handler.Handle] returns is
// temporary.
package person

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"imip-agent/handlers"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/itip"
	"imip-agent/handlers/mail"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

// Handler handles messages that arrive for users.
type Handler struct {
	handlers.Pipeline

	// Recipients are the users for whom the message is, by their addresses. Without any, they are those
	// whom the field To names.
	Recipients []string

	Mailbox *deliver.Server // of the users
	Others  *deliver.Server // for answers to others
	Instead io.Writer       // takes the mails where none is to be handed over; nil: they are handed over

	// Default are the preferences of users whose own cannot be read.
	Default func() preferences.Preferences

	// Link returns the place in the web manager where a user can see an event; empty: there is none.
	Link func(stores.ID) string

	// Spool is the directory for messages that are too large to be held in memory; empty: the system's.
	Spool string
}

// arrival is a message that has arrived.
type arrival struct {
	*handlers.Message
	source *mail.Spool // as it came
	fields mail.Fields // its header
}

// Handle reads a message from r, to its end, and handles it for each recipient. It returns nil if
// nothing is left to be done. Otherwise the message is to be handed in again; what one recipient fails with
// does not keep it from the others.
func (h *Handler) Handle(ctx context.Context, r io.Reader) error {
	a := &arrival{source: mail.NewSpool(h.Spool)}
	defer a.source.Close()
	var err error
	if a.Message, err = h.Read(io.TeeReader(r, a.source), itip.Received); err != nil {
		return err
	}
	defer a.Close()
	if a.fields, err = mail.ReadFields(a.source.Open()); err != nil {
		return err
	}
	a.prepare()
	recipients := h.recipients(a.fields)
	if len(recipients) == 0 {
		// DEVIATION: for-nobody. The original hands it over to nobody.
		return errors.New("nobody is named for whom the message is: neither by the option -o nor in its field To")
	}
	sender := &deliver.Sender{
		Outbox: h.Store, Mailbox: h.Mailbox, Others: h.Others, Instead: h.Instead, Log: h.Log,
		Keep: deliver.GivenUp, Make: a.make,
	}
	defer sender.Close()
	var failures []error
	for _, recipient := range recipients {
		if ctx.Err() != nil {
			return errors.Join(append(failures, context.Cause(ctx))...)
		}
		if err := h.receive(ctx, a, sender, recipient); err != nil {
			failures = append(failures, fmt.Errorf("for %s: %w", recipient.Address(), err))
		}
	}
	return errors.Join(failures...)
}

// recipients returns the users for whom the message is, each once.
func (h *Handler) recipients(fields mail.Fields) []calendar.URI {
	addresses := h.Recipients
	if len(addresses) == 0 {
		addresses = fields.Addresses("To")
	}
	var users []calendar.URI
	for _, address := range addresses {
		address = strings.TrimSpace(address)
		if address == "" {
			continue
		}
		if user := calendar.NewURI(address); !slices.ContainsFunc(users, user.Is) {
			users = append(users, user)
		}
	}
	return users
}

// prepare completes the changes with what the header says of the message, or takes them out where nothing of
// it is handled.
func (a *arrival) prepare() {
	if len(a.Mail.Unread) > 0 { // of what is too large, a part would be handled
		a.Changes = nil
	}
	var senders []calendar.URI
	for _, address := range a.fields.Addresses("From", "Reply-To", "Sender") {
		senders = append(senders, calendar.NewURI(address))
	}
	automatic := a.fields.Automatic() // DEVIATION: answers-to-automatic-mail.
	for i := range a.Changes {
		c := &a.Changes[i]
		c.Side, c.Senders, c.Automatic = itip.Received, senders, automatic
	}
}

// receive handles the message for one recipient.
func (h *Handler) receive(ctx context.Context, a *arrival, sender *deliver.Sender, user calendar.URI) error {
	settings, err := h.Preferences.Load(user)
	if err != nil {
		// DEVIATION: unreadable-preferences. The original fails for ever.
		h.Log.Warn("the user's preferences cannot be read, and count as the default", "user", string(user), "error", err)
		settings = h.Default()
	}
	records, err := h.Store.Named(ctx, user)
	if err == nil {
		err = h.commit(ctx, a, user, records, settings)
	}
	var unstorable *stores.UnstorableError
	switch {
	case errors.As(err, &unstorable):
		// No user has such a name, and no letter can be kept for them.
		h.Log.Warn("nothing can be stored for the user", "user", string(user), "reason", err)
		text := a.source.Open()
		return sender.Hand(ctx, deliver.Envelope{Mailbox: true, From: h.envelopeSender(a), To: user.Address()}, text)
	case err != nil:
		return err
	}
	name := a.letter(records)
	if err := sender.Deliver(ctx, records, name); err != nil {
		return err
	}
	h.Log.Info("delivered", "user", string(user), "letter", name)
	if isChosen(name) {
		if err := sender.Rest(ctx, records); err != nil {
			h.Log.Warn("mails of earlier messages are left in the outbox", "user", string(user), "error", err)
		}
	}
	return nil
}

// isChosen reports whether it is for this message to look after earlier letters: one of sixteen does, since it
// takes time. The nightly run looks after all.
func isChosen(letter string) bool { return letter[0] == '0' }

// letter returns the name of the letter that is owed for the message by a user's records.
func (a *arrival) letter(records calendar.URI) string {
	return deliver.Name(a.source.Digest(), records)
}

// commit makes the changes to a user's records, and leaves the letter in their outbox, unless that has
// been done before.
//
// DEVIATION: handed-over-once. The original does all of it again.
func (h *Handler) commit(ctx context.Context, a *arrival, user, records calendar.URI, settings preferences.Preferences) error {
	changes := slices.Clone(a.Changes)
	if !settings.Participates() {
		changes = nil
	}
	for i := range changes {
		changes[i].User = user
	}
	name := a.letter(records)
	now := h.Now()
	wanted := func(tx stores.Tx) (bool, error) {
		sent, err := tx.Sent(name)
		if sent && err == nil {
			h.Log.Debug("the message has been handled before: what is left is sent", "user", string(user), "letter", name)
		}
		return !sent, err
	}
	_, err := h.Together(ctx, records, settings, changes, wanted, func(tx stores.Tx, results []handlers.Result) error {
		problems := append(slices.Clone(a.Problems), handlers.Unstored(changes, results)...)
		if err := h.PutAside(a.Message, "incoming message", problems); err != nil {
			return err
		}
		mails := h.mailboxMails(a, user, settings, results)
		answers, err := h.answers(a, tx, settings, now, results)
		if err != nil {
			return err
		}
		return tx.Send(deliver.Letter(name, append(mails, answers...)...))
	})
	return err
}
