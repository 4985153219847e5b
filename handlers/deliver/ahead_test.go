package deliver

import (
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// A connection is made ahead once for all mails, and used for them.
func TestAhead(t *testing.T) {
	h := newHost(t, false, nil)
	h.Pool = nil
	s := &Sender{Mailbox: h.Server}
	mails := []Mail{toMailbox("a@example.com", "x"), toMailbox("b@example.com", "x"), toOther("c@example.com", "x")}
	for range 2 {
		s.Ahead(t.Context(), mails)
		<-s.mailbox.ahead.made
		h.want(t, 1, 1)
	}
	if s.others.ahead != nil {
		t.Error("there is a connection to no server")
	}
	for _, text := range []string{"one", "two"} {
		if err := s.Hand(t.Context(), mails[0].Envelope, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		s.Ahead(t.Context(), mails)
	}
	h.want(t, 1, 1, "one", "two")
	s.Close()
	h.settle(t, 0)
}

// A connection that nobody needs in the end is given back.
func TestAheadUnneeded(t *testing.T) {
	for _, pool := range []*Pool{nil, new(Pool)} {
		h := newHost(t, false, nil)
		h.Pool = pool
		s := &Sender{Mailbox: h.Server}
		s.Ahead(t.Context(), []Mail{toMailbox("a@example.com", "x")})
		made := s.mailbox.ahead.made
		s.Close()
		<-made
		if pool != nil {
			pool.Close()
		}
		h.settle(t, 0)
		h.want(t, 1, 0)
	}
}

// Of a connection that has waited for long, the server is asked whether it is still there.
func TestAheadOld(t *testing.T) {
	h := newHost(t, false, nil)
	h.Pool = nil
	s := &Sender{Mailbox: h.Server}
	defer s.Close()
	s.Ahead(t.Context(), []Mail{toMailbox("a@example.com", "x")})
	a := s.mailbox.ahead
	<-a.made
	a.old.Store(true)
	a.connection.conn.Conn.Close()
	<-h.gone
	if err := s.Hand(t.Context(), Envelope{Mailbox: true, To: "a@example.com"}, strings.NewReader("one")); err != nil {
		t.Fatal(err)
	}
	h.want(t, 2, 1, "one")
}

// What keeps a connection from being made is told when a mail needs it, and no mail is lost by that.
func TestAheadDown(t *testing.T) {
	server, err := LMTPServer(filepath.Join(t.TempDir(), "lmtp"))
	if err != nil {
		t.Fatal(err)
	}
	s := &Sender{Mailbox: server}
	defer s.Close()
	s.Ahead(t.Context(), []Mail{toMailbox("a@example.com", "x")})
	err = s.Hand(t.Context(), Envelope{Mailbox: true, To: "a@example.com"}, strings.NewReader("one"))
	var refused *RefusedError
	var down *net.OpError
	if !errors.As(err, &down) || errors.As(err, &refused) {
		t.Errorf("error %v", err)
	}
}
