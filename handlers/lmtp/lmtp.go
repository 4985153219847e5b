// Package lmtp takes mail from a mail system by LMTP (RFC 2033), and has it handled before it answers: copies of mail that
// users send, messages that arrive for resources, and those that arrive for everybody else. Which of these a message is, its
// recipients say ([Routes]).
//
// Each recipient gets an answer of its own. What was handled is answered with 250. What must be tried again is answered with
// 451, and a short text with the cause. Nothing is refused for ever but by the server of the mailboxes, whose answer is passed
// on. So the mail system keeps each message until all is done with it; when it hands a message in again, for whatever reason,
// handlers know it by its octets (see package arrival).
//
// The protocol is go-smtp's. A guard keeps away from it what it does not survive.
package lmtp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"imip-agent/handlers/deliver"
	"imip-agent/handlers/mail"
	"imip-agent/stores"
	"imip-agent/stores/calendar/printable"
)

// Mail is a message that the mail system hands in.
type Mail struct {
	From   string // the envelope sender; empty: the null sender
	Source *mail.Spool
}

// Handle handles a mail for recipients of one kind. It says of each what became of it: nil, if nothing is left to be done;
// otherwise the mail is to be handed in again. A [deliver.RefusedError] is the answer of a server.
type Handle func(ctx context.Context, m *Mail, to []string, done func(i int, err error))

// Service is the service.
type Service struct {
	// Routes says what a recipient is. It is asked for each mail anew.
	Routes func() (Routes, error)
	// Handlers are what handles mail for recipients of each kind.
	Handlers map[Kind]Handle

	Name     string        // what the server calls itself
	Dir      string        // for messages that are too large to be held in memory; empty: the system's
	Deadline time.Duration // for handling a mail; 0: 5 minutes

	Connections int           // at once; 0: any number
	Idle        time.Duration // how long a client may say nothing; 0: 5 minutes (RFC 5321 section 4.5.3.2.7)
	Slow        time.Duration // how long it may take over a message; 0: 30 minutes
	Silent      time.Duration // how long it must have said nothing to make room for another client; 0: 5 seconds

	Log *slog.Logger
}

// mostRecipients is how many recipients a mail can have. RFC 5321 section 4.5.3.1.8 wants a hundred at least.
const mostRecipients = 1000

// Server is a service that runs.
type Server struct {
	service *Service
	smtp    *smtp.Server
	guard   *guard
	ctx     context.Context // of handling
	cancel  context.CancelCauseFunc
}

// NewServer returns a server of the service.
func (s *Service) NewServer() *Server {
	server := &Server{service: s, guard: newGuard(s)}
	server.ctx, server.cancel = context.WithCancelCause(context.Background())
	server.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: server, conn: c}, nil
	}))
	server.smtp.LMTP, server.smtp.Domain = true, s.Name
	server.smtp.EnableSMTPUTF8 = true
	server.smtp.MaxLineLength, server.smtp.MaxRecipients = 0, mostRecipients // lines are the guard's business
	server.smtp.WriteTimeout = time.Minute
	server.smtp.ErrorLog = log.New(errorLog{s.Log}, "", 0)
	return server
}

// errorLog has what go-smtp says of itself.
type errorLog struct{ log *slog.Logger }

func (l errorLog) Write(p []byte) (int, error) {
	text := strings.TrimSpace(string(p))
	failed, notTaken := strings.CutPrefix(text, "accept error: ")
	switch {
	case strings.HasPrefix(text, "panic "):
		l.log.Error("internal error in the LMTP server", "error", text)
	case notTaken:
		l.log.Error("a connection of the mail system cannot be taken", "error", failed)
	default:
		l.log.Debug("LMTP: " + text)
	}
	return len(p), nil
}

// Serve takes connections from a listener until Shutdown. Its error is nil then.
func (s *Server) Serve(l net.Listener) error { return s.smtp.Serve(s.guard.listener(l)) }

// Open returns how many connections there are.
func (s *Server) Open() int { return s.guard.Open() }

// Shutdown takes nothing new, and waits until the mails are handled that have been handed in as a whole. When ctx ends, it has
// these end as soon as they can. Clients get an answer in each case, and what was not handled is handed in again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.guard.end()
	err := s.smtp.Shutdown(ctx)
	if ctx.Err() != nil {
		s.cancel(errEnding)
		last, stop := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
		defer stop()
		for s.guard.Open() > 0 && last.Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		err = errors.Join(err, ignore(s.smtp.Close(), smtp.ErrServerClosed))
		s.guard.cut()
	}
	s.cancel(errEnding)
	return err
}

// lastAnswers is how long mails may take to end that are told to.
const lastAnswers = 10 * time.Second

var errEnding = errors.New("the service ends")

func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// session is a connection of the mail system: one after another, it has mails.
type session struct {
	server *Server
	conn   *smtp.Conn
	from   string
	to     []recipient
}

// recipient is one of the recipients of a mail.
type recipient struct {
	said    string // as go-smtp knows it
	address string // as it can stand in an envelope
}

// Mail implements [smtp.Session].
func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	c.from = requoted(from)
	return nil
}

// Rcpt implements [smtp.Session].
func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	address := strings.ToLower(requoted(to)) // as mail systems write it for the programs
	if len(address) > mostAddress || strings.ContainsFunc(address, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return temporary([3]int{4, 1, 3}, "nothing can be handled for such an address")
	}
	c.to = append(c.to, recipient{to, address})
	return nil
}

// mostAddress is how many octets an address may have: more than any in the mail (RFC 5321 section 4.5.3.1).
const mostAddress = 900

