package deliver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Server is a mail server that takes mails.
type Server struct {
	LMTP    bool   // it talks LMTP, else SMTP
	Network string // "unix" or "tcp"
	Address string // the path of a socket, or HOST:PORT

	// Prefix stands with a "+" before the addresses of recipients (LOCAL_PREFIX), by which
	// the mail server knows where mail for mailboxes has to go. Empty: none.
	Prefix string

	// Name is what the client calls itself. Empty: localhost.
	Name string

	// Patience is how long the server may keep the client waiting: for a connection, for an
	// answer to a command, and for taking a piece of a mail. For the answer to a whole mail it
	// is five times as long. Zero: one minute.
	Patience time.Duration

	// Pool has the connections that senders no longer need, for others. Nil: they are closed.
	Pool *Pool

	dial func(ctx context.Context, network, address string) (net.Conn, error) // for tests
}

// LMTPServer returns the server at a place: the path of a socket, or HOST:PORT.
func LMTPServer(place string) (*Server, error) {
	if strings.Contains(place, "/") {
		return &Server{LMTP: true, Network: "unix", Address: place}, nil
	}
	host, port, err := net.SplitHostPort(place)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("the LMTP server %q is neither the path of a socket nor HOST:PORT", place)
	}
	return &Server{LMTP: true, Network: "tcp", Address: place}, nil
}

// SMTPServer returns the server at a place: HOST or HOST:PORT, the port being 25.
func SMTPServer(place string) (*Server, error) {
	host, port, err := net.SplitHostPort(place)
	if err != nil {
		host, port = strings.Trim(place, "[]"), "25"
	}
	if host == "" || port == "" || strings.ContainsAny(host, "/ ") || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return nil, fmt.Errorf("the mail server %q is neither HOST nor HOST:PORT", place)
	}
	return &Server{Network: "tcp", Address: net.JoinHostPort(host, port)}, nil
}

func (s *Server) String() string {
	if s.LMTP {
		return "LMTP server " + s.Address
	}
	return "mail server " + s.Address
}

func (s *Server) patience() time.Duration {
	if s.Patience == 0 {
		return time.Minute
	}
	return s.Patience
}

// RefusedError says that a server has refused a mail for a recipient.
type RefusedError struct {
	Server    string
	Recipient string
	Code      int    // of the server's answer: 400 to 599
	Text      string // what else the server says, in one line
	Mailbox   bool   // it is the server of the mailboxes
	Unasked   bool   // no server was asked
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the %s refuses the mail for %s: %d %s", e.Server, e.Recipient, e.Code, e.Text)
}

// ForGood reports whether it is of no use to try again.
func (e *RefusedError) ForGood() bool { return e.Code >= 500 }

// Status returns the enhanced code of the server's answer (RFC 3463), and the text after it. Without one it is that of the
// class of the code, such as 5.0.0.
func (e *RefusedError) Status() (enhanced [3]int, text string) {
	word, rest, _ := strings.Cut(e.Text, " ")
	numbers := strings.Split(word, ".")
	if len(numbers) != len(enhanced) || numbers[0] != strconv.Itoa(e.Code/100) {
		return [3]int{e.Code / 100, 0, 0}, e.Text
	}
	for i, number := range numbers {
		n, err := strconv.ParseUint(number, 10, 10)
		if err != nil {
			return [3]int{e.Code / 100, 0, 0}, e.Text
		}
		enhanced[i] = int(n)
	}
	return enhanced, rest
}

// Refusal returns the answer of the server of the mailboxes, if that is all that there is in an error; of several, one that
// lets try again. Else it returns nil.
func Refusal(err error) *RefusedError {
	switch e := err.(type) {
	case *RefusedError:
		if e.Mailbox && !e.Unasked {
			return e
		}
	case interface{ Unwrap() error }:
		return Refusal(e.Unwrap())
	case interface{ Unwrap() []error }:
		var found *RefusedError
		for _, err := range e.Unwrap() {
			one := Refusal(err)
			if one == nil {
				return nil
			}
			if found == nil || found.ForGood() {
				found = one
			}
		}
		return found
	}
	return nil
}

