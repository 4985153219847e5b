package check

import "imip-agent/stores"

// nothingLeft tells that a user has free/busy of their own events, requests, or notes of events
// without end, and not one event that is stored. From nothing nothing can be made anew: a repair
// that is safe leaves what there is.
func (e *examination) nothingLeft() bool {
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
	own := 0
	for id := range e.rows.left() {
		if rows := e.rows.of(id); rows[0].organizer == string(e.user) {
			own++
		}
	}
	if own+len(e.requests)+len(e.provider) == 0 {
		return false
	}
	path := e.path(stores.Key{Part: stores.Active, ID: stores.ID{UID: "x"}})
	if path != "" {
		path = path[:len(path)-len("/x")]
	}
	f := e.add(eventsMissing, path, stores.ID{}, "no event is stored, and there are records of %s in free/busy, %s and %s; put the events back from a backup",
		plural(own, "event of the user's own"), plural(len(e.requests), "request"), plural(len(e.provider), "note")+" of what recurs without end")
	f.mend = func(*mender) error { return nil } // each of them is told as well
	return true
}
