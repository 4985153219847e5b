package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"imip-agent/stores/calendar/recurrence"
)

// PeriodOptions say which of an event's periods are wanted, and for whom.
type PeriodOptions struct {
	Zone  *time.Location // the user's zone, for dates and floating times; nil: UTC
	Now   time.Time
	Until time.Time // the end of the window, for what RRULE yields; zero: none
	Max   int       // at most so many periods; 0 or less: DefaultMaxPeriods
}

// DefaultMaxPeriods is how many periods an event has at most, if nothing else is
// said.
//
// DEVIATION: rule-by-the-second
const DefaultMaxPeriods = 50_000

// Span is a period of time, in UTC. End is not before Start.
type Span struct{ Start, End time.Time }

// IncompleteError says that parts of an event's times cannot be read. What was
// asked for has been worked out as if they were not there.
type IncompleteError struct{ Reasons []string }

func (e *IncompleteError) Error() string {
	return "the event's times are read in part only: " + strings.Join(e.Reasons, "; ")
}

// maxReasons is how many reasons an IncompleteError gives.
const maxReasons = 10

// times are the times of an event for a user.
type times struct {
	user   *time.Location
	start  moment
	length length
	rule   *recurrence.Rule // nil: the event is at DTSTART
	rdates []occurrence
	except exceptions

	reasons []string
}

// occurrence is one occurrence, with its own length if it is a period of RDATE.
type occurrence struct {
	moment
	length length
}

// exceptions is what EXDATE takes away: occurrences that start at an instant, and
// where only a date is given, occurrences on that day of the event's own clock.
type exceptions struct {
	instants map[int64]bool
	days     map[int64]bool
}

// times reads the times of an event. It fails with an [Error] if there is no
// DTSTART that can be read.
func (o *Object) times(user *time.Location) (*times, error) {
	start, err := o.moment(ical.PropDateTimeStart)
	if err != nil {
		return nil, err
	}
	t := &times{
		user:   user,
		start:  start,
		length: o.length(start, user),
		except: exceptions{instants: map[int64]bool{}, days: map[int64]bool{}},
	}
	if prop, ok := o.first(ical.PropRecurrenceRule); ok {
		if t.rule, err = recurrence.Parse(prop.Value); err != nil {
			// DEVIATION: unreadable-rules
			t.leaveOut(err)
		}
	}
	for value, params := range o.values(ical.PropRecurrenceDates) {
		if err := t.addDate(value, params); err != nil {
			t.leaveOut(fmt.Errorf("RDATE: %w", err))
		}
	}
	for value, params := range o.values(ical.PropExceptionDates) {
		value, _, _ = strings.Cut(value, "/")
		m, err := readMoment(value, params)
		if err != nil {
			t.leaveOut(fmt.Errorf("EXDATE: %w", err))
			continue
		}
		t.except.instants[m.instant(user).Unix()] = true
		if m.date && !start.date {
			// DEVIATION: exceptions-by-day
			// Clients write it for events of times; as an instant, it would mean nothing.
			t.except.days[m.local.Unix()] = true
		}
	}
	return t, nil
}

// values yields the values of all properties of that name, which are lists, with
// the parameters that apply to them. Empty ones are none.
func (o *Object) values(name string) func(func(string, ical.Params) bool) {
	return func(yield func(string, ical.Params) bool) {
		for _, prop := range o.component.Props[name] {
			for value := range strings.SplitSeq(prop.Value, ",") {
				if value = strings.TrimSpace(value); value != "" && !yield(value, prop.Params) {
					return
				}
			}
		}
	}
}

func (t *times) leaveOut(reason error) {
	if len(t.reasons) < maxReasons {
		t.reasons = append(t.reasons, reason.Error())
	}
}

// incomplete returns what could not be read, as an error.
func (t *times) incomplete() error {
	if len(t.reasons) == 0 {
		return nil
	}
	return &IncompleteError{Reasons: t.reasons}
}

// addDate adds a value of RDATE: a date, a date-time or a period.
func (t *times) addDate(value string, params ical.Params) error {
	if strings.Contains(value, "/") {
		start, length, err := readPeriod(value, params, t.user)
		if err == nil {
			t.rdates = append(t.rdates, occurrence{start, length})
		}
		return err
	}
	start, err := readMoment(value, params)
	if err != nil {
		return err
	}
	length := t.length
	switch {
	case start.date:
		length = length.whole()
	case t.start.date:
		// A date-time added to dates lasts as many times 24 hours.
		length.exact, length.days = length.exact+time.Duration(length.days)*24*time.Hour, 0
	}
	t.rdates = append(t.rdates, occurrence{start, length})
	return nil
}

// excludes tells whether EXDATE takes an occurrence away: any that starts then.
//
// DEVIATION: exceptions-and-periods
func (t *times) excludes(m moment, start time.Time) bool {
	return t.except.instants[start.Unix()] ||
		len(t.except.days) > 0 && t.except.days[m.local.Truncate(24*time.Hour).Unix()]
}

// slack is more than a zone's clock can differ from UTC, or be changed.
const slack = 30 * time.Hour

// local returns what the clock at the event shows at an instant.
func (t *times) local(instant time.Time) time.Time {
	if instant.IsZero() {
		return instant
	}
	there := instant.In(t.start.in(t.user))
	_, offset := there.Zone()
	return instant.UTC().Add(time.Duration(offset) * time.Second)
}

