package calendar

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"imip-agent/stores/calendar/zones"
)

// moment is a date or date-time as a property has it: what the calendar or the
// clock shows, and where.
type moment struct {
	local time.Time      // fields in UTC; of a date, its beginning
	date  bool           // a date (RFC 5545 section 3.3.4)
	zone  *time.Location // nil: the user's, for dates and floating times
}

// in returns the zone in which the moment stands for a user in the zone user.
func (m moment) in(user *time.Location) *time.Location {
	switch {
	case m.zone != nil:
		return m.zone
	case user != nil:
		return user
	}
	return time.UTC
}

// instant returns when the moment is, in UTC.
func (m moment) instant(user *time.Location) time.Time {
	return zones.Place(m.local, m.in(user)).UTC()
}

// at returns the moment of the same kind at another local time.
func (m moment) at(local time.Time) moment {
	m.local = local
	return m
}

// readMoment reads a date or date-time. The value itself says which of the two
// it is, as 8 digits without VALUE=DATE are common; only, midnight is a date if
// VALUE=DATE says so. A TZID with a date gives the zone in which the day is, as
// in the original. An unknown TZID is none: the time is floating.
func readMoment(value string, params ical.Params) (moment, error) {
	value = strings.ToUpper(strings.TrimSpace(value))
	var m moment
	var err error
	switch len(value) {
	case len(formDate):
		m.date = true
		m.local, err = time.Parse(formDate, value)
	case len(formLocal):
		m.local, err = parseTime(formLocal, value)
		m.date = strings.EqualFold(params.Get(ical.ParamValue), string(ical.ValueDate)) && strings.HasSuffix(value, "T000000")
	case len(formUTC):
		m.local, err = parseTime(formUTC, value)
		m.zone = time.UTC
	default:
		err = strconv.ErrSyntax
	}
	if err != nil {
		return moment{}, &Error{fmt.Sprintf("%s is neither a date nor a date-time", excerpt(value))}
	}
	if m.zone == nil {
		if tzid := params.Get(ical.ParamTimezoneID); tzid != "" {
			if zone, err := zones.Load(strings.Trim(tzid, `"`)); err == nil {
				m.zone = zone
			}
		}
	}
	return m, nil
}

// parseTime reads a date-time. A leap second is read as the second before it
// (RFC 5545 section 3.3.12).
//
// DEVIATION: leap-seconds
func parseTime(form, value string) (time.Time, error) {
	if value[13:15] == "60" {
		value = value[:13] + "59" + value[15:]
	}
	return time.Parse(form, value)
}

// length is how long a period is. Days are added to the calendar, and the rest
// to the clock, as RFC 5545 section 3.3.6 has it: a day is not always 24 hours.
//
// DEVIATION: days-in-durations
type length struct {
	days  int
	exact time.Duration
}

const (
	// Longer than four digits of a year have days.
	maxDays = 4_000_000
	// The most that is read of hours, minutes and seconds each: lifetimes, and
	// the three still add up to less than a time.Duration holds.
	maxExact = 90 * 365 * 24 * time.Hour
)

// longestDuration is more octets than any has that makes sense.
const longestDuration = 200

// durationParts are the numbers of a duration, as digits; empty: there is none of that unit.
type durationParts struct {
	sign                                 string
	weeks, days, hours, minutes, seconds string
}

// cutDuration cuts a duration into its parts, and reports whether it is one: by the grammar of RFC 5545
// section 3.3.6, with weeks beside the rest. There is no regular expression in what a message needs: to
// compile one takes as long as to read an invitation.
func cutDuration(text string) (parts durationParts, ok bool) {
	if text != "" && (text[0] == '+' || text[0] == '-') {
		parts.sign, text = text[:1], text[1:]
	}
	text, ok = strings.CutPrefix(text, "P")
	if !ok {
		return durationParts{}, false
	}
	any := false
	number := func(unit byte) (digits string) {
		n := leadingDigits(text)
		if n == 0 || n == len(text) || text[n] != unit {
			return ""
		}
		any = true
		digits, text = text[:n], text[n+1:]
		return digits
	}
	parts.weeks, parts.days = number('W'), number('D')
	if rest, ok := strings.CutPrefix(text, "T"); ok {
		text = rest
		parts.hours, parts.minutes, parts.seconds = number('H'), number('M'), number('S')
	}
	if !any || text != "" {
		return durationParts{}, false
	}
	return parts, true
}

