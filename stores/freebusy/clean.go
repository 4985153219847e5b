package freebusy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns value as a column of a table can hold it: a run of white space and
// control characters (among them TAB and all that breaks a line somewhere: CR, LF,
// VT, FF, FS, GS, RS, NEL, U+2028, U+2029) becomes one space, at the ends none, and
// what is not UTF-8 becomes U+FFFD.
func Clean(value string) string {
	if isClean(value) {
		return value
	}
	var b strings.Builder
	b.Grow(len(value))
	gap := false
	for _, r := range value { // yields U+FFFD for each octet that is not UTF-8
		if isGap(r) {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte(' ')
		}
		gap = false
		b.WriteRune(r)
	}
	return b.String()
}

func isGap(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

// isClean reports whether Clean would leave value as it is.
func isClean(value string) bool {
	gap := true
	for i, r := range value {
		switch {
		case r == ' ':
			if gap {
				return false
			}
			gap = true
		case isGap(r):
			return false
		case r == utf8.RuneError && !strings.HasPrefix(value[i:], "\uFFFD"):
			return false
		default:
			gap = false
		}
	}
	return !gap || value == ""
}
