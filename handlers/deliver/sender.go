package deliver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Sender hands over what letters hold, for one message or one round through the outbox: a
// server that cannot be reached is not tried again. It is not for use by several at once.
type Sender struct {
	Outbox  stores.Outbox
	Mailbox *Server // of the users here; nil: mails for mailboxes stay where they are
	Others  *Server // for everybody else; nil: mails for others stay
	Log     *slog.Logger

	// Instead takes the mails, each after a line with its envelope, where none is to be sent;
	// they count as handed over. Nil: they are sent.
	Instead io.Writer

	// Make returns a mail that is to be made (see [Envelope]), of what the letter has in its
	// place. Nil: such mails stay until their message is handed in again.
	Make func(envelope Envelope, of io.Reader) (io.ReadCloser, error)

	// Keep is how long a letter stays in the outbox that has nothing left. As long as it is
	// there, the message that it is for is known to have been handled: it can be handed in
	// again, as its mail system does if the program was killed before it could say that all is
	// done. Zero: it is dropped at once. [Kept] is long enough for any mail system.
	Keep time.Duration

	mailbox, others route
}

const (
	// Kept is for how long mail systems try again at most, as a rule (RFC 5321 section 4.5.4.1).
	Kept = 5 * 24 * time.Hour
	// GivenUp is the age at which a letter is dropped with all that is left of it.
	GivenUp = 14 * 24 * time.Hour
	// young is the age of letters that are left to those who have just written them.
	young = time.Minute
)

// route is the connection to a server.
type route struct {
	connection *Connection
	down       error  // why there can be none
	ahead      *ahead // one that is being made; nil: none
}

// errNoServer says that mails stay where they are.
var errNoServer = errors.New("no server is configured")

// awaitedError says that a mail stays until the mail system hands in its message again: the mail is made of that.
type awaitedError struct {
	Recipient string
}

func (e *awaitedError) Error() string {
	return fmt.Sprintf("the mail for %s stays until the mail system hands in its message again", e.Recipient)
}

// withoutAwaited returns an error without those that say that a message is awaited: it is for its mail system to
// hand it in, or to give it up.
func withoutAwaited(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var left []error
		for _, err := range several.Unwrap() {
			left = append(left, withoutAwaited(err))
		}
		return errors.Join(left...)
	}
	var awaited *awaitedError
	if errors.As(err, &awaited) {
		return nil
	}
	return err
}

// Hand hands over one mail that is in no letter.
func (s *Sender) Hand(ctx context.Context, envelope Envelope, text io.Reader) error {
	if s.Instead != nil {
		place := ""
		if envelope.Mailbox {
			place = "the mailbox of "
		}
		_, err := fmt.Fprintf(s.Instead, "mail from <%s> for %s<%s>\n", envelope.From, place, envelope.To)
		if err == nil {
			_, err = io.Copy(s.Instead, text)
		}
		return err
	}
	server, to := s.route(envelope)
	if server == nil {
		return fmt.Errorf("the mail for %s is kept: %w", envelope.To, errNoServer)
	}
	to.await()
	if to.connection != nil && to.connection.ready() != nil { // the server has left meanwhile
		to.connection.Close()
		to.connection = nil
	}
	if to.connection == nil && to.down == nil {
		to.connection, to.down = server.connect(ctx)
	}
	if to.down != nil {
		return fmt.Errorf("the mail for %s must wait: %w", envelope.To, to.down)
	}
	return to.connection.Send(ctx, envelope.From, []string{envelope.To}, text)[0]
}

// route returns the server that a mail goes to, nil if there is none, and the way there.
func (s *Sender) route(envelope Envelope) (*Server, *route) {
	if envelope.Mailbox {
		return s.Mailbox, &s.mailbox
	}
	return s.Others, &s.others
}

// Once hands over a mail of a user for a message that changes nothing, and so leaves no letter: unless it has been done
// before, by the name that a letter would have. A program that is killed between the server's answer and the note does it
// again, as with a letter. If the note cannot be made, there is a warning: the mail is there.
// With Keep zero there is none.
func (s *Sender) Once(ctx context.Context, user calendar.URI, name string, envelope Envelope, text io.Reader) error {
	noted, err := s.Outbox.Noted(ctx, user, name)
	if err != nil {
		return err
	} else if noted {
		return s.Deliver(ctx, user, name)
	}
	if s.Keep > 0 {
		// Only when the server wants the mail: for addresses that it does not know, nothing is made.
		text = &beginning{text, func() {
			_ = s.Outbox.Ready(ctx, user) // what is wrong with it, Note reports: the mail does not wait for that
		}}
	}
	if err := s.Hand(ctx, envelope, text); err != nil || s.Keep == 0 {
		return err
	}
	if err := s.Outbox.Note(context.WithoutCancel(ctx), user, name); err != nil {
		s.Log.Warn("a mail is delivered, but not noted: it is delivered again if its message is handed in again",
			"user", string(user), "letter", name, "error", err)
	}
	return nil
}

