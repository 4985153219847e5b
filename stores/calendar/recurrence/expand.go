package recurrence

import (
	"errors"
	"math"
	"slices"
	"time"
)

const (
	secondsPerDay = 86400
	lastYear      = 9999 // RFC 5545 section 3.3.4: years have four digits
	maxSteps      = 20_000_000
)

// ErrTooLong says that a rule has so few occurrences in so many intervals that
// they were not looked for to the end.
var ErrTooLong = errors.New("recurrence: the rule takes too long to expand")

// Range says which of a rule's occurrences are wanted.
type Range struct {
	Start time.Time // DTSTART, local time
	Date  bool      // DTSTART is a date
	From  time.Time // the earliest occurrence wanted; zero: from Start on
	Until time.Time // the latest occurrence wanted, inclusive; zero: up to the year 9999
}

// Expand calls yield with each occurrence within the range, in order and without
// duplicates, until yield returns false. DTSTART is one only if the rule yields
// it. COUNT counts from Start, whatever From is. UNTIL is left to the caller,
// who knows its zone: see Range.Until. The error, if any, is [ErrTooLong].
//
// For a date, BYHOUR, BYMINUTE and BYSECOND are ignored (RFC 5545 section
// 3.3.10), and each day comes once, even by the hour.
func (r *Rule) Expand(in Range, yield func(time.Time) bool) error {
	e := newExpansion(r, in, yield)
	switch r.freq {
	case yearly:
		e.years()
	case monthly:
		e.months()
	case weekly:
		e.weeks()
	default:
		e.inDays()
	}
	return e.err
}

// expansion is the state of one Expand. Times are in seconds, as in Unix time.
type expansion struct {
	rule               *Rule
	date               bool
	days               *days
	start, from, until int64
	lastDay            int64
	yield              func(time.Time) bool

	times []int64 // of day, or within a unit of the day; sorted

	left  int64 // what is left of COUNT
	steps int
	done  bool
	err   error
}

func newExpansion(r *Rule, in Range, yield func(time.Time) bool) *expansion {
	start := in.Start.UTC().Truncate(time.Second)
	if in.Date {
		dated := *r
		dated.hour, dated.minute, dated.second = nil, nil, nil
		r = &dated
		start = start.Truncate(24 * time.Hour)
	}
	e := &expansion{
		rule:  r,
		date:  in.Date,
		days:  newDays(r, start),
		start: start.Unix(),
		from:  start.Unix(),
		until: time.Date(lastYear, time.December, 31, 23, 59, 59, 0, time.UTC).Unix(),
		yield: yield,
		left:  r.count,
	}
	if !in.From.IsZero() {
		e.from = max(e.from, in.From.Add(time.Second-1).Unix())
	}
	if !in.Until.IsZero() {
		e.until = min(e.until, in.Until.Unix())
	}
	e.lastDay = floorDiv(e.until, secondsPerDay)
	if r.count == 0 {
		e.left = math.MaxInt64
	}

	hour, minute, second := start.Clock()
	for _, h := range expanded(r.hour, r.freq < hourly, hour) {
		for _, m := range expanded(r.minute, r.freq < minutely, minute) {
			// DEVIATION: seconds-in-rules
			for _, s := range expanded(r.second, r.freq < secondly, second) {
				e.times = append(e.times, int64(h)*3600+int64(m)*60+int64(s))
			}
		}
	}
	return e
}

// expanded is the list of values that a time part expands to: its own, or
// DTSTART's. A part that limits the units of the day adds nothing within one.
func expanded(list []int, expands bool, start int) []int {
	switch {
	case !expands:
		return []int{0}
	case list == nil:
		return []int{start}
	}
	return list
}

// years, months and weeks go through the intervals of such rules. Without COUNT,
// they begin with the interval that has the beginning of the range.

func (e *expansion) years() {
	first := time.Unix(e.start, 0).UTC().Year()
	for y := e.skipTo(int64(first), int64(time.Unix(e.from, 0).UTC().Year())); y <= lastYear; y += e.rule.interval {
		year := e.days.in(int(y))
		if year.first > e.lastDay || !e.step(len(year.match)) {
			return
		}
		e.emitDays(year, 0, 12)
	}
}

