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

// letter is a mail on its way over a connection.
type letter struct {
	*piece       // nil: it is not sent
	read   bool  // its beginning has been looked at
	chunks bool  // it goes in chunks
	data   bool  // the command DATA goes with the envelope
	wanted error // then, the answer to it
}

// letter returns what sends a mail.
func (c *Connection) letter(r io.Reader) *letter {
	m := &letter{piece: pieces.Get().(*piece)}
	m.r.Reset(&untilEnd{r: r})
	pipelining, _ := c.client.Extension("PIPELINING")
	if _, waits := r.(*beginning); pipelining && !waits {
		m.data = !c.inChunks(m)
	}
	return m
}

// inChunks looks at the beginning of a mail, and reports whether it goes in chunks.
func (c *Connection) inChunks(m *letter) bool {
	if m.read {
		return m.chunks
	}
	m.read = true
	if chunks, _ := c.client.Extension("CHUNKING"); chunks {
		head, _ := m.r.Peek(chunk) // an error comes back when it is read
		m.chunks = bytes.Contains(head, []byte("\r\r\n"))
	}
	return m.chunks
}

// beginAtOnce is begin for a server that takes all commands at once (RFC 2920), the command DATA as the last of them.
func (c *Connection) beginAtOnce(from string, wide bool, to []string, tried []int, results []error, m *letter) (open []int, err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "MAIL FROM:<%s>", from)
	if offered, _ := c.client.Extension("8BITMIME"); offered {
		b.WriteString(" BODY=8BITMIME")
	}
	if wide {
		b.WriteString(" SMTPUTF8")
	}
	b.WriteString("\r\n")
	for _, i := range tried {
		fmt.Fprintf(&b, "RCPT TO:<%s>\r\n", c.server.recipient(to[i]))
	}
	if m.data {
		b.WriteString("DATA\r\n")
	}
	d := c.dialogue()
	if _, err := io.WriteString(c.conn, b.String()); err != nil {
		return tried, c.failed(err)
	}
	if err = c.failed(d.answer(250, c.client.CommandTimeout)); err != nil {
		open = tried // what is said of recipients now is of no account
	}
	begun := err == nil
	for n, i := range tried {
		if c.broken {
			return open, err
		}
		const taken = 25 // 250, or 251 and 252 for one who is elsewhere
		answer := c.failed(d.answer(taken, c.client.CommandTimeout))
		switch {
		case !begun:
		case answer == nil:
			open = append(open, i)
		case c.broken:
			open, err = append(open, tried[n:]...), answer
		default:
			results[i] = c.server.refused(to[i], answer)
		}
	}
	if !m.data || c.broken {
		return open, err
	}
	m.wanted = c.failed(d.answer(354, c.client.CommandTimeout))
	if m.wanted == nil && (!begun || len(open) == 0) {
		c.broken = true // it waits for a mail that is for nobody, and gets none
		c.conn.Close()
	}
	return open, err
}

// data sends the mail itself to those of the recipients that the server takes it for.
func (c *Connection) data(to []string, open []int, results []error, m *letter) error {
	p := m.piece
	if c.inChunks(m) {
		return c.chunks(to, open, results, p)
	}
	d := c.dialogue()
	if !m.data {
		m.wanted = c.failed(d.command("DATA", 354))
	}
	if m.wanted != nil {
		return m.wanted
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
