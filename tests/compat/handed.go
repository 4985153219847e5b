package compat

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"regexp"
	"strings"
)

// envelope is the line before each mail that a program prints instead of handing it over.
var envelope = regexp.MustCompile(`(?m)^(?:From nobody |mail from <).*\n`)

// handed tells of the mails that a program printed instead of handing them over, one a line:
// "message" is the message as it came, "summary" what a program says of it, "wrapped" both in one. An answer is
// told of by its methods and its recipient.
func handed(printed string, message []byte) string {
	printed = strings.ReplaceAll(printed, "\r\n", "\n")
	message = bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n"))
	var out strings.Builder
	for _, text := range envelope.Split(printed, -1)[1:] {
		out.WriteString(kindOf(text, body(string(message))) + "\n")
	}
	return out.String()
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
