package freebusy

import (
	"strings"
	"unicode/utf8"
)

// skipMark goes past a byte order mark at the start of the file.
func (r *reader) skipMark() {
	const mark = "\ufeff"
	if strings.HasPrefix(r.text, mark) {
		r.at = len(mark)
		r.damages = append(r.damages, Damage{Line: 1, Text: mark, Flaws: []Flaw{ByteOrderMark}})
	}
}

// mend reads whatever is at r.at that is not a sound line: a record with something
// wrong in it, in one line or in pieces over several, or blank lines, or lines that are
// no part of any record.
func (r *reader) mend() {
	p := r.piece(r.at)
	switch {
	case p.text == "":
		r.skip(p, BlankLine, func(next piece) bool { return next.text == "" })
	case strings.Trim(p.text, "\x00") == "":
		r.skip(p, OnlyNULs, func(next piece) bool { return next.text != "" && strings.Trim(next.text, "\x00") == "" })
	case !p.begins():
		r.skip(p, NoRecord, func(next piece) bool { return next.text != "" && !next.begins() })
	default:
		r.record(p)
	}
}

// skip goes past p and all that follows it and is alike, and notes that as one damage.
func (r *reader) skip(p piece, flaw Flaw, alike func(piece) bool) {
	line := r.line
	start, end := r.at, p.end
	for alike(p) {
		end = p.end
		r.pass(p)
		if r.at == len(r.text) {
			break
		}
		p = r.piece(r.at)
	}
	r.damages = append(r.damages, Damage{Line: line, Text: r.text[start:end], Flaws: []Flaw{flaw}})
}

// pass goes past a piece.
func (r *reader) pass(p piece) {
	r.at = p.next
	if r.text[p.next-1] == '\n' {
		r.line++
	}
}

// record reads the record that begins with p.
func (r *reader) record(p piece) {
	line, start := r.line, r.at
	d := draft{layout: r.layout}
	d.join(p.text)
	short := d.columns() < r.layout.columns()

	// What follows is taken to be more of it as long as the organizer is missing, and as
	// far as that makes a record.
	pieces, end := 1, p
	good := d
	for n := 1; !d.ended(); n++ {
		next, found := r.next(p.next)
		if !found || next.begins() || !d.takes(next.text) {
			break
		}
		d.join(next.text)
		p = next
		if d.ended() || short && d.columns() == r.layout.columns() {
			good, pieces, end = d, n+1, p
		}
	}
	for r.at < end.next {
		r.pass(r.piece(r.at))
	}

	row, flaws, ok := good.settle(pieces)
	if ok {
		r.add(row)
	}
	if len(flaws) > 0 {
		r.damages = append(r.damages, Damage{Line: line, Text: r.text[start:end.end], Flaws: flaws})
	}
}

// next returns the next piece from at on that is not blank.
func (r *reader) next(at int) (p piece, found bool) {
	for ; at < len(r.text); at = p.next {
		if p = r.piece(at); p.text != "" {
			return p, true
		}
	}
	return piece{}, false
}

// piece is a line as the original's programs see it: they end one at more characters
// than they should.
type piece struct {
	text string // without spaces around it
	end  int    // where it ends in the file
	next int    // where the next one begins
}

func (r *reader) piece(at int) piece {
	rest := r.text[at:]
	for i, c := range rest {
		if !breaksLine(c) {
			continue
		}
		next := i + utf8.RuneLen(c)
		if strings.HasPrefix(rest[i:], "\r\n") {
			next++
		}
		return piece{text: strings.Trim(rest[:i], " "), end: at + i, next: at + next}
	}
	return piece{text: strings.Trim(rest, " "), end: len(r.text), next: len(r.text)}
}

// begins reports whether a record begins here, and nothing else could: with two times.
func (p piece) begins() bool {
	start, rest, found := strings.Cut(p.text, "\t")
	if !found {
		return false
	}
	end, _, _ := strings.Cut(rest, "\t")
	_, startOK := normalStamp(start)
	_, endOK := normalStamp(end)
	return startOK && endOK
}
