package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"
)

// lastYear is up to when a zone's changes are looked at. What is the rule by then holds
// for good, as far as anybody knows.
const lastYear = 2037

// Zones are written for times from firstYear on at the earliest: nobody had them before.
const firstYear = 1601

// change is an instant at which a zone's offset from UTC, or its name, changes.
type change struct {
	local    time.Time // by the clock before the change, in the fields of a UTC time
	from, to int       // offsets from UTC before and after it, in seconds
	name     string
	daylight bool
}

// timezone returns the VTIMEZONE (RFC 5545 section 3.6.5) of an IANA zone that goes by a TZID,
// true for times from since on.
func timezone(tzid string, zone *time.Location, since time.Time) *ical.Component {
	// A rule takes some years to be seen, also for times after all that is looked at.
	year := min(max(since.Year()-1, firstYear), lastYear-5)
	at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).In(zone)
	name, offset := at.Zone()
	// What holds at the beginning is as if it had come into force then.
	c := ical.NewComponent(ical.CompTimezone)
	c.Props.Set(&ical.Prop{Name: ical.PropTimezoneID, Value: tzid})
	c.Children = append(c.Children, observance(change{local: at.UTC(), from: offset, to: offset, name: name, daylight: at.IsDST()}, "", nil))
	var groups [][]change
	for _, c := range changes(at, offset) {
		i := slices.IndexFunc(groups, func(g []change) bool {
			return g[0].from == c.from && g[0].to == c.to && g[0].name == c.name && g[0].daylight == c.daylight
		})
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], c)
	}
	for _, g := range groups {
		first, rule := yearly(g)
		if first > 0 {
			c.Children = append(c.Children, observance(g[0], "", g[1:first]))
		}
		if first < len(g) {
			c.Children = append(c.Children, observance(g[first], rule, nil))
		}
	}
	return c
}

// changes returns the changes of a zone after an instant at which that offset holds.
func changes(at time.Time, offset int) []change {
	var all []change
	for {
		_, next := at.ZoneBounds()
		if next.IsZero() || next.Year() > lastYear {
			return all
		}
		name, to := next.Zone()
		// What goes by a rule is bounded by the ends of years as well.
		if before, _ := at.Zone(); name != before || to != offset || next.IsDST() != at.IsDST() {
			all = append(all, change{
				local: next.UTC().Add(time.Duration(offset) * time.Second), from: offset, to: to, name: name, daylight: next.IsDST(),
			})
		}
		at, offset = next, to
	}
}

// yearly finds the rule by which the changes of a group come each year at last: it holds
// from the change at first on, which is len(group) if there is none.
func yearly(group []change) (first int, rule string) {
	last := group[len(group)-1].local
	if last.Year() < lastYear {
		return len(group), ""
	}
	weekday := strings.ToUpper(last.Weekday().String()[:2])
	first = len(group)
	for _, week := range []int{-1, (last.Day()-1)/7 + 1} {
		from := len(group) - 1
		for from >= 0 {
			t := group[from].local
			same := t.Month() == last.Month() && t.Weekday() == last.Weekday() && t.Hour() == last.Hour() && t.Minute() == last.Minute() &&
				t.Year() == last.Year()-(len(group)-1-from)
			if week < 0 {
				same = same && t.AddDate(0, 0, 7).Month() != t.Month()
			} else {
				same = same && (t.Day()-1)/7+1 == week
			}
			if !same {
				break
			}
			from--
		}
		if from+1 < first {
			first = from + 1
			rule = fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s", int(last.Month()), week, weekday)
		}
	}
	if len(group)-first < 3 { // by chance
		return len(group), ""
	}
	return first, rule
}

// observance returns a STANDARD or DAYLIGHT that begins with c, and holds again by rule or at other changes.
func observance(c change, rule string, again []change) *ical.Component {
	kind := ical.CompTimezoneStandard
	if c.daylight {
		kind = ical.CompTimezoneDaylight
	}
	o := ical.NewComponent(kind)
	add := func(name, value string) { o.Props.Add(&ical.Prop{Name: name, Value: value}) }
	add(ical.PropDateTimeStart, c.local.Format(formLocal))
	add(ical.PropTimezoneOffsetFrom, utcOffset(c.from))
	add(ical.PropTimezoneOffsetTo, utcOffset(c.to))
	add(ical.PropTimezoneName, c.name)
	if rule != "" {
		add(ical.PropRecurrenceRule, rule)
	}
	for _, a := range again {
		add(ical.PropRecurrenceDates, a.local.Format(formLocal))
	}
	return o
}

// utcOffset writes an offset (RFC 5545 section 3.3.14).
func utcOffset(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	text := fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
	if s := seconds % 60; s != 0 {
		text += fmt.Sprintf("%02d", s)
	}
	return text
}