// leadingDigits returns how many digits text begins with.
func leadingDigits(text string) int {
	n := 0
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	return n
}

// readDuration reads a duration, which can be negative. Absurd ones are cut.
func readDuration(value string) (length, error) {
	if len(value) > longestDuration {
		return length{}, &Error{fmt.Sprintf("%s is not a duration", excerpt(value))}
	}
	parts, ok := cutDuration(durationText(strings.ToUpper(strings.TrimSpace(value))))
	if !ok {
		return length{}, &Error{fmt.Sprintf("%s is not a duration", excerpt(value))}
	}
	number := func(digits string, most int64) int64 {
		n, err := strconv.ParseInt("0"+digits, 10, 64)
		if err != nil {
			return most
		}
		return min(n, most)
	}
	exact := func(digits string, unit time.Duration) time.Duration {
		return time.Duration(number(digits, int64(maxExact/unit))) * unit
	}
	l := length{
		days:  int(min(number(parts.weeks, maxDays)*7+number(parts.days, maxDays), maxDays)),
		exact: exact(parts.hours, time.Hour) + exact(parts.minutes, time.Minute) + exact(parts.seconds, time.Second),
	}
	if parts.sign == "-" {
		l = length{days: -l.days, exact: -l.exact}
	}
	return l, nil
}

// durationText returns a duration as the original reads it, which reads weeks alone, and
// after days no smaller unit without those between: "+P1DT" is "P1D", "P1W2D" is "P9D",
// "PT1H30S" is "PT1H0M30S". What cannot be read stays.
func durationText(value string) string {
	if len(value) > longestDuration {
		return value
	}
	parts, ok := cutDuration(strings.TrimSuffix(strings.TrimPrefix(value, "+"), "T"))
	if !ok {
		return value
	}
	var b strings.Builder
	b.WriteString(parts.sign + "P")
	weeks, days := parts.weeks, parts.days
	hours, minutes, seconds := parts.hours, parts.minutes, parts.seconds
	switch {
	case weeks != "" && days+hours+minutes+seconds == "":
		return b.String() + weeks + "W"
	case weeks != "":
		w, errW := strconv.Atoi(weeks)
		d, errD := strconv.Atoi("0" + days)
		if errW != nil || errD != nil || w > maxDays || d > maxDays {
			return value
		}
		days = strconv.Itoa(7*w + d)
	}
	if days != "" {
		b.WriteString(days + "D")
	}
	if hours != "" && seconds != "" && minutes == "" {
		minutes = "0"
	}
	if hours+minutes+seconds != "" {
		b.WriteString("T")
	}
	for _, part := range []struct{ number, unit string }{{hours, "H"}, {minutes, "M"}, {seconds, "S"}} {
		if part.number != "" {
			b.WriteString(part.number + part.unit)
		}
	}
	return b.String()
}

// readPeriod reads a period: its start, and how long it is.
func (t *times) readPeriod(value string, params ical.Params) (moment, length, error) {
	first, last, _ := strings.Cut(value, "/")
	start, err := readMoment(first, params)
	if err != nil {
		return moment{}, length{}, err
	}
	if start.zone == nil && !start.date {
		start.zone = t.start.zone
	}
	if l, err := readDuration(last); err == nil {
		return start, l, nil
	}
	end, err := readMoment(last, params)
	if err != nil {
		return moment{}, length{}, &Error{fmt.Sprintf("%s is not a period", excerpt(value))}
	}
	return start, between(start, end, t.user), nil
}

// between is the length from one moment to another: in days between dates,
// otherwise in exact time. An end without a zone is in the start's. A midnight that ends
// what begins on a date is a date.
//
// DEVIATION: days-that-summer-time-shortens
func between(start, end moment, user *time.Location) length {
	if end.zone == nil {
		end.zone = start.zone
	}
	if start.date && sinceMidnight(end.local) == 0 {
		end.date = true
	}
	if start.date && end.date {
		return length{days: int(end.local.Sub(start.local) / (24 * time.Hour))}
	}
	return length{exact: end.instant(user).Sub(start.instant(user))}
}

// after returns when a period ends that begins at m, which is the instant start,
// and is so long, in UTC. One of less than no length has none.
func (l length) after(m moment, start time.Time, user *time.Location) time.Time {
	end := start
	if l.days != 0 {
		end = m.at(m.local.AddDate(0, 0, l.days)).instant(user)
	}
	if end = end.Add(l.exact); end.Before(start) {
		// DEVIATION: ends-before-start
		return start
	}
	if end.After(latest) {
		return latest
	}
	return end
}

