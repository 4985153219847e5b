package spool

import "time"

// rush notices that many messages come at once. Mail systems wait then for what handles them, which needs the same processors and disk.
// So each user's messages are held back for a moment. Then they are handled together, which is less work, too.
// It is used with the mu of its queue.
type rush struct {
	on    bool
	came  int         // messages since the last look
	timer *time.Timer // until the next look; nil: nothing has come since the last one
	held  []*lane
}

const (
	// rushLook is the time between two looks at how many messages come.
	rushLook = 50 * time.Millisecond
	// rushMessages is how many messages come in a rush between two looks, at least.
	rushMessages = 5
	// rushLooks is for how many looks messages are held back, at most: a second.
	rushLooks = 20
)

// count counts a message that has come, and sees to the next look. It is called with mu.
func (q *Queue) count() {
	q.rush.came++
	if q.rush.timer == nil && !q.ending {
		q.rush.timer = time.AfterFunc(rushLook, q.lookForRush)
	}
}

// hold reports whether a lane that could be handled is held back: not if there is enough to be handled together. It is called with mu.
func (q *Queue) hold(l *lane) bool {
	if !q.rush.on || q.ending || q.draining || l.looks == rushLooks || len(l.waiting) >= together {
		l.looks = 0
		return false
	}
	if !l.held {
		l.held = true
		q.rush.held = append(q.rush.held, l)
	}
	return true
}

// lookForRush looks at how many messages come, and starts lanes that are no longer held back.
func (q *Queue) lookForRush() {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := &q.rush
	r.on, r.timer = r.came >= rushMessages, nil
	if r.came > 0 && !q.ending { // else nothing is held back either
		r.timer = time.AfterFunc(rushLook, q.lookForRush)
	}
	held := r.held
	r.came, r.held = 0, nil
	for _, l := range held {
		l.held = false
		l.looks++
		q.start(l)
	}
}
