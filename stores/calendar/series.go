package calendar

import (
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"
)

// Apart is an occurrence of an event that is stored apart from it.
type Apart struct {
	ID        string  // its recurrence id, as [Object.RecurrenceID] gives it
	Object    *Object // nil if it is not known: then it stands for one occurrence
	Cancelled bool
}

// Series is an event with the occurrences of it that are stored apart.
type Series struct {
	Event *Object // nil if it is not stored
	Apart []Apart
}

// Future tells whether an occurrence stands for all later ones as well (RANGE=THISANDFUTURE,
// RFC 5545 section 3.2.13).
//
// DEVIATION: ranges-of-occurrences
func (o *Object) Future() bool {
	prop := o.component.Props.Get(ical.PropRecurrenceID)
	return prop != nil && strings.EqualFold(prop.Params.Get(ical.ParamRange), "THISANDFUTURE")
}

// CopyRange gives an occurrence the RANGE of another one, or takes it off.
func (o *Object) CopyRange(other *Object) {
	id, from := o.component.Props.Get(ical.PropRecurrenceID), other.component.Props.Get(ical.PropRecurrenceID)
	if id == nil || from == nil || o.Future() == other.Future() {
		return
	}
	params := make(ical.Params, len(id.Params)+1)
	for name, values := range id.Params {
		params[name] = values
	}
	params.Del(ical.ParamRange)
	if other.Future() {
		params.Set(ical.ParamRange, "THISANDFUTURE")
	}
	replaced := *id
	replaced.Params = params
	o.component.Props.Set(&replaced)
}

// InstantOf returns the instant of the event's occurrence that a recurrence id means for a
// user in zone, in UTC, whatever form it has: a date means the occurrence on that day, a
// time without a zone is in the event's, and a time means a day, where the event has days.
// It fails with an [Error] if it is neither a date nor a date-time.
func (o *Object) InstantOf(recurrenceID string, zone *time.Location) (time.Time, error) {
	m, err := readMoment(recurrenceID, nil)
	if err != nil {
		return InstantOf(recurrenceID, zone)
	}
	if at, ok := o.plainInstant(m, zone); ok {
		return at, nil
	}
	t, err := o.times(zone)
	if err != nil {
		return m.instant(zone), nil
	}
	if t.start.date && m.zone == time.UTC && sinceMidnight(m.local) != 0 {
		// The id is of UTC, the property may have been of a zone: the midnight that it was there.
		if there := clockOf(m.local, t.start.in(zone)); sinceMidnight(there) == 0 {
			m = t.start.at(there)
		} else {
			m = t.start.at(m.local.Round(24 * time.Hour))
		}
	}
	return t.occurrenceOf(m), nil
}

// InstantFor returns the instant of the event's occurrence that another object is, by its
// RECURRENCE-ID, as InstantOf does it.
func (o *Object) InstantFor(occurrence *Object, zone *time.Location) (time.Time, error) {
	m, err := occurrence.moment(ical.PropRecurrenceID)
	if err != nil {
		return time.Time{}, err
	}
	if at, ok := o.plainInstant(m, zone); ok {
		return at, nil
	}
	t, err := o.times(zone)
	if err != nil {
		return m.instant(zone), nil
	}
	return t.occurrenceOf(m), nil
}

// plainInstant returns the instant of a time that stands beside a DTSTART that is a time, which
// takes nothing else of the event to know.
func (o *Object) plainInstant(m moment, zone *time.Location) (time.Time, bool) {
	start, err := o.moment(ical.PropDateTimeStart)
	if err != nil || start.date || m.date {
		return time.Time{}, false
	}
	if m.zone == nil {
		m.zone = start.zone
	}
	return m.instant(zone), true
}

// occurrenceOf returns when the occurrence is that a moment means.
func (t *times) occurrenceOf(m moment) time.Time {
	m = t.means(m)
	if !m.date || t.start.date {
		return m.instant(t.user)
	}
	// The one that starts on that day in the event's zone.
	m = t.start.at(m.local.Add(sinceMidnight(t.start.local)))
	found := m.instant(t.user)
	t.near(found, func(other occurrence, start time.Time) bool {
		if midnight(other.local).Equal(midnight(m.local)) {
			found = start
			return false
		}
		return true
	})
	return found
}

