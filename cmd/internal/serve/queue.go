// Package serve is the service imip-agent serve, without its process, and what commands for it share.
package serve

import (
	"context"
	"errors"

	"imip-agent/cmd/internal/incoming"
	"imip-agent/cmd/internal/outgoing"
	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/resource"
	"imip-agent/cmd/internal/site"
	"imip-agent/handlers"
	"imip-agent/handlers/spool"
	"imip-agent/stores"
)

// Spool returns the spool of a site.
func Spool(s *site.Site, env process.Environment) *spool.Dir {
	return &spool.Dir{Path: s.Config.Spool(), Now: env.Now}
}

// NewQueue returns what handles the messages of a site's spool. The observer may be nil.
func NewQueue(s *site.Site, env process.Environment, observer Observer) *spool.Queue {
	var done func(spool.Item)
	if observer != nil {
		done = func(item spool.Item) { observer.Handled(item.Source, env.Now().Sub(spool.Since(item.ID))) }
	}
	dir, large := Spool(s, env), newLarge(s, env)
	return &spool.Queue{
		Dir:  dir,
		Done: done,
		Handle: func(ctx context.Context, messages []*spool.Message) []error {
			return handle(ctx, s, env, observer, dir, large, messages)
		},
		Away:     func(err error) bool { return errors.Is(err, stores.ErrAway) },
		Rejected: s.Rejected, Log: s.Log, Now: env.Now, Deadline: s.Config.Deadline,
		MostMessages: s.Config.SpoolLimit, MostOctets: s.Config.SpoolSize,
	}
}

// handle handles messages of a user or a resource in their order, those with much calendar data each in a process of its own.
func handle(ctx context.Context, s *site.Site, env process.Environment, observer Observer, dir *spool.Dir, large *large, messages []*spool.Message) []error {
	errs := make([]error, 0, len(messages))
	for len(messages) > 0 {
		var done []error
		n := 0 // messages that are handled together
		for ; n < len(messages) && len(done) == 0; n++ {
			arrived := messages[n].Recipient != ""
			big, err := isLarge(dir, large, messages[n])
			switch {
			case err != nil && n == 0:
				done = []error{err}
			case big && n == 0:
				done = []error{large.spooled(ctx, messages[0])}
			case arrived && n == 0:
				done = []error{arrives(ctx, s, env, observer, messages[0])}
			}
			if big || arrived || err != nil {
				break
			}
		}
		if len(done) == 0 {
			// Each time anew: the aliases may have changed.
			h := outgoing.New(s, env)
			observe(&h.Pipeline, observer)
			done = h.HandleSpooled(ctx, messages[:n])
		}
		errs = append(errs, done...)
		messages = messages[len(done):]
		if err := errs[len(errs)-1]; err != nil {
			for range messages {
				errs = append(errs, err)
			}
			break
		}
	}
	return errs
}

// arrives handles a message that has arrived for a resource.
func arrives(ctx context.Context, s *site.Site, env process.Environment, observer Observer, message *spool.Message) error {
	base, err := incoming.New(s, env)
	if err != nil {
		return err
	}
	observe(&base.Pipeline, observer)
	return resource.New(s, base).HandleSpooled(ctx, message)
}

// isLarge reports whether a message is to be handled in a process of its own. The message is read from the spool once more.
func isLarge(dir *spool.Dir, large *large, message *spool.Message) (bool, error) {
	if message.Size <= largeSize {
		return false, nil
	}
	again, err := dir.Open(message.ID)
	if err != nil {
		return false, err
	}
	defer again.Close()
	return large.is(again.Size, again)
}

// observe has an observer, which may be nil, told of changes.
func observe(p *handlers.Pipeline, observer Observer) {
	if observer != nil {
		p.Observe = observer.Changed
	}
}
