// Package handler is what the programs have in common that handle a message: their command lines, how
// long they take, and how they end.
package handler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"imip-agent/cmd/internal/process"
	"imip-agent/cmd/internal/site"
	"imip-agent/handlers/spool"
)

// Program is a program that handles a message.
type Program struct {
	Name    string
	Help    site.Help     // without its name and options
	Options []site.Option // those that others do not have

	// Prepare returns what handles a message, by the words of a command line, which may be wrong. Nothing
	// has been read yet. Every error is temporary.
	Prepare func(s *site.Site, line *site.CommandLine, env process.Environment) (func(context.Context, io.Reader) error, error)

	// Later is Prepare for a site that has messages handled later (SPOOL_FIRST): what it returns only keeps a
	// message. No store is opened. Nil: the program handles them at once.
	Later func(s *site.Site, line *site.CommandLine, env process.Environment) (func(context.Context, io.Reader) error, error)

	// AtOnce reports whether a message is handled at once all the same, by the words of a command line. Nil: it is not.
	AtOnce func(line *site.CommandLine) bool
}

// drainTime is how long the rest of a message is waited for that is of no use any more.
const drainTime = 10 * time.Second

// Run handles the message on standard input as the words of the command line
// say, in a store of one of the types that there are. A store of another type is for
// [process.Databases], which goes on in this process. Every error is temporary.
func (p *Program) Run(ctx context.Context, words []string, env process.Environment, types site.Types) error {
	help := p.help(env.Program)
	line, err := site.Parse(words, help.Options)
	switch {
	case err != nil:
	case line.Bool("help"):
		_, err := help.WriteTo(env.Stdout)
		return err
	case line.Bool("version"):
		_, err := fmt.Fprintln(env.Stdout, env.Program, site.Version())
		return err
	default:
		err = p.handle(ctx, line, env, types)
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

func (p *Program) help(program string) site.Help {
	help := p.Help
	help.Program, help.Usage = program, program+" [options] < MESSAGE"
	help.Options = append(site.Options(), p.Options...)
	help.Options = append(help.Options,
		site.Option{Name: "sender", Letter: "s", Value: "ADDRESS", Usage: "the calendar system's own ADDRESS (MESSAGE_SENDER)", Addresses: true},
		site.Option{Name: "version", Usage: "print the version"},
	)
	return help
}

// handle handles the message.
func (p *Program) handle(ctx context.Context, line *site.CommandLine, env process.Environment, types site.Types) error {
	set := map[string]string{}
	if sender := line.String("sender"); sender != "" {
		set["MESSAGE_SENDER"] = sender
	}
	s, err := site.Configure(line, env, set)
	if err != nil {
		return err
	}
	s.Beside = true // there is a mail to be delivered meanwhile
	prepare := p.Prepare
	if p.isLater(s, line, env) {
		prepare = p.Later
		s.OpenLog(env)
	} else if err := s.OpenStore(env, types); err != nil {
		return err
	}
	if len(line.Left) > 0 {
		s.Log.Warn("words on the command line that belong to no option", "words", strings.Join(line.Left, " "))
	}
	handle, err := prepare(s, line, env)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	err = process.Within(ctx, s.Config.Deadline, process.Grace, func(ctx context.Context) error {
		return process.Apart(ctx, env, process.Interruptible(ctx, env.Stdin), func(message io.Reader) error {
			return handle(ctx, message)
		})
	})
	var caught *process.PanicError
	if errors.As(err, &caught) {
		s.Log.Error(caught.Error(), "stack", string(caught.Stack))
	}
	return errors.Join(err, s.Close())
}

// isLater reports whether a message is only kept. One that has been kept is handled, in a process of its own or not.
func (p *Program) isLater(s *site.Site, line *site.CommandLine, env process.Environment) bool {
	return p.Later != nil && s.Config.SpoolFirst && !process.IsChild(env) && (p.AtOnce == nil || !p.AtOnce(line))
}

// NewSpool returns what puts messages into a site's spool, at which another process looks.
func NewSpool(s *site.Site, env process.Environment) spool.Putter {
	dir := &spool.Dir{Path: s.Config.Spool(), Now: env.Now, MostMessages: s.Config.SpoolLimit, MostOctets: s.Config.SpoolSize}
	return putter{dir, s.Log}
}

type putter struct {
	dir *spool.Dir
	log *slog.Logger
}

// Put implements [spool.Putter].
func (p putter) Put(note spool.Note, message io.WriterTo, size int64) error {
	item, err := p.dir.Put(note, message, size)
	if err == nil {
		p.log.Info("spooled", "id", item.ID, "user", item.Lane(), "source", item.Source)
	}
	return err
}
