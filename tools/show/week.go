package show

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// week is a week as it is drawn: seven columns of days with blocks by the hour, and above
// them bars for what takes whole days.
type week struct {
	Title string
	Hours hours
	Days  []day
	Bars  []bar
	Lanes int // rows of bars
}

// day is a column of a week.
type day struct {
	Date    time.Time
	Name    string // "Mon"
	Number  int
	Long    string // "Monday 30 November 2026"
	Today   bool
	Weekend bool
	Outside bool // not among the days shown
	Blocks  []block
	Now     float64 // where the line of the present time is, as a share of the column; negative: nowhere
}

// place is where something is in a column or row, as shares of it.
type place struct{ Top, Height, Left, Width float64 }

// block is an entry drawn in a day's column.
type block struct {
	view
	Place  place
	Short  bool // there is room for one line only
	Narrow bool // it shares the column with several others
	Lines  int  // that there is room for
}

// bar is an entry drawn across days.
type bar struct {
	view
	Column, Span  int // the first day, from 0, and the number of days
	Lane          int // from 0
	Before, After bool
}

// view is what is written of an entry.
type view struct {
	Class, Mark string
	Title       string
	At          string // when it begins, if that is on the day
	When, Where string
	Notes       string
	Label       string // all of it, for who cannot see the picture
}

// hours are the hours of the day that are drawn. Those of the night that nothing happens in
// take less room.
type hours struct {
	First, Last int // Last is not drawn any more
	quiet       [24]bool
}

// quietHour is how much room a quiet hour takes, of that of another.
const quietHour = 0.3

// Each yields the hours and the room that each takes.
func (h hours) Each() iter.Seq2[int, float64] {
	return func(yield func(int, float64) bool) {
		for hour := h.First; hour < h.Last; hour++ {
			room := 1.0
			if h.quiet[hour] {
				room = quietHour
			}
			if !yield(hour, room) {
				return
			}
		}
	}
}

// Room returns how much room all hours take together.
func (h hours) Room() (room float64) {
	for _, r := range h.Each() {
		room += r
	}
	return room
}

// share returns where a time of day is, from the first hour at 0 to the last at 1, and
// outside of that before and after.
func (h hours) share(t time.Duration) float64 {
	above := 0.0
	for hour, room := range h.Each() {
		part := float64(t)/float64(time.Hour) - float64(hour)
		if hour == h.First && part < 0 {
			return part
		}
		above += room * min(max(part, 0), 1)
	}
	if t > time.Duration(h.Last)*time.Hour {
		return 2
	}
	return above / h.Room()
}

const (
	firstHour, lastHour = 8, 18 // are always drawn

	// A block takes at least that much time, for a line of text.
	shortest = 30 * time.Minute
	// linesAnHour is how many lines of text there is room for in an hour. The style of the
	// page says the same.
	linesAnHour = 3.5
)

// drawn says what is drawn by the hour: what is neither of whole days nor as long as a day.
func drawn(e Entry) bool { return !e.AllDay && e.End.Sub(e.Start) < 24*time.Hour }

// hours returns the hours that have entries in a week, and the usual ones.
func (c *Calendar) hours(first time.Time) hours {
	h := hours{First: firstHour, Last: lastHour}
	for hour := range h.quiet {
		h.quiet[hour] = hour < firstHour || hour >= lastHour
	}
	for i := range 7 {
		d := first.AddDate(0, 0, i)
		for _, e := range c.on(d) {
			if !drawn(e) {
				continue
			}
			from, to := onDay(e, d)
			begins, ends := int(from/time.Hour), int((to+time.Hour-1)/time.Hour)
			h.First, h.Last = min(h.First, begins), max(h.Last, ends)
			for hour := begins; hour < ends; hour++ {
				h.quiet[hour] = false
			}
		}
	}
	return h
}

// onDay returns from when to when an entry is on a day, by the clock on the wall, which
// not every day has 24 hours on.
func onDay(e Entry, day time.Time) (from, to time.Duration) {
	next := day.AddDate(0, 0, 1)
	if e.Start.After(day) {
		from = clock(e.Start)
	}
	to = 24 * time.Hour
	if e.End.Before(next) {
		to = clock(e.End)
	}
	// It may seem to end before it begins, when clocks are set back.
	to = min(max(to, from+shortest), 24*time.Hour)
	return min(from, to-shortest), to
}

func clock(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}

// weeks returns the weeks that the days shown are in.
func (c *Calendar) weeks() []week {
	var weeks []week
	for first := Week(c.From); first.Before(c.To); first = first.AddDate(0, 0, 7) {
		last := first.AddDate(0, 0, 6)
		_, number := first.ISOWeek()
		h := c.hours(first)
		w := week{Title: fmt.Sprintf("Week %d, %s", number, between(first, last)), Hours: h}
		for i := range 7 {
			w.Days = append(w.Days, c.column(first.AddDate(0, 0, i), h))
		}
		c.bars(&w)
		weeks = append(weeks, w)
	}
	return weeks
}