// At returns the instant of the event's occurrence that one stored apart stands for, for a
// user in zone, in UTC.
func (s *Series) At(apart Apart, zone *time.Location) (time.Time, error) {
	switch {
	case s.Event == nil:
		return InstantOf(apart.ID, zone)
	case apart.Object != nil:
		if at, err := s.Event.InstantFor(apart.Object, zone); err == nil {
			return at, nil
		}
	}
	return s.Event.InstantOf(apart.ID, zone)
}

// Periods returns the periods that are recorded under a recurrence id: under none, those
// of the event that nothing stored apart stands for; under that of an occurrence, its own,
// and if it stands for all later ones, those of the event's later occurrences that nothing
// else stands for, moved as it is moved and as long as it is. Nothing is recorded of what
// is cancelled. Otherwise it is as [Object.Periods].
func (s *Series) Periods(recurrenceID string, options PeriodOptions) (spans []Span, truncated bool, err error) {
	if recurrenceID == "" && s.Event == nil {
		return nil, false, &Error{"the event is not stored"}
	}
	var which Apart
	if recurrenceID != "" {
		i := slices.IndexFunc(s.Apart, func(a Apart) bool { return a.ID == recurrenceID })
		if i < 0 || s.Apart[i].Object == nil {
			return nil, false, &Error{"the occurrence is not stored"}
		}
		if which = s.Apart[i]; which.Cancelled {
			return nil, false, nil
		}
		if s.Event == nil || !which.Object.Future() {
			return which.Object.Periods(options)
		}
	}
	t, err := s.Event.times(options.Zone)
	if err != nil {
		if recurrenceID != "" {
			return which.Object.Periods(options)
		}
		return nil, false, err
	}
	stands := s.stand(t)
	if recurrenceID == "" {
		spans, truncated = t.periods(options, time.Time{}, func(m moment, l length, start time.Time) (Span, bool) {
			if stands.forAt(start) {
				return Span{}, false
			}
			return t.itself(m, l, start)
		})
		return spans, truncated, t.incomplete()
	}

	moved, err := which.Object.times(options.Zone)
	if err != nil {
		return nil, false, err
	}
	at, err := s.At(which, options.Zone)
	if err != nil {
		return nil, false, err
	}
	there := moved.start.in(options.Zone)
	shift := moved.start.local.Sub(clockOf(at, there))
	later, truncated := t.periods(options, t.local(at).Add(-slack), func(_ moment, _ length, start time.Time) (Span, bool) {
		if !start.After(at) || stands.by(start) != recurrenceID {
			return Span{}, false
		}
		m := moved.start.at(clockOf(start, there).Add(shift))
		begins := m.instant(options.Zone)
		return Span{begins, moved.length.after(m, begins, options.Zone)}, true
	})
	own, _, err := which.Object.Periods(options)
	return append(own, later...), truncated, joinIncomplete(err, t.incomplete())
}

// joinIncomplete returns the first of the errors that there is.
func joinIncomplete(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// standing says what stands for the occurrences of an event.
type standing struct {
	single map[int64]string // recurrence ids by the instants of what they stand for
	future []stand          // those that stand for all later ones, in order
}

type stand struct {
	at int64
	id string
}

func (s *Series) stand(t *times) standing {
	st := standing{single: make(map[int64]string, len(s.Apart))}
	for _, apart := range s.Apart {
		at, err := s.at(t, apart)
		if err != nil {
			t.leaveOut(err)
			continue
		}
		st.single[at.Unix()] = apart.ID
		if apart.Object != nil && apart.Object.Future() {
			st.future = append(st.future, stand{at.Unix(), apart.ID})
		}
	}
	slices.SortFunc(st.future, func(a, b stand) int { return int(a.at - b.at) })
	return st
}

// at is At for an event whose times are known.
func (s *Series) at(t *times, apart Apart) (time.Time, error) {
	if apart.Object != nil {
		if m, err := apart.Object.moment(ical.PropRecurrenceID); err == nil {
			return t.occurrenceOf(m), nil
		}
	}
	return s.Event.InstantOf(apart.ID, t.user)
}

// by returns the recurrence id of what stands for the occurrence at an instant, "" if
// nothing does.
func (st standing) by(start time.Time) string {
	if id, ok := st.single[start.Unix()]; ok {
		return id
	}
	for _, f := range slices.Backward(st.future) {
		if f.at <= start.Unix() {
			return f.id
		}
	}
	return ""
}

// forAt tells whether anything stands for the occurrence at an instant.
func (st standing) forAt(start time.Time) bool { return st.by(start) != "" }
