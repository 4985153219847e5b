package deliver

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// lines writes a mail as it goes over a connection: each line ends in CRLF, and all other octets stay, carriage returns that
// end no line too. (net/textproto adds one to a line that ends in CR CR LF.) The end of the last line is left to the caller.
type lines struct {
	w    *bufio.Writer
	dots bool // a dot stands before lines that begin with one (RFC 5321 section 4.5.2)

	inside bool // octets of a line have been read
	cr     bool // the last one is a carriage return, which may belong to the end of the line
	ended  bool // the end of a line has been read, and is not written yet
}

// Write implements [io.Writer].
func (l *lines) Write(p []byte) (n int, err error) {
	for rest := p; len(rest) > 0 && err == nil; n = len(p) - len(rest) {
		if l.ended {
			_, err = l.w.WriteString("\r\n")
			l.ended, l.inside = false, false
		}
		end := bytes.IndexByte(rest, '\n')
		line := rest
		if end >= 0 {
			line = rest[:end]
		}
		if len(line) > 0 {
			err = errors.Join(err, l.part(line))
			rest = rest[len(line):]
		}
		if end >= 0 {
			l.ended, l.cr = true, false
			rest = rest[1:]
		}
	}
	return n, err
}

// part writes a part of a line.
func (l *lines) part(p []byte) error {
	if l.cr {
		_ = l.w.WriteByte('\r') // an error comes back from what is written after it
	}
	if !l.inside && l.dots && p[0] == '.' {
		_ = l.w.WriteByte('.')
	}
	l.inside = true
	if l.cr = p[len(p)-1] == '\r'; l.cr {
		p = p[:len(p)-1]
	}
	_, err := l.w.Write(p)
	return err
}

// data sends the mail itself to those of the recipients that the server takes it for.
func (c *Connection) data(to []string, open []int, results []error, r io.Reader) error {
	p := pieces.Get().(*piece)
	defer p.done()
	p.r.Reset(&untilEnd{r: r})
	if chunks, _ := c.client.Extension("CHUNKING"); chunks {
		if head, _ := p.r.Peek(chunk); bytes.Contains(head, []byte("\r\r\n")) { // an error comes back when it is read
			return c.chunks(to, open, results, p)
		}
	}
	d := c.dialogue()
	if err := d.command("DATA", 354); err != nil {
		return c.failed(err)
	}
	p.w.Reset(c.conn)
	l := &lines{w: p.w, dots: true}
	if _, err := p.r.WriteTo(l); err != nil {
		// It must not end with the dot: a mail that has been read in part is none.
		return c.cut(err)
	}
	c.conn.answering(true)
	defer c.conn.answering(false)
	_, _ = l.w.WriteString("\r\n.\r\n") // an error comes back from Flush
	if err := l.w.Flush(); err != nil {
		return c.cut(err)
	}
	return d.answers(to, open, results)
}

// cut ends the connection within a mail.
func (c *Connection) cut(err error) error {
	c.broken = true
	c.conn.Close()
	return fmt.Errorf("send a mail: %w", err)
}

const (
	// chunk is how many octets of a mail are sent at once, and how many are examined before it is sent.
	chunk = 64 << 10
	// mostAnswers is how many octets a server may answer to one mail.
	mostAnswers = 1 << 20
)

// piece has the buffers for a piece of a mail on its way. A service sends many mails.
type piece struct {
	r *bufio.Reader
	w *bufio.Writer
}

var pieces = sync.Pool{New: func() any { return &piece{bufio.NewReaderSize(nil, chunk), bufio.NewWriterSize(nil, chunk)} }}

// untilEnd is a reader that is not read any more when it has ended. It does not write itself, for which some readers make a
// buffer each time.
type untilEnd struct {
	r   io.Reader
	err error
}

// Read implements [io.Reader].
func (u *untilEnd) Read(p []byte) (n int, err error) {
	if u.err == nil {
		n, u.err = u.r.Read(p)
	}
	return n, u.err
}

// done gives the buffers to others.
func (p *piece) done() {
	p.r.Reset(nil)
	p.w.Reset(nil)
	pieces.Put(p)
}

