package compat

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// people are the calendar users of the conversations: @NAME in an event stands
// for the URI.
var people = map[string]string{
	"paul":     "paul.boddie@example.com",
	"vincent":  "vincent.vole@example.com",
	"harvey":   "harvey.horse@example.com",
	"simon":    "simon.skunk@example.com",
	"calendar": "calendar@example.com", // the calendar system itself

	"room":    "room@example.com", // resources
	"attic":   "attic@example.com",
	"cellar":  "cellar@example.com",
	"mallory": "mallory@example.net",
}

// Address returns the mail address of one of the people by first name, and the
// name itself if it is none of theirs.
func Address(name string) string {
	if address, ok := people[name]; ok {
		return address
	}
	return name
}

// Event is the content lines of a VEVENT, without BEGIN and END.
type Event []string

// String returns the content lines, as Compose takes them.
func (e Event) String() string {
	return strings.ReplaceAll(strings.Join(e, "\n"), "\x00", "\n")
}

// noStamp keeps Calendar from giving an event a DTSTAMP.
const noStamp = "-DTSTAMP"

// Compose makes an event from blocks of content lines. All properties of a name
// in one block replace those of that name in the blocks before; a line "-NAME"
// only removes them. Spaces around lines and empty lines go, and @paul stands
// for mailto:paul.boddie@example.com.
func Compose(blocks ...string) Event {
	var event Event
	for _, block := range blocks {
		added := nested(strings.Split(block, "\n"))
		for _, line := range added {
			event = slices.DeleteFunc(event, func(old string) bool {
				return !strings.Contains(old, "\x00") && nameOf(old) == strings.TrimPrefix(nameOf(line), "-")
			})
		}
		for _, line := range added {
			if !strings.HasPrefix(line, "-") || line == noStamp {
				event = append(event, line)
			}
		}
	}
	for i, line := range event {
		for name, address := range people {
			line = strings.ReplaceAll(line, "@"+name+" ", "mailto:"+address+" ")
			line = strings.ReplaceAll(line, "@"+name+`"`, "mailto:"+address+`"`)
			if before, ok := strings.CutSuffix(line, "@"+name); ok {
				line = before + "mailto:" + address
			}
		}
		event[i] = line
	}
	return event
}

// nested trims lines, leaves out empty ones, and joins the lines of components in
// an event (alarms) into one each, with NUL between, so that their properties are
// not taken for the event's.
func nested(lines []string) []string {
	var out []string
	depth := 0
	for _, line := range lines {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if depth > 0 {
			out[len(out)-1] += "\x00" + line
		} else {
			out = append(out, line)
		}
		switch nameOf(line) {
		case "BEGIN":
			depth++
		case "END":
			depth--
		}
	}
	return out
}

func nameOf(line string) string {
	if i := strings.IndexAny(line, ":;"); i >= 0 {
		return line[:i]
	}
	return line
}

// Calendar returns the events as the text of one calendar, with LF line ends. An
// event without DTSTAMP gets the given time.
func Calendar(method string, stamp time.Time, events ...Event) string {
	var out strings.Builder
	out.WriteString("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.com//conversation//EN\nMETHOD:" + method + "\n")
	for _, event := range events {
		out.WriteString("BEGIN:VEVENT\n")
		if !slices.ContainsFunc(event, func(line string) bool { return nameOf(line) == "DTSTAMP" || line == noStamp }) {
			out.WriteString("DTSTAMP:" + stamp.UTC().Format("20060102T150405Z") + "\n")
		}
		for _, line := range event {
			if line == noStamp {
				continue
			}
			out.WriteString(strings.ReplaceAll(line, "\x00", "\n") + "\n")
		}
		out.WriteString("END:VEVENT\n")
	}
	out.WriteString("END:VCALENDAR\n")
	return out.String()
}

// Mail returns a mail with one calendar part.
func Mail(from, method, calendar string) []byte {
	return fmt.Appendf(nil, `From: %s
To: undisclosed-recipients:;
Subject: %s
MIME-Version: 1.0
Content-Type: text/calendar; charset=utf-8; method=%s
Content-Transfer-Encoding: 8bit

%s`, Address(from), method, method, calendar)
}
