package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/serve"
	"imip-agent/cmd/internal/site"
	"imip-agent/handlers/spool"
	"imip-agent/stores/calendar/printable"
)

// queueCommand shows the messages that wait in the spool, has them tried again, or drops them.
func queueCommand(env process.Environment) *cli.Command {
	list := func(options *cli.Context) error {
		if options.NArg() > 0 {
			return usage("queue takes no word %.60q: list, show ID, retry [ID], or drop ID", options.Args().First())
		}
		return withSpool(options, env, func(d *spool.Dir) error { return listQueue(d, env, options.Bool("json")) })
	}
	flags := func() []cli.Flag {
		return append([]cli.Flag{&cli.BoolFlag{Name: "json", Usage: "write JSON, one object a line", DisableDefaultText: true}}, siteFlags()...)
	}
	return &cli.Command{
		Name:  "queue",
		Usage: "show messages that were taken but not handled yet, try them again, or drop them",
		UsageText: env.Program + " queue [list] [--json] [options]\n" + env.Program + " queue show [--json] ID [options]\n" +
			env.Program + " queue retry [ID] [options]\n" + env.Program + " queue drop ID [options]",
		Description: "Messages wait in SPOOL_DIR, those of each user and each resource in their order. A\n" +
			"message that cannot be handled is tried again after pauses of up to an hour, for\n" +
			"five days. Then it is rejected.\n\n" + queueFormat,
		Flags:  flags(),
		Action: list,
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "show the messages, oldest first", Flags: flags(), Action: list},
			{
				Name: "show", Usage: "show a message, or with --json what is known of it", ArgsUsage: "ID", Flags: flags(),
				Action: func(options *cli.Context) error {
					return withMessage(options, env, func(d *spool.Dir, id string) error { return showQueued(d, id, env, options.Bool("json")) })
				},
			},
			{
				Name: "retry", Usage: "try a message, or all, again now: by the service, or where none runs, all of them by this command", ArgsUsage: "[ID]", Flags: siteFlags(),
				Action: func(options *cli.Context) error { return retryQueue(options, env) },
			},
			{
				Name: "drop", Usage: "drop a message: it is never handled", ArgsUsage: "ID", Flags: siteFlags(),
				Action: func(options *cli.Context) error {
					return withMessage(options, env, func(d *spool.Dir, id string) error { return d.Drop(id) })
				},
			},
		},
	}
}

// queueFormat says what --json writes; see queued.
const queueFormat = `With --json each message is an object with
  id          the name of the message, and of its file ID.eml in SPOOL_DIR
  user        who has sent the message, and whose it is; missing if the mail
              system did not say it
  order       the sender in whose order it waits; missing if there is a user
  recipient   the resource for which it has arrived; missing if a user has sent it
  source      "pipe", "milter", "opensmtpd" or "lmtp": how it came
  sender      of the envelope, if it is known
  mail        the mail system's name for the message, if it is known
  received    when it came
  seconds     how long it has waited
  size        in octets
  tries       how often it was tried
  next        when it is tried again, if it was tried
  reason      why it could not be handled, if it was tried
  error       why its file cannot be read, if so
`

