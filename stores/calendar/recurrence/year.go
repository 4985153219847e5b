package recurrence

import (
	"slices"
	"time"
)

// Days are numbered as in Unix time: day 0 is 1 January 1970.

func dayNumber(year int, month time.Month, day int) int64 {
	return floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), secondsPerDay)
}

func weekdayOf(day int64) time.Weekday {
	return time.Weekday(floorMod(day+int64(time.Thursday), 7))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// year is one year of a rule: which of its days match the rule's day parts.
//
// One set of days serves every frequency, because the parts either limit the
// days or expand to days, and both come to the same: the days of the interval
// that match all parts (RFC 5545 section 3.3.10, the table). Days that a month or
// a year does not have are not among them.
//
// DEVIATION: months-without-the-day
//
// DEVIATION: months-that-a-rule-leaves-out
type year struct {
	year   int
	first  int64  // number of 1 January
	starts []int  // index of each month's first day, and of the year after
	match  []bool // for each day of the year
	any    bool   // whether there is one

	weekOne [4]int64 // where week 1 begins, from the year before to two years after
}

// days are the day parts of a rule, with those filled in that DTSTART stands for.
type days struct {
	*Rule
	month    []int
	monthDay []int
	day      []weekday

	recent [2]*year // the years last asked for: a week can need two
}

// newDays fills in what the rule leaves to DTSTART: the day, and in a yearly rule
// the month, unless a part says something of days (RFC 5545 section 3.3.10).
func newDays(r *Rule, start time.Time) *days {
	d := &days{Rule: r, month: r.month, monthDay: r.monthDay, day: r.day}
	if r.weekNo == nil && r.yearDay == nil && r.monthDay == nil && r.day == nil {
		switch r.freq {
		case yearly:
			if r.month == nil {
				d.month = []int{int(start.Month())}
			}
			d.monthDay = []int{start.Day()}
		case monthly:
			d.monthDay = []int{start.Day()}
		case weekly:
			d.day = []weekday{{day: start.Weekday()}}
		}
	}
	return d
}

// in returns a year's days.
func (d *days) in(y int) *year {
	for _, known := range d.recent {
		if known != nil && known.year == y {
			return known
		}
	}
	d.recent[0], d.recent[1] = d.build(y), d.recent[0]
	return d.recent[0]
}

func (d *days) build(number int) *year {
	y := &year{year: number, first: dayNumber(number, time.January, 1)}
	for month := time.January; month <= time.December+1; month++ {
		y.starts = append(y.starts, int(dayNumber(number, month, 1)-y.first))
	}
	if d.weekNo != nil {
		for i := range y.weekOne {
			y.weekOne[i] = weekOne(number-1+i, d.wkst)
		}
	}
	length := y.starts[12]
	y.match = make([]bool, length)
	for month := 1; month <= 12; month++ {
		if d.month != nil && !slices.Contains(d.month, month) {
			continue
		}
		first, end := y.starts[month-1], y.starts[month]
		for i := first; i < end; i++ {
			y.match[i] = matches(d.monthDay, i-first, end-first) &&
				matches(d.yearDay, i, length) &&
				d.inWeekNo(y, i) &&
				d.onWeekday(y, i, first, end)
			y.any = y.any || y.match[i]
		}
	}
	return y
}

// matches tells whether the list, if there is one, has the index i of length
// days, counted from 1 up or from -1 down.
func matches(list []int, i, length int) bool {
	return list == nil || slices.Contains(list, i+1) || slices.Contains(list, i-length)
}

// onWeekday tells whether BYDAY has day i of the year, which is in the month from
// first to end.
func (d *days) onWeekday(y *year, i, first, end int) bool {
	if d.day == nil {
		return true
	}
	day := weekdayOf(y.first + int64(i))
	for _, w := range d.day {
		switch {
		case w.day != day:
		case w.nth == 0 || d.freq > monthly:
			return true
		default:
			if d.freq == yearly && d.Rule.month == nil {
				// In a yearly rule the nth of the year, with BYMONTH of the month.
				first, end = 0, len(y.match)
			}
			if (i-first)/7+1 == w.nth || -((end-1-i)/7+1) == w.nth {
				return true
			}
		}
	}
	return false
}

// inWeekNo tells whether BYWEEKNO has the week of day i of the year. The days
// around New Year can be in a week of the year before or after.
//
// DEVIATION: byweekno
func (d *days) inWeekNo(y *year, i int) bool {
	if d.weekNo == nil {
		return true
	}
	day := y.first + int64(i)
	of := 1 // index of the year whose week it is
	switch {
	case day < y.weekOne[1]:
		of = 0
	case day >= y.weekOne[2]:
		of = 2
	}
	nth := int(day-y.weekOne[of])/7 + 1
	weeks := int(y.weekOne[of+1]-y.weekOne[of]) / 7
	return slices.Contains(d.weekNo, nth) || slices.Contains(d.weekNo, nth-weeks-1)
}

// weekOne returns the first day of the year's week 1, which is the first with at
// least four days in the year: the one with 4 January.
func weekOne(year int, wkst time.Weekday) int64 {
	return weekStart(dayNumber(year, time.January, 4), wkst)
}

func weekStart(day int64, wkst time.Weekday) int64 {
	return day - floorMod(int64(weekdayOf(day)-wkst), 7)
}
