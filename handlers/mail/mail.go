// Package mail takes a mail (RFC 5322, MIME: RFC 2045 and 2046) apart as far as
// scheduling needs it (iMIP, RFC 6047): who it is from, the calendar parts in it,
// and whether it is a delivery report.
//
// Mail that is broken is read as far as it makes sense, and never an error:
// what a mail client sent is not to be refused for a missing quote or boundary.
// go-message reads parameters and charsets; it refuses a whole message at the
// first bad header line, so taking headers and parts apart is done here, where
// the first good reading is looked for instead. The parts are slices of the
// message: nothing is copied or decoded but calendar parts.
//
// The package also puts mails together, which are of three kinds. [Wrap] makes a mail for a
// mailbox of a text and a message as it came, which is enclosed byte for byte; [Alone] makes
// one of the text only; [Draft] makes one for somebody else, of calendars. A message that goes
// on as it came is kept by a [Spool] while it is read, on disk if it is large, and so is one
// that is enclosed: it is copied when the composed mail is written, and never held in memory.
//
// A composed mail is the same each time that it is written, its boundaries and its identifier
// too, since these are digests of what it is made of. So a mail that was written in part can be
// written again, and whoever gets one twice can see it. Lines that are made here end in CRLF;
// those of a message as it came have the ends that they came with, until they are on the wire.
package mail

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Message is what scheduling needs of a mail.
type Message struct {
	// From holds the addresses of all From fields, in order, as spelled and bare:
	// no display names, no brackets. A name without a domain is among them only
	// where it stands as an address does. From fields of enclosed messages don't count.
	// Of more than a thousand, the rest is left out.
	From []string

	// Bounce says that a delivery report is somewhere in the mail (RFC 3464): what
	// it quotes was sent before and is not to be handled again.
	Bounce bool

	// Parts are the calendar parts at any depth, in the order of the mail. Those of
	// enclosed messages are not among them: they were sent by somebody else.
	Parts []Part

	// Source is the mail as it was read, without what was left out of it; nil if it was written
	// elsewhere as it was read (see [Read]).
	Source []byte

	// LeftOut is how many octets of the mail are not in Source: of attachments, and of headers
	// that are longer than any.
	LeftOut int64

	// Unread says why something in the mail was not looked at that may be a calendar. It holds
	// no text of the mail.
	Unread []string
}

// Part is a calendar part: text/calendar, text/x-vcalendar or application/ics
// that has a method parameter. A calendar without one is an attached file, not a
// scheduling message (RFC 6047 section 2.4).
type Part struct {
	Type    string // the media type, lower case
	Method  string // the method parameter as given
	Charset string // the charset parameter as given, "" if none
	Text    string // the content, decoded; valid UTF-8 without a byte order mark
}

// Nothing reports whether there is nothing in the mail for a calendar.
func (m *Message) Nothing() bool { return m.Bounce || len(m.Parts) == 0 && len(m.Unread) == 0 }

// Read reads a mail from r, to its end whatever happens but a failing r, so that
// the writer at the other end of a pipe is never cut off. The limit is on the calendar data
// of all parts together, in octets.
//
// Where something in it cannot be looked at, such as calendar data over the limit, reading ends
// there, and Unread says so. The mail is then written to what aside returns, all of it but
// what was left out before; with aside nil the rest of it is left out. The error is that of r,
// or of aside.
func Read(r io.Reader, limit int64, aside func() (io.Writer, error)) (*Message, error) {
	m := new(Message)
	limit = min(max(limit, 0), maxLimit)
	p := newParser(&reading{message: m, limit: limit, left: limit, parts: maxParts, again: maxAgain}, nil)
	p.rest = r
	p.top()
	if p.failure != nil {
		return nil, fmt.Errorf("read the message: %w", p.failure)
	}
	if !p.stopped {
		m.Source = p.data
		return m, nil
	}
	rest := p.rest
	if rest == nil {
		rest = strings.NewReader("")
	}
	if aside == nil || m.Bounce {
		m.Source = p.data
		n, err := io.Copy(io.Discard, rest)
		if err != nil {
			return nil, fmt.Errorf("read the message: %w", err)
		}
		m.LeftOut += n
		return m, nil
	}
	w, err := aside()
	if err == nil {
		_, err = io.Copy(w, io.MultiReader(bytes.NewReader(p.data), rest))
	}
	if err != nil {
		io.Copy(io.Discard, rest)
		return nil, fmt.Errorf("reject the message, which can be handled only in part (%s): %w", strings.Join(m.Unread, "; "), err)
	}
	return m, nil
}

// maxLimit is the largest limit, with which there is no overflow.
const maxLimit = 1 << 50
