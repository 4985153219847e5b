package draw

import (
	"encoding/json"
	"io"
	"time"

	"imip-agent/handlers/agenda"
	"imip-agent/stores/calendar/printable"
)

// RequestsText writes what awaits the user's answer, in the calendar's order: what it is, when it takes place, who asks
// and since when, and the times that others propose.
func RequestsText(w io.Writer, calendar *agenda.Calendar, style Style) error {
	c, a := plan{calendar}, listing{style: style}
	a.line("1", "Waiting for an answer of %s, oldest first (%s)", printable.Line(agenda.Name(c.User)), c.Zone)
	a.line("", "")
	for _, r := range c.Requests {
		a.request(c, r, c.waiting(r))
		for _, text := range c.proposals(r) {
			a.line(colours[agenda.Proposed], "      %s", text)
		}
	}
	if len(c.Requests) == 0 {
		a.line("2", "  nothing")
	}
	a.problems(c)
	_, err := w.Write(a.text.Bytes())
	return err
}

// waiting is what there is to be said of a request beside what an entry has.
func (c plan) waiting(r agenda.Request) (notes []string) {
	switch {
	case r.RecurrenceID != "":
		notes = append(notes, "one occurrence")
	case r.Recurs:
		notes = append(notes, "recurs")
	}
	if !r.End.IsZero() && r.End.Before(c.Now) {
		notes = append(notes, "over")
	}
	if !r.Since.IsZero() {
		notes = append(notes, "since "+c.moment(r.Since))
	}
	return notes
}

// moment says when something was.
func (c plan) moment(t time.Time) string { return c.day(t) + t.Format(" 15:04") }

// proposals says who proposes which times.
func (c plan) proposals(r agenda.Request) (all []string) {
	for _, p := range r.Proposals {
		text := printable.Line(p.Name) + " proposes " + c.time(p)
		if !p.Since.IsZero() {
			text += ", since " + c.moment(p.Since)
		}
		all = append(all, text)
	}
	return all
}

// time says which time is proposed.
func (c plan) time(p agenda.Proposal) string {
	e := agenda.Entry{Start: p.Start, End: p.End, AllDay: p.AllDay}
	last := p.End.AddDate(0, 0, -1)
	switch {
	case p.Start.IsZero():
		return "a time that cannot be read"
	case p.AllDay && last.After(p.Start):
		return c.day(p.Start) + " to " + c.day(last)
	case !p.AllDay && p.End.After(agenda.Midnight(p.Start).AddDate(0, 0, 1)):
		return c.moment(p.Start) + " to " + c.moment(p.End)
	}
	return c.dayAndTime(e)
}

// RequestsHTML writes the same as a page, with all that belongs to it.
func RequestsHTML(w io.Writer, calendar *agenda.Calendar) error {
	c := plan{calendar}
	name := printable.Line(agenda.Name(c.User))
	d := pageData{
		Title: "Waiting for an answer of " + name, User: name, Zone: c.Zone.String(),
		Now: c.Now.Format("Monday 2 January 2006, 15:04"), Range: "Oldest first", Empty: len(c.Requests) == 0,
		Problems: c.problems(),
	}
	for _, r := range c.Requests {
		item := c.request(r)
		for _, note := range c.waiting(r) {
			if item.Notes != "" {
				item.Notes += "; "
			}
			item.Notes += note
		}
		item.Proposals = c.proposals(r)
		d.Requests = append(d.Requests, item)
	}
	return writePage(w, d)
}

// request is a request as JSON has it. Times are as RFC 3339 has them, days as 2026-12-31, the last day included.
type request struct {
	UID        string     `json:"uid"`
	Recurrence string     `json:"recurrence,omitempty"` // the recurrence id, for an occurrence
	Type       string     `json:"type"`                 // "invitation" or "counter"
	Stored     bool       `json:"stored"`               // without the event, there is nothing to say of it
	Since      string     `json:"since,omitempty"`
	Summary    string     `json:"summary,omitempty"`
	Location   string     `json:"location,omitempty"`
	Organizer  string     `json:"organizer,omitempty"` // a URI, if that is not the user
	Start      string     `json:"start,omitempty"`
	End        string     `json:"end,omitempty"`
	Recurs     bool       `json:"recurs,omitempty"`
	Proposals  []proposal `json:"proposals,omitempty"`
}

// proposal is what somebody proposes, as JSON has it.
type proposal struct {
	By    string `json:"by"` // a URI
	Name  string `json:"name"`
	Since string `json:"since,omitempty"`
	Start string `json:"start,omitempty"`
	End   string `json:"end,omitempty"`
}

// RequestsJSON writes the same as JSON, a request on each line.
func RequestsJSON(w io.Writer, calendar *agenda.Calendar) error {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	for _, r := range calendar.Requests {
		out := request{
			UID: r.UID, Recurrence: r.RecurrenceID, Type: "invitation", Stored: !r.Unknown, Since: stamp(r.Since),
			Summary: r.Summary, Location: r.Location, Organizer: string(r.Organizer), Recurs: r.Recurs,
		}
		if r.Counter {
			out.Type = "counter"
		}
		out.Start, out.End = fromTo(r.Start, r.End, r.AllDay)
		for _, p := range r.Proposals {
			shown := proposal{By: string(p.By), Name: p.Name, Since: stamp(p.Since)}
			shown.Start, shown.End = fromTo(p.Start, p.End, p.AllDay)
			out.Proposals = append(out.Proposals, shown)
		}
		if err := lines.Encode(out); err != nil {
			return err
		}
	}
	return nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

func fromTo(start, end time.Time, days bool) (from, to string) {
	if days && !start.IsZero() {
		return start.Format(time.DateOnly), end.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	return stamp(start), stamp(end)
}
