package handlers

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Sections has messages for one user that are handled at the same time share critical sections, with all that is written
// and synced in each. While a section lasts, others wait. The next section takes all of them, in the order in which
// they came, and each gets a result of its own. One that fails is left out, and gets a section for itself.
//
// Messages about the same event never share a section: a commit that is interrupted could leave a part of each.
//
// The zero value is ready. It is for messages whose order does not matter, or whose sender waits for each of them.
type Sections struct {
	mu    sync.Mutex
	lanes map[calendar.URI]*lane
}

// Limits of what shares a section, beside those of what is in one message: see together and sectionTime.
const sharing = 100 // messages

// lane has the messages for a user.
type lane struct {
	waiting []*entrant
	leader  *entrant // who is to begin the next section, and waits; nil: somebody is in a section
}

// entrant is a message that wants to be in a critical section.
type entrant struct {
	ctx   context.Context
	about []stores.ID // of its changes
	fn    func(stores.Tx) error
	alone bool        // it shares no section
	told  chan notice // has room for one
}

// notice tells an entrant that it is to begin the next section, or what has become of it.
type notice struct {
	lead bool
	err  error
}

// update runs fn on a user's records in a critical section of the store, which may be shared, and commits it. It
// may run fn again, on fresh records, and does so in other goroutines. What fn has done must be about those events only.
func (s *Sections) update(ctx context.Context, store stores.Store, user calendar.URI, now func() time.Time, about []stores.ID, fn func(stores.Tx) error) error {
	e := &entrant{ctx: ctx, about: about, fn: fn, told: make(chan notice, 1)}
	s.enter(user, e)
	for {
		var told notice
		select {
		case told = <-e.told:
		case <-ctx.Done():
			if s.leave(user, e) {
				return context.Cause(ctx)
			}
			told = <-e.told // it is in a section: what becomes of it counts
		}
		if !told.lead {
			return told.err
		}
		s.lead(store, user, now)
	}
}

// enter has an entrant wait for the next section.
func (s *Sections) enter(user calendar.URI, e *entrant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[user]
	if l != nil {
		l.waiting = append(l.waiting, e)
		return
	}
	if s.lanes == nil {
		s.lanes = make(map[calendar.URI]*lane)
	}
	l = &lane{waiting: []*entrant{e}}
	s.lanes[user] = l
	s.next(user, l)
}

// leave takes an entrant out that waits. It reports whether it did: else the entrant is in a section, or is told of it.
func (s *Sections) leave(user calendar.URI, e *entrant) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[user]
	if l == nil {
		return false
	}
	i := slices.Index(l.waiting, e)
	if i < 0 {
		return false
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	if l.leader == e {
		s.next(user, l)
	}
	return true
}

// next has the first that waits begin the next section. It is called with mu.
func (s *Sections) next(user calendar.URI, l *lane) {
	if len(l.waiting) == 0 {
		delete(s.lanes, user)
		return
	}
	l.leader = l.waiting[0]
	l.leader.told <- notice{lead: true}
}

// take takes those who share the next section: they are the first that wait.
func (s *Sections) take(l *lane) []*entrant {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, changes := 0, 0
	about := make(map[string]bool)
	for _, e := range l.waiting {
		changes += len(e.about)
		if n > 0 && (e.alone || l.waiting[0].alone || n == sharing || changes > together || slices.ContainsFunc(e.about, func(id stores.ID) bool { return about[id.UID] })) {
			break
		}
		for _, id := range e.about {
			about[id.UID] = true
		}
		n++
	}
	taken := slices.Clone(l.waiting[:n])
	l.waiting = slices.Delete(l.waiting, 0, n)
	l.leader = nil
	return taken
}

// lead begins a section, and tells those who share it what has become of them. A function that panics in a shared section is called
// again in a section of its own, by its own goroutine: the panic is that goroutine's.
func (s *Sections) lead(store stores.Store, user calendar.URI, now func() time.Time) {
	s.mu.Lock()
	l := s.lanes[user]
	s.mu.Unlock()
	entrants := s.take(l)
	var again []*entrant
	defer func() { // also after a panic
		s.mu.Lock()
		defer s.mu.Unlock()
		l.waiting = slices.Insert(l.waiting, 0, again...)
		s.next(user, l)
	}()
	if len(entrants) == 1 { // it is who leads
		entrants[0].told <- notice{err: store.Update(entrants[0].ctx, user, entrants[0].fn)}
		return
	}
	again = share(store, user, now, entrants)
}

// share runs a section for several. It tells them what has become of them, but for those that it returns, who are to be in
// another one.
func share(store stores.Store, user calendar.URI, now func() time.Time, entrants []*entrant) (again []*entrant) {
	ctx, stop := untilAllEnd(entrants)
	defer stop()
	var done, left []*entrant
	var at *entrant // whose function runs
	err := recovered(func() error {
		return store.Update(ctx, user, func(tx stores.Tx) error {
			done, left = nil, nil
			began := now()
			for i, e := range entrants {
				if i > 0 && now().Sub(began) > sectionTime {
					left = entrants[i:]
					break
				}
				at = e
				if err := e.fn(tx); err != nil {
					return err
				}
				done = append(done, e)
			}
			at = nil
			return nil
		})
	})
	switch {
	case err == nil:
		for _, e := range done {
			e.told <- notice{}
		}
		return left
	case stops(ctx, err):
		for _, e := range entrants {
			e.told <- notice{err: err}
		}
		return nil
	case at != nil:
		at.alone = true
	default: // nobody knows because of whom it cannot be committed
		for _, e := range entrants {
			e.alone = true
		}
	}
	return entrants
}

// recovered calls fn. A panic is an error.
func recovered(fn func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("internal error: %v\n%s", value, debug.Stack())
		}
	}()
	return fn()
}

// untilAllEnd returns a context that ends when those of all entrants have.
func untilAllEnd(entrants []*entrant) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(entrants[0].ctx))
	var left atomic.Int64
	left.Store(int64(len(entrants)))
	stops := make([]func() bool, len(entrants))
	for i, e := range entrants {
		stops[i] = context.AfterFunc(e.ctx, func() {
			if left.Add(-1) == 0 {
				cancel(context.Cause(e.ctx))
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel(nil)
	}
}
