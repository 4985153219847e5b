package calendar

import (
	"strings"
)

// escapeText returns the value of a TEXT property (RFC 5545 section 3.3.11) with
// every comma and semicolon escaped, since the original takes the value for a
// list at one that is not, and every line break as \n. A value that is right is
// returned as it is.
//
// DEVIATION: unescaped-separators
func escapeText(value string) string {
	if !strings.ContainsAny(value, `,;\`) {
		return value
	}
	var b strings.Builder
	done := 0 // value[:done] is in b
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && i+1 < len(value):
			i++
			if value[i] == 'N' {
				b.WriteString(value[done:i])
				b.WriteByte('n')
				done = i + 1
			}
		case c == ',' || c == ';':
			b.WriteString(value[done:i])
			b.WriteByte('\\')
			done = i
		}
	}
	if done == 0 && b.Len() == 0 {
		return value
	}
	b.WriteString(value[done:])
	return b.String()
}

// unescapeText returns the text that a TEXT value stands for. A backslash that
// escapes nothing stands for itself.
//
// DEVIATION: escaped-backslash
func unescapeText(value string) string {
	return unescape(value, `,;nN\`)
}

// unescapeUID returns the text of a UID as the original has it in its file names
// and tables, for which a backslash is never an escaped one.
func unescapeUID(value string) string {
	return unescape(value, ",;nN")
}

// unescape undoes the escapes of those characters that are in escaped.
func unescape(value, escaped string) string {
	if !strings.Contains(value, `\`) {
		return value
	}
	var b strings.Builder
	b.Grow(len(value))
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c == '\\' && i+1 < len(value) && strings.IndexByte(escaped, value[i+1]) >= 0 {
			i++
			if c = value[i]; c == 'n' || c == 'N' {
				c = '\n'
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// encodeText returns the TEXT value that stands for text, its line breaks being
// LF or CRLF.
func encodeText(text string) string {
	return strings.NewReplacer(`\`, `\\`, ",", `\,`, ";", `\;`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`).Replace(text)
}
