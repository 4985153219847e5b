// Package serve is the service imip-agent serve, without its process, and what commands for it share.
package serve

import (
	"context"
	"errors"

	"imip-agent/cmd/internal/outgoing"
	"imip-agent/cmd/internal/process"
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
	observe := func(p *handlers.Pipeline) {
		if observer != nil {
			p.Observe = observer.Changed
		}
	}
	var done func(spool.Item)
	if observer != nil {
		done = func(item spool.Item) { observer.Handled(item.Source, env.Now().Sub(spool.Since(item.ID))) }
	}
	return &spool.Queue{
		Dir:  Spool(s, env),
		Done: done,
		// Each time anew: the aliases may have changed.
		Handle: func(ctx context.Context, messages []*spool.Message) []error {
			h := outgoing.New(s, env)
			observe(&h.Pipeline)
			return h.HandleSpooled(ctx, messages)
		},
		Away:     func(err error) bool { return errors.Is(err, stores.ErrAway) },
		Rejected: s.Rejected, Log: s.Log, Now: env.Now, Deadline: s.Config.Deadline,
		MostMessages: s.Config.SpoolLimit, MostOctets: s.Config.SpoolSize,
	}
}
