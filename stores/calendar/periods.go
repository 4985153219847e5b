package calendar

import (
	"cmp"
	"fmt"
	"iter"
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
	return "the event's times can be read only in part: " + strings.Join(e.Reasons, "; ")
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

	exrules []*recurrence.Rule

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
	// DEVIATION: exception-rules
	for _, prop := range o.component.Props[propExceptionRule] {
		rule, err := recurrence.Parse(prop.Value)
		if err != nil {
			t.leaveOut(fmt.Errorf("EXRULE: %w", err))
			continue
		}
		t.exrules = append(t.exrules, rule)
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
		m = t.means(m)
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
		start, length, err := t.readPeriod(value, params)
		if err == nil {
			t.rdates = append(t.rdates, occurrence{start, length})
		}
		return err
	}
	start, err := readMoment(value, params)
	if err != nil {
		return err
	}
	if start = t.means(start); start.date && !t.start.date {
		// A day is added to an event that has a time: at that time on it.
		start = t.start.at(start.local.Add(sinceMidnight(t.start.local)))
	}
	t.rdates = append(t.rdates, occurrence{start, t.length})
	return nil
}

// means returns what a date or time says that is written in another form than DTSTART is:
// where it is a time without a zone, it is in the event's; a time beside a DTSTART that
// is a date is the date that it is written with, if it is midnight, and else the date that
// it is in the user's zone (RFC 5545 section 3.3.4: a date has no zone). A date beside a
// DTSTART that is a time stays.
//
// DEVIATION: times-in-another-form
func (t *times) means(m moment) moment {
	switch {
	case !t.start.date && !m.date && m.zone == nil:
		m.zone = t.start.zone
	case !t.start.date:
	case m.date && m.zone == nil:
		m.zone = t.start.zone
	case m.date:
	case m.zone == nil || sinceMidnight(m.local) == 0:
		m = t.start.at(midnight(m.local))
	default:
		m = t.start.at(midnight(clockOf(m.instant(t.user), t.start.in(t.user))))
	}
	return m
}

// clockOf returns what the clock in a zone shows at an instant.
func clockOf(instant time.Time, zone *time.Location) time.Time {
	_, offset := instant.In(zone).Zone()
	return instant.UTC().Add(time.Duration(offset) * time.Second)
}

// midnight returns the beginning of the day of a local time.
func midnight(local time.Time) time.Time { return local.Truncate(24 * time.Hour) }

func sinceMidnight(local time.Time) time.Duration { return local.Sub(midnight(local)) }

// excludes tells whether EXDATE takes an occurrence away: any that starts then.
//
// DEVIATION: exceptions-and-periods
func (t *times) excludes(m moment, start time.Time) bool {
	return t.except.instants[start.Unix()] ||
		len(t.except.days) > 0 && t.except.days[midnight(m.local).Unix()]
}

// excludesAlone is excludes for an occurrence that is none of the rule's: what EXRULE
// yields is looked for, too.
func (t *times) excludesAlone(m moment, start time.Time) bool {
	if t.excludes(m, start) {
		return true
	}
	local := t.local(start)
	for _, rule := range t.exrules {
		found := false
		t.yields(rule, local, local, func(time.Time) bool { found = true; return false })
		if found {
			return true
		}
	}
	return false
}

// slack is more than a zone's clock can differ from UTC, or be changed.
const slack = 30 * time.Hour

// local returns what the clock at the event shows at an instant.
func (t *times) local(instant time.Time) time.Time {
	if instant.IsZero() {
		return instant
	}
	return clockOf(instant, t.start.in(t.user))
}

// expand calls yield with the occurrences of the rule whose local times are from
// from to until (zero: no limit), in order, until it returns false. What EXRULE
// yields is not among them.
func (t *times) expand(from, until time.Time, yield func(moment, time.Time) bool) {
	var excluded []func(local time.Time) bool
	for _, rule := range t.exrules {
		next, stop := iter.Pull(func(yield func(time.Time) bool) { t.yields(rule, from, until, yield) })
		defer stop()
		at, ok := next()
		excluded = append(excluded, func(local time.Time) bool {
			for ok && at.Before(local) {
				at, ok = next()
			}
			return ok && at.Equal(local)
		})
	}
	t.yields(t.rule, from, until, func(local time.Time) bool {
		for _, excludes := range excluded {
			if excludes(local) {
				return true
			}
		}
		m := t.start.at(local)
		return yield(m, m.instant(t.user))
	})
}

