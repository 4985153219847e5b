package deliver

import (
	"context"
	"sync/atomic"
	"time"
)

// ahead is a connection that is made before it is needed.
type ahead struct {
	made       chan struct{} // closed when the rest is there
	connection *Connection
	err        error
	old        atomic.Bool // it has waited for long
}

// aheadTime is how long a connection can wait without being asked whether the server is still there.
const aheadTime = 5 * time.Second

// Ahead begins to connect to the servers that mails are for, while the change that owes them is written: both take a moment, and
// neither needs the other. It does not wait. Where the change cannot be made, nothing is sent.
// It may be called by another goroutine than the one that uses the sender, while that waits for it.
func (s *Sender) Ahead(ctx context.Context, mails []Mail) {
	if s.Instead != nil {
		return
	}
	for _, m := range mails {
		server, to := s.route(m.Envelope)
		if server == nil || to.ahead != nil || to.connection != nil || to.down != nil {
			continue
		}
		a := &ahead{made: make(chan struct{})}
		to.ahead = a
		go func() {
			defer close(a.made)
			if a.connection, a.err = server.connect(ctx); a.err == nil {
				time.AfterFunc(aheadTime, func() { a.old.Store(true) })
			}
		}()
	}
}

// await waits for a connection that is being made, and takes it.
func (r *route) await() {
	if r.ahead == nil {
		return
	}
	<-r.ahead.made
	r.connection, r.down = r.ahead.connection, r.ahead.err
	if r.connection != nil && r.ahead.old.Load() {
		r.connection.used = true // so that the server is asked
	}
	r.ahead = nil
}

// drop gives a connection back that nobody needs, as soon as it is made.
func (a *ahead) drop() {
	if a == nil {
		return
	}
	go func() {
		<-a.made
		if a.connection != nil {
			a.connection.server.done(a.connection)
		}
	}()
}
