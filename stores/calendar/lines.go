package calendar

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// line is one content line (RFC 5545 section 3.1) with its folds undone.
type line struct {
	text       string // valid UTF-8 without control characters other than TAB
	start, end int    // where it stands in the source, its line break included
	invalid    bool   // the source had bytes that are no UTF-8
	controls   bool   // the source had control characters
}

// lineReader takes content lines from a text. Lines may end in LF, CRLF, CR, or
// CRs before LF as some gateways make them; blank lines are skipped, also before
// a continuation. It costs no copy of a line that is not folded, and one of a line
// that is, be it folded after every character.
type lineReader struct {
	source string
	next   int  // where the next line begins
	peeked bool // ahead holds it already
	ahead  line
	more   bool
}

func newLineReader(source string) *lineReader {
	return &lineReader{source: source, next: len(source) - len(strings.TrimLeft(source, "\ufeff"))}
}

// peek returns the line that read will return next.
func (r *lineReader) peek() (line, bool) {
	if !r.peeked {
		r.ahead, r.more = r.scan()
		r.peeked = true
	}
	return r.ahead, r.more
}

// read returns the next line, and false at the end of the text.
func (r *lineReader) read() (line, bool) {
	l, ok := r.peek()
	r.peeked = false
	return l, ok
}

func (r *lineReader) scan() (line, bool) {
	r.next = skipBreaks(r.source, r.next)
	if r.next == len(r.source) {
		return line{}, false
	}
	l := line{start: r.next}
	text, end := physical(r.source, r.next)
	text = strings.TrimLeft(text, " \t") // indented with nothing to continue
	size, first := len(text), end
	for {
		l.end = skipBreaks(r.source, end)
		if l.end == len(r.source) || r.source[l.end] != ' ' && r.source[l.end] != '\t' {
			break
		}
		// What is indented after a blank line goes on with the line before it,
		// except after an END: that is a footer which somebody's list server added.
		if blankBetween(r.source[end:l.end]) && isKeyword(text, "END") {
			break
		}
		var piece string
		piece, end = physical(r.source, l.end+1)
		size += len(piece)
	}
	if size > len(text) {
		text = joined(text, r.source, first, size)
	}
	r.next = l.end
	if !isClean(text) {
		text, l.invalid, l.controls = repair(text)
	}
	l.text = text
	return l, true
}

// joined returns a line that is folded: text, and what stands in the source behind
// the folds that begin at pos, until the line has its size.
func joined(text, source string, pos, size int) string {
	var b strings.Builder
	b.Grow(size)
	b.WriteString(text)
	for b.Len() < size {
		text, pos = physical(source, skipBreaks(source, pos)+1)
		b.WriteString(text)
	}
	return b.String()
}

// physical returns the text from start to the next line break, and where that is.
func physical(source string, start int) (text string, end int) {
	end = strings.IndexAny(source[start:], "\r\n")
	if end < 0 {
		end = len(source)
	} else {
		end += start
	}
	return source[start:end], end
}

func skipBreaks(source string, i int) int {
	for i < len(source) && (source[i] == '\r' || source[i] == '\n') {
		i++
	}
	return i
}

// blankBetween tells whether a run of CR and LF is more than one line break.
func blankBetween(breaks string) bool {
	if n := strings.Count(breaks, "\n"); n > 0 {
		return n > 1
	}
	return len(breaks) > 1
}

// isKeyword tells whether a line is the given word and a colon, in any case.
func isKeyword(text, word string) bool {
	return len(text) > len(word) && text[len(word)] == ':' && strings.EqualFold(text[:len(word)], word)
}

// repair returns text as valid UTF-8 with a space, or in texts of several lines an
// escaped line break, for every control character. Bytes that are no UTF-8 are
// taken for windows-1252, which they nearly always are where a text calls itself
// UTF-8 and is not.
func repair(text string) (repaired string, invalid, controls bool) {
	multiline := isMultiline(text)
	var b strings.Builder
	b.Grow(repairedSize(text, multiline))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			invalid = true
			b.WriteRune(charmap.Windows1252.DecodeByte(text[i]))
		case separatesLines(r) && multiline:
			controls = true
			b.WriteString(`\n`)
		case breaksLine(r):
			controls = true
			b.WriteByte(' ')
		default:
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String(), invalid, controls
}

// repairedSize returns about as many octets as repair makes of a text, and no fewer.
func repairedSize(text string, multiline bool) int {
	size := len(text)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c < ' ' && multiline:
			size++
		case c >= utf8.RuneSelf:
			if _, n := utf8.DecodeRuneInString(text[i:]); n > 1 {
				i += n - 1
			} else {
				size += utf8.RuneLen(charmap.Windows1252.DecodeByte(c)) - 1
			}
		}
	}
	return size
}

// isMultiline tells whether the value of a content line is a text of several
// lines by nature.
func isMultiline(text string) bool {
	name := text[:max(0, strings.IndexAny(text, ":;"))]
	return strings.EqualFold(name, "DESCRIPTION") || strings.EqualFold(name, "COMMENT")
}

// isClean tells whether text is valid UTF-8 without characters that break lines.
func isClean(text string) bool {
	ascii := true
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
		if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	if ascii {
		return true
	}
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return false
			}
		}
		if r >= utf8.RuneSelf && breaksLine(r) {
			return false
		}
	}
	return true
}

// separatesLines tells whether r stands for a line break that is none in
// iCalendar.
func separatesLines(r rune) bool {
	switch r {
	case '\v', '\f', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// breaksLine tells whether r may not stand in a content line: control characters
// other than TAB (RFC 5545 section 3.1), and what breaks the line for the
// original, which reads lines as Unicode has them.
//
// DEVIATION: line-separators
func breaksLine(r rune) bool {
	return r < ' ' && r != '\t' || r == 0x7f || separatesLines(r)
}
