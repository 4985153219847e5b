// Package recurrence reads recurrence rules (RFC 5545 section 3.3.10) and works
// out their occurrences.
//
// Times are local: a time.Time's fields in UTC are what a clock at the event
// shows, and mean no instant. Placing them in a zone is the caller's business,
// and so is what UNTIL means there.
//
// Rules come from mail, so no rule may take long or much memory. An expansion
// skips what lies before the caller's window by arithmetic, even where COUNT
// makes the past matter, and looks at days, not at seconds, for what matches.
// That is why this package does its own expansion instead of using rrule-go:
// that one visits every interval since DTSTART in turn, cannot be stopped while
// it finds nothing, never returns for an hourly rule whose INTERVAL misses its
// BYHOUR, and counts BYSETPOS in the first week from DTSTART on instead of from
// the beginning of the week.
package recurrence

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Rule is a recurrence rule that has been read and found valid. It may be used
// by several goroutines at once.
type Rule struct {
	freq     frequency
	interval int64 // at least 1
	count    int64 // 0: no COUNT
	until    Until
	wkst     time.Weekday

	// The values of each BYxxx part are sorted and without duplicates. nil means
	// that the rule has no such part; empty, that its values never come.
	second, minute, hour []int
	day                  []weekday
	monthDay, yearDay    []int
	weekNo, month        []int
	setPos               []int
}

type frequency int

const (
	yearly frequency = iota
	monthly
	weekly
	daily
	hourly
	minutely
	secondly
)

var frequencies = map[string]frequency{
	"YEARLY": yearly, "MONTHLY": monthly, "WEEKLY": weekly, "DAILY": daily,
	"HOURLY": hourly, "MINUTELY": minutely, "SECONDLY": secondly,
}

// weekday is a day of the week, or with an nth the nth one of a month or a year,
// counted from its end if nth is negative.
type weekday struct {
	nth int
	day time.Weekday
}

var weekdays = map[string]time.Weekday{
	"SU": time.Sunday, "MO": time.Monday, "TU": time.Tuesday, "WE": time.Wednesday,
	"TH": time.Thursday, "FR": time.Friday, "SA": time.Saturday,
}

// Form says how an UNTIL is written.
type Form int

const (
	None  Form = iota // there is no UNTIL
	Date              // 20261224
	Local             // 20261224T090000
	UTC               // 20261224T090000Z
)

// Until is a rule's UNTIL: its fields as written, in UTC.
type Until struct {
	Time time.Time
	Form Form
}

// Until returns the rule's UNTIL. Expansions do not apply it by themselves.
func (r *Rule) Until() Until { return r.until }

// Forever tells whether the rule has neither UNTIL nor COUNT.
func (r *Rule) Forever() bool { return r.count == 0 && r.until.Form == None }

const (
	// An INTERVAL of so many seconds reaches past the year 9999 from anywhere,
	// and a COUNT cannot be used up: larger numbers need not be told apart.
	largest = 1_000_000_000_000

	maxLength = 100000 // octets of a rule; one that names every second of a day is shorter
)

// Parse reads the value of an RRULE property. It takes any case, white space,
// empty parts, and parts that are there twice with one value. Parts that RFC
// 5545 does not know are ignored, but for some known ones that change what the
// others mean. Numbers before weekdays that only mean something in monthly and
// yearly rules are ignored in others. COUNT and UNTIL may both be there, which
// RFC 5545 forbids; then both limit the rule.
func Parse(text string) (*Rule, error) {
	r := &Rule{interval: 1, wkst: time.Monday}
	if err := r.parse(text); err != nil {
		return nil, fmt.Errorf("cannot read recurrence rule %q: %w", abridged(text), err)
	}
	return r, nil
}

func (r *Rule) parse(text string) error {
	if len(text) > maxLength {
		return fmt.Errorf("it has too many octets: %d", len(text))
	}
	parts, err := split(text)
	if err != nil {
		return err
	}
	seen := map[string]string{}
	for _, p := range parts {
		if before, twice := seen[p.name]; twice {
			if before == p.value {
				continue
			}
			// RFC 5545 section 3.3.10: a part must not be there more than once.
			return fmt.Errorf("%s is both %s and %s", p.name, before, p.value)
		}
		seen[p.name] = p.value
		if err := r.set(p.name, p.value); err != nil {
			return err
		}
	}
	if _, ok := seen["FREQ"]; !ok {
		return errors.New("it has no FREQ")
	}
	return nil
}

type part struct{ name, value string }

// split takes a rule apart, in upper case and without white space. A part without
// a name belongs to the one before: the original writes BYDAY=MO,TU as
// BYDAY=MO;TU.
func split(text string) ([]part, error) {
	text = strings.Join(strings.Fields(strings.ToUpper(text)), "")
	var parts []part
	for item := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(item, "=")
		switch {
		case item == "": // "FREQ=DAILY;" comes from Google
		case ok:
			parts = append(parts, part{name, value})
		case len(parts) == 0:
			return nil, fmt.Errorf("%q has no value", item)
		default:
			parts[len(parts)-1].value += "," + item
		}
	}
	return parts, nil
}