// chunks sends the mail like data, in chunks (RFC 3030). Servers differ in where they see the end of a line in CR CR LF, and
// so the end of a mail; in chunks there is nothing to be seen. Chunks are not for all mails, since each costs an answer.
func (c *Connection) chunks(to []string, open []int, results []error, p *piece) error {
	d := c.dialogue()
	p.w.Reset(d)
	l := &lines{w: p.w}
	_, err := p.r.WriteTo(l)
	if err == nil {
		_, _ = l.w.WriteString("\r\n") // an error comes back from Flush
		err = l.w.Flush()
	}
	if d.refusal != nil {
		return c.failed(d.refusal)
	} else if err != nil {
		return c.cut(err)
	}
	c.conn.answering(true)
	defer c.conn.answering(false)
	// A chunk without octets is the last: servers take the part of one that there is for the whole when the client is gone.
	if _, err := io.WriteString(c.conn, "BDAT 0 LAST\r\n"); err != nil {
		return c.cut(err)
	}
	return d.answers(to, open, results)
}

// dialogue is the part of the talk with a server that go-smtp has no say in, since it greets anew after each RSET, and changes
// mails. Each side has read all that there is when the other one begins.
type dialogue struct {
	c       *Connection
	limit   *io.LimitedReader
	read    *textproto.Reader
	refusal error // the answer to a chunk, if it is not that the server goes on
}

// dialogue returns the dialogue for another mail.
func (c *Connection) dialogue() *dialogue {
	if c.talk == nil {
		limit := &io.LimitedReader{R: c.conn}
		c.talk = &dialogue{c: c, limit: limit, read: textproto.NewReader(bufio.NewReader(limit))}
	}
	c.talk.limit.N, c.talk.refusal = mostAnswers, nil
	return c.talk
}

// Write implements [io.Writer]. What is written goes out in chunks, each of which the server answers.
func (d *dialogue) Write(p []byte) (int, error) {
	if _, err := fmt.Fprintf(d.c.conn, "BDAT %d\r\n", len(p)); err != nil {
		return 0, err
	}
	n, err := d.c.conn.Write(p)
	if err == nil {
		err = d.answer(250, d.c.client.CommandTimeout)
		var refusal *smtp.SMTPError
		if errors.As(err, &refusal) {
			d.refusal = refusal
		}
	}
	return n, err
}

// command sends a command, and reads the answer, as answer does.
func (d *dialogue) command(line string, want int) error {
	if _, err := io.WriteString(d.c.conn, line+"\r\n"); err != nil {
		return err
	}
	return d.answer(want, d.c.client.CommandTimeout)
}

// answers reads the answers to a whole mail: by LMTP one for each recipient that the server takes it for.
func (d *dialogue) answers(to []string, open []int, results []error) error {
	c := d.c
	if !c.server.LMTP {
		if err := d.answer(250, c.client.SubmissionTimeout); err != nil {
			return c.failed(err)
		}
		return nil
	}
	for n, i := range open {
		err := d.answer(250, c.client.SubmissionTimeout)
		var refusal *smtp.SMTPError
		switch {
		case err == nil:
		case errors.As(err, &refusal):
			results[i] = c.server.refused(to[i], refusal)
		default:
			c.broken = true
			for _, i := range open[n:] {
				results[i] = c.server.refused(to[i], errors.Join(errNoAnswer, err))
			}
			return nil
		}
	}
	return nil
}

// answer reads an answer, within some time. It returns nil for the one that is wanted, an [smtp.SMTPError] for any other.
func (d *dialogue) answer(want int, within time.Duration) error {
	if err := d.c.conn.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	defer d.c.conn.SetDeadline(time.Time{})
	_, _, err := d.read.ReadResponse(want)
	var other *textproto.Error
	if errors.As(err, &other) {
		return &smtp.SMTPError{Code: other.Code, Message: once(other.Msg)}
	}
	return err
}

// once returns the text of an answer with its enhanced status code (RFC 2034), which stands in each line, in the first only.
func once(text string) string {
	code, _, _ := strings.Cut(text, " ")
	class, rest, _ := strings.Cut(code, ".")
	subject, detail, _ := strings.Cut(rest, ".")
	for _, number := range []string{class, subject, detail} {
		if _, err := strconv.ParseUint(number, 10, 16); err != nil {
			return text // it has none
		}
	}
	return strings.ReplaceAll(text, "\n"+code+" ", "\n")
}
