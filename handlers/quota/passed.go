package quota

import (
	"slices"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// A resource that passes a request on books nothing: the other resource does, when the request has reached it. Until
// then its time is noted among the quota's offers, where the original looks for nothing. The column of the
// organizer has the resource there.

// heldFor is how long a time is kept for a request that is passed on: so long a mail may wait. After that, it is as
// if nothing had been passed on, and the resource decides when the request comes.
const heldFor = 24 * time.Hour

// passedOn is the table of what is passed on and not decided yet.
var passedOn = stores.Table{Kind: stores.Offers}

// Pass notes that an event is passed on to another resource: nothing else at the time is passed on to that until it has
// decided, or the note expires. What was noted of the event before goes.
//
// DEVIATION: requests-on-their-way. The original passes on the next one to the same resource.
func (q *Quota) Pass(b Booking, to calendar.URI, now time.Time) error {
	if !slices.ContainsFunc(q.Delegates, to.Is) {
		return nil // it is one of another quota
	}
	if err := q.decided(b.ID, ""); err != nil {
		return err
	}
	table, err := q.Periods(passedOn)
	if err != nil {
		return err
	}
	table.DropExpired(now)
	records := make([]freebusy.Period, 0, len(b.Spans))
	for _, s := range b.Spans {
		records = append(records, freebusy.Period{
			Start: s.Start, End: s.End, UID: b.UID, RecurrenceID: b.RecurrenceID, Transp: "OPAQUE",
			Summary: b.Object.Summary(), Organizer: string(to), Expires: now.Add(heldFor),
		})
	}
	table.InsertAll(records)
	return nil
}

// onTheirWay calls fn with each record of what is passed on, with the resource as its attendee.
func (q *Quota) onTheirWay(now time.Time, fn func(freebusy.Period)) error {
	table, err := q.Periods(passedOn)
	if err != nil {
		return err
	}
	for p := range table.All() {
		if p.Expires.After(now) {
			p.Attendee, p.Organizer = p.Organizer, ""
			fn(p)
		}
	}
	return nil
}

// decided removes the notes that an event or occurrence is passed on to a resource, or, if that is empty, to any.
func (q *Quota) decided(id stores.ID, resource calendar.URI) error {
	table, err := q.Periods(passedOn)
	if err != nil || table.Len() == 0 {
		return err
	}
	uid, recurrenceID := freebusy.Clean(id.UID), freebusy.Clean(id.RecurrenceID)
	table.RemoveFunc(func(p freebusy.Period) bool {
		return p.UID == uid && (recurrenceID == "" || p.RecurrenceID == recurrenceID) &&
			(resource == "" || calendar.URI(p.Organizer).Is(resource))
	})
	return nil
}