func (e *expansion) months() {
	index := func(t int64) int64 {
		year, month, _ := time.Unix(t, 0).UTC().Date()
		return int64(year)*12 + int64(month-time.January)
	}
	for m := e.skipTo(index(e.start), index(e.from)); m < (lastYear+1)*12; m += e.rule.interval {
		year, month := e.days.in(int(floorDiv(m, 12))), int(floorMod(m, 12))
		if year.first+int64(year.starts[month]) > e.lastDay || !e.step(31) {
			return
		}
		e.emitDays(year, month, month+1)
	}
}

// emitDays emits the set of an interval that is these months of a year.
func (e *expansion) emitDays(y *year, firstMonth, endMonth int) {
	if !y.any {
		return
	}
	var set []int64
	for i := y.starts[firstMonth]; i < y.starts[endMonth]; i++ {
		if y.match[i] {
			set = append(set, y.first+int64(i))
		}
	}
	e.emitSet(set)
}

func (e *expansion) weeks() {
	// DEVIATION: week-start
	// Weeks are numbered from the one that has day 0.
	origin := weekStart(0, e.rule.wkst)
	week := func(t int64) int64 { return floorDiv(floorDiv(t, secondsPerDay)-origin, 7) }
	for w := e.skipTo(week(e.start), week(e.from)); w*7+origin <= e.lastDay; w += e.rule.interval {
		if !e.step(7) {
			return
		}
		var set []int64
		for day := w*7 + origin; day < w*7+origin+7; day++ {
			if y := e.days.in(time.Unix(day*secondsPerDay, 0).UTC().Year()); y.match[day-y.first] {
				set = append(set, day)
			}
		}
		e.emitSet(set)
	}
}

// skipTo returns where to begin, of the intervals from first on, in order to miss
// nothing from the interval wanted on. With COUNT, all have to be visited.
func (e *expansion) skipTo(first, wanted int64) int64 {
	if e.rule.count != 0 || wanted <= first {
		return first
	}
	return wanted - (wanted-first)%e.rule.interval
}

// emitSet emits one interval's set: these days at all times of day, or what
// BYSETPOS chooses of that.
func (e *expansion) emitSet(set []int64) {
	times := int64(len(e.times))
	if e.rule.setPos != nil {
		for _, i := range positions(e.rule.setPos, int64(len(set))*times) {
			e.emit(set[i/times]*secondsPerDay + e.times[i%times])
		}
		return
	}
	for _, day := range set {
		if e.skipDay(day, times) {
			continue
		}
		for _, t := range e.times {
			if e.emit(day*secondsPerDay + t); e.done {
				return
			}
		}
	}
}

// skipDay counts the n occurrences of a day at once, if that is all that has to
// be done with them, since they come after DTSTART and before the range.
func (e *expansion) skipDay(day, n int64) bool {
	if day*secondsPerDay < e.start || (day+1)*secondsPerDay > e.from {
		return false
	}
	if e.rule.count != 0 {
		e.left = max(0, e.left-n)
		e.done = e.done || e.left == 0
	}
	return true
}

// positions returns the indices that BYSETPOS chooses of a set of n, sorted.
//
// DEVIATION: bysetpos
func positions(setPos []int, n int64) []int64 {
	var chosen []int64
	for _, pos := range setPos {
		i := int64(pos) - 1
		if pos < 0 {
			i = n + int64(pos)
		}
		if 0 <= i && i < n {
			chosen = append(chosen, i)
		}
	}
	slices.Sort(chosen)
	return slices.Compact(chosen)
}

// step counts n steps of work, and tells whether to go on.
func (e *expansion) step(n int) bool {
	e.steps += n
	if e.steps > maxSteps && !e.done {
		e.done, e.err = true, ErrTooLong
	}
	return !e.done
}

// emit counts an occurrence and passes it on if it is wanted.
func (e *expansion) emit(t int64) {
	switch {
	case e.done || t < e.start:
		return
	case t > e.until || e.left == 0:
		e.done = true
		return
	}
	e.left--
	if !e.step(1) {
		return
	}
	if t >= e.from && !e.yield(time.Unix(t, 0).UTC()) || e.left == 0 {
		e.done = true
	}
}
