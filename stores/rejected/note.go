package rejected

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Note says what was put aside and why. Empty fields are not known. All text may come from
// strangers: it is escaped where it is written down, and is as it came in what List
// returns.
type Note struct {
	Reason       string // why it cannot be handled
	User         string // whose records it was for: a URI
	Method       string // of the message
	UID          string // of the event
	RecurrenceID string
	Source       string    // where the content is from: a message, or a file's path
	Time         time.Time // when it was put aside; Put takes its clock's time for zero
}

// maxValue bounds a value in a note, in octets; UIDs and reasons can be of any length.
// What is cut off ends in an ellipsis.
const maxValue = 4096

// values are a note's texts by the names that they have in the file.
func (n *Note) values() []noteValue {
	return []noteValue{
		{"Reason", &n.Reason}, {"User", &n.User}, {"Method", &n.Method}, {"UID", &n.UID},
		{"Recurrence-ID", &n.RecurrenceID}, {"Source", &n.Source},
	}
}

type noteValue struct {
	name string
	text *string
}

const timeName = "Time"

// text returns the note as its file has it.
func (n Note) text() string {
	var b strings.Builder
	for _, value := range n.values() {
		if *value.text != "" {
			b.WriteString(value.name + ": " + Escape(*value.text) + "\n")
		}
	}
	b.WriteString(timeName + ": " + n.Time.UTC().Format(time.RFC3339) + "\n")
	return b.String()
}

// parseNote reads what text returned. It passes over what it does not know.
func parseNote(text string) Note {
	var n Note
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ": ")
		if name == timeName {
			n.Time, _ = time.Parse(time.RFC3339, value)
		}
		for _, known := range n.values() {
			if name == known.name {
				*known.text = Unescape(value)
			}
		}
	}
	return n
}

// Escape returns text in one line that says the same to whoever looks at it on a
// terminal: what is not printable, among it what changes the direction of writing, is
// escaped as in Go's strings.
func Escape(text string) string {
	if len(text) > maxValue {
		cut := maxValue
		for cut > maxValue-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// Unescape is the reverse of Escape. What Escape cannot have written stays as it is.
func Unescape(value string) string {
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(value, `"`, `\"`) + `"`)
	if err != nil {
		return value
	}
	return text
}
