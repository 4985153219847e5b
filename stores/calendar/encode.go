package calendar

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-ical"
)

// Encode returns the object as it is stored: BEGIN:VEVENT to END:VEVENT, UTF-8,
// CRLF, folded, readable by the original. Properties stand in order of name, and
// those of one name in their own order, so that equal objects have equal texts.
func (o *Object) Encode() []byte {
	return encodeComponent(o.component)
}

func encodeComponent(c *ical.Component) []byte {
	w := lineWriter{buf: make([]byte, 0, encodedSize(c))}
	w.component(c)
	return w.buf
}

// encodedSize returns about how many octets encodeComponent makes, and seldom fewer.
func encodedSize(c *ical.Component) int {
	size := len("BEGIN:\r\nEND:\r\n") + 2*len(c.Name)
	for name, props := range c.Props {
		for i := range props {
			line := len(name) + len(":\r\n") + len(props[i].Value)
			for param, values := range props[i].Params {
				line += len(";=") + len(param)
				for _, value := range values {
					line += len(`,""`) + len(value)
				}
			}
			size += line + line/(maxColumn-4)*len("\r\n ") // there may be four-octet characters where it folds
		}
	}
	for _, child := range c.Children {
		size += encodedSize(child)
	}
	return size
}

// maxColumn is the longest that lines are, in octets (RFC 5545 section 3.1).
const maxColumn = 75

// lineWriter writes content lines and folds them.
type lineWriter struct {
	buf    []byte
	column int // octets in the current line
}

func (w *lineWriter) component(c *ical.Component) {
	w.line("BEGIN:", c.Name)
	for _, name := range slices.Sorted(maps.Keys(c.Props)) {
		for _, prop := range c.Props[name] {
			w.property(&prop)
		}
	}
	for _, child := range c.Children {
		w.component(child)
	}
	w.line("END:", c.Name)
}

// line writes a line in one.
func (w *lineWriter) line(pieces ...string) {
	for _, piece := range pieces {
		w.text(piece)
	}
	w.end()
}

func (w *lineWriter) property(p *ical.Prop) {
	w.text(p.Name)
	for _, name := range slices.Sorted(maps.Keys(p.Params)) {
		w.text(";" + name + "=")
		for i, value := range p.Params[name] {
			if i > 0 {
				w.text(",")
			}
			w.param(name, value)
		}
	}
	w.text(":")
	w.text(oneLine(p.Value))
	w.end()
}

// param writes one value of a parameter.
func (w *lineWriter) param(name, value string) {
	value = oneLine(value)
	if strings.Contains(value, `"`) {
		value = strings.ReplaceAll(value, `"`, `^'`) // RFC 6868 section 3.1
	}
	if uriParams[name] || strings.ContainsAny(value, ",;:") {
		w.text(`"`)
		w.text(value)
		w.text(`"`)
		return
	}
	w.text(value)
}

// oneLine returns text without anything that would break the line or the file.
// Values from a message or a store have nothing of the kind.
func oneLine(text string) string {
	if isClean(text) {
		return text
	}
	text = strings.NewReplacer("\r\n", `\n`, "\r", `\n`, "\n", `\n`).Replace(text)
	text, _, _ = repair(text)
	return text
}

// text writes a piece of a line of valid UTF-8. A line that would be longer than
// 75 octets is folded, but not inside a character (RFC 5545 section 3.1).
func (w *lineWriter) text(s string) {
	for w.column+len(s) > maxColumn {
		cut := maxColumn - w.column
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		w.buf = append(w.buf, s[:cut]...)
		w.buf = append(w.buf, "\r\n "...)
		w.column = 1
		s = s[cut:]
	}
	w.buf = append(w.buf, s...)
	w.column += len(s)
}

func (w *lineWriter) end() {
	w.buf = append(w.buf, "\r\n"...)
	w.column = 0
}
