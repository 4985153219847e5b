package calendars

import (
	"strings"
	"unicode/utf8"
)

// contentLine is a property as RFC 5545 section 3.1 writes it: a name, parameters as they
// stand, each with its semicolon, and a value.
type contentLine struct {
	name   string // upper case
	params []string
	value  string
}

// unfold returns the content lines of a text, without their ends.
func unfold(text string) []string {
	var lines []string
	var folded []string // the pieces of the last line: there are many in an attachment
	end := func() {
		if len(folded) > 1 {
			lines[len(lines)-1] = strings.Join(folded, "")
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case len(lines) > 0 && (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")):
			folded = append(folded, line[1:])
		case line != "":
			end()
			lines, folded = append(lines, line), append(folded[:0], line)
		}
	}
	end()
	return lines
}

// parseLine takes a content line apart. Semicolons and colons in quotes are part of a
// parameter.
func parseLine(line string) contentLine {
	var c contentLine
	quoted, from := false, 0
	take := func(to int) {
		if part := line[from:to]; c.name == "" {
			c.name = strings.ToUpper(part)
		} else {
			c.params = append(c.params, part)
		}
		from = to + 1
	}
	for i := range len(line) {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case quoted:
		case line[i] == ';':
			take(i)
		case line[i] == ':':
			take(i)
			c.value = line[i+1:]
			return c
		}
	}
	c.name = strings.ToUpper(line)
	return c
}

func (c contentLine) String() string {
	return strings.Join(append([]string{c.name}, c.params...), ";") + ":" + c.value
}

// param returns the value of a parameter, without quotes; empty if there is none.
func (c contentLine) param(name string) string {
	for _, p := range c.params {
		key, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(key, name) {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// without returns the line less the parameters of these names.
func (c contentLine) without(names ...string) contentLine {
	var params []string
	for _, p := range c.params {
		key, _, _ := strings.Cut(p, "=")
		gone := false
		for _, name := range names {
			gone = gone || strings.EqualFold(key, name)
		}
		if !gone {
			params = append(params, p)
		}
	}
	c.params = params
	return c
}

// fold writes lines with CRLF, none longer than 75 octets, and none broken inside a
// character (RFC 5545 section 3.1).
func fold(lines []string) []byte {
	var b strings.Builder
	for _, line := range lines {
		for width := 75; len(line) > width; width = 74 {
			at := width
			for at > 1 && !utf8.RuneStart(line[at]) {
				at--
			}
			b.WriteString(line[:at] + "\r\n ")
			line = line[at:]
		}
		b.WriteString(line + "\r\n")
	}
	return []byte(b.String())
}
