// Package submission decides about mail that users send, while a mail system takes it: whether it counts, whose it is,
// and whether the mail system may accept it. It changes no mail and refuses none, unless it is told to.
//
// A mail counts if the mail system says who sent it: the login of the client. Mail of others is not looked at; neither
// is mail whose header says that there is no calendar in it. A message with calendar parts is put into a spool,
// and on disk, before the mail system hears that the mail is accepted. The rest is the spool's: see package spool.
//
// It knows no protocol. What mail systems say is read by packages milter and opensmtpd.
package submission

import (
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync/atomic"

	"imip-agent/handlers/mail"
	"imip-agent/handlers/spool"
)

// Taker takes a message that is to be handled later, if there is something in it to be handled. When it returns without an
// error, the message is on disk.
type Taker interface {
	TakeKept(kept *mail.Spool, note spool.Note) (bool, error)
}

// Gate is what mail of users goes through. Several mails can do so at once.
type Gate struct {
	Taker Taker
	// User returns the address of who has logged in under a name; empty: nobody whose calendar is here. An error is
	// temporary.
	User func(login string) (string, error)
	// Trusted reports whether mail of a host counts though nobody has logged in: whose it is, From says. Nil: of none.
	Trusted func(net.IP) bool
	// Refuse has the mail system try again later what cannot be put into the spool. Else such mail is accepted, and
	// the calendar does not know of it.
	Refuse bool
	Most   int64  // octets of a message; one that is larger is accepted without being looked at; 0: any number
	Dir    string // for messages that are too large to be held in memory
	Log    *slog.Logger

	lost atomic.Int64
}

// Lost returns how many messages were accepted that could not be put into the spool.
func (g *Gate) Lost() int64 { return g.lost.Load() }

// Trusts reports whether mail of a host counts though nobody has logged in. Text that is no address is no such host.
func (g *Gate) Trusts(address string) bool {
	ip := net.ParseIP(address)
	return g.Trusted != nil && ip != nil && g.Trusted(ip)
}

// Verdict is what a mail system is to do with a mail.
type Verdict int

// The verdicts.
const (
	More   Verdict = iota // go on with it, and hand in what follows
	Accept                // accept it; what follows is of no interest
	Later                 // refuse it for now
)

// Sender is what a mail system says of a mail before there is any of it.
type Sender struct {
	Login   string // of the client; empty: nobody has logged in
	Trusted bool   // the client is a host that [Gate.Trusts]
	Address string // of the envelope
	Source  string // which part of the service takes the mail
}

// Message is a mail on its way. It is to be forgotten after its verdict, whatever that is.
type Message struct {
	gate *Gate
	note spool.Note
	kept *mail.Spool // nil: forgotten
}

// Begin begins a mail. There is no message unless the verdict is [More].
func (g *Gate) Begin(sender Sender) (m *Message, verdict Verdict) {
	m = &Message{gate: g, note: spool.Note{Source: sender.Source, Sender: sender.Address}}
	defer func() {
		if verdict != More {
			m = nil
		}
	}()
	defer m.survive(&verdict)
	if sender.Login != "" {
		var err error
		if m.note.User, err = g.User(sender.Login); err != nil {
			return m, m.lost(fmt.Errorf("whose mail it is: %w", err))
		}
		if m.note.User == "" {
			g.Log.Debug("mail of somebody whose calendar is not here", "login", sender.Login)
		}
	}
	if m.note.User == "" && !sender.Trusted {
		return m, Accept
	}
	m.kept = mail.NewSpool(g.Dir)
	return m, More
}

// Write adds to the message. Its line breaks are CRLF.
func (m *Message) Write(p []byte) (verdict Verdict) {
	defer m.survive(&verdict)
	if m.gate.Most > 0 && m.kept.Size()+int64(len(p)) > m.gate.Most {
		m.gate.Log.Warn("a message is too large to be looked at: the calendar does not know of it", "user", m.note.User, "limit", m.gate.Most)
		m.gate.lost.Add(1)
		m.Forget()
		return Accept
	}
	if _, err := m.kept.Write(p); err != nil {
		return m.lost(err)
	}
	return More
}

// Header says that the header is written, with the line that ends it. A message without a calendar is accepted now.
func (m *Message) Header() (verdict Verdict) {
	defer m.survive(&verdict)
	fields, err := mail.ReadFields(m.kept.Open())
	if err != nil {
		return m.lost(err)
	}
	if !fields.MayHoldCalendar() {
		m.Forget()
		return Accept
	}
	return More
}

// End puts the message into the spool, if there is something in it to be handled. Name is the mail system's name for
// the mail.
func (m *Message) End(name string) (verdict Verdict) {
	defer m.survive(&verdict)
	m.note.Mail = name
	if _, err := m.gate.Taker.TakeKept(m.kept, m.note); err != nil {
		return m.lost(err)
	}
	m.Forget()
	return Accept
}

// Forget forgets the message.
func (m *Message) Forget() {
	if m.kept != nil {
		m.kept.Close()
		m.kept = nil
	}
}

// lost ends a message that could not be put into the spool.
func (m *Message) lost(err error) Verdict {
	m.Forget()
	log := m.gate.Log.With("user", m.note.User, "mail", m.note.Mail, "error", err)
	if m.gate.Refuse {
		log.Error("a message cannot be taken, and is temporarily refused")
		return Later
	}
	m.gate.lost.Add(1)
	log.Error("a message cannot be taken: it is accepted, and the calendar does not know of it")
	return Accept
}

// survive ends a message with which there was a panic.
func (m *Message) survive(verdict *Verdict) {
	if value := recover(); value != nil {
		m.gate.Log.Error("internal error while a mail was taken", "stack", string(debug.Stack()))
		*verdict = m.lost(fmt.Errorf("internal error: %v", value))
	}
}
