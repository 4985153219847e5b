package draw

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"imip-agent/handlers/agenda"
	"imip-agent/stores/calendar/printable"
)

// week is a week as it is drawn: seven columns of days with blocks by the hour, and above
// them bars for what takes whole days.
type week struct {
	Title string
	Hours hours
	Days  []day
	Bars  []bar
	Lanes int // rows of bars
	Spot  string
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
	Crowds  []crowd
	More    []view  // what there is no row of bars for
	MoreAt  string  // the class that puts it there
	Agenda  []view  // all there is on the day
	NowAt   string  // the class that puts the line of the present time there
	Now     float64 // where the line of the present time is, as a share of the column; negative: nowhere
}

// place is where something is in a column or row, as shares of it.
type place struct{ Top, Height, Left, Width float64 }

// block is an entry drawn in a day's column.
type block struct {
	view
	Place    place
	Length   place // of a brief one: where its time is in the block; the label stands beside it
	Brief    bool  // its time is shorter than a line of text
	Short    bool  // there is room for one line only
	Narrow   bool  // it shares the column with several others
	Lines    int   // that there is room for
	Spot     string
	SpotTime string // the classes that put the block, and its length, there
}

// crowd is what there is no column for, from one time to another.
type crowd struct {
	Place place
	Views []view
	Spot  string
}

// bar is an entry drawn across days.
type bar struct {
	view
	Column, Span  int // the first day, from 0, and the number of days
	Lane          int // from 0
	Before, After bool
	Spot          string
}

// view is what is written of an entry.
type view struct {
	Class, Mark string
	Kind        string
	Title       string
	At          string // when it begins, if that is on the day
	When, Where string
	Notes       string
	Guests      []guest
	Text        string // several lines
	Label       string // all of it on one line
}

// hours are the hours of the day that are drawn. Those outside of the usual ones that
// nothing happens in are folded, two and more that follow each other into one strip. All
// strips are of the same height.
type hours struct {
	First, Last int // Last is not drawn any more
	quiet       [24]bool
}

// strip is one hour, or several that are folded.
type strip struct {
	First, Last int // Last is not in it any more
	Folded      bool
	Room        float64 // of that of an hour
}

// foldedRoom is how much room folded hours take together.
const foldedRoom = 0.5

// Each yields the strips from the first hour to the last.
func (h hours) Each() iter.Seq[strip] {
	return func(yield func(strip) bool) {
		for hour := h.First; hour < h.Last; {
			next := hour
			for next < h.Last && h.quiet[next] {
				next++
			}
			s := strip{hour, next, true, foldedRoom}
			if next-hour < 2 {
				s = strip{hour, hour + 1, false, 1}
			}
			if !yield(s) {
				return
			}
			hour = s.Last
		}
	}
}

// Room returns how much room all hours take together.
func (h hours) Room() (room float64) {
	for s := range h.Each() {
		room += s.Room
	}
	return room
}

// share returns where a time of day is, from the first hour at 0 to the last at 1, and
// outside of that before and after.
func (h hours) share(t time.Duration) float64 {
	above := 0.0
	for s := range h.Each() {
		part := (float64(t)/float64(time.Hour) - float64(s.First)) / float64(s.Last-s.First)
		if s.First == h.First && part < 0 {
			return part
		}
		above += s.Room * min(max(part, 0), 1)
	}
	if t > time.Duration(h.Last)*time.Hour {
		return 2
	}
	return above / h.Room()
}

const (
	firstHour, lastHour = 8, 18 // are always drawn

	// A block takes at least the room of that much time, for a line of text.
	shortest = 15 * time.Minute
	// linesAnHour is how many lines of text there is room for in an hour. The style of the
	// page says the same.
	linesAnHour = 4
	// maxColumns is how many entries are drawn beside each other.
	maxColumns = 3
	// crowdShare is how much of a day's width says that there are more.
	crowdShare = 0.17
	// maxLanes is how many rows of bars are drawn.
	maxLanes = 4
)

// drawn says what is drawn by the hour: what is neither of whole days nor as long as a day.
func drawn(e agenda.Entry) bool { return !e.AllDay && e.End.Sub(e.Start) < 24*time.Hour }

