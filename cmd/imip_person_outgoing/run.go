package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/site"
	"imip-agent/handlers"
	"imip-agent/stores/calendar"
)

// drainTime is how long the rest of a message is waited for that is of no use any more.
const drainTime = 10 * time.Second

// run handles the message on standard input as the words of the command line
// say. Every error is temporary.
func run(ctx context.Context, words []string, env site.Environment) error {
	app := newApp(env)
	app.Action = func(options *cli.Context) error {
		if options.Bool("version") {
			_, err := fmt.Fprintln(env.Stdout, env.Program, site.Version())
			return err
		}
		return handle(options.Context, options, env)
	}
	canonical, left, err := site.Canonical(words, app.Flags)
	if err == nil {
		app.Metadata = map[string]any{leftWords: left}
		err = app.RunContext(ctx, append([]string{env.Program}, canonical...))
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
		site.Drain(env.Stdin, drainTime)
	}
	return err
}

// leftWords is the key, in the app's metadata, of words that belong to no option.
const leftWords = "left"

// unused is said of options that the original has for programs that send.
const unused = "; has no effect, as nothing is sent"

func newApp(env site.Environment) *cli.App {
	return &cli.App{
		Name:      env.Program,
		HelpName:  env.Program,
		Usage:     "bring a user's calendar up to date from the scheduling messages that the user sends",
		UsageText: env.Program + " [options] < MESSAGE",
		Description: "Reads a message from standard input, and brings the records of the user who\n" +
			"sends it up to date. Nothing is sent. An option takes all the words that follow\n" +
			"it, up to the next option. The exit status is 0 when there is nothing left to\n" +
			"be done, and 75 when the message has to be tried again, with a line on standard\n" +
			"error that says why.",
		Flags: append([]cli.Flag{
			&site.Addresses{StringFlag: &cli.StringFlag{Name: "recipients", Aliases: []string{"o"}, Usage: "the `ADDRESS` that this copy came to: of OUTGOING_PREFIX+USER@DOMAIN, only that user's records are touched"}},
			&site.Addresses{StringFlag: &cli.StringFlag{Name: "sender", Aliases: []string{"s"}, Usage: "the calendar system's own `ADDRESS` (MESSAGE_SENDER)"}},
			&cli.StringFlag{Name: "lmtp-socket", Aliases: []string{"l"}, Usage: "deliver to an LMTP `SOCKET`" + unused},
			&cli.BoolFlag{Name: "local-smtp", Aliases: []string{"L"}, Usage: "deliver by SMTP" + unused, DisableDefaultText: true},
			&cli.BoolFlag{Name: "version", Usage: "print the version", DisableDefaultText: true},
		}, site.Flags()...),
		Writer:          env.Stdout,
		ErrWriter:       env.Stderr,
		HideHelpCommand: true,
		HideVersion:     true, // its own flag takes -v
		// The library's own handling ends the process, or prints help.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   func(_ *cli.Context, err error, _ bool) error { return err },
	}
}

// handle handles the message.
func handle(ctx context.Context, options *cli.Context, env site.Environment) error {
	set := map[string]string{}
	if sender := options.String("sender"); sender != "" {
		set["MESSAGE_SENDER"] = sender
	}
	s, err := site.Open(options, env, set)
	if err != nil {
		return err
	}
	if left, _ := options.App.Metadata[leftWords].([]string); len(left) > 0 {
		s.Log.Warn("words on the command line belong to no option", "words", strings.Join(left, " "))
	}
	recipient := options.String("recipients")
	handler := handlers.Handler{
		Recipient: handlers.Recipient(recipient, s.Config.OutgoingPrefix), IsAlias: s.IsAlias(),
		Store: s.Store, Preferences: s.Preferences, Rejected: s.Rejected,
		Sender: calendar.NewURI(s.Config.MessageSender), Log: s.Log, Now: env.Now,
		MessageLimit: s.Config.MessageSizeLimit, PeriodLimit: s.Config.PeriodLimit,
	}
	err = site.Within(ctx, s.Config.Deadline, site.Grace, func(ctx context.Context) error {
		return site.Apart(ctx, env, site.Interruptible(ctx, env.Stdin), func(message io.Reader) error {
			return handler.Handle(ctx, message)
		})
	})
	var caught *site.PanicError
	if errors.As(err, &caught) {
		s.Log.Error(caught.Error(), "stack", string(caught.Stack))
	}
	return errors.Join(err, s.Close())
}
