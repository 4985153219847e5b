package serve

import (
	"context"
	"fmt"
	"io"
	"strings"

	"imip-agent/cmd/internal/incoming"
	"imip-agent/cmd/internal/outgoing"
	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/resource"
	"imip-agent/cmd/internal/site"
	"imip-agent/handlers/lmtp"
	"imip-agent/handlers/mail"
	"imip-agent/handlers/spool"
)

// large has messages handled with so much calendar data that a process could run out of memory: in a process of their own, by
// the program that mail systems pipe messages to. It would end alone.
type large struct {
	site *site.Site
	env  process.Environment
	room chan struct{} // has a place for each such process
}

const (
	// largeSize is how much calendar data a message has, in octets, that is handled so: the whole message, where it is piped.
	largeSize = 1 << 20
	// largeAtOnce is how many there are at once.
	largeAtOnce = 2
)

func newLarge(s *site.Site, env process.Environment) *large {
	return &large{site: s, env: env, room: make(chan struct{}, largeAtOnce)}
}

// is reports whether a message of so many octets is to be handled so.
func (l *large) is(size int64, message io.Reader) (bool, error) {
	if size <= largeSize || l.site.Config.OutgoingPrefix == "" { // without a prefix, no program can be told whose a copy is
		return false, nil
	}
	m, err := mail.Read(message, largeSize, nil)
	if err != nil {
		return false, err
	}
	return len(m.Unread) > 0 && !m.Bounce, nil
}

// outgoing handles a copy of a message for the user who has sent it; empty: that is not known.
func (l *large) outgoing(ctx context.Context, user string, message io.Reader) error {
	words := l.site.Words()
	if user != "" {
		words = append(words, "-o", l.site.Config.OutgoingPrefix+"+"+user)
	}
	_, err := l.run(ctx, outgoing.Program.Name, words, message)
	return err
}

// spooled handles a message of the spool.
func (l *large) spooled(ctx context.Context, m *spool.Message) error {
	if m.Recipient == "" {
		return l.outgoing(ctx, m.User, m)
	}
	_, err := l.run(ctx, resource.Program.Name, append(l.site.Words(), "-o", m.Recipient), m)
	return err
}

// arrived handles a message for a recipient by one of the programs, with words of its own.
func (l *large) arrived(ctx context.Context, program, recipient string, m *lmtp.Mail, words ...string) error {
	words = append(append(l.site.Words(), "-o", recipient), words...)
	path := strings.NewReader("Return-Path: <" + m.From + ">\r\n") // as mail systems say it to such programs
	answer, err := l.run(ctx, program, words, io.MultiReader(path, m.Source.Open()))
	if refused := incoming.Answer(answer); err != nil && refused != nil {
		return refused
	}
	return err
}

// run runs a program.
func (l *large) run(ctx context.Context, program string, words []string, message io.Reader) ([]byte, error) {
	select {
	case l.room <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-l.room }()
	l.site.Log.Info("a message is handled in a process of its own", "program", program)
	answer, err := process.Child(ctx, l.env, program, words, message)
	if err != nil {
		err = fmt.Errorf("%s: %w", program, err)
	}
	return answer, err
}