// refused makes an error of the client one of this package. What is no answer about the mail is
// temporary, whatever it is.
func (s *Server) refused(recipient string, err error) error {
	var answer *smtp.SMTPError
	if !errors.As(err, &answer) {
		return fmt.Errorf("%s: %w", s, err)
	}
	text := strings.Join(strings.Fields(answer.Message), " ")
	if code := answer.EnhancedCode; code[0] > 0 {
		text = fmt.Sprintf("%d.%d.%d %s", code[0], code[1], code[2], text)
	}
	code := answer.Code
	if code == 421 || code < 400 || code > 599 {
		return fmt.Errorf("%s: %d %s", s, code, text)
	}
	return &RefusedError{Server: s.String(), Recipient: recipient, Code: code, Text: text, Mailbox: s.LMTP || s.Prefix != ""}
}

// Connection is a connection to a server. It is not for use by several at once.
type Connection struct {
	server *Server
	client *smtp.Client
	conn   *watched
	used   bool // a mail has been begun
	broken bool // nothing more can be sent
	mails  int  // that have been begun
	talk   *dialogue
	leave  func() bool
}

// Connect connects to the server. When ctx ends, the connection is closed, but an answer to a
// whole mail is waited for a little while longer. An error is temporary: it is about no mail.
func (s *Server) Connect(ctx context.Context) (*Connection, error) {
	dial := s.dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: s.patience()}).DialContext
	}
	raw, err := dial(ctx, s.Network, s.Address)
	if err != nil {
		return nil, fmt.Errorf("connect to the %s: %w", s, err)
	}
	c := &Connection{server: s, conn: &watched{Conn: raw, patience: s.patience()}}
	if s.LMTP {
		c.client = smtp.NewClientLMTP(c.conn)
	} else {
		c.client = smtp.NewClient(c.conn)
	}
	c.client.CommandTimeout, c.client.SubmissionTimeout = s.patience(), 5*s.patience()
	c.leave = context.AfterFunc(ctx, c.conn.interrupt)
	if err := c.hello(); err != nil {
		c.close()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connect to the %s: %w", s, context.Cause(ctx))
		}
		// As text: an answer that refuses us is not about a mail.
		return nil, fmt.Errorf("connect to the %s: %v", s, err)
	}
	return c, nil
}

func (c *Connection) hello() error {
	name := c.server.Name
	if name == "" {
		name = "localhost"
	}
	return c.client.Hello(name)
}

// Send hands over a mail, read from r, from an envelope sender (empty: the null sender) to
// recipients, each named once. It returns an error for each of them, nil for those for whom the
// server has taken the mail: a [RefusedError], or one that is temporary. Line feeds alone
// become CRLF, and the last line has an end; else the mail comes out as it is.
func (c *Connection) Send(ctx context.Context, from string, to []string, r io.Reader) []error {
	results := make([]error, len(to))
	m := c.letter(r)
	defer m.done()
	open, err := c.begin(from, to, results, m)
	if err == nil && len(open) > 0 {
		err = c.data(to, open, results, m)
	}
	if err == nil {
		return results
	}
	if ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	for _, i := range open {
		if results[i] == nil {
			results[i] = c.server.refused(to[i], err)
		}
	}
	return results
}

// ready makes the connection ready for a mail. If it fails, no mail has been begun.
func (c *Connection) ready() error {
	if c.broken {
		return errBroken
	}
	if !c.used {
		return nil
	}
	if err := c.dialogue().command("RSET", 250); err != nil {
		c.broken = true
		return err
	}
	c.used = false
	return nil
}

var errBroken = errors.New("the connection is broken")

