// Package arrival is what handlers of messages that arrive for users have in common: package person's, and that
// of resources, which nobody sits behind.
//
// Each recipient is handled apart, in one critical section: the changes that the message makes to their
// records are committed together with a letter, in which stands what is to be done then, namely how the message
// gets to the mailbox, and the answers. Then the letter's mails are handed over, and each is crossed off. The letter
// is named by the message and the recipient, and stays for a while when all is done. So a message that is
// handed in again is known: its changes are not made again, and only what is left is sent. See package
// deliver.
package arrival

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

// Handler is what handles messages that arrive, whoever they are for.
type Handler struct {
	handlers.Pipeline

	// Recipients are the users for whom the message is, by their addresses. Without any, they are those
	// whom the field To names.
	Recipients []string

	Mailbox *deliver.Server // of the users; nil: nothing gets to a mailbox
	Others  *deliver.Server // for answers to others
	Instead io.Writer       // takes the mails where none is to be handed over; nil: they are handed over

	// UsersOf returns the users whose other address an address is, all without "mailto:"; mostly there are none.
	// An error is temporary. Nil: there are no aliases.
	UsersOf func(address string) ([]string, error)

	// Listed says that each address stands in a list of users as it is, so that one with an extension is a user's own.
	Listed bool

	// Default are the preferences of users whose own cannot be read. Nil: their messages wait until they can.
	Default func() preferences.Preferences

	// Rounds has whose earlier letters need not be looked after. Nil: nobody's.
	Rounds *Rounds

	// Spool is the directory for messages that are too large to be held in memory; empty: the system's.
	Spool string
}

// Message is a message that has arrived.
type Message struct {
	*handlers.Message
	Source *mail.Spool // as it came
	Fields mail.Fields // its header

	sender *string // of the envelope, where the mail system says it beside the message; nil: the header may say it

	// ahead is called with the mails that are owed to a recipient before the change is committed. Nil: they are not sent.
	ahead func([]deliver.Mail)
}

// Kept is a message that has been kept, as its mail system hands it in.
type Kept struct {
	Source *mail.Spool
	Sender string // of the envelope; empty: the null sender
	Unread bool   // nothing in it is looked at
}

// Recipient is one of the users for whom a message is.
type Recipient struct {
	User        calendar.URI // as the message or the mail system names them
	Records     calendar.URI // under which name the store has them
	Preferences preferences.Preferences
	Letter      string // the name of the letter that is owed for the message by the records
}

// Commit makes the changes of a message to a recipient's records, and leaves the letter in their outbox,
// unless that has been done before. An error that matches [ErrPass] says that there is nothing to be committed.
type Commit func(context.Context, *Message, Recipient) error

// ErrPass says that a message changes nothing, and gets to the mailbox as it came.
var ErrPass = errors.New("arrival: nothing in the message is handled")

// Empty reports whether there is nothing in the message to be handled, nor to be put aside.
func (m *Message) Empty() bool { return len(m.Changes) == 0 && len(m.Problems) == 0 }

// Each reads a message from r, to its end, and handles it for each recipient: it is committed, and what it
// owes is handed over. Changes are made from that side. It returns nil if nothing is left to be done. Otherwise
// the message is to be handed in again; what one recipient fails with does not keep it from the others.
func (h *Handler) Each(ctx context.Context, r io.Reader, side itip.Side, commit Commit) error {
	m, err := h.Open(r, side)
	if err != nil {
		return err
	}
	defer m.Done()
	recipients, err := h.recipients(m.Fields)
	if err != nil {
		return err
	}
	if len(recipients) == 0 {
		// DEVIATION: for-nobody. The original hands it over to nobody.
		return errors.New("nobody is named for whom the message is: neither by the option -o nor in its field To")
	}
	sender := h.sender(m)
	defer sender.Close()
	return h.all(ctx, m, sender, recipients, commit)
}

