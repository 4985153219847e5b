// Package milter takes the mail that users send from a mail system, by the milter protocol, to what decides about it:
// see package submission. The login of the client is the macro {auth_authen}.
//
// The protocol is go-milter's of d--j. A [Guard] keeps away from it what it does not survive.
package milter

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/d--j/go-milter"

	"imip-agent/handlers/submission"
)

// NewServer returns the server of the protocol, for mail that goes through a gate.
func NewServer(gate *submission.Gate) *milter.Server {
	const (
		unneeded = milter.OptNoHelo | milter.OptNoRcptTo | milter.OptNoData | milter.OptNoUnknown
		silent   = milter.OptNoConnReply | milter.OptNoHeaderReply | milter.OptNoBodyReply | milter.OptHeaderLeadingSpace
	)
	warnings.Store(gate.Log)
	warn()
	return milter.NewServer(
		milter.WithMilter(func() milter.Milter { return &session{gate: gate} }),
		milter.WithProtocol(unneeded|silent),
		milter.WithoutDefaultMacros(),
		milter.WithMacroRequest(milter.StageMail, []milter.MacroName{milter.MacroAuthAuthen}),
		milter.WithMacroRequest(milter.StageEOM, []milter.MacroName{milter.MacroQueueId}),
		// What a mail system does not offer is done without.
		milter.WithNegotiationCallback(func(theirs, ours uint32, offered, _ milter.OptAction, theirProtocol, ourProtocol milter.OptProtocol, size milter.DataSize) (uint32, milter.OptAction, milter.OptProtocol, milter.DataSize, error) {
			return min(theirs, ours), offered & milter.OptSetMacros, theirProtocol & ourProtocol, milter.DataSize64K, nil
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
	gate    *submission.Gate
	trusted bool                // the client is one whose mail counts
	message *submission.Message // nil: nothing of a message counts
	later   bool                // the last message that was forgotten is to be refused for now
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
	s.trusted = s.gate.Trusts(address)
	return milter.RespContinue, nil
}

// MailFrom implements [milter.Milter].
func (s *session) MailFrom(from, _ string, m milter.Modifier) (response *milter.Response, _ error) {
	defer s.survive(&response)
	s.forget()
	s.later = false
	message, verdict := s.gate.Begin(submission.Sender{Login: m.Get(milter.MacroAuthAuthen), Trusted: s.trusted, Address: from, Source: "milter"})
	s.message = message
	return s.answer(verdict), nil
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
	return s.answer(s.message.Write([]byte(name + ":" + wire.Replace(value) + "\r\n"))), nil
}

var wire = strings.NewReplacer("\r\n", "\r\n", "\n", "\r\n") // folded lines have line feeds only

// Headers implements [milter.Milter].
func (s *session) Headers(milter.Modifier) (response *milter.Response, _ error) {
	defer s.survive(&response)
	if s.message == nil {
		return s.decided(), nil
	}
	verdict := s.message.Write([]byte("\r\n"))
	if verdict == submission.More {
		verdict = s.message.Header()
	}
	return s.answer(verdict), nil // where the mail is accepted, the body need not be sent
}

// BodyChunk implements [milter.Milter].
func (s *session) BodyChunk(chunk []byte, m milter.Modifier) (response *milter.Response, _ error) {
	defer s.survive(&response)
	if s.message == nil {
		return milter.RespContinue, nil
	}
	return s.answer(s.message.Write(chunk)), nil
}

// EndOfMessage implements [milter.Milter].
func (s *session) EndOfMessage(m milter.Modifier) (response *milter.Response, _ error) {
	defer s.survive(&response)
	if s.message == nil {
		return s.decided(), nil
	}
	return s.answer(s.message.End(m.Get(milter.MacroQueueId))), nil
}

// answer says what the mail system is to do.
func (s *session) answer(verdict submission.Verdict) *milter.Response {
	if verdict == submission.More {
		return milter.RespContinue
	}
	s.forget()
	s.later = verdict == submission.Later
	return s.decided()
}

// decided says what becomes of a mail that is forgotten. The mail system does not wait for answers to the fields of the header and to pieces
// of the body, as each would cost a round trip. It hears afterwards what was decided there.
func (s *session) decided() *milter.Response {
	if s.later {
		return milter.RespTempFail
	}
	return milter.RespAccept
}

// survive accepts a message after a panic here. One where the message is taken ends there.
func (s *session) survive(response **milter.Response) {
	if value := recover(); value != nil {
		s.gate.Log.Error("internal error in the milter", "error", value, "stack", string(debug.Stack()))
		*response = s.answer(submission.Accept)
	}
}

// forget forgets the message.
func (s *session) forget() {
	if s.message != nil {
		s.message.Forget()
		s.message = nil
	}
}

// Abort implements [milter.Milter].
func (s *session) Abort(milter.Modifier) error {
	s.forget()
	return nil
}

// Cleanup implements [milter.Milter].
func (s *session) Cleanup(milter.Modifier) { s.forget() }

var _ milter.Milter = (*session)(nil)
