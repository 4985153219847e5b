package calendar

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/emersion/go-ical"
)

// Calendar is one VCALENDAR of a message.
type Calendar struct {
	Method   string         // METHOD in upper case; "" if there is none
	Events   []Event        // the VEVENTs in order of appearance
	FreeBusy []FreeBusyPart // the VFREEBUSYs in order of appearance
	Others   []string       // the names of other components, VTIMEZONE excepted: they are not handled
	Warnings []string       // what was repaired outside of the events, for the log
}

// Event is one VEVENT of a calendar.
type Event struct {
	Object   *Object  // with an Err, only to tell which event it is
	Warnings []string // what was repaired, for the log
	Err      error    // an [Error], if this event cannot be handled; others can
	Text     string   // its lines in the source, for putting it aside
	// UnknownZones are the TZIDs in it of which nobody knows what they mean: times in them
	// are taken as local.
	UnknownZones []string
	// OtherOrganizers are those whom it names beside the object's. There should be one alone.
	OtherOrganizers []URI
}

// FreeBusyPart is one VFREEBUSY of a calendar.
type FreeBusyPart struct {
	FreeBusy *FreeBusy // with an Err, only to tell which one it is
	Warnings []string  // what was left out, for the log
	Err      error     // an [Error], if it cannot be handled
	Text     string    // its lines in the source, for putting it aside
	// OtherOrganizers are those whom it names beside its own. There should be one alone.
	OtherOrganizers []URI
}

// Decode returns all calendars in the text of a message part. VEVENTs that stand
// in no VCALENDAR make a calendar without a method. It fails, with an [Error],
// if there is no calendar at all; whatever else is wrong is in the Err of an
// event, or mended, with a warning.
func Decode(text string) ([]Calendar, error) {
	d := newDecoder(text)
	d.run()
	if len(d.calendars) == 0 {
		return nil, &Error{"the text holds no calendar"}
	}
	calendars := make([]Calendar, 0, len(d.calendars))
	resolvers := d.resolvers()
	for i, c := range d.calendars {
		calendar := Calendar{Method: c.method, Others: c.others, Warnings: c.warnings}
		for _, e := range c.events {
			calendar.Events = append(calendar.Events, e.event(text, resolvers[i]))
		}
		for _, e := range c.freebusy {
			calendar.FreeBusy = append(calendar.FreeBusy, e.freeBusy(text, resolvers[i]))
		}
		calendars = append(calendars, calendar)
	}
	return calendars, nil
}

// event returns what a VEVENT is.
func (e *rawEvent) event(text string, resolve resolver) Event {
	found := Event{Text: text[e.start:e.end]}
	if e.err == nil {
		n := normaliser{resolve: resolve, warn: e.warnings.add}
		n.event(e.component)
		e.err = checkEvent(e.component)
		found.UnknownZones, found.OtherOrganizers = n.unknown, n.organizers
	}
	found.Object, found.Warnings, found.Err = &Object{e.component}, e.warnings, e.err
	return found
}

// DecodeObject returns a stored object. It repairs what [Decode] repairs, and
// fails if the text is not one whole VEVENT. Whether there is a UID is for the
// caller to see.
func DecodeObject(text []byte) (*Object, error) {
	d := newDecoder(string(text))
	d.budget = maxBudget // the text was within its own when it came
	d.run()
	if len(d.calendars) == 0 || len(d.calendars[0].events) == 0 {
		return nil, &Error{"the text holds no VEVENT"}
	}
	c := d.calendars[0]
	if len(c.events) > 1 || len(d.calendars) > 1 {
		return nil, &Error{"the text holds more than one VEVENT"}
	}
	e := c.events[0]
	if e.err != nil {
		return nil, e.err
	}
	n := normaliser{resolve: d.resolvers()[0], warn: e.warnings.add}
	n.event(e.component)
	return &Object{e.component}, nil
}

// checkEvent returns why an event cannot be stored, if it cannot.
//
// DEVIATION: no-uid. The original writes a file in place of a directory.
func checkEvent(c *ical.Component) error {
	uid := (&Object{c}).UID()
	switch {
	case strings.TrimSpace(uid) == "":
		return &Error{"the event has no UID"}
	case len(uid) > maxUID:
		return &Error{"the event's UID is too long"}
	case strings.ContainsFunc(uid, func(r rune) bool { return unicode.IsControl(r) || breaksLine(r) }):
		return &Error{"the event's UID has control characters"}
	case encodedSize(c) > maxSize:
		return &Error{"the event is too large"}
	}
	return nil
}

