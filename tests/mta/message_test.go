package mta

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/clock"
)

// invitation returns a message with a REQUEST as a mail client would send it. The
// event begins at the given hour, so that several do not stand in one place.
func invitation(from, organizer, uid string, hour int, attendees ...string) []byte {
	calendar := []string{
		"BEGIN:VCALENDAR", "PRODID:-//Example//EN", "VERSION:2.0", "METHOD:REQUEST",
		"BEGIN:VEVENT", "UID:" + uid, "DTSTAMP:20261120T090000Z", "SEQUENCE:0",
		fmt.Sprintf("DTSTART:20261202T%02d0000Z", hour), fmt.Sprintf("DTEND:20261202T%02d3000Z", hour),
		"SUMMARY:Planning " + uid, "ORGANIZER:mailto:" + organizer,
	}
	for _, a := range attendees {
		calendar = append(calendar, "ATTENDEE;RSVP=TRUE:mailto:"+a)
	}
	calendar = append(calendar, "END:VEVENT", "END:VCALENDAR", "")
	return multipart(from, uid, attendees,
		part("text/plain; charset=utf-8", "8bit", "You are invited. Grüße, ſchöne.\r\n.\r\nA line with one full stop stands above.\r\n"),
		part("text/calendar; charset=utf-8; method=REQUEST", "8bit", strings.Join(calendar, "\r\n")))
}

// calendarPart returns the calendar part of a message from invitation.
func calendarPart(message []byte) string {
	text := string(message[bytes.LastIndex(message, []byte("Content-Type: text/calendar")):])
	return strings.TrimSuffix(text, "\r\n--"+boundary+"--\r\n")
}

// letter returns a message without a calendar part.
func letter(from, id string, to ...string) []byte {
	return multipart(from, id, to, part("text/plain; charset=us-ascii", "7bit", "Shall we meet for lunch?\r\n"))
}

// attachment returns a part of that many octets, before they are encoded.
func attachment(octets int) string {
	data := make([]byte, octets)
	for i := range data {
		data[i] = byte(i * i >> 3)
	}
	var text bytes.Buffer
	encoded := base64.StdEncoding.EncodeToString(data)
	for ; len(encoded) > 76; encoded = encoded[76:] {
		text.WriteString(encoded[:76] + "\r\n")
	}
	text.WriteString(encoded + "\r\n")
	return part("application/octet-stream; name=plan.bin", "base64", text.String())
}

func part(contentType, encoding, text string) string {
	return "Content-Type: " + contentType + "\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n" + text
}

// boundary stands between the parts of every message.
const boundary = "=_next_part_of_it"

func multipart(from, id string, to []string, parts ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: Planning\r\n", from, strings.Join(to, ",\r\n "))
	fmt.Fprintf(&b, "Date: Fri, 20 Nov 2026 09:00:00 +0000\r\nMessage-ID: <%s@client.example.com>\r\n", id)
	fmt.Fprintf(&b, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n", boundary)
	for _, p := range parts {
		fmt.Fprintf(&b, "--%s\r\n%s\r\n", boundary, p)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return []byte(b.String())
}

// unchanged fails the test unless a message arrived as it was sent, below lines
// that only say how it came.
func unchanged(t *testing.T, arrived, sent []byte) {
	t.Helper()
	trace, ok := bytes.CutSuffix(arrived, sent)
	if !ok {
		t.Fatalf("the message has been changed; it arrived as\n%.2000s", arrived)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(trace)), "\r\n") {
		folded := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
		if !folded && !strings.HasPrefix(line, "Received: ") && !strings.HasPrefix(line, "Received-SPF: ") {
			t.Errorf("a header field has been added: %s", line)
		}
	}
	if bytes.Contains(trace, []byte("people-outgoing")) {
		t.Errorf("the recipient can see the copy: %s", trace)
	}
}

// send hands a message to a mail server, from an address of this machine ("" for
// the usual one), in one session. Bare addresses, "" for the null sender; a recipient
// may be followed by options, which are sent if the server knows of reports at all.
func send(server, local, from string, to []string, message []byte) error {
	c, err := connect(server, local)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := transact(c, from, to, message); err != nil {
		return err
	}
	return c.Quit()
}

// connect begins a session with a mail server on this machine, from an address of the machine (empty: any). It is to be closed.
func connect(server, local string) (*smtp.Client, error) {
	dialer := net.Dialer{Timeout: 30 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}}
	conn, err := dialer.Dial("tcp", server)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(clock.Kernel().Add(patience)); err != nil {
		conn.Close()
		return nil, err
	}
	c, err := smtp.NewClient(conn, "127.0.0.1")
	if err != nil {
		conn.Close()
		return nil, err
	}
	if err := c.Hello("client.example.com"); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// logIn authenticates with the password `secret`.
func logIn(c *smtp.Client, login string) error {
	return c.Auth(smtp.PlainAuth("", login, "secret", "127.0.0.1"))
}

// transact sends one message in a session.
func transact(c *smtp.Client, from string, to []string, message []byte) error {
	if err := c.Mail(from); err != nil {
		return err
	}
	for _, address := range to {
		address, options, _ := strings.Cut(address, " ")
		if ok, _ := c.Extension("DSN"); ok && options != "" {
			if err := command(c, 25, "RCPT TO:<%s> %s", address, options); err != nil {
				return err
			}
		} else if err := c.Rcpt(address); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	return w.Close()
}

// command sends a command for which the library has no method.
func command(c *smtp.Client, expect int, format string, args ...any) error {
	id, err := c.Text.Cmd(format, args...)
	if err != nil {
		return err
	}
	c.Text.StartResponse(id)
	defer c.Text.EndResponse(id)
	_, _, err = c.Text.ReadResponse(expect)
	return err
}
