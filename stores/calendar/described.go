package calendar

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"imip-agent/stores/calendar/recurrence"
	"imip-agent/stores/calendar/zones"
)

// recurring are the properties that make an event recur.
var recurring = []string{
	ical.PropRecurrenceRule, ical.PropRecurrenceDates, ical.PropExceptionDates, propExceptionRule,
}

// propExceptionRule is the property EXRULE (RFC 2445 section 4.8.5.2).
const propExceptionRule = "EXRULE"

const (
	// ofInterest is for how long an event is looked at: a year has all changes of a zone.
	ofInterest = 366 * 24 * time.Hour
	// maxLocals is how many of an event's own times a zone has to agree with.
	maxLocals = 500
	// maxListed is how many occurrences of a rule are listed, where it cannot stay.
	maxListed = 2000
)

// zones gives the zones of an event's properties the IANA's names.
func (n *normaliser) zones(c *ical.Component) {
	zoned := false
	for _, props := range c.Props {
		zoned = zoned || slices.ContainsFunc(props, func(p ical.Prop) bool { return p.Params.Get(ical.ParamTimezoneID) != "" })
	}
	if !zoned {
		return
	}
	n.use = useOf(c)
	n.list(c)
	for _, name := range slices.Sorted(maps.Keys(c.Props)) {
		for i := range c.Props[name] {
			n.zone(&c.Props[name][i])
		}
	}
}

// useOf says when an event uses its zones: at its own times, and for about a year since it
// was sent, or since it begins.
func useOf(c *ical.Component) zones.Use {
	var use zones.Use
	for _, name := range []string{ical.PropDateTimeStart, ical.PropDateTimeEnd, ical.PropRecurrenceID, ical.PropRecurrenceDates, ical.PropExceptionDates} {
		for _, prop := range c.Props[name] {
			for value := range strings.SplitSeq(prop.Value, ",") {
				for part := range strings.SplitSeq(value, "/") {
					if local, err := time.Parse(formLocal, part); err == nil && len(use.Locals) < maxLocals {
						use.Locals = append(use.Locals, local)
					}
				}
			}
		}
	}
	o := &Object{c}
	start, err := o.moment(ical.PropDateTimeStart)
	if err != nil {
		if start, err = o.moment(ical.PropRecurrenceID); err != nil {
			return use
		}
	}
	from := start.local
	rule, recurs := ruleOf(c)
	if stamp, _ := o.Stamp(); stamp != "" {
		if sent, err := readMoment(stamp, nil); err == nil {
			near := 2 * ofInterest
			if sent.local.After(start.local.Add(-near)) && (recurs || sent.local.Before(start.local.Add(near))) {
				from = sent.local
			}
		}
	}
	use.From, use.To = from, from.Add(ofInterest)
	if recurs && !start.date {
		_ = rule.Expand(recurrence.Range{Start: start.local, From: from, Until: lastOf(rule, use.To)}, func(local time.Time) bool {
			use.Locals = append(use.Locals, local)
			return len(use.Locals) < maxLocals
		}) // what is found of it is enough
	}
	return use
}

// ruleOf returns the rule of an event, and whether there is one that can be read.
func ruleOf(c *ical.Component) (*recurrence.Rule, bool) {
	prop := c.Props.Get(ical.PropRecurrenceRule)
	if prop == nil {
		return nil, false
	}
	rule, err := recurrence.Parse(prop.Value)
	return rule, err == nil
}

// lastOf returns the last local time that a rule can have by its UNTIL, about, or end, if
// that is sooner.
func lastOf(rule *recurrence.Rule, end time.Time) time.Time {
	until := rule.Until()
	if until.Form != recurrence.None && until.Time.Add(slack).Before(end) {
		return until.Time.Add(slack)
	}
	return end
}

// describe puts the times of a property into UTC, which stand in a zone that is no IANA
// zone, by the offsets that its VTIMEZONE gives. The store keeps no VTIMEZONE.
//
// DEVIATION: zones-only-described
func (n *normaliser) describe(p *ical.Prop, tzid string, zone zones.Zone) {
	values := strings.Split(p.Value, ",")
	for i, value := range values {
		parts := strings.Split(value, "/")
		for j, part := range parts {
			parts[j] = inDescribed(part, zone)
		}
		values[i] = strings.Join(parts, "/")
	}
	p.Value = strings.Join(values, ",")
	p.Params.Del(ical.ParamTimezoneID)
	p.Params.Set("X-TZID", tzid)
	if p.Name == ical.PropDateTimeStart || p.Name == ical.PropRecurrenceID {
		n.warn("%s: time zone %s is not an IANA zone, so its times are converted to UTC by the offsets in the message", p.Name, excerpt(tzid))
	}
}

