package deliver

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
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
	p.r.Reset(struct{ io.Reader }{r}) // readers that write themselves make a buffer each time
	if chunks, _ := c.client.Extension("CHUNKING"); chunks {
		if head, _ := p.r.Peek(chunk); bytes.Contains(head, []byte("\r\r\n")) { // an error comes back when it is read
			return c.chunks(to, open, results, p)
		}
	}
	w, err := c.client.Data()
	if err != nil {
		return c.failed(err)
	}
	p.w.Reset(c.conn)
	l := &lines{w: p.w, dots: true}
	if _, err = p.r.WriteTo(l); err == nil {
		err = l.w.Flush()
	}
	if err != nil {
		// It must not end with the dot: a mail that has been read in part is none.
		return c.cut(err)
	}
	c.conn.answering(true)
	defer c.conn.answering(false)
	// Nothing has been written to w: it ends the last line, and the mail.
	if !c.server.LMTP {
		if _, err := w.CloseWithResponse(); err != nil {
			return c.failed(err)
		}
		return nil
	}
	answers, err := w.CloseWithLMTPResponse()
	var each smtp.LMTPDataError
	lost := err
	if errors.As(err, &each) && len(answers)+len(each) == len(open) {
		lost = nil
	}
	for _, i := range open {
		address := c.server.recipient(to[i])
		if refusal := each[address]; refusal != nil {
			results[i] = c.server.refused(to[i], refusal)
		} else if answers[address] == nil {
			results[i] = c.server.refused(to[i], errors.Join(errNoAnswer, lost))
		}
	}
	if lost != nil {
		c.broken = true
	}
	return nil
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
	// mostAnswers is how many octets a server may answer to one mail in chunks.
	mostAnswers = 1 << 20
)

// piece has the buffers for a piece of a mail on its way. A service sends many mails.
type piece struct {
	r *bufio.Reader
	w *bufio.Writer
}

var pieces = sync.Pool{New: func() any { return &piece{bufio.NewReaderSize(nil, chunk), bufio.NewWriterSize(nil, chunk)} }}

// done gives the buffers to others.
func (p *piece) done() {
	p.r.Reset(nil)
	p.w.Reset(nil)
	pieces.Put(p)
}

// chunks sends the mail like data, in chunks (RFC 3030). Servers differ in where they see the end of a line in CR CR LF, and
// so the end of a mail; in chunks there is nothing to be seen. Chunks are not for all mails, since each costs an answer.
func (c *Connection) chunks(to []string, open []int, results []error, p *piece) error {
	d := &dialogue{c: c, answers: textproto.NewReader(bufio.NewReader(io.LimitReader(c.conn, mostAnswers)))}
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
	if !c.server.LMTP {
		if err := d.answer(c.client.SubmissionTimeout); err != nil {
			return c.failed(err)
		}
		return nil
	}
	for n, i := range open {
		err := d.answer(c.client.SubmissionTimeout)
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

// dialogue sends what is written to it in chunks, each of which the server answers.
type dialogue struct {
	c       *Connection
	answers *textproto.Reader
	refusal error // the answer to a chunk, if it is not that the server goes on
}

// Write implements [io.Writer].
func (d *dialogue) Write(p []byte) (int, error) {
	if _, err := fmt.Fprintf(d.c.conn, "BDAT %d\r\n", len(p)); err != nil {
		return 0, err
	}
	n, err := d.c.conn.Write(p)
	if err == nil {
		err = d.answer(d.c.client.CommandTimeout)
		var refusal *smtp.SMTPError
		if errors.As(err, &refusal) {
			d.refusal = refusal
		}
	}
	return n, err
}

// answer reads an answer, within some time. It returns nil for 250, an [smtp.SMTPError] for any other.
func (d *dialogue) answer(within time.Duration) error {
	over := time.AfterFunc(within, func() { d.c.conn.Close() })
	defer over.Stop()
	_, _, err := d.answers.ReadResponse(250)
	var other *textproto.Error
	if errors.As(err, &other) {
		return &smtp.SMTPError{Code: other.Code, Message: other.Msg}
	}
	return err
}
