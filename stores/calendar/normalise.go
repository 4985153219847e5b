package calendar

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/emersion/go-ical"

	"imip-agent/stores/calendar/zones"
)

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}

// isSingle has the properties that the original cannot work with if an event has two
// of them, or that decide which revision of it is the newer. It keeps the others of
// which there should be one (RFC 5545 section 3.6.1), and so do we.
//
// DEVIATION: duplicate-properties
var isSingle = set(
	ical.PropDuration, ical.PropDateTimeEnd, ical.PropDateTimeStamp,
	ical.PropDateTimeStart, ical.PropOrganizer, ical.PropRecurrenceID,
	ical.PropRecurrenceRule, ical.PropSequence, ical.PropSummary,
	ical.PropTransparency, ical.PropUID,
)

// isOnce has the other properties of which an event has at most one by RFC 5545 section
// 3.6.1. Two of the same value are one.
var isOnce = set(
	ical.PropClass, ical.PropColor, ical.PropCreated, ical.PropDescription, ical.PropGeo,
	ical.PropLastModified, ical.PropLocation, ical.PropPriority, ical.PropStatus, ical.PropURL,
)

// isComponent has the names that the original takes for those of components wherever
// they stand.
var isComponent = set(
	ical.CompCalendar, ical.CompEvent, ical.CompToDo, ical.CompJournal, ical.CompFreeBusy,
	ical.CompTimezone, ical.CompTimezoneStandard, ical.CompTimezoneDaylight, ical.CompAlarm,
)

// isText has the properties whose value is one text (RFC 5545 section 3.8).
// CATEGORIES and RESOURCES are lists of texts.
var isText = set(
	ical.PropComment, ical.PropContact, ical.PropDescription, ical.PropLocation,
	ical.PropRelatedTo, ical.PropSummary, ical.PropUID, ical.PropClass,
	ical.PropStatus, ical.PropTransparency, ical.PropColor,
)

// isTime has the properties whose values are dates, times, periods and durations.
var isTime = set(
	ical.PropCreated, ical.PropDateTimeEnd, ical.PropDateTimeStamp,
	ical.PropDateTimeStart, ical.PropDuration, ical.PropExceptionDates,
	ical.PropLastModified, ical.PropRecurrenceDates, ical.PropRecurrenceID,
)

// isRule has the properties whose values are recurrence rules.
var isRule = set(ical.PropRecurrenceRule, "EXRULE")

// isAddress has the properties whose values are calendar users.
var isAddress = set(ical.PropAttendee, ical.PropOrganizer)

// isAddressParam has the parameters whose values are calendar users.
var isAddressParam = set(ical.ParamSentBy, ical.ParamDelegatedTo, ical.ParamDelegatedFrom, ical.ParamMember)

// normaliser brings components into the form that [Object] promises: see the
// package's documentation. Doing it again changes nothing.
type normaliser struct {
	resolve resolver
	warn    func(format string, args ...any)

	use   zones.Use             // when the event is, for its zones
	found map[string]zones.Zone // the zones of the event, by TZID

	unknown    []string // TZIDs of which nobody knows what they mean
	organizers []URI    // who is left out as an organizer, since another one is there
}

// event normalises a VEVENT and what is inside it.
func (n *normaliser) event(c *ical.Component) {
	n.components(c)
	for _, name := range slices.Sorted(maps.Keys(c.Props)) {
		kept := c.Props[name][:0]
		for _, prop := range c.Props[name] {
			if !n.property(&prop) {
				continue
			}
			if len(kept) > 0 && isOnce[name] && slices.ContainsFunc(kept, func(k ical.Prop) bool { return k.Value == prop.Value }) {
				continue
			}
			if len(kept) > 0 && isSingle[name] {
				if prop.Value != kept[0].Value {
					n.warn("%s left out, since it is there already: %s", name, excerpt(prop.Value))
				}
				if name == ical.PropOrganizer {
					n.otherOrganizer(URI(kept[0].Value), URI(prop.Value))
				}
				continue
			}
			kept = append(kept, prop)
		}
		if c.Props[name] = kept; len(kept) == 0 {
			delete(c.Props, name)
		}
	}
	n.occurrence(c)
	n.zones(c)
	n.children(c)
	if reason := (&Object{c}).UnreadLength(); reason != "" {
		// DEVIATION: unreadable-ends
		n.warn("%s, so the length of the event is unknown", reason)
	}
}

