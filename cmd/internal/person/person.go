// Package person is the program imip_person, without its process.
package person

import (
	"context"
	"errors"
	"io"

	"imip-agent/cmd/internal/handler"
	"imip-agent/cmd/internal/incoming"
	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/conf"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/person"
	"imip-agent/handlers/summary"
	"imip-agent/stores"
)

// Program is the program.
var Program = handler.Program{
	Name: "imip_person",
	Help: site.Help{
		Summary: "update users' calendars from the messages that they receive, and deliver these",
		Description: "Reads a message from standard input, updates the records of its recipients, answers\n" +
			"it where they want that, and delivers it to their mailboxes, by LMTP (-l) or SMTP\n" +
			"(-L). An option takes all words that follow it, up to the next option. Exit status:\n" +
			"0, done; 75, the message must be tried again, and standard error has a line with\n" +
			"the reason. A message that is tried again is not delivered twice.",
	},
	Options: incoming.Options(),
	Prepare: prepare,
}

func prepare(s *site.Site, line *site.CommandLine, env process.Environment) (func(context.Context, io.Reader) error, error) {
	base, err := incoming.Handler(s, line, env)
	if err == nil && !base.HasMailbox() { // DEVIATION: nowhere-to-deliver.
		err = errors.New("nobody says how messages are delivered: the option -l or -L is needed")
	}
	if err != nil {
		return nil, err
	}
	return incoming.Answering(env, New(s, base).Handle), nil
}

// New returns the handler of a site.
func New(s *site.Site, base arrival.Handler) *person.Handler {
	base.Default = s.Preferences.Default
	return &person.Handler{Handler: base, Link: link(&s.Config, base.Others.Name)}
}

// link returns where the web manager shows an event: below MANAGER_URL, or else on this host. It is nil if messages
// do not point there.
//
// DEVIATION: uids-beyond-ascii. The original fails on them for ever.
func link(c *conf.Config, host string) func(stores.ID) string {
	if !c.ManagerInterface {
		return nil
	}
	base := c.ManagerURL
	if base == "" {
		scheme := c.ManagerURLScheme
		if scheme == "" {
			scheme = "https://"
		}
		base = scheme + host
	}
	return func(id stores.ID) string {
		return summary.Link(base, c.ManagerPath, id.UID, id.RecurrenceID)
	}
}