// between names a range of days: "30 November to 6 December 2026".
func between(first, last time.Time) string {
	form := "2 January"
	switch {
	case first.Equal(last):
		return last.Format("2 January 2006")
	case first.Year() != last.Year():
		form = "2 January 2006"
	case first.Month() == last.Month():
		form = "2"
	}
	return first.Format(form) + " to " + last.Format("2 January 2006")
}

// column returns a day's column.
func (c *Calendar) column(date time.Time, h hours) day {
	d := day{
		Date: date, Name: date.Format("Mon"), Number: date.Day(), Long: date.Format("Monday 2 January 2006"), Now: -1,
		Today:   midnight(c.Now).Equal(date),
		Weekend: date.Weekday() == time.Saturday || date.Weekday() == time.Sunday,
		Outside: date.Before(c.From) || !date.Before(c.To),
	}
	if now := h.share(clock(c.Now)); d.Today && 0 <= now && now <= 1 {
		d.Now = now
	}
	var timed []span
	for _, e := range c.on(date) {
		if drawn(e) {
			from, to := onDay(e, date)
			timed = append(timed, span{from: from, to: to, entry: e})
		}
	}
	arrange(timed)
	for _, s := range timed {
		d.Blocks = append(d.Blocks, block{
			view: c.view(s.entry, date),
			Place: place{
				Top: h.share(s.from), Height: h.share(s.to) - h.share(s.from),
				Left: float64(s.column) / float64(s.columns), Width: float64(s.wide) / float64(s.columns),
			},
			Short:  s.to-s.from < 50*time.Minute,
			Narrow: 5*s.wide < 2*s.columns,
			Lines:  int((s.to-s.from).Hours()*linesAnHour - 0.2),
		})
	}
	return d
}

// span is an entry on a day, and its columns among those it overlaps with.
type span struct {
	from, to              time.Duration
	entry                 Entry
	column, columns, wide int
}

// arrange puts what overlaps side by side. Each group of spans that overlap, directly or
// by way of others, has as many columns as it needs; a span takes the first that is free,
// and then those to its right that nothing is beside it in.
func arrange(spans []span) {
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	for len(spans) > 0 {
		end, n := spans[0].to, 1
		for n < len(spans) && spans[n].from < end {
			end = max(end, spans[n].to)
			n++
		}
		arrangeGroup(spans[:n])
		spans = spans[n:]
	}
}

func arrangeGroup(group []span) {
	var until []time.Duration // when each column is free again
	for i := range group {
		column := slices.IndexFunc(until, func(t time.Duration) bool { return t <= group[i].from })
		if column < 0 {
			column = len(until)
			until = append(until, 0)
		}
		group[i].column = column
		until[column] = group[i].to
	}
	for i := range group {
		s := &group[i]
		s.columns = len(until)
		right := s.columns
		for _, other := range group {
			if other.column > s.column && other.from < s.to && s.from < other.to {
				right = min(right, other.column)
			}
		}
		s.wide = right - s.column
	}
}

// bars adds to a week what is drawn across its days.
func (c *Calendar) bars(w *week) {
	first, after := w.Days[0].Date, w.Days[6].Date.AddDate(0, 0, 1)
	var free []int // the first free column of each lane
	for _, e := range c.Entries {
		if drawn(e) || !e.Start.Before(after) || !e.End.After(first) {
			continue
		}
		b := bar{Before: e.Start.Before(first), After: e.End.After(after)}
		for i, d := range w.Days {
			next := d.Date.AddDate(0, 0, 1)
			if d.Outside || !e.Start.Before(next) || !e.End.After(d.Date) {
				continue
			}
			if b.Span == 0 {
				b.Column = i
			}
			b.Span = i - b.Column + 1
		}
		if b.Span == 0 {
			continue
		}
		b.view = c.view(e, w.Days[b.Column].Date)
		b.Lane = slices.IndexFunc(free, func(column int) bool { return column <= b.Column })
		if b.Lane < 0 {
			b.Lane = len(free)
			free = append(free, 0)
		}
		free[b.Lane] = b.Column + b.Span
		w.Bars = append(w.Bars, b)
	}
	w.Lanes = len(free)
}

// view returns what is written of an entry on a day.
func (c *Calendar) view(e Entry, date time.Time) view {
	v := view{
		Class: e.Kind.String(), Mark: kinds[e.Kind].mark, Title: printable(e.Summary),
		When: when(e, date), Where: printable(e.Location),
	}
	if v.At = v.When; !e.AllDay && !e.Start.Before(date) {
		v.At = e.Start.Format("15:04")
	}
	if v.Title == "" {
		v.Title = "(no title)"
	}
	if !drawn(e) && !e.AllDay {
		v.When = e.Start.Format("15:04") + " to " + c.day(e.End) + e.End.Format(" 15:04")
	}
	notes := c.notes(e, date)
	if v.Where != "" {
		notes = notes[1:]
	}
	v.Notes = strings.Join(notes, "; ")
	parts := []string{v.Title, c.day(date) + " " + v.When, kinds[e.Kind].title}
	for _, part := range []string{v.Where, v.Notes} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	v.Label = strings.Join(parts, ", ")
	return v
}
