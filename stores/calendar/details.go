package calendar

import (
	"strings"
	"time"

	"github.com/emersion/go-ical"
)

// Location returns the text of LOCATION.
func (o *Object) Location() string { return unescapeText(o.value(ical.PropLocation)) }

// Description returns the text of DESCRIPTION, which may have several lines.
func (o *Object) Description() string { return unescapeText(o.value(ical.PropDescription)) }

// Status returns STATUS in upper case, "" if there is none (RFC 5545 section 3.8.1.11).
func (o *Object) Status() string {
	return strings.ToUpper(strings.TrimSpace(o.value(ical.PropStatus)))
}

// AllDay tells whether the event takes days and not times: its DTSTART is a date.
func (o *Object) AllDay() bool {
	start, err := o.moment(ical.PropDateTimeStart)
	return err == nil && start.date
}

// Clock returns the zone by whose clock the event takes place, or nil if it is that of whoever
// looks at it, as for a date.
func (o *Object) Clock() *time.Location {
	start, err := o.moment(ical.PropDateTimeStart)
	if err != nil {
		return nil
	}
	return start.zone
}

// Recurs tells whether the event has more than the occurrence at its beginning, by a
// rule or by dates.
func (o *Object) Recurs() bool {
	return o.Has(ical.PropRecurrenceRule) || o.Has(ical.PropRecurrenceDates)
}

// OrganizerName returns the organizer's name, "" if it is not given (CN, RFC 5545 section
// 3.2.2).
func (o *Object) OrganizerName() string {
	if prop := o.component.Props.Get(ical.PropOrganizer); prop != nil {
		return name(prop.Params)
	}
	return ""
}

// Name returns the attendee's name, "" if it is not given.
func (a Attendee) Name() string { return name(a.params) }

// name returns CN, without the quotes that the original leaves around it.
func name(params ical.Params) string {
	return strings.Trim(strings.TrimSpace(params.Get(ical.ParamCommonName)), `"`)
}