// queued is a message as --json writes it.
type queued struct {
	ID        string     `json:"id"`
	User      string     `json:"user,omitempty"`
	Order     string     `json:"order,omitempty"`
	Recipient string     `json:"recipient,omitempty"`
	Source    string     `json:"source,omitempty"`
	Sender    string     `json:"sender,omitempty"`
	Mail      string     `json:"mail,omitempty"`
	Received  time.Time  `json:"received"`
	Seconds   float64    `json:"seconds"`
	Size      int64      `json:"size"`
	Tries     int        `json:"tries"`
	Next      *time.Time `json:"next,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Error     string     `json:"error,omitempty"`
}

func queuedOf(w spool.Waiting, now time.Time) queued {
	since := spool.Since(w.ID)
	q := queued{
		ID: w.ID, User: w.User, Order: w.Order, Recipient: w.Recipient, Source: w.Source, Sender: w.Sender, Mail: w.Mail, Received: since,
		Seconds: max(0, now.Sub(since)).Seconds(), Size: w.Size, Tries: w.Try.Tries, Reason: w.Try.Reason,
	}
	if !w.Try.Next.IsZero() {
		q.Next = &w.Try.Next
	}
	if w.Err != nil {
		q.Error = w.Err.Error()
	}
	return q
}

// withSpool calls fn with the spool of the site. Neither the store nor the log is opened.
func withSpool(options *cli.Context, env process.Environment, fn func(*spool.Dir) error) error {
	s, err := site.Configure(options, env, nil)
	if err != nil {
		return err
	}
	return fn(serve.Spool(s, env))
}

// withMessage calls fn with the message that the command line names.
func withMessage(options *cli.Context, env process.Environment, fn func(d *spool.Dir, id string) error) error {
	if options.NArg() != 1 {
		return usage("queue %s takes one word, the ID, as queue list shows it", options.Command.Name)
	}
	id := options.Args().First()
	return withSpool(options, env, func(d *spool.Dir) error {
		err := fn(d, id)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no message %.80q in the queue", id)
		}
		return err
	})
}

// alignedRows is how many rows of a table are held in memory, for columns of the same width.
const alignedRows = 1000

// listQueue writes a table of messages; nothing if there are none.
func listQueue(d *spool.Dir, env process.Environment, asJSON bool) error {
	table := tabwriter.NewWriter(env.Stdout, 0, 8, 2, ' ', 0)
	objects := json.NewEncoder(env.Stdout)
	now := env.Now()
	rows := 0
	for w, err := range d.List() {
		if err != nil {
			return err
		}
		q := queuedOf(w, now)
		if asJSON {
			if err := objects.Encode(q); err != nil {
				return err
			}
			continue
		}
		if rows == 0 {
			fmt.Fprintln(table, "ID\tUSER\tAGE\tSIZE\tTRIES\tNEXT\tREASON")
		}
		if rows++; rows%alignedRows == 0 {
			if err := table.Flush(); err != nil {
				return err
			}
		}
		next := "-"
		if q.Next != nil {
			next = q.Next.Format(time.DateTime)
		}
		reason := q.Reason
		if w.Err != nil {
			reason = q.Error
		}
		fmt.Fprintf(table, "%s\t%s\t%v\t%d\t%d\t%s\t%s\n", q.ID, printable.Text(w.Lane()), (time.Duration(q.Seconds) * time.Second), q.Size, q.Tries, next, printable.Text(reason))
	}
	return table.Flush()
}

// showQueued writes a message as its file has it, or what is known of it.
func showQueued(d *spool.Dir, id string, env process.Environment, asJSON bool) error {
	m, err := d.Open(id)
	if err != nil {
		return err
	}
	defer m.Close()
	w := spool.Waiting{Item: m.Item}
	if w.Try, err = d.Try(id); err != nil {
		return err
	}
	q := queuedOf(w, env.Now())
	if asJSON {
		return json.NewEncoder(env.Stdout).Encode(q)
	}
	for _, line := range [][2]string{
		{"user", m.Lane()}, {"received", q.Received.Format(time.RFC3339) + " (" + m.Source + ")"}, {"sender", m.Sender}, {"mail", m.Mail},
	} {
		if line[1] != "" {
			fmt.Fprintf(env.Stdout, "%s: %s\n", line[0], printable.Text(line[1]))
		}
	}
	if w.Try.Tries > 0 {
		fmt.Fprintf(env.Stdout, "tries: %d, the next one at %s\nreason: %s\n", w.Try.Tries, w.Try.Next.Format(time.RFC3339), printable.Text(w.Try.Reason))
	}
	fmt.Fprintln(env.Stdout)
	_, err = io.Copy(env.Stdout, m)
	return err
}

// retryQueue has messages tried again: by the process that handles them, or else here.
func retryQueue(options *cli.Context, env process.Environment) error {
	if options.NArg() > 1 {
		return usage("queue retry takes one word, the ID of a message, or none")
	}
	err := withSpool(options, env, func(d *spool.Dir) error {
		ids := options.Args().Slice()
		var err error
		if len(ids) == 0 {
			ids, err = d.IDs()
		}
		for _, id := range ids {
			errRetry := d.Retry(id)
			if errors.Is(errRetry, fs.ErrNotExist) {
				errRetry = nil
				if options.NArg() > 0 {
					errRetry = fmt.Errorf("there is no message %.80q in the queue", id)
				}
			}
			err = errors.Join(err, errRetry)
		}
		return err
	})
	if err != nil {
		return err
	}
	return withSite(options, env, func(s *site.Site) error {
		left, err := serve.NewQueue(s, env, nil).Drain(options.Context)
		switch {
		case errors.Is(err, spool.ErrRunning):
			return nil
		case err != nil:
			return err
		case left > 0:
			return &process.ExitError{Code: process.ExitTemporary, Err: fmt.Errorf("messages left in the queue: %d; %s queue shows them", left, env.Program)}
		}
		return nil
	})
}
