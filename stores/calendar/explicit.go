package calendar

import (
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"imip-agent/stores/calendar/zones"
)

// Explicit is a period that an event names itself: that from DTSTART to its end, or a value of RDATE. Its times
// are what the clock at the event shows, in the fields of times in UTC.
type Explicit struct {
	Start, End time.Time
	zone       *time.Location // never nil
}

// Instant returns when the clock at the event shows a time, in UTC.
func (p Explicit) Instant(local time.Time) time.Time { return zones.Place(local, p.zone).UTC() }

// Clock returns what the clock at the event shows at an instant.
func (p Explicit) Clock(instant time.Time) time.Time { return clockOf(instant, p.zone) }

// Length returns how long the period is, in exact time.
func (p Explicit) Length() time.Duration { return p.Instant(p.End).Sub(p.Instant(p.Start)) }

// ClockAt returns what the clock of the event shows at an instant, for a user in zone: the event's own clock, or
// the user's where it has none. It fails as Start does.
func (o *Object) ClockAt(instant time.Time, zone *time.Location) (time.Time, error) {
	start, err := o.moment(ical.PropDateTimeStart)
	if err != nil {
		return time.Time{}, err
	}
	return clockOf(instant, start.in(zone)), nil
}

// Explicit returns the periods that the event names for a user in zone: the first is that of DTSTART, whatever
// takes it away, and those of RDATE follow in their order, without what EXDATE and EXRULE take away. What its rule
// yields is not among them. It fails as Periods does; with an [IncompleteError], or one of dates, it is not known
// what [Object.SetExplicit] would leave out.
func (o *Object) Explicit(zone *time.Location) ([]Explicit, error) {
	t, err := o.times(zone)
	if err != nil {
		return nil, err
	}
	of := func(occurrence occurrence) Explicit {
		start := occurrence.instant(zone)
		p := Explicit{Start: occurrence.local, zone: occurrence.in(zone)}
		p.End = p.Clock(occurrence.length.after(occurrence.moment, start, zone))
		return p
	}
	all := []Explicit{of(occurrence{t.start, t.length})}
	for _, date := range t.rdates {
		switch {
		case date.date:
			return nil, &Error{"RDATE: days cannot be moved as times"}
		case !t.excludesAlone(date.moment, date.instant(zone)):
			all = append(all, of(date))
		}
	}
	return all, t.incomplete()
}

// SetExplicit replaces the periods that the event names by others, as many as [Object.Explicit] has returned and in
// the same order: DTSTART and DTEND in the form of DTSTART, and the others as periods of RDATE.
func (o *Object) SetExplicit(periods []Explicit) {
	start, ok := o.first(ical.PropDateTimeStart)
	if !ok || len(periods) == 0 {
		return
	}
	params, form := start.Params, formLocal
	if strings.HasSuffix(strings.ToUpper(start.Value), "Z") {
		form = formUTC
	}
	o.Remove(ical.PropDateTimeEnd, ical.PropDuration, ical.PropRecurrenceDates)
	set := func(name string, local time.Time) {
		o.component.Props.Set(&ical.Prop{Name: name, Params: params, Value: local.Format(form)})
	}
	set(ical.PropDateTimeStart, periods[0].Start)
	set(ical.PropDateTimeEnd, periods[0].End)
	for _, p := range periods[1:] {
		// Each in UTC: a period of RDATE can be in another zone than DTSTART.
		value := p.Instant(p.Start).Format(formUTC) + "/" + p.Instant(p.End).Format(formUTC)
		o.component.Props.Add(&ical.Prop{
			Name: ical.PropRecurrenceDates, Params: ical.Params{ical.ParamValue: {string(ical.ValuePeriod)}}, Value: value,
		})
	}
}

// SameExplicit reports whether two lists of periods are the same, one by one.
func SameExplicit(a, b []Explicit) bool {
	return slices.EqualFunc(a, b, func(p, q Explicit) bool { return p.Start.Equal(q.Start) && p.End.Equal(q.End) })
}
