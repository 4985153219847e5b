package mail

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// What no real mail comes near, and what would cost too much.
const (
	maxDepth     = 1000
	maxParts     = 100_000
	maxCalendars = 50       // calendar parts
	maxText      = 48 << 20 // octets of a calendar part's text, once it is decoded
)

var (
	tooManyParts     = fmt.Sprintf("the message has more than %d parts, or parts more than %d deep: the rest is not looked at", maxParts, maxDepth)
	tooManyCalendars = fmt.Sprintf("the message has more than %d calendar parts: the rest is not looked at", maxCalendars)
)

// calendarTypes are the media types of calendar parts. Apple's and Google's
// programs send a copy of the event as application/ics; the vCalendar type is
// that of version 1.0.
var calendarTypes = map[string]bool{
	"text/calendar":    true,
	"text/x-vcalendar": true,
	"application/ics":  true,
}

// budget is what a mail may still cost.
type budget struct {
	parts  int // entities to look at
	octets int // octets to go over more than once: encoded containers, guessed boundaries
}

func newBudget(size int) *budget {
	return &budget{parts: maxParts, octets: 8*size + 64<<10}
}

// spend takes n octets, and reports whether there was that much left.
func (b *budget) spend(n int) bool {
	if n > b.octets {
		return false
	}
	b.octets -= n
	return true
}

// parser goes over a mail, or over the decoded content of an encoded container,
// once, from start to end.
type parser struct {
	message *Message
	data    []byte
	budget  *budget
	base    int // the depth at which data stands in the mail
	within  int // how many enclosed messages pos is in

	open  []string       // the boundaries of the multiparts that pos is in, outermost first
	count map[string]int // how often each is in open
}

func newParser(m *Message, data []byte, b *budget) *parser {
	return &parser{message: m, data: data, budget: b, count: make(map[string]int)}
}

// edge is where an entity ends: at a delimiter of an open multipart, or at the
// end of the data (level -1).
type edge struct {
	level int  // which of the open multiparts it delimits
	last  bool // the delimiter closes that multipart
	end   int  // where the content before it ends
	next  int  // where the line after it begins
}

// top reads the whole mail.
func (p *parser) top() {
	pos := 0
	for pos < len(p.data) { // blank lines before the header
		line, next := p.line(pos)
		if len(bytes.TrimSpace(line)) > 0 {
			break
		}
		pos = next
	}
	p.entity(pos, "text/plain", 0)
}

// entity reads the entity at pos, and returns where it ends.
func (p *parser) entity(pos int, byDefault string, depth int) edge {
	if p.budget.parts == 0 || p.base+depth > maxDepth {
		p.warn(tooManyParts)
		return p.edge(pos)
	}
	p.budget.parts--

	h, body := p.header(pos)
	if p.base+depth == 0 {
		p.message.From = addresses(h.from)
		p.message.From = p.message.From[:min(len(p.message.From), maxSenders)]
	}
	ct := parseContentType(h.contentType)
	if ct.media == "" {
		ct.media = byDefault // RFC 2045 section 5.2
	}
	switch kind, _, _ := strings.Cut(ct.media, "/"); {
	case ct.media == "message/delivery-status", ct.media == "message/global-delivery-status":
		// DEVIATION: international-delivery-reports. The original knows the first
		// only; the second is the same with UTF-8 (RFC 6533 section 3).
		p.message.Bounce = true
	case kind == "multipart":
		return p.multipart(h, ct, body, depth)
	case kind == "message":
		return p.enclosed(h, body, depth)
	case calendarTypes[ct.media] && ct.method != "" && p.within == 0:
		found := p.edge(body)
		p.calendar(h, ct, p.data[body:found.end])
		return found
	}
	return p.edge(body)
}

// calendar adds a calendar part.
func (p *parser) calendar(h header, ct contentType, body []byte) {
	if len(p.message.Parts) == maxCalendars {
		p.warn(tooManyCalendars)
		return
	}
	raw := decodeTransfer(h.encoding, body)
	text := decodeText(raw, ct.charset)
	if len(text) > maxText {
		p.warn("the text of a calendar part is too large, and is not looked at")
		return
	}
	p.message.Parts = append(p.message.Parts, Part{
		Type: ct.media, Method: ct.method, Charset: ct.charset, Text: text,
	})
}

// multipart reads the parts of a multipart, whose body begins at pos (RFC 2046 section 5.1).
func (p *parser) multipart(h header, ct contentType, pos, depth int) edge {
	level := len(p.open)
	boundary := ct.boundary
	p.push(boundary)
	found := p.edge(pos)
	if found.level != level {
		// DEVIATION: broken-multiparts. Its boundary is missing, or is not the one
		// that it names. The original takes it for text.
		p.pop(boundary)
		body := p.data[pos:found.end]
		boundary = ""
		if p.budget.spend(len(body)) {
			boundary = guessBoundary(body)
		}
		if boundary == "" {
			if transferOf(h.encoding) == identity {
				return found
			}
			// Not allowed (RFC 2045 section 6.4), and seen.
			return p.container(h, h.contentType, pos, depth)
		}
		p.push(boundary)
		found = p.edge(pos)
	}

	byDefault := "text/plain"
	if ct.media == "multipart/digest" { // RFC 2046 section 5.1.5
		byDefault = "message/rfc822"
	}
	for found.level == level && !found.last {
		found = p.entity(found.next, byDefault, depth+1)
	}
	p.pop(boundary)
	if found.level == level {
		found = p.edge(found.next) // the epilogue
	}
	return found
}