// decoder reads the components of a text.
type decoder struct {
	lines     *lineReader
	budget    budget
	begun     int // calendars and events begun
	calendars []*rawCalendar
	stack     []frame // the components that are open
	loose     int     // where properties begin that stand in a calendar itself; -1: there are none since its last component
	file      *File   // takes the events, which are not read yet; nil: they are
}

// rawCalendar is a calendar that is being read.
type rawCalendar struct {
	method     string
	events     []*rawEvent
	freebusy   []*rawEvent
	others     []string
	vtimezones []*ical.Component
	warnings   warnings
}

// rawEvent is an event that is being read, or a VFREEBUSY.
type rawEvent struct {
	component  *ical.Component
	components int // inside it
	properties int // lines that are or should be some, its own and of the components inside it
	warnings   warnings
	err        error
	start, end int
	periods    []BusyPeriod // of a VFREEBUSY: those that are written as most are
}

// fail notes why the event cannot be handled; the first reason counts.
func (e *rawEvent) fail(reason string) {
	if e.err == nil {
		e.err = &Error{reason}
	}
}

// is reports whether a frame is that of the event, and not of a component inside it.
func (e *rawEvent) is(f frame) bool { return e != nil && f.event == e && f.component == e.component }

// takes reports whether one more line is read of the event. Of one with too many of anything,
// what else comes is left out, but for what says which event it is.
func (e *rawEvent) takes(c *ical.Component, text string) bool {
	if e.properties++; e.properties > maxProperties {
		e.fail("the event has too many properties")
	}
	if e.properties <= maxProperties && e.components <= maxComponents {
		return true
	}
	name, _, _ := propertyName(text)
	return c == e.component && (name == ical.PropUID || name == ical.PropRecurrenceID) && c.Props.Get(name) == nil
}

// frame is an open component.
type frame struct {
	name      string
	component *ical.Component // nil for a component whose contents are not needed
	event     *rawEvent       // the event that it is, or is in
	start     int             // where it begins in the source
	title     title           // of one that stands in a calendar of a file
}

// skipped reports whether the frame is that of a component whose contents are not needed.
func (f frame) skipped() bool {
	return f.name != "" && f.name != ical.CompCalendar && f.component == nil
}

func newDecoder(text string) *decoder {
	return &decoder{lines: newLineReader(text), budget: newBudget(len(text)), loose: -1}
}

func (d *decoder) run() {
	for {
		l, ok := d.lines.read()
		if !ok {
			d.file.ends(d.stack, len(d.calendars))
			d.close(0, len(d.lines.source))
			return
		}
		switch {
		case isKeyword(l.text, "BEGIN"):
			d.begin(l, strings.ToUpper(strings.TrimSpace(l.text[len("BEGIN:"):])))
		case isKeyword(l.text, "END"):
			d.end(l, strings.ToUpper(strings.TrimSpace(l.text[len("END:"):])))
		default:
			d.property(l)
		}
		switch {
		case d.file != nil: // what it is full of, nobody has sent
		case d.begun > maxComponents:
			d.abandon(l, "the calendar has too many calendars or events")
			return
		case d.budget.spent():
			d.abandon(l, "the calendar has too many properties, parameters or components for its size")
			return
		}
	}
}

// calendar returns the calendar that is being read, or was last.
func (d *decoder) calendar() *rawCalendar {
	return d.calendars[len(d.calendars)-1]
}

func (d *decoder) top() frame {
	if len(d.stack) == 0 {
		return frame{}
	}
	return d.stack[len(d.stack)-1]
}

// warn notes what was repaired where the decoder is.
func (d *decoder) warn(format string, args ...any) {
	if event := d.top().event; event != nil {
		event.warnings.add(format, args...)
	} else if len(d.calendars) > 0 {
		d.calendar().warnings.add(format, args...)
	}
}

// standsInCalendar has the components that can stand in a calendar only (RFC 5545
// section 3.6), so that one which begins elsewhere shows that an end is missing.
var standsInCalendar = set(ical.CompEvent, ical.CompToDo, ical.CompJournal, ical.CompFreeBusy, ical.CompTimezone)

