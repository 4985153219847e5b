package summary

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"imip-agent/stores/calendar"
)

// times are when an event is, for a reader: the first occurrence of one that recurs.
type times struct {
	start, end time.Time
	allDay     bool
	moment     bool // it takes no time, or nobody knows how long it takes
}

// withTimes returns the object that says when the event is: the message's, or the stored one.
// It may be nil.
func withTimes(n News) *calendar.Object {
	for _, o := range []*calendar.Object{n.Object, n.Stored} {
		if o != nil && o.HasStart() {
			return o
		}
	}
	return nil
}

// timesOf returns when an event is, of one that recurs its first occurrence.
func timesOf(o *calendar.Object, zone *time.Location) (times, bool) {
	once := o.Clone()
	once.Remove("RRULE", "RDATE", "EXDATE", "EXRULE")
	spans, _, _ := once.Periods(calendar.PeriodOptions{Zone: zone, Max: 1}) // what is good of it
	if len(spans) == 0 {
		return times{}, false
	}
	t := times{start: spans[0].Start.In(zone), end: spans[0].End.In(zone), allDay: o.AllDay()}
	if t.allDay && o.Clock() != nil { // a date in a zone is that zone's
		t.start, t.end = t.start.In(o.Clock()), t.end.In(o.Clock())
	}
	t.moment = !t.end.After(t.start)
	return t, true
}

// single reports whether the news is about one occurrence of an event.
func (n News) single() bool { return n.Object != nil && n.Object.Has("RECURRENCE-ID") }

// later reports whether the news is about all later occurrences as well (RFC 5545 section 3.2.13). What is added is one.
func (n News) later() bool { return n.single() && n.Kind != Addition && n.Object.Future() }

// when says when the event is, "" if nobody knows. A message about an occurrence may say only
// which it is.
func (w *writer) when(n News) string {
	o := withTimes(n)
	if n.single() && o != n.Object && !(o != nil && o.Has("RECURRENCE-ID")) {
		return w.recurrence(n.Object)
	}
	if o == nil {
		return ""
	}
	t, ok := timesOf(o, w.Zone)
	if !ok {
		return ""
	}
	return w.span(t)
}

// recurrence says when an occurrence was to be, by its recurrence id.
func (w *writer) recurrence(o *calendar.Object) string {
	instant, err := o.RecurrenceInstant(w.Zone)
	if err != nil {
		return ""
	}
	value := o.Value("RECURRENCE-ID")
	return w.span(times{start: instant.In(w.Zone), end: instant.In(w.Zone), allDay: len(value) == len("20060102"), moment: true})
}

// insteadOf says when an occurrence was to be that has been moved, or "".
func (w *writer) insteadOf(n News) string {
	if n.Kind != Invitation && n.Kind != Update && n.Kind != Proposal && n.Kind != Details || n.Object == nil || !n.Object.HasStart() {
		return ""
	}
	was, err := n.Object.RecurrenceInstant(w.Zone)
	if err != nil {
		return ""
	}
	if is, err := n.Object.Start(w.Zone); err != nil || is.Equal(was) {
		return ""
	}
	return w.recurrence(n.Object)
}

// span says when something is.
func (w *writer) span(t times) string {
	if t.allDay {
		last := t.end.AddDate(0, 0, -1)
		if t.moment || !last.After(t.start) {
			return w.tr("{date}, all day", "date", w.date(t.start))
		}
		return w.tr("{first} to {last}, all day", "first", w.date(t.start), "last", w.date(last))
	}
	return w.tr("{when} ({zone})", "zone", w.Zone.String(), "when", w.timed(t))
}

// timed says when something is by the clock.
func (w *writer) timed(t times) string {
	if t.moment {
		return w.moment(t.start)
	}
	next := time.Date(t.start.Year(), t.start.Month(), t.start.Day()+1, 0, 0, 0, 0, t.start.Location())
	if !t.end.After(next) {
		return w.tr("{date}, {start}–{end}", "date", w.date(t.start), "start", w.clock(t.start), "end", w.clock(t.end))
	}
	return w.tr("{start} to {end}", "start", w.moment(t.start), "end", w.moment(t.end))
}

// between says what time something is about; either end may be open.
func (w *writer) between(from, until time.Time) string {
	zoned := func(when string) string { return w.tr("{when} ({zone})", "zone", w.Zone.String(), "when", when) }
	switch {
	case !from.IsZero() && !until.IsZero():
		return w.span(times{start: from.In(w.Zone), end: until.In(w.Zone), moment: !until.After(from)})
	case !from.IsZero():
		return zoned(w.tr("from {start}", "start", w.moment(from.In(w.Zone))))
	case !until.IsZero():
		return zoned(w.tr("until {end}", "end", w.moment(until.In(w.Zone))))
	}
	return ""
}