// expand calls yield with the occurrences of the rule whose local times are from
// from to until (zero: no limit), in order, until it returns false.
func (t *times) expand(from, until time.Time, yield func(moment, time.Time) bool) {
	in := recurrence.Range{Start: t.start.local, Date: t.start.date, From: from, Until: until}
	limit, instant := t.until()
	if !limit.IsZero() && (in.Until.IsZero() || limit.Before(in.Until)) {
		in.Until = limit
	}
	err := t.rule.Expand(in, func(local time.Time) bool {
		m := t.start.at(local)
		start := m.instant(t.user)
		if !instant.IsZero() && start.After(instant) {
			return true
		}
		return yield(m, start)
	})
	if err != nil {
		t.leaveOut(err)
	}
}

// until says what the rule's UNTIL means for the event, which RFC 5545 section
// 3.3.10 has in the form of DTSTART, and in UTC if that has a zone, but senders
// have in any: the last local time, inclusive, and where it is an instant, that.
// Either is zero if it sets no limit.
func (t *times) until() (local, instant time.Time) {
	switch until := t.rule.Until(); until.Form {
	case recurrence.Date:
		// DEVIATION: until-date
		// The whole day: DTSTART's time on it is meant.
		return until.Time.Add(24*time.Hour - time.Second), time.Time{}
	case recurrence.Local:
		// DEVIATION: until-floating
		return until.Time, time.Time{}
	case recurrence.UTC:
		day := until.Time.Truncate(24 * time.Hour)
		switch {
		case t.start.date && (until.Time.Equal(day) || until.Time.Equal(day.Add(24*time.Hour-time.Second))):
			// The beginning or the end of a day in UTC is a date that had to be
			// written as a time.
			return until.Time, time.Time{}
		case t.start.zone == nil && !t.start.date:
			// Held against times of no zone: the original, observed.
			return until.Time, time.Time{}
		}
		return t.local(until.Time).Add(slack), until.Time
	}
	return time.Time{}, time.Time{}
}

// window returns the last local time, inclusive, at which an occurrence of the
// rule is within the window that ends at end.
//
// The window's end is an instant, but the original holds the fields of that
// instant in UTC against those of the event's own clock, wherever it is: for a
// window up to 12:00 UTC, 11:59:59 in New York and in Tokyo. Dates are within
// the window up to the date of its end, and if the rule has an UNTIL, so is what
// starts at the very end.
func (t *times) window(end time.Time) time.Time {
	switch {
	case end.IsZero():
		return end
	case t.start.date, t.rule.Until().Form != recurrence.None:
		return end.UTC().Truncate(time.Second)
	}
	return end.UTC().Add(-1).Truncate(time.Second)
}

// Periods returns the event's periods: what RRULE yields within the window, and
// RDATE, without EXDATE; or DTSTART, if there is no RRULE. DTSTART that the rule
// does not yield is none. They are sorted, without duplicates. If there are more
// than options.Max, truncated is true, and they are the earliest that are not
// over at options.Now.
//
// It fails with an [Error] if there is no DTSTART that can be read, and then
// without any period. With an [IncompleteError] the periods are good.
func (o *Object) Periods(options PeriodOptions) (spans []Span, truncated bool, err error) {
	most := options.Max
	if most <= 0 {
		most = DefaultMaxPeriods
	}
	t, err := o.times(options.Zone)
	if err != nil {
		return nil, false, err
	}
	if spans, truncated = t.collect(options, time.Time{}, most); truncated {
		spans, _ = t.collect(options, options.Now, most)
	}
	return spans, truncated, t.incomplete()
}

// collect returns the periods that are not over at from (zero: all), at most so
// many, the earliest, and whether there are more.
func (t *times) collect(options PeriodOptions, from time.Time, most int) (spans []Span, more bool) {
	add := func(m moment, l length, start time.Time) {
		span := Span{start, l.after(m, start, t.user)}
		over := !from.IsZero() && span.Start.Before(from) && !span.End.After(from)
		if !over && !start.Before(earliest) && !start.After(latest) && !t.excludes(m, start) {
			spans = append(spans, span)
		}
	}
	if t.rule == nil {
		add(t.start, t.length, t.start.instant(t.user))
	} else {
		t.expand(t.since(from), t.window(options.Until), func(m moment, start time.Time) bool {
			add(m, t.length, start)
			more = len(spans) > most
			return !more
		})
	}
	for _, o := range t.rdates {
		add(o.moment, o.length, o.instant(t.user))
	}
	slices.SortFunc(spans, func(a, b Span) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End))
	})
	spans = slices.CompactFunc(spans, func(a, b Span) bool { return a.Start.Equal(b.Start) && a.End.Equal(b.End) })
	more = more || len(spans) > most
	return spans[:min(most, len(spans))], more
}

// since returns a local time before which nothing begins that is recorded and
// lasts up to from, if that is not zero.
func (t *times) since(from time.Time) time.Time {
	begin := t.local(earliest).Add(-slack)
	if from.IsZero() {
		return begin
	}
	local := t.local(from).AddDate(0, 0, -max(0, t.length.days)).Add(-slack)
	if local = local.Add(-max(0, t.length.exact)); local.After(begin) {
		return local
	}
	return begin
}

// OccursAt tells whether an occurrence of the event starts at instant for a user
// in zone, be it within the window or not. It fails as Periods does; with an
// [IncompleteError] the answer is good for what could be read.
func (o *Object) OccursAt(instant time.Time, zone *time.Location) (bool, error) {
	t, err := o.times(zone)
	if err != nil {
		return false, err
	}
	_, found := t.at(instant)
	return found, t.incomplete()
}

// RecursForever tells whether the event has a rule with neither UNTIL nor COUNT.
func (o *Object) RecursForever() bool {
	prop, _ := o.first(ical.PropRecurrenceRule)
	rule, err := recurrence.Parse(prop.Value)
	return err == nil && rule.Forever()
}
