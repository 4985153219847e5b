package mail

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// What no real mail comes near, and what would cost too much.
const (
	maxDepth     = 1000
	maxParts     = 100_000
	maxCalendars = 1000     // calendar parts
	maxText      = 48 << 20 // octets of a calendar part's text, once it is decoded
	maxEncoded   = 10       // multiparts that are encoded as a whole, within each other
	maxAgain     = 64 << 20 // octets that are read again, since a boundary is guessed
)

// calendarTypes are the media types of calendar parts. Apple's and Google's
// programs send a copy of the event as application/ics; the vCalendar type is
// that of version 1.0.
var calendarTypes = map[string]bool{
	"text/calendar":    true,
	"text/x-vcalendar": true,
	"application/ics":  true,
}

// reading is what the parser of a mail and those of its encoded multiparts share.
type reading struct {
	message *Message
	limit   int64 // octets of calendar data that all parts may have
	left    int64 // octets of it that are left
	parts   int   // entities that may still be looked at
	again   int   // octets that may still be read again
	stopped bool  // the rest is not looked at
}

// parser goes over a mail, or over the decoded content of an encoded multipart,
// once, from start to end.
type parser struct {
	*reading
	data      []byte    // what has been read, without what was left out
	rest      io.Reader // what has not; nil: nothing
	failure   error     // of rest
	lineBreak byte      // the last octet of each line
	calendars int       // octets of data that are calendars
	base      int       // the depth at which data stands in the mail
	encoded   int       // how many encoded multiparts data stands in
	within    int       // how many enclosed messages the parser is in

	open  []string       // the boundaries of the multiparts that the parser is in, outermost first
	count map[string]int // how often each is in open
}

// stop has the rest of the mail not looked at.
func (p *parser) stop(reason string) edge {
	p.unread(reason)
	p.stopped = true
	return p.noEdge()
}

// unread notes why something is not looked at, once.
func (p *parser) unread(reason string) {
	if !slices.Contains(p.message.Unread, reason) {
		p.message.Unread = append(p.message.Unread, reason)
	}
}

// top reads the whole mail.
func (p *parser) top() {
	p.more()
	p.findLineBreak()
	pos := 0
	for p.have(pos, 1) { // blank lines before the header
		line, next, _ := p.line(pos)
		if len(bytes.TrimSpace(line)) > 0 {
			break
		}
		if pos = next; pos > maxAhead {
			p.leaveOut(0, pos)
			pos = 0
		}
	}
	p.entity(pos, "text/plain", 0)
}

// entity reads the entity at pos, and returns where it ends.
func (p *parser) entity(pos int, byDefault string, depth int) edge {
	switch {
	case p.stopped:
		return p.noEdge()
	case p.parts == 0 || p.base+depth > maxDepth:
		return p.stop(fmt.Sprintf("the message has more than %d parts, or parts more than %d deep", maxParts, maxDepth))
	case p.beside(pos) > maxStructure:
		return p.stop(fmt.Sprintf("the headers of the message's parts have more than %d octets", maxStructure))
	}
	p.parts--

	h, body := p.header(pos)
	top := p.base+depth == 0
	if top {
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
		return p.multipart(h, ct, p.passHeader(pos, body), depth)
	case kind == "message":
		return p.enclosed(h, p.passHeader(pos, body), depth)
	case calendarTypes[ct.media] && ct.method != "" && p.within == 0:
		return p.calendar(h, ct, body)
	}
	if top {
		pos = body
	}
	return p.skip(pos, body)
}

// passHeader leaves the header from pos to body out, if it is of an enclosed message or in it,
// and much has been kept, and returns where the body begins then.
func (p *parser) passHeader(pos, body int) int {
	cut := p.keptUntil(pos)
	if p.within == 0 || cut >= body {
		return body
	}
	p.leaveOut(cut, body)
	return cut
}

