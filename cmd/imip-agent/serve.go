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
		Usage:     "take users' mail from the mail system by the milter protocol, and update their calendars",
		UsageText: env.Program + " serve [options]",
		Description: "Runs until it gets SIGTERM; then it ends what it has begun. SIGHUP has it read again\n" +
			"LOGINS, LOGIN_DOMAIN and MILTER_HOSTS; for other settings, start it again. It takes\n" +
			"messages at MILTER_SOCKET, or at the sockets that systemd passes. A message is on disk\n" +
			"before the mail is accepted, and handled at once, those of each user in their order:\n" +
			"\"" + env.Program + " queue\" shows what waits. Postfix needs these lines in main.cf:\n\n" +
			"  smtpd_milters = unix:/run/imip-agent/milter\n" +
			"  milter_default_action = accept\n\n" +
			"Metrics for Prometheus and its health are to be read by HTTP at METRICS_ADDRESS.",
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
