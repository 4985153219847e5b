package draw

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/rivo/uniseg"

	"imip-agent/handlers/agenda"
)

//go:embed picture.svg
var pictureSource string

//go:embed picture.css
var pictureStyle string

var picture = template.Must(template.New("picture").Parse(pictureSource))

// Measures of the picture, in pixels.
const (
	pictureWidth = 1280.0
	margin       = 20.0
	gutter       = 52.0 // for the hours
	columnWidth  = (pictureWidth - 2*margin - gutter) / 7
	headHeight   = 40.0
	laneHeight   = 24.0
	hourHeight   = 64.0
	lineHeight   = 15.0
	glyph        = 6.9 // the width of a letter, amply
	boldGlyph    = 7.9 // of a bold one
	listWidth    = 175 // letters across the picture
)

// pictureData is what the picture is made of.
type pictureData struct {
	Style         template.CSS
	Title, Range  string
	Now           string
	Width, Height float64
	Legend        []drawing
	Waiting       textLine
	Requests      []drawing
	Weeks         []weekDrawing
}

// drawing is a box with lines of text in it.
type drawing struct {
	Class, Label        string
	X, Y, Width, Height float64
	Clip                string
	Lines               []textLine
	Mark                string
	Brief               bool // the box is what it lasts; the text stands beside it
}

// textLine is a line of text at its baseline.
type textLine struct {
	Class, Text string
	X, Y        float64
}

// weekDrawing is a week of the picture.
type weekDrawing struct {
	Title               textLine
	X, Y, Width, Height float64
	Left, Right         float64 // of the days
	Body                float64 // where the hours begin
	Days                []dayDrawing
	Hours               []textLine
	Folds               []drawing
	Events              []drawing
}

// dayDrawing is a column of the picture.
type dayDrawing struct {
	Class               string
	X, Y, Width, Height float64
	Name                textLine
	Now                 float64 // where the line of the present time is; 0: nowhere
}

// SVG writes a calendar as a picture of its weeks.
func SVG(w io.Writer, calendar *agenda.Calendar) error {
	d := plan{calendar}.data()
	p := pictureData{
		Style: template.CSS(pictureStyle), Title: d.User, Range: d.Range + ", " + d.Zone, Now: d.Now, Width: pictureWidth,
	}
	y := 90.0
	x := margin
	for _, k := range d.Legend {
		p.Legend = append(p.Legend, drawing{
			Class: k.Class, X: x, Y: y - 13, Width: 22, Height: 17, Mark: k.Mark,
			Lines: []textLine{{"soft", k.Title, x + 28, y}},
		})
		x += 28 + 22 + glyph*float64(uniseg.StringWidth(k.Title))
	}
	if len(d.Requests) > 0 {
		y += 34
		p.Waiting = textLine{"week", "Waiting for an answer", margin, y}
	}
	for _, r := range slices.Concat(d.Requests, d.Rest) {
		y += 24
		text := strings.TrimSpace(strings.Join([]string{r.When, r.Title, r.Notes}, "  "))
		p.Requests = append(p.Requests, drawing{
			Class: r.Class, X: margin, Y: y - 13, Width: 22, Height: 17, Mark: r.Mark,
			Lines: []textLine{{"", shorten(text, listWidth), margin + 28, y}},
		})
	}
	for i, week := range d.Weeks {
		drawn := drawWeek(week, i, y+26)
		p.Weeks = append(p.Weeks, drawn)
		y = drawn.Y + drawn.Height
	}
	p.Height = y + 36
	return picture.Execute(w, p)
}

// drawWeek draws a week below y.
func drawWeek(week week, number int, y float64) weekDrawing {
	w := weekDrawing{
		Title: textLine{"week", week.Title, margin, y + 16},
		X:     margin, Y: y + 28, Width: pictureWidth - 2*margin,
		Left: margin + gutter, Right: pictureWidth - margin,
	}
	w.Body = w.Y + headHeight + float64(max(1, week.Lanes))*laneHeight + 8
	bodyHeight := week.Hours.Room() * hourHeight
	w.Height = w.Body + bodyHeight - w.Y
	at := w.Body
	for strip := range week.Hours.Each() {
		w.Hours = append(w.Hours, textLine{"hour", fmt.Sprintf("%02d:00", strip.First), w.X + gutter - 6, at})
		if strip.Folded {
			w.Folds = append(w.Folds, drawing{X: w.Left, Y: at, Width: w.Right - w.Left, Height: strip.Room * hourHeight})
		}
		at += strip.Room * hourHeight
	}
	for i, day := range week.Days {
		x := w.X + gutter + float64(i)*columnWidth
		d := dayDrawing{Class: "day", X: x, Y: w.Y, Width: columnWidth, Height: w.Height}
		for class, is := range map[string]bool{"weekend": day.Weekend && !day.Today, "today": day.Today, "outside": day.Outside} {
			if is {
				d.Class += " " + class
			}
		}
		d.Name = textLine{"name", fmt.Sprintf("%s %d", day.Name, day.Number), x + columnWidth/2, w.Y + 26}
		if day.Now >= 0 {
			d.Now = w.Body + day.Now*bodyHeight
		}
		w.Days = append(w.Days, d)
		for j, b := range day.Blocks {
			w.Events = append(w.Events, drawBlock(b, fmt.Sprintf("w%dd%de%d", number, i, j), x, w.Body, bodyHeight))
		}
		for j, more := range day.Crowds {
			w.Events = append(w.Events, drawMore(more.Views, fmt.Sprintf("w%dd%dm%d", number, i, j), drawing{
				X: x + 1 + more.Place.Left*(columnWidth-2), Width: more.Place.Width*(columnWidth-2) - 1,
				Y: w.Body + more.Place.Top*bodyHeight, Height: more.Place.Height*bodyHeight - 1,
			}))
		}
		if len(day.More) > 0 {
			w.Events = append(w.Events, drawMore(day.More, fmt.Sprintf("w%dd%dm", number, i), drawing{
				X: x + 2, Width: columnWidth - 4, Y: w.Y + headHeight + 3 + maxLanes*laneHeight, Height: laneHeight - 3,
			}))
		}
	}
	for i, b := range week.Bars {
		w.Events = append(w.Events, drawBar(b, fmt.Sprintf("w%db%d", number, i), w.X+gutter, w.Y+headHeight+3))
	}
	return w
}

