package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/cmd/internal/site/database"
	"imip-agent/handlers/deliver"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// outboxCommand shows, sends and drops the mails that are left in users' outboxes.
func outboxCommand(env process.Environment) *cli.Command {
	list := func(options *cli.Context) error {
		if options.NArg() > 0 {
			return usage("outbox takes no word %.60q: list, send [USER], or drop USER LETTER", options.Args().First())
		}
		return withSite(options, env, func(s *site.Site) error { return listOutbox(options.Context, s.Store, env.Stdout) })
	}
	return &cli.Command{
		Name:      "outbox",
		Usage:     "show mails that wait to be sent, send them, or drop them",
		UsageText: env.Program + " outbox [list] [options]\n" + env.Program + " outbox send [USER] [options]\n" + env.Program + " outbox drop USER LETTER [options]",
		Description: "A message that arrives leaves a letter in its user's outbox: the mails that it\n" +
			"causes. imip_person sends them at once. What the mail server refuses stays until\n" +
			"the mail system hands in the message again, or until it is sent here.",
		Flags:  siteFlags(),
		Action: list,
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "show the letters with mails left, oldest first for each user", Flags: siteFlags(), Action: list},
			{
				Name: "send", Usage: "send the mails to others, of a user or of all, and drop old letters; users' own mails wait for the mail system", ArgsUsage: "[USER]",
				Flags: siteFlags(), Action: func(options *cli.Context) error { return sendOutbox(options, env) },
			},
			{
				Name: "drop", Usage: "drop a letter with its mails", ArgsUsage: "USER LETTER",
				Flags: siteFlags(), Action: func(options *cli.Context) error { return dropLetter(options, env) },
			},
		},
	}
}

func withSite(options *cli.Context, env process.Environment, fn func(*site.Site) error) error {
	s, err := site.Open(options, env, nil, database.Stores)
	if err != nil {
		return err
	}
	return errors.Join(fn(s), s.Close())
}

// listOutbox writes a table of letters that have mails left; nothing if there are none.
func listOutbox(ctx context.Context, store stores.Store, w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	found := false
	for user, err := range store.Owing(ctx) {
		if err != nil {
			return err
		}
		letters, err := store.Letters(ctx, user)
		if err != nil {
			return err
		}
		for _, l := range letters {
			if l.Left == 0 {
				continue
			}
			if !found {
				fmt.Fprintln(table, "USER\tLETTER\tSINCE\tAGE\tMAILS")
				found = true
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%v\t%d\n", user, l.Name, l.Time.Format(time.DateTime), max(0, l.Age).Round(time.Second), l.Left)
		}
	}
	return table.Flush()
}

// sendOutbox sends what others are to get.
func sendOutbox(options *cli.Context, env process.Environment) error {
	if options.NArg() > 1 {
		return usage("outbox send takes one word, the user, or none: %s outbox send mailto:paul@example.com", env.Program)
	}
	return withSite(options, env, func(s *site.Site) error {
		server, err := deliver.SMTPServer(s.Config.SMTPHost)
		if err != nil {
			return fmt.Errorf("SMTP_HOST: %w", err)
		}
		server.Name, _ = os.Hostname() // at worst the server gets to know none
		sender := &deliver.Sender{Outbox: s.Store, Others: server, Keep: deliver.GivenUp, Log: s.Log}
		defer sender.Close()
		if options.NArg() == 0 {
			return sender.All(options.Context)
		}
		user, err := s.Store.Named(options.Context, calendar.NewURI(options.Args().First()))
		if err != nil {
			return err
		}
		return sender.Rest(options.Context, user)
	})
}

// dropLetter drops a letter.
func dropLetter(options *cli.Context, env process.Environment) error {
	if options.NArg() != 2 {
		return usage("outbox drop takes two words, the user and the letter, as outbox list shows them")
	}
	return withSite(options, env, func(s *site.Site) error {
		user, name := calendar.NewURI(options.Args().Get(0)), options.Args().Get(1)
		letters, err := s.Store.Letters(options.Context, user)
		if err != nil {
			return err
		}
		for _, l := range letters {
			if l.Name == name {
				return s.Store.Drop(options.Context, user, name)
			}
		}
		return fmt.Errorf("there is no letter %.80q in the outbox of %q", name, string(user))
	})
}
