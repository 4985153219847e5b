package deliver

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Envelope says where a mail goes, whatever its header says.
type Envelope struct {
	// Mailbox says that it goes to the mailbox of a user here. Else it goes to the mail server
	// for everybody.
	Mailbox bool   `json:"mailbox,omitempty"`
	From    string `json:"from"` // an address; empty: the null sender
	To      string `json:"to"`   // an address
	// Made says that the letter does not have the mail itself, but what it is to be made of by those who
	// have the message that it is for: see [Sender]. So a message is not kept twice.
	Made bool `json:"made,omitempty"`
}

// Mail is a mail that is owed to somebody.
type Mail struct {
	Envelope
	Text io.WriterTo // as it goes out; see [stores.Letter] for when it is written
}

// Letter returns the letter of that name with mails, those for mailboxes first. The store keeps
// each with its envelope, in a line of JSON before it.
func Letter(name string, mails ...Mail) stores.Letter {
	letter := stores.Letter{Name: name}
	for _, mailbox := range []bool{true, false} {
		for _, m := range mails {
			if m.Mailbox == mailbox {
				letter.Mails = append(letter.Mails, m)
			}
		}
	}
	return letter
}

// Name returns the name of the letter that is owed for a message, by its digest, and the user
// to whom it has come. A message that is handed in again has the same.
func Name(message [sha256.Size]byte, user calendar.URI) string {
	sum := sha256.Sum256(slices.Concat(message[:], []byte(user)))
	return hex.EncodeToString(sum[:])
}

// WriteTo writes the mail as it stands in a letter.
func (m Mail) WriteTo(w io.Writer) (int64, error) {
	line, err := json.Marshal(m.Envelope)
	if err != nil {
		return 0, err
	}
	n, err := w.Write(append(line, '\n'))
	written := int64(n)
	if err != nil || m.Text == nil {
		return written, err
	}
	text, err := m.Text.WriteTo(w)
	return written + text, err
}

// maxEnvelope is how long the line of an envelope can be.
const maxEnvelope = 16 << 10

// Open reads a mail as it stands in a letter: its envelope, and what is left to read is the text.
func Open(r io.Reader) (Envelope, io.Reader, error) {
	b := bufio.NewReader(r)
	line, err := envelopeLine(b)
	var envelope Envelope
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		err = d.Decode(&envelope)
	}
	if err == nil && envelope.To == "" {
		err = errors.New("its envelope names no recipient")
	}
	if err != nil {
		return Envelope{}, nil, fmt.Errorf("read a mail of a letter: %w", err)
	}
	return envelope, b, nil
}

// envelopeLine reads the line of an envelope. It is good until b is read again.
func envelopeLine(b *bufio.Reader) ([]byte, error) {
	var begin []byte // of a line that is longer than what b holds at once, as few are
	for {
		line, err := b.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		switch {
		case err == io.EOF, len(begin)+len(line) > maxEnvelope:
			return nil, errors.New("it does not begin with an envelope")
		case full:
			begin = append(begin, line...)
		case err != nil:
			return nil, err
		case begin == nil:
			return line, nil
		default:
			return append(begin, line...), nil
		}
	}
}
