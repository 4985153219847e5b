package check

import (
	"strings"

	"imip-agent/stores"
)

// nothingLeft tells that a user has free/busy of their own events, requests, or notes of events
// without end, and not one event that is stored. From nothing nothing can be made anew: a repair
// that is safe leaves what there is.
func (e finder) nothingLeft(nonsense seen) bool {
	for _, v := range e.uids {
		if v.active {
			return false
		}
		for _, o := range v.recurrences {
			if o.active {
				return false
			}
		}
	}
	// What is left of a cancelled event is told as such.
	called := func(id stores.ID) bool {
		v := e.uids[id.UID]
		return v != nil && (v.cancelled || v.recurrences[id.RecurrenceID] != nil)
	}
	own, requests, notes := 0, 0, 0
	for id := range e.rows.left(nonsense) {
		if rows := e.rows.of(id); rows[0].organizer == string(e.user) && !called(id) {
			own++
		}
	}
	for _, r := range e.requests {
		if !called(r.ID) {
			requests++
		}
	}
	for id := range e.provider {
		if !called(id) {
			notes++
		}
	}
	var left []string
	for _, l := range []struct {
		n    int
		what string
	}{{own, "event"}, {requests, "request"}, {notes, "note"}} {
		if l.n > 0 {
			left = append(left, plural(l.n, l.what)+map[string]string{
				"event": " of the user's own in free/busy", "note": " of events that recur without end",
			}[l.what])
		}
	}
	if len(left) == 0 {
		return false
	}
	path := e.path(stores.Key{Part: stores.Active, ID: stores.ID{UID: "x"}})
	if path != "" {
		path = path[:len(path)-len("/x")]
	}
	f := e.add(eventsMissing, path, stores.ID{}, "no event is stored, but there are %s; restore the events from a backup", strings.Join(left, ", "))
	f.mendBy(withOthers{}) // each of them is told as well
	return true
}
