// Package mailbox is a mail server for tests, for users' mailboxes by LMTP or for everybody else by SMTP. It
// keeps what it takes, and refuses what it is told to.
package mailbox

import (
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Mail is a mail that was taken.
type Mail struct {
	From, To string // of the envelope
	Text     string
}

// Server is a server that runs.
type Server struct {
	Place string // the path of the socket, or HOST:PORT

	server *smtp.Server
	listen net.Listener
	done   chan struct{}
	dir    string

	mu      sync.Mutex
	open    int // sessions
	taken   []Mail
	refused map[string]int // codes, by recipient, "*" being all
}

// LMTP starts a server at the path of a socket.
func LMTP(socket string) (*Server, error) { return start(true, "unix", socket) }

// SMTP starts a server on this machine.
func SMTP() (*Server, error) { return start(false, "tcp", "127.0.0.1:0") }

// SMTPAt starts a server at HOST:PORT.
func SMTPAt(place string) (*Server, error) { return start(false, "tcp", place) }

func start(lmtp bool, network, place string) (*Server, error) {
	l, err := net.Listen(network, place)
	if err != nil {
		return nil, err
	}
	if network == "unix" { // also for who runs without rights
		if err := os.Chmod(place, 0o777); err != nil {
			return nil, err
		}
	}
	s := &Server{Place: l.Addr().String(), listen: l, done: make(chan struct{}), refused: map[string]int{}}
	s.server = smtp.NewServer(s)
	s.server.LMTP, s.server.Domain = lmtp, "mailbox.example.com"
	s.server.EnableSMTPUTF8, s.server.MaxLineLength = true, 1<<20
	s.server.ErrorLog = log.New(io.Discard, "", 0) // of clients that are killed, and the like
	go func() { s.server.Serve(l); close(s.done) }()
	return s, nil
}

// KeepIn also writes each mail that is taken to a file in a directory, named by its number from 1; before the mail, there
// are two lines with the envelope.
func (s *Server) KeepIn(dir string) { s.dir = dir }

// Close ends the server.
func (s *Server) Close() {
	s.server.Close()
	s.listen.Close() // the server does not know it before it has begun to serve
	<-s.done
}

// Taken returns what was taken so far.
func (s *Server) Taken() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

// Forget forgets what was taken.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = nil
}

// Refuse has the server refuse mails for a recipient ("*": all) with that code; 0: take them again.
func (s *Server) Refuse(recipient string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[recipient] = code
	if code == 0 {
		delete(s.refused, recipient)
	}
}

// NewSession implements [smtp.Backend].
func (s *Server) NewSession(*smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	return &session{server: s}, nil
}

// Settle waits until there are no more sessions: until all is taken that clients have sent who are gone.
func (s *Server) Settle() {
	for {
		s.mu.Lock()
		open := s.open
		s.mu.Unlock()
		if open == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

type session struct {
	server *Server
	from   string
	to     []string
}

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	c.from = from
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	for _, who := range []string{"*", to} {
		if code := c.server.refused[who]; code != 0 {
			return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 2, 2}, Message: "refused for this test"}
		}
	}
	c.to = append(c.to, to)
	return nil
}

// Data implements [smtp.Session].
func (c *session) Data(r io.Reader) error { return c.take(r) }

// LMTPData implements [smtp.LMTPSession].
func (c *session) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	if err := c.take(r); err != nil {
		return err
	}
	for _, to := range c.to {
		status.SetStatus(to, nil)
	}
	return nil
}

func (c *session) take(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	for _, to := range c.to {
		c.server.taken = append(c.server.taken, Mail{c.from, to, string(text)})
		if c.server.dir != "" {
			name := filepath.Join(c.server.dir, strconv.Itoa(len(c.server.taken)))
			kept := "MAIL FROM:<" + c.from + ">\nRCPT TO:<" + to + ">\n" + strings.ReplaceAll(string(text), "\r\n", "\n")
			if err := os.WriteFile(name, []byte(kept), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *session) Reset() { c.from, c.to = "", nil }

// Logout implements [smtp.Session].
func (c *session) Logout() error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.open--
	return nil
}