// Reset implements [smtp.Session].
func (c *session) Reset() { c.from, c.to = "", nil }

// Logout implements [smtp.Session].
func (c *session) Logout() error { return nil }

// Data implements [smtp.Session]. It is not called.
func (c *session) Data(io.Reader) error { return temporary([3]int{4, 3, 0}, "internal error: no LMTP") }

// LMTPData implements [smtp.LMTPSession].
func (c *session) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	if _, chunks := r.(*io.PipeReader); chunks {
		// RFC 3030. Nobody has offered it: go-smtp takes what there is of a chunk for all of it when the client dies.
		return temporary([3]int{4, 5, 1}, "messages in chunks are not taken")
	}
	ended := c.conn.Conn().(*guarded).message()
	m := &Mail{From: c.from, Source: mail.NewSpool(c.server.service.Dir)}
	defer m.Source.Close()
	err := c.keep(m, r)
	ended()
	if err != nil {
		return err
	}
	return c.handle(m, status)
}

// keep keeps a message.
func (c *session) keep(m *Mail, r io.Reader) error {
	read := &reading{r: r}
	_, err := m.Source.ReadFrom(read)
	switch {
	case read.err != nil:
		c.server.service.Log.Debug("LMTP: a message has no end", "error", read.err)
		return temporary([3]int{4, 4, 2}, "the message has no end")
	case err != nil:
		c.server.service.Log.Error("a message cannot be kept while it is handled", "error", err)
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: text(err)}
	}
	return nil
}

// reading notes the error of a reader.
type reading struct {
	r   io.Reader
	err error
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// handle handles a message for all its recipients.
func (c *session) handle(m *Mail, status smtp.StatusCollector) error {
	s := c.server.service
	routes, err := s.Routes()
	if err != nil {
		return answer(fmt.Errorf("what the recipients are: %w", err))
	}
	deadline := s.Deadline
	if deadline == 0 {
		deadline = 5 * time.Minute
	}
	ctx, cancel := context.WithTimeoutCause(c.server.ctx, deadline, fmt.Errorf("not done within %v (DEADLINE)", deadline))
	defer cancel()
	kinds := map[Kind][]recipient{}
	var order []Kind
	for _, to := range c.to {
		kind, address, err := routes.Of(to.address)
		if err != nil {
			status.SetStatus(to.said, answer(err))
			continue
		}
		if kinds[kind] == nil {
			order = append(order, kind)
		}
		kinds[kind] = append(kinds[kind], recipient{to.said, address})
	}
	for _, kind := range order {
		s.call(ctx, kind, m, kinds[kind], func(said string, err error) { status.SetStatus(said, answer(err)) })
	}
	return nil
}

// call calls the handler of a kind of recipients, and sees that each has an answer.
func (s *Service) call(ctx context.Context, kind Kind, m *Mail, recipients []recipient, done func(said string, err error)) {
	answered := make([]bool, len(recipients))
	tell := func(i int, err error) {
		if answered[i] {
			return
		}
		answered[i] = true
		if err != nil {
			s.Log.Warn("not handled yet", "recipient", recipients[i].address, "as", kind.String(), "reason", err)
		}
		done(recipients[i].said, err)
	}
	var failure error
	defer func() {
		if value := recover(); value != nil {
			s.Log.Error("internal error while a message was handled", "as", kind.String(), "error", fmt.Sprint(value), "stack", string(debug.Stack()))
			failure = errInternal
		}
		for i := range recipients {
			tell(i, failure)
		}
	}()
	failure = errInternal
	addresses := make([]string, len(recipients))
	for i, to := range recipients {
		addresses[i] = to.address
	}
	s.Handlers[kind](ctx, m, addresses, tell)
}

var errInternal = errors.New("internal error")

func temporary(code [3]int, text string) error {
	return &smtp.SMTPError{Code: 451, EnhancedCode: code, Message: text}
}

// done250 is the answer to what is handled.
var done250 = &smtp.SMTPError{Code: 250, EnhancedCode: smtp.EnhancedCode{2, 0, 0}, Message: "handled"}

// answer returns what the mail system is told of a recipient, by an error of handling.
func answer(err error) error {
	if err == nil {
		return done250
	}
	if refused := deliver.Refusal(err); refused != nil {
		code, message := refused.Status()
		if _, after, found := strings.Cut(message, "> "); found && strings.HasPrefix(message, "<") {
			message = after // go-smtp writes the recipient before it
		}
		return &smtp.SMTPError{Code: refused.Code, EnhancedCode: code, Message: plain(message)}
	}
	code := smtp.EnhancedCode{4, 3, 0}
	switch {
	case errors.Is(err, stores.ErrLocked):
		return &smtp.SMTPError{Code: 451, EnhancedCode: code, Message: "the user's records are locked by another program"}
	case errors.Is(err, errEnding):
		code = smtp.EnhancedCode{4, 3, 2}
	}
	return &smtp.SMTPError{Code: 451, EnhancedCode: code, Message: text(err)}
}

// text says in one line what is wrong.
func text(err error) string { return plain(err.Error()) }

// mostText is how many octets of a text are told: a line of an answer has 512 at most (RFC 5321 section 4.5.3.1.5), with
// the recipient in it.
const mostText = 240

// plain returns text as a line of printable ASCII.
func plain(text string) string {
	text = printable.ASCII(strings.ReplaceAll(strings.TrimSpace(text), "\n", "; "))
	if len(text) > mostText {
		text = text[:mostText] + " ..."
	}
	return text
}
