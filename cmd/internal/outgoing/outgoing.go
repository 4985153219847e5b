// Package outgoing is the program imip_person_outgoing, without its process.
package outgoing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/handlers"
	"imip-agent/handlers/outgoing"
	"imip-agent/stores/calendar"
)

// drainTime is how long the rest of a message is waited for that is of no use any more.
const drainTime = 10 * time.Second

// Name is the program's name.
const Name = "imip_person_outgoing"

// Run handles the message on standard input as the words of the command line
// say, in a store of one of the types that there are. A store of another type is for
// [process.Databases], which goes on in this process. Every error is temporary.
func Run(ctx context.Context, words []string, env process.Environment, types site.Types) error {
	line, err := site.Parse(words, options())
	switch {
	case err != nil:
	case line.Bool("help"):
		_, err := manual(env.Program).WriteTo(env.Stdout)
		return err
	case line.Bool("version"):
		_, err := fmt.Fprintln(env.Stdout, env.Program, site.Version())
		return err
	default:
		err = handle(ctx, line, env, types)
		var missing *site.TypeError
		if errors.As(err, &missing) {
			err = process.Become(ctx, process.Databases, env.Program, words) // nothing has been read yet
		}
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
		process.Drain(env.Stdin, drainTime)
	}
	return err
}

// unused is said of options that the original has for programs that send.
const unused = "; no effect, since nothing is sent"

func options() []site.Option {
	return append(site.Options(),
		site.Option{Name: "recipients", Letter: "o", Value: "ADDRESS", Usage: "the ADDRESS of this copy: with OUTGOING_PREFIX+USER@DOMAIN, only that user's records are changed", Addresses: true},
		site.Option{Name: "sender", Letter: "s", Value: "ADDRESS", Usage: "the calendar system's own ADDRESS (MESSAGE_SENDER)", Addresses: true},
		site.Option{Name: "lmtp-socket", Letter: "l", Value: "SOCKET", Usage: "deliver to an LMTP SOCKET" + unused},
		site.Option{Name: "local-smtp", Letter: "L", Usage: "deliver by SMTP" + unused},
		site.Option{Name: "version", Usage: "print the version"},
	)
}

func manual(program string) site.Help {
	return site.Help{
		Program: program,
		Summary: "update a user's calendar from the scheduling messages that the user sends",
		Usage:   program + " [options] < MESSAGE",
		Description: "Reads a message from standard input, and updates the records of the user who\n" +
			"sends it. Sends nothing. An option takes all words that follow it, up to the next\n" +
			"option. Exit status: 0, done; 75, the message must be tried again, and standard\n" +
			"error has a line with the reason.",
		Options: options(),
	}
}

// handle handles the message.
func handle(ctx context.Context, line *site.CommandLine, env process.Environment, types site.Types) error {
	set := map[string]string{}
	if sender := line.String("sender"); sender != "" {
		set["MESSAGE_SENDER"] = sender
	}
	s, err := site.Open(line, env, set, types)
	if err != nil {
		return err
	}
	if len(line.Left) > 0 {
		s.Log.Warn("words on the command line that belong to no option", "words", strings.Join(line.Left, " "))
	}
	recipient := line.String("recipients")
	handler := outgoing.Handler{
		Recipient: outgoing.Recipient(recipient, s.Config.OutgoingPrefix), IsAlias: s.IsAlias(),
		Pipeline: handlers.Pipeline{Store: s.Store, Preferences: s.Preferences, Rejected: s.Rejected,
			Sender: calendar.NewURI(s.Config.MessageSender), Log: s.Log, Now: env.Now,
			MessageLimit: s.Config.MessageSizeLimit, PeriodLimit: s.Config.PeriodLimit,
		}}
	err = process.Within(ctx, s.Config.Deadline, process.Grace, func(ctx context.Context) error {
		return process.Apart(ctx, env, process.Interruptible(ctx, env.Stdin), func(message io.Reader) error {
			return handler.Handle(ctx, message)
		})
	})
	var caught *process.PanicError
	if errors.As(err, &caught) {
		s.Log.Error(caught.Error(), "stack", string(caught.Stack))
	}
	return errors.Join(err, s.Close())
}