// EachOf handles a message that is kept, as Each does, for recipients by their addresses. It says of each what became of
// it: nil, if nothing is left to be done for that one.
// Mail for some addresses is only handed over: see Passes.
func (h *Handler) EachOf(ctx context.Context, kept Kept, side itip.Side, addresses []string, commit Commit, done func(i int, err error)) {
	m, err := h.openKept(kept, side)
	if err != nil {
		for i := range addresses {
			done(i, err)
		}
		return
	}
	defer m.Close()
	sender := h.sender(m)
	defer sender.Close()
	for i, address := range addresses {
		done(i, h.one(ctx, m, sender, address, commit))
	}
}

// one handles a message for an address.
func (h *Handler) one(ctx context.Context, m *Message, sender *deliver.Sender, address string, commit Commit) error {
	passes, err := h.Passes(address)
	if err != nil {
		return err
	}
	if passes {
		owner, _ := withoutExtension(address)
		return h.pass(ctx, m, sender, calendar.NewURI(address), calendar.NewURI(owner))
	}
	users, err := h.named(calendar.NewURI(address))
	if err != nil {
		return err
	}
	if len(users) == 1 {
		return h.receive(ctx, m, sender, users[0], commit)
	}
	return h.all(ctx, m, sender, users, commit)
}

// Passes reports whether mail for an address is handed over without being handled. That is so for addresses with an
// extension (USER+EXTENSION@DOMAIN) that are nobody's alias, as with mail systems that know which addresses are users',
// unless they are listed, and for the calendar system itself, which is no user.
func (h *Handler) Passes(address string) (bool, error) {
	if h.IsSystem(calendar.NewURI(address)) {
		return true, nil
	}
	_, extended := withoutExtension(address)
	switch {
	case !extended || h.Listed:
		return false, nil
	case h.UsersOf == nil:
		return true, nil
	}
	names, err := h.UsersOf(address)
	return len(names) == 0, err
}

// all handles a message for users.
func (h *Handler) all(ctx context.Context, m *Message, sender *deliver.Sender, users []calendar.URI, commit Commit) error {
	var failures []error
	for _, user := range users {
		if ctx.Err() != nil {
			return errors.Join(append(failures, context.Cause(ctx))...)
		}
		if err := h.receive(ctx, m, sender, user, commit); err != nil {
			failures = append(failures, fmt.Errorf("for %s: %w", user.Address(), err))
		}
	}
	return errors.Join(failures...)
}

// withoutExtension returns an address without its extension, and whether it has one.
func withoutExtension(address string) (string, bool) {
	local, domain := address, ""
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		local, domain = address[:at], address[at:]
	}
	base, _, found := strings.Cut(local, "+")
	if !found || base == "" || strings.HasPrefix(local, `"`) {
		return address, false
	}
	return base + domain, true
}

// sender returns what hands over what a message owes.
func (h *Handler) sender(m *Message) *deliver.Sender {
	return &deliver.Sender{
		Outbox: h.Store, Mailbox: h.Mailbox, Others: h.Others, Instead: h.Instead, Log: h.Log,
		Keep: deliver.GivenUp, Make: m.make,
	}
}

// Open reads a message from r, to its end, whose changes are made from that side.
func (h *Handler) Open(r io.Reader, side itip.Side) (*Message, error) {
	m := &Message{Source: mail.NewSpool(h.Spool)}
	if err := h.open(m, io.TeeReader(r, m.Source), side); err != nil {
		m.Source.Close()
		return nil, err
	}
	return m, nil
}

// openKept opens a message that is kept. It is to be closed; the source stays open.
func (h *Handler) openKept(kept Kept, side itip.Side) (*Message, error) {
	m := &Message{Source: kept.Source, sender: &kept.Sender}
	if kept.Unread {
		m.Message = &handlers.Message{Mail: new(mail.Message)}
		var err error
		m.Fields, err = mail.ReadFields(m.Source.Open())
		return m, err
	}
	return m, h.open(m, m.Source.Open(), side)
}

