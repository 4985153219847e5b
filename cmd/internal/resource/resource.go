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
)

// Program is the program.
var Program = handler.Program{
	Name: "imip_resource",
	Help: site.Help{
		Summary: "decide on invitations of rooms and equipment, and answer them",
		Description: "Reads a message from standard input, decides for its recipients, which are resources,\n" +
			"by the scheduling functions in their preferences, and answers the organizer. What is\n" +
			"not for them is delivered by LMTP (-l) or SMTP (-L); without these options, it is\n" +
			"dropped. An option takes all words that follow it, up to the next option. Exit status:\n" +
			"0, done; 75, the message must be tried again, and standard error has a line with\n" +
			"the reason. A message that is tried again is not answered twice.",
	},
	Options: incoming.Options(),
	Prepare: prepare,
}

func prepare(s *site.Site, line *site.CommandLine, env process.Environment) (func(context.Context, io.Reader) error, error) {
	base, err := incoming.Handler(s, line, env)
	return incoming.Answering(env, New(s, base).Handle), err
}

// New returns the handler of a site.
func New(s *site.Site, base arrival.Handler) *resource.Handler {
	return &resource.Handler{Handler: base, Journal: s.Journal}
}
