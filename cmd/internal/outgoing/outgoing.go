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
	"imip-agent/stores/calendar"
)

// Program is the program.
var Program = handler.Program{
	Name: "imip_person_outgoing",
	Help: site.Help{
		Summary: "update a user's calendar from the scheduling messages that the user sends",
		Description: "Reads a message from standard input, and updates the records of the user who\n" +
			"sends it. Sends nothing. An option takes all words that follow it, up to the next\n" +
			"option. Exit status: 0, done; 75, the message must be tried again, and standard\n" +
			"error has a line with the reason.",
	},
	Options: []site.Option{
		{Name: "recipients", Letter: "o", Value: "ADDRESS", Usage: "the ADDRESS of this copy: with OUTGOING_PREFIX+USER@DOMAIN, only that user's records are changed", Addresses: true},
		{Name: "lmtp-socket", Letter: "l", Value: "SOCKET", Usage: "deliver to an LMTP SOCKET" + unused},
		{Name: "local-smtp", Letter: "L", Usage: "deliver by SMTP" + unused},
	},
	Prepare: prepare,
}

// unused is said of options that the original has for programs that send.
const unused = "; no effect, since nothing is sent"

func prepare(s *site.Site, line *site.CommandLine, env process.Environment) (func(context.Context, io.Reader) error, error) {
	h := outgoing.Handler{
		Recipient: outgoing.Recipient(line.String("recipients"), s.Config.OutgoingPrefix), IsAlias: s.IsAlias(),
		Pipeline: handlers.Pipeline{
			Store: s.Store, Preferences: s.Preferences, Rejected: s.Rejected,
			Sender: calendar.NewURI(s.Config.MessageSender), Log: s.Log, Now: env.Now,
			MessageLimit: s.Config.MessageSizeLimit, PeriodLimit: s.Config.PeriodLimit,
		},
	}
	return h.Handle, nil
}