func (h *Handler) open(m *Message, r io.Reader, side itip.Side) (err error) {
	if m.Message, err = h.Read(r, side); err != nil {
		return err
	}
	if m.Fields, err = mail.ReadFields(m.Source.Open()); err != nil {
		m.Close()
		return err
	}
	h.prepare(m, side)
	return nil
}

// Done gives back what Open has taken.
func (m *Message) Done() {
	m.Close()
	m.Source.Close()
}

// recipients returns the users for whom the message is, each once.
func (h *Handler) recipients(fields mail.Fields) ([]calendar.URI, error) {
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
		own, err := h.named(calendar.NewURI(address))
		if err != nil {
			return nil, err
		}
		for _, user := range own {
			if !slices.ContainsFunc(users, user.Is) {
				users = append(users, user)
			}
		}
	}
	return users, nil
}

// prepare completes the changes with what the header says of the message, or takes them out where nothing of
// it is handled.
func (h *Handler) prepare(m *Message, side itip.Side) {
	if len(m.Mail.Unread) > 0 { // of what is too large, a part would be handled
		m.Changes = nil
		if side == itip.Received { // it gets to a mailbox, and nothing is missing there
			m.Problems = nil
			h.Log.Warn("nothing in the message is handled: it is delivered as it came", "reason", strings.Join(m.Mail.Unread, "; "))
		}
	}
	m.Changes = withoutCopies(m.Changes)
	var senders []calendar.URI
	for _, address := range m.Fields.Senders() {
		senders = append(senders, calendar.NewURI(address))
	}
	// DEVIATION: answers-to-automatic-mail.
	automatic := m.Fields.Automatic() || m.sender != nil && *m.sender == ""
	for i := range m.Changes {
		c := &m.Changes[i]
		c.Side, c.Senders, c.Automatic = side, senders, automatic
	}
}

// withoutCopies returns changes without events that are published beside an invitation to the same revision of them: a copy,
// for programs that know no invitations. It must not make the invitation one that has been handled before.
func withoutCopies(changes []handlers.Change) []handlers.Change {
	invitations := map[stores.ID]*calendar.Object{}
	for _, c := range changes {
		if c.Method == "REQUEST" && c.Object != nil {
			invitations[c.ID] = c.Object
		}
	}
	if len(invitations) == 0 {
		return changes
	}
	return slices.DeleteFunc(changes, func(c handlers.Change) bool {
		invitation := invitations[c.ID]
		return c.Method == "PUBLISH" && c.Object != nil && invitation != nil && invitation.SameRevision(c.Object)
	})
}

// receive handles the message for one recipient.
func (h *Handler) receive(ctx context.Context, m *Message, sender *deliver.Sender, user calendar.URI, commit Commit) error {
	to := Recipient{User: user}
	var err error
	if to.Preferences, err = h.Preferences.Load(user); err != nil && h.Default != nil {
		// DEVIATION: unreadable-preferences. The original fails for ever.
		h.Log.Warn("the user's preferences cannot be read, and count as the default", "user", string(user), "error", err)
		to.Preferences, err = h.Default(), nil
	}
	if err == nil {
		to.Records, err = h.Store.Named(ctx, user)
	}
	if err == nil {
		to.Letter = deliver.Name(m.Source.Digest(), to.Records)
		m.ahead = func(mails []deliver.Mail) { sender.Ahead(ctx, mails) }
		err = commit(ctx, m, to)
	}
	itself := h.itself(m, user)
	var unstorable *stores.UnstorableError
	switch {
	case errors.Is(err, ErrPass):
		err = sender.Once(ctx, to.Records, to.Letter, itself, m.Source.Open())
	case errors.As(err, &unstorable):
		// No user has such a name, and no letter can be kept for them.
		h.Log.Warn("nothing can be stored for the user", "user", string(user), "reason", err)
		if !h.HasMailbox() {
			return nil
		}
		return sender.Hand(ctx, itself, m.Source.Open())
	case err == nil:
		err = sender.Deliver(ctx, to.Records, to.Letter)
	}
	if err != nil {
		return err
	}
	h.delivered(ctx, sender, to)
	return nil
}

