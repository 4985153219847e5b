package mail

import (
	"bytes"
	"strings"
)

// transfer is a way in which content is encoded for transfer (RFC 2045 section 6).
type transfer int

const (
	identity transfer = iota // 7bit, 8bit, binary, and whatever is not known
	base64Encoded
	quotedPrintable
	uuEncoded // no standard, but old gateways' way
)

// transferOf reads the value of a Content-Transfer-Encoding field.
func transferOf(value []byte) transfer {
	// What follows the name is a comment or was meant to be something.
	name := strings.TrimLeft(string(value), " \t\"")
	if end := strings.IndexAny(name, " \t;,(\"\x00"); end >= 0 {
		name = name[:end]
	}
	name = strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(name), "-", ""), "_", "")
	switch strings.TrimPrefix(name, "x") {
	case "base64":
		return base64Encoded
	case "quotedprintable":
		return quotedPrintable
	case "uuencode", "uue", "uu":
		return uuEncoded
	}
	return identity
}

// The beginning of a calendar, as it is and in base64.
var (
	calendarBegin   = []byte("BEGIN:VCALENDAR")
	calendarEnd     = []byte("END:VCALENDAR")
	calendarBegin64 = []byte("QkVHSU46VkNBTEVOREFS")
)

// decodeTransfer decodes content. It never fails: what cannot be decoded is
// passed over or kept as it is, whichever makes sense in that encoding. A
// calendar that is not encoded as its part says is recognised.
//
// DEVIATION: wrong-encoding. The original finds no event in such a part.
func decodeTransfer(encoding, content []byte) []byte {
	switch kind := transferOf(encoding); {
	case kind == quotedPrintable:
		return decodeQuotedPrintable(content)
	case kind == uuEncoded && bytes.Contains(content, []byte("begin ")):
		return decodeUU(content)
	case kind == base64Encoded:
		if hasPrefixFold(bytes.TrimSpace(content), calendarBegin) {
			return content
		}
		return decodeBase64(content)
	case bytes.HasPrefix(bytes.TrimSpace(content), calendarBegin64):
		return decodeBase64(content)
	}
	return content
}

func hasPrefixFold(data, prefix []byte) bool {
	return len(data) >= len(prefix) && bytes.EqualFold(data[:len(prefix)], prefix)
}

// decodeBase64 decodes base64, passing over what is no base64 (RFC 2045 section
// 6.8). Padding may be missing, or stand in the middle where pieces were joined.
// Of a calendar, what stands before and after it is left out: notes that mailing
// lists and gateways add decode to garbage.
func decodeBase64(content []byte) []byte {
	if at := bytes.Index(content, calendarBegin64); at > 0 {
		content = content[at:]
	}
	decoded := make([]byte, 0, len(content)/4*3+3)
	var bits uint32
	count := 0 // of characters in bits
	flush := func() {
		switch count {
		case 2:
			decoded = append(decoded, byte(bits>>4))
		case 3:
			decoded = append(decoded, byte(bits>>10), byte(bits>>2))
		}
		bits, count = 0, 0
	}
	for _, c := range content {
		value := base64Values[c]
		switch {
		case c == '=':
			flush()
			continue
		case value < 0:
			continue
		}
		bits = bits<<6 | uint32(value)
		if count++; count == 4 {
			decoded = append(decoded, byte(bits>>16), byte(bits>>8), byte(bits))
			bits, count = 0, 0
		}
	}
	flush()
	if end := bytes.LastIndex(decoded, calendarEnd); end >= 0 && bytes.HasPrefix(decoded, calendarBegin) {
		decoded = decoded[:end+len(calendarEnd)]
	}
	return decoded
}

// base64Values maps the characters of base64 to their values, others to -1.
var base64Values = func() (values [256]int8) {
	for i := range values {
		values[i] = -1
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		values[c] = int8(i)
	}
	return values
}()

// decodeQuotedPrintable decodes quoted-printable (RFC 2045 section 6.7). An "="
// that begins no escape stands for itself.
//
// White space at the end of a line is kept, against rule 3 of that section: in a
// calendar it is the space before a folded word, which some encoders leave as it is,
// and the original keeps it too.
func decodeQuotedPrintable(content []byte) []byte {
	if !looksQuoted(content) {
		return content
	}
	decoded := make([]byte, 0, len(content))
	for i := 0; i < len(content); i++ {
		c := content[i]
		if c != '=' {
			decoded = append(decoded, c)
			continue
		}
		if value, ok := hexByte(content[i+1:]); ok {
			decoded = append(decoded, value)
			i += 2
			continue
		}
		if n, ok := softBreak(content[i+1:]); ok {
			i += n
			continue
		}
		decoded = append(decoded, c)
	}
	return decoded
}

// looksQuoted reports whether the content can be quoted-printable: every "=" of
// the text is then an escape, "=3D". In a calendar that is not encoded though its
// part says so, there is a "=" that begins no escape (;TZID=Europe/Oslo) and no "=3D".
func looksQuoted(content []byte) bool {
	broken := false
	for rest := content; ; {
		at := bytes.IndexByte(rest, '=')
		if at < 0 {
			return !broken
		}
		rest = rest[at+1:]
		if value, ok := hexByte(rest); ok {
			if value == '=' {
				return true
			}
			continue
		}
		if _, ok := softBreak(rest); ok {
			return true
		}
		broken = true
	}
}

// softBreak reports whether what follows a "=" is the rest of a soft line break,
// and how long it is. Transport may have added white space before the break.
func softBreak(rest []byte) (n int, ok bool) {
	for n < len(rest) && (isBlank(rest[n]) || rest[n] == '\r') {
		n++
	}
	if n == len(rest) {
		return n, true
	}
	return n + 1, rest[n] == '\n'
}

func hexByte(rest []byte) (byte, bool) {
	if len(rest) < 2 {
		return 0, false
	}
	high, ok1 := hexDigit(rest[0])
	low, ok2 := hexDigit(rest[1])
	return high<<4 | low, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	case 'a' <= c && c <= 'f': // not allowed, and seen
		return c - 'a' + 10, true
	}
	return 0, false
}

// decodeUU decodes the lines between "begin" and "end": a character for the
// length, then four characters for three octets. Missing ones count as zero.
func decodeUU(content []byte) []byte {
	var decoded []byte
	begun := false
	for line := range bytes.Lines(content) {
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case !begun:
			begun = bytes.HasPrefix(line, []byte("begin "))
			continue
		case string(line) == "end":
			return decoded
		case len(line) == 0:
			continue
		}
		size := int(line[0]-' ') & 0x3f
		for at := 1; size > 0 && at < len(line); at += 4 {
			var bits uint32
			for i := at; i < at+4; i++ {
				bits <<= 6
				if i < len(line) {
					bits |= uint32(line[i]-' ') & 0x3f
				}
			}
			group := []byte{byte(bits >> 16), byte(bits >> 8), byte(bits)}
			decoded = append(decoded, group[:min(size, 3)]...)
			size -= 3
		}
	}
	return decoded
}