// Records are of periods between these instants. The original cannot write or
// read earlier ones, and later ones do not fit the form.
//
// DEVIATION: before-1900
var (
	earliest = time.Date(1900, time.January, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
)

// whole returns the whole days of a length, as of a date.
func (l length) whole() length {
	return length{days: l.days + int(l.exact/(24*time.Hour))}
}

// first returns the first property of that name and whether there is one.
func (o *Object) first(name string) (ical.Prop, bool) {
	if props := o.component.Props[name]; len(props) > 0 {
		return props[0], true
	}
	return ical.Prop{}, false
}

// moment reads the date or date-time that the property of that name has.
func (o *Object) moment(name string) (moment, error) {
	prop, ok := o.first(name)
	if !ok {
		return moment{}, &Error{fmt.Sprintf("the event has no %s", name)}
	}
	m, err := readMoment(prop.Value, prop.Params)
	if err != nil {
		return moment{}, &Error{fmt.Sprintf("%s: %v", name, err)}
	}
	return m, nil
}

// Start returns the instant of DTSTART for a user in zone, in UTC. It fails with
// an [Error] if there is no DTSTART that can be read.
func (o *Object) Start(zone *time.Location) (time.Time, error) {
	start, err := o.moment(ical.PropDateTimeStart)
	if err != nil {
		return time.Time{}, err
	}
	return start.instant(zone), nil
}

// HasStart tells whether the event has a DTSTART that can be read.
func (o *Object) HasStart() bool {
	_, err := o.moment(ical.PropDateTimeStart)
	return err == nil
}

// RecurrenceInstant returns the instant of RECURRENCE-ID for a user in zone, in
// UTC. It fails with an [Error] if there is none, or none that can be read.
func (o *Object) RecurrenceInstant(zone *time.Location) (time.Time, error) {
	id, err := o.moment(ical.PropRecurrenceID)
	if err != nil {
		return time.Time{}, err
	}
	return id.instant(zone), nil
}

// InstantOf returns the instant of a recurrence id as RecurrenceID gives it, for
// a user in zone, in UTC. It fails with an [Error] if it is neither a date nor a
// date-time.
func InstantOf(recurrenceID string, zone *time.Location) (time.Time, error) {
	id, err := readMoment(recurrenceID, nil)
	if err != nil {
		return time.Time{}, &Error{fmt.Sprintf("recurrence id: %v", err)}
	}
	return id.instant(zone), nil
}

// UnreadLength says what of DTEND and DURATION is there and cannot be read, so that Periods
// is good for when occurrences start only; empty if all can.
func (o *Object) UnreadLength() string {
	if _, there := o.first(ical.PropDateTimeEnd); there {
		if _, err := o.moment(ical.PropDateTimeEnd); err != nil {
			return err.Error()
		}
	}
	if prop, there := o.first(ical.PropDuration); there {
		if _, err := readDuration(prop.Value); err != nil {
			return ical.PropDuration + ": " + err.Error()
		}
	}
	return ""
}

// length returns how long the event is, from its start to DTEND, or else by
// DURATION. One without either, or with neither readable, lasts a day if it
// starts on a date, and no time otherwise (RFC 5545 section 3.6.1).
//
// DEVIATION: neither-end-nor-duration
//
// By DTEND each occurrence lasts the same exact time; by DURATION, whose days
// are those of the calendar, it can differ by what clocks are changed (RFC 5545
// section 3.8.5.3).
func (o *Object) length(start moment, user *time.Location) length {
	day := length{days: 1}
	if end, err := o.moment(ical.PropDateTimeEnd); err == nil {
		l := between(start, end, user)
		switch {
		// DEVIATION: whole-days-without-length
		case start.date && l.exact <= 0 && l.days <= 0:
			return day
		case end.date && !start.date && l.exact <= 0:
			return length{exact: l.exact + 24*time.Hour} // to the end of that day
		}
		return l
	}
	if prop, ok := o.first(ical.PropDuration); ok {
		if l, err := readDuration(prop.Value); err == nil {
			if start.date {
				if l = l.whole(); l.days <= 0 {
					return day
				}
			}
			return l
		}
	}
	if start.date {
		return day
	}
	return length{}
}
