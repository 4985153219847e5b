package calendar

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"imip-agent/stores/calendar/zones"
)

// Product is the PRODID of what this program writes (RFC 5545 section 3.7.3).
const Product = "-//imip-agent//NONSGML imip-agent//EN"

// Document is a VCALENDAR to be written, for others than the store (RFC 5545 section 3.4).
type Document struct {
	Method   string // METHOD in upper case; "": none
	Name     string // how programs call the calendar, in X-WR-CALNAME; "": that is left to them
	Objects  []*Object
	FreeBusy []*FreeBusy
}

// Encode returns the text of the calendar: UTF-8, CRLF, folded. It has a VTIMEZONE for each
// TZID of its objects (RFC 5545 section 3.6.5), made from the IANA's data.
//
// DEVIATION: answers-as-calendars. The original leaves out PRODID and VTIMEZONE.
func (d *Document) Encode() []byte {
	size := 512
	uses := make(map[string]time.Time)
	for _, o := range d.Objects {
		size += encodedSize(o.component)
		zoneUses(o.component, uses)
	}
	for _, f := range d.FreeBusy {
		size += f.size()
	}
	w := lineWriter{buf: make([]byte, 0, size)}
	w.line("BEGIN:", ical.CompCalendar)
	w.line("VERSION:2.0")
	w.line("PRODID:", Product)
	if d.Method != "" {
		w.line("METHOD:", oneLine(d.Method))
	}
	if d.Name != "" {
		w.property(&ical.Prop{Name: "X-WR-CALNAME", Value: encodeText(strings.NewReplacer("\n", " ", "\r", " ").Replace(d.Name))})
	}
	for _, tzid := range slices.Sorted(maps.Keys(uses)) {
		if zone, err := zones.Load(tzid); err == nil {
			w.component(timezone(tzid, zone, uses[tzid]))
		}
	}
	for _, o := range d.Objects {
		w.component(o.component)
	}
	for _, f := range d.FreeBusy {
		f.write(&w)
	}
	w.line("END:", ical.CompCalendar)
	return w.buf
}

// zoneUses notes the earliest date for which each TZID is used in a component.
func zoneUses(c *ical.Component, uses map[string]time.Time) {
	for _, props := range c.Props {
		for i := range props {
			tzid := props[i].Params.Get(ical.ParamTimezoneID)
			if tzid == "" {
				continue
			}
			for value := range strings.SplitSeq(props[i].Value, ",") {
				at, err := time.Parse(formDate, value[:min(len(formDate), len(value))])
				if err != nil {
					at = time.Unix(0, 0).UTC()
				}
				if earliest, known := uses[tzid]; !known || at.Before(earliest) {
					uses[tzid] = at
				}
			}
		}
	}
	for _, child := range c.Children {
		zoneUses(child, uses)
	}
}

// Set replaces the properties of a name by one without parameters. The value is as RFC 5545
// writes it.
func (o *Object) Set(name, value string) {
	name = strings.ToUpper(name)
	o.component.Props[name] = []ical.Prop{{Name: name, Value: value}}
}

// SetRecurrenceID makes the object the occurrence that a recurrence id of its event means, in
// the form in which [Object.RecurrenceID] returns it.
func (o *Object) SetRecurrenceID(recurrenceID string) {
	prop := ical.Prop{Name: ical.PropRecurrenceID, Value: recurrenceID}
	if len(recurrenceID) == len(formDate) {
		prop.Params = ical.Params{ical.ParamValue: {string(ical.ValueDate)}}
	}
	o.component.Props.Set(&prop)
}

// SetParam gives the properties of those names a parameter; with the value "" it takes it from
// them.
func (o *Object) SetParam(param, value string, names ...string) {
	for _, name := range names {
		props := o.component.Props[strings.ToUpper(name)]
		for i := range props {
			params := maps.Clone(props[i].Params) // which others share
			if params == nil {
				params = ical.Params{}
			}
			if params.Del(param); value != "" {
				params.Set(param, value)
			}
			props[i].Params = params
		}
	}
}
