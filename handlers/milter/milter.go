// Package milter takes the scheduling messages that users send from a mail system, by the milter protocol. It
// changes no mail and refuses none, unless it is told to.
//
// A mail counts if the mail system says who sent it: by the macro {auth_authen}, the login of the client. Mail of
// others is not looked at; neither is mail whose header says that there is no calendar in it. A message with calendar
// parts is put into a spool, and on disk, before the mail system hears that the mail is accepted. The rest is the
// spool's: see package spool.
//
// The protocol is go-milter's of d--j. A [Guard] keeps away from it what it does not survive.
package milter

import (
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/d--j/go-milter"

	"imip-agent/handlers/mail"
	"imip-agent/handlers/spool"
)

// Taker takes a message that is to be handled later, if there is something in it to be handled. When it returns without an
// error, the message is on disk.
type Taker interface {
	TakeKept(kept *mail.Spool, note spool.Note) (bool, error)
}

// Filter is the milter.
type Filter struct {
	Taker Taker
	// User returns the address of who has logged in under a name; empty: nobody whose calendar is here. An error is
	// temporary.
	User func(login string) (string, error)
	// Trusted reports whether mail of a host counts though nobody has logged in: whose it is, From says. Nil: of none.
	Trusted func(net.IP) bool
	// Refuse has the mail system try again later what cannot be put into the spool. Else such mail is accepted, and
	// the calendar does not know of it.
	Refuse bool
	Most   int64  // octets of a message; one that is larger is accepted without being looked at
	Dir    string // for messages that are too large to be held in memory
	Log    *slog.Logger

	lost atomic.Int64
}

// Lost returns how many messages were accepted that could not be put into the spool.
func (f *Filter) Lost() int64 { return f.lost.Load() }

// NewServer returns the server of the protocol.
func (f *Filter) NewServer() *milter.Server {
	const (
		unneeded = milter.OptNoHelo | milter.OptNoRcptTo | milter.OptNoData | milter.OptNoUnknown
		silent   = milter.OptNoHeaderReply | milter.OptHeaderLeadingSpace
	)
	warnings.Store(f.Log)
	warn()
	return milter.NewServer(
		milter.WithMilter(func() milter.Milter { return &session{filter: f} }),
		milter.WithProtocol(unneeded|silent),
		milter.WithoutDefaultMacros(),
		milter.WithMacroRequest(milter.StageMail, []milter.MacroName{milter.MacroAuthAuthen}),
		milter.WithMacroRequest(milter.StageEOM, []milter.MacroName{milter.MacroQueueId}),
		// What a mail system does not offer is done without.
		milter.WithNegotiationCallback(func(theirs, ours uint32, _, _ milter.OptAction, theirProtocol, ourProtocol milter.OptProtocol, size milter.DataSize) (uint32, milter.OptAction, milter.OptProtocol, milter.DataSize, error) {
			actions := milter.OptAction(0)
			if theirs >= 6 {
				actions = milter.OptSetMacros
			}
			return min(theirs, ours), actions, theirProtocol & ourProtocol, milter.DataSize64K, nil
		}),
	)
}

// warnings is where go-milter's warnings go, which has one place for all: that of the latest server.
var warnings atomic.Pointer[slog.Logger]

var warn = sync.OnceFunc(func() {
	milter.LogWarning = func(format string, words ...any) { warnings.Load().Debug("milter: " + fmt.Sprintf(format, words...)) }
})

// session is a connection of the mail system: one after another, it has clients' connections, and their mails.
type session struct {
	milter.NoOpMilter
	filter  *Filter
	trusted bool // the client is one whose mail counts
	note    spool.Note
	fields  mail.Fields
	message *mail.Spool // nil: nothing of a message counts
}

// NewConnection implements [milter.Milter].
func (s *session) NewConnection(milter.Modifier) error {
	s.forget()
	s.trusted = false
	return nil
}

// Connect implements [milter.Milter].
func (s *session) Connect(_, _ string, _ uint16, address string, _ milter.Modifier) (*milter.Response, error) {
	s.forget()
	ip := net.ParseIP(address)
	s.trusted = s.filter.Trusted != nil && ip != nil && s.filter.Trusted(ip)
	return milter.RespContinue, nil
}

