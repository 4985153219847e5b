package spool

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"
)

// watch looks at the directory again and again until ctx ends: at a large one less often, since that takes longer.
func (q *Queue) watch(ctx context.Context) {
	// Not a ticker, whose ticks may follow each other at once: between two looks the time of the directory must go on (see look).
	timer := time.NewTimer(or(q.Poll, time.Second))
	defer timer.Stop()
	for rest := 0; ctx.Err() == nil; rest-- {
		timer.Reset(or(q.Poll, time.Second))
		select {
		case <-ctx.Done():
			continue
		case <-timer.C:
		}
		if rest > 0 {
			q.resume()
			continue
		}
		if err := q.look(); err != nil {
			q.Log.Error("the spool cannot be looked at", "error", err)
		}
		rest = 1 + q.Depth().Messages/lookedAt
	}
}

// look looks for messages that others have put there, or removed, or want to be tried again, and starts what is due.
func (q *Queue) look() error {
	info, err := os.Stat(q.Dir.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	q.mu.Lock()
	stuck := len(q.stuck) > 0 // which can be mended without a change of the directory
	q.mu.Unlock()
	if err == nil && (!info.ModTime().Equal(q.changed) || !q.settled || stuck) {
		q.looking.Lock()
		err := q.compare()
		q.looking.Unlock()
		if err != nil {
			return err
		}
		// What changes within the same moment has the same time. The next look comes after it.
		q.settled = info.ModTime().Equal(q.changed)
		q.changed = info.ModTime()
	}
	q.resume()
	return nil
}

// compare brings what is known up to date with the directory. It is called with looking.
func (q *Queue) compare() error {
	ids, err := q.Dir.IDs()
	if err != nil {
		return err
	}
	for _, id := range ids {
		q.mu.Lock()
		known := q.known[id] != nil
		q.mu.Unlock()
		if !known {
			q.find(id)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	maps.DeleteFunc(q.stuck, func(id string, _ bool) bool {
		_, there := slices.BinarySearch(ids, id)
		return !there
	})
	for _, l := range q.lanes {
		if l.busy {
			continue
		}
		gone := map[string]bool{}
		for _, w := range l.waiting {
			if _, there := slices.BinarySearch(ids, w.id); !there {
				if _, err := os.Lstat(q.Dir.File(w.id)); errors.Is(err, fs.ErrNotExist) { // not only come since
					gone[w.id] = true
				}
			}
		}
		first := l.waiting[0].id
		q.forget(l, gone)
		if len(l.waiting) == 0 || !l.noted {
			continue
		}
		// Somebody wants it to be tried again, or has dropped what was in the way.
		try, err := q.Dir.Try(l.waiting[0].id)
		if l.waiting[0].id != first || l.noted && err == nil && try.Next.IsZero() {
			l.due, l.away = time.Time{}, false
		}
	}
	return nil
}

// find adds a message that somebody has put there.
func (q *Queue) find(id string) {
	m, err := q.Dir.Open(id)
	var broken *BrokenError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case errors.As(err, &broken):
		if err := q.rejectFile(id, broken); err != nil {
			q.report(id, "a damaged file in the spool cannot be rejected", err)
		}
		return
	case err != nil:
		q.report(id, "a message in the spool cannot be read, nor whose it is: it keeps no order, and later ones of its user are handled before it", err)
		return
	}
	item := m.Item
	m.Close()
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.stuck, id)
	q.add(item)
}

// report says of a file once that nothing can be done with it. It is tried again whenever the directory is looked at.
func (q *Queue) report(id, what string, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.stuck[id] {
		q.stuck[id] = true
		q.Log.Error(what, "id", id, "error", err)
	}
}
