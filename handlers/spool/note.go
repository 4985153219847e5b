package spool

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"imip-agent/stores/rejected"
)

// Note says whose a message is, and where it is from. All text may come from strangers.
type Note struct {
	User      string // who has sent the message, and whose it is: an address; empty: nobody has said it
	Order     string // what the message is kept in order with, where there is no User: an address
	Recipient string // the resource that the message has arrived for, and whose it is: an address; empty: a user has sent the message
	Source    string // which part of the service has taken it
	Sender    string // of the envelope
	Mail      string // the mail system's name for it

	Received time.Time
	Size     int64 // octets of the message
}

// Lane returns the name of the messages among which the message keeps its place.
func (n *Note) Lane() string {
	return strings.ToLower(cmp.Or(n.Recipient, n.User, n.Order))
}

const (
	fieldPrefix = "X-Imip-Agent-"
	sizeField   = "Size" // the last one
	timeField   = "Received"

	// maxNote is how many octets a note may have, more than any that is written here.
	maxNote = 64 << 10
	// maxValue is how many octets a value may have that counts.
	maxValue = 1000
)

type field struct {
	name string
	text *string
}

func (n *Note) fields() []field {
	return []field{{"User", &n.User}, {"Order", &n.Order}, {"Recipient", &n.Recipient}, {"Source", &n.Source}, {"Sender", &n.Sender}, {"Mail", &n.Mail}}
}

// encode returns the note as it stands before the message. Of text that is only for people the beginning is kept.
func (n Note) encode() ([]byte, error) {
	if max(len(n.User), len(n.Order), len(n.Recipient)) > maxValue {
		return nil, fmt.Errorf("the user's address has more than %d octets", maxValue)
	}
	var b strings.Builder
	line := func(name, value string) { b.WriteString(fieldPrefix + name + ": " + value + "\r\n") }
	for _, f := range n.fields() {
		if *f.text != "" {
			line(f.name, rejected.Escape((*f.text)[:min(len(*f.text), maxValue)]))
		}
	}
	line(timeField, n.Received.UTC().Format(time.RFC3339Nano))
	line(sizeField, strconv.FormatInt(n.Size, 10))
	return []byte(b.String()), nil
}

// BrokenError says that a file is no message with its note. It will never be one.
type BrokenError struct{ reason string }

func (e *BrokenError) Error() string { return "the file in the spool is damaged: " + e.reason }

// readNote reads a note from r, up to the message. An error is a [*BrokenError], or the reader's.
func readNote(r *bufio.Reader) (Note, error) {
	var n Note
	timed := false
	for left := maxNote; ; {
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return n, &BrokenError{"it ends before the message"}
		case errors.Is(err, bufio.ErrBufferFull) || left < len(line):
			return n, &BrokenError{"its note is too long"}
		case err != nil:
			return n, err
		}
		left -= len(line)
		rest, ours := strings.CutPrefix(strings.TrimRight(string(line), "\r\n"), fieldPrefix)
		name, value, colon := strings.Cut(rest, ": ")
		if !ours || !colon {
			return n, &BrokenError{fmt.Sprintf("%.60q is no line of a note", line)}
		}
		switch name {
		case sizeField:
			n.Size, err = strconv.ParseInt(value, 10, 64)
			if err != nil || n.Size < 0 || !timed {
				return n, &BrokenError{"its note lacks a size or a time"}
			}
			return n, nil
		case timeField:
			n.Received, err = time.Parse(time.RFC3339Nano, value)
			if timed = err == nil; !timed {
				return n, &BrokenError{"its note lacks a time"}
			}
		}
		for _, f := range n.fields() {
			if f.name == name {
				*f.text = rejected.Unescape(value)
			}
		}
	}
}

// Try says what became of a message that could not be handled.
type Try struct {
	Tries  int
	Next   time.Time // when it is tried again; zero: somebody wants it tried now
	Reason string
}

func (t Try) encode() []byte {
	return fmt.Appendf(nil, "Tries: %d\nNext: %s\nReason: %s\n", t.Tries, t.Next.UTC().Format(time.RFC3339), rejected.Escape(t.Reason))
}

// parseTry reads what encode has written, and passes over everything else.
func parseTry(text string) (t Try) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ": ")
		switch name {
		case "Tries":
			if n, err := strconv.Atoi(value); err == nil && n >= 0 {
				t.Tries = n
			}
		case "Next":
			t.Next, _ = time.Parse(time.RFC3339, value)
		case "Reason":
			t.Reason = rejected.Unescape(value)
		}
	}
	return t
}
