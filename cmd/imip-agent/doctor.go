package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/cmd/internal/site/database"
	"imip-agent/conf"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/tools/doctor"
)

// doctorCommand examines the host that it runs on.
func doctorCommand(env process.Environment) *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Usage:     "examine this machine: configuration, directories, locks, mail system, a message",
		UsageText: env.Program + " doctor [options]",
		Description: "Run it as root on the machine that handles mail. Each line reports that something\n" +
			"is ok, or what to do. Nothing is changed. With --send, only one thing is examined: a\n" +
			"real message goes through the mail system. The user gets a mail that explains this.\n\n" +
			"Exit status: 0, ok, or only warnings; 4, something failed; 78, the configuration\n" +
			"cannot be used.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "send", Usage: "send a message of `USER`, a mail address, through the mail system, wait until its event is in the records, and remove it"},
			&cli.DurationFlag{Name: "wait", Usage: "wait for it up to `TIME`, such as 30s", Value: time.Minute},
		}, siteFlags()...),
		Action: func(options *cli.Context) error {
			if options.NArg() > 0 {
				return usage("doctor takes no word %.60q", options.Args().First())
			}
			if user := options.String("send"); options.IsSet("send") && !strings.Contains(user, "@") {
				return usage("--send %.60q is no mail address of a user", user)
			}
			return runDoctor(options.Context, options, env)
		},
	}
}

// runDoctor writes what the doctor finds.
func runDoctor(ctx context.Context, options *cli.Context, env process.Environment) error {
	s, err := site.Open(options, env, nil, database.Stores)
	if err != nil {
		// This is what a handler would say too, with every message.
		showResult(env.Stdout, doctor.Result{ID: doctor.Configuration, Status: doctor.Failed, Text: err.Error(), Remedy: "correct it: nothing else can be examined"})
		var unusable *conf.Error
		if errors.As(err, &unusable) {
			return &process.ExitError{Code: process.ExitConfig}
		}
		return &process.ExitError{Code: process.ExitFindings}
	}
	d := doctor.Doctor{
		Config: s.Config, Store: s.Store, Rejected: s.Rejected, Systemd: hasSystemd(), SystemZone: s.Preferences.SystemZone, Now: env.Now, Log: s.Log, Path: "",
		Ask: askServers(s.Config), HandIn: handIn,
		Open: func(dir string, lockTimeout time.Duration) (stores.Store, error) {
			return file.Open(file.Options{
				Dir: dir, PublishDir: dir + "-published", FileMode: s.Config.Permissions, DirMode: s.Config.DirPermissions,
				LockTimeout: lockTimeout, Now: env.Now, Log: s.Log,
			})
		},
	}
	failed := false
	show := func(result doctor.Result) {
		showResult(env.Stdout, result)
		failed = failed || result.Status == doctor.Failed
	}
	if user := options.String("send"); user != "" {
		d.Send(ctx, calendar.NewURI(user), options.Duration("wait"), show)
	} else {
		for result := range d.Examine(ctx) {
			show(result)
		}
	}
	err = errors.Join(context.Cause(ctx), s.Close())
	if err == nil && failed {
		err = &process.ExitError{Code: process.ExitFindings}
	}
	return err
}

// showResult writes a result: how it is, and below it what to do.
func showResult(w io.Writer, r doctor.Result) {
	fmt.Fprintf(w, "%-8s %s\n", r.Status, r.Text)
	if r.Remedy != "" {
		fmt.Fprintf(w, "%-8s -> %s\n", "", r.Remedy)
	}
}