// yields calls yield with the local times that a rule of the event yields, from from to
// until, in order, until it returns false.
func (t *times) yields(rule *recurrence.Rule, from, until time.Time, yield func(time.Time) bool) {
	in := recurrence.Range{Start: t.start.local, Date: t.start.date, From: from, Until: until}
	limit, instant := t.until(rule)
	if !limit.IsZero() && (in.Until.IsZero() || limit.Before(in.Until)) {
		in.Until = limit
	}
	err := rule.Expand(in, func(local time.Time) bool {
		if !instant.IsZero() && t.start.at(local).instant(t.user).After(instant) {
			return true
		}
		return yield(local)
	})
	if err != nil {
		t.leaveOut(err)
	}
}

// until says what a rule's UNTIL means for the event, which RFC 5545 section
// 3.3.10 has in the form of DTSTART, and in UTC if that has a zone, but senders
// have in any: the last local time, inclusive, and where it is an instant, that.
// Either is zero if it sets no limit.
func (t *times) until(rule *recurrence.Rule) (local, instant time.Time) {
	switch until := rule.Until(); until.Form {
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
	t, err := o.times(options.Zone)
	if err != nil {
		return nil, false, err
	}
	spans, truncated = t.periods(options, time.Time{}, t.itself)
	return spans, truncated, t.incomplete()
}

// placed is when an occurrence of an event is, and whether it is at all.
type placed func(m moment, l length, start time.Time) (Span, bool)

// itself places an occurrence where its event has it.
func (t *times) itself(m moment, l length, start time.Time) (Span, bool) {
	return Span{start, l.after(m, start, t.user)}, true
}

// periods returns the periods of occurrences that start at the local time begin or later
// (zero: all), where place has them. If there are more than options.Max, truncated is
// true, and they are the earliest that are not over at options.Now.
func (t *times) periods(options PeriodOptions, begin time.Time, place placed) (spans []Span, truncated bool) {
	most := options.Max
	if most <= 0 {
		most = DefaultMaxPeriods
	}
	if spans, truncated = t.collect(options, begin, time.Time{}, most, place); truncated {
		if begin.IsZero() {
			begin = t.since(options.Now)
		}
		spans, _ = t.collect(options, begin, options.Now, most, place)
	}
	return spans, truncated
}

// collect returns the periods that are not over at from (zero: all), at most so
// many, the earliest, and whether there are more.
func (t *times) collect(options PeriodOptions, begin, from time.Time, most int, place placed) (spans []Span, more bool) {
	add := func(m moment, l length, start time.Time) {
		span, there := place(m, l, start)
		over := !from.IsZero() && span.Start.Before(from) && !span.End.After(from)
		if there && !over && !span.Start.Before(earliest) && !span.Start.After(latest) {
			spans = append(spans, span)
		}
	}
	alone := func(m moment, l length, start time.Time) {
		if !t.excludesAlone(m, start) {
			add(m, l, start)
		}
	}
	if begin.IsZero() {
		begin = t.since(begin)
	}
	if t.rule == nil {
		alone(t.start, t.length, t.start.instant(t.user))
	} else {
		t.expand(begin, t.window(options.Until), func(m moment, start time.Time) bool {
			if !t.excludes(m, start) {
				add(m, t.length, start)
			}
			more = len(spans) > most
			return !more
		})
	}
	for _, o := range t.rdates {
		alone(o.moment, o.length, o.instant(t.user))
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

// near calls yield with the occurrences that are less than about a day from an instant,
// and maybe others, until it returns false.
func (t *times) near(instant time.Time, yield func(occurrence, time.Time) bool) {
	goOn := true
	alone := func(o occurrence) {
		if start := o.instant(t.user); goOn && !t.excludesAlone(o.moment, start) {
			goOn = yield(o, start)
		}
	}
	for _, o := range t.rdates {
		alone(o)
	}
	if t.rule == nil {
		alone(occurrence{t.start, t.length})
	} else if goOn {
		local := t.local(instant)
		t.expand(local.Add(-slack), local.Add(slack), func(m moment, start time.Time) bool {
			return t.excludes(m, start) || yield(occurrence{m, t.length}, start)
		})
	}
}

// RecursForever tells whether the event has a rule with neither UNTIL nor COUNT.
func (o *Object) RecursForever() bool {
	prop, _ := o.first(ical.PropRecurrenceRule)
	rule, err := recurrence.Parse(prop.Value)
	return err == nil && rule.Forever()
}
