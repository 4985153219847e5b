package recurrence

import (
	"slices"
	"time"
)

// units are the intervals of a rule by the day or less: so many equal parts of a
// day, of which the time parts of the rule allow some.
//
// DEVIATION: hours-that-a-rule-leaves-out
type units struct {
	seconds  int64   // length of one
	perDay   int64   // 1, 24, 1440 or 86400
	origin   int64   // the unit that has DTSTART, counted from the beginning of day 0
	interval int64   // so many units apart
	allowed  []bool  // by position in the day; nil: all
	list     []int64 // positions allowed

	counts map[int64]int64 // what count has found
}

func newUnits(r *Rule, start int64) units {
	u := units{interval: r.interval, counts: map[int64]int64{}}
	u.seconds = map[frequency]int64{daily: secondsPerDay, hourly: 3600, minutely: 60, secondly: 1}[r.freq]
	u.perDay = secondsPerDay / u.seconds
	u.origin = floorDiv(start, u.seconds)

	byHour := r.freq >= hourly && r.hour != nil
	byMinute := r.freq >= minutely && r.minute != nil
	bySecond := r.freq >= secondly && r.second != nil
	if !byHour && !byMinute && !bySecond {
		return u
	}
	u.allowed = make([]bool, u.perDay)
	for position := range u.perDay {
		second := int(position * u.seconds)
		if (!byHour || slices.Contains(r.hour, second/3600)) &&
			(!byMinute || slices.Contains(r.minute, second/60%60)) &&
			(!bySecond || slices.Contains(r.second, second%60)) {
			u.allowed[position] = true
			u.list = append(u.list, position)
		}
	}
	return u
}

// never tells whether the interval misses all that is allowed: an interval that
// has a divisor in common with the day meets only some positions of it, which
// are the same every day.
func (u *units) never() bool {
	divisor := u.perDay
	for rest := u.interval; rest != 0; {
		divisor, rest = rest, divisor%rest
	}
	return u.allowed != nil && !slices.ContainsFunc(u.list, func(position int64) bool {
		return floorMod(position-u.origin, divisor) == 0
	})
}

// first returns the position, in a day, of the first unit that is a whole number
// of intervals after DTSTART's. It can be past the end of the day.
func (u *units) first(day int64) int64 { return floorMod(u.origin-day*u.perDay, u.interval) }

// each yields the positions, in a day whose first one is first, of the units
// that are whole intervals apart and allowed.
func (u *units) each(first int64, yield func(position int64) bool) {
	if u.allowed != nil && int64(len(u.list)) < (u.perDay-first)/u.interval {
		for _, position := range u.list {
			if position >= first && (position-first)%u.interval == 0 && !yield(position) {
				return
			}
		}
		return
	}
	for position := first; position < u.perDay; position += u.interval {
		if (u.allowed == nil || u.allowed[position]) && !yield(position) {
			return
		}
	}
}

// count returns how many units each yields, and how many steps finding out took.
func (u *units) count(first int64) (n int64, steps int) {
	switch {
	case first >= u.perDay:
		return 0, 0
	case u.allowed == nil:
		return (u.perDay-1-first)/u.interval + 1, 0
	}
	if n, ok := u.counts[first]; ok {
		return n, 0
	}
	u.each(first, func(int64) bool { n++; return true })
	u.counts[first] = n
	return n, int(min(int64(len(u.list)), (u.perDay-first)/u.interval)) + 1
}

// inDays goes through the days of a rule by the day or less.
func (e *expansion) inDays() {
	u := newUnits(e.rule, e.start)
	// In one unit the set is the same whatever the day, so BYSETPOS is applied
	// once and for all.
	if e.rule.setPos != nil {
		chosen := []int64{}
		for _, i := range positions(e.rule.setPos, int64(len(e.times))) {
			chosen = append(chosen, e.times[i])
		}
		e.times = chosen
	}
	if len(e.times) == 0 || u.never() {
		return
	}
	day := floorDiv(e.start, secondsPerDay)
	if e.rule.count == 0 {
		day = floorDiv(e.from, secondsPerDay)
	}
	for day <= e.lastDay && e.step(1) {
		first := u.first(day)
		if first >= u.perDay {
			day += first / u.perDay // to the day that has the next interval
			continue
		}
		y := e.days.in(time.Unix(day*secondsPerDay, 0).UTC().Year())
		if !y.any {
			day = y.first + int64(len(y.match))
			continue
		}
		if y.match[day-y.first] {
			e.emitDay(&u, day, first)
		}
		day++
	}
}

// emitDay emits the occurrences of a day, given the first interval in it.
func (e *expansion) emitDay(u *units, day, first int64) {
	n, steps := u.count(first)
	if !e.step(steps) || n == 0 {
		return
	}
	if e.date {
		// A rule by the hour, of dates: those days that it touches.
		e.emit(day * secondsPerDay)
		return
	}
	if e.skipDay(day, n*int64(len(e.times))) {
		return
	}
	u.each(first, func(position int64) bool {
		for _, t := range e.times {
			if e.emit(day*secondsPerDay + position*u.seconds + t); e.done {
				return false
			}
		}
		return e.step(1)
	})
}