// begin says from whom and to whom a mail is, and returns which recipients the server takes it
// for. With an error, these are all that have no result. Where the server takes commands without waiting for answers, it may
// say that the mail comes, too: see [letter.data].
func (c *Connection) begin(from string, to []string, results []error, m *letter) (open []int, err error) {
	if !isPath(from) {
		from = "" // a broken Return-Path: there is nobody to be told
	}
	wide := !isASCII(from)
	for i, address := range to {
		if address == "" || !isPath(address) {
			results[i] = &RefusedError{Server: c.server.String(), Recipient: address, Code: 553, Text: "no server accepts such an address", Unasked: true}
			continue
		}
		open = append(open, i)
		wide = wide || !isASCII(address)
	}
	if len(open) == 0 {
		return nil, nil
	}
	if err := c.ready(); err != nil {
		return open, err
	}
	c.used = true
	c.mails++
	offered, _ := c.client.Extension("SMTPUTF8")
	if pipelining, _ := c.client.Extension("PIPELINING"); pipelining {
		return c.beginAtOnce(from, wide && offered, to, open, results, m)
	}
	if err := c.client.Mail(from, &smtp.MailOptions{UTF8: wide && offered}); err != nil {
		return open, c.failed(err)
	}
	tried := open
	open = nil
	for n, i := range tried {
		err := c.client.Rcpt(c.server.recipient(to[i]), nil)
		if err == nil {
			open = append(open, i)
			continue
		}
		if c.failed(err); c.broken {
			return append(open, tried[n:]...), err
		}
		results[i] = c.server.refused(to[i], err)
	}
	return open, nil
}

var errNoAnswer = errors.New("no answer to the mail")

// failed notes whether the connection can be used any more after an error.
func (c *Connection) failed(err error) error {
	if err == nil {
		return nil
	}
	var answer *smtp.SMTPError
	if !errors.As(err, &answer) || answer.Code == 421 { // RFC 5321 section 3.8
		c.broken = true
	}
	return err
}

// Close says good-bye to the server. What was taken stays taken, whatever becomes of that.
func (c *Connection) Close() {
	if !c.broken {
		c.client.CommandTimeout = min(c.client.CommandTimeout, quitTime)
		_ = c.client.Quit() // all mails have had their answers
	}
	c.close()
}

// quitTime is how long the answer to the good-bye is waited for.
const quitTime = 2 * time.Second

func (c *Connection) close() {
	c.leave()
	c.conn.Close()
}

// recipient returns the address by which the server knows a recipient: "local+a+x@d" for "a+x@d".
func (s *Server) recipient(address string) string {
	switch {
	case s.Prefix == "":
		return address
	case strings.HasPrefix(address, `"`):
		return `"` + s.Prefix + "+" + address[1:]
	}
	// DEVIATION: extensions-of-addresses. The original leaves out the user.
	return s.Prefix + "+" + address
}

// isPath reports whether an address can stand between the angle brackets of an envelope. The
// null sender can.
func isPath(address string) bool {
	quoted := false
	for i := 0; i < len(address); i++ {
		switch c := address[i]; {
		case c < ' ' || c == 0x7f:
			return false
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
			if i == len(address) || address[i] < ' ' || address[i] == 0x7f {
				return false
			}
		case !quoted && (c == ' ' || c == '<' || c == '>'):
			return false
		}
	}
	return !quoted && len(address) <= maxPath
}

// maxPath is how long an address can be (RFC 5321 section 4.5.3.1.3), with room for a prefix;
// servers' own limits are below.
const maxPath = 1000

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}

// watched is a connection that is closed if a write takes too long; go-smtp looks after
// answers, but not after the mail itself.
type watched struct {
	net.Conn
	patience time.Duration

	mu     sync.Mutex
	asked  bool // an answer to a whole mail is waited for
	ending bool // its time is over
}

// Write implements [net.Conn].
func (w *watched) Write(p []byte) (int, error) {
	over := time.AfterFunc(w.patience, func() { w.Conn.Close() })
	n, err := w.Conn.Write(p)
	if !over.Stop() && err != nil {
		err = fmt.Errorf("nothing was taken for %v: %w", w.patience, err)
	}
	return n, err
}

// lastAnswer is how long an answer to a whole mail is waited for when the time is over: without it,
// nobody knows whether the mail was taken.
const lastAnswer = 5 * time.Second

// interrupt ends the connection, as soon as it can be.
func (w *watched) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ending = true
	if !w.asked {
		w.Conn.Close()
		return
	}
	time.AfterFunc(lastAnswer, func() { w.Conn.Close() })
}

// answering notes whether an answer to a whole mail is waited for.
func (w *watched) answering(begins bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = begins
	if w.ending && !begins {
		w.Conn.Close()
	}
}
