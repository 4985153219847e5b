package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/serve"
)

// filterCommand is what mail systems run that have a way of their own to say what users send.
func filterCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name:      filterName,
		Usage:     "take users' mail from OpenSMTPD or chasquid, and update their calendars",
		UsageText: env.Program + " filter opensmtpd [options]\n" + env.Program + " filter chasquid [options] < MESSAGE",
		Action: func(options *cli.Context) error {
			return usage("which mail system? filter opensmtpd, or filter chasquid")
		},
		Subcommands: []*cli.Command{{
			Name:      opensmtpdName,
			Usage:     "be a filter of OpenSMTPD",
			UsageText: env.Program + " filter opensmtpd [options]",
			Description: "smtpd starts it, and it ends with smtpd: signals do not end it. Mail of users who\n" +
				"have logged in is put into SPOOL_DIR if there is a calendar in it, before smtpd\n" +
				"accepts the mail. \"" + env.Program + " serve\" handles it there. Everything goes on as it came.\n" +
				"LOGINS, LOGIN_DOMAIN, MILTER_HOSTS and MILTER_REFUSE hold as for the milter.",
			Flags: siteFlags(),
			Action: func(options *cli.Context) error {
				if options.NArg() > 0 {
					return usage("filter opensmtpd takes no word %.60q", options.Args().First())
				}
				process.OnReload(func() {})
				return serve.NewFilter(options, env).Run(env.Stdin, env.Stdout)
			},
		}, {
			Name:      "chasquid",
			Usage:     "hand in a message as chasquid's hook post-data",
			UsageText: env.Program + " filter chasquid [options] < MESSAGE",
			Description: "Hands the message on standard input in to \"" + env.Program + " serve\" at MILTER_SOCKET, with\n" +
				"what chasquid says of it in AUTH_AS, REMOTE_ADDR, EHLO_DOMAIN, MAIL_FROM and RCPT_TO.\n" +
				"If that cannot be done, the log says so. The exit status is 0 all the same: the mail\n" +
				"goes out, and the calendar does not know of it. Only if the service wants the mail\n" +
				"refused for now (MILTER_REFUSE), it is 75. Nothing else is printed.",
			Flags: siteFlags(),
			Action: func(options *cli.Context) error {
				if options.NArg() > 0 {
					return usage("filter chasquid takes no word %.60q", options.Args().First())
				}
				return serve.Chasquid(options.Context, options, env)
			},
		}},
	}
}

const (
	filterName    = "filter"
	opensmtpdName = "opensmtpd"
)

// lasting returns the context of a command line: signals do not end a filter that must not end before smtpd.
func lasting(ctx context.Context, words []string) context.Context {
	if len(words) > 1 && words[0] == filterName && words[1] == opensmtpdName {
		return context.WithoutCancel(ctx)
	}
	return ctx
}
