package compat

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
)

// envelope is the line before each mail that a program prints instead of handing it over.
var envelope = regexp.MustCompile(`(?m)^(?:From nobody |mail from <).*\n`)

// handed tells of the mails that a program printed in a step instead of handing them over, one a line:
// "message" is the message as it came, "summary" what a program says of it, "wrapped" both in one. An answer is
// told of by its methods and its recipient, and that of a resource by all that stands in it, but for what its program is
// called, and for time zones.
func handed(printed string, s *Step) string {
	printed = strings.ReplaceAll(printed, "\r\n", "\n")
	message := bytes.ReplaceAll(s.Message, []byte("\r\n"), []byte("\n"))
	var mails []string
	for _, text := range envelope.Split(printed, -1)[1:] {
		kind := kindOf(text, body(string(message)))
		if s.Program == Resource && kind != "message" {
			kind += "\n" + strings.TrimSuffix(contentOf(text), "\n")
		}
		mails = append(mails, kind+"\n")
	}
	if s.Program == Resource { // to several, in any order
		slices.Sort(mails)
	}
	return strings.Join(mails, "")
}

// contentOf tells what stands in the calendars of an answer, in lines that are indented.
func contentOf(text string) string {
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return ""
	}
	var out strings.Builder
	for _, calendar := range calendars(textproto.MIMEHeader(m.Header), m.Body) {
		c, _, err := readComponent(unfold(strings.ReplaceAll(calendar, "\r\n", "\n")))
		if err != nil {
			return err.Error() + "\n"
		}
		for _, nested := range c.nested {
			if nested.name != "VTIMEZONE" {
				out.WriteString(strings.Join(nested.lines("  "), "\n") + "\n")
			}
		}
	}
	return out.String()
}

// calendars returns the texts of the calendars in a part of a mail, in order.
func calendars(header textproto.MIMEHeader, r io.Reader) (out []string) {
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return nil
	}
	if !strings.HasPrefix(media, "multipart/") {
		if media != "text/calendar" {
			return nil
		}
		switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
		case "base64":
			r = base64.NewDecoder(base64.StdEncoding, r)
		case "quoted-printable":
			r = quotedprintable.NewReader(r)
		}
		text, _ := io.ReadAll(r)
		return []string{string(text)}
	}
	for parts := multipart.NewReader(r, params["boundary"]); ; {
		part, err := parts.NextPart()
		if err != nil {
			return out
		}
		out = append(out, calendars(part.Header, part)...)
	}
}

// body returns what follows the header of a mail, without the white space around it.
func body(text string) string {
	_, after, _ := strings.Cut(text, "\n\n")
	return strings.TrimSpace(after)
}

// kindOf tells what a mail is, after a message with that body has come.
func kindOf(text, came string) string {
	m, err := mail.ReadMessage(strings.NewReader(text))
	switch {
	case body(text) == came:
		return "message"
	case err != nil:
		return "unreadable: " + err.Error()
	case m.Header.Get("X-IMIP-Agent") != "" && !strings.Contains(text, "message/rfc822"):
		return "summary"
	case strings.Contains(text, "message/rfc822"):
		return "wrapped"
	}
	to := m.Header.Get("To")
	if address, err := mail.ParseAddress(to); err == nil {
		to = address.Address
	}
	return strings.Join(methods(m.Header.Get("Content-Type"), m.Body), ", ") + " to " + to
}

// methods returns the methods of the calendars in a part of a mail, in order.
func methods(contentType string, r io.Reader) (out []string) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return []string{"unreadable: " + err.Error()}
	}
	if !strings.HasPrefix(media, "multipart/") {
		if params["method"] == "" { // a text beside the calendar
			return nil
		}
		return []string{params["method"]}
	}
	for parts := multipart.NewReader(r, params["boundary"]); ; {
		part, err := parts.NextPart()
		if err != nil {
			return out
		}
		out = append(out, methods(part.Header.Get("Content-Type"), part)...)
	}
}
