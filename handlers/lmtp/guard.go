package lmtp

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// guard is around the connections of a server. It ends those that are too slow. Beyond the limit, the connection that has been
// silent for longest makes room, if it has been silent for a while: mail systems do not leave a connection alone for seconds that
// they want to use. If there is none, the new one is refused for now: to cut off a client at work would help nobody.
// It ends connections between messages when the server ends. And it helps go-smtp out: a line of a command has an end; two
// carriage returns before a line feed are one, as for mail systems (go-smtp would wait for ever for the end of a
// message whose last line ends so); and CHUNKING is not offered to clients, since go-smtp does not do it right.
type guard struct {
	most       int
	idle, slow time.Duration
	silent     time.Duration // which makes room
	log        *slog.Logger

	mu     sync.Mutex
	open   map[*guarded]bool
	ended  bool
	warned time.Time // when it was last logged that there are too many
}

// mostCommand is how many octets a line of a command can have: RFC 5321 section 4.5.3.1.4 and 5, with room for extensions.
const mostCommand = 4096

func newGuard(s *Service) *guard {
	g := &guard{most: s.Connections, idle: s.Idle, slow: s.Slow, silent: s.Silent, log: s.Log, open: map[*guarded]bool{}}
	if g.idle == 0 {
		g.idle = 5 * time.Minute
	}
	if g.slow == 0 {
		g.slow = 30 * time.Minute
	}
	if g.silent == 0 {
		g.silent = 5 * time.Second
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
	if g.ended || g.most > 0 && len(g.open) >= g.most && !g.makeRoom() {
		return false
	}
	g.open[c] = true
	return true
}

// warnings is how often it is logged that there are too many connections.
const warnings = time.Minute

// makeRoom ends the connection that has been silent for longest. It reports whether it could. It is called with mu.
func (g *guard) makeRoom() bool {
	now := time.Now()
	if now.Sub(g.warned) >= warnings {
		g.warned = now
		g.log.Warn("the mail system has too many connections (SERVE_CONNECTIONS): those that are silent are ended, or new ones are refused for now", "most", g.most)
	}
	var oldest *guarded
	for c := range g.open {
		if !c.since.IsZero() && (oldest == nil || c.since.Before(oldest.since)) {
			oldest = c
		}
	}
	if oldest == nil || now.Sub(oldest.since) < g.silent {
		return false
	}
	oldest.leaves = true
	delete(g.open, oldest)
	_ = oldest.Conn.SetReadDeadline(past) // a connection that is closed has ended already
	return true
}

// guarded is a connection.
type guarded struct {
	net.Conn
	guard *guard

	// With the guard's mu:
	since  time.Time // since when the client is waited for; zero: it is not
	leaves bool      // it makes room for another

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
		c.heard()
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
	if c.guard.ended || c.leaves {
		return os.ErrDeadlineExceeded
	}
	c.since = time.Now()
	until := c.since.Add(c.guard.idle)
	if c.inMessage && c.until.Before(until) {
		until = c.until
	}
	return c.Conn.SetReadDeadline(until)
}

// heard notes that the client is not waited for any more.
func (c *guarded) heard() {
	c.guard.mu.Lock()
	defer c.guard.mu.Unlock()
	c.since = time.Time{}
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
