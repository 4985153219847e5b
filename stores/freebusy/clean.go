package freebusy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns value as a column of a table can hold it. A run of white space with
// a control character in it (so with a TAB, or with anything that the original takes for
// the end of a line: LF, CR, VT, FF, FS, GS, RS, NEL, U+2028, U+2029) becomes one
// space, or nothing at the end. What is not UTF-8 becomes U+FFFD.
//
// Spaces alone stay as they are, however many: the original keeps them, and UIDs are
// looked up by what the tables say. Those at the end of a line are lost on reading.
//
// DEVIATION: control-characters-in-tables
func Clean(value string) string {
	if isClean(value) {
		return value
	}
	var b strings.Builder
	b.Grow(len(value))
	for value != "" {
		run := len(value) - len(strings.TrimLeftFunc(value, isGap))
		switch gap := value[:run]; {
		case strings.IndexFunc(gap, isControl) < 0:
			b.WriteString(gap)
		case run < len(value):
			b.WriteByte(' ')
		}
		value = value[run:]
		word := strings.IndexFunc(value, isGap)
		if word < 0 {
			word = len(value)
		}
		for _, r := range value[:word] { // yields U+FFFD for an octet that is not UTF-8
			b.WriteRune(r)
		}
		value = value[word:]
	}
	return b.String()
}

// isClean reports whether Clean leaves value as it is.
func isClean(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] >= 0x7f {
			return utf8.ValidString(value) && strings.IndexFunc(value, isControl) < 0
		}
	}
	return true
}

func isGap(r rune) bool {
	return unicode.IsSpace(r) || isControl(r)
}

func isControl(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}
