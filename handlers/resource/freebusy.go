package resource

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// inFreeBusy accepts what takes place while the resource is free: while fewer than most bookings are there.
type inFreeBusy struct{ most int }

func (f inFreeBusy) decide(q *request) (answer, error) {
	free, err := q.isFree(q.object, f.most)
	if err != nil || !free {
		return taken.because("it is booked"), err
	}
	return accepted, nil
}

// corrected does so after the times have been moved to permitted ones.
type corrected struct{ most int }

func (f corrected) decide(q *request) (answer, error) {
	object, ok, err := q.correct()
	if err != nil || !ok {
		return taken.because("its times are not permitted, and cannot be moved"), err
	}
	free, err := q.isFree(object, f.most)
	if err != nil || !free {
		return taken.because("it is booked"), err
	}
	return q.propose(object), nil
}

// nextAvailable does so, too, and where the resource is not free proposes the next time when it is, and all who
// attend are, as far as that is known.
type nextAvailable struct{ most int }

func (f nextAvailable) decide(q *request) (answer, error) {
	object, ok, err := q.correct()
	if err != nil || !ok {
		return taken.because("its times are not permitted, and cannot be moved"), err
	}
	free, err := q.isFree(object, f.most)
	if err != nil {
		return taken, err
	}
	if !free {
		if object, err = q.findFree(object, f.most); object == nil || err != nil {
			return taken.because("it is booked, and no other time can be found"), err
		}
	}
	return q.propose(object), nil
}

// propose accepts an object that is the one that is asked for, and else proposes it.
func (q *request) propose(object *calendar.Object) answer {
	if object == q.object {
		return accepted
	}
	return answer{decision: itip.Counter, why: itip.OtherPeriod, object: object}
}

// isFree reports whether fewer than most bookings are there at any moment of an object's periods.
//
// DEVIATION: concurrent-bookings. For the original it is free if there is none.
func (q *request) isFree(object *calendar.Object, most int) (bool, error) {
	times, err := q.Times(object)
	if err != nil {
		return false, err
	}
	full, err := q.full(most)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(times.Own(), func(s calendar.Span) bool { _, found := full.over(s); return found }), nil
}

// full returns when the resource has most bookings or more, without those that the request replaces: what it takes part
// in, and what it has offered to others. Whether people are free then does not matter: the resource is not.
func (q *request) full(most int) (spans, error) {
	var records spans
	for _, kind := range []stores.TableKind{stores.Own, stores.Offers} {
		table, err := q.Periods(stores.Table{Kind: kind})
		if err != nil {
			return nil, err
		}
		table.DropExpired(q.Now)
		records = q.records(records, table)
	}
	return records.atLeast(most), nil
}

// records adds the records of a table, without those that the request replaces.
func (q *request) records(to spans, table *freebusy.Table) spans {
	for p := range table.All() {
		if p.Start.Before(p.End) && !q.Replaces(p) {
			to = append(to, calendar.Span{Start: p.Start, End: p.End})
		}
	}
	return to
}

// busyOthers adds what is known of when the others who attend are busy.
func (q *request) busyOthers(to spans) (spans, error) {
	names, err := q.Others()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		attends := func(a calendar.Attendee) bool { return a.URI.Is(name) && !name.Is(q.User()) }
		if !slices.ContainsFunc(q.object.Attendees(), attends) {
			continue
		}
		table, err := q.Periods(stores.Table{Kind: stores.Other, Other: name})
		if err != nil {
			return nil, err
		}
		to = q.records(to, table)
	}
	return to, nil
}

// spans are periods. In most functions they do not overlap, and are in order.
type spans []calendar.Span

// atLeast returns when at least so many of the periods overlap: periods in order that do not overlap.
func (all spans) atLeast(most int) (full spans) {
	type edge struct {
		at   time.Time
		step int
	}
	edges := make([]edge, 0, 2*len(all))
	for _, s := range all {
		edges = append(edges, edge{s.Start, 1}, edge{s.End, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.step, b.step)) })
	number := 0
	for _, e := range edges {
		switch number += e.step; {
		case e.step > 0 && number == most:
			full = append(full, calendar.Span{Start: e.at})
		case e.step < 0 && number == most-1:
			full[len(full)-1].End = e.at
		}
	}
	return full
}

// over returns the first of the periods that overlaps another one. Ends that touch do not.
func (all spans) over(s calendar.Span) (found calendar.Span, ok bool) {
	i := sort.Search(len(all), func(i int) bool { return all[i].End.After(s.Start) })
	if i < len(all) && all[i].Start.Before(s.End) {
		return all[i], true
	}
	return found, false
}

// findFree returns the object with each of its periods moved to where it is free, or nil if that cannot be found
// within the window.
//
// DEVIATION: next-available. The original fails for ever.
func (q *request) findFree(object *calendar.Object, most int) (*calendar.Object, error) {
	if object.Has("RRULE") || object.AllDay() {
		return nil, nil
	}
	periods, err := object.Explicit(q.Preferences.Zone)
	if err != nil {
		return nil, nil // what cannot be read cannot be moved
	}
	busy, err := q.full(most)
	if err == nil {
		busy, err = q.busyOthers(busy)
	}
	if err != nil {
		return nil, err
	}
	busy = busy.atLeast(1)
	order := make([]int, len(periods))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return periods[a].Instant(periods[a].Start).Compare(periods[b].Instant(periods[b].Start))
	})
	var after time.Time
	for _, i := range order {
		moved, ok := earliest(periods[i], after, q.Preferences.WindowEnd(q.Now), busy, permitted(q.Preferences.PermittedTimes))
		if !ok {
			return nil, nil
		}
		periods[i], after = moved, moved.Instant(moved.End)
	}
	object = object.Clone()
	object.SetExplicit(periods)
	return object, nil
}

// earliest returns a period where it is, if that is after an instant and collides with nothing, or else at the earliest
// permitted time at which that is so, up to an instant.
func earliest(p calendar.Explicit, after, until time.Time, busy spans, times permitted) (calendar.Explicit, bool) {
	length := p.Length()
	begin := p.Instant(p.Start)
	moved := p
	for floor := latest(begin, after); ; {
		start := floor
		if !start.Equal(begin) {
			local := times.next(p.Clock(start))
			if start = p.Instant(local); start.Before(floor) { // the hour that comes twice
				local = times.next(local.Add(floor.Sub(start)))
				start = p.Instant(local)
			}
			if start.After(until) {
				return p, false
			}
			moved.Start = local
		}
		end := start.Add(length)
		moved.End = p.Clock(end)
		if !start.Equal(begin) {
			if next := times.next(moved.End); !next.Equal(moved.End) {
				floor = latest(start.Add(time.Second), p.Instant(next).Add(-length))
				continue
			}
		}
		hit, collides := busy.over(calendar.Span{Start: start, End: end})
		if !collides {
			return moved, true
		}
		floor = latest(hit.End, start.Add(time.Second))
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
