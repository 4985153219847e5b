// Package resource is the program imip_resource, without its process.
package resource

import (
	"context"
	"io"

	"imip-agent/cmd/internal/handler"
	"imip-agent/cmd/internal/incoming"
	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/handlers/arrival"
	"imip-agent/handlers/resource"
	"imip-agent/handlers/spool"
)

// Program is the program.
var Program = handler.Program{
	Name: "imip_resource",
	Help: site.Help{
		Summary: "decide on invitations of rooms and equipment, and answer them",
		Description: "Reads a message from standard input, decides for its recipients, which are resources,\n" +
			"by the scheduling functions in their preferences, and answers the organizer. What is\n" +
			"not for them is delivered by LMTP (-l) or SMTP (-L); without these options, it is\n" +
			"dropped. With SPOOL_FIRST and -o, but without -l and -L, the message is only put into\n" +
			"SPOOL_DIR, and handled later. An option takes all words that follow it, up to the next\n" +
			"option. Exit status: 0, done; 75, the message must be tried again, and standard\n" +
			"error has a line with the reason. A message that is tried again is not answered twice.",
	},
	Options: incoming.Options(),
	Prepare: prepare, Later: later, AtOnce: atOnce,
}

func prepare(s *site.Site, line *site.CommandLine, env process.Environment) (func(context.Context, io.Reader) error, error) {
	base, err := incoming.Handler(s, line, env)
	return incoming.Answering(env, New(s, base).Handle), err
}

// atOnce reports whether the answer of the mailbox server is wanted, or the resource's for the person who runs the program, or nobody has
// said for whom the message is.
func atOnce(line *site.CommandLine) bool {
	return line.IsSet("lmtp-socket") || line.Bool("local-smtp") || line.Bool("debug") || len(line.Strings("recipients")) == 0
}

// later only puts the message into the spool.
func later(s *site.Site, line *site.CommandLine, env process.Environment) (func(context.Context, io.Reader) error, error) {
	l := resource.Later{Spool: handler.NewSpool(s, env), Limit: s.Config.MessageSizeLimit, UsersOf: s.UsersOf(), Log: s.Log}
	recipients := line.Strings("recipients")
	return func(_ context.Context, message io.Reader) error {
		return l.Take(message, recipients, spool.Note{Source: "pipe"})
	}, nil
}

// New returns the handler of a site.
func New(s *site.Site, base arrival.Handler) *resource.Handler {
	return &resource.Handler{Handler: base, Journal: s.Journal}
}