// calendar reads a calendar part, whose body begins at pos.
func (p *parser) calendar(h header, ct contentType, pos int) edge {
	if len(p.message.Parts) == maxCalendars {
		return p.stop(fmt.Sprintf("the message has more than %d calendar parts", maxCalendars))
	}
	found, body, ok := p.content(h, pos)
	if !ok {
		return found
	}
	text := decodeText(decodeTransfer(h.encoding, body), ct.charset)
	if len(text) > maxText {
		p.unread(fmt.Sprintf("the text of a calendar part has more than %d octets", maxText))
		return found
	}
	p.message.Parts = append(p.message.Parts, Part{
		Type: ct.media, Method: ct.method, Charset: ct.charset, Text: text,
	})
	return found
}

// content returns the content at pos, as it is encoded, and where it ends; not ok if it is more
// calendar data than there may be.
func (p *parser) content(h header, pos int) (found edge, content []byte, ok bool) {
	if found, ok = p.keep(pos, p.most(h)); !ok {
		return p.stopOverLimit(), nil, false
	}
	content = p.data[pos:found.end]
	p.calendars += len(content)
	if p.encoded == 0 {
		size := int64(len(content))
		if transferOf(h.encoding) == base64Encoded {
			size -= size / 4
		}
		p.left -= min(p.left, size)
	}
	if p.lineBreak == '\r' {
		content = bareBreaks(content)
	}
	return found, content, true
}

// most returns how much more calendar data there may be, as it is encoded: in base64, it is a
// third larger, and there are line breaks.
func (p *parser) most(h header) int64 {
	switch {
	case p.encoded > 0: // it has been counted with what it is in
		return maxLimit
	case transferOf(h.encoding) == base64Encoded:
		return p.left + p.left/3 + p.left/16 + 100
	}
	return p.left
}

// stopOverLimit has the rest not looked at, since it has too much calendar data.
func (p *parser) stopOverLimit() edge {
	// DEVIATION: calendar-data-limit. The original has none.
	return p.stop(fmt.Sprintf("the message has more than %d octets of calendar data (MESSAGE_SIZE_LIMIT)", p.limit))
}

// multipart reads the parts of a multipart, whose body begins at pos (RFC 2046 section 5.1).
func (p *parser) multipart(h header, ct contentType, pos, depth int) edge {
	level := len(p.open)
	boundary := ct.boundary
	p.push(boundary)
	var found edge
	var g guess
	encoded := transferOf(h.encoding) != identity && p.within == 0 && p.again > 0
	if encoded {
		var ok bool
		if found, ok = p.keep(pos, p.most(h)); !ok {
			return p.stopOverLimit()
		}
		p.again -= found.end - pos
		g = p.guessIn(pos, found.end)
	} else {
		found, g = p.opening(pos)
	}
	if found.level != level {
		// DEVIATION: broken-multiparts. Its boundary is missing, or is not the one
		// that it names. The original takes it for text.
		p.pop(boundary)
		switch {
		case g.boundary != "":
			boundary = g.boundary
			p.push(boundary)
			found, _ = p.delimiterAt(pos, g.at)
		case encoded:
			// Not allowed (RFC 2045 section 6.4), and seen.
			return p.container(h, pos, depth)
		default:
			return found
		}
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
		found = p.skip(found.next, found.next) // the epilogue
	}
	return found
}

// guess is where a line is that looks like a delimiter.
type guess struct {
	boundary string
	at       int
}

