package calendars

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// vevent is a VEVENT in a calendar file: a whole event, or a changed occurrence of one.
type vevent struct {
	calendar  *vcalendar
	uid       string
	lines     []string // in UTF-8
	zones     []string // TZIDs in it
	cancelled bool     // its STATUS says so

	// What decode makes of it.
	object   *calendar.Object
	id       stores.ID
	warnings []string // what was repaired
	unknown  []string // TZIDs of which nobody knows what they mean
	err      error    // why it cannot be taken
}

// vcalendar is a VCALENDAR in a calendar file. What its VTIMEZONEs define holds for its own
// events only (RFC 5545 section 3.6.5).
type vcalendar struct {
	file   *calendarFile
	method string
	zones  map[string][]string // VTIMEZONE by TZID
}

// calendarFile is a file taken apart.
type calendarFile struct {
	path      string
	calendars []*vcalendar
	uids      []string // in order of appearance
	events    map[string][]*vevent
	others    map[string]int // components that are not kept, by name
	problems  []string
}

func newCalendarFile() *calendarFile {
	return &calendarFile{events: make(map[string][]*vevent), others: make(map[string]int)}
}

// gather adds what another file has of a UID.
func (f *calendarFile) gather(from *calendarFile, uid string) {
	if f.events[uid] == nil {
		f.uids = append(f.uids, uid)
	}
	f.events[uid] = append(f.events[uid], from.events[uid]...)
}

// split takes a calendar file apart. It reads past what it does not understand.
func split(text string) *calendarFile {
	f := newCalendarFile()
	text = strings.TrimPrefix(text, "\uFEFF")
	var stack []string
	var current []string // lines of the component at depth 2
	for _, line := range unfold(text) {
		line = toUTF8(line)
		l := parseLine(line)
		name := strings.ToUpper(strings.TrimSpace(l.value))
		switch {
		case l.name == "BEGIN":
			if topLevel[name] && len(stack) >= 2 {
				f.lose(stack, current) // none of these can be in another
				stack = stack[:1]
			}
			if name == "VCALENDAR" {
				if len(stack) > 0 {
					f.problems = append(f.problems, "a calendar ends half-way: "+strings.Join(stack, ", "))
				}
				f.calendars = append(f.calendars, &vcalendar{file: f, zones: make(map[string][]string)})
				stack, current = nil, nil
			}
			stack = append(stack, name)
			if len(stack) == 2 {
				current = nil
			}
		case l.name == "END" && len(stack) > 0 && stack[len(stack)-1] == name:
			stack = stack[:len(stack)-1]
			if len(stack) == 1 {
				f.add(name, append(current, line))
				current = nil
				continue
			}
		case l.name == "END" && slices.Contains(stack, name):
			if len(stack) >= 2 {
				f.lose(stack, current)
			}
			stack, current = stack[:min(1, slices.Index(stack, name))], nil
			continue
		case l.name == "END":
			f.problems = append(f.problems, fmt.Sprintf("END:%.30q where there is no such component", name))
			continue
		case l.name == "METHOD" && len(stack) == 1:
			f.calendar().method = name
		}
		if len(stack) >= 2 {
			current = append(current, line)
		}
	}
	switch {
	case len(f.calendars) == 0:
		f.problems = append(f.problems, "it is no calendar: there is no BEGIN:VCALENDAR")
	case len(stack) > 0:
		f.problems = append(f.problems, "it ends half-way: "+strings.Join(stack, ", "))
		if len(stack) >= 2 {
			f.lose(stack, current)
		}
	}
	return f
}

// topLevel are the components that stand in a calendar, or are one, and never in another component
// (RFC 5545 section 3.6).
var topLevel = map[string]bool{
	"VCALENDAR": true, "VEVENT": true, "VTODO": true, "VJOURNAL": true, "VFREEBUSY": true, "VTIMEZONE": true,
}

// lose notes that a component is lost, because it, or one in it, never ends. The stack has their
// names, from the calendar on.
func (f *calendarFile) lose(stack, lines []string) {
	name := stack[1]
	var title string
	depth := 0
	for _, line := range lines {
		switch l := parseLine(line); {
		case l.name == "BEGIN":
			depth++
		case l.name == "END":
			depth--
		case depth != 1:
		case l.name == "UID", l.name == "TZID":
			title = fmt.Sprintf(" %.100q", l.value) + title
		case l.name == "SUMMARY" && name == "VEVENT":
			title += fmt.Sprintf(" (%.60q)", l.value)
		}
	}
	what := strings.ToLower(strings.TrimPrefix(name, "V"))
	if name == "VTIMEZONE" {
		what = "time zone"
	}
	text := fmt.Sprintf("the %s%s is lost: it never ends", what, title)
	if inner := stack[len(stack)-1]; len(stack) > 2 {
		text = fmt.Sprintf("the %s%s is lost: the %s in it never ends", what, title, inner)
	}
	f.problems = append(f.problems, text)
}

// toUTF8 returns a line that is not UTF-8 as if it were windows-1252, in which every octet
// means something. The lines beside it are left to be what they are.
func toUTF8(line string) string {
	if utf8.ValidString(line) {
		return line
	}
	var text strings.Builder
	for _, c := range []byte(line) {
		text.WriteRune(charmap.Windows1252.DecodeByte(c))
	}
	return text.String()
}

