package calendar

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"imip-agent/stores/calendar/zones"
)

// Object is one VEVENT (RFC 5545 section 3.6.1), as a message brought it or as
// a store keeps it.
type Object struct {
	component *ical.Component
}

// Clone returns a copy, which changes of o leave as it is and the other way round.
func (o *Object) Clone() *Object {
	return &Object{cloneComponent(o.component)}
}

func cloneComponent(c *ical.Component) *ical.Component {
	clone := ical.NewComponent(c.Name)
	for name, props := range c.Props {
		clone.Props[name] = cloneProps(props)
	}
	for _, child := range c.Children {
		clone.Children = append(clone.Children, cloneComponent(child))
	}
	return clone
}

// cloneProps copies properties. Their parameters are shared: once an object is
// decoded, they are replaced and never changed.
func cloneProps(props []ical.Prop) []ical.Prop { return slices.Clone(props) }

// value returns the value of the first property of that name, "" without one.
func (o *Object) value(name string) string {
	if prop := o.component.Props.Get(name); prop != nil {
		return prop.Value
	}
	return ""
}

// UID returns the UID as the original has it in file names and tables: with the
// escapes of comma, semicolon and line break undone, and no others.
func (o *Object) UID() string {
	return unescapeUID(o.value(ical.PropUID))
}

// The forms of dates and times (RFC 5545 sections 3.3.4 and 3.3.5).
const (
	formDate  = "20060102"
	formLocal = "20060102T150405"
	formUTC   = "20060102T150405Z"
)

// RecurrenceID returns the recurrence id in the form in which it names files and
// stands in tables: with a TZID the instant in UTC (of a date, the start of that
// day), without one as it is given: a date, a local date-time or one in UTC. It
// is "" without RECURRENCE-ID, and an [Error] if that cannot be read.
func (o *Object) RecurrenceID() (string, error) {
	prop := o.component.Props.Get(ical.PropRecurrenceID)
	if prop == nil {
		return "", nil
	}
	form := formUTC
	switch len(prop.Value) {
	case len(formDate):
		form = formDate
	case len(formLocal):
		form = formLocal
	}
	local, err := time.Parse(form, prop.Value)
	if err != nil {
		return "", &Error{fmt.Sprintf("the RECURRENCE-ID %s is neither a date nor a date-time", excerpt(prop.Value))}
	}
	tzid := prop.Params.Get(ical.ParamTimezoneID)
	if tzid == "" || form == formUTC {
		return prop.Value, nil
	}
	zone, err := zones.Load(tzid)
	if err != nil {
		return "", &Error{fmt.Sprintf("the RECURRENCE-ID cannot be placed: %v", err)}
	}
	return zones.Place(local, zone).UTC().Format(formUTC), nil
}

// Sequence returns the SEQUENCE, and whether there is one. One that is beyond all
// numbers is the greatest or the least, so that others are still older or newer.
func (o *Object) Sequence() (int, bool) {
	sequence, err := strconv.Atoi(o.value(ical.PropSequence))
	return sequence, err == nil || errors.Is(err, strconv.ErrRange)
}

// Stamp returns the DTSTAMP as text, and whether there is one.
func (o *Object) Stamp() (string, bool) {
	stamp := o.value(ical.PropDateTimeStamp)
	return stamp, stamp != ""
}

// Compare compares two revisions of an event (RFC 5546 section 2.1.5): by SEQUENCE, and where both
// have the same, by DTSTAMP, if that counts; what has none is older then. It returns a number below
// 0 if o is older, above 0 if it is newer, and 0 if neither is, or one has no SEQUENCE.
func (o *Object) Compare(other *Object, stampCounts bool) int {
	is, isThere := o.Sequence()
	was, wasThere := other.Sequence()
	switch {
	case !isThere || !wasThere:
		return 0
	case is != was || !stampCounts:
		return cmp.Compare(is, was)
	}
	isStamp, _ := o.Stamp()
	wasStamp, _ := other.Stamp()
	return cmp.Compare(isStamp, wasStamp)
}

// OlderThan reports whether o is an older revision of an event than another one is: see Compare.
func (o *Object) OlderThan(other *Object, stampCounts bool) bool {
	return o.Compare(other, stampCounts) < 0
}

// SameRevision reports whether two objects have the same DTSTAMP, and the same SEQUENCE, which is
// 0 where there is none (RFC 5545 section 3.8.7.4).
func (o *Object) SameRevision(other *Object) bool {
	isStamp, stamped := o.Stamp()
	wasStamp, _ := other.Stamp()
	is, _ := o.Sequence()
	was, _ := other.Sequence()
	return stamped && isStamp == wasStamp && is == was
}

// Summary returns the text of SUMMARY.
func (o *Object) Summary() string {
	return unescapeText(o.value(ical.PropSummary))
}

// Transp returns TRANSP in upper case, "" if there is none.
func (o *Object) Transp() string {
	return o.value(ical.PropTransparency)
}

// Organizer returns who organizes the event, and whether that is said.
func (o *Object) Organizer() (URI, bool) {
	organizer := URI(o.value(ical.PropOrganizer))
	return organizer, organizer != ""
}

// OrganizerSentBy returns who acts for the organizer, "" if nobody does.
func (o *Object) OrganizerSentBy() URI {
	if prop := o.component.Props.Get(ical.PropOrganizer); prop != nil {
		return URI(prop.Params.Get(ical.ParamSentBy))
	}
	return ""
}

// Has tells whether there is a property of that name.
func (o *Object) Has(name string) bool {
	return len(o.component.Props[strings.ToUpper(name)]) > 0
}

// Remove takes all properties of those names out.
func (o *Object) Remove(names ...string) {
	for _, name := range names {
		delete(o.component.Props, strings.ToUpper(name))
	}
}

// Only returns an object that has the properties of those names alone.
func (o *Object) Only(names ...string) *Object {
	only := &Object{ical.NewComponent(o.component.Name)}
	only.CopyFrom(o, names...)
	return only
}

// CopyFrom replaces the properties of those names by other's. Those that other
// lacks are removed.
func (o *Object) CopyFrom(other *Object, names ...string) {
	for _, name := range names {
		name = strings.ToUpper(name)
		if props := other.component.Props[name]; len(props) > 0 {
			o.component.Props[name] = cloneProps(props)
		} else {
			delete(o.component.Props, name)
		}
	}
}

// RecurAtStart makes the object the occurrence of its event that is at its own
// DTSTART, by a RECURRENCE-ID of the same value and parameters.
func (o *Object) RecurAtStart() {
	o.Remove(ical.PropRecurrenceID)
	if start := o.component.Props.Get(ical.PropDateTimeStart); start != nil {
		o.component.Props.Set(&ical.Prop{
			Name: ical.PropRecurrenceID, Params: start.Params, Value: start.Value,
		})
	}
}