// MailFrom implements [milter.Milter].
func (s *session) MailFrom(from, _ string, m milter.Modifier) (response *milter.Response, _ error) {
	defer s.survive(&response)
	s.forget()
	user := ""
	if login := m.Get(milter.MacroAuthAuthen); login != "" {
		var err error
		if user, err = s.filter.User(login); err != nil {
			return s.lost(fmt.Errorf("whose mail it is: %w", err)), nil
		}
		if user == "" {
			s.filter.Log.Debug("mail of somebody whose calendar is not here", "login", login)
		}
	}
	if user == "" && !s.trusted {
		return milter.RespAccept, nil
	}
	s.note = spool.Note{User: user, Source: "milter", Sender: from}
	s.message = mail.NewSpool(s.filter.Dir)
	return milter.RespContinue, nil
}

// Header implements [milter.Milter].
func (s *session) Header(name, value string, m milter.Modifier) (response *milter.Response, _ error) {
	defer s.survive(&response)
	if s.message == nil {
		return milter.RespContinue, nil
	}
	if m.Protocol()&milter.OptHeaderLeadingSpace == 0 {
		value = " " + value
	}
	if strings.EqualFold(name, "Content-Type") {
		s.fields = append(s.fields, mail.Field{Name: name, Lines: [][]byte{[]byte(name + ":" + unfolded.Replace(value))}})
	}
	line := name + ":" + wire.Replace(value) + "\r\n"
	return s.add([]byte(line)), nil
}

var (
	unfolded = strings.NewReplacer("\r", "", "\n", "")
	wire     = strings.NewReplacer("\r\n", "\r\n", "\n", "\r\n") // folded lines have line feeds only
)

// Headers implements [milter.Milter].
func (s *session) Headers(milter.Modifier) (response *milter.Response, _ error) {
	defer s.survive(&response)
	if s.message == nil {
		return milter.RespContinue, nil
	}
	if !s.fields.MayHoldCalendar() {
		s.forget()
		return milter.RespAccept, nil // the body need not be sent
	}
	return s.add([]byte("\r\n")), nil
}

// BodyChunk implements [milter.Milter].
func (s *session) BodyChunk(chunk []byte, m milter.Modifier) (response *milter.Response, _ error) {
	defer s.survive(&response)
	if s.message == nil {
		if m.Protocol()&milter.OptSkip != 0 {
			return milter.RespSkip, nil
		}
		return milter.RespContinue, nil
	}
	return s.add(chunk), nil
}

// add adds to the message.
func (s *session) add(p []byte) *milter.Response {
	if s.filter.Most > 0 && s.message.Size()+int64(len(p)) > s.filter.Most {
		s.filter.Log.Warn("a message is too large to be looked at: the calendar does not know of it", "user", s.note.User, "limit", s.filter.Most)
		s.filter.lost.Add(1)
		s.forget()
		return milter.RespAccept
	}
	if _, err := s.message.Write(p); err != nil {
		return s.lost(err)
	}
	return milter.RespContinue
}

// EndOfMessage implements [milter.Milter].
func (s *session) EndOfMessage(m milter.Modifier) (response *milter.Response, _ error) {
	defer s.survive(&response)
	if s.message == nil {
		return milter.RespAccept, nil
	}
	s.note.Mail = m.Get(milter.MacroQueueId)
	if _, err := s.filter.Taker.TakeKept(s.message, s.note); err != nil {
		return s.lost(err), nil
	}
	s.forget()
	return milter.RespAccept, nil
}

// lost ends a message that could not be put into the spool.
func (s *session) lost(err error) *milter.Response {
	note := s.note
	s.forget()
	log := s.filter.Log.With("user", note.User, "mail", note.Mail, "error", err)
	if s.filter.Refuse {
		log.Error("a message cannot be taken, and is temporarily refused")
		return milter.RespTempFail
	}
	s.filter.lost.Add(1)
	log.Error("a message cannot be taken: it is accepted, and the calendar does not know of it")
	return milter.RespAccept
}

// survive ends a message with which there was a panic.
func (s *session) survive(response **milter.Response) {
	if value := recover(); value != nil {
		s.filter.Log.Error("internal error in the milter", "stack", string(debug.Stack()))
		*response = s.lost(fmt.Errorf("internal error: %v", value))
	}
}

// forget forgets the message.
func (s *session) forget() {
	if s.message != nil {
		s.message.Close()
	}
	s.message, s.fields, s.note = nil, nil, spool.Note{}
}

// Abort implements [milter.Milter].
func (s *session) Abort(milter.Modifier) error {
	s.forget()
	return nil
}

// Cleanup implements [milter.Milter].
func (s *session) Cleanup(milter.Modifier) { s.forget() }

var _ milter.Milter = (*session)(nil)
