package zones

import (
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"
)

// byDefinition finds the IANA zone that a VTIMEZONE describes. Several do, as a
// rule. The first that counts is which of the preferences has one; then, which
// has behaved so longest; then CLDR's order.
func byDefinition(component *ical.Component) (string, bool) {
	d, offsets, ok := define(component)
	if ok {
		if iana, ok := d.match(); ok {
			return iana, true
		}
	}
	if len(offsets) == 1 {
		d := fixed(offsets[0])
		return d.match()
	}
	return byOffsets(offsets)
}

// byFixedOffset finds a zone that is always at this offset, in seconds east.
func byFixedOffset(offset int) (string, bool) {
	d := fixed(offset)
	return d.match()
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

// match returns the zone that fits best.
func (d *definition) match() (string, bool) {
	// First for zones that fit up to the end: that is most likely meant, and
	// quickly seen.
	for _, candidates := range preferences() {
		if name, best := d.best(candidates, true); best.years > 0 {
			return name, true
		}
	}
	if len(d.changes) == 0 {
		return "", false
	}
	for _, candidates := range preferences() {
		if name, best := d.best(candidates, false); best.years > 1 {
			return name, true
		}
	}
	return "", false
}

func (d *definition) best(candidates []string, standing bool) (name string, best fit) {
	for _, candidate := range candidates {
		loc, err := Load(candidate)
		if err != nil {
			continue
		}
		if f := d.compare(loc, standing); f.years > 0 && f.better(best) {
			name, best = candidate, f
		}
	}
	return name, best
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
