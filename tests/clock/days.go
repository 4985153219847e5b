package clock

import "time"

// A Moment is a time, and why programs may go wrong then.
type Moment struct {
	At  time.Time
	Why string
}

// Midnight returns the midnight, in UTC, that is at most some minutes after the moment, if it is one as midnight passes.
func (m Moment) Midnight() (time.Time, bool) {
	next := m.At.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	return next, next.Sub(m.At) < 5*time.Minute
}

// Days returns so many moments after a time, each on another day. The first 12 are those in which
// programs go wrong.
func Days(now time.Time, number int) []Moment {
	years := func(n int) time.Time { return now.AddDate(n, 0, 0) }
	all := []Moment{
		{next(now, 0, 30, func(t time.Time) bool { return lastSunday(t, time.March) }), "summer time begins in Europe"},
		{next(now, 0, 30, func(t time.Time) bool { return lastSunday(t, time.October) }), "it ends there"},
		{next(now, 6, 45, func(t time.Time) bool { return sunday(t, time.March, 8) }), "summer time begins in America"},
		{next(now, 5, 30, func(t time.Time) bool { return sunday(t, time.November, 1) }), "it ends there"},
		{next(now, 23, 58, func(t time.Time) bool { return t.Month() == time.February && t.Day() == 28 }), "28 February, as midnight passes"},
		{next(now, 12, 0, func(t time.Time) bool { return t.Month() == time.February && t.Day() == 29 }), "29 February"},
		{next(now, 23, 58, func(t time.Time) bool { return t.AddDate(0, 0, 1).YearDay() == 1 }), "31 December, as the year ends"},
		{next(now, 0, 0, func(t time.Time) bool { return t.YearDay() == 1 }), "1 January"},
		{next(now, 20, 15, func(t time.Time) bool { return t.Day() == 30 && t.AddDate(0, 0, 1).Day() == 1 }), "the last of a month of 30 days"},
		{next(now, 9, 0, func(t time.Time) bool { return t.Weekday() == time.Monday && 7 < t.Day() && t.Day() < 22 }), "a Monday"},
		{years(2), "in two years"},
		{years(10), "in ten years"},
	}
	// Others are spread over the years, the weekdays and the hours.
	for n := len(all); n < number; n++ {
		all = append(all, Moment{now.Add(time.Duration(n) * (73*24 + 7) * time.Hour), "one of many"})
	}
	return all[:number]
}

// next returns the next day that a function takes, at a time of that day.
func next(now time.Time, hour, minute int, is func(time.Time) bool) time.Time {
	for t := time.Date(now.Year(), now.Month(), now.Day(), hour, minute, 0, 0, time.UTC); ; t = t.AddDate(0, 0, 1) {
		if t.After(now) && is(t) {
			return t
		}
	}
}

// lastSunday reports whether a day is the last Sunday of a month of 31 days.
func lastSunday(t time.Time, month time.Month) bool { return sunday(t, month, 25) }

// sunday reports whether a day is the first Sunday of a month from a day of it on.
func sunday(t time.Time, month time.Month, from int) bool {
	return t.Month() == month && t.Weekday() == time.Sunday && from <= t.Day() && t.Day() < from+7
}
