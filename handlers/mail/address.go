package mail

import (
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"imip-agent/stores/calendar/charset"
)

// addresses returns the addresses in the values of From fields (RFC 5322 section
// 3.4), bare and as spelled. Go's own parser is too strict for what clients
// write, and rewrites quoted local parts, by which users' records are named.
//
// What is no list of mailboxes is searched for what looks like an address, as it
// stands and with its encoded words decoded. Only then a single word counts,
// which is how local programs name a local user.
//
// DEVIATION: broken-senders. The original takes the first word for the user, joins
// words, or finds none.
func addresses(fields [][]byte) []string {
	var values, found []string
	for _, field := range fields {
		value := inUTF8(string(field))
		values = append(values, value)
		found = append(found, listed(value)...)
	}
	if len(found) > 0 {
		return found
	}
	for _, value := range values {
		found = append(found, addressLike(value)...)
	}
	if len(found) > 0 {
		return found
	}
	decoder := mime.WordDecoder{CharsetReader: charset.Reader}
	for _, value := range values {
		if decoded, err := decoder.DecodeHeader(value); err == nil && decoded != value {
			found = append(found, listed(decoded)...)
		}
	}
	if len(found) > 0 {
		return found
	}
	for _, value := range values {
		m := newScanner(value).mailbox()
		if len(m.words) == 1 && !m.angular && !strings.ContainsAny(m.words[0], `"@<>=?`) {
			found = append(found, m.words[0])
		}
	}
	return found
}

// inUTF8 returns the value of a field in UTF-8. RFC 6532 allows nothing else; what is something else is likely to be
// Windows'.
func inUTF8(value string) string {
	if !utf8.ValidString(value) {
		value, _ = charmap.Windows1252.NewDecoder().String(value)
	}
	return value
}

// listed returns the addresses of a list of mailboxes and groups.
func listed(value string) []string {
	var found []string
	s := newScanner(value)
	for s.pos < len(s.text) {
		if address := s.mailbox().address(); address != "" {
			found = append(found, address)
		}
	}
	return found
}

// scanner goes over a list of addresses.
type scanner struct {
	text   string
	pos    int
	angles int // where the last ">" is
	broken int // quotes and comments that were never closed
}

func newScanner(text string) *scanner {
	return &scanner{text: text, angles: strings.LastIndexByte(text, '>')}
}

// Limits on text that is made to cost time: how many quotes and comments that are
// never closed are looked into, which takes a look at the whole rest of the text
// each, and how long a word that is put together from pieces can get.
const (
	maxBroken = 20
	maxWord   = 1000
)

// mailbox is a mailbox taken apart into words. What stands together without white
// space around is one word, also "paul@example.com" or `"paul b"@example.com`.
type mailbox struct {
	words   []string
	angle   string // what stands in angle brackets
	angular bool
}

// mailbox reads up to the next separator. The name of a group, up to its colon, is
// dropped.
func (s *scanner) mailbox() mailbox {
	var m mailbox
	joined := false // the next word continues the one before
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		switch {
		case c == ',' || c == ';':
			s.pos++
			return m
		case c == ':':
			s.pos++
			m, joined = mailbox{}, false
		case c == '(' && s.comment():
		case c == '<':
			if address := s.angle(); m.angle == "" {
				m.angle = address
			}
			m.angular = true
			joined = false
		case isSpace(c) || c == '(' || c == ')' || c == '>':
			// Space around "." and "@" is obsolete (RFC 5322 section 4.4).
			s.pos++
			joined = false
		default:
			word := s.word()
			last := len(m.words) - 1
			if word == "" {
				continue
			}
			if last >= 0 && len(m.words[last]) < maxWord && (joined || glued(m.words[last], word)) {
				m.words[last] += word
			} else {
				m.words = append(m.words, word)
			}
			joined = true
		}
	}
	return m
}

// glued reports whether two words are one address with white space or comments in it.
func glued(a, b string) bool {
	switch {
	case strings.HasSuffix(a, "@"), strings.HasPrefix(b, "@"):
		return true
	case strings.HasPrefix(b, "."):
		return strings.Contains(a, "@")
	}
	return strings.HasSuffix(a, ".") && strings.Contains(a, "@") && !strings.Contains(b, "@")
}