func abridged(text string) string {
	if len(text) > 200 {
		return text[:200] + "…"
	}
	return text
}

// bounds are the values that a part takes (RFC 5545 section 3.3.10). signed: the
// same below zero, counted from the end.
var bounds = map[string]struct {
	low, high int
	signed    bool
}{
	"BYSECOND":   {0, 60, false},
	"BYMINUTE":   {0, 59, false},
	"BYHOUR":     {0, 23, false},
	"BYDAY":      {1, 53, true},
	"BYMONTHDAY": {1, 31, true},
	"BYYEARDAY":  {1, 366, true},
	"BYWEEKNO":   {1, 53, true},
	"BYMONTH":    {1, 12, false},
	"BYSETPOS":   {1, 366, true},
}

func (r *Rule) set(name, value string) (err error) {
	switch name {
	case "FREQ":
		freq, ok := frequencies[value]
		if !ok {
			return fmt.Errorf("FREQ=%s is not a frequency", value)
		}
		r.freq = freq
	case "INTERVAL":
		r.interval, err = positive(name, value)
	case "COUNT":
		r.count, err = positive(name, value)
	case "UNTIL":
		r.until, err = parseUntil(value)
	case "WKST":
		day, ok := weekdays[value]
		if !ok {
			return fmt.Errorf("WKST=%s is not a day of the week", value)
		}
		r.wkst = day
	case "BYSECOND":
		// There is a second 60 only when one is inserted, which no clock of a
		// calendar shows (RFC 5545 section 3.3.10 allows it in rules).
		r.second, err = numbers(name, value)
		r.second = slices.DeleteFunc(r.second, func(n int) bool { return n == 60 })
	case "BYMINUTE":
		r.minute, err = numbers(name, value)
	case "BYHOUR":
		r.hour, err = numbers(name, value)
	case "BYDAY":
		r.day, err = parseWeekdays(value)
	case "BYMONTHDAY":
		r.monthDay, err = numbers(name, value)
	case "BYYEARDAY":
		r.yearDay, err = numbers(name, value)
	case "BYWEEKNO":
		r.weekNo, err = numbers(name, value)
	case "BYMONTH":
		r.month, err = numbers(name, value)
	case "BYSETPOS":
		r.setPos, err = numbers(name, value)
	case "RSCALE":
		// RFC 7529 section 4.1: a rule in an unknown calendar is not to be used.
		if value != "GREGORIAN" {
			return fmt.Errorf("RSCALE=%s is not supported", value)
		}
	case "SKIP":
		if value != "OMIT" {
			return fmt.Errorf("SKIP=%s is not supported", value)
		}
	case "BYEASTER": // dateutil's: to ignore it would give wrong days
		return errors.New("BYEASTER is not supported")
	}
	return err
}

func positive(name, value string) (int64, error) {
	if strings.Trim(value, "0123456789") != "" || strings.Trim(value, "0") == "" {
		return 0, fmt.Errorf("%s=%s is not a number from 1 up", name, value)
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n > largest {
		n = largest
	}
	return n, nil
}

// numbers reads a list of numbers within the bounds of its part.
//
// DEVIATION: lists-in-rules
func numbers(name, value string) ([]int, error) {
	list := []int{}
	for item := range strings.SplitSeq(value, ",") {
		n, err := number(name, strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

func number(name, text string) (int, error) {
	bound := bounds[name]
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s has %q, which is not a number", name, text)
	case bound.low <= n && n <= bound.high, bound.signed && -bound.high <= n && n <= -bound.low:
		return n, nil
	}
	return 0, fmt.Errorf("%s has %d, which is out of range", name, n)
}

func parseWeekdays(value string) ([]weekday, error) {
	var list []weekday
	for item := range strings.SplitSeq(value, ",") {
		item = strings.TrimSpace(item)
		split := max(0, len(item)-2)
		day, ok := weekdays[item[split:]]
		if !ok {
			return nil, fmt.Errorf("BYDAY has %q, which is not a day of the week", item)
		}
		w := weekday{day: day}
		if nth := strings.TrimSpace(item[:split]); nth != "" {
			var err error
			if w.nth, err = number("BYDAY", nth); err != nil {
				return nil, err
			}
		}
		if !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list, nil
}

func parseUntil(value string) (Until, error) {
	for form, layout := range map[Form]string{Date: "20060102", Local: "20060102T150405", UTC: "20060102T150405Z"} {
		if t, err := time.Parse(layout, value); err == nil {
			return Until{Time: t, Form: form}, nil
		}
	}
	return Until{}, fmt.Errorf("UNTIL=%s is not a date or date-time", value)
}
