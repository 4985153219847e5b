package check

import (
	"slices"
	"sync"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
)

// An attendee's COUNTER changes what their object says of taking part, and leaves free/busy as
// it is until the organizer agrees; and what comes in as accepted has never been answered. So an
// event that the user has accepted can be without records, and one that they have declined can
// have some, and the object looks like one whose records were lost, or have come back. What was
// published along with the records tells the two apart, for users who publish.

// doubt is an event whose records differ from its object, and need not be damaged: see doubtful.
type doubt struct {
	id      stores.ID
	transp  string // of the records that are missing
	missing []row
	extra   []row
	endless bool  // it recurs without end
	as      *Kind // what it is if it is not damage
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
		switch missing, extra := len(d.missing), len(d.extra); {
		case missing > 0 && e.isLost(d, busy):
			if d.endless {
				e.provided(d.id)
			}
			e.addFreeBusy(freebusyMissing, d.id, "free/busy lacks the event at %s%s", clock(d.missing[0].start), andMore(missing)).mendBy(rebuild(d.id))
		case missing > 0 && extra > 0:
			e.addFreeBusy(d.as, d.id, "free/busy has the event at %s and not at %s%s, perhaps since the user answered another version of it",
				clock(d.extra[0].start), clock(d.missing[0].start), andMore(max(missing, extra)))
		case extra > 0:
			e.addFreeBusy(d.as, d.id, "free/busy has the event at %s, when it does not take place%s, perhaps since the user answered another version of it", clock(d.extra[0].start), andMore(extra))
		default:
			e.addFreeBusy(d.as, d.id, "free/busy lacks the event at %s%s, perhaps because %s", clock(d.missing[0].start), andMore(missing), map[*Kind]string{
				freebusyCountered: "of a counter-proposal, or because the user never answered",
				freebusyLater:     "the user answered another version of it",
				freebusyLeft:      "the user has left it",
			}[d.as])
		}
	}
	return nil
}

// isLost reports whether it is damage that records of an event are missing: records of other events are lost, which
// nothing else takes away, or they were published, or the user's own event is noted as one that is recorded. An event
// of somebody else stays noted when the user declines it.
func (e *restLook) isLost(d doubt, busy func() map[instants]bool) bool {
	return e.ownLost || e.provider[d.id] && d.as == freebusyLeft || e.wasPublished(d, busy)
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