// word reads a run of characters, a quoted string or a domain literal.
func (s *scanner) word() string {
	start := s.pos
	switch s.text[s.pos] {
	case '"':
		if s.broken < maxBroken {
			if end := quotedEnd(s.text[s.pos:]); end > 0 {
				s.pos += end
				return s.text[start:s.pos]
			}
		}
		s.broken++
		s.pos++ // a quote that is never closed is none
		return ""
	case '[':
		if s.broken < maxBroken {
			if end := strings.IndexByte(s.text[s.pos:], ']'); end > 0 {
				s.pos += end + 1
				return s.text[start:s.pos]
			}
		}
		s.broken++
	}
	for s.pos++; s.pos < len(s.text); s.pos++ {
		if c := s.text[s.pos]; isSpace(c) || strings.IndexByte(`,;:()<>"[`, c) >= 0 {
			break
		}
	}
	return s.text[start:s.pos]
}

// quotedEnd returns the length of the quoted string that text begins with, 0 if it
// is not closed.
func quotedEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// comment passes over a comment, with the comments in it (RFC 5322 section 3.2.2),
// and reports whether there is one: it may never be closed.
func (s *scanner) comment() bool {
	if s.broken >= maxBroken {
		return false
	}
	depth := 0
	for i := s.pos; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				s.pos = i + 1
				return true
			}
		}
	}
	s.broken++
	return false
}

// angle reads an address in angle brackets, and returns it without comments, white
// space and an obsolete route (RFC 5322 section 4.4). Where the closing bracket is
// missing, it ends with the word.
func (s *scanner) angle() string {
	var b strings.Builder
	closed := s.pos < s.angles
	spaced := false
loop:
	for s.pos++; s.pos < len(s.text); {
		c := s.text[s.pos]
		route := b.Len() > 0 && b.String()[0] == '@'
		switch {
		case c == '>':
			s.pos++
			break loop
		case c == '(' && s.comment():
		case c == '"':
			b.WriteString(s.word())
		case b.Len() == 0 && (isSpace(c) || c == '<'):
			s.pos++
		case isSpace(c) && closed:
			spaced = true
			s.pos++
		case isSpace(c), c == '<', c == ',' && !route:
			break loop
		default:
			b.WriteByte(c)
			s.pos++
		}
	}
	if spaced && strings.IndexByte(b.String(), '@') < 0 {
		return "" // words, no address
	}
	return trimAddress(b.String())
}

// address returns the mailbox's address, "" if it has none.
func (m mailbox) address() string {
	if m.angular {
		return m.angle
	}
	// In "Paul Boddie paul@example.com" the brackets are missing.
	for _, word := range m.words {
		if address := trimAddress(word); plausible(address) {
			return address
		}
	}
	return ""
}

// trimAddress takes away what clients put around an address.
func trimAddress(text string) string {
	if strings.HasPrefix(text, "@") {
		_, text, _ = strings.Cut(text, ":")
	}
	if len(text) > 7 && strings.EqualFold(text[:7], "mailto:") {
		text = text[7:]
	}
	if len(text) > 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		text = text[1 : len(text)-1]
	}
	return text
}

// plausible reports whether text is a local part, "@" and a domain.
func plausible(text string) bool {
	at := strings.LastIndexByte(text, '@')
	if at <= 0 || at == len(text)-1 {
		return false
	}
	local, domain := text[:at], text[at+1:]
	const special = `"<>()[],;:\@`
	return (local[0] == '"' && quotedEnd(local) == len(local) || !strings.ContainsAny(local, special)) &&
		(domain[0] == '[' || domain[0] != '.' && !strings.ContainsAny(domain, special))
}

// addressLike returns the tokens of text that look like addresses.
func addressLike(text string) []string {
	var found []string
	for _, token := range strings.FieldsFunc(text, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune(`"<>()[],;:\`, r)
	}) {
		if token = trimAddress(token); plausible(token) {
			found = append(found, token)
		}
	}
	return found
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
