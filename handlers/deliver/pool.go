package deliver

import (
	"context"
	"sync"
	"time"
)

// Pool has connections to one server that wait for the next mail, for a program that goes on. A connection that the server has left
// meanwhile is found out before a mail is begun, and another one takes its place: so a mail is never sent twice because of that.
//
// The zero value is ready. It is safe for use by several at once.
type Pool struct {
	mu    sync.Mutex
	idle  []idle // the last is the youngest
	ended bool
}

// idle is a connection that waits.
type idle struct {
	*Connection
	end *time.Timer // closes it
}

const (
	// mostIdle is how many connections wait at once. Servers have a process for each, or let each host have so many.
	mostIdle = 20
	// idleTime is how long one waits: less than servers do, as a rule (RFC 5321 section 4.5.3.2.7).
	idleTime = 30 * time.Second
	// mostMails is how many mails it is used for: servers end connections that have too many.
	mostMails = 100
	// askedTime is how long a server may take to say that it is still there.
	askedTime = 15 * time.Second
)

// take returns a connection that is ready for a mail; nil: there is none. If the one that it tries is dead, so may be the
// others, and all of them are closed.
func (p *Pool) take(ctx context.Context) *Connection {
	p.mu.Lock()
	var c *Connection
	if n := len(p.idle); n > 0 && p.idle[n-1].end.Stop() { // else its time is over
		c = p.idle[n-1].Connection
		p.idle = p.idle[:n-1]
	}
	p.mu.Unlock()
	if c == nil {
		return nil
	}
	c.leave = context.AfterFunc(ctx, c.conn.interrupt)
	patience := c.client.CommandTimeout
	c.client.CommandTimeout = min(patience, askedTime)
	err := c.ready()
	c.client.CommandTimeout = patience
	if err == nil {
		return c
	}
	c.close()
	if ctx.Err() == nil {
		p.closeAll()
	}
	return nil
}

// give takes a connection back, or closes it if it is of no more use. It does not wait for the server, which may not answer.
func (p *Pool) give(c *Connection) {
	p.mu.Lock()
	keep := !p.ended && len(p.idle) < mostIdle && c.mails < mostMails && !c.broken && c.leave()
	if keep {
		p.idle = append(p.idle, idle{c, time.AfterFunc(idleTime, func() { p.expire(c) })})
	}
	p.mu.Unlock()
	if !keep {
		go c.Close()
	}
}

// expire closes a connection that nobody has wanted.
func (p *Pool) expire(c *Connection) {
	p.mu.Lock()
	for i, waiting := range p.idle {
		if waiting.Connection == c {
			p.idle = append(p.idle[:i:i], p.idle[i+1:]...)
			break
		}
	}
	p.mu.Unlock()
	c.Close()
}

// Close closes the connections that wait, and from then on each as soon as its mail is handed over.
func (p *Pool) Close() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.closeAll().Wait()
}

// closeAll closes the connections that wait. It does not wait for the servers.
func (p *Pool) closeAll() *sync.WaitGroup {
	p.mu.Lock()
	waiting := p.idle
	p.idle = nil
	p.mu.Unlock()
	all := new(sync.WaitGroup)
	for _, w := range waiting {
		if w.end.Stop() { // else it is being closed
			all.Go(w.Close)
		}
	}
	return all
}

// connect returns a connection to the server, one that is kept if there is any.
func (s *Server) connect(ctx context.Context) (*Connection, error) {
	if s.Pool != nil {
		if c := s.Pool.take(ctx); c != nil {
			return c, nil
		}
	}
	return s.Connect(ctx)
}

// done takes a connection that its sender no longer needs.
func (s *Server) done(c *Connection) {
	if s.Pool == nil {
		c.Close()
		return
	}
	s.Pool.give(c)
}