// enclosed reads an enclosed message, which begins at pos (RFC 2046 section 5.2), to
// know where it ends, and whether it is about a delivery. Calendars in it are somebody
// else's, or were handled when they were sent.
// It may not be encoded, so where that is said of it, it is often not so.
//
// DEVIATION: enclosed-messages. The original handles what is in them.
func (p *parser) enclosed(h header, pos, depth int) edge {
	p.within++
	defer func() { p.within-- }()
	switch transferOf(h.encoding) {
	case base64Encoded, uuEncoded:
		line, _ := p.line(pos)
		if _, _, ok := field(line); !ok {
			return p.container(h, nil, pos, depth)
		}
	}
	return p.entity(pos, "text/plain", depth+1)
}

// container reads a message, or with its Content-Type a multipart, that is
// encoded as a whole and begins at pos.
func (p *parser) container(h header, contentType []byte, pos, depth int) edge {
	found := p.edge(pos)
	body := p.data[pos:found.end]
	if !p.budget.spend(len(body)) {
		p.warn("the message has too many containers encoded within each other: the rest is not looked at")
		return found
	}
	decoded := decodeTransfer(h.encoding, body)
	if contentType != nil {
		decoded = slices.Concat([]byte("Content-Type:"), contentType, []byte("\n\n"), decoded)
	}
	inner := newParser(p.message, bareBreaks(decoded), p.budget)
	inner.base = p.base + depth + 1
	inner.within = p.within
	inner.entity(0, "text/plain", 0)
	return found
}

// warn notes what was not looked at, once.
func (p *parser) warn(text string) {
	for _, known := range p.message.Warnings {
		if known == text {
			return
		}
	}
	p.message.Warnings = append(p.message.Warnings, text)
}

func (p *parser) push(boundary string) {
	p.open = append(p.open, boundary)
	p.count[boundary]++
}

func (p *parser) pop(boundary string) {
	p.open = p.open[:len(p.open)-1]
	p.count[boundary]--
}

// edge returns the first delimiter at or after pos, which is where a line begins.
func (p *parser) edge(pos int) edge {
	for at := pos; at < len(p.data); {
		if bytes.HasPrefix(p.data[at:], []byte("--")) {
			line, next := p.line(at)
			if level, last, found := p.delimiter(line); found {
				return edge{level: level, last: last, end: p.contentEnd(pos, at), next: next}
			}
		}
		skip := bytes.Index(p.data[at:], []byte("\n--"))
		if skip < 0 {
			break
		}
		at += skip + 1
	}
	return edge{level: -1, end: len(p.data), next: len(p.data)}
}

// contentEnd returns where the content ends that begins at pos and is followed by
// a delimiter at end: the line break before a delimiter belongs to it.
func (p *parser) contentEnd(pos, end int) int {
	if end > pos && p.data[end-1] == '\n' {
		end--
		if end > pos && p.data[end-1] == '\r' {
			end--
		}
	}
	return end
}

// delimiter reports whether the line is a delimiter, of which of the open
// multiparts (the innermost, if some share a boundary), and whether it closes it.
func (p *parser) delimiter(line []byte) (level int, last, found bool) {
	if len(p.open) == 0 || !bytes.HasPrefix(line, []byte("--")) {
		return 0, false, false
	}
	line = bytes.TrimRight(line[2:], " \t")
	if len(line) == 0 {
		return 0, false, false
	}
	if p.count[string(line)] == 0 {
		short, closes := bytes.CutSuffix(line, []byte("--"))
		if !closes || len(short) == 0 || p.count[string(short)] == 0 {
			return 0, false, false
		}
		line, last = short, true
	}
	for level = len(p.open) - 1; p.open[level] != string(line); level-- {
	}
	return level, last, true
}

// guessBoundary returns the boundary of a multipart's body, judged by the first
// line that looks like a delimiter: "--", text, and on the next line a field of
// MIME's. It is "" if there is none.
func guessBoundary(body []byte) string {
	p := &parser{data: body}
	for at := 0; at < len(body); {
		line, next := p.line(at)
		at = next
		text, dashes := bytes.CutPrefix(line, []byte("--"))
		text = bytes.TrimRight(text, " \t")
		if !dashes || len(text) == 0 || len(text) > 200 || isBlank(text[0]) {
			continue
		}
		after, _ := p.line(next)
		name, _, ok := field(after)
		if ok && len(name) > 8 && strings.EqualFold(name[:8], "Content-") {
			return string(text)
		}
	}
	return ""
}