// hours returns the hours that have entries in a week, and the usual ones.
func (c plan) hours(first time.Time) hours {
	h := hours{First: firstHour, Last: lastHour}
	for hour := range h.quiet {
		h.quiet[hour] = hour < firstHour || hour >= lastHour
	}
	for i := range 7 {
		d := first.AddDate(0, 0, i)
		for _, e := range c.On(d) {
			if !drawn(e) {
				continue
			}
			from, to := room(onDay(e, d))
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
func onDay(e agenda.Entry, day time.Time) (from, to time.Duration) {
	next := day.AddDate(0, 0, 1)
	if e.Start.After(day) {
		from = clock(e.Start)
	}
	to = 24 * time.Hour
	if e.End.Before(next) {
		to = clock(e.End)
	}
	if to < from || to == from && e.End.After(e.Start) { // clocks are set back in between
		to = min(from+e.End.Sub(e.Start), 24*time.Hour)
	}
	return from, to
}

// room returns the time whose room an entry takes: its own, but not less than a line needs.
func room(from, to time.Duration) (time.Duration, time.Duration) {
	from = min(from, 24*time.Hour-shortest)
	return from, max(to, from+shortest)
}

func clock(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}

// weeks returns the weeks that the days shown are in.
func (c plan) weeks() []week {
	var weeks []week
	for first := agenda.Week(c.From); first.Before(c.To); first = first.AddDate(0, 0, 7) {
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
func (c plan) column(date time.Time, h hours) day {
	d := day{
		Date: date, Name: date.Format("Mon"), Number: date.Day(), Long: date.Format("Monday 2 January 2006"), Now: -1,
		Today:   agenda.Midnight(c.Now).Equal(date),
		Weekend: date.Weekday() == time.Saturday || date.Weekday() == time.Sunday,
		Outside: date.Before(c.From) || !date.Before(c.To),
	}
	if now := h.share(clock(c.Now)); d.Today && 0 <= now && now <= 1 {
		d.Now = now
	}
	var timed []span
	for _, e := range c.On(date) {
		v := c.view(e, date)
		v.When = strings.Join(strings.Fields(when(e, date)), " ")
		d.Agenda = append(d.Agenda, v)
		if drawn(e) {
			s := span{entry: e}
			s.begins, s.ends = onDay(e, date)
			s.from, s.to = room(s.begins, s.ends)
			timed = append(timed, s)
		}
	}
	placed, crowded := arrange(timed)
	for _, s := range placed {
		top, height := h.share(s.from), h.share(s.to)-h.share(s.from)
		d.Blocks = append(d.Blocks, block{
			view:   c.view(s.entry, date),
			Place:  place{top, height, s.left, s.wide},
			Length: place{Top: (h.share(s.begins) - top) / height, Height: (h.share(s.ends) - h.share(s.begins)) / height},
			Brief:  s.ends-s.begins < shortest,
			Short:  s.to-s.from < 40*time.Minute,
			Narrow: s.wide < 0.45,
			Lines:  int((s.to-s.from).Hours()*linesAnHour - 0.2),
		})
	}
	for _, group := range crowded {
		m := crowd{Place: place{h.share(group[0].from), h.share(latest(group)) - h.share(group[0].from), 1 - crowdShare, crowdShare}}
		for _, s := range group {
			m.Views = append(m.Views, c.view(s.entry, date))
		}
		d.Crowds = append(d.Crowds, m)
	}
	return d
}

// span is an entry on a day, and where it is in the width of the day.
type span struct {
	from, to     time.Duration // whose room it takes
	begins, ends time.Duration
	entry        agenda.Entry
	column       int // among those it overlaps with; negative: there is none for it
	left, wide   float64
}

func (s span) overlaps(o span) bool { return o.from < s.to && s.from < o.to }

// latest returns when the last of the spans ends.
func latest(spans []span) (to time.Duration) {
	for _, s := range spans {
		to = max(to, s.to)
	}
	return to
}

// arrange puts what overlaps side by side, at most maxColumns. What there is no column for
// it returns apart, by groups that overlap, directly or by way of others.
func arrange(spans []span) (placed []span, crowded [][]span) {
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	for group := range groups(spans) {
		if !takeColumns(group) {
			// What binds the user comes first.
			slices.SortStableFunc(group, func(a, b span) int { return cmp.Compare(a.rank(), b.rank()) })
			takeColumns(group)
			slices.SortStableFunc(group, func(a, b span) int { return cmp.Compare(a.from, b.from) })
		}
		first := len(placed)
		var left []span
		for _, s := range group {
			if s.column < 0 {
				left = append(left, s)
			} else {
				placed = append(placed, s)
			}
		}
		n := len(crowded)
		crowded = slices.AppendSeq(crowded, groups(left))
		widen(placed[first:], crowded[n:])
	}
	return placed, crowded
}

// groups yields the parts of spans, which are in order, that do not overlap with others.
func groups(spans []span) iter.Seq[[]span] {
	return func(yield func([]span) bool) {
		for len(spans) > 0 {
			end, n := spans[0].to, 1
			for n < len(spans) && spans[n].from < end {
				end = max(end, spans[n].to)
				n++
			}
			if !yield(spans[:n:n]) {
				return
			}
			spans = spans[n:]
		}
	}
}

// rank is in what order entries get a column where there are too few.
func (s span) rank() int {
	switch s.entry.Kind {
	case agenda.Busy, agenda.Tentative, agenda.Organized, agenda.Waiting:
		return 0
	}
	return 1
}

// takeColumns gives each span the first column that is free, and reports whether there was
// one for all.
func takeColumns(group []span) (all bool) {
	var columns [maxColumns][]span
	all = true
	for i := range group {
		s := &group[i]
		s.column = slices.IndexFunc(columns[:], func(taken []span) bool { return !slices.ContainsFunc(taken, s.overlaps) })
		if s.column < 0 {
			all = false
			continue
		}
		columns[s.column] = append(columns[s.column], *s)
	}
	return all
}

// widen has spans with columns take the whole width together: each begins where those to
// its left end, and shares what is left with the longest row of those to its right.
func widen(group []span, crowded [][]span) {
	rows := make([]int, len(group)) // the longest row that begins with a span
	rights := make([]float64, len(group))
	for column := maxColumns - 1; column >= 0; column-- {
		for i, s := range group {
			if s.column != column {
				continue
			}
			rows[i], rights[i] = 1, 1
			for _, more := range crowded {
				if more[0].from < s.to && s.from < latest(more) {
					rights[i] = 1 - crowdShare
				}
			}
			for j, o := range group {
				if o.column > column && o.overlaps(s) {
					rows[i], rights[i] = max(rows[i], 1+rows[j]), min(rights[i], rights[j])
				}
			}
		}
	}
	for column := range maxColumns {
		for i := range group {
			s := &group[i]
			if s.column != column {
				continue
			}
			for _, o := range group {
				if o.column < column && o.overlaps(*s) {
					s.left = max(s.left, o.left+o.wide)
				}
			}
			s.wide = (rights[i] - s.left) / float64(rows[i])
		}
	}
}

// bars adds to a week what is drawn across its days.
func (c plan) bars(w *week) {
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
		if b.Lane < maxLanes {
			w.Bars = append(w.Bars, b)
			continue
		}
		for i := b.Column; i < b.Column+b.Span; i++ {
			w.Days[i].More = append(w.Days[i].More, c.view(e, w.Days[i].Date))
		}
	}
	w.Lanes = min(len(free), maxLanes+1)
}

// view returns what is written of an entry on a day.
func (c plan) view(e agenda.Entry, date time.Time) view {
	v := view{
		Class: e.Kind.String(), Mark: kinds[e.Kind].mark, Kind: kinds[e.Kind].title, Title: printable.Line(e.Summary),
		When: when(e, date), Where: printable.Line(e.Location),
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
	v.Guests, v.Text = guests(e.Attendees), lines(e.Description)
	parts := []string{v.Title, c.day(date) + " " + v.When, kinds[e.Kind].title}
	for _, part := range []string{v.Where, v.Notes} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	v.Label = strings.Join(parts, ", ")
	return v
}
