// Package outgoing is the program imip_person_outgoing, without its process.
package outgoing

import (
	"context"
	"io"

	"imip-agent/cmd/internal/handler"
	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/handlers"
	"imip-agent/handlers/outgoing"
	"imip-agent/handlers/spool"
	"imip-agent/stores/calendar"
)

// Program is the program.
var Program = handler.Program{
	Name: "imip_person_outgoing",
	Help: site.Help{
		Summary: "update a user's calendar from the scheduling messages that the user sends",
		Description: "Reads a message from standard input, and updates the records of the user who\n" +
			"sends it. Sends nothing. With SPOOL_FIRST the message is only put into SPOOL_DIR, and\n" +
			"handled later. An option takes all words that follow it, up to the next option. Exit\n" +
			"status: 0, done; 75, the message must be tried again, and standard error has a line\n" +
			"with the reason.",
	},
	Options: []site.Option{
		{Name: "recipients", Letter: "o", Value: "ADDRESS", Usage: "the ADDRESS of this copy: with OUTGOING_PREFIX+USER@DOMAIN, only that user's records are changed", Addresses: true},
		{Name: "lmtp-socket", Letter: "l", Value: "SOCKET", Usage: "deliver to an LMTP SOCKET" + unused},
		{Name: "local-smtp", Letter: "L", Usage: "deliver by SMTP" + unused},
	},
	Prepare: prepare, Later: later,
}

// unused is said of options that the original has for programs that send.
const unused = "; no effect, since nothing is sent"

func prepare(s *site.Site, line *site.CommandLine, env process.Environment) (func(context.Context, io.Reader) error, error) {
	h := New(s, env)
	h.Recipient = recipient(s, line)
	return h.Handle, nil
}

func recipient(s *site.Site, line *site.CommandLine) calendar.URI {
	return outgoing.Recipient(line.String("recipients"), s.Config.OutgoingPrefix)
}

// New returns the handler of a site.
func New(s *site.Site, env process.Environment) *outgoing.Handler {
	return &outgoing.Handler{
		IsAlias: s.IsAlias(),
		Pipeline: handlers.Pipeline{
			Store: s.Store, Preferences: s.Preferences, Rejected: s.Rejected,
			Sender: calendar.NewURI(s.Config.MessageSender), Log: s.Log, Now: env.Now,
			MessageLimit: s.Config.MessageSizeLimit, PeriodLimit: s.Config.PeriodLimit,
		},
	}
}

// later only puts the message into the spool.
func later(s *site.Site, line *site.CommandLine, env process.Environment) (func(context.Context, io.Reader) error, error) {
	l := outgoing.Later{Spool: handler.NewSpool(s, env), Limit: s.Config.MessageSizeLimit}
	note := spool.Note{User: recipient(s, line).Address(), Source: "pipe"}
	return func(_ context.Context, message io.Reader) error {
		_, err := l.Take(message, note)
		return err
	}, nil
}
