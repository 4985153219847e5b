package zones

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"imip-agent/stores/calendar/recurrence"
)

// A definition is what a VTIMEZONE says of a zone's offsets from UTC, in seconds
// east (RFC 5545 section 3.6.5).
type definition struct {
	changes []change // in order of time
	before  int      // the offset before the first change

	// What it says is to be held against the zones from first to last, in Unix
	// time. Before and after that it says nothing, or what nobody meant.
	first, last int64

	// lasting says that it goes on as it is after last.
	lasting bool
}

type change struct {
	at     int64 // Unix time
	offset int   // from then on
}

// Onsets are looked at in these years. Senders describe a zone by the rules that
// hold today, as if they always had, or by its changes in the years around now.
const (
	firstYear = 1970
	lastYear  = 2037

	maxObservances = 200
	maxOnsets      = 500 // of one observance: a zone changes twice a year
)

var (
	firstTime = time.Date(firstYear, time.January, 1, 0, 0, 0, 0, time.UTC).Unix()
	lastTime  = time.Date(lastYear, time.December, 31, 0, 0, 0, 0, time.UTC).Unix()
)

const unixDay = 24 * 60 * 60

// observance is a STANDARD or DAYLIGHT component.
type observance struct {
	from, to int
	changed  bool    // from is known
	onsets   []int64 // Unix time, sorted
	lasting  bool    // a rule goes on after lastYear
	ruled    bool    // onsets are by a rule or a list
	ancient  bool    // it begins before zones can be told apart
	name     string  // STANDARD or DAYLIGHT
	start    int64   // DTSTART, Unix time
}

