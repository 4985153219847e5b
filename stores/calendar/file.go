package calendar

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/emersion/go-ical"

	"imip-agent/stores/calendar/zones"
)

// File is a file with calendars, as other programs export them, of any size. Its events are
// found at once, and each is read when it is asked for.
type File struct {
	Entries  []*Entry       // the VEVENTs, in order of appearance
	Others   map[string]int // how many there are of the other components, by name, VTIMEZONE excepted
	Problems []string       // what of it is lost or damaged, and why

	text      string
	calendars []*rawCalendar
	sources   map[*rawCalendar]*zoneSource
	shared    map[string]*ical.Component // VTIMEZONEs by TZID; nil: calendars of the file differ
}

// Entry is a VEVENT of a file: a whole event, or a changed occurrence of one.
type Entry struct {
	UID string // as [Object.UID] returns it

	file       *File
	calendar   *rawCalendar
	start, end int
}

// Method returns the METHOD of the entry's calendar in upper case, "" if there is none.
func (e *Entry) Method() string { return e.calendar.method }

// NewFile finds the events in the text of a file. What never ends is lost, since nobody knows
// what of it there is; the events after it are not.
func NewFile(text string) *File {
	f := &File{Others: make(map[string]int), text: text, sources: make(map[*rawCalendar]*zoneSource)}
	d := newDecoder(text)
	d.file, d.budget = f, math.MaxInt
	d.run()
	f.calendars = d.calendars
	return f
}

// Decode reads the event. What its TZIDs mean say the VTIMEZONEs of its own calendar (RFC 5545
// section 3.6.5), or else those of the others in the file, where all of them say the same.
func (e *Entry) Decode() Event {
	d := newDecoder(e.file.text[e.start:e.end])
	d.run()
	if len(d.calendars) != 1 || len(d.calendars[0].events) != 1 {
		return Event{Object: &Object{ical.NewComponent(ical.CompEvent)}, Err: &Error{"the event is damaged"}, Text: d.lines.source}
	}
	return d.calendars[0].events[0].event(d.lines.source, e.file.zones(e.calendar))
}

// title says which component one is that is lost.
type title struct{ uid, zone, summary string }

// take takes what a line says of it.
func (t *title) take(l line, component string) {
	name, _, ok := propertyName(l.text)
	if !ok || name != ical.PropUID && name != ical.PropTimezoneID && name != ical.PropSummary {
		return
	}
	unlimited := budget(math.MaxInt)
	prop, err := readProperty(l.text, &unlimited, func(string, ...any) {})
	if err != nil {
		return
	}
	switch {
	case name == ical.PropUID && t.uid == "":
		t.uid = unescapeUID(escapeText(prop.Value))
	case name == ical.PropTimezoneID && component == ical.CompTimezone:
		t.zone = prop.Value
	case name == ical.PropSummary && component == ical.CompEvent:
		t.summary = unescapeText(prop.Value)
	}
}

func (t title) String() string {
	var text string
	for _, name := range []string{t.uid, t.zone} {
		if name != "" {
			text += fmt.Sprintf(" %.100q", name)
		}
	}
	if t.summary != "" {
		text += fmt.Sprintf(" (%.60q)", t.summary)
	}
	return text
}

// The decoder calls the methods below. Those that it calls also where there is no file do
// nothing then.

func (f *File) problem(format string, args ...any) {
	f.Problems = append(f.Problems, fmt.Sprintf(format, args...))
}

// add adds a component that stands in a calendar and ends where end is.
func (f *File) add(c frame, in *rawCalendar, end int) {
	switch {
	case c.name == ical.CompTimezone:
	case c.name != ical.CompEvent:
		f.Others[c.name]++
	case c.title.uid == "":
		f.problem("an event without UID")
	default:
		f.Entries = append(f.Entries, &Entry{UID: c.title.uid, file: f, calendar: in, start: c.start, end: end})
	}
}

// lose notes that what is open in a calendar is lost, because it, or something in it, never ends.
func (f *File) lose(d *decoder) {
	if f == nil {
		return
	}
	lost, inner := d.stack[1], d.top()
	what := strings.ToLower(strings.TrimPrefix(lost.name, "V"))
	if lost.name == ical.CompTimezone {
		what = "time zone"
		c := d.calendar()
		c.vtimezones = c.vtimezones[:len(c.vtimezones)-1]
	}
	if len(d.stack) > 2 {
		f.problem("the %s%s is lost: the %s in it never ends", what, lost.title, inner.name)
		return
	}
	f.problem("the %s%s is lost: it never ends", what, lost.title)
}

// begins notes that a calendar begins where these components are open.
func (f *File) begins(open []frame) {
	if f != nil && len(open) > 0 {
		f.problem("a calendar ends half-way: %s", names(open))
	}
}

// ends notes that the file ends where these components are open.
func (f *File) ends(open []frame, calendars int) {
	switch {
	case f == nil:
	case calendars == 0:
		f.problem("it is no calendar: there is no BEGIN:VCALENDAR")
	case len(open) > 0:
		f.problem("it ends half-way: %s", names(open))
	}
}

func names(open []frame) string {
	list := make([]string, len(open))
	for i, f := range open {
		list[i] = f.name
	}
	return strings.Join(list, ", ")
}

// zoneSource finds the zones of a calendar's events.
type zoneSource struct {
	vtimezones []*ical.Component
	resolver   *zones.Resolver
	used       int // how many events have been read with the resolver
}

// resolverLife is for how many events a resolver is used. It is made for one message, and
// holds twenty VTIMEZONEs at most against the zones: few events have more than two.
const resolverLife = 10

// zones returns what finds the zones of a calendar's events.
func (f *File) zones(c *rawCalendar) resolver {
	s := f.sources[c]
	if s == nil {
		s = &zoneSource{vtimezones: f.vtimezones(c)}
		f.sources[c] = s
	}
	if s.resolver == nil || s.used == resolverLife {
		s.resolver, s.used = zones.NewResolver(s.vtimezones), 0
	}
	s.used++
	return s.resolver.Find
}

// vtimezones returns the VTIMEZONEs of a calendar, and after them those of others.
func (f *File) vtimezones(c *rawCalendar) []*ical.Component {
	if len(f.calendars) == 1 {
		return c.vtimezones
	}
	if f.shared == nil {
		f.shared = make(map[string]*ical.Component)
		for _, other := range f.calendars {
			for _, zone := range other.vtimezones {
				tzid := zone.Props.Get(ical.PropTimezoneID)
				if tzid == nil {
					continue
				}
				known, there := f.shared[tzid.Value]
				if there && known != nil && !bytes.Equal(encodeComponent(known), encodeComponent(zone)) {
					zone = nil
				}
				if !there || known != nil {
					f.shared[tzid.Value] = zone
				}
			}
		}
	}
	all := c.vtimezones[:len(c.vtimezones):len(c.vtimezones)]
	for _, tzid := range slices.Sorted(maps.Keys(f.shared)) {
		if zone := f.shared[tzid]; zone != nil {
			all = append(all, zone)
		}
	}
	return all
}