func (w *writer) moment(t time.Time) string {
	return w.tr("{date}, {time}", "date", w.date(t), "time", w.clock(t))
}

func (w *writer) clock(t time.Time) string {
	return w.tr("{hour}:{minute}", "hour", t.Format("15"), "minute", t.Format("04"))
}

// date returns a date with its weekday.
func (w *writer) date(t time.Time) string {
	return w.tr("{weekday} {day} {month} {year}", "weekday", w.weekday(t.Weekday()), "day", strconv.Itoa(t.Day()), "month", w.month(t.Month()), "year", strconv.Itoa(t.Year()))
}

func (w *writer) weekday(d time.Weekday) string {
	return [...]string{w.tr("Sunday"), w.tr("Monday"), w.tr("Tuesday"), w.tr("Wednesday"), w.tr("Thursday"), w.tr("Friday"), w.tr("Saturday")}[d]
}

func (w *writer) month(m time.Month) string {
	return [...]string{w.tr("January"), w.tr("February"), w.tr("March"), w.tr("April"), w.tr("May"), w.tr("June"),
		w.tr("July"), w.tr("August"), w.tr("September"), w.tr("October"), w.tr("November"), w.tr("December")}[m-1]
}

// repeats says how an event recurs, "" if it does not, or if only one occurrence is the matter.
// What is said of the rule is true, and not always all of it.
func (w *writer) repeats(n News) string {
	o := withTimes(n)
	if o == nil || n.single() || !o.Recurs() {
		return ""
	}
	rule := parts(o.Value("RRULE"))
	switch only := rule["COUNT"] == "1"; {
	case only && !o.Has("RDATE"): // one part of a series that was split
		return ""
	case only, rule["FREQ"] == "":
		return w.tr("on several days")
	}
	every, ok := w.every(rule["FREQ"], rule["INTERVAL"])
	if !ok {
		return w.tr("by a more complicated rule")
	}
	simple := true
	for part := range rule {
		simple = simple && slices.Contains([]string{"FREQ", "INTERVAL", "BYDAY", "COUNT", "UNTIL", "WKST"}, part)
	}
	if days := rule["BYDAY"]; days != "" && simple && rule["FREQ"] == "WEEKLY" {
		if list := w.weekdays(days); list != "" {
			every = w.tr("{rule} on {days}", "rule", every, "days", list)
		}
	} else if days != "" || !simple {
		return w.tr("by a more complicated rule")
	}
	if n, err := strconv.Atoi(rule["COUNT"]); err == nil && n > 1 {
		return w.tr("{rule}, {n} times", "rule", every, "n", strconv.Itoa(n))
	}
	if until := rule["UNTIL"]; until != "" {
		if at, err := calendar.InstantOf(until, w.Zone); err == nil {
			return w.tr("{rule}, until {date}", "rule", every, "date", w.date(at.In(w.Zone)))
		}
	}
	return every
}

// parts takes a rule apart (RFC 5545 section 3.3.10).
func parts(rule string) map[string]string {
	all := map[string]string{}
	for part := range strings.SplitSeq(strings.ToUpper(rule), ";") {
		if name, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok {
			all[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return all
}

// every says how often something is.
func (w *writer) every(frequency, interval string) (string, bool) {
	n, err := strconv.Atoi(interval)
	if interval == "" {
		n, err = 1, nil
	}
	if err != nil || n < 1 {
		return "", false
	}
	once := n == 1
	pick := func(one, several string) (string, bool) {
		if once {
			return one, true
		}
		return several, true
	}
	number := strconv.Itoa(n)
	switch frequency {
	case "DAILY":
		return pick(w.tr("every day"), w.tr("every {n} days", "n", number))
	case "WEEKLY":
		return pick(w.tr("every week"), w.tr("every {n} weeks", "n", number))
	case "MONTHLY":
		return pick(w.tr("every month"), w.tr("every {n} months", "n", number))
	case "YEARLY":
		return pick(w.tr("every year"), w.tr("every {n} years", "n", number))
	}
	return "", false
}

// weekdays returns a list of weekdays, in order from Monday, "" if it is none.
func (w *writer) weekdays(value string) string {
	const days = "MO TU WE TH FR SA SU"
	var numbers []int
	for day := range strings.SplitSeq(value, ",") {
		at := strings.Index(days, strings.TrimSpace(day))
		if at < 0 || len(strings.TrimSpace(day)) != 2 || at%3 != 0 {
			return ""
		}
		numbers = append(numbers, at/3)
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	list := w.weekday(time.Weekday((numbers[0] + 1) % 7))
	for i, number := range numbers[1:] {
		name := w.weekday(time.Weekday((number + 1) % 7))
		if i == len(numbers)-2 {
			list = w.tr("{list} and {last}", "list", list, "last", name)
		} else {
			list = w.tr("{list}, {next}", "list", list, "next", name)
		}
	}
	return list
}