// otherOrganizer notes an organizer who is left out, unless it is the same one.
func (n *normaliser) otherOrganizer(kept, left URI) {
	if !left.Is(kept) && !slices.ContainsFunc(n.organizers, left.Is) {
		n.organizers = append(n.organizers, left)
	}
}

// components gives properties that are named as components a name that the original
// does not take for the end or the beginning of one.
//
// DEVIATION: properties-named-as-components
func (n *normaliser) components(c *ical.Component) {
	for name, props := range c.Props {
		if !isComponent[name] {
			continue
		}
		delete(c.Props, name)
		for _, prop := range props {
			kept := ical.NewProp("X-PROPERTY")
			for param, values := range prop.Params {
				kept.Params[param] = values
			}
			kept.Params.Set("X-NAME", name)
			kept.Value = prop.Value
			c.Props.Add(kept)
		}
		n.warn("property %s kept as X-PROPERTY, since it has a component's name", name)
	}
}

// occurrence takes off an occurrence what would make it recur (RFC 5545 section
// 3.8.4.4): it is one occurrence, and the rule is that of its event.
//
// DEVIATION: occurrences-with-rules
func (n *normaliser) occurrence(c *ical.Component) {
	if len(c.Props[ical.PropRecurrenceID]) == 0 {
		return
	}
	// RFC 5545 section 3.2.13 knows no other range; RFC 2445 had THISANDPRIOR.
	if value := c.Props[ical.PropRecurrenceID][0].Params.Get(ical.ParamRange); value != "" && !(&Object{c}).Future() {
		n.warn("RANGE=%s has no effect: the message is about one occurrence", excerpt(value))
	}
	for _, name := range recurring {
		if len(c.Props[name]) > 0 {
			delete(c.Props, name)
			n.warn("%s left out, since this is one occurrence of an event", name)
		}
	}
}

// isReadable has the components that the original can read inside an event. (The
// others of RFC 5545 cannot be there.)
var isReadable = set(ical.CompAlarm, ical.CompTimezoneStandard, ical.CompTimezoneDaylight)

// children changes the components inside a component where the original could
// not read them, and their time zones, which are not kept; nothing else.
func (n *normaliser) children(c *ical.Component) {
	kept := c.Children[:0]
	for _, child := range c.Children {
		n.components(child)
		n.contents(child)
		if isReadable[child.Name] {
			n.children(child)
			kept = append(kept, child)
			continue
		}
		// DEVIATION: unknown-components
		// The original cannot read an object that has such a component, be it
		// RFC 9073's. As a text it is kept all the same, with what is inside it.
		for _, inner := range child.Children {
			n.descendants(inner)
		}
		prop := ical.NewProp("X-COMPONENT")
		prop.Params.Set("X-NAME", child.Name)
		prop.Value = encodeText(string(encodeComponent(child)))
		c.Props.Add(prop)
		n.warn("%s inside %s kept as X-COMPONENT", child.Name, c.Name)
	}
	c.Children = kept
}

func (n *normaliser) descendants(c *ical.Component) {
	n.contents(c)
	for _, child := range c.Children {
		n.descendants(child)
	}
}

// contents normalises the properties of a component inside an event.
func (n *normaliser) contents(c *ical.Component) {
	for _, name := range slices.Sorted(maps.Keys(c.Props)) {
		for i := range c.Props[name] {
			n.encoding(&c.Props[name][i])
			n.zone(&c.Props[name][i])
		}
	}
}

// withoutLeapSeconds puts the second before a leap second in its place, as it is
// read here. The original fails on second 60.
func withoutLeapSeconds(value string) string {
	if !strings.Contains(value, "60") {
		return value
	}
	text := []byte(value)
	for i, c := range text {
		if at := i + len("Thhmm"); c == 'T' && leadingDigits(value[i+1:]) >= len("hhmmss") && value[at:at+2] == "60" {
			copy(text[at:], "59")
		}
	}
	return string(text)
}

