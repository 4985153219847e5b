package resource

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"

	"imip-agent/handlers/mail"
	"imip-agent/handlers/spool"
	"imip-agent/stores/calendar"
)

// Later takes messages that arrive for resources, and leaves them to whoever handles those of the spool. A resource answers by mail,
// so that a mail system need not wait for what it decides.
type Later struct {
	Spool spool.Putter
	Limit int64  // octets of a message's calendar data that are looked at
	Dir   string // for messages that are too large to be held in memory; empty: the system's

	// UsersOf is as for [arrival.Handler].
	UsersOf func(address string) ([]string, error)

	Log *slog.Logger
}

// enough is how many octets of calendar data are looked at to find that there are some.
const enough = 64 << 10

// Take reads a message from r, to its end, and puts it into the spool for each of the recipients, if there is something in it for a
// calendar. The error is temporary: the message must be handed in again, for all of them.
func (l *Later) Take(r io.Reader, recipients []string, note spool.Note) error {
	kept := mail.NewSpool(l.Dir)
	defer kept.Close()
	m, err := mail.Read(io.TeeReader(r, kept), min(l.Limit, enough), nil)
	if err != nil {
		return err
	}
	return l.put(m, kept, kept.Size(), recipients, note)
}

// TakeKept does as Take with a message that has been read, for one recipient. The note says who has sent it, which the message does not.
func (l *Later) TakeKept(kept *mail.Spool, recipient string, note spool.Note) error {
	m, err := mail.Read(kept.Open(), min(l.Limit, enough), nil)
	if err != nil {
		return err
	}
	path := "Return-Path: <" + note.Sender + ">\r\n" // as mail systems say it to programs
	return l.put(m, withPath{path, kept}, int64(len(path))+kept.Size(), []string{recipient}, note)
}

func (l *Later) put(m *mail.Message, message io.WriterTo, size int64, recipients []string, note spool.Note) error {
	var resources []string
	for _, address := range recipients {
		own, err := l.resources(address)
		if err != nil {
			return err
		}
		for _, resource := range own {
			if !slices.Contains(resources, resource) {
				resources = append(resources, resource)
			}
		}
	}
	for _, resource := range resources {
		if m.Nothing() {
			l.Log.Info("dropped", "user", resource, "reason", nothing)
			continue
		}
		note.Recipient = resource
		if err := l.Spool.Put(note, message, size); err != nil {
			return err
		}
	}
	return nil
}

// resources returns the resources that go by an address: each waits in its own order.
func (l *Later) resources(address string) ([]string, error) {
	address = calendar.NewURI(address).Address()
	if l.UsersOf == nil {
		return []string{address}, nil
	}
	own, err := l.UsersOf(address)
	if len(own) == 0 {
		own = []string{address}
	}
	return own, err
}

// withPath is a message with a line before it.
type withPath struct {
	line string
	kept *mail.Spool
}

// WriteTo implements [io.WriterTo].
func (m withPath) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, m.line)
	if err != nil {
		return int64(n), err
	}
	rest, err := m.kept.WriteTo(w)
	return int64(n) + rest, err
}

// HandleSpooled handles a message of the spool that has arrived for a resource.
func (h *Handler) HandleSpooled(ctx context.Context, m *spool.Message) error {
	if m.Recipient == "" {
		return errors.New("internal error: a message that a user has sent is handled as if it had arrived")
	}
	own := *h
	own.Recipients = []string{m.Recipient}
	return own.Handle(ctx, m)
}
