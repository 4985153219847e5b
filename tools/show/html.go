package show

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageSource string

//go:embed style.css
var styleSource string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"placed":  placed,
	"percent": percent,
	"spanned": spanned,
	"hours":   func(h hours) template.CSS { return template.CSS(fmt.Sprintf("--hours:%.2f", h.Room())) },
	"rows":    rows,
	"column":  func(day int) int { return day + 2 },
}).Parse(pageSource))

// placed is the style of a block.
func placed(b block) template.CSS {
	p := b.Place
	return template.CSS(fmt.Sprintf("top:%s;height:%s;left:%s;width:%s;--lines:%d",
		percent(p.Top), percent(p.Height), percent(p.Left), percent(p.Width), max(1, b.Lines)))
}

// percent writes a share for a style.
func percent(share float64) template.CSS {
	return template.CSS(fmt.Sprintf("%.3f%%", 100*share))
}

// spanned is the style of a bar.
func spanned(b bar) template.CSS {
	return template.CSS(fmt.Sprintf("grid-column:%d/span %d;grid-row:%d", b.Column+1, b.Span, b.Lane+1))
}

// rows is the style of something with a row for each hour.
func rows(h hours) template.CSS {
	var style strings.Builder
	style.WriteString("grid-template-rows:")
	for _, room := range h.Each() {
		fmt.Fprintf(&style, " calc(var(--hour)*%.2f)", room)
	}
	return template.CSS(style.String())
}

// pageData is what the page is made of.
type pageData struct {
	Style           template.CSS
	User, Zone, Now string
	Range           string
	Weeks           []week
	Legend          []legendItem
	Requests        []requestItem
	Problems        []string
}

// legendItem explains a kind.
type legendItem struct{ Class, Mark, Title string }

// requestItem is a request as it is listed.
type requestItem struct{ Class, Mark, When, Title, Notes string }

// data returns what pages and pictures are made of.
func (c *Calendar) data() pageData {
	d := pageData{
		Style: template.CSS(styleSource), User: printable(name(c.User)), Zone: c.Zone.String(),
		Now: c.Now.Format("Monday 2 January 2006, 15:04"), Range: between(c.From, c.To.AddDate(0, 0, -1)),
		Weeks: c.weeks(),
	}
	for _, k := range kinds {
		d.Legend = append(d.Legend, legendItem{k.name, k.mark, k.title})
	}
	for _, r := range c.Requests {
		d.Requests = append(d.Requests, c.request(r))
	}
	for _, p := range c.Problems {
		d.Problems = append(d.Problems, printable(p.UID+" "+p.RecurrenceID+": "+p.Err.Error()))
	}
	return d
}

func (c *Calendar) request(r Request) requestItem {
	kind := Waiting
	if r.Counter {
		kind = Proposed
	}
	item := requestItem{Class: kind.String(), Mark: kinds[kind].mark}
	if r.Unknown {
		item.Title = printable(r.UID + " " + r.RecurrenceID)
		item.Notes = "the event is not stored"
		return item
	}
	r.Kind = kind
	v := c.view(r.Entry, midnight(r.Start))
	item.When, item.Title, item.Notes = c.dayAndTime(r.Entry), v.Title, v.Notes
	return item
}

// HTML writes the calendar as a page by weeks, with all that belongs to it.
func (c *Calendar) HTML(w io.Writer) error {
	return page.Execute(w, c.data())
}
