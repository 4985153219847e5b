package main

import (
	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/serve"
	"imip-agent/cmd/internal/site"
)

// serveName is the name of the command, which ends more slowly than others.
const serveName = "serve"

// serveCommand is the service for mail systems.
func serveCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name:      serveName,
		Usage:     "take users' mail from the mail system by the milter protocol, and update their calendars",
		UsageText: env.Program + " serve [options]",
		Description: "Runs until it gets SIGTERM; then it ends what it has begun. SIGHUP has it read again\n" +
			"LOGINS, LOGIN_DOMAIN and MILTER_HOSTS; for other settings, start it again. It takes\n" +
			"messages at MILTER_SOCKET, or at the sockets that systemd passes. A message is on disk\n" +
			"before the mail is accepted, and handled at once, those of each user in their order:\n" +
			"\"" + env.Program + " queue\" shows what waits. Postfix needs these lines in main.cf:\n\n" +
			"  smtpd_milters = unix:/run/imip-agent/milter\n" +
			"  milter_default_action = accept",
		Flags: siteFlags(),
		Action: func(options *cli.Context) error {
			if options.NArg() > 0 {
				return usage("serve takes no word %.60q", options.Args().First())
			}
			return withSite(options, env, func(s *site.Site) error { return serve.Run(options.Context, s, env) })
		},
	}
}
