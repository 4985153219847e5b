package handlers

import (
	"iter"
	"log/slog"
	"time"

	"imip-agent/stores/calendar"
)

// What takes long with many events is to read and write the user's tables, and to wait for
// the disk, each time. But others who want the user's lock should not wait long either.
const (
	together    = 64                     // events that are handled in one critical section at most
	sectionTime = 500 * time.Millisecond // after which no more is begun in it
)

// group is a number of events of one user that have nothing to do with one another, so
// that they can be handled in one critical section, or each in its own. There is at least
// one; if nobody knows whose it is, there is no more.
type group struct {
	user   calendar.URI
	events []event
}

// groups yields the events of a message in their order. No two in a group are of one UID:
// after an interruption, what was done of the one does not depend on the other.
func (h *Handler) groups(m *message) iter.Seq[group] {
	return func(yield func(group) bool) {
		var g group
		uids := make(map[string]bool)
		for _, e := range m.events {
			user := m.user
			if user == "" {
				user = h.user(m.senders, e)
			}
			if len(g.events) > 0 && (len(g.events) == together || user != g.user || user == "" || uids[e.id.UID]) {
				if !yield(g) {
					return
				}
				g = group{}
				clear(uids)
			}
			g.user = user
			g.events = append(g.events, e)
			uids[e.id.UID] = true
		}
		if len(g.events) > 0 {
			yield(g)
		}
	}
}

// each yields groups of one event.
func (g group) each() iter.Seq[group] {
	return func(yield func(group) bool) {
		for i := range g.events {
			if !yield(group{g.user, g.events[i : i+1]}) {
				return
			}
		}
	}
}

// warn logs what was unusual about the events, and about the user's preferences.
func (g group) warn(logs []*slog.Logger, preferences []string) {
	for i, e := range g.events {
		for _, warning := range e.warnings {
			logs[i].Warn(warning)
		}
	}
	for _, warning := range preferences {
		logs[0].Warn(warning)
	}
}
