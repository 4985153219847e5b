package check

import (
	"maps"
	"slices"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// leftRows tells of records of events that are not stored.
func (e *restLook) leftRows() error {
	for _, id := range slices.Collect(e.rows.left(e.seen)) {
		if e.leave(id) || e.claimed[id] || e.blocked[e.path(stores.Key{Part: stores.Active, ID: id})] {
			continue // the event is in a file that is no use as it is, which is told
		}
		rows, v := e.rows.of(id), e.uids[id.UID]
		add := func(k *Kind, format string, args ...any) {
			f := e.addManyFreeBusy(k, id, format, args...)
			switch {
			case k.Severity == Note:
			case e.lost[id]: // its event has the occurrence again
				f.mendBy(rebuildWithout(id)...)
			default:
				f.mendBy(removeOwn(id))
			}
		}
		const text = "free/busy has %s of %s, the first at %s, and the event is not stored"
		args := []any{plural(len(rows), "record"), occurrenceName(id.RecurrenceID), clock(rows[0].start)}
		switch {
		case v != nil && v.cancelled && !v.active:
			k := freebusyCancelled
			if e.answers(calendar.URI(rows[0].organizer), rows) {
				k = freebusyCalledOff
			}
			add(k, "the event is cancelled, and free/busy has %s of %s of it", plural(len(rows), "record"), occurrenceName(id.RecurrenceID))
		case e.lost[id] && e.isReplaced(id, rows):
			add(freebusyReplaced, "free/busy has %s of %s, the first at %s, which is not stored: either an update of the whole event took it away after the user answered, or its file is lost; a new answer makes it right", args...)
		case calendar.URI(rows[0].organizer).Is(e.user), e.lost[id]:
			add(freebusyUnstored, text, args...)
		case v == nil && e.unpublished(rows), (v == nil || id.RecurrenceID == "") && e.othersHave(id, calendar.URI(rows[0].organizer)):
			add(freebusyUninvited, text, args...)
		default:
			// The user has answered what never came in here, or an occurrence that there
			// is none of.
			add(freebusyAnswered, text, args...)
		}
	}
	return nil
}

// isReplaced reports whether a whole event that came in can have taken an occurrence away that the user had answered. What is
// known of the organizer has no records of that occurrence from then on; a file that is lost leaves them there.
func (e finder) isReplaced(id stores.ID, rows []row) bool {
	organizer := calendar.URI(rows[0].organizer)
	return e.answers(organizer, rows) && !e.othersHave(id, organizer)
}

// leftOthers tells of records of the user's own events that are not stored, in what is known
// of others' free/busy. Records of events of others are what these have published.
func (e *restLook) leftOthers() error {
	others, err := e.tx.Others()
	if err != nil {
		return err
	}
	broken := make(map[string]bool) // tables whose lines are not sure
	unstored := make(map[string]*Finding)
	for _, f := range e.findings {
		if f.Kind.Severity == Error {
			broken[f.Path] = true
		}
		if _, told := unstored[f.ID.UID]; f.Kind == freebusyUnstored && !told {
			unstored[f.ID.UID] = f
		}
	}
	for _, other := range others {
		which := stores.Table{Kind: stores.Other, Other: other}
		path := e.tablePath(which)
		if path != "" && (e.blocked[path] || broken[path]) {
			continue // what its lines say is not sure
		}
		table, err := e.tx.Periods(which)
		if err != nil {
			return err
		}
		first := make(map[stores.ID]freebusy.Period)
		for p := range table.All() {
			id := stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}
			if _, told := first[id]; told || p.UID == "" || !calendar.URI(p.Organizer).Is(e.user) || e.uids[p.UID] != nil || e.claimed[id] ||
				e.blocked[e.path(stores.Key{Part: stores.Active, ID: id})] {
				continue
			}
			first[id] = p
		}
		for _, id := range sortedIDs(maps.Keys(first)) {
			unstored[id.UID] = e.leftOther(unstored[id.UID], which, id, first[id].Start)
		}
	}
	return nil
}

// leftOther tells of records of an event that is not stored in what is known of another's
// free/busy. Where the user's own has that event as well, it is one finding, f.
func (e finder) leftOther(f *Finding, which stores.Table, id stores.ID, at time.Time) *Finding {
	if f == nil {
		f = e.add(freebusyUnstored, e.tablePath(which), id, "the free/busy of %s that this user knows has %s, the first at %s, and the event is not stored",
			which.Other, occurrenceName(id.RecurrenceID), clock(at.Unix()))
	}
	return f.mendBy(&removeRecords{which, []stores.ID{id}})
}

func sortedIDs(ids func(func(stores.ID) bool)) []stores.ID {
	return slices.SortedFunc(ids, compareIDs)
}

// othersHave reports whether the event is in what is known of its organizer's free/busy,
// which is only recorded along with an event that is stored.
func (e finder) othersHave(id stores.ID, organizer calendar.URI) bool {
	return len(e.timesKnown(id, organizer)) > 0
}

// timesKnown returns the times of an event in what is known of its organizer's free/busy.
func (e finder) timesKnown(id stores.ID, organizer calendar.URI) map[instants]bool {
	if organizer == "" {
		return nil
	}
	table := e.knownOf(organizer)
	if table == nil {
		return nil
	}
	known := make(map[instants]bool)
	for p := range table.All() {
		if p.UID == id.UID && p.RecurrenceID == id.RecurrenceID {
			known[instants{p.Start.Unix(), p.End.Unix()}] = true
		}
	}
	return known
}