// property normalises one property of an event. It returns false if the property
// is to be left out.
func (n *normaliser) property(p *ical.Prop) bool {
	// DEVIATION: lower-case-values. RFC 5545 section 2: values of a grammar are
	// case-insensitive, and the original knows upper case only.
	for _, name := range []string{ical.ParamValue, ical.ParamParticipationStatus} {
		if values := p.Params[name]; len(values) > 0 {
			values[0] = strings.ToUpper(strings.TrimSpace(values[0]))
		}
	}
	n.encoding(p)
	switch {
	case isTime[p.Name]:
		// T and Z may be lower case, as all fixed text of a grammar (RFC 5545
		// section 1.1).
		p.Value = withoutLeapSeconds(strings.ToUpper(withoutSpace(p.Value)))
		n.durations(p)
	case isRule[p.Name]:
		p.Value = ruleText(p.Value)
	case isAddress[p.Name]:
		p.Value = string(addressURI(p.Value))
		for name, values := range p.Params {
			if isAddressParam[name] {
				for i, value := range values {
					values[i] = string(addressURI(value))
				}
				if p.Params[name] = withoutEmpty(values); len(p.Params[name]) == 0 {
					delete(p.Params, name)
				}
			}
		}
	case p.Name == ical.PropSequence:
		p.Value = strings.TrimSpace(p.Value)
		if _, err := strconv.Atoi(p.Value); err != nil && !errors.Is(err, strconv.ErrRange) {
			// DEVIATION: sequence-not-a-number
			// The original fails on it when the next message arrives.
			n.warn("SEQUENCE left out, since it is not a number: %s", excerpt(p.Value))
			return false
		}
	case p.Name == ical.PropTransparency:
		p.Value = strings.ToUpper(strings.TrimSpace(p.Value))
	}
	if isText[p.Name] {
		p.Value = escapeText(p.Value)
	} else if p.Value == "" && p.Name != ical.PropRecurrenceID && (isTime[p.Name] || isRule[p.Name] || isAddress[p.Name]) {
		// DEVIATION: empty-properties
		// Without its RECURRENCE-ID a changed occurrence would be the whole
		// event, so an empty one stays, and is an error when it is asked for.
		n.warn("%s left out, since it is empty", p.Name)
		return false
	}
	return true
}

// durations brings a DURATION, and those of the periods of RDATE, into the form that
// the original reads.
//
// DEVIATION: spellings-of-durations
func (n *normaliser) durations(p *ical.Prop) {
	switch {
	case p.Name == ical.PropDuration:
		p.Value = durationText(p.Value)
	case p.Name == ical.PropRecurrenceDates && strings.Contains(p.Value, "/"):
		values := strings.Split(p.Value, ",")
		for i, value := range values {
			if start, end, ok := strings.Cut(value, "/"); ok {
				values[i] = start + "/" + durationText(end)
			}
		}
		p.Value = strings.Join(values, ",")
	}
}

// zone gives the TZID of a property the name that the IANA has for the zone.
//
// DEVIATION: time-zone-names
func (n *normaliser) zone(p *ical.Prop) {
	tzid := strings.TrimSpace(p.Params.Get(ical.ParamTimezoneID))
	if tzid == "" {
		return
	}
	values := strings.Split(p.Value, ",")
	if allUTC(values) {
		// RFC 5545 section 3.2.19: no TZID on date-times in UTC. The original
		// writes TZID=UTC there.
		p.Params.Del(ical.ParamTimezoneID)
		return
	}
	zone, seen := n.zoneOf(tzid)
	iana := zone.IANA
	switch {
	case zone.Described():
		n.describe(p, tzid, zone)
		return
	case iana == "":
		n.warn("%s: time zone %s is unknown, so its times are local times", p.Name, excerpt(tzid))
		p.Params.Del(ical.ParamTimezoneID)
		p.Params.Set("X-TZID", tzid)
		if !slices.Contains(n.unknown, tzid) {
			n.unknown = append(n.unknown, tzid)
		}
		return
	case zone.Guess != "" && !seen:
		n.warn("time zone %s is taken for %s by %s", excerpt(tzid), iana, zone.Guess)
	}
	p.Params.Set(ical.ParamTimezoneID, iana)
	if iana == "UTC" || iana == "Etc/UTC" {
		if utc, ok := inUTC(values); ok {
			p.Params.Del(ical.ParamTimezoneID)
			p.Value = strings.Join(utc, ",")
		}
	}
}

// zoneOf returns the zone that a TZID means in the event, and whether it has been asked for
// before.
func (n *normaliser) zoneOf(tzid string) (zone zones.Zone, seen bool) {
	if zone, seen = n.found[tzid]; !seen {
		if n.found == nil {
			n.found = map[string]zones.Zone{}
		}
		zone = n.resolve(tzid, n.use)
		n.found[tzid] = zone
	}
	return zone, seen
}

// allUTC tells whether all values are date-times in UTC, or periods that begin
// with one.
func allUTC(values []string) bool {
	for _, value := range values {
		start, _, _ := strings.Cut(value, "/")
		if !strings.HasSuffix(start, "Z") {
			return false
		}
	}
	return true
}

