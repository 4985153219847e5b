package arrival

import (
	"fmt"
	"testing"
	"time"

	"imip-agent/stores/calendar"
)

// A user's letters are looked after once in ten minutes, each user's apart, and without a memory always.
func TestRounds(t *testing.T) {
	r := new(Rounds)
	now := time.Date(2026, time.November, 26, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		user  calendar.URI
		after time.Duration
		want  bool
	}{
		{"mailto:a@example.com", 0, true},
		{"mailto:a@example.com", 0, false},
		{"mailto:b@example.com", time.Minute, true},
		{"mailto:a@example.com", betweenRounds - time.Second, false},
		{"mailto:a@example.com", betweenRounds, true},
		{"mailto:a@example.com", betweenRounds + time.Minute, false},
		{"mailto:a@example.com", -time.Hour, true}, // the clock was set back
	} {
		if got := r.due(c.user, now.Add(c.after)); got != c.want {
			t.Errorf("%s after %v: %v, want %v", c.user, c.after, got, c.want)
		}
	}
	for i := range mostRounds {
		r.due(calendar.URI(fmt.Sprint("mailto:", i, "@example.com")), now)
	}
	if n := len(r.last); n > mostRounds {
		t.Errorf("%d users are remembered", n)
	}
	r = nil
	for range 2 {
		if !r.due("mailto:a@example.com", now) {
			t.Error("without a memory, they are left alone")
		}
	}
}
