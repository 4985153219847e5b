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
package mail

import (
	"errors"
	"fmt"
	"io"
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

	// Source is the mail as it was read.
	Source []byte

	// Warnings says, for the log, what was not looked at. They hold no text of the mail.
	Warnings []string
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

// ErrTooLarge says that a mail is over the limit. It has been read to its end.
var ErrTooLarge = errors.New("mail: message is over the size limit")

// firstRead is the size of the buffer at first, enough for most invitations.
const firstRead = 32 << 10

// Read reads a mail from r, to its end whatever happens but a failing r, so that
// the writer at the other end of a pipe is never cut off. limit is in octets. The
// error is ErrTooLarge, or that of r.
func Read(r io.Reader, limit int64) (*Message, error) {
	source, err := readAll(r, limit)
	if err != nil {
		return nil, err
	}
	return Parse(source), nil
}

// Parse takes apart a mail that has been read. The result refers to source, which
// must not be changed any more.
func Parse(source []byte) *Message {
	m := &Message{Source: source}
	p := newParser(m, bareBreaks(source), newBudget(len(source)))
	p.top()
	return m
}

// readAll reads r to its end and returns what it read if that is within limit.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	limit = max(limit, 0)
	buffer := make([]byte, 0, min(firstRead, limit+1))
	for {
		if len(buffer) == cap(buffer) {
			// The room is doubled, and ends one octet over the limit.
			larger := make([]byte, len(buffer), min(2*int64(cap(buffer)), limit+1))
			copy(larger, buffer)
			buffer = larger
		}
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case int64(len(buffer)) > limit:
			buffer = nil
			if err == nil {
				_, err = io.Copy(io.Discard, r)
			}
			if err != nil && err != io.EOF {
				return nil, fmt.Errorf("read the message: %w", err)
			}
			return nil, ErrTooLarge
		case err == io.EOF:
			return buffer, nil
		case err != nil:
			return nil, fmt.Errorf("read the message: %w", err)
		}
	}
}
