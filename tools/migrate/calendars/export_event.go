package calendars

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// component is a stored event as it is exported.
type component struct {
	id        stores.ID
	cancelled bool
	lines     []string // VEVENT
	recurs    bool     // has occurrences to be taken out by EXDATE
	object    *calendar.Object
}

// event returns the components of an event: the whole of it with its changed occurrences,
// and without those that are cancelled. zones takes the zones used, with the earliest time;
// issue takes what cannot be exported; zone is the user's.
func (x *Export) event(components []component, zones map[string]time.Time, zone *time.Location, issue func(stores.ID, string)) []string {
	// An event can be active and cancelled at once; the active one counts.
	slices.SortFunc(components, func(a, b component) int {
		return cmp.Or(cmp.Compare(a.id.RecurrenceID, b.id.RecurrenceID), boolOrder(a.cancelled, b.cancelled))
	})
	components = slices.CompactFunc(components, func(a, b component) bool { return a.id == b.id })
	var parent *component
	if first := &components[0]; first.id.RecurrenceID == "" {
		parent = first
	}
	var excluded, lines []string
	components = slices.DeleteFunc(components, func(c component) bool {
		if c.id.RecurrenceID == "" || !c.cancelled || !parent.exports() || !parent.recurs || parent.cancelled {
			return false
		}
		line, err := parent.object.Exclusion(c.id.RecurrenceID, zone)
		if err == nil {
			excluded = append(excluded, line)
		}
		return err == nil
	})
	for _, c := range components {
		if parent != nil && c.object.Align(parent.object, zone) {
			c.lines = unfold(string(c.object.Encode()))
		}
		if parent != nil && parent.cancelled && c.id.RecurrenceID != "" && c.object.OlderThan(parent.object, true) {
			c.cancelled = true // with its event; a newer one takes place (RFC 5546 section 2.1.5)
		}
		if !c.exports() {
			issue(c.id, "not exported: it has no "+strings.Join(c.lacks(), " and no "))
			continue
		}
		last := c.endOfProperties()
		switch {
		case c.id.RecurrenceID == "":
			c.lines = slices.Insert(slices.Clone(c.lines), last, excluded...)
		case !c.object.Has("RECURRENCE-ID"): // else it would stand for the whole event
			line := contentLine{name: "RECURRENCE-ID", value: c.id.RecurrenceID}
			if len(line.value) == len(dateForm) {
				line.params = []string{"VALUE=DATE"}
			}
			c.lines = slices.Insert(slices.Clone(c.lines), last, line.String())
		}
		lines = append(lines, x.component(c, zones)...)
	}
	return lines
}

// exports reports whether there is a component that other programs can take.
func (c *component) exports() bool { return c != nil && len(c.lacks()) == 0 }

// endOfProperties returns the line before which properties can be added: alarms come after
// them (RFC 5545 section 3.6.1).
func (c *component) endOfProperties() int {
	for i, line := range c.lines[1:] {
		if name := parseLine(line).name; name == "BEGIN" || name == "END" {
			return i + 1
		}
	}
	return len(c.lines)
}

// lacks returns what a component must have, and has not (RFC 5545 section 3.6.1).
func (c *component) lacks() []string {
	var names []string
	if c.object.UID() == "" {
		names = append(names, "UID")
	}
	if !c.object.HasStart() {
		names = append(names, "DTSTART that can be read")
	}
	return names
}

// The forms of values (RFC 5545 sections 3.3.4 and 3.3.5), of which a time in UTC has a Z.
const (
	dateForm = "20060102"
	stamp    = "20060102T150405Z"
)

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// component returns a VEVENT as other programs expect it.
func (x *Export) component(c component, zones map[string]time.Time) []string {
	var lines []string
	depth, end := 0, c.endOfProperties()
	for i, line := range c.lines {
		if i == end {
			if !c.object.Has("DTSTAMP") { // RFC 5545 section 3.6.1: it must be there
				lines = append(lines, "DTSTAMP:"+x.Now.UTC().Format(stamp))
			}
			if c.cancelled {
				lines = append(lines, "STATUS:CANCELLED")
			}
		}
		l := parseLine(line)
		switch {
		case l.name == "BEGIN":
			depth++
		case l.name == "END":
			depth--
		case depth != 1:
		case l.name == "STATUS" && c.cancelled:
			continue
		case l.name == "ORGANIZER", l.name == "ATTENDEE":
			if x.NoInvite {
				l = l.without("SCHEDULE-AGENT")
				l.params = append(l.params, "SCHEDULE-AGENT=CLIENT")
				line = l.String()
			}
		case l.param("TZID") != "":
			line = zoned(l, zones).String()
		}
		lines = append(lines, line)
	}
	return lines
}

// zoned notes the zone of a property. A UTC time has none (RFC 5545 section 3.2.19), and
// what is no zone is left out, so that the time floats.
func zoned(l contentLine, zones map[string]time.Time) contentLine {
	if strings.HasSuffix(l.value, "Z") {
		return l.without("TZID")
	}
	zone := l.param("TZID")
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		return l.without("TZID")
	}
	at, err := time.Parse("20060102", l.value[:min(8, len(l.value))])
	if err != nil {
		at = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if earliest, known := zones[zone]; !known || at.Before(earliest) {
		zones[zone] = at
	}
	return l
}

// product is by which what this program wrote is known.
const product = "PRODID:-//imip-agent//NONSGML imip-agent//EN"

// calendar returns a whole VCALENDAR.
func (x *Export) calendar(events []string, zones map[string]time.Time, name string) []string {
	lines := []string{"BEGIN:VCALENDAR", "VERSION:2.0", product}
	if name != "" {
		lines = append(lines, "X-WR-CALNAME:"+strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", " ", "\r", " ").Replace(name))
	}
	names := make([]string, 0, len(zones))
	for zone := range zones {
		names = append(names, zone)
	}
	slices.Sort(names)
	for _, zone := range names {
		if location, err := time.LoadLocation(zone); err == nil {
			lines = append(lines, timezone(location, zones[zone])...)
		}
	}
	return append(append(lines, events...), "END:VCALENDAR")
}
