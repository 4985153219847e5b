// Package incoming is what the programs have in common that handle messages that arrive for users.
package incoming

import (
	"context"
	"encoding/json"
	"errors"
	"io"
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
	h, err := New(s, env)
	if err != nil {
		return h, err
	}
	h.Recipients = line.Strings("recipients")
	switch {
	case line.IsSet("lmtp-socket"):
		if err := By(&h, line.String("lmtp-socket")); err != nil {
			return h, err
		}
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

// Answering returns a function that handles a message as handle does. If the mailbox server refuses the message, its answer goes to
// the program that has started this one (see [process.Answer]).
func Answering(env process.Environment, handle func(context.Context, io.Reader) error) func(context.Context, io.Reader) error {
	return func(ctx context.Context, message io.Reader) error {
		err := handle(ctx, message)
		refused := deliver.Refusal(err)
		if refused == nil {
			return err
		}
		text, errAnswer := json.Marshal(refused)
		if errAnswer == nil {
			errAnswer = process.Answer(env, text)
		}
		return errors.Join(err, errAnswer)
	}
}

// Answer reads what Answering has answered; nil: nothing.
func Answer(text []byte) *deliver.RefusedError {
	refused := new(deliver.RefusedError)
	if err := json.Unmarshal(text, refused); err != nil || refused.Code < 400 || refused.Code > 599 {
		return nil
	}
	return refused
}

// New returns what a site makes of it, without a server for mailboxes.
func New(s *site.Site, env process.Environment) (arrival.Handler, error) {
	h := arrival.Handler{
		Pipeline: handlers.Pipeline{
			Store: s.Store, Preferences: s.Preferences, Rejected: s.Rejected,
			Sender: calendar.NewURI(s.Config.MessageSender), Log: s.Log, Now: env.Now,
			MessageLimit: s.Config.MessageSizeLimit, PeriodLimit: s.Config.PeriodLimit,
		},
		UsersOf: s.UsersOf(),
	}
	// DEVIATION: answers-to-their-recipients. The original sends them where the user's mail goes.
	var err error
	if h.Others, err = deliver.SMTPServer(s.Config.SMTPHost); err != nil {
		return h, errors.Join(errors.New("SMTP_HOST cannot be used"), err)
	}
	h.Others.Name, _ = os.Hostname() // at worst servers get to know none
	return h, nil
}

// By has mails for mailboxes handed over to the LMTP server at a place.
func By(h *arrival.Handler, place string) (err error) {
	if h.Mailbox, err = deliver.LMTPServer(place); err == nil {
		h.Mailbox.Name = h.Others.Name
	}
	return err
}