// calendar returns the calendar that is being read. Components outside of one are as if there
// were one around them.
func (f *calendarFile) calendar() *vcalendar {
	if len(f.calendars) == 0 {
		return &vcalendar{file: f, zones: make(map[string][]string)}
	}
	return f.calendars[len(f.calendars)-1]
}

// serverParams are parameters that tell a server how to send messages; they mean nothing
// in a store (RFC 6638 section 7).
var serverParams = []string{"SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND"}

// add adds a component.
func (f *calendarFile) add(name string, lines []string) {
	switch name {
	case "VTIMEZONE":
		for _, line := range lines {
			if l := parseLine(line); l.name == "TZID" {
				f.calendar().zones[l.value] = lines
				return
			}
		}
	case "VEVENT":
		e := &vevent{calendar: f.calendar()}
		depth := 0
		for _, line := range lines {
			l := parseLine(line)
			switch {
			case l.name == "BEGIN":
				depth++
			case l.name == "END":
				depth--
			case depth != 1:
			case l.name == "UID":
				e.uid = plainUID(l.value)
			case l.name == "STATUS":
				e.cancelled = strings.EqualFold(strings.TrimSpace(l.value), "CANCELLED")
			case l.name == "ORGANIZER", l.name == "ATTENDEE":
				line = l.without(serverParams...).String()
			}
			if zone := l.param("TZID"); zone != "" && !slices.Contains(e.zones, zone) {
				e.zones = append(e.zones, zone)
			}
			e.lines = append(e.lines, line)
		}
		if e.uid == "" {
			f.problems = append(f.problems, "an event without UID")
			return
		}
		if f.events[e.uid] == nil {
			f.uids = append(f.uids, e.uid)
		}
		f.events[e.uid] = append(f.events[e.uid], e)
	default:
		f.others[name]++
	}
}

// plainUID returns a UID as it is stored, by which those are the same that are escaped in
// different ways.
func plainUID(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	object, err := calendar.DecodeObject(fold([]string{"BEGIN:VEVENT", "UID:" + text, "END:VEVENT"}))
	if err != nil {
		return text
	}
	return object.UID()
}

// zone returns the VTIMEZONE of a zone. Where the calendar itself has none, another one of the
// file will do, if there is but one meaning that it can have.
func (c *vcalendar) zone(tzid string) []string {
	if own := c.zones[tzid]; own != nil {
		return own
	}
	var found []string
	for _, other := range c.file.calendars {
		zone := other.zones[tzid]
		switch {
		case zone == nil || found != nil && slices.Equal(found, zone):
		case found != nil:
			return nil
		default:
			found = zone
		}
	}
	return found
}

// decode finds out what events are, each by the zones of its own calendar.
func decode(events []*vevent) {
	byCalendar := slices.Clone(events)
	order := make(map[*vcalendar]int)
	for _, e := range events {
		if _, known := order[e.calendar]; !known {
			order[e.calendar] = len(order)
		}
	}
	slices.SortStableFunc(byCalendar, func(a, b *vevent) int { return cmp.Compare(order[a.calendar], order[b.calendar]) })
	for len(byCalendar) > 0 {
		n := 1
		for n < len(byCalendar) && byCalendar[n].calendar == byCalendar[0].calendar {
			n++
		}
		byCalendar[0].calendar.decode(byCalendar[:n])
		byCalendar = byCalendar[n:]
	}
}

// decode finds out what events of the calendar are.
func (c *vcalendar) decode(events []*vevent) {
	var zones []string
	for _, e := range events {
		zones = append(zones, e.zones...)
	}
	slices.Sort(zones)
	lines := []string{"BEGIN:VCALENDAR"}
	for _, zone := range slices.Compact(zones) {
		lines = append(lines, c.zone(zone)...)
	}
	for _, e := range events {
		lines = append(lines, e.lines...)
	}
	calendars, err := calendar.Decode(string(fold(append(lines, "END:VCALENDAR"))))
	whole := err == nil && len(calendars) == 1 && len(calendars[0].Events) == len(events)
	for i, e := range events {
		switch {
		case whole && (calendars[0].Events[i].Err == nil || len(events) == 1):
			e.is(calendars[0].Events[i])
		case len(events) == 1:
			e.err = errors.New("it is damaged: it cannot be told where it ends")
		default: // it may be another's fault
			c.decode([]*vevent{e})
		}
	}
}

// is notes what an event was found to be.
func (e *vevent) is(found calendar.Event) {
	e.warnings = found.Warnings
	if e.err = found.Err; e.err != nil {
		return
	}
	e.object = found.Object
	e.id.UID = e.object.UID()
	if e.id.RecurrenceID, e.err = e.object.RecurrenceID(); e.err != nil || len(e.zones) == 0 {
		return
	}
	for _, line := range unfold(string(e.object.Encode())) {
		if zone := parseLine(line).param("X-TZID"); slices.Contains(e.zones, zone) && !slices.Contains(e.unknown, zone) {
			e.unknown = append(e.unknown, zone)
		}
	}
}
