package check

import (
	"maps"
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
)

// lateEvent is an event whose free/busy has not been extended.
type lateEvent struct {
	id       stores.ID
	object   *text
	expect   itip.Expectation
	series   *series
	recorded bool // in part
}

// window tells of all events together whose free/busy has not been extended.
func (e *restLook) window() error {
	end := e.end()
	var f *Finding
	switch {
	case !e.known:
		return nil
	case len(e.late) > 0:
		f = e.addFreeBusy(freebusyWindow, stores.ID{}, "free/busy of %s, for example %q, was not extended to %s for more than a day",
			plural(len(e.late), "recurring event"), e.late[0].object.object().Summary(), end.Format(time.DateOnly))
	case e.extended && e.until.Before(end.Add(-day)) && e.providesStored():
		// They may have been recorded since, but nobody extends them.
		f = e.add(freebusyWindow, e.providersPath(), stores.ID{}, "free/busy of events that recur without end is recorded up to %s instead of %s",
			e.until.Format(time.DateOnly), end.Format(time.DateOnly))
	default:
		return nil
	}
	words := []string{"freebusy", "--store", "--publish", "--user", string(e.user)}
	if slices.ContainsFunc(e.late, func(l lateEvent) bool { return !e.provider[l.id] && !l.recorded }) {
		// Nothing but the event tells of it: it ends some day, and began after the window.
		words = append(words, "--reset")
	}
	f.Command = e.command(words...)
	extend := extendRecords{note: e.extended}
	for _, late := range e.late {
		extend.ids = append(extend.ids, late.id)
	}
	if e.extended { // with all that are noted worked out to the end of the window, it can be noted
		for id := range e.provider {
			if !e.leave(id) && e.rows.hasUID(id.UID) {
				extend.ids = append(extend.ids, id)
			}
		}
	}
	f.mendBy(extend)
	return nil
}

// providesStored reports whether any event that is stored is noted as recurring without
// end.
func (e finder) providesStored() bool {
	for id := range e.provider {
		if v := e.uids[id.UID]; v != nil && v.active {
			return true
		}
	}
	return false
}

// provided sees that an event that recurs without end is noted, where that is kept.
func (e finder) provided(id stores.ID) {
	if !e.extended || e.provider[id] {
		return
	}
	e.add(providerMissing, e.providersPath(), id, "the event recurs without end, is not listed, and will not be extended").
		mendBy(&provide{[]stores.ID{id}, true})
}

// notes looks at the events that are noted as recurring without end.
// notedTwice tells of the events that are noted as recurring without end more than once.
func (e finder) notedTwice() {
	noted := make(map[stores.ID]bool, len(e.notes))
	for _, id := range e.notes {
		if noted[id] {
			e.addMany(tableDuplicate, e.providersPath(), id, "%s is listed twice as recurring without end", occurrenceName(id.RecurrenceID)).
				mendBy(&provide{[]stores.ID{id}, true})
		}
		noted[id] = true
	}
}

func (e *restLook) notes() error {
	for _, id := range sortedIDs(maps.Keys(e.provider)) {
		v := e.uids[id.UID]
		stored := v != nil && (id.RecurrenceID == "" && v.active || v.recurrences[id.RecurrenceID] != nil && v.recurrences[id.RecurrenceID].active)
		if stored || e.isClaimed(id) || e.rows.has(id) || v == nil && e.torn.any() {
			continue // also one that was answered without having come in
		}
		e.addMany(providerUnstored, e.providersPath(), id, "%s is listed as recurring without end, and is not stored", occurrenceName(id.RecurrenceID)).
			mendBy(&provide{[]stores.ID{id}, false})
	}
	return nil
}
