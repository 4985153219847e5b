package main

import (
	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
)

// serveCommand is the service for mail systems. It goes on as another program: see [process.Service].
func serveCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name:      "serve",
		Usage:     "take mail from the mail system by the milter protocol or LMTP, and update users' calendars",
		UsageText: env.Program + " serve [options]",
		Description: "Runs until it gets SIGTERM; then it completes what it has begun. After SIGHUP it reads\n" +
			"LOGINS, LOGIN_DOMAIN, MILTER_HOSTS and RESOURCES again; other settings need a new start.\n\n" +
			"By the milter protocol it takes mail that users send, at MILTER_SOCKET or at the socket\n" +
			"that systemd passes. A message is on disk before the mail is accepted, and handled at\n" +
			"once, each user's messages in their order: \"" + env.Program + " queue\" shows what waits. Postfix\n" +
			"needs these lines in main.cf:\n\n" +
			"  smtpd_milters = unix:/run/imip-agent/milter\n" +
			"  milter_default_action = accept\n\n" +
			"By LMTP it takes mail that arrives, at LMTP_SOCKET or at the socket of systemd whose name\n" +
			"is lmtp. It updates the calendar, passes mail for people on to MAILBOX_SERVER, and\n" +
			"answers for the RESOURCES, before it answers the mail system for each recipient. What\n" +
			"must be tried again is answered with 451; only what the mailbox server refuses is\n" +
			"refused. Postfix needs this line:\n\n" +
			"  virtual_transport = lmtp:unix:/run/imip-agent/lmtp\n\n" +
			"At METRICS_ADDRESS it shows metrics for Prometheus and its health, by HTTP.",
		Flags: siteFlags(),
		Action: func(options *cli.Context) error {
			if options.NArg() > 0 {
				return usage("serve takes no word %.60q", options.Args().First())
			}
			return process.Become(options.Context, process.Service, env.Program, given(options))
		},
	}
}

// given returns the words of the options that all commands have and that a command line has.
func given(options *cli.Context) (words []string) {
	for _, o := range site.Options() {
		if !options.IsSet(o.Name) {
			continue
		}
		if words = append(words, "--"+o.Name); o.Value != "" {
			words = append(words, options.String(o.Name))
		}
	}
	return words
}
