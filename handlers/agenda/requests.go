package agenda

import (
	"context"
	"slices"
	"strings"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

// Request is an entry of the queue of what awaits the user's answer, or of proposals
// that do.
type Request struct {
	Entry
	Counter   bool         // others propose other times
	Unknown   bool         // the event is not stored: the entry says no more than its ID, and the proposals
	Organizer calendar.URI // who invites, if that is not the user
	Proposals []Proposal   // of other times, in order of URI
	// Since is the DTSTAMP of what awaits the answer, in the user's zone; zero if that has none.
	Since time.Time
}

// Proposal is what somebody proposes in place of what is planned.
type Proposal struct {
	By         calendar.URI
	Name       string    // of whoever proposes, or else their address
	Start, End time.Time // in the user's zone; zero if the proposal cannot be read
	AllDay     bool
	Since      time.Time // as with a request
}

// Requests returns what awaits a user's answer, oldest first, from the user's records in a critical section
// or in a snapshot. What has no DTSTAMP comes last. The calendar has no entries; its day is today.
func Requests(ctx context.Context, tx stores.Tx, p preferences.Preferences, now time.Time) (*Calendar, error) {
	today := Midnight(now.In(p.Zone))
	c := &collection{tx: tx, Calendar: &Calendar{
		User: tx.User(), Zone: p.Zone, Now: now.In(p.Zone), From: today, To: today.AddDate(0, 0, 1),
	}}
	queue, err := tx.Requests()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := c.requests(queue); err != nil {
		return nil, err
	}
	slices.SortStableFunc(c.Requests, func(a, b Request) int {
		switch {
		case a.Since.IsZero() != b.Since.IsZero() && a.Since.IsZero():
			return 1
		case a.Since.IsZero() != b.Since.IsZero():
			return -1
		}
		return a.Since.Compare(b.Since)
	})
	return c.Calendar, nil
}

// requests adds the queue, in its order.
func (c *collection) requests(queue []stores.Request) error {
	for _, q := range queue {
		request, err := c.request(q)
		if err != nil {
			return err
		}
		c.Requests = append(c.Requests, request)
	}
	return nil
}

// request returns an entry of the queue, with the event's first time that is not over, or else its last.
func (c *collection) request(q stores.Request) (Request, error) {
	r := Request{Entry: Entry{ID: q.ID, Kind: Waiting}, Counter: q.Type == "COUNTER"}
	object, err := c.awaiting(q.ID)
	if err != nil {
		return r, err
	}
	if r.Unknown = object == nil; !r.Unknown {
		r.Entry = c.entry(q.ID, object)
		r.Kind = Waiting
		r.Since = c.stamp(object)
		r.Start, r.End = c.next(object)
		if organizer, ok := object.Organizer(); ok && !organizer.Is(c.User) {
			r.Organizer = organizer
		}
	}
	others, err := c.tx.Counters(q.ID)
	if err != nil {
		return r, err
	}
	var names []string
	for _, other := range others {
		proposal, err := c.proposal(q.ID, other)
		if err != nil {
			return r, err
		}
		names = append(names, proposal.Name)
		r.Proposals = append(r.Proposals, proposal)
	}
	if !r.Counter || len(others) == 0 {
		return r, nil
	}
	r.People, r.Since = strings.Join(names, ", "), time.Time{}
	for _, p := range r.Proposals {
		if r.Since.IsZero() || !p.Since.IsZero() && p.Since.Before(r.Since) {
			r.Since = p.Since
		}
	}
	return r, nil
}

// awaiting returns the event or the occurrence that awaits an answer. An occurrence that is not stored apart is
// taken from its event. It is nil if there is none that can be read.
func (c *collection) awaiting(id stores.ID) (*calendar.Object, error) {
	object, err := c.read(stores.Key{Part: stores.Active, ID: id})
	if object != nil || err != nil || id.RecurrenceID == "" {
		return object, err
	}
	event, err := c.read(stores.Key{Part: stores.Active, ID: stores.ID{UID: id.UID}})
	if event == nil || err != nil {
		return nil, err
	}
	at, err := event.InstantOf(id.RecurrenceID, c.Zone)
	if err != nil {
		return nil, nil
	}
	occurrence, _ := event.Occurrence(at, c.Zone) // nil if there is none
	return occurrence, nil
}

// next returns the event's first time that is not over, or else its last; zero if it has none that can be read.
func (c *collection) next(object *calendar.Object) (start, end time.Time) {
	spans, _, _ := object.Periods(calendar.PeriodOptions{Zone: c.Zone, Now: c.Now, Until: c.Now.AddDate(1, 0, 0)})
	for _, span := range spans {
		if start, end = span.Start.In(c.Zone), span.End.In(c.Zone); span.End.After(c.Now) {
			break
		}
	}
	return start, end
}

// proposal returns what somebody proposes in place of an event.
func (c *collection) proposal(id stores.ID, other calendar.URI) (Proposal, error) {
	p := Proposal{By: other, Name: Name(other)}
	object, err := c.read(stores.Key{Part: stores.Countered, ID: id, Other: other})
	if object == nil {
		return p, err
	}
	p.Name, p.AllDay, p.Since = person(object, other), object.AllDay(), c.stamp(object)
	p.Start, p.End = c.next(object)
	return p, nil
}

// stamp returns an object's DTSTAMP, or zero.
func (c *collection) stamp(object *calendar.Object) time.Time {
	text, _ := object.Stamp()
	at, err := calendar.InstantOf(text, time.UTC)
	if err != nil {
		return time.Time{}
	}
	return at.In(c.Zone)
}
