package calendar

import (
	"strings"
	"time"

	"github.com/emersion/go-ical"
)

// Align brings the RECURRENCE-ID of an occurrence into the form of its event's DTSTART, and the
// EXDATE of an event into that of its own, for a user in zone: other programs compare them as
// they are written (RFC 5545 sections 3.8.4.4 and 3.8.5.1). It reports whether it changed
// anything. The event of an occurrence that is not known is nil.
func (o *Object) Align(event *Object, zone *time.Location) (changed bool) {
	if id := o.component.Props.Get(ical.PropRecurrenceID); id != nil {
		if event == nil {
			return false
		}
		t, err := event.times(zone)
		if err != nil {
			return false
		}
		prop, changed := t.align(event, *id)
		if changed {
			if o.Future() {
				prop.Params.Set(ical.ParamRange, "THISANDFUTURE")
			}
			o.component.Props.Set(&prop)
		}
		return changed
	}
	if !o.Has(ical.PropExceptionDates) {
		return false
	}
	t, err := o.times(zone)
	if err != nil {
		return false
	}
	props := cloneProps(o.component.Props[ical.PropExceptionDates])
	for i := range props {
		aligned, differs := t.align(o, props[i])
		if differs {
			props[i], changed = aligned, true
		}
	}
	o.component.Props[ical.PropExceptionDates] = props
	return changed
}

// written returns how the event writes when an occurrence of it begins: the value and
// parameters of DTSTART for an instant.
func (o *Object) written(t *times, at time.Time) (value string, params ical.Params) {
	params = ical.Params{}
	start, _ := o.first(ical.PropDateTimeStart)
	if tzid := start.Params.Get(ical.ParamTimezoneID); tzid != "" && t.start.zone != time.UTC {
		params.Set(ical.ParamTimezoneID, tzid)
	}
	if t.start.date {
		params.Set(ical.ParamValue, string(ical.ValueDate))
	}
	return t.start.text(clockOf(at, t.start.in(t.user))), params
}

// Exclude takes the occurrence out of the event, by EXDATE, that a recurrence id means for a
// user in zone.
func (o *Object) Exclude(recurrenceID string, zone *time.Location) error {
	at, err := o.InstantOf(recurrenceID, zone)
	if err != nil {
		return err
	}
	t, err := o.times(zone)
	if err != nil {
		return err
	}
	value, params := o.written(t, at)
	o.component.Props.Add(&ical.Prop{Name: ical.PropExceptionDates, Params: params, Value: value})
	return nil
}

// align returns a property with the starts of occurrences in the form of DTSTART, and
// whether it was in another one. What cannot be read stays.
func (t *times) align(event *Object, prop ical.Prop) (aligned ical.Prop, differs bool) {
	aligned = ical.Prop{Name: prop.Name, Params: ical.Params{}}
	var values []string
	for value := range strings.SplitSeq(prop.Value, ",") {
		m, err := readMoment(value, prop.Params)
		if err != nil {
			return prop, false
		}
		same := m.date == t.start.date && (m.zone == t.start.zone || m.zone != nil && t.start.zone != nil && m.zone.String() == t.start.zone.String())
		differs = differs || !same
		written, params := event.written(t, t.occurrenceOf(m))
		values = append(values, written)
		for name, v := range params {
			aligned.Params[name] = v
		}
	}
	aligned.Value = strings.Join(values, ",")
	return aligned, differs
}
