package mta

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// delivery is one message that the sink took.
type delivery struct {
	from string
	to   []string
	data []byte
}

// sink is the mail server of everybody's recipients. It refuses recipients whose
// address begins with "refused", and twice puts off those that begin with "later".
type sink struct {
	host, port string

	mu    sync.Mutex
	taken []delivery
	later map[string]int // how often it has put a recipient off
}

// newSink starts a sink on 127.0.0.2, an address that no mail system here takes for
// its own.
func newSink(t *testing.T) *sink {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{later: map[string]int{}}
	s.host, s.port, _ = net.SplitHostPort(listener.Addr().String())
	s.serve(t, listener, false)
	return s
}

// lmtp has the sink take mail by LMTP, too, and returns where.
func (s *sink) lmtp(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	s.serve(t, listener, true)
	return listener.Addr().String()
}

func (s *sink) serve(t *testing.T, listener net.Listener, lmtp bool) {
	server := smtp.NewServer(s)
	server.LMTP = lmtp
	server.Domain = "sink.example.org"
	server.MaxMessageBytes = 64 << 20
	server.MaxRecipients = 200
	server.ReadTimeout, server.WriteTimeout = time.Minute, time.Minute
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		listener.Close() // the server does not know it before it has begun to serve
		<-done
	})
}

// NewSession is called by go-smtp for each connection.
func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &session{sink: s}, nil
}

// all returns what has been taken so far.
func (s *sink) all() []delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

// to returns what has been taken for one recipient.
func (s *sink) to(address string) []delivery {
	var found []delivery
	for _, d := range s.all() {
		if slices.ContainsFunc(d.to, func(to string) bool { return strings.EqualFold(to, address) }) {
			found = append(found, d)
		}
	}
	return found
}

type session struct {
	sink *sink
	delivery
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.delivery = delivery{from: from}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "refused") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	}
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	if strings.HasPrefix(to, "later") && s.sink.later[to] < 2 {
		s.sink.later[to]++
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "try again later"}
	}
	s.delivery.to = append(s.delivery.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.data = data
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.sink.taken = append(s.sink.taken, s.delivery)
	return nil
}

func (s *session) Reset()        { s.delivery = delivery{} }
func (s *session) Logout() error { return nil }
