package draw

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"imip-agent/handlers/agenda"
	"imip-agent/stores/calendar/printable"
)

//go:embed page.html
var pageSource string

//go:embed style.css
var styleSource string

var page = template.Must(template.New("page").Parse(pageSource))

// sheet is the part of a page's style that says what is where on it: each class once.
// Without it there would be style attributes, which a page's policy cannot tell from those
// of a message.
type sheet struct {
	names map[string]string
	text  strings.Builder
}

// class returns the name of the class with such declarations.
func (s *sheet) class(format string, args ...any) string {
	declarations := fmt.Sprintf(format, args...)
	if s.names[declarations] == "" {
		s.names[declarations] = fmt.Sprintf("p%d", len(s.names))
		fmt.Fprintf(&s.text, ".%s{%s}\n", s.names[declarations], declarations)
	}
	return s.names[declarations]
}

// at returns the class of what is at a place.
func (s *sheet) at(p place) string {
	return s.class("top:%.3f%%;height:%.3f%%;left:%.3f%%;width:%.3f%%", 100*p.Top, 100*p.Height, 100*p.Left, 100*p.Width)
}

// lay gives everything in a week its class.
func (s *sheet) lay(w *week) {
	var rows strings.Builder
	for strip := range w.Hours.Each() {
		fmt.Fprintf(&rows, " calc(var(--hour)*%.2f)", strip.Room)
	}
	w.Spot = s.class("--hours:%.2f;--lanes:%d;--rows:%s", w.Hours.Room(), max(1, w.Lanes), rows.String())
	for i := range w.Bars {
		b := &w.Bars[i]
		b.Spot = s.class("grid-column:%d/span %d;grid-row:%d", b.Column+1, b.Span, b.Lane+1)
	}
	for i := range w.Days {
		d := &w.Days[i]
		d.MoreAt = s.class("grid-column:%d;grid-row:%d", i+1, maxLanes+1)
		d.NowAt = s.class("top:%.3f%%", 100*d.Now)
		for j := range d.Blocks {
			b := &d.Blocks[j]
			b.Spot = s.at(b.Place) + " " + s.class("--lines:%d", max(1, b.Lines))
			b.SpotTime = s.class("top:%.3f%%;height:%.3f%%", 100*b.Length.Top, 100*b.Length.Height)
		}
		for j := range d.Crowds {
			d.Crowds[j].Spot = s.at(d.Crowds[j].Place)
		}
	}
}

// pageData is what the page is made of.
type pageData struct {
	Style           template.CSS
	Policy          string // what the page may use (Content Security Policy)
	Title           string
	User, Zone, Now string
	Range           string
	Weeks           []week
	Legend          []legendItem
	Requests, Rest  []requestItem // the first ones, and the others
	Problems        []string
	Empty           bool // it is said that nothing awaits an answer
}

// fewRequests is how many requests are listed before the others are folded.
const fewRequests = 5

// legendItem explains a kind.
type legendItem struct{ Class, Mark, Title string }

// requestItem is a request as it is listed.
type requestItem struct {
	Class, Kind, Mark, When, Title, Notes string
	Proposals                             []string
}

// data returns what pages and pictures are made of.
func (c plan) data() pageData {
	d := pageData{
		Title: "Calendar of " + printable.Line(agenda.Name(c.User)),
		User:  printable.Line(agenda.Name(c.User)), Zone: c.Zone.String(),
		Now: c.Now.Format("Monday 2 January 2006, 15:04"), Range: between(c.From, c.To.AddDate(0, 0, -1)),
		Weeks: c.weeks(),
	}
	var used [len(kinds)]bool
	for _, e := range c.Entries {
		used[e.Kind] = true
	}
	for _, r := range c.Requests {
		item := c.request(r)
		used[kindOf(r)] = true
		if len(d.Requests) < fewRequests {
			d.Requests = append(d.Requests, item)
		} else {
			d.Rest = append(d.Rest, item)
		}
	}
	for i, k := range kinds {
		if used[i] {
			d.Legend = append(d.Legend, legendItem{agenda.Kind(i).String(), k.mark, k.title})
		}
	}
	d.Problems = c.problems()
	return d
}

// problems says what cannot be shown.
func (c plan) problems() (all []string) {
	for _, p := range c.Problems {
		all = append(all, printable.Line(p.UID+" "+p.RecurrenceID+": "+p.Err.Error()))
	}
	return all
}

// kindOf returns what a request is listed as.
func kindOf(r agenda.Request) agenda.Kind {
	if r.Counter {
		return agenda.Proposed
	}
	return agenda.Waiting
}

func (c plan) request(r agenda.Request) requestItem {
	kind := kindOf(r)
	item := requestItem{Class: kind.String(), Kind: kinds[kind].title, Mark: kinds[kind].mark}
	if r.Unknown {
		item.Title = printable.Line(r.UID + " " + r.RecurrenceID)
		item.Notes = "the event is not stored"
		return item
	}
	r.Kind = kind
	v := c.view(r.Entry, agenda.Midnight(r.Start))
	item.When, item.Title, item.Notes = c.dayAndTime(r.Entry), v.Title, v.Notes
	return item
}

// HTML writes a calendar as a page by weeks, with all that belongs to it.
func HTML(w io.Writer, calendar *agenda.Calendar) error {
	return writePage(w, plan{calendar}.data())
}

func writePage(w io.Writer, d pageData) error {
	s := sheet{names: make(map[string]string)}
	for i := range d.Weeks {
		s.lay(&d.Weeks[i])
	}
	d.Style = template.CSS(styleSource + s.text.String())
	d.Policy = fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'", digest(string(d.Style)))
	return page.Execute(w, d)
}

// digest returns what a policy knows a style by (CSP 3 section 2.3.1).
func digest(style string) string {
	sum := sha256.Sum256([]byte(style))
	return base64.StdEncoding.EncodeToString(sum[:])
}
