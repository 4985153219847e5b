package mail

import (
	"bytes"
	"io"
	"slices"
)

// How much is read at once at most, which is also how much room there is at first, enough for
// most invitations; and how much at least.
const (
	mostRead  = 32 << 10
	leastRead = 4 << 10
)

// What is kept of a mail beside its calendars, in octets.
const (
	// maxKept is how much is kept of what is of no use here, such as attachments: small mail
	// is kept just as it came.
	maxKept = 1 << 20

	// maxStructure is how much the headers of parts take that cannot be left out.
	maxStructure = 8 << 20

	// maxHeader is how much of a header is looked at again if it turns out to be none, and how
	// long a line in it can be.
	maxHeader = 2 << 20

	// maxAhead is how far the text after a line is read that looks like the delimiter of a
	// multipart with a wrong boundary, before it is taken for one.
	maxAhead = 1 << 20
)

// more reads more of the mail, and reports whether there was more.
func (p *parser) more() bool {
	if p.rest == nil {
		return false
	}
	if p.data == nil {
		p.data = make([]byte, 0, p.first())
	}
	if cap(p.data)-len(p.data) < max(leastRead, min(len(p.data)/4, mostRead)) {
		p.data = slices.Grow(p.data, mostRead)
	}
	n, err := io.ReadAtLeast(p.rest, p.data[len(p.data):min(cap(p.data), len(p.data)+mostRead)], 1)
	p.data = p.data[:len(p.data)+n]
	if err != nil {
		p.rest = nil
		if err != io.EOF {
			p.failure = err
		}
	}
	return n > 0
}

// first returns how much room there is at first: no more than a small mail needs whose size is known.
func (p *parser) first() int {
	if sized, ok := p.rest.(interface{ Size() int64 }); ok {
		return int(min(sized.Size()/4*5+leastRead, mostRead))
	}
	return mostRead
}

// have reads until there are n octets at pos, and reports whether there are.
func (p *parser) have(pos, n int) bool {
	for len(p.data)-pos < n {
		if !p.more() {
			return false
		}
	}
	return true
}

// leaveOut takes data[from:to] out, which nobody wants to see again: what stands behind it
// moves to from.
func (p *parser) leaveOut(from, to int) {
	if from >= to {
		return
	}
	p.data = slices.Delete(p.data, from, to)
	if p.encoded == 0 {
		p.message.LeftOut += int64(to - from)
	}
}

// keptUntil returns the place from which on what is of no use can be left out, where pos is
// the first that is of none.
func (p *parser) keptUntil(pos int) int {
	return pos + max(0, maxKept-p.beside(pos))
}

// beside returns how much of data[:pos] is no calendar.
func (p *parser) beside(pos int) int { return pos - p.calendars }

// findLineBreak finds out whether lines end in carriage returns only: where there is no line
// feed at its beginning.
func (p *parser) findLineBreak() {
	p.lineBreak = '\n'
	for {
		begin := p.data[:min(len(p.data), mostRead)]
		if bytes.IndexByte(begin, '\n') >= 0 {
			return
		}
		if len(begin) == mostRead || !p.more() {
			if bytes.IndexByte(begin, '\r') >= 0 {
				p.lineBreak = '\r'
			}
			return
		}
	}
}

// line returns the line at pos, without its line break, and where the next begins.
// "\r\r\n", which broken gateways make, is one line break. A line can be longer than
// maxHeader: then it is its beginning, whole is false, and next is where that ends.
func (p *parser) line(pos int) (line []byte, next int, whole bool) {
	for from := pos; ; {
		if end := bytes.IndexByte(p.data[from:], p.lineBreak); end >= 0 && from+end-pos <= maxHeader {
			return bytes.TrimRight(p.data[pos:from+end], "\r"), from + end + 1, true
		}
		if len(p.data)-pos > maxHeader {
			return p.data[pos : pos+maxHeader], pos + maxHeader, false
		}
		from = len(p.data)
		if !p.more() {
			return bytes.TrimRight(p.data[pos:], "\r"), len(p.data), true
		}
	}
}