// pass hands over a message, as it came, to an address that belongs to somebody by whose records it is known.
func (h *Handler) pass(ctx context.Context, m *Message, sender *deliver.Sender, address, owner calendar.URI) error {
	to := Recipient{User: address}
	var err error
	if to.Records, err = h.Store.Named(ctx, owner); err != nil {
		return err
	}
	to.Letter = deliver.Name(m.Source.Digest(), address)
	if err := sender.Once(ctx, to.Records, to.Letter, h.itself(m, address), m.Source.Open()); err != nil {
		return err
	}
	h.delivered(ctx, sender, to)
	return nil
}

// itself returns the envelope of a message that is handed over as it came.
func (h *Handler) itself(m *Message, user calendar.URI) deliver.Envelope {
	return deliver.Envelope{Mailbox: true, From: h.envelopeSender(m), To: user.Address()}
}

// delivered notes that nothing is left to be done for a recipient, and now and then looks after earlier letters.
func (h *Handler) delivered(ctx context.Context, sender *deliver.Sender, to Recipient) {
	h.Log.Info("delivered", "user", string(to.User), "letter", to.Letter)
	if isChosen(to.Letter) && h.Rounds.due(to.Records, h.Now()) {
		if err := sender.Rest(ctx, to.Records); err != nil {
			h.Log.Warn("mails of earlier messages are left in the outbox", "user", string(to.Records), "error", err)
		}
	}
}

// HasMailbox reports whether mails for mailboxes are handed over.
func (h *Handler) HasMailbox() bool { return h.Mailbox != nil || h.Instead != nil }

// isChosen reports whether it is for this message to look after earlier letters: one of sixteen does, since it
// takes time. The nightly run looks after all.
func isChosen(letter string) bool { return letter[0] == '0' }

// Mails returns what is owed by what has become of the changes of a message.
type Mails func(stores.Tx, []handlers.Result) ([]deliver.Mail, error)

// Within is as in [handlers.Section].
type Within func(tx stores.Tx, change func(itip.Rules) error) error

// Together makes the message's changes to a recipient's records, and leaves a letter with the mails that are owed
// then, all in one critical section. If that has been done before, nothing is done.
//
// DEVIATION: handed-over-once. The original does all of it again.
func (h *Handler) Together(ctx context.Context, m *Message, to Recipient, within Within, mails Mails) error {
	changes := slices.Clone(m.Changes)
	aliases := make([]calendar.URI, len(changes)) // by which the changes name the user
	for i := range changes {
		changes[i].User = to.User
		var err error
		if aliases[i], err = h.rename(&changes[i], to.User); err != nil {
			return err
		}
	}
	section := handlers.Section{Within: within}
	section.Wanted = func(tx stores.Tx) (bool, error) {
		sent, err := tx.Sent(to.Letter)
		if sent && err == nil {
			h.Log.Debug("the message has been handled before: what is left is sent", "user", string(to.User), "letter", to.Letter)
		}
		return !sent, err
	}
	section.Finish = func(tx stores.Tx, results []handlers.Result) error {
		problems := append(slices.Clone(m.Problems), handlers.Unstored(changes, results)...)
		if err := h.PutAside(m.Message, "incoming message", problems); err != nil {
			return err
		}
		for i := range results {
			results[i].Answers = answersAs(aliases[i], to.User, results[i].Answers)
		}
		owed, err := mails(tx, results)
		if err != nil {
			return err
		}
		if m.ahead != nil {
			m.ahead(owed)
		}
		return tx.Send(deliver.Letter(to.Letter, owed...))
	}
	_, err := h.Pipeline.Together(ctx, to.Records, to.Preferences, changes, section)
	return err
}
