package compat

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
)

// mailsOf tells of the mails that a program printed instead of handing them over, in order of meaning: what kind they
// are, to the mailbox of the user, and of answers the recipient, and each object with its METHOD. What the
// original leaves out against the RFCs counts for nothing: see answers-in-full.
func mailsOf(printed string, message []byte) (out []string) {
	printed = strings.ReplaceAll(printed, "\r\n", "\n")
	message = bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n"))
	for _, text := range envelope.Split(printed, -1)[1:] {
		kind := kindOf(text, body(string(message)))
		if methods, to, ok := strings.Cut(kind, " to "); ok && !strings.HasPrefix(kind, "unreadable") {
			kind = "answer " + methods + " to " + to + "\n" + strings.Join(objectsOf(text), "\n")
		}
		if strings.HasPrefix(kind, "unreadable: mime: no media type") {
			kind = "summary" // of the original, which is alone
		}
		out = append(out, kind)
	}
	slices.Sort(out)
	return out
}

// objectsOf returns the meaning of the objects in a mail.
func objectsOf(text string) []string {
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return []string{"unreadable: " + err.Error()}
	}
	return objectsIn(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
}

func objectsIn(contentType, encoding string, r io.Reader) (out []string) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return []string{"unreadable: " + err.Error()}
	}
	if strings.HasPrefix(media, "multipart/") {
		for parts := multipart.NewReader(r, params["boundary"]); ; {
			part, err := parts.NextRawPart()
			if err != nil {
				return out
			}
			out = append(out, objectsIn(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)...)
		}
	}
	switch strings.ToLower(encoding) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return []string{"unreadable: " + err.Error()}
	}
	whole, _, err := readComponent(unfold(strings.ReplaceAll(strings.TrimSpace(string(content)), "\r\n", "\n")))
	if err != nil {
		return []string{"unreadable: " + err.Error()}
	}
	for _, c := range whole.nested {
		if c.name == "VTIMEZONE" {
			continue
		}
		c.properties = slices.DeleteFunc(c.properties, func(p property) bool {
			return p.name == "DTSTAMP" || c.name == "VFREEBUSY" && (p.name == "DTSTART" || p.name == "DTEND")
		})
		out = append(out, "METHOD "+params["method"]+"\n"+strings.Join(c.lines(""), "\n"))
	}
	return out
}
