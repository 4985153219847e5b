package spool

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"imip-agent/stores/rejected"
)

// Queue handles the messages of a spool. One process at a time does that.
type Queue struct {
	Dir *Dir

	// Handle handles messages of one user, in their order. It returns an error for each, nil for those that are
	// done. Those behind the first error are handled again, whatever became of them. An error is temporary.
	Handle func(context.Context, []*Message) []error

	// Away reports whether an error is about what everybody needs, such as a database: it is tried again soon. Nil: none is.
	Away func(error) bool

	// Done is told of each message that was handled, by several goroutines. Nil: nobody wants to know.
	Done func(Item)

	Rejected *rejected.Dir // where messages go that could not be handled for five days
	Log      *slog.Logger
	Now      func() time.Time

	Workers  int           // users whose messages are handled at once; 0: 4
	Deadline time.Duration // for messages that are handled together; 0: 5 minutes
	Grace    time.Duration // how long these may go on when the queue is to end; 0: 20 seconds
	Poll     time.Duration // how often the directory is looked at; 0: each second

	MostMessages int   // that may wait; 0: a million
	MostOctets   int64 // that may wait; 0: 10 GiB

	mu       sync.Mutex
	woken    sync.Cond // of mu: there is something ready, or the queue ends
	lanes    map[string]*lane
	known    map[string]*lane // by the ID of a message
	ready    []*lane
	octets   int64
	ending   bool      // nothing more is begun
	draining bool      // the workers end when nothing is ready
	changed  time.Time // when the directory had changed, as it was last looked at
	settled  bool      // it has been looked at again since

	filling bool   // at the start: not all messages that were there are known yet
	put     []Item // meanwhile

	stuck map[string]bool // the IDs of files with which nothing can be done, as the log says already

	rush rush

	looking sync.Mutex // held while the directory is compared with what is known
}

// waiting is a message that waits.
type waiting struct {
	id   string
	size int64
}

// lane is the messages of one user.
type lane struct {
	name    string
	waiting []waiting // oldest first
	busy    bool      // a worker is at it, or it is ready
	alone   bool      // one message at a time: one of them caused a panic
	due     time.Time // before which it is not tried again
	noted   bool      // there is a file that says so, which somebody can remove
	away    bool      // since something is away that everybody needs
	held    bool      // it is held back in a rush
	looks   int       // for which it was held back
}

// What is done, and how long it may take.
const (
	together       = 100     // messages that are handled at once, at most
	togetherOctets = 1 << 20 // of these, but for the first: parsed, they take many times as much memory

	keptFor   = 5 * 24 * time.Hour // as mail systems do (RFC 5321 section 4.5.4.1)
	fewPanics = 3                  // after which a message is rejected

	lookedAt = 10_000 // messages that are looked at in each second, if there are more

	firstPause = 5 * time.Second
	lastPause  = time.Hour
	awayPause  = 30 * time.Second
)

// ErrFull says that the spool has as many messages as it may have.
var ErrFull = errors.New("the spool is full (SPOOL_LIMIT, SPOOL_SIZE_LIMIT)")

func or[T int | int64 | time.Duration](value, byDefault T) T {
	if value == 0 {
		return byDefault
	}
	return value
}

// pause returns how long to wait after so many tries.
func pause(tries int, away bool) time.Duration {
	longest := lastPause
	if away {
		longest = awayPause
	}
	p := firstPause
	for range tries - 1 {
		if p *= 2; p >= longest {
			return longest
		}
	}
	return p
}

// Put puts a message into the spool, as [Dir.Put] does, and has it handled.
func (q *Queue) Put(note Note, message io.WriterTo, size int64) error {
	if q.full(size) {
		return ErrFull
	}
	item, err := q.Dir.Put(note, message, size)
	if err != nil {
		return err
	}
	q.Log.Info("spooled", "id", item.ID, "user", item.Lane(), "source", item.Source, "mail", item.Mail)
	if q.keep(item) {
		return nil
	}
	// A message that another program has put there before must be handled before.
	if err := q.meet(); err != nil {
		q.Log.Error("the spool cannot be looked at", "error", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.known != nil { // else it is found at the start
		q.add(item)
	}
	return nil
}

// keep reports whether a message that was put into the spool need not be added: it is found at the start, or
// added after it.
func (q *Queue) keep(item Item) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.known != nil {
		q.count()
	}
	if q.filling {
		q.put = append(q.put, item)
	}
	return q.known == nil || q.filling
}

// meet finds messages that other programs have put there, if there are any.
func (q *Queue) meet() error {
	if !q.Dir.strangers.Load() {
		return nil
	}
	q.looking.Lock()
	defer q.looking.Unlock()
	if !q.Dir.strangers.Swap(false) {
		return nil // whoever was faster has found them
	}
	err := q.compare()
	if err != nil {
		q.Dir.strangers.Store(true)
	}
	return err
}

// full reports whether there is no room for a message of a size.
func (q *Queue) full(size int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.known) >= or(q.MostMessages, 1_000_000) || q.octets+size > or(q.MostOctets, 10<<30)
}

// leastFree is how much room there must be on the disk of the spool.
const leastFree = 1 << 20

