package draw

import (
	"fmt"
	"strings"

	"github.com/rivo/uniseg"

	"imip-agent/handlers/agenda"
	"imip-agent/stores/calendar"
	"imip-agent/stores/calendar/printable"
)

// Measures of an event's details. What is beyond them is not shown.
const (
	maxGuests = 50
	maxText   = 2000 // letters
)

// guest is an attendee as they are listed.
type guest struct{ Name, Status string }

// guests lists attendees, and how many more there are.
func guests(attendees []calendar.Attendee) (list []guest) {
	for i, a := range attendees {
		if i == maxGuests {
			return append(list, guest{Name: fmt.Sprintf("%d more", len(attendees)-i)})
		}
		g := guest{Name: printable.Line(a.Name()), Status: printable.Line(strings.ToLower(a.PartStat()))}
		if g.Name == "" {
			g.Name = printable.Line(agenda.Name(a.URI))
		}
		if g.Status == "needs-action" || g.Status == "" {
			g.Status = "no answer"
		}
		list = append(list, g)
	}
	return list
}

// lines returns a text with its lines, each of them printable.
func lines(text string) string {
	if most := 16 * maxText; len(text) > most { // what is left out takes no time
		text = strings.ToValidUTF8(text[:most], "")
	}
	var kept []string
	for line := range strings.Lines(text) {
		kept = append(kept, printable.Line(line))
	}
	text = strings.TrimSpace(strings.Join(kept, "\n"))
	if uniseg.GraphemeClusterCount(text) <= maxText {
		return text
	}
	var b strings.Builder
	for g, n := uniseg.NewGraphemes(text), 0; n < maxText && g.Next(); n++ {
		b.WriteString(g.Str())
	}
	return b.String() + "…"
}