// drawBlock draws an entry in the column at x whose hours begin at y.
func drawBlock(b block, clip string, x, y, height float64) drawing {
	d := drawing{
		Class: b.Class, Label: b.Label, Clip: clip,
		X: x + 1 + b.Place.Left*(columnWidth-2), Width: b.Place.Width*(columnWidth-2) - 1,
		Y: y + b.Place.Top*height, Height: b.Place.Height*height - 1,
	}
	room, boldRoom := int((d.Width-10)/glyph), int((d.Width-10)/boldGlyph)
	lines := int((d.Height - 2) / lineHeight)
	var written []textLine
	add := func(class, text string) {
		written = append(written, textLine{class, text, d.X + 7, d.Y + 12.5 + float64(len(written))*lineHeight})
	}
	if b.Brief {
		d.Brief = true
		d.Lines = []textLine{{"title", shorten(b.Title+" "+b.At, int((d.Width-14)/boldGlyph)), d.X + 12, d.Y + 12.5}}
		d.Y, d.Height, d.Width = d.Y+b.Length.Top*(d.Height+1), max(2, b.Length.Height*(d.Height+1)), 8
		return d
	}
	if b.Short {
		add("title", shorten(b.Mark+" "+b.Title+" "+b.At, boldRoom))
		d.Lines = written
		return d
	}
	title, below := b.Mark+" "+b.Title, []string{b.When, b.Where, b.Notes}
	if b.Narrow {
		title, below = b.Title, []string{b.At}
	}
	titles := wrap(title, boldRoom)
	for i, line := range titles {
		if i == lines-1 && i < len(titles)-1 {
			line = shorten(line+" …", boldRoom)
		}
		if i < lines {
			add("title", line)
		}
	}
	for _, line := range below {
		if line != "" && len(written) < lines {
			add("", shorten(line, room))
		}
	}
	d.Lines = written
	return d
}

// drawBar draws an entry across the columns that begin at x.
func drawBar(b bar, clip string, x, y float64) drawing {
	d := drawing{
		Class: b.Class, Label: b.Label, Clip: clip,
		X: x + float64(b.Column)*columnWidth + 2, Width: float64(b.Span)*columnWidth - 4,
		Y: y + float64(b.Lane)*laneHeight, Height: laneHeight - 3,
	}
	text := b.Mark + " " + b.Title
	for _, more := range []string{b.When, b.Where} {
		if more != "" && more != "all day" {
			text += "  " + more
		}
	}
	d.Lines = []textLine{{"title", shorten(text, int((d.Width-10)/boldGlyph)), d.X + 7, d.Y + 15}}
	return d
}

// drawMore draws that there are more, in a box.
func drawMore(views []view, clip string, d drawing) drawing {
	labels := make([]string, len(views))
	for i, v := range views {
		labels[i] = v.Label
	}
	d.Class, d.Clip = "more", clip
	d.Label = fmt.Sprintf("%d more:\n%s", len(views), strings.Join(labels, "\n"))
	d.Lines = []textLine{{"title", fmt.Sprintf("+%d", len(views)), d.X + 3, d.Y + 13}}
	return d
}

// shorten cuts text off that is wider than so many letters.
func shorten(text string, width int) string {
	return cut(text, max(1, width))
}

// wrap breaks text into lines of at most so many letters, between words where it can.
func wrap(text string, width int) (lines []string) {
	width = max(1, width)
	line, lineWidth := "", 0
	flush := func() {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
		line, lineWidth = "", 0
	}
	for _, word := range strings.Fields(text) {
		wide := uniseg.StringWidth(word)
		if lineWidth > 0 && lineWidth+1+wide > width {
			flush()
		}
		if lineWidth > 0 {
			line += " "
			lineWidth++
		}
		for g := uniseg.NewGraphemes(word); g.Next(); {
			if lineWidth+g.Width() > width {
				flush()
			}
			line += g.Str()
			lineWidth += g.Width()
		}
	}
	flush()
	return lines
}
