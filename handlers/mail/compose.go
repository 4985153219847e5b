package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/quotedprintable"
	"slices"
	"strings"

	"github.com/emersion/go-message/textproto"
)

// InfoField is the name of the field that marks a mail with a summary.
const InfoField = "X-IMIP-Agent"

// infoLine is that field.
const infoLine = InfoField + ": info\r\n"

// Composed is a mail that has been put together. A message that is enclosed in it is where it is
// spooled, and is copied only when the mail is written.
type Composed struct {
	head     []byte
	enclosed *Spool // nil: none
	tail     []byte
}

// WriteTo writes the mail. It may be called any number of times.
func (c *Composed) WriteTo(w io.Writer) (written int64, err error) {
	n, err := w.Write(c.head)
	written = int64(n)
	if err == nil && c.enclosed != nil {
		var copied int64
		copied, err = c.enclosed.WriteTo(w)
		written += copied
	}
	if err == nil {
		n, err = w.Write(c.tail)
		written += int64(n)
	}
	return written, err
}

// Open returns a reader of the mail, from its beginning. Readers do not disturb each other.
func (c *Composed) Open() io.Reader {
	if c.enclosed == nil {
		return io.MultiReader(bytes.NewReader(c.head), bytes.NewReader(c.tail))
	}
	return io.MultiReader(bytes.NewReader(c.head), c.enclosed.Open(), bytes.NewReader(c.tail))
}

// Wrap returns a mail with a text in front of a message as it came: the message is enclosed
// byte for byte (message/rfc822, RFC 2046 section 5.2.1). All fields of the message but those
// of MIME are repeated outside, so that mail programs show, sort and thread it as they would
// the message.
//
// DEVIATION: summaries-that-are-seen. The original puts the text where no mail program shows it.
func Wrap(text string, message *Spool) (*Composed, error) {
	fields, err := ReadFields(message.Open())
	if err != nil {
		return nil, fmt.Errorf("read the header of the message: %w", err)
	}
	var head bytes.Buffer
	for _, field := range fields {
		// Whoever sends the message does not say that there is a summary.
		if !ofMIME(field.Name) && !strings.EqualFold(field.Name, InfoField) {
			field.writeTo(&head)
		}
	}
	encoding := message.encoding()
	digest := message.Digest()
	boundary := identify("boundary", text, string(digest[:]))
	fmt.Fprintf(&head, "%sMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\n", infoLine, boundary)
	if encoding != "7bit" { // RFC 2045 section 6.4
		fmt.Fprintf(&head, "Content-Transfer-Encoding: %s\r\n", encoding)
	}
	fmt.Fprintf(&head, "\r\n--%s\r\n", boundary)
	writeText(&head, text)
	fmt.Fprintf(&head, "\r\n--%s\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: %s\r\nContent-Disposition: inline\r\n\r\n", boundary, encoding)
	return &Composed{head: head.Bytes(), enclosed: message, tail: []byte("\r\n--" + boundary + "--\r\n")}, nil
}

// ofMIME reports whether a field says how the body of its message is built.
func ofMIME(name string) bool {
	return len(name) >= 8 && strings.EqualFold(name[:8], "Content-") || strings.EqualFold(name, "MIME-Version")
}

// ofAlone are the fields of a message that a mail with a summary alone has of it.
var ofAlone = []string{"From", "Sender", "To", "Cc", "Reply-To", "Subject", "Date"}

// Alone returns a mail with a text about a message, which is not in it. It has an identifier
// of its own at a domain, since mailbox servers drop a second mail of the same identifier, and is an
// answer in the message's thread.
func Alone(text string, message *Spool, domain string) (*Composed, error) {
	fields, err := ReadFields(message.Open())
	if err != nil {
		return nil, fmt.Errorf("read the header of the message: %w", err)
	}
	var head bytes.Buffer
	for _, field := range fields {
		if slices.ContainsFunc(ofAlone, func(name string) bool { return strings.EqualFold(name, field.Name) }) {
			field.writeTo(&head)
		}
	}
	digest := message.Digest()
	h := textproto.Header{}
	thread(&h, fields)
	h.Add("Message-Id", messageID(domain, "summary", text, string(digest[:])))
	if err := writeFields(&head, h); err != nil {
		return nil, err
	}
	// So that nobody's holiday reply goes out twice (RFC 3834 section 5).
	fmt.Fprintf(&head, "Auto-Submitted: auto-generated\r\n%sMIME-Version: 1.0\r\n", infoLine)
	writeText(&head, text)
	head.WriteString("\r\n")
	return &Composed{head: head.Bytes()}, nil
}

// thread adds the fields that say to what a mail about a message belongs.
func thread(h *textproto.Header, of Fields) {
	inReplyTo, references := of.Thread()
	if inReplyTo != "" {
		h.Add("References", strings.Join(references, " "))
		h.Add("In-Reply-To", inReplyTo)
	}
}

// writeFields writes fields, folded, without the blank line behind them. The first that was
// added comes last.
func writeFields(w *bytes.Buffer, h textproto.Header) error {
	if err := textproto.WriteHeader(w, h); err != nil {
		return fmt.Errorf("write the header of a mail: %w", err)
	}
	w.Truncate(w.Len() - len("\r\n"))
	return nil
}

// writeText writes a text as a part, or the rest of a header and the body.
func writeText(w *bytes.Buffer, text string) {
	w.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Disposition: inline\r\n\r\n")
	q := quotedprintable.NewWriter(w)
	io.WriteString(q, text) // a buffer takes everything
	q.Close()
}

// writeTo writes a field as it came, but for the ends of its lines.
func (f Field) writeTo(w *bytes.Buffer) {
	for _, line := range f.Lines {
		w.Write(line)
		w.WriteString("\r\n")
	}
}

// identify returns a text of 32 characters that is the same for the same parts, and for no others.
func identify(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d %s\n", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))[:32]
}

// messageID returns the identifier at a domain of a mail that is made of those parts (RFC 5322
// section 3.6.4), with its angle brackets. What is no domain there is taken for localhost.
func messageID(domain string, parts ...string) string {
	odd := func(r rune) bool {
		return r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if domain == "" || len(domain) > 255 || strings.ContainsFunc(domain, odd) || strings.Contains("."+domain+".", "..") {
		domain = "localhost"
	}
	return "<imip-agent-" + identify(parts...) + "@" + domain + ">"
}
