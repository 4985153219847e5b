package mail

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
)

// Draft is a mail to one other person, with calendars (iMIP, RFC 6047), and with a text before them for who reads it.
//
// DEVIATION: answers-in-full. The original leaves fields out.
type Draft struct {
	From, To  string // addresses, without names
	Subject   string
	Date      time.Time
	About     Fields     // the header of the message that it answers; nil: none
	Text      string     // empty: there is none
	Calendars []Calendar // a part each, in their order; one at least
}

// Calendar is a scheduling message.
type Calendar struct {
	Method string
	Text   []byte // a whole VCALENDAR in UTF-8
}

// Compose puts the mail together. An error is for ever: an address or a method that can stand
// in no mail.
func (d *Draft) Compose() (*Composed, error) {
	if len(d.Calendars) == 0 {
		return nil, errors.New("mail: a draft without a calendar")
	}
	for _, address := range []string{d.From, d.To} {
		if at := strings.LastIndexByte(address, '@'); at <= 0 || at == len(address)-1 || strings.ContainsFunc(address, isControl) {
			return nil, fmt.Errorf("mail: %q is not an address", address)
		}
	}
	made := []string{d.From, d.To, d.Subject, d.Date.UTC().Format(time.RFC3339Nano)}
	for _, c := range d.Calendars {
		made = append(made, c.Method, string(c.Text))
	}
	inReplyTo, _ := d.About.Thread()
	made = append(made, inReplyTo)

	var h mail.Header // the last that is added comes first
	if d.Text != "" {
		made = append(made, d.Text)
	}
	several := d.Text != "" || len(d.Calendars) > 1
	if several {
		h.SetContentType("multipart/mixed", map[string]string{"boundary": identify(append(made, "boundary")...)})
	} else if err := d.Calendars[0].describe(&h.Header); err != nil {
		return nil, err
	}
	h.Set("MIME-Version", "1.0")
	h.Set("Auto-Submitted", "auto-generated") // RFC 3834 section 5
	thread(&h.Header.Header, d.About)
	h.Set("Message-Id", messageID(d.From[strings.LastIndexByte(d.From, '@')+1:], made...))
	h.SetDate(d.Date)
	addSubject(&h.Header, strings.Join(strings.FieldsFunc(d.Subject, isControl), " "))
	h.SetAddressList("To", []*mail.Address{named(d.To)})
	h.SetAddressList("From", []*mail.Address{named(d.From)})

	var b bytes.Buffer
	w, err := message.CreateWriter(&b, h.Header)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	if d.Text != "" {
		if err := addText(w, d.Text); err != nil {
			return nil, err
		}
	}
	for _, c := range d.Calendars {
		part := w
		if several {
			var of message.Header
			if err := c.describe(&of); err != nil {
				return nil, err
			}
			if part, err = w.CreatePart(of); err != nil {
				return nil, fmt.Errorf("mail: %w", err)
			}
		}
		_, err := part.Write(c.Text)
		if err = errors.Join(err, part.Close()); err != nil {
			return nil, fmt.Errorf("mail: %w", err)
		}
	}
	if several {
		if err := w.Close(); err != nil {
			return nil, fmt.Errorf("mail: %w", err)
		}
	}
	return &Composed{head: b.Bytes()}, nil
}

// addText adds a part with a text.
func addText(w *message.Writer, text string) error {
	var of message.Header
	of.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	of.Set("Content-Transfer-Encoding", "quoted-printable")
	part, err := w.CreatePart(of)
	if err == nil {
		_, err = part.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
		err = errors.Join(err, part.Close())
	}
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	return nil
}

// named returns an address for a field. Quotes in it, which the field gets again, are undone.
func named(address string) *mail.Address {
	if parsed, err := mail.ParseAddress("<" + address + ">"); err == nil {
		return parsed
	}
	return &mail.Address{Address: address}
}

// addSubject adds the field Subject. Where it has encoded words, there is one in a line, since
// a line with them has 76 characters at most (RFC 2047 section 2); go-message would put them
// all into one.
func addSubject(h *message.Header, subject string) {
	encoded := mime.QEncoding.Encode("utf-8", subject)
	if encoded == subject {
		h.Add("Subject", subject)
		return
	}
	const name = "Subject: "
	words := strings.Split(encoded, "?= =?")
	folded := name + strings.Join(words, "?=\r\n =?")
	if len(words) > 1 && len(name)+len(words[0]) > 74 {
		folded = name + "\r\n " + folded[len(name):]
	}
	h.AddRaw([]byte(folded + "\r\n"))
}

// describe says in a header what the part is.
func (c Calendar) describe(h *message.Header) error {
	if c.Method == "" || strings.ContainsFunc(c.Method, func(r rune) bool { return r != '-' && (r < 'A' || r > 'Z') }) {
		return fmt.Errorf("mail: %q is not a method", c.Method)
	}
	h.Set("Content-Transfer-Encoding", c.encoding())
	// RFC 6047 section 2.4.
	h.SetContentType("text/calendar", map[string]string{"charset": "utf-8", "method": c.Method})
	return nil
}

// encoding returns the transfer encoding for the calendar: none where every mail system lets it
// through as it is (RFC 2045 section 2.7).
func (c Calendar) encoding() string {
	for line := range bytes.Lines(c.Text) {
		text, ended := bytes.CutSuffix(line, []byte("\r\n"))
		odd := func(r rune) bool { return r == 0 || r == '\r' || r == '\n' || r > '~' }
		if !ended || len(text) > maxLine || bytes.ContainsFunc(text, odd) || bytes.HasPrefix(text, []byte("From ")) {
			return "quoted-printable"
		}
	}
	return "7bit"
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