// define reads a VTIMEZONE. Components of it that cannot be used are left out.
// offsets are those that it has; ok is false if they are all that it says.
func define(component *ical.Component) (d definition, offsets []int, ok bool) {
	var observances []observance
	for _, child := range component.Children {
		if child == nil || child.Name != ical.CompTimezoneStandard && child.Name != ical.CompTimezoneDaylight {
			continue
		}
		if o, ok := observe(child); ok && len(observances) < maxObservances {
			observances = append(observances, o)
			offsets = append(offsets, o.to)
		}
	}
	supersede(observances)
	slices.Sort(offsets)
	if offsets = slices.Compact(offsets); len(offsets) < 2 && !slices.ContainsFunc(observances, observance.recent) {
		if len(offsets) == 0 {
			return d, nil, false
		}
		return fixed(offsets[0]), offsets, true
	}

	lasting, ruled, single := false, false, []int64{}
	for _, o := range observances {
		lasting = lasting || o.lasting
		ruled = ruled || o.ruled
		single = append(single, o.onsets...)
		for _, at := range o.onsets {
			d.changes = append(d.changes, change{at, o.to})
		}
	}
	slices.SortFunc(d.changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	if len(d.changes) == 0 {
		return d, offsets, false
	}
	slices.Sort(single)
	d.first, d.last = single[0], single[len(single)-1]
	if !ruled && len(offsets) > 1 && d.last-d.first > 400*unixDay {
		// One onset of each, years apart: the rules have been lost.
		return d, offsets, false
	}
	d.before = d.changes[0].offset
	for _, o := range observances {
		if o.changed && slices.Contains(o.onsets, d.first) {
			d.before = o.from
			if o.from != o.to {
				d.first -= 60 * unixDay
			}
		}
	}
	d.last += 60 * unixDay
	if lasting {
		// It is about the rules that last, from when they all hold.
		d.last, d.lasting = lastTime, true
		for _, o := range observances {
			if o.lasting {
				d.first = max(d.first, o.onsets[0])
			}
		}
	}
	d.first = max(d.first, firstTime)
	return d, offsets, d.first < d.last
}

// supersede ends the rules of observances that go on without end where a later
// observance of the same kind sets other rules for the same change: programs that
// describe the eras of a zone leave the UNTIL of the earlier ones out.
func supersede(observances []observance) {
	for i := range observances {
		earlier := &observances[i]
		if !earlier.lasting {
			continue
		}
		for _, later := range observances {
			if !later.lasting || later.name != earlier.name || later.start <= earlier.start ||
				later.from != earlier.from || later.to != earlier.to || len(later.onsets) == 0 {
				continue
			}
			// The year of the first onset by the new rules has none by the old ones.
			from := time.Unix(later.onsets[0], 0).UTC()
			year := time.Date(from.Year(), time.January, 1, 0, 0, 0, 0, time.UTC).Unix()
			n, _ := slices.BinarySearch(earlier.onsets, year)
			earlier.onsets, earlier.lasting = earlier.onsets[:n], false
		}
	}
}

// fixed is the definition of a zone that never changes.
func fixed(offset int) definition {
	return definition{before: offset, first: firstTime, last: lastTime, lasting: true}
}

// recent tells whether the observance is one of a change that the zone made at a
// time that matters.
func (o observance) recent() bool { return o.changed && o.from != o.to && !o.ancient }

// observe reads a STANDARD or DAYLIGHT component.
func observe(c *ical.Component) (o observance, ok bool) {
	if o.to, ok = offset(c, ical.PropTimezoneOffsetTo); !ok {
		return o, false
	}
	if o.from, o.changed = offset(c, ical.PropTimezoneOffsetFrom); !o.changed {
		o.from = o.to
	}
	start, ok := localTime(c, ical.PropDateTimeStart)
	if !ok {
		start = time.Unix(firstTime, 0).UTC()
	}
	o.ancient = start.Year() <= 1980
	o.name, o.start = c.Name, start.Unix()
	// Onsets are given in the time before them (RFC 5545 section 3.6.5).
	add := func(local time.Time) bool {
		if at := local.Unix() - int64(o.from); at >= firstTime && at < lastTime {
			o.onsets = append(o.onsets, at)
		}
		return len(o.onsets) < maxOnsets
	}
	add(start)
	for _, prop := range c.Props[ical.PropRecurrenceRule] {
		rule, err := recurrence.Parse(strings.ReplaceAll(prop.Value, `\`, ""))
		if err != nil {
			continue
		}
		in := recurrence.Range{Start: start, From: time.Unix(firstTime, 0), Until: time.Unix(lastTime, 0)}
		switch until := rule.Until(); until.Form {
		case recurrence.UTC:
			in.Until = until.Time.Add(time.Duration(o.from) * time.Second)
		case recurrence.Date:
			in.Until = until.Time.AddDate(0, 0, 1)
		case recurrence.Local:
			in.Until = until.Time
		}
		o.ruled = rule.Expand(in, add) == nil
		o.lasting = o.lasting || len(o.onsets) > 0 && o.onsets[len(o.onsets)-1] > lastTime-366*unixDay
	}
	for _, prop := range c.Props[ical.PropRecurrenceDates] {
		for value := range strings.SplitSeq(prop.Value, ",") {
			if local, ok := readLocal(value); ok {
				o.ruled = true
				if !add(local) {
					break
				}
			}
		}
	}
	slices.Sort(o.onsets)
	o.onsets = slices.Compact(o.onsets)
	if len(o.onsets) >= maxOnsets {
		o.onsets, o.ruled, o.lasting = nil, false, false // no zone is changed so often
	}
	return o, true
}

func offset(c *ical.Component, name string) (seconds int, ok bool) {
	prop := c.Props.Get(name)
	if prop == nil {
		return 0, false
	}
	seconds, ok = readOffset(strings.TrimSpace(prop.Value))
	return seconds, ok && seconds > -16*3600 && seconds < 16*3600
}

// readOffset reads a UTC-OFFSET (RFC 5545 section 3.3.14: "+0100", "-033000"), and what
// is found in its place: without a sign, with colons, or with one digit for the hours.
func readOffset(text string) (seconds int, ok bool) {
	text, negative := strings.CutPrefix(text, "-")
	if !negative {
		text = strings.TrimPrefix(text, "+")
	}
	width := 2 - (len(text)-strings.Count(text, ":"))%2 // of the hours
	for _, unit := range []int{3600, 60, 1} {
		if unit == 1 && text == "" {
			break
		}
		if len(text) < width || strings.Trim(text[:width], "0123456789") != "" {
			return 0, false
		}
		number, _ := strconv.Atoi(text[:width]) // it is one or two digits
		seconds += number * unit
		text, width = text[width:], 2
		if unit > 1 {
			text = strings.TrimPrefix(text, ":")
		}
	}
	if negative {
		seconds = -seconds
	}
	return seconds, text == ""
}

func localTime(c *ical.Component, name string) (time.Time, bool) {
	if prop := c.Props.Get(name); prop != nil {
		return readLocal(prop.Value)
	}
	return time.Time{}, false
}

func readLocal(value string) (time.Time, bool) {
	value = strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(value)), "Z")
	for _, form := range []string{"20060102T150405", "20060102"} {
		if local, err := time.Parse(form, value); err == nil {
			return local, true
		}
	}
	return time.Time{}, false
}

// cycle is the time after which the days of the week and the leap years are the same
// again: 28 years.
const cycle = 10227 * unixDay

// at returns the offset at an instant in Unix time.
func (d *definition) at(t int64) int {
	if d.lasting && t >= lastTime {
		t -= (t-lastTime)/cycle*cycle + cycle
	}
	i, found := slices.BinarySearchFunc(d.changes, t, func(c change, t int64) int { return cmp.Compare(c.at, t) })
	if found {
		for i+1 < len(d.changes) && d.changes[i+1].at == t {
			i++
		}
		return d.changes[i].offset
	}
	if i == 0 {
		return d.before
	}
	return d.changes[i-1].offset
}

// place returns the instant at which clocks show a local time, both in Unix time, as
// [Place] does it.
func (d *definition) place(local int64) int64 {
	const widest = int64(18 * 60 * 60)
	skip := int64(0)
	if d.lasting && local >= lastTime-widest {
		skip = (local-lastTime+widest)/cycle*cycle + cycle
		local -= skip
	}
	offset := int64(d.at(local - widest))
	for _, c := range d.changes {
		if c.at <= local-widest {
			continue
		}
		if local-offset < c.at || local-int64(c.offset) < c.at {
			break
		}
		offset = int64(c.offset)
	}
	return local - offset + skip
}

// speaks tells whether the definition says what the offset is at t.
func (d *definition) speaks(t int64) bool { return d.lasting || t <= d.last || len(d.changes) < 2 }
