package serve

import (
	"context"
	"errors"
	"os"
	"sync/atomic"

	"imip-agent/cmd/internal/incoming"
	"imip-agent/cmd/internal/outgoing"
	"imip-agent/cmd/internal/person"
	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/resource"
	"imip-agent/cmd/internal/site"
	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/lmtp"
	handleroutgoing "imip-agent/handlers/outgoing"
	handlerresource "imip-agent/handlers/resource"
	"imip-agent/handlers/spool"
	"imip-agent/stores/calendar"
)

// newLMTP returns the service by LMTP: messages are handled as the programs do that mail systems pipe them to. When it has ended, stop
// gives back what it has kept.
func newLMTP(s *site.Site, env process.Environment, queue spool.Putter, observer Observer, now *atomic.Pointer[addresses]) (service *lmtp.Service, stop func(), err error) {
	if s.Config.MailboxServer != "" { // a mistake shows at once
		if _, err := deliver.LMTPServer(s.Config.MailboxServer); err != nil {
			return nil, nil, err
		}
	}
	l := &letters{site: s, env: env, queue: queue, observer: observer, large: newLarge(s, env)}
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	return &lmtp.Service{
		Routes: func() (lmtp.Routes, error) {
			return lmtp.Routes{OutgoingPrefix: s.Config.OutgoingPrefix, IsResource: now.Load().resources.Has, UsersOf: s.UsersOf()}, nil
		},
		Handlers: map[lmtp.Kind]lmtp.Handle{lmtp.Outgoing: l.outgoing, lmtp.Person: l.person, lmtp.Resource: l.resource},
		Name:     name, Deadline: s.Config.Deadline, Connections: s.Config.Connections, Log: s.Log,
	}, l.mailboxes.Close, nil
}

// letters handles mails that have been handed in by LMTP.
type letters struct {
	site  *site.Site
	env   process.Environment
	queue spool.Putter
	large *large

	sections  handlers.Sections // of those who arrive
	mailboxes deliver.Pool
	rounds    arrival.Rounds
	observer  Observer
}

// outgoing handles copies of a mail for the users who have sent it.
func (l *letters) outgoing(ctx context.Context, m *lmtp.Mail, to []string, done func(int, error)) {
	big, err := l.large.is(m.Source.Size(), m.Source.Open())
	for i, address := range to {
		switch {
		case err != nil:
			done(i, err)
		case l.site.Config.SpoolFirst:
			later := handleroutgoing.Later{Spool: l.queue, Limit: l.site.Config.MessageSizeLimit}
			_, err := later.TakeKept(m.Source, spool.Note{User: address, Source: "lmtp", Sender: m.From})
			done(i, err)
		case big:
			done(i, l.large.outgoing(ctx, address, m.Source.Open()))
		default:
			h := outgoing.New(l.site, l.env)
			observe(&h.Pipeline, l.observer)
			h.Recipient = calendar.NewURI(address)
			done(i, h.Handle(ctx, m.Source.Open()))
		}
	}
}

// person handles a mail for users.
func (l *letters) person(ctx context.Context, m *lmtp.Mail, to []string, done func(int, error)) {
	base, err := incoming.New(l.site, l.env)
	base.Sections, base.Rounds = &l.sections, &l.rounds
	observe(&base.Pipeline, l.observer)
	if err == nil && l.site.Config.MailboxServer != "" {
		if err = incoming.By(&base, l.site.Config.MailboxServer); err == nil {
			base.Mailbox.Pool = &l.mailboxes
		}
	}
	if err == nil && base.Mailbox == nil {
		err = errNoMailboxes
	}
	l.arrived(ctx, m, to, done, err, &base, person.New(l.site, base).HandleKept, person.Program.Name, "-l", l.site.Config.MailboxServer)
}

// resource handles a mail for resources.
func (l *letters) resource(ctx context.Context, m *lmtp.Mail, to []string, done func(int, error)) {
	base, err := incoming.New(l.site, l.env)
	base.Rounds, base.Listed = &l.rounds, true
	observe(&base.Pipeline, l.observer)
	if err == nil && l.site.Config.SpoolFirst {
		if to, done = l.later(m, to, done, &base); len(to) == 0 {
			return
		}
	}
	l.arrived(ctx, m, to, done, err, &base, resource.New(l.site, base).HandleKept, resource.Program.Name)
}

// later puts a mail into the spool for resources, and returns those for whom it must be handled at once, with what is to be told of them.
func (l *letters) later(m *lmtp.Mail, to []string, done func(int, error), base *arrival.Handler) (left []string, told func(int, error)) {
	later := handlerresource.Later{Spool: l.queue, Limit: l.site.Config.MessageSizeLimit, UsersOf: base.UsersOf, Log: l.site.Log}
	var places []int // of those that are left
	for i, address := range to {
		passes, err := base.Passes(address)
		if passes {
			left, places = append(left, address), append(places, i)
			continue
		}
		if err == nil {
			err = later.TakeKept(m.Source, address, spool.Note{Source: "lmtp", Sender: m.From})
		}
		done(i, err)
	}
	return left, func(i int, err error) { done(places[i], err) }
}

var errNoMailboxes = errors.New("no server of mailboxes is configured (MAILBOX_SERVER)")

// arrived handles a mail by a handler, or by a program with words of its own if it is large.
func (l *letters) arrived(ctx context.Context, m *lmtp.Mail, to []string, done func(int, error), err error, base *arrival.Handler,
	handle func(context.Context, arrival.Kept, []string, func(int, error)), program string, words ...string) {
	big := false
	if err == nil {
		big, err = l.large.is(m.Source.Size(), m.Source.Open())
	}
	kept := arrival.Kept{Source: m.Source, Sender: m.From, Unread: big}
	switch {
	case err != nil:
		for i := range to {
			done(i, err)
		}
	case big:
		for i, address := range to {
			passes, err := base.Passes(address)
			switch {
			case err != nil:
				done(i, err)
			case passes:
				handle(ctx, kept, []string{address}, func(_ int, err error) { done(i, err) })
			default:
				done(i, l.large.arrived(ctx, program, address, m, words...))
			}
		}
	default:
		handle(ctx, kept, to, done)
	}
}