// inDescribed returns a local date-time in UTC, and all else as it is.
func inDescribed(value string, zone zones.Zone) string {
	if local, err := parseLocal(value); err == nil {
		return zone.Place(local).Format(formUTC)
	}
	return value
}

var errNoTime = errors.New("no local date-time")

func parseLocal(value string) (time.Time, error) {
	if len(value) != len(formLocal) {
		return time.Time{}, errNoTime
	}
	return parseTime(formLocal, value)
}

// list lists the occurrences of a rule, each by its own offset, where the event stands in a
// zone that is no IANA zone: the rule goes by a clock that the store cannot name. The rule
// is kept as X-RRULE.
//
// DEVIATION: zones-only-described
func (n *normaliser) list(c *ical.Component) {
	start := c.Props.Get(ical.PropDateTimeStart)
	rule, recurs := ruleOf(c)
	if start == nil || !recurs || start.Params.Get(ical.ParamTimezoneID) == "" {
		return
	}
	local, err := parseLocal(start.Value)
	zone, _ := n.zoneOf(strings.TrimSpace(start.Params.Get(ical.ParamTimezoneID)))
	if err != nil || !zone.Described() {
		return
	}
	without := map[int64]bool{}
	for _, prop := range c.Props[propExceptionRule] {
		if rule, err := recurrence.Parse(prop.Value); err == nil {
			listed(rule, local, local, zone, func(local time.Time) { without[local.Unix()] = true })
		}
	}
	var occurrences []time.Time
	add := func(local time.Time) {
		if !without[local.Unix()] {
			occurrences = append(occurrences, local)
		}
	}
	more := listed(rule, local, local, zone, add)
	if more && n.use.From.After(local) {
		// The latest are wanted rather than the first.
		occurrences = nil
		more = listed(rule, local, n.use.From.Add(-ofInterest), zone, add)
	}
	if len(occurrences) == 0 {
		n.warn("RRULE has no occurrence in the time zone of the message")
		return
	}
	if more {
		n.warn("RRULE has more occurrences than can be listed in UTC, so the event ends after %s", occurrences[len(occurrences)-1].Format(formLocal))
	}
	n.begin(c, occurrences[0])
	dates := make([]string, 0, len(occurrences)-1)
	for _, local := range occurrences[1:] {
		dates = append(dates, zone.Place(local).Format(formUTC))
	}
	if len(dates) > 0 {
		c.Props.Add(&ical.Prop{Name: ical.PropRecurrenceDates, Params: ical.Params{}, Value: strings.Join(dates, ",")})
	}
	for _, name := range []string{ical.PropRecurrenceRule, propExceptionRule} {
		for _, prop := range c.Props[name] {
			c.Props.Add(&ical.Prop{Name: "X-" + name, Params: ical.Params{}, Value: prop.Value})
		}
		delete(c.Props, name)
	}
	n.warn("the occurrences of RRULE are listed in UTC, %d of them", len(occurrences))
}

// listed calls add with the occurrences of a rule from a local time on, and tells whether
// there are more than are listed.
func listed(rule *recurrence.Rule, start, from time.Time, zone zones.Zone, add func(local time.Time)) (more bool) {
	in := recurrence.Range{Start: start, From: from}
	until := rule.Until()
	switch until.Form {
	case recurrence.Date:
		in.Until = until.Time.Add(24*time.Hour - time.Second)
	case recurrence.Local:
		in.Until = until.Time
	case recurrence.UTC:
		in.Until = until.Time.Add(slack)
	}
	count := 0
	err := rule.Expand(in, func(local time.Time) bool {
		if until.Form == recurrence.UTC && zone.Place(local).After(until.Time) {
			return true
		}
		if count++; count > maxListed {
			return false
		}
		add(local)
		return true
	})
	return count > maxListed || err != nil
}

// begin moves an event to its first occurrence: without a rule, DTSTART is one.
func (n *normaliser) begin(c *ical.Component, first time.Time) {
	start := c.Props.Get(ical.PropDateTimeStart)
	local, err := parseLocal(start.Value)
	if err != nil || local.Equal(first) {
		return
	}
	start.Value = first.Format(formLocal)
	if end := c.Props.Get(ical.PropDateTimeEnd); end != nil {
		if ends, err := parseLocal(end.Value); err == nil {
			end.Value = ends.Add(first.Sub(local)).Format(formLocal)
		} else if ends, err := time.Parse(formUTC, end.Value); err == nil {
			end.Value = ends.Add(first.Sub(local)).Format(formUTC)
		}
	}
}
