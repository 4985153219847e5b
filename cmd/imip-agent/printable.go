package main

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// printable returns text as one line that does nothing to a terminal, and shows in the
// order in which it is written: what cannot be seen is escaped as in Go's strings.
func printable(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r == utf8.RuneError || !visible(r) }) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 || !visible(r) {
			quoted := strconv.Quote(text[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}

// visible reports whether a character can be seen, or is part of how Indic and Arabic scripts
// and emoji are written: the joiners.
func visible(r rune) bool { return strconv.IsPrint(r) || r == '\u200c' || r == '\u200d' }
