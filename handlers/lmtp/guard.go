package lmtp

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// guard is around the connections of a server. It closes those beyond the limit, and those that are too slow;
// it ends connections between messages when the server ends. And it helps go-smtp out: a line of a command has an end; two
// carriage returns before a line feed are one, as for mail systems (go-smtp would wait for ever for the end of a
// message whose last line ends so); and CHUNKING is not offered to clients, since go-smtp does not do it right.
type guard struct {
	most       int
	idle, slow time.Duration

	mu    sync.Mutex
	open  map[*guarded]bool
	ended bool
}

// mostCommand is how many octets a line of a command can have: RFC 5321 section 4.5.3.1.4 and 5, with room for extensions.
const mostCommand = 4096

func newGuard(s *Service) *guard {
	g := &guard{most: s.Connections, idle: s.Idle, slow: s.Slow, open: map[*guarded]bool{}}
	if g.idle == 0 {
		g.idle = 5 * time.Minute
	}
	if g.slow == 0 {
		g.slow = 30 * time.Minute
	}
	return g
}

// listener returns a listener with the guard's connections.
func (g *guard) listener(l net.Listener) net.Listener { return guardedListener{l, g} }

// Open returns how many connections there are.
func (g *guard) Open() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.open)
}

// end ends each connection as soon as it waits for its client.
func (g *guard) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	for c := range g.open {
		_ = c.Conn.SetReadDeadline(past) // a connection that is closed has ended already
	}
}

// cut closes all connections.
func (g *guard) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.open {
		c.Conn.Close()
	}
}

// past is before any deadline.
var past = time.Unix(1, 0)

type guardedListener struct {
	net.Listener
	guard *guard
}

// Accept implements [net.Listener].
func (l guardedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &guarded{Conn: conn, guard: l.guard}
		if l.guard.take(c) {
			return c, nil
		}
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(conn, "421 4.3.2 too many connections (SERVE_CONNECTIONS)\r\n") // at worst it is only closed
		conn.Close()
	}
}

// take takes a connection, unless there are too many.
func (g *guard) take(c *guarded) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended || g.most > 0 && len(g.open) >= g.most {
		return false
	}
	g.open[c] = true
	return true
}

// guarded is a connection.
type guarded struct {
	net.Conn
	guard *guard

	// Of who reads:
	inMessage bool
	until     time.Time // when a message must have its end
	line      int       // octets of the line of a command so far
	returns   int       // carriage returns that were read, and not handed on yet
	rest      []byte    // what is to be handed on
}

// Close implements [net.Conn].
func (c *guarded) Close() error {
	c.guard.mu.Lock()
	delete(c.guard.open, c)
	c.guard.mu.Unlock()
	return c.Conn.Close()
}

// SetReadDeadline implements [net.Conn]: the deadlines are those of the guard.
func (c *guarded) SetReadDeadline(time.Time) error { return nil }

// message notes that a message is read now, until what it returns is called.
func (c *guarded) message() (done func()) {
	c.inMessage, c.until, c.line = true, time.Now().Add(c.guard.slow), 0
	return func() { c.inMessage = false }
}

// Read implements [net.Conn].
func (c *guarded) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		if err := c.wait(); err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(p)
		if err != nil && n == 0 {
			return 0, err
		}
		if !c.inMessage {
			if err := c.count(p[:n]); err != nil {
				return 0, err
			}
		}
		if n == 0 || c.returns == 0 && p[n-1] != '\r' && !bytes.Contains(p[:n], twoReturns) {
			return n, nil
		}
		c.join(p[:n])
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

var twoReturns = []byte("\r\r")

// wait sets how long the next octets are waited for.
func (c *guarded) wait() error {
	c.guard.mu.Lock()
	defer c.guard.mu.Unlock()
	if c.guard.ended {
		return os.ErrDeadlineExceeded
	}
	until := time.Now().Add(c.guard.idle)
	if c.inMessage && c.until.Before(until) {
		until = c.until
	}
	return c.Conn.SetReadDeadline(until)
}

// mostReturns is how many carriage returns are held back at most.
const mostReturns = 1000

// join adds octets to the rest, with one carriage return before a line feed. Carriage returns at the end are held back.
func (c *guarded) join(p []byte) {
	c.rest = c.rest[:0]
	for _, octet := range p {
		if octet == '\r' && c.returns < mostReturns {
			c.returns++
			continue
		}
		if octet == '\n' && c.returns > 0 {
			c.returns = 1
		}
		for ; c.returns > 0; c.returns-- {
			c.rest = append(c.rest, '\r')
		}
		c.rest = append(c.rest, octet)
	}
}

// count sees that the line of a command has an end.
func (c *guarded) count(p []byte) error {
	for _, octet := range p {
		if octet == '\n' {
			c.line = 0
			continue
		}
		if c.line++; c.line > mostCommand {
			return fmt.Errorf("a command of more than %d octets", mostCommand)
		}
	}
	return nil
}

// Write implements [net.Conn]. Each call has one line of an answer.
func (c *guarded) Write(p []byte) (int, error) {
	if string(p) == "250-CHUNKING\r\n" {
		return len(p), nil
	}
	return c.Conn.Write(p)
}
