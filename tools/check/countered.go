package check

import (
	"errors"
	"slices"

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
func (e *examination) declined(id stores.ID, rows []row, what string) *Finding {
	if e.unpublished(rows) {
		return e.addFreeBusy(freebusyDeclined, id, "the user does not take part in %s, and free/busy has %s of it, the first at %s", what, plural(len(rows), "record"), clock(rows[0].start))
	}
	return e.addFreeBusy(freebusyCountered, id, "the user does not take part in %s, and free/busy has %s of it, the first at %s, perhaps because of a counter-proposal", what, plural(len(rows), "record"), clock(rows[0].start))
}

// unpublished reports whether what is published lacks a record that it would have, had a program
// made it.
func (e *examination) unpublished(rows []row) bool {
	periods := e.publishedBefore()
	return periods != nil && slices.ContainsFunc(rows, func(r row) bool {
		return r.transp == itip.Opaque && !periods[instants{r.start, r.end}]
	})
}

// settleDoubts tells of the events that lack records, when it is known what else is missing.
func (e *examination) settleDoubts() error {
	if len(e.doubts) == 0 {
		return nil
	}
	for _, d := range e.doubts {
		if d.shorter && !e.ownLost && !e.wasPublished(d) {
			e.addFreeBusy(freebusyLater, d.id, "free/busy lacks the event at %s%s, perhaps since the user answered a version that is not stored", clock(d.missing[0].start), andMore(len(d.missing)))
			continue
		}
		if !d.shorter && !e.ownLost && !e.provider[d.id] && !e.wasPublished(d) {
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
func (e *examination) wasPublished(d doubt) bool {
	periods := e.publishedBefore()
	if periods == nil || d.transp != itip.Opaque {
		return false
	}
	if slices.ContainsFunc(d.missing, func(r row) bool { return !periods[instants{r.start, r.end}] }) {
		return false
	}
	if e.busy == nil {
		e.busy = make(map[instants]bool)
		for i := range e.rows.table.Len() {
			if p := e.rows.table.At(i); p.Transp == itip.Opaque {
				e.busy[instants{p.Start.Unix(), p.End.Unix()}] = true
			}
		}
	}
	return slices.ContainsFunc(d.missing, func(r row) bool { return !e.busy[instants{r.start, r.end}] })
}

// instants are the start and the end of a period, in seconds since 1970.
type instants struct{ start, end int64 }

// publishedBefore returns the periods that are published of a user who publishes; nil if that
// tells nothing.
func (e *examination) publishedBefore() map[instants]bool {
	if e.wereBusy != nil || !e.known || !e.preferences.Publishes() {
		return e.wereBusy.periods()
	}
	e.wereBusy = new(publishedTimes)
	if files := e.checker.files(); files != nil && e.blocked[files.PublishedPath(e.user)] {
		return nil
	}
	text, err := e.tx.Published()
	if err != nil {
		if !errors.Is(err, stores.ErrNotFound) {
			e.fail(err)
		}
		return nil
	}
	found, readable := publishedPeriods(text, e.user)
	if !readable {
		return nil
	}
	e.wereBusy.all = make(map[instants]bool, len(found))
	for _, period := range found {
		e.wereBusy.all[period] = true
	}
	return e.wereBusy.all
}

// publishedTimes are the periods that are published.
type publishedTimes struct {
	all map[instants]bool // nil: that tells nothing
}

func (p *publishedTimes) periods() map[instants]bool {
	if p == nil {
		return nil
	}
	return p.all
}
