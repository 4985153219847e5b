package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/stores/rejected"
)

// work handles lanes, one after another, until the queue ends.
func (q *Queue) work(ctx context.Context) {
	for {
		q.mu.Lock()
		for len(q.ready) == 0 && !q.ending && !q.draining {
			q.woken.Wait()
		}
		if len(q.ready) == 0 || q.ending || ctx.Err() != nil {
			q.mu.Unlock()
			return
		}
		l := q.ready[0]
		q.ready = q.ready[1:]
		batch := l.batch()
		q.mu.Unlock()
		q.pass(ctx, l, batch)
	}
}

// batch returns the IDs of those messages of a lane that are handled together. It is called with mu.
func (l *lane) batch() (ids []string) {
	octets := int64(0)
	for i, w := range l.waiting {
		octets += w.size
		if i > 0 && (i == together || octets > togetherOctets || l.alone) {
			break
		}
		ids = append(ids, w.id)
	}
	return ids
}

// pass handles messages of a lane, and sees to what comes then.
func (q *Queue) pass(ctx context.Context, l *lane, ids []string) {
	done, err := q.handle(ctx, ids)
	gone := map[string]bool{}
	for _, id := range done {
		if err := q.Dir.remove(id); err != nil { // it is handled again, which does no harm
			q.Log.Error("a message that is done cannot be removed from the spool", "id", id, "error", err)
			q.later(l, gone, err, 1, false)
			return
		}
		gone[id] = true
	}
	if len(done) > 0 {
		if err := q.Dir.names.NamesIn(q.Dir.Path); err != nil {
			q.Log.Error("that messages are done is not certain to last", "error", err)
		}
	}
	var caught *panicError
	switch {
	case err == nil:
		q.next(l, gone, true)
	case errors.As(err, &caught) && len(ids) > 1:
		q.Log.Error("internal error while messages were handled: each is handled by itself", "user", l.name, "error", err, "stack", string(caught.stack))
		q.mu.Lock()
		l.alone = true
		q.mu.Unlock()
		q.next(l, gone, false)
	case ctx.Err() != nil:
		q.later(l, gone, err, 1, false)
	default:
		q.failed(l, gone, ids[len(done)], err)
	}
}

// panicError is a panic of what handles messages.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("internal error: %v", e.value) }

// handle opens messages and has them handled. It returns those that are done or gone, and why the one after them is not.
func (q *Queue) handle(ctx context.Context, ids []string) (done []string, err error) {
	var open []*Message
	defer func() {
		for _, m := range open {
			m.Close()
		}
	}()
	var failure error // why no more can be opened
	for _, id := range ids {
		m, err := q.Dir.Open(id)
		if errors.Is(err, fs.ErrNotExist) { // somebody has dropped it
			m, err = &Message{Item: Item{ID: id}}, nil
		} else if err != nil {
			failure = err
			break
		} else {
			open = append(open, m)
		}
		done = append(done, m.ID)
	}
	if len(open) == 0 {
		return done, failure
	}
	ctx, cancel := context.WithTimeout(ctx, or(q.Deadline, 5*time.Minute))
	defer cancel()
	results, err := q.call(ctx, open)
	for i, m := range open {
		if err == nil && results[i] != nil {
			err = results[i]
		}
		if err != nil {
			return done[:slices.Index(done, m.ID)], err
		}
		if q.Done != nil {
			q.Done(m.Item)
		}
	}
	return done, failure
}

// call calls Handle. An error is a panic.
func (q *Queue) call(ctx context.Context, messages []*Message) (results []error, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value, debug.Stack()}
		}
	}()
	if results = q.Handle(ctx, messages); len(results) != len(messages) {
		return nil, fmt.Errorf("internal error: %d results for %d messages", len(results), len(messages))
	}
	return results, nil
}

// next goes on with a lane.
func (q *Queue) next(l *lane, gone map[string]bool, well bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.busy = false
	if len(gone) > 0 {
		l.due, l.away, l.noted = time.Time{}, false, false
	}
	if well {
		l.alone = false
		// What everybody needs is back.
		for _, other := range q.lanes {
			if other.away {
				other.away, other.due = false, time.Time{}
				q.start(other)
			}
		}
	}
	q.forget(l, gone)
	q.start(l)
}

// later has a lane wait whose first message has been tried so often.
func (q *Queue) later(l *lane, gone map[string]bool, err error, tries int, noted bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.busy, l.noted = false, noted
	l.away = q.isAway(err)
	l.due = q.Now().Add(pause(tries, l.away))
	q.forget(l, gone)
}

// failed notes that a message of a lane could not be handled, or rejects it in the end.
func (q *Queue) failed(l *lane, gone map[string]bool, id string, err error) {
	log := q.Log.With("id", id, "user", l.name)
	try, errTry := q.Dir.Try(id)
	if errTry != nil {
		log.Error("it cannot be read how often a message was tried", "error", errTry)
	}
	try.Tries++
	age := q.Now().Sub(Since(id))
	var caught *panicError
	var broken *BrokenError
	panics := errors.As(err, &caught)
	if panics {
		log.Error("internal error while a message was handled", "error", err, "stack", string(caught.stack))
	}
	if age >= keptFor || panics && try.Tries >= fewPanics || errors.As(err, &broken) {
		errReject := q.reject(id, fmt.Sprintf("it could not be handled in %d tries: %v", try.Tries, err))
		if errReject == nil {
			gone[id] = true
			q.next(l, gone, false)
			return
		}
		err = errors.Join(err, errReject)
	}
	try.Next = q.Now().Add(pause(try.Tries, q.isAway(err)))
	try.Reason = err.Error()
	log.Warn("not handled yet", "tries", try.Tries, "next", try.Next.UTC().Format(time.RFC3339), "reason", err)
	errNote := q.Dir.tried(id, try)
	if errNote != nil {
		log.Error("why a message is not handled yet cannot be noted", "error", errNote)
	}
	q.later(l, gone, err, try.Tries, errNote == nil)
}

func (q *Queue) isAway(err error) bool { return q.Away != nil && q.Away(err) }

// reject rejects a message, and removes it.
func (q *Queue) reject(id, reason string) error {
	m, err := q.Dir.Open(id)
	var broken *BrokenError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.As(err, &broken):
		return q.rejectFile(id, broken)
	case err != nil:
		return err
	}
	defer m.Close()
	return q.putAside(id, rejected.Note{Reason: reason, User: m.Lane(), Source: "spool, " + m.Source}, m)
}

// rejectFile rejects a file that is no message, and removes it.
func (q *Queue) rejectFile(id string, why error) error {
	content, err := q.Dir.content(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer content.Close()
	return q.putAside(id, rejected.Note{Reason: why.Error(), Source: "spool"}, content)
}

func (q *Queue) putAside(id string, note rejected.Note, content io.Reader) error {
	note.Time = q.Now().UTC()
	if err := q.Dir.usable(); err != nil && !errors.Is(err, unix.ENOSPC) { // what cannot be removed would be rejected again and again
		return err
	}
	draft, err := q.Rejected.Draft()
	if err != nil {
		return err
	}
	defer draft.Close()
	if _, err := io.Copy(draft, content); err != nil {
		return err
	}
	path, err := draft.Put(note)
	if err != nil {
		return err
	}
	q.Log.Warn("rejected what cannot be handled", "id", id, "file", path, "reason", note.Reason)
	if err := q.Dir.remove(id); err != nil {
		return err
	}
	return q.Dir.names.NamesIn(q.Dir.Path)
}
