package compat

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// Differences compares two trees by meaning and describes what differs, "" if
// nothing does: "-" is the wanted state, "+" the one that is there.
//
// Objects are compared property by property, tables line by line. An empty
// table is the same as none. Beyond what RFC 5545 takes as the same, so is this:
//
//   - attendees in another order: the original mixes them up when one replies;
//   - TZID=UTC on a time in UTC, and VALUE=DATE-TIME, which the original adds;
//   - PRODID in published free/busy, which the original leaves out against
//     RFC 5545 section 3.6.
func Differences(want, got Tree) string {
	paths := append(want.Paths(), got.Paths()...)
	slices.Sort(paths)
	var out strings.Builder
	for _, path := range slices.Compact(paths) {
		if isPassedOn(path) {
			continue
		}
		a, inWant := want[path]
		b, inGot := got[path]
		if isTable(path) {
			inWant, inGot = true, true
		}
		switch {
		case !inGot:
			fmt.Fprintf(&out, "%s: missing\n", path)
		case !inWant:
			fmt.Fprintf(&out, "%s: should not be there:\n%s\n", path, b)
		default:
			if diff := cmp.Diff(Meaning(path, a), Meaning(path, b)); diff != "" {
				fmt.Fprintf(&out, "%s: (-want +got)\n%s\n", path, diff)
			}
		}
	}
	return out.String()
}

// isPassedOn tells whether the file at a path in a tree is the table of what resources have passed on. Ours alone has it:
// requests-on-their-way.
func isPassedOn(path string) bool {
	return strings.HasPrefix(path, "journal/") && strings.HasSuffix(path, "/freebusy-offers")
}

// isTable tells whether the file at a path in a tree is a table rather than an object.
func isTable(path string) bool {
	parts := strings.Split(path, "/")
	if parts[0] != "store" && parts[0] != "journal" || len(parts) < 3 {
		return false
	}
	switch parts[2] {
	case "objects", "recurrences", "cancellations", "counters":
		return false
	}
	return true
}

// Meaning returns what a file in a tree says, as lines that are equal for two
// files if they mean the same.
func Meaning(path, content string) []string {
	content = strings.ReplaceAll(content, "\r\n", "\n")
	if isTable(path) {
		return tableMeaning(content)
	}
	component, rest, err := readComponent(unfold(content))
	if err != nil || len(rest) > 0 {
		// Not an object: then only the same text is the same.
		return strings.Split(content, "\n")
	}
	if strings.HasPrefix(path, "static/") {
		component.properties = slices.DeleteFunc(component.properties, func(p property) bool { return p.name == "PRODID" })
	}
	return component.lines("")
}

// tableMeaning drops what readers of a table drop: spaces, CR and empty columns
// at the end of a line, and empty lines.
func tableMeaning(content string) []string {
	lines := []string{}
	for line := range strings.Lines(content) {
		if line = strings.TrimRight(line, "\t\r\n "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// component is a calendar component, read independently of the code under test.
type component struct {
	name       string
	properties []property
	nested     []component
}

type property struct {
	name, value string
	params      []string // NAME=value, sorted, values without quotes
}

// unfold joins folded lines (RFC 5545 section 3.1).
func unfold(content string) []string {
	content = strings.ReplaceAll(content, "\n ", "")
	content = strings.ReplaceAll(content, "\n\t", "")
	return strings.Split(strings.TrimRight(content, "\n"), "\n")
}

// readComponent reads the component that begins at the first line, and returns
// the lines after it.
func readComponent(lines []string) (component, []string, error) {
	name, ok := strings.CutPrefix(lines[0], "BEGIN:")
	if !ok {
		return component{}, nil, fmt.Errorf("no BEGIN")
	}
	c := component{name: name}
	lines = lines[1:]
	for len(lines) > 0 {
		line := lines[0]
		switch {
		case line == "END:"+name:
			return c, lines[1:], nil
		case strings.HasPrefix(line, "BEGIN:"):
			nested, rest, err := readComponent(lines)
			if err != nil {
				return c, nil, err
			}
			c.nested = append(c.nested, nested)
			lines = rest
		default:
			p, err := readProperty(line)
			if err != nil {
				return c, nil, err
			}
			c.properties = append(c.properties, p)
			lines = lines[1:]
		}
	}
	return c, nil, fmt.Errorf("no END:%s", name)
}

// readProperty takes a content line apart.
func readProperty(line string) (property, error) {
	quoted, start := false, 0
	var pieces []string
	for i := range len(line) {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case quoted:
		case line[i] == ';':
			pieces = append(pieces, line[start:i])
			start = i + 1
		case line[i] == ':':
			pieces = append(pieces, line[start:i])
			return newProperty(pieces, line[i+1:]), nil
		}
	}
	return property{}, fmt.Errorf("no colon in %q", line)
}

func newProperty(pieces []string, value string) property {
	p := property{name: pieces[0], value: value}
	if scheme, address, ok := strings.Cut(value, ":"); ok && strings.EqualFold(scheme, "mailto") && (p.name == "ATTENDEE" || p.name == "ORGANIZER") {
		p.value = "mailto:" + address // RFC 3986 section 3.1: schemes are case-insensitive
	}
	for _, param := range pieces[1:] {
		// Quotes are no part of a parameter's value (RFC 5545 section 3.2).
		param = strings.ReplaceAll(param, `"`, "")
		// The original adds this to times in UTC, where it means nothing.
		if param == "TZID=UTC" && strings.HasSuffix(value, "Z") {
			continue
		}
		if param == "VALUE=DATE-TIME" && (p.name == "DTSTART" || p.name == "DTEND") { // what they are without it
			continue
		}
		p.params = append(p.params, param)
	}
	slices.Sort(p.params)
	return p
}

// lines writes the component with its properties in order of name, attendees in
// order and others of one name as they stand, and components nested in it as they
// stand.
func (c component) lines(indent string) []string {
	out := []string{indent + "BEGIN:" + c.name}
	sorted := slices.Clone(c.properties)
	slices.SortStableFunc(sorted, func(a, b property) int {
		if a.name == "ATTENDEE" && b.name == "ATTENDEE" {
			return strings.Compare(a.value, b.value)
		}
		return strings.Compare(a.name, b.name)
	})
	for _, p := range sorted {
		out = append(out, indent+"  "+strings.Join(append([]string{p.name}, p.params...), ";")+":"+p.value)
	}
	for _, nested := range c.nested {
		out = append(out, nested.lines(indent+"  ")...)
	}
	return append(out, indent+"END:"+c.name)
}
