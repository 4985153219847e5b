package draw

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable returns text as one line that does nothing to a terminal or a page, and
// shows in the order in which it is written: white space becomes a space, and what
// controls something, or cannot be seen, its number.
func printable(text string) string {
	var b strings.Builder
	space := false
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		if unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		switch {
		case unicode.IsGraphic(r), r == zeroWidthJoiner, r == zeroWidthNonJoiner:
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// Joiners are part of how Indic and Arabic scripts and emoji are written.
const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)
