package zones

import (
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"
)

// Use says at which times a zone is used: only a zone that has the offsets of a
// definition at them is the one described.
type Use struct {
	Locals []time.Time // the event's own times, as its clock shows them, in UTC
	// From and To are the time for which the event is looked at, about as long as it is
	// of interest; the zero time stands for none.
	From, To time.Time
}

// candidates are the zones that a definition may describe, in the order of choice,
// found as far as they are asked for.
type candidates struct {
	d        *definition
	lost     []int // the offsets of a definition of which nothing else can be read
	found    [][]string
	searches []func() []string
	last     string // the zone chosen last
	choices  int
}

// maxChoices is how often all zones are gone through for one definition. Events of one
// calendar are mostly served by the same zone.
const maxChoices = 1000

// newCandidates returns the zones that a VTIMEZONE may describe, or nil if it says
// nothing.
func newCandidates(component *ical.Component) *candidates {
	d, offsets, ok := define(component)
	switch {
	case ok:
	case len(offsets) == 1:
		d = fixed(offsets[0])
	case len(offsets) == 2:
		return &candidates{lost: offsets}
	default:
		return nil
	}
	c := &candidates{d: &d}
	// First those that fit up to the end: one of them is most likely meant, and it is
	// quickly seen.
	for _, names := range preferences() {
		c.searches = append(c.searches, func() []string { return d.ranked(names, true) })
	}
	if len(d.changes) > 0 {
		for _, names := range preferences() {
			c.searches = append(c.searches, func() []string { return d.ranked(names, false) })
		}
	}
	return c
}

// choose returns the first zone that has the described offsets when it is used.
func (c *candidates) choose(use Use) (string, bool) {
	if c.choices++; c.choices > maxChoices {
		if loc, err := Load(c.last); err == nil && c.d.serves(loc, use) {
			return c.last, true
		}
		return "", false
	}
	for i := range c.searches {
		if i == len(c.found) {
			c.found = append(c.found, c.searches[i]())
		}
		for _, name := range c.found[i] {
			if loc, err := Load(name); err == nil && c.d.serves(loc, use) {
				c.last = name
				return name, true
			}
		}
	}
	return "", false
}

// serves tells whether a zone has the offsets of the definition when it is used.
func (d *definition) serves(loc *time.Location, use Use) bool {
	for _, local := range use.Locals {
		if at := d.place(local.Unix()); d.speaks(at) && Place(local, loc).Unix() != at {
			return false
		}
	}
	if use.From.IsZero() || use.To.IsZero() {
		return true
	}
	for t := use.From.Unix(); t < use.To.Unix() && t < lastTime && d.speaks(t); t += 7 * unixDay {
		if offsetAt(loc, t) != d.at(t) {
			return false
		}
	}
	return true
}

// byFixedOffset finds a zone that is always at this offset, in seconds east.
func byFixedOffset(offset int) (string, bool) {
	d := fixed(offset)
	for _, names := range preferences() {
		if ranked := d.ranked(names, true); len(ranked) > 0 {
			return ranked[0], true
		}
	}
	return "", false
}

// preferences are the zones to choose from, in turn: those that CLDR gives for
// the zones of Windows, but first without those of one country, which Windows
// names so ("Pacific Standard Time (Mexico)"); and all others.
func preferences() [][]string {
	var general, national []string
	for _, zone := range windowsZones {
		if strings.Contains(zone.name, "(") {
			national = append(national, zone.iana)
		} else {
			general = append(general, zone.iana)
		}
	}
	return [][]string{general, national, ianaNames}
}

const (
	// standing is how far back from the end of a definition's time it has to
	// agree with a zone, to be taken for a description of what the zone does now.
	standing = 8 * 366 * unixDay
	// memory is how far back it makes a difference for how long it has done so.
	// The US have had their rules since 2007, Sydney since 2008.
	memory = 29 * 366 * unixDay
)

// fit is how well a zone agrees with a definition.
type fit struct {
	standing bool // it does so up to the end
	years    int  // whole years in which it does
	exact    int  // changes that are at the very same time
}

func (f fit) better(g fit) bool {
	switch {
	case f.standing != g.standing:
		return f.standing
	case f.years != g.years:
		return f.years > g.years
	}
	return f.exact > g.exact
}

// ranked returns those of the names whose zones fit, the best first.
func (d *definition) ranked(names []string, standing bool) []string {
	fits := make(map[string]fit)
	var ranked []string
	for _, name := range names {
		loc, err := Load(name)
		if _, twice := fits[name]; twice || err != nil {
			continue
		}
		f := d.compare(loc, standing)
		if f.years > 1 || f.years > 0 && standing {
			fits[name] = f
			ranked = append(ranked, name)
		}
	}
	slices.SortStableFunc(ranked, func(a, b string) int {
		switch {
		case fits[a].better(fits[b]):
			return -1
		case fits[b].better(fits[a]):
			return 1
		}
		return 0
	})
	return ranked
}

// compare says how well a zone fits. With standing, a zone that does not fit up
// to the end is not looked at further.
func (d *definition) compare(loc *time.Location, mustStand bool) fit {
	var f fit
	f.standing = d.agrees(loc, max(d.first, d.last-standing), d.last)
	if mustStand && !f.standing {
		return fit{}
	}
	first := d.first
	if f.standing {
		first = max(first, d.last-memory)
	}
	for from := first; from < d.last; from += 366 * unixDay {
		if d.agrees(loc, from, min(from+366*unixDay, d.last)) {
			f.years++
		}
	}
	if f.years > 0 {
		for i, c := range d.changes {
			before := d.before
			if i > 0 {
				before = d.changes[i-1].offset
			}
			if c.at >= first && offsetAt(loc, c.at-1) == before && offsetAt(loc, c.at) == c.offset {
				f.exact++
			}
		}
	}
	return f
}

// agrees compares offsets week by week.
func (d *definition) agrees(loc *time.Location, from, to int64) bool {
	for t := from; t < to; t += 7 * unixDay {
		if offsetAt(loc, t) != d.at(t) {
			return false
		}
	}
	return true
}

func offsetAt(loc *time.Location, t int64) int {
	_, offset := time.Unix(t, 0).In(loc).Zone()
	return offset
}

// byOffsets finds a zone by the two offsets that it alternates between, if no
// more can be read of it.
func byOffsets(offsets []int) (string, bool) {
	if len(offsets) != 2 {
		return "", false
	}
	name, most := "", 0
	for _, candidate := range slices.Concat(preferences()[:2]...) {
		loc, err := Load(candidate)
		if err != nil {
			continue
		}
		years := 0
		for year := lastYear; year > lastYear-memory/(366*unixDay); year-- {
			winter := offsetAt(loc, time.Date(year, time.January, 15, 0, 0, 0, 0, time.UTC).Unix())
			summer := offsetAt(loc, time.Date(year, time.July, 15, 0, 0, 0, 0, time.UTC).Unix())
			if min(winter, summer) != offsets[0] || max(winter, summer) != offsets[1] {
				break
			}
			years++
		}
		if years > most {
			name, most = candidate, years
		}
	}
	return name, most > 0
}
