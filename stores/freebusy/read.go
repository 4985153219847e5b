package freebusy

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Read reads a table's file. It never fails: it reads past damage, and says what it found.
func Read(data []byte, layout Layout) (*Table, []Damage) {
	t := &Table{layout: layout}
	var damages []Damage
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimRight(line, " \r\n")
		if line == "" {
			continue
		}
		reason := ""
		c := split(line)
		switch {
		case !utf8.ValidString(line):
			reason = "not UTF-8"
		case strings.Count(line, "\t")+1 != layout.columns():
			reason = "wrong number of columns"
		case instant(c[0]).IsZero(), instant(c[1]).IsZero():
			reason = "time that cannot be read"
		}
		if reason != "" {
			damages = append(damages, Damage{Line: number, Text: line, Reason: reason})
			continue
		}
		t.rows = append(t.rows, line)
	}
	if !slices.IsSortedFunc(t.rows, compare) {
		slices.SortStableFunc(t.rows, compare)
	}
	return t, damages
}