// inUTC writes date-times, and periods of them, that stand in UTC by their TZID
// so that they do without it. It fails if there is anything else among them, as
// dates.
func inUTC(values []string) ([]string, bool) {
	utc := make([]string, 0, len(values))
	for _, value := range values {
		start, end, isPeriod := strings.Cut(value, "/")
		start, ok := timeInUTC(start)
		if !ok {
			return nil, false
		}
		if isPeriod {
			if !strings.Contains(end, "P") { // no duration
				if end, ok = timeInUTC(end); !ok {
					return nil, false
				}
			}
			start += "/" + end
		}
		utc = append(utc, start)
	}
	return utc, true
}

func timeInUTC(value string) (string, bool) {
	if len(value) == len("20060102T150405") && value[8] == 'T' {
		return value + "Z", true
	}
	return value, strings.HasSuffix(value, "Z")
}

// addressURI returns the URI of a calendar user. Commas and semicolons in it,
// which RFC 6068 section 2 has percent-encoded, are, since the original takes
// them for a list's.
//
// DEVIATION: separators-in-addresses
func addressURI(value string) URI {
	uri := plainURI(value)
	if strings.ContainsAny(string(uri), ",;") {
		uri = URI(strings.NewReplacer(",", "%2C", ";", "%3B").Replace(string(uri)))
	}
	return uri
}

// plainURI returns the URI of a calendar user, "" if there is none; "NAME <ADDRESS>"
// (vCalendar 1.0) is its address.
func plainURI(value string) URI {
	if open, end := strings.LastIndexByte(value, '<'), strings.LastIndexByte(value, '>'); 0 <= open && open < end {
		value = value[open+1 : end]
	}
	// As where a colon in a parameter is not quoted, the address is what follows the last: it
	// would be read as that the next time.
	uri := NewURI(value)
	for at := lastMailto(string(uri)); at >= 0; at = lastMailto(string(uri)) {
		uri = NewURI(string(uri[at+1:])) // which takes white space out: there may be another now
	}
	if uri == "mailto:" {
		return ""
	}
	return uri
}

// ruleText returns a rule in upper case, without empty parts. The original writes
// BYDAY=MO,TU as BYDAY=MO;TU: a part without a name belongs to the one before.
func ruleText(value string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(strings.ToUpper(withoutSpace(value)), ";") {
		switch {
		case part == "":
			continue
		case b.Len() > 0 && !strings.Contains(part, "="):
			b.WriteByte(',')
		case b.Len() > 0:
			b.WriteByte(';')
		}
		b.WriteString(part)
	}
	return b.String()
}

// withoutSpace returns value without any white space.
func withoutSpace(value string) string {
	if !strings.ContainsAny(value, " \t") {
		return value
	}
	return strings.NewReplacer(" ", "", "\t", "").Replace(value)
}

// resolver finds the IANA zone for a TZID, for when it is used.
type resolver func(tzid string, use zones.Use) zones.Zone

// resolvers returns for each calendar what finds the IANA zone for a TZID: by
// the calendar's own VTIMEZONEs, or else by those of the whole text, since some
// senders explain a zone in another calendar of it. Both are looked at when a
// TZID is first met.
func (d *decoder) resolvers() []resolver {
	whole := sync.OnceValue(func() *zones.Resolver {
		var all []*ical.Component
		for _, c := range d.calendars {
			all = append(all, c.vtimezones...)
		}
		return zones.NewResolver(all)
	})
	var resolvers []resolver
	for _, c := range d.calendars {
		if len(c.vtimezones) == 0 || len(d.calendars) == 1 {
			resolvers = append(resolvers, func(tzid string, use zones.Use) zones.Zone { return whole().Find(tzid, use) })
			continue
		}
		own := sync.OnceValue(func() *zones.Resolver { return zones.NewResolver(c.vtimezones) })
		resolvers = append(resolvers, func(tzid string, use zones.Use) zones.Zone {
			if zone := own().Find(tzid, use); zone.IANA != "" || zone.Described() {
				return zone
			}
			return whole().Find(tzid, use)
		})
	}
	return resolvers
}

// maxWarnings is how many warnings are kept of one event, line or calendar.
const maxWarnings = 20

// warnings collects what was repaired.
type warnings []string

func (w *warnings) add(format string, args ...any) {
	switch {
	case len(*w) < maxWarnings:
		*w = append(*w, fmt.Sprintf(format, args...))
	case len(*w) == maxWarnings:
		*w = append(*w, "and more of the same kind")
	}
}