func (d *decoder) begin(l line, name string) {
	if !isName(name) {
		d.warn("%s left out, since it begins nothing", excerpt(l.text))
		return
	}
	switch {
	case name == ical.CompCalendar:
		d.close(1, l.start)
		d.file.begins(d.stack)
		d.close(0, l.start)
	case standsInCalendar[name]:
		d.close(d.depthOf(ical.CompCalendar)+1, l.start)
	}
	parent := d.top()
	f := frame{name: name, start: l.start}
	d.loose = -1
	switch {
	case name == ical.CompCalendar:
		d.begun++
		d.calendars = append(d.calendars, &rawCalendar{})
	case d.file != nil && (name == ical.CompEvent || len(d.stack) == 0 || parent.skipped()):
	case name == ical.CompEvent:
		if len(d.stack) == 0 && (len(d.calendars) == 0 || d.calendar().method != "") {
			d.calendars = append(d.calendars, &rawCalendar{})
		}
		d.begun++
		f.component = d.component(name)
		f.event = &rawEvent{component: f.component, start: l.start}
		d.calendar().events = append(d.calendar().events, f.event)
	case len(d.stack) == 0:
		return
	case parent.event != nil:
		f.event = parent.event
		if f.event.components++; f.event.components > maxComponents || len(d.stack) >= maxDepth {
			f.event.fail("the event has too many components inside it, or they are nested too deep")
			return
		}
		f.component = d.component(name)
		parent.component.Children = append(parent.component.Children, f.component)
	case len(d.stack) >= maxDepth:
		d.warn("%s left out, since it is nested too deep", excerpt(name))
		return
	case parent.component != nil: // in a VTIMEZONE
		f.component = d.component(name)
		parent.component.Children = append(parent.component.Children, f.component)
	case name == ical.CompFreeBusy && d.file == nil:
		d.begun++
		f.component = d.component(name)
		f.event = &rawEvent{component: f.component, start: l.start}
		d.calendar().freebusy = append(d.calendar().freebusy, f.event)
	case name == ical.CompTimezone:
		f.component = d.component(name)
		d.calendar().vtimezones = append(d.calendar().vtimezones, f.component)
	case parent.name == ical.CompCalendar && len(d.calendar().others) < maxWarnings:
		d.calendar().others = append(d.calendar().others, name)
	}
	d.stack = append(d.stack, f)
}

// component returns a new component that is kept.
func (d *decoder) component(name string) *ical.Component {
	d.budget.spend(costComponent)
	return ical.NewComponent(name)
}

// depthOf returns at which depth the innermost open component of that name is, or -1.
func (d *decoder) depthOf(name string) int {
	for i := len(d.stack) - 1; i >= 0; i-- {
		if d.stack[i].name == name {
			return i
		}
	}
	return -1
}

func (d *decoder) end(l line, name string) {
	depth := d.depthOf(name)
	if depth < 0 {
		d.endOfNothing(l, name)
		return
	}
	d.loose = -1
	if d.file != nil {
		if depth+1 < len(d.stack) { // nobody knows where that ends
			d.close(min(1, depth), l.start)
			return
		}
		if depth == 1 && d.inCalendar() {
			d.file.add(d.stack[1], d.calendar(), l.end)
		}
	}
	if event := d.stack[depth].event; event != nil && depth+1 < len(d.stack) {
		event.warnings.add("%s is not ended inside %s", d.top().name, name)
	}
	d.close(depth+1, l.start)
	if event := d.stack[depth].event; event != nil {
		event.end = l.end
	}
	d.stack = d.stack[:depth]
}

// endOfNothing reads an END: of a component that is not open. Where it ends an
// event that lost its beginning, what is left of that is an event in error.
func (d *decoder) endOfNothing(l line, name string) {
	if d.file != nil {
		d.file.problem("END:%.30q where there is no such component", name)
		return
	}
	if len(d.stack) == 0 {
		return
	}
	start := d.loose
	if top := d.top(); top.name != ical.CompCalendar {
		start = top.start
	}
	if name != ical.CompEvent || start < 0 {
		d.warn("%s left out, since it ends nothing", excerpt(l.text))
		return
	}
	d.close(d.depthOf(ical.CompCalendar)+1, l.start)
	d.loose = -1
	d.begun++
	d.calendar().events = append(d.calendar().events, &rawEvent{
		component: ical.NewComponent(name), start: start, end: l.end,
		err: &Error{"the event is damaged: it has no BEGIN:VEVENT"},
	})
}

