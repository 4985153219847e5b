package handlers

import (
	"iter"
	"log/slog"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// What takes long with many events is to read and write the user's tables, and to wait for
// the disk, each time. But others who want the user's lock should not wait long either.
const (
	together    = 5000            // events that are handled in one critical section at most
	sectionTime = 2 * time.Second // after which no more is begun in it
)

// group is a number of events of one user that can be handled in one critical section, or
// each in its own. There is at least one; if nobody knows whose it is, there is no more.
type group struct {
	user   calendar.URI
	events []event
}

// groups yields the events of a message in their order. No two in a group are about the same
// event or occurrence: after an interruption, what is stored of it is what the one of them made
// of it, or what was there before. A whole event and its occurrences can be in one group, since
// tables are stored before any of their texts, and texts are deleted after all of them are stored.
func (h *Handler) groups(m *message) iter.Seq[group] {
	return func(yield func(group) bool) {
		var g group
		ids := make(map[stores.ID]bool)
		for _, e := range m.events {
			user := m.user
			if user == "" {
				user = h.user(m.senders, e)
			}
			if len(g.events) > 0 && (len(g.events) == together || user != g.user || user == "" || ids[e.id]) {
				if !yield(g) {
					return
				}
				g = group{}
				clear(ids)
			}
			g.user = user
			g.events = append(g.events, e)
			ids[e.id] = true
		}
		if len(g.events) > 0 {
			yield(g)
		}
	}
}

// halves returns the group in two groups. It has at least two events.
func (g group) halves() []group {
	middle := len(g.events) / 2
	return []group{{g.user, g.events[:middle]}, {g.user, g.events[middle:]}}
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
