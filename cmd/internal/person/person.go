// Package person is the program imip_person, without its process.
package person

import (
	"context"
	"errors"
	"io"
	"os"

	"imip-agent/cmd/internal/handler"
	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/conf"
	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/deliver"
	"imip-agent/handlers/person"
	"imip-agent/handlers/summary"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
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
	Options: []site.Option{
		{Name: "recipients", Letter: "o", Value: "ADDRESS", Usage: "the ADDRESSes of the recipients; without them, those in the field To", Addresses: true},
		{Name: "lmtp-socket", Letter: "l", Value: "SOCKET", Usage: "deliver by LMTP to a SOCKET, or to HOST:PORT"},
		{Name: "local-smtp", Letter: "L", Usage: "deliver by SMTP (SMTP_HOST) to LOCAL_PREFIX+USER@DOMAIN"},
	},
	Prepare: prepare,
}

func prepare(s *site.Site, line *site.CommandLine, env process.Environment) (func(context.Context, io.Reader) error, error) {
	others, err := deliver.SMTPServer(s.Config.SMTPHost)
	if err != nil {
		return nil, errors.Join(errors.New("SMTP_HOST cannot be used"), err)
	}
	host, _ := os.Hostname() // at worst servers get to know none
	others.Name = host
	h := person.Handler{Link: link(&s.Config, host)}
	h.Handler = arrival.Handler{
		Pipeline: handlers.Pipeline{
			Store: s.Store, Preferences: s.Preferences, Rejected: s.Rejected,
			Sender: calendar.NewURI(s.Config.MessageSender), Log: s.Log, Now: env.Now,
			MessageLimit: s.Config.MessageSizeLimit, PeriodLimit: s.Config.PeriodLimit,
		},
		Recipients: line.Strings("recipients"), Others: others,
		Default: s.Preferences.Default,
	}
	switch {
	case line.IsSet("lmtp-socket"):
		if h.Mailbox, err = deliver.LMTPServer(line.String("lmtp-socket")); err != nil {
			return nil, err
		}
		h.Mailbox.Name = host
	case line.Bool("local-smtp"):
		local := *others
		local.Prefix = s.Config.LocalPrefix
		h.Mailbox = &local
	case !line.Bool("debug"):
		return nil, errors.New("nobody says how messages are delivered: the option -l or -L is needed")
	}
	if line.Bool("debug") {
		h.Instead = env.Stderr
	}
	return h.Handle, nil
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
