package calendar

import (
	"time"

	"github.com/emersion/go-ical"
)

// Value returns the value of the first property of that name as it is written, "" without
// one.
func (o *Object) Value(name string) string { return o.value(name) }

// AddFrom takes over the properties of those names that o lacks and other has.
func (o *Object) AddFrom(other *Object, names ...string) {
	for _, name := range names {
		if !o.Has(name) && other.Has(name) {
			o.CopyFrom(other, name)
		}
	}
}

// AddTimes takes over from other when the event is, as far as o does not say. Where o has a
// beginning of its own and no end, it gets as long as other for a user in zone.
func (o *Object) AddTimes(other *Object, zone *time.Location) {
	start, err := o.moment(ical.PropDateTimeStart)
	switch {
	case err != nil:
		o.CopyFrom(other, ical.PropDateTimeStart, ical.PropDateTimeEnd, ical.PropDuration)
		return
	case o.Has(ical.PropDateTimeEnd), o.Has(ical.PropDuration), !other.Has(ical.PropDateTimeEnd) && !other.Has(ical.PropDuration):
		return
	}
	if begin, err := other.moment(ical.PropDateTimeStart); err == nil {
		first, _ := o.first(ical.PropDateTimeStart)
		o.setEnd(start, first.Params, other.length(begin, zone), zone)
	}
}

// Occurrence returns the occurrence of the event that begins at an instant for a user in zone
// as an event that happens once, and nil if there is none. It fails as Periods does; with an
// [IncompleteError] the answer is good for what could be read.
func (o *Object) Occurrence(instant time.Time, zone *time.Location) (*Object, error) {
	t, err := o.times(zone)
	if err != nil {
		return nil, err
	}
	found, ok := t.at(instant)
	if !ok {
		return nil, t.incomplete()
	}
	var params ical.Params
	switch start, _ := o.first(ical.PropDateTimeStart); {
	case found.date == t.start.date && found.zone == t.start.zone:
		params = start.Params
	case found.date:
		params = ical.Params{ical.ParamValue: []string{string(ical.ValueDate)}}
	case found.zone != nil && found.zone != time.UTC:
		params = ical.Params{ical.ParamTimezoneID: []string{found.zone.String()}}
	}
	once := o.Clone()
	once.Remove(ical.PropRecurrenceRule, ical.PropRecurrenceDates, ical.PropExceptionDates, "EXRULE")
	once.component.Props.Set(&ical.Prop{Name: ical.PropDateTimeStart, Params: params, Value: found.text(found.local)})
	once.Remove(ical.PropDateTimeEnd, ical.PropDuration)
	// An event of no length keeps that it says so: the original reads none that does not.
	if found.date || found.length != (length{}) || o.Has(ical.PropDateTimeEnd) || o.Has(ical.PropDuration) {
		once.setEnd(found.moment, params, found.length, zone)
	}
	return once, t.incomplete()
}

// at returns the occurrence that begins at an instant, if there is one.
func (t *times) at(instant time.Time) (found occurrence, ok bool) {
	t.near(instant, func(o occurrence, start time.Time) bool {
		if start.Equal(instant) {
			found, ok = o, true
		}
		return !ok
	})
	return found, ok
}

// setEnd sets DTEND by the length, in the form of DTSTART, which is start with those
// parameters.
func (o *Object) setEnd(start moment, params ical.Params, l length, zone *time.Location) {
	if start.date {
		l = l.whole()
	}
	end := start.local.AddDate(0, 0, l.days)
	if !start.date {
		there := l.after(start, start.instant(zone), zone).In(start.in(zone))
		_, offset := there.Zone()
		end = there.UTC().Add(time.Duration(offset) * time.Second)
	}
	o.component.Props.Set(&ical.Prop{Name: ical.PropDateTimeEnd, Params: params, Value: start.text(end)})
}

// text returns a local time in the form of the moment.
func (m moment) text(local time.Time) string {
	switch {
	case m.date:
		return local.Format(formDate)
	case m.zone == time.UTC:
		return local.Format(formUTC)
	}
	return local.Format(formLocal)
}
