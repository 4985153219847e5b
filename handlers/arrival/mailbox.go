package arrival

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"imip-agent/handlers/deliver"
	"imip-agent/handlers/mail"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// making says how a mail for the mailbox is made of the message. It stands in the letter in the place of the
// mail: the mail system keeps the message until all is done, and mails of 40 MB need not be kept twice. What
// was decided first stays so.
type making struct {
	Form Form   `json:"form"`
	Text string `json:"summary,omitempty"`
	// Domain is that of the identifier of a summary alone.
	Domain string `json:"domain,omitempty"`
}

// Form is what a mail for the mailbox is.
type Form string

const (
	AsItCame Form = "message"
	Wrapped  Form = "wrapped" // a summary, and the message enclosed
	Alone    Form = "summary"
)

// MailboxMail returns a mail for a user's mailbox, with the summary if there is one in its form.
func (h *Handler) MailboxMail(m *Message, user calendar.URI, form Form, summary string) deliver.Mail {
	made, from := making{Form: form}, h.envelopeSender(m)
	if form != AsItCame {
		made.Text = summary
	}
	if form == Alone {
		made.Domain, from = domainOf(h.Sender), h.Sender.Address()
	}
	return deliver.Mail{Envelope: deliver.Envelope{Mailbox: true, Made: true, From: from, To: user.Address()}, Text: made}
}

// WriteTo implements [io.WriterTo].
func (m making) WriteTo(w io.Writer) (int64, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	return stores.Mail(text).WriteTo(w)
}

// make makes a mail for the mailbox.
func (m *Message) make(_ deliver.Envelope, of io.Reader) (io.ReadCloser, error) {
	var how making
	if err := json.NewDecoder(of).Decode(&how); err != nil {
		return nil, fmt.Errorf("read how the mail for the mailbox is made: %w", err)
	}
	var made *mail.Composed
	var err error
	switch how.Form {
	case AsItCame: // DEVIATION: message-as-it-came.
		return io.NopCloser(m.Source.Open()), nil
	case Wrapped:
		made, err = mail.Wrap(how.Text, m.Source)
	case Alone:
		made, err = mail.Alone(how.Text, m.Source, how.Domain)
	default:
		err = fmt.Errorf("%q is no form of a mail for the mailbox", how.Form)
	}
	if err != nil {
		return nil, err
	}
	return io.NopCloser(made.Open()), nil
}

// envelopeSender returns who is told if the mailbox refuses the message: whom the mail system names, or the message's
// Return-Path, which may be nobody; else the calendar system.
func (h *Handler) envelopeSender(m *Message) string {
	if m.sender != nil {
		return *m.sender
	}
	if path, ok := m.Fields.ReturnPath(); ok {
		return path
	}
	return h.Sender.Address()
}

// domainOf returns the domain of an address.
func domainOf(uri calendar.URI) string {
	address := uri.Address()
	return address[strings.LastIndexByte(address, '@')+1:]
}
