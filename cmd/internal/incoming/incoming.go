// Package incoming is what the programs have in common that handle messages that arrive for users.
package incoming

import (
	"errors"
	"os"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/handlers"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/deliver"
	"imip-agent/stores/calendar"
)

// Options returns the options that they have beside those of all programs that handle messages.
func Options() []site.Option {
	return []site.Option{
		{Name: "recipients", Letter: "o", Value: "ADDRESS", Usage: "the ADDRESSes of the recipients; without them, those in the field To", Addresses: true},
		{Name: "lmtp-socket", Letter: "l", Value: "SOCKET", Usage: "deliver by LMTP to a SOCKET, or to HOST:PORT"},
		{Name: "local-smtp", Letter: "L", Usage: "deliver by SMTP (SMTP_HOST) to LOCAL_PREFIX+USER@DOMAIN"},
	}
}

// Handler returns what the words of a command line make of a site, which may be wrong. There is no server for mailboxes
// if no option names one.
func Handler(s *site.Site, line *site.CommandLine, env process.Environment) (arrival.Handler, error) {
	h := arrival.Handler{
		Pipeline: handlers.Pipeline{
			Store: s.Store, Preferences: s.Preferences, Rejected: s.Rejected,
			Sender: calendar.NewURI(s.Config.MessageSender), Log: s.Log, Now: env.Now,
			MessageLimit: s.Config.MessageSizeLimit, PeriodLimit: s.Config.PeriodLimit,
		},
		Recipients: line.Strings("recipients"), UsersOf: s.UsersOf(),
	}
	// DEVIATION: answers-to-their-recipients. The original sends them where the user's mail goes.
	var err error
	if h.Others, err = deliver.SMTPServer(s.Config.SMTPHost); err != nil {
		return h, errors.Join(errors.New("SMTP_HOST cannot be used"), err)
	}
	h.Others.Name, _ = os.Hostname() // at worst servers get to know none
	switch {
	case line.IsSet("lmtp-socket"):
		if h.Mailbox, err = deliver.LMTPServer(line.String("lmtp-socket")); err != nil {
			return h, err
		}
		h.Mailbox.Name = h.Others.Name
	case line.Bool("local-smtp"):
		local := *h.Others
		local.Prefix = s.Config.LocalPrefix
		h.Mailbox = &local
	}
	if line.Bool("debug") {
		h.Instead = env.Stderr
	}
	return h, nil
}
