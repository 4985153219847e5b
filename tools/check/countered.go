package check

import (
	"slices"
	"sync"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
)

// An attendee's COUNTER changes what their object says of taking part, and leaves free/busy as
// it is until the organizer agrees. So an event that the user has accepted can be without
// records, and one that they have declined can have some, and the object looks like one whose
// records were lost, or have come back. What was published along with the records tells the two
// apart, for users who publish, and so does what is noted as recurring without end.

// doubt is an event of another organizer that the user has accepted, and of which records are
// missing: all of them, or those after the first ones.
type doubt struct {
	id      stores.ID
	transp  string
	missing []row
	endless bool // it recurs without end
	shorter bool // there are some, up to where a later version may end
}

// declined tells of records of an event that the user has declined.
func (e finder) declined(id stores.ID, rows []row, what string) *Finding {
	if e.unpublished(rows) {
		return e.addFreeBusy(freebusyDeclined, id, "the user does not take part in %s, and free/busy has %s of it, the first at %s", what, plural(len(rows), "record"), clock(rows[0].start))
	}
	return e.addFreeBusy(freebusyCountered, id, "the user does not take part in %s, and free/busy has %s of it, the first at %s, perhaps because of a counter-proposal", what, plural(len(rows), "record"), clock(rows[0].start))
}

// settleDoubts tells of the events that lack records, when it is known what else is missing.
func (e *restLook) settleDoubts() error {
	busy := sync.OnceValue(e.busyByTable)
	for _, d := range e.doubts {
		if d.shorter && !e.ownLost && !e.wasPublished(d, busy) {
			e.addFreeBusy(freebusyLater, d.id, "free/busy lacks the event at %s%s, perhaps since the user answered a version that is not stored", clock(d.missing[0].start), andMore(len(d.missing)))
			continue
		}
		if !d.shorter && !e.ownLost && !e.provider[d.id] && !e.wasPublished(d, busy) {
			e.addFreeBusy(freebusyCountered, d.id, "free/busy lacks the event at %s%s, perhaps because of a counter-proposal", clock(d.missing[0].start), andMore(len(d.missing)))
			continue
		}
		if d.endless {
			e.provided(d.id)
		}
		e.addFreeBusy(freebusyMissing, d.id, "free/busy lacks the event at %s%s", clock(d.missing[0].start), andMore(len(d.missing))).mendBy(rebuild(d.id))
	}
	return nil
}

// wasPublished reports whether what is published has all times of an event, and nothing else
// there is busy at the first of them.
func (e finder) wasPublished(d doubt, busy func() map[instants]bool) bool {
	periods := e.publishedTimes()
	if periods == nil || d.transp != itip.Opaque {
		return false
	}
	if slices.ContainsFunc(d.missing, func(r row) bool { return !periods[instants{r.start, r.end}] }) {
		return false
	}
	return slices.ContainsFunc(d.missing, func(r row) bool { return !busy()[instants{r.start, r.end}] })
}

// busyByTable returns when the user is busy by the table.
func (e finder) busyByTable() map[instants]bool {
	busy := make(map[instants]bool)
	for i := range e.rows.table.Len() {
		if p := e.rows.table.At(i); p.Transp == itip.Opaque {
			busy[instants{p.Start.Unix(), p.End.Unix()}] = true
		}
	}
	return busy
}

// instants are the start and the end of a period, in seconds since 1970.
type instants struct{ start, end int64 }
