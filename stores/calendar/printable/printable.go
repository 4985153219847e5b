// Package printable makes text that comes from messages, or from anybody else, fit to be
// shown: it does nothing to a terminal or a page, and shows in the order in which it is
// written. What cannot be seen is escaped as in Go's strings.
package printable

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text returns text as one line, with white space as it is: all but the space is escaped.
func Text(text string) string { return escape(text, visible) }

// Line returns text as one line for people to read: a run of white space, line breaks among
// it, is one space, and there is none at the beginning and at the end.
func Line(text string) string { return Text(strings.Join(strings.Fields(text), " ")) }

// ASCII returns text as Text does, with everything else than ASCII escaped as well.
func ASCII(text string) string {
	return escape(text, func(r rune) bool { return ' ' <= r && r <= '~' })
}

// visible reports whether a character can be seen, or is part of how Indic and Arabic scripts
// and emoji are written: the joiners.
func visible(r rune) bool { return strconv.IsPrint(r) || r == '\u200c' || r == '\u200d' }

// escape escapes what is not plain, and what is not UTF-8.
func escape(text string, plain func(rune) bool) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r == utf8.RuneError || !plain(r) }) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 || !plain(r) {
			quoted := strconv.QuoteToASCII(text[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}