// opening returns the first delimiter in the innermost multipart, whose body begins at pos. Where
// that is none of its own, or does not come soon, it returns also the first line that looks like one.
func (p *parser) opening(pos int) (edge, guess) {
	level := len(p.open) - 1
	cut := p.keptUntil(pos)
	var g guess
	for at, found := pos, true; ; {
		far := at-g.at > maxAhead
		if found && !(g.boundary != "" && far) {
			if e, ok := p.delimiterAt(pos, at); ok {
				if g.boundary == "" {
					return p.shorten(e, cut, at), g
				}
				if e.level != level {
					p.again -= at - g.at
				}
				return e, g
			}
			if g.boundary == "" {
				if p.again > 0 {
					g.boundary = p.looksDelimiting(at)
				}
				if g.boundary != "" || at-cut > mostRead {
					at = p.shorten(edge{next: at}, cut, at).next
					pos = min(pos, cut)
				}
				g.at = at
				far = p.open[level] == "" // no delimiter of its own will come
			}
		}
		if g.boundary != "" && far {
			p.again -= at - g.at
			return edge{level: -1}, g
		}
		if at, found = p.dashes(at); found {
			continue
		}
		if at > cut && g.boundary == "" {
			p.leaveOut(cut, at)
			at, pos = cut, min(pos, cut)
		}
		if !p.more() {
			return p.noEdge(), g
		}
	}
}

// guessIn returns the first line in data[pos:end] that looks like a delimiter.
func (p *parser) guessIn(pos, end int) guess {
	for at, found := pos, true; found && at < end; at, found = p.dashes(at) {
		if boundary := p.looksDelimiting(at); boundary != "" {
			return guess{boundary, at}
		}
	}
	return guess{}
}

// looksDelimiting returns the boundary in the line at pos if that looks like a delimiter: "--",
// text, and on the next line a field of MIME's.
func (p *parser) looksDelimiting(pos int) string {
	line, next, _ := p.line(pos)
	text, dashes := bytes.CutPrefix(line, []byte("--"))
	text = bytes.TrimRight(text, " \t")
	if !dashes || len(text) == 0 || len(text) > 200 || isBlank(text[0]) {
		return ""
	}
	boundary := string(text)
	after, _, _ := p.line(next)
	name, _, ok := field(after)
	if !ok || len(name) <= 8 || !strings.EqualFold(name[:8], "Content-") {
		return ""
	}
	return boundary
}

// enclosed reads an enclosed message, which begins at pos (RFC 2046 section 5.2), to
// know where it ends, and whether it is about a delivery. Calendars in it are somebody
// else's, or were handled when they were sent. It may not be encoded, so where that is
// said of it, it is often not so; where it is so, it is not looked at.
//
// DEVIATION: enclosed-messages. The original handles what is in them.
func (p *parser) enclosed(h header, pos, depth int) edge {
	switch transferOf(h.encoding) {
	case base64Encoded, uuEncoded:
		line, _, _ := p.line(pos)
		if _, _, ok := field(line); !ok {
			return p.skip(pos, pos)
		}
	}
	p.within++
	defer func() { p.within-- }()
	return p.entity(pos, "text/plain", depth+1)
}

// container reads a multipart that is encoded as a whole and begins at pos.
func (p *parser) container(h header, pos, depth int) edge {
	if p.encoded == maxEncoded {
		return p.stop(fmt.Sprintf("the message has more than %d multiparts encoded within each other", maxEncoded))
	}
	found, body, ok := p.content(h, pos)
	if !ok {
		return found
	}
	decoded := slices.Concat([]byte("Content-Type:"), h.contentType, []byte("\n\n"), decodeTransfer(h.encoding, body))
	inner := newParser(p.reading, bareBreaks(decoded))
	inner.base, inner.encoded = p.base+depth+1, p.encoded+1
	inner.entity(0, "text/plain", 0)
	if p.stopped {
		return p.noEdge()
	}
	return found
}

func newParser(shared *reading, data []byte) *parser {
	return &parser{reading: shared, data: data, lineBreak: '\n', count: make(map[string]int)}
}

func (p *parser) push(boundary string) {
	p.open = append(p.open, boundary)
	p.count[boundary]++
}

func (p *parser) pop(boundary string) {
	p.open = p.open[:len(p.open)-1]
	p.count[boundary]--
}

// contentEnd returns where the content ends that begins at pos and is followed by
// a delimiter at end: the line break before a delimiter belongs to it.
func (p *parser) contentEnd(pos, end int) int {
	if end > pos && p.data[end-1] == p.lineBreak {
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