// Usable returns why no message can be put into the spool, as far as that can be seen without trying; nil: nothing is
// known. It changes nothing in the directory.
func (q *Queue) Usable() error {
	if q.full(0) {
		return ErrFull
	}
	if err := q.Dir.usable(); err != nil {
		return inSpool(err)
	}
	return nil
}

// Depth is how many messages wait.
type Depth struct {
	Messages int
	Octets   int64
	Users    int
	Oldest   time.Time // when it came; zero: there is none
}

// Depth returns how many messages wait.
func (q *Queue) Depth() Depth {
	q.mu.Lock()
	defer q.mu.Unlock()
	d := Depth{Messages: len(q.known), Octets: q.octets, Users: len(q.lanes)}
	oldest := ""
	for _, l := range q.lanes {
		if len(l.waiting) > 0 && (oldest == "" || l.waiting[0].id < oldest) {
			oldest = l.waiting[0].id
		}
	}
	d.Oldest = Since(oldest)
	return d
}

// add adds a message to its lane. It is called with mu.
func (q *Queue) add(item Item) {
	if q.known[item.ID] != nil {
		return
	}
	name := item.Lane()
	l := q.lanes[name]
	if l == nil {
		l = &lane{name: name}
		q.lanes[name] = l
	}
	i, _ := slices.BinarySearchFunc(l.waiting, item.ID, func(w waiting, id string) int { return strings.Compare(w.id, id) })
	l.waiting = slices.Insert(l.waiting, i, waiting{item.ID, item.Size})
	q.known[item.ID] = l
	q.octets += item.Size
	q.start(l)
}

// start has a worker take a lane, if it is due. It is called with mu.
func (q *Queue) start(l *lane) {
	if l.busy || len(l.waiting) == 0 || q.Now().Before(l.due) || q.hold(l) {
		return
	}
	l.busy = true
	q.ready = append(q.ready, l)
	q.woken.Signal()
}

// forget forgets messages that are done or gone. It is called with mu.
func (q *Queue) forget(l *lane, gone map[string]bool) {
	l.waiting = slices.DeleteFunc(l.waiting, func(w waiting) bool {
		if gone[w.id] {
			delete(q.known, w.id)
			q.octets -= w.size
		}
		return gone[w.id]
	})
	if len(l.waiting) == 0 && !l.busy {
		delete(q.lanes, l.name)
	}
}

// Run handles messages until ctx ends, then waits until those are done that are being handled. The error is one of
// the start: it matches [ErrRunning] if another process handles them.
func (q *Queue) Run(ctx context.Context) error {
	ids, unlock, err := q.begin()
	if err != nil {
		return err
	}
	defer unlock()
	work, cancel := q.working(ctx)
	defer cancel()
	var workers sync.WaitGroup
	for range or(q.Workers, 4) {
		workers.Go(func() { q.work(work) })
	}
	q.fill(ctx, ids)
	q.watch(ctx)
	q.end()
	workers.Wait()
	return nil
}

// Drain tries each message that is there once, and returns how many are left. The error is as that of Run.
func (q *Queue) Drain(ctx context.Context) (left int, err error) {
	ids, unlock, err := q.begin()
	if err != nil {
		return 0, err
	}
	defer unlock()
	q.mu.Lock()
	q.draining = true
	q.mu.Unlock()
	q.fill(ctx, ids)
	var workers sync.WaitGroup
	for range or(q.Workers, 4) {
		workers.Go(func() { q.work(ctx) })
	}
	workers.Wait()
	return q.Depth().Messages, nil
}

// working returns the context of handling, which ends a while after that of the queue.
func (q *Queue) working(ctx context.Context) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(or(q.Grace, 20*time.Second))
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(context.Cause(ctx))
		case <-work.Done():
		}
	})
	return work, func() { stop(); cancel(nil) }
}

// begin locks the spool, and returns the messages that are there, which are to be added by fill.
func (q *Queue) begin() (ids []string, unlock func(), err error) {
	if unlock, err = q.Dir.run(); err != nil {
		return nil, nil, err
	}
	q.mu.Lock()
	q.woken.L = &q.mu
	q.lanes, q.known, q.ready, q.octets = map[string]*lane{}, map[string]*lane{}, nil, 0
	q.ending, q.draining, q.filling, q.stuck = false, false, true, map[string]bool{}
	q.rush = rush{}
	q.mu.Unlock()
	ids, err = q.Dir.IDs()
	if err == nil {
		err = q.Dir.prepare(ids)
	}
	if err == nil {
		err = q.Dir.sweep(ids)
	}
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return ids, unlock, nil
}

// fill adds the messages that were there at the start, oldest first, then those that were put there meanwhile. The first ones
// are handled before all are known: it takes some seconds to read 100,000.
func (q *Queue) fill(ctx context.Context, ids []string) {
	for _, id := range ids {
		if ctx.Err() != nil {
			return // the rest is found at the next start
		}
		q.find(id)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.filling = false
	for _, item := range q.put {
		q.add(item)
	}
	q.put = nil
}

// resume starts what is due.
func (q *Queue) resume() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lanes {
		q.start(l)
	}
}

// end has the workers end.
func (q *Queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ending = true
	if q.rush.timer != nil {
		q.rush.timer.Stop()
	}
	q.woken.Broadcast()
}
