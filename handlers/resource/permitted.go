package resource

import (
	"errors"
	"slices"
	"time"

	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

// permitted are the times of day at which events may begin and end.
type permitted preferences.Times

// all reports whether all times are.
func (p permitted) all() bool { return len(p.Hours)+len(p.Minutes)+len(p.Seconds) == 0 }

// next returns the first permitted time at or after one, by the clock at the event.
func (p permitted) next(local time.Time) time.Time {
	if p.all() {
		return local
	}
	for {
		year, month, day := local.Date()
		hour, minute, second := local.Clock()
		at := func(days, hour, minute, second int) time.Time {
			return time.Date(year, month, day+days, hour, minute, second, 0, time.UTC)
		}
		switch h, m, s := fitting(p.Hours, hour), fitting(p.Minutes, minute), fitting(p.Seconds, second); {
		case h < 0:
			local = at(1, 0, 0, 0)
		case h != hour:
			local = at(0, h, 0, 0)
		case m < 0:
			local = at(0, hour+1, 0, 0)
		case m != minute:
			local = at(0, hour, m, 0)
		case s < 0:
			local = at(0, hour, minute+1, 0)
		default:
			return at(0, hour, minute, s)
		}
	}
}

// fitting returns the first number in a list, which is in order, that is not less than another; -1: there is none. An
// empty list has all numbers.
func fitting(list []int, number int) int {
	if len(list) == 0 {
		return number
	}
	if i, _ := slices.BinarySearch(list, number); i < len(list) {
		return list[i]
	}
	return -1
}

// permits reports whether something may begin or end at a time.
func (p permitted) permits(local time.Time) bool { return p.next(local).Equal(local) }

// correct returns a period moved to permitted times: its start to the next one, and its end likewise. Where nothing
// would be left of it, it keeps its length, up to the next permitted end.
//
// DEVIATION: corrected-length. The original proposes periods without length.
func (p permitted) correct(e calendar.Explicit) calendar.Explicit {
	length := e.Length()
	e.Start, e.End = p.next(e.Start), p.next(e.End)
	if length > 0 && !e.End.After(e.Start) {
		e.End = p.next(e.Clock(e.Instant(e.Start).Add(length)))
	}
	return e
}

// correct returns the object with its times moved to permitted ones; the same object if they are permitted. It returns
// false if they are not, and cannot be moved: those of whole days, and what a rule yields.
func (q *request) correct() (object *calendar.Object, ok bool, err error) {
	times := permitted(q.Preferences.PermittedTimes)
	switch {
	case times.all():
		return q.object, true, nil
	case q.object.AllDay():
		return nil, false, nil
	case q.object.Has("RRULE"):
		// DEVIATION: permitted-occurrences. The original permits whatever a rule yields.
		ok, err := q.allPermitted(times)
		return q.object, ok, err
	}
	periods, err := q.object.Explicit(q.Preferences.Zone)
	var incomplete *calendar.IncompleteError
	if err != nil && !errors.As(err, &incomplete) {
		return nil, false, nil
	}
	moved := make([]calendar.Explicit, len(periods))
	for i, p := range periods {
		moved[i] = times.correct(p)
	}
	if calendar.SameExplicit(periods, moved) {
		return q.object, true, nil
	}
	if incomplete != nil { // what cannot be read would be lost
		return nil, false, nil
	}
	object = q.object.Clone()
	object.SetExplicit(moved)
	return object, true, nil
}

// allPermitted reports whether all periods of the object begin and end at permitted times.
func (q *request) allPermitted(times permitted) (bool, error) {
	periods, err := q.Times(q.object)
	if err != nil {
		return false, err
	}
	for _, span := range periods.Own() {
		for _, at := range []time.Time{span.Start, span.End} {
			local, err := q.object.ClockAt(at, q.Preferences.Zone)
			if err != nil || !times.permits(local) {
				return false, nil
			}
		}
	}
	return true, nil
}