// lineAfter returns where the line begins that follows pos, without keeping what is before it.
func (p *parser) lineAfter(pos int) int {
	for {
		if end := bytes.IndexByte(p.data[pos:], p.lineBreak); end >= 0 {
			p.leaveOut(pos, pos+end)
			return pos + 1
		}
		p.leaveOut(pos, len(p.data))
		if !p.more() {
			return pos
		}
	}
}

// lineAndDashes is what stands before a line that may be a delimiter, by the last octet of lines.
var lineAndDashes = map[byte][]byte{'\n': []byte("\n--"), '\r': []byte("\r--")}

// dashes returns where the first line at or after pos begins that begins with two dashes,
// or the place up to which there is none in what has been read; then found is false.
func (p *parser) dashes(pos int) (at int, found bool) {
	skip := bytes.Index(p.data[pos:], lineAndDashes[p.lineBreak])
	if skip < 0 {
		return max(pos, len(p.data)-2), false
	}
	return pos + skip + 1, true
}

// edge is where an entity ends: at a delimiter of an open multipart, or at the
// end of the mail (level -1).
type edge struct {
	level int  // which of the open multiparts it delimits
	last  bool // the delimiter closes that multipart
	end   int  // where the content before it ends
	next  int  // where the line after it begins
}

// noEdge is where all ends that is read.
func (p *parser) noEdge() edge { return edge{level: -1, end: len(p.data), next: len(p.data)} }

// delimiterAt returns the delimiter at pos, where a line begins that follows content.
func (p *parser) delimiterAt(content, pos int) (edge, bool) {
	if !p.have(pos, 2) || p.data[pos] != '-' || p.data[pos+1] != '-' {
		return edge{}, false
	}
	line, next, whole := p.line(pos)
	if !whole {
		return edge{}, false
	}
	level, last, found := p.delimiter(line)
	return edge{level: level, last: last, end: p.contentEnd(content, pos), next: next}, found
}

// skip returns the first delimiter at or after pos, which is where a line begins. What is
// before it, from begin on, is of no use, and is left out if it is much.
func (p *parser) skip(begin, pos int) edge {
	cut := p.keptUntil(begin)
	for at, found := pos, true; ; {
		if found {
			if e, ok := p.delimiterAt(pos, at); ok {
				return p.shorten(e, cut, at)
			}
			if at-cut > mostRead {
				at = p.shorten(edge{next: at}, cut, at).next
				pos = min(pos, cut)
			}
		}
		if at, found = p.dashes(at); found {
			continue
		}
		if at > cut {
			p.leaveOut(cut, at)
			at, pos = cut, min(pos, cut)
		}
		if !p.more() {
			p.leaveOut(min(cut, len(p.data)), len(p.data))
			return p.noEdge()
		}
	}
}

// shorten leaves out what is before the delimiter at pos, from cut on, but for the line break
// that the delimiter needs.
func (p *parser) shorten(e edge, cut, pos int) edge {
	if size := pos - 1 - cut; size > 0 {
		p.leaveOut(cut, cut+size)
		e.end, e.next = min(e.end, cut), e.next-size
	}
	return e
}

// keep returns the first delimiter at or after pos, which is where a line begins, and keeps
// what is before it. It returns false if that is more than most octets.
func (p *parser) keep(pos int, most int64) (edge, bool) {
	for at, found := pos, true; ; {
		if found {
			if e, ok := p.delimiterAt(pos, at); ok {
				return e, int64(e.end-pos) <= most
			}
		}
		if int64(at-pos) > most+2 { // a line break before a delimiter does not count
			return edge{}, false
		}
		if at, found = p.dashes(at); found {
			continue
		}
		if !p.more() {
			return p.noEdge(), int64(len(p.data)-pos) <= most
		}
	}
}
