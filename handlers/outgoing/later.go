package outgoing

import (
	"context"
	"io"

	"imip-agent/handlers/mail"
	"imip-agent/handlers/spool"
	"imip-agent/stores/calendar"
)

// Later takes messages that users send, and leaves them to whoever handles those of the spool.
type Later struct {
	Spool spool.Putter
	Limit int64  // octets of a message's calendar data that are looked at
	Dir   string // for messages that are too large to be held in memory; empty: the system's
}

// enough is how many octets of calendar data are looked at to find that there are some. Many messages can come at once, and the rest is
// for whoever handles them.
const enough = 64 << 10

// read reads a message as far as it takes to find whether there is something in it.
func (l *Later) read(r io.Reader) (*mail.Message, error) {
	return mail.Read(r, min(l.Limit, enough), nil)
}

// nobody is the order of messages from nobody.
const nobody = "nobody"

// Take reads a message from r, to its end, and puts it into the spool if there is something in it to be handled. It
// reports whether there is. The error is temporary: the message is not in the spool.
func (l *Later) Take(r io.Reader, note spool.Note) (bool, error) {
	kept := mail.NewSpool(l.Dir)
	defer kept.Close()
	m, err := l.read(io.TeeReader(r, kept))
	if err != nil {
		return false, err
	}
	return l.keep(m, kept, note)
}

// TakeKept does as Take with a message that has been read.
func (l *Later) TakeKept(kept *mail.Spool, note spool.Note) (bool, error) {
	m, err := l.read(kept.Open())
	if err != nil {
		return false, err
	}
	return l.keep(m, kept, note)
}

func (l *Later) keep(m *mail.Message, kept *mail.Spool, note spool.Note) (bool, error) {
	if m.Nothing() {
		return false, nil
	}
	if note.User == "" && note.Order == "" {
		note.Order = nobody
		if len(m.From) > 0 {
			note.Order = m.From[0]
		}
	}
	return true, l.Spool.Put(note, kept, kept.Size())
}

// HandleSpooled handles messages of the spool, as [Handler.HandleInOrder] does.
func (h *Handler) HandleSpooled(ctx context.Context, messages []*spool.Message) []error {
	copies := make([]Copy, len(messages))
	for i, m := range messages {
		copies[i].Message = m
		if m.User != "" {
			copies[i].Recipient = calendar.NewURI(m.User)
		}
	}
	return h.HandleInOrder(ctx, copies)
}
