package mail

import (
	"bytes"
	"strings"
)

// The longest field values that are looked at, in octets, those of all From fields together.
// What is beyond is cut off.
const (
	maxFrom  = 1 << 20
	maxField = 64 << 10
)

// How many senders are looked at. Each of them is compared with each attendee.
const (
	maxFromFields = 100
	maxSenders    = 1000
)

// header is the fields of an entity that matter here, unfolded. Where a field
// that should be there once is there several times, the first one that says
// anything counts.
type header struct {
	from        [][]byte
	contentType []byte
	encoding    []byte
}

// bareBreaks returns the mail with line feeds for line breaks, if it has no line
// feed at all but carriage returns, else as it is.
func bareBreaks(source []byte) []byte {
	if bytes.IndexByte(source, '\n') >= 0 || bytes.IndexByte(source, '\r') < 0 {
		return source
	}
	return bytes.ReplaceAll(source, []byte{'\r'}, []byte{'\n'})
}

// header reads the header at pos and returns it and where the body begins.
//
// Lines that are no field are passed over, as long as more fields follow. The
// header ends at a blank line, and also where one is missing: at a delimiter, at
// the beginning of a calendar, and at lines that are no fields if there is nothing
// else that could be the body.
//
// DEVIATION: broken-headers. The original ends the header at the first line that
// is no field, and takes the rest for text.
func (p *parser) header(pos int) (header, int) {
	var h header
	var kept *[]byte // the field that continuation lines belong to, nil if not wanted
	limit := maxField
	begin, fields := pos, 0
	bad := -1    // where lines begin that are no fields and that no field follows
	inside := -1 // where a calendar begins in the header
	keep := func(text []byte) {
		if kept != nil {
			*kept = append(*kept, text[:min(len(text), limit-len(*kept))]...)
		}
	}

	body := -1 // after the blank line
	for p.have(pos, 1) && body < 0 {
		line, next, whole := p.line(pos)
		if _, _, found := p.delimiter(line); found {
			break
		}
		if pos-begin > maxHeader || !whole {
			switch {
			case inside >= 0:
				return h, inside
			case fields == 0:
				return header{}, begin
			}
			return h, p.longHeader(&h, pos)
		}
		name, value, ok := field(line)
		switch {
		case isBlankLine(line) && (len(line) == 0 || !p.continues(next)):
			body = next
		case isBlank(line[0]):
			keep(line)
		case beginsCalendar(line):
			kept = nil
			if len(h.contentType) > 0 {
				return h, pos
			}
			inside = pos // the rest of the header may be behind it
		case !ok:
			kept = nil
			// What mbox files and the pipes of mail systems put first is no field.
			if bad < 0 && !bytes.HasPrefix(line, []byte("From ")) && !bytes.HasPrefix(line, []byte(">From ")) {
				bad = pos
			}
		default:
			fields++
			bad = -1
			kept, limit = h.wants(name)
			keep(value)
		}
		pos = next
	}

	empty := func() bool { return body < 0 || p.nothing(body) }
	switch {
	case inside >= 0 && (len(h.contentType) == 0 || empty()):
		return h, inside
	case fields == 0 && bad >= 0:
		return header{}, begin // no header at all: all of it is body
	case bad >= 0 && empty():
		return h, bad
	}
	return h, pos
}

// longHeader goes on at pos with a header that is longer than what is looked at again, and
// returns where the body begins. Only fields of one line are read, and only those kept that
// are wanted.
func (p *parser) longHeader(h *header, pos int) int {
	for begin := pos; ; {
		if !p.have(pos, 1) {
			p.leaveOut(begin, pos)
			return begin
		}
		line, next, whole := p.line(pos)
		name, value, ok := field(line)
		_, _, delimiter := p.delimiter(line)
		blank := whole && isBlankLine(line)
		if delimiter || blank || !whole && !ok && !isBlank(line[0]) { // no header has such a line
			p.leaveOut(begin, pos)
			if blank {
				return next - (pos - begin)
			}
			return begin
		}
		var kept *[]byte
		if ok {
			var limit int
			if kept, limit = h.wants(name); kept != nil {
				*kept = append(*kept, value[:min(len(value), limit)]...)
			}
		}
		if !whole {
			next = p.lineAfter(next)
		}
		if kept != nil || next-begin > mostRead {
			to := next
			if kept != nil {
				to = pos
			}
			p.leaveOut(begin, to)
			next -= to - begin
			begin = next
		}
		pos = next
	}
}

// wants returns where the value of a field is to be kept, and how much of it at
// most; nil if it isn't wanted.
func (h *header) wants(name string) (kept *[]byte, limit int) {
	switch {
	case strings.EqualFold(name, "From") && len(h.from) < maxFromFields:
		limit = maxFrom
		for _, value := range h.from {
			limit -= len(value)
		}
		h.from = append(h.from, nil)
		return &h.from[len(h.from)-1], limit
	case strings.EqualFold(name, "Content-Type") && isBlankLine(h.contentType):
		return &h.contentType, maxField
	case strings.EqualFold(name, "Content-Transfer-Encoding") && isBlankLine(h.encoding):
		return &h.encoding, maxField
	}
	return nil, 0
}

// continues reports whether the line at pos is one of a header: then the line of
// white space before it did not end the header.
func (p *parser) continues(pos int) bool {
	line, _, _ := p.line(pos)
	if len(line) == 0 || beginsCalendar(line) {
		return false
	}
	_, _, ok := field(line)
	return ok || isBlank(line[0])
}

// nothing reports whether only white space stands between pos and the next delimiter, and
// not too much of it.
func (p *parser) nothing(pos int) bool {
	for begin := pos; p.have(pos, 1); {
		line, next, _ := p.line(pos)
		if _, _, found := p.delimiter(line); found {
			return true
		}
		if len(bytes.TrimSpace(line)) > 0 || pos-begin > maxAhead {
			return false
		}
		pos = next
	}
	return true
}

// field takes a header line apart. White space before the colon is obsolete but
// seen (RFC 5322 section 4.5).
func field(line []byte) (name string, value []byte, ok bool) {
	before, value, ok := bytes.Cut(line, []byte{':'})
	before = bytes.TrimRight(before, " \t")
	if !ok || len(before) == 0 {
		return "", nil, false
	}
	for _, c := range before {
		if c <= ' ' || c > '~' { // RFC 5322 section 2.2
			return "", nil, false
		}
	}
	return string(before), value, true
}

// beginsCalendar reports whether the line is the first of a calendar. It would
// pass for a header field.
func beginsCalendar(line []byte) bool {
	return len(line) >= 15 && bytes.EqualFold(bytes.TrimSpace(line), []byte("BEGIN:VCALENDAR"))
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isBlankLine(line []byte) bool { return len(bytes.TrimLeft(line, " \t")) == 0 }
