package arrival

import (
	"sync"
	"time"

	"imip-agent/stores/calendar"
)

// Rounds remembers whose earlier letters have been looked after, in a program that goes on: with many letters it takes time, and
// many messages may come. The zero value is ready. It is safe for use by several at once.
type Rounds struct {
	mu   sync.Mutex
	last map[calendar.URI]time.Time
}

const (
	// betweenRounds is how long a user's letters are left alone then.
	betweenRounds = 10 * time.Minute
	// mostRounds is how many users are remembered. All are forgotten then, which costs time only.
	mostRounds = 10_000
)

// due reports whether a user's letters are to be looked after at that time, and remembers that they are. Where nothing is
// remembered, they always are.
func (r *Rounds) due(user calendar.URI, now time.Time) bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, is := r.last[user]; is && now.Sub(last).Abs() < betweenRounds { // the clock may have been set back
		return false
	}
	if r.last == nil || len(r.last) >= mostRounds {
		r.last = make(map[calendar.URI]time.Time)
	}
	r.last[user] = now
	return true
}