// beginning is a mail that calls begins before it is read.
type beginning struct {
	io.Reader
	begins func() // nil: it has been called
}

func (b *beginning) Read(p []byte) (int, error) {
	if b.begins != nil {
		b.begins()
		b.begins = nil
	}
	return b.Reader.Read(p)
}

// Close ends the connections, or leaves them to others (see [Pool]). All that was handed over stays so.
func (s *Sender) Close() {
	for _, r := range []*route{&s.mailbox, &s.others} {
		r.ahead.drop()
		r.ahead = nil
		if r.connection != nil {
			r.connection.server.done(r.connection)
			r.connection = nil
		}
	}
}

// Deliver hands over what is left of a letter of a user. It returns nil when nothing is left,
// and otherwise why. That includes a mailbox that refuses a mail for good. That there is no
// such letter is no error: it was dropped when all had gone out, or by somebody who wants it
// so.
func (s *Sender) Deliver(ctx context.Context, user calendar.URI, name string) error {
	err := s.Outbox.Deliver(ctx, user, name, func(_ int, mail io.Reader) error {
		return s.send(ctx, user, mail)
	})
	switch {
	case errors.Is(err, stores.ErrNotFound):
		return nil
	case err != nil:
		return err
	case s.Keep == 0:
		return s.Outbox.Drop(ctx, user, name)
	}
	return nil
}

// send hands over a mail of a letter. It returns nil if the mail is to be crossed off.
func (s *Sender) send(ctx context.Context, user calendar.URI, mail io.Reader) error {
	envelope, text, err := Open(mail)
	if err != nil {
		return err
	}
	if envelope.Made {
		if s.Make == nil {
			return &awaitedError{envelope.To}
		}
		made, err := s.Make(envelope, text)
		if err != nil {
			return err
		}
		defer made.Close()
		text = made
	}
	err = s.Hand(ctx, envelope, text)
	var refused *RefusedError
	if !envelope.Mailbox && errors.As(err, &refused) && refused.ForGood() {
		s.Log.Warn("a mail is dropped, since it is permanently refused", "user", string(user), "recipient", envelope.To, "error", err)
		return nil
	}
	if err == nil {
		s.Log.Debug("a mail is delivered", "user", string(user), "mailbox", envelope.Mailbox, "recipient", envelope.To)
	}
	return err
}

// Rest hands over what is left of all letters of a user, and drops those that are of no use any
// more. Letters that somebody else is at, and those of the last minute, are left to whoever
// wrote them. The error says what is left; a program that has something else to do has to warn
// of it only.
func (s *Sender) Rest(ctx context.Context, user calendar.URI) error {
	letters, err := s.Outbox.Letters(ctx, user)
	if err != nil {
		return err
	}
	var failures []error
	for _, letter := range letters {
		if ctx.Err() != nil {
			return errors.Join(append(failures, context.Cause(ctx))...)
		}
		switch {
		case letter.Age >= GivenUp:
			if letter.Left > 0 {
				s.Log.Warn("mails of a letter are dropped, since they could not be delivered for 14 days",
					"user", string(user), "letter", letter.Name, "mails", letter.Left)
			}
			err = s.Outbox.Drop(ctx, user, letter.Name)
		case letter.Left == 0 && letter.Age >= s.Keep:
			err = s.Outbox.Drop(ctx, user, letter.Name)
		case letter.Left == 0 || letter.Age < young:
			continue
		default:
			err = withoutAwaited(s.Deliver(ctx, user, letter.Name))
			if errors.Is(err, stores.ErrLocked) {
				err = nil
			}
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("letter %s of %s: %w", letter.Name, user, err))
		}
	}
	return errors.Join(failures...)
}

// All hands over what is left in the whole outbox. One user's letters do not stop another's.
func (s *Sender) All(ctx context.Context) error {
	var failures []error
	for user, err := range s.Outbox.Owing(ctx) {
		if err == nil {
			err = s.Rest(ctx, user)
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failures...)
}
