package draw

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	"imip-agent/handlers/agenda"
	"imip-agent/stores/calendar/printable"
)

// Style says how an agenda looks.
type Style struct {
	Width  int  // columns of the terminal; 0: as many as it takes
	Colour bool // ANSI colours (ISO 6429)
}

// colours of kinds: bold, yellow, magenta, green, bright yellow, cyan, cyan, dim.
var colours = [...]string{
	agenda.Busy: "1", agenda.Tentative: "33", agenda.Organized: "35", agenda.Transparent: "32", agenda.Waiting: "93", agenda.Proposed: "36", agenda.Offered: "36", agenda.Cancelled: "2;9",
}

// Text writes a calendar as an agenda: the days that have entries, and what awaits an
// answer.
func Text(w io.Writer, calendar *agenda.Calendar, style Style) error {
	c, a := plan{calendar}, listing{style: style}
	days := c.From.Format("Mon 2 Jan 2006")
	if last := c.To.AddDate(0, 0, -1); last.After(c.From) {
		days += " to " + last.Format("Mon 2 Jan 2006")
	}
	a.line("1", "Calendar of %s, %s (%s)", printable.Line(agenda.Name(c.User)), days, c.Zone)
	empty := true
	for day := c.From; day.Before(c.To); day = day.AddDate(0, 0, 1) {
		entries := c.On(day)
		today := agenda.Midnight(c.Now).Equal(day)
		if len(entries) == 0 && !today {
			continue
		}
		empty = empty && len(entries) == 0
		title := c.day(day)
		if today {
			title += ", today"
		}
		a.line("", "")
		a.line("1;4", "%s", title)
		for _, e := range entries {
			a.entry(when(e, day), e, c.notes(e, day))
		}
		if len(entries) == 0 {
			a.line("2", "  nothing")
		}
	}
	if empty {
		a.line("", "")
		a.line("2", "There is nothing on these days.")
	}
	a.requests(c)
	_, err := w.Write(a.text.Bytes())
	return err
}

// day returns a day's name, with the year if that is not the one in which the days shown
// begin.
func (c plan) day(day time.Time) string {
	if day.Year() != c.From.Year() {
		return day.Format("Mon 2 Jan 2006")
	}
	return day.Format("Mon 2 Jan")
}

// when says at what time of a day an entry is.
func when(e agenda.Entry, day time.Time) string {
	next := day.AddDate(0, 0, 1)
	before, after := e.Start.Before(day), e.End.After(next)
	switch {
	case e.AllDay, before && !e.End.Before(next), !e.Start.After(day) && after:
		return "all day"
	case before:
		return "until " + e.End.Format("15:04")
	case after:
		return "from  " + e.Start.Format("15:04")
	case !e.End.After(e.Start):
		return e.Start.Format("15:04")
	case e.End.Equal(next):
		return e.Start.Format("15:04") + "–24:00"
	}
	return e.Start.Format("15:04") + "–" + e.End.Format("15:04")
}

// notes is what there is to be said of an entry on a day beside its summary.
func (c plan) notes(e agenda.Entry, day time.Time) (notes []string) {
	if e.Location != "" {
		notes = append(notes, printable.Line(e.Location))
	}
	if e.People != "" {
		by := "from "
		if e.Kind == agenda.Proposed {
			by = "by "
		}
		notes = append(notes, by+printable.Line(e.People))
	}
	switch {
	case !e.Moved.IsZero() && e.AllDay:
		notes = append(notes, "moved from "+c.day(e.Moved))
	case !e.Moved.IsZero():
		notes = append(notes, "moved from "+c.day(e.Moved)+e.Moved.Format(" 15:04"))
	case e.Changed:
		notes = append(notes, "changed")
	}
	if e.Answer != "" {
		notes = append(notes, e.Answer)
	}
	if n, of := dayOf(e, day); of > 1 {
		notes = append(notes, fmt.Sprintf("day %d of %d", n, of))
	}
	if e.Clash {
		notes = append(notes, "overlaps")
	}
	return notes
}

// dayOf tells the how manieth of an entry's days a day is.
func dayOf(e agenda.Entry, day time.Time) (n, of int) {
	for d := agenda.Midnight(e.Start); d.Equal(agenda.Midnight(e.Start)) || d.Before(e.End); d = d.AddDate(0, 0, 1) {
		of++
		if !d.After(day) {
			n = of
		}
	}
	return n, of
}

// listing is an agenda as it is written.
type listing struct {
	style Style
	text  bytes.Buffer
}

// line adds a line, cut off at the terminal's width, in a colour if there is one.
func (a *listing) line(colour, format string, args ...any) {
	text := cut(fmt.Sprintf(format, args...), a.style.Width)
	if colour != "" && a.style.Colour {
		text = "\x1b[" + colour + "m" + text + "\x1b[0m"
	}
	a.text.WriteString(text)
	a.text.WriteByte('\n')
}

const (
	timeWidth = 12
	kindWidth = 11
)

// entry adds the line of an entry.
func (a *listing) entry(when string, e agenda.Entry, notes []string) {
	summary := printable.Line(e.Summary)
	if summary == "" {
		summary = "(no title)"
	}
	if len(notes) > 0 {
		summary += "  (" + strings.Join(notes, "; ") + ")"
	}
	a.line(colours[e.Kind], "  %s %s %s %s", pad(when, timeWidth), kinds[e.Kind].mark, pad(e.Kind.String(), kindWidth), summary)
}

// requests adds what awaits an answer, and what cannot be shown.
func (a *listing) requests(c plan) {
	if len(c.Requests) > 0 {
		a.line("", "")
		a.line("1;4", "Waiting for an answer")
		for _, r := range c.Requests {
			a.request(c, r, nil)
		}
	}
	a.problems(c)
}

// request adds the line of what awaits an answer, with more notes.
func (a *listing) request(c plan, r agenda.Request, more []string) {
	if r.Unknown {
		text := printable.Line(strings.TrimSpace(r.UID+" "+r.RecurrenceID)) + ": the event is not stored"
		if len(more) > 0 {
			text += "  (" + strings.Join(more, "; ") + ")"
		}
		a.line("", "  %s", text)
		return
	}
	r.Kind = kindOf(r)
	a.entry(c.dayAndTime(r.Entry), r.Entry, append(c.notes(r.Entry, agenda.Midnight(r.Start)), more...))
}

// problems adds what cannot be shown.
func (a *listing) problems(c plan) {
	if len(c.Problems) == 0 {
		return
	}
	a.line("", "")
	a.line("1;4", "Cannot be shown")
	for _, p := range c.Problems {
		a.line("", "  %s: %s", printable.Line(strings.TrimSpace(p.UID+" "+p.RecurrenceID)), printable.Line(p.Err.Error()))
	}
}

// dayAndTime says when an entry is, wherever that is.
func (c plan) dayAndTime(e agenda.Entry) string {
	if e.Start.IsZero() {
		return "no known time"
	}
	return c.day(e.Start) + " " + when(e, agenda.Midnight(e.Start))
}

// pad fills text up to a width in columns.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-uniseg.StringWidth(text)))
}

// cut cuts text off that is wider than so many columns; 0: never.
func cut(text string, width int) string {
	if width <= 0 || uniseg.StringWidth(text) <= width {
		return text
	}
	var b strings.Builder
	left := width - 1
	for g := uniseg.NewGraphemes(text); g.Next(); {
		if left -= g.Width(); left < 0 {
			break
		}
		b.WriteString(g.Str())
	}
	return b.String() + "…"
}