// inCalendar reports whether a component is open that stands in a calendar.
func (d *decoder) inCalendar() bool {
	return len(d.stack) > 1 && d.stack[0].name == ical.CompCalendar
}

// close closes all components at depth and deeper, which have not been ended
// properly. An event among them is cut: what else it had is not known.
func (d *decoder) close(depth, at int) {
	if depth < 2 && d.inCalendar() {
		d.file.lose(d)
	}
	for len(d.stack) > depth {
		top := d.top()
		switch {
		case top.event.is(top):
			top.event.fail(fmt.Sprintf("the %s is cut: it has no END:%s", nouns[top.name], top.name))
			top.event.end = at
		case top.name == ical.CompCalendar:
			d.calendar().warnings.add("the calendar has no END:VCALENDAR")
		}
		d.stack = d.stack[:len(d.stack)-1]
	}
}

// nouns are what components are called that are read.
var nouns = map[string]string{ical.CompEvent: "event", ical.CompFreeBusy: "free/busy"}

// abandon stops reading at a line, for a reason that is the error of the event
// that is open, or else of the rest of the text.
func (d *decoder) abandon(l line, reason string) {
	if len(d.calendars) == 0 {
		return
	}
	event := d.top().event
	if event == nil {
		event = &rawEvent{component: ical.NewComponent(ical.CompEvent), start: l.start}
		d.calendar().events = append(d.calendar().events, event)
	}
	d.close(0, len(d.lines.source))
	event.end = len(d.lines.source)
	event.err = &Error{reason} // rather than that it is cut
}

// property reads a line that begins or ends no component.
func (d *decoder) property(l line) {
	top := d.top()
	if d.file != nil && len(d.stack) == 2 && d.inCalendar() {
		d.stack[1].title.take(l, top.name)
	}
	if top.component == nil {
		if top.name == ical.CompCalendar && d.loose < 0 {
			d.loose = l.start
		}
		if top.name == ical.CompCalendar && d.calendar().method == "" && isMethod(l.text) {
			if prop, err := readProperty(l.text, &d.budget, d.warn); err == nil {
				d.calendar().method = strings.ToUpper(strings.TrimSpace(prop.Value))
			}
		}
		return
	}
	if top.event != nil && !top.event.takes(top.component, l.text) {
		return
	}
	if p, ok := usualPeriod(l.text); ok && top.name == ical.CompFreeBusy && top.event.is(top) {
		d.budget.spend(costProperty)
		top.event.periods = append(top.event.periods, p)
		return
	}
	if l.invalid {
		d.warn("%s is not UTF-8, and is read as windows-1252", excerpt(l.text))
	}
	prop, err := readProperty(l.text, &d.budget, d.warn)
	if errors.Is(err, errNoProperty) && strings.Count(l.text, `"`)%2 == 1 {
		// A line break inside quotes: the next line is the rest of the parameter.
		if next, ok := d.lines.peek(); ok {
			if prop, err = readProperty(l.text+" "+next.text, &d.budget, d.warn); err == nil {
				d.lines.read()
				d.warn("a line break in a parameter of %s removed", prop.Name)
			}
		}
	}
	if err != nil {
		d.warn("line left out, since it is not a property: %s", excerpt(l.text))
		return
	}
	if prop.Name == ical.PropUID && l.controls && top.event.is(top) {
		top.event.fail("the event's UID has control characters")
	}
	d.continued(prop)
	top.component.Props.Add(prop)
	if prop.Name == ical.PropExceptionDates || prop.Name == ical.PropRecurrenceDates {
		d.budget.spend(costTime * budget(strings.Count(prop.Value, ",")))
	}
	if prop.Name == ical.PropAttendee && len(top.component.Props[prop.Name]) > maxAttendees && top.event != nil {
		top.event.fail("the event has too many attendees")
	}
}

// isMethod tells whether a line is the METHOD of a calendar.
func isMethod(text string) bool {
	name, _, ok := propertyName(text)
	return ok && name == ical.PropMethod
}
