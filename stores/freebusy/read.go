package freebusy

import (
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// Read reads a table's file. It never fails: it reads past damage, mends what can be
// mended, and says what it found, in order of lines.
//
// The table keeps data and refers to it, so it must not be changed afterwards. Reading
// a table changes nothing, as [Table.Changed] sees it, even if it was damaged or out of
// order; the text that [Table.Append] gives is in order and sound.
//
// DEVIATION: damaged-tables
// DEVIATION: unordered-table
func Read(data []byte, layout Layout) (*Table, []Damage) {
	r := &reader{
		layout: layout,
		// A string is what rows are cut from, and a copy of the file would double the
		// memory. Sound as long as nobody changes data, which is the caller's promise.
		text:   unsafe.String(unsafe.SliceData(data), len(data)),
		line:   1,
		sorted: true,
	}
	// The first lines tell about how many there are. No more would fit than of the shortest.
	first := r.text[:min(len(r.text), 8<<10)]
	if first != "" {
		lines := strings.Count(first, "\n") + 1
		guess := lines * (len(data)/len(first) + 1)
		r.rows = make([]string, 0, min(guess+guess/8, len(data)/uidAt+1))
	}
	r.skipMark()
	for r.at < len(r.text) {
		if !r.sound() {
			r.mend()
		}
	}
	if !r.sorted {
		slices.SortStableFunc(r.rows, r.layout.compare)
	}
	return &Table{layout: layout, rows: r.rows}, r.damages
}

// reader goes through a file, record by record.
type reader struct {
	layout  Layout
	text    string // the file
	at      int    // up to where it has been read
	line    int    // the line that at is in, from 1
	rows    []string
	sorted  bool   // rows are in order
	day     uint64 // the last date that was found good
	damages []Damage
}

// add adds a row, and notes if it comes out of order.
func (r *reader) add(row string) {
	if n := len(r.rows); n > 0 && r.layout.compare(r.rows[n-1], row) > 0 {
		r.sorted = false
	}
	r.rows = append(r.rows, row)
}

// Marks in eight octets at a time: adding controlRoom brings all but control
// characters over 127.
const (
	lowBits     = 0x7f7f7f7f7f7f7f7f
	controlRoom = 0x6060606060606060
)

// sound reads the line at r.at if it is a record just as the original writes it, and
// reports whether it was. This is the way for nearly every line, and it is all about
// speed: eight octets at a step, which finds the TABs, the end of the line, and whatever
// should not be there in one go. Anything unusual is left to mend.
func (r *reader) sound() bool {
	text := r.text[r.at:]
	if len(text) < uidAt || text[stampSize] != '\t' || text[uidAt-1] != '\t' ||
		!r.soundStamp(text[:stampSize]) || !r.soundStamp(text[endAt:uidAt-1]) {
		return false
	}
	var tabs [5]int // after the UID, the transparency, and so on
	want := r.layout.columns() - 3
	found, end := 0, -1
	foreign := uint64(0)
	for i := uidAt; end < 0; i += 8 {
		w := loadLine(text, i)
		foreign |= w
		for m := ^(w | (w&lowBits + controlRoom)) & eachHigh; m != 0; m &= m - 1 {
			bit := bits.TrailingZeros64(m) &^ 7
			at := i + bit/8
			switch c := byte(w >> bit); {
			case c == '\t':
				if found == want {
					return false
				}
				tabs[found] = at
				found++
				continue
			case c == '\n':
				end = at
			case c == '\r':
				if !strings.HasPrefix(text[at+1:], "\n") {
					return false
				}
				continue
			case breaksLine(rune(c)):
				return false
			default:
				continue
			}
			break
		}
	}
	if found != want || tabs[1] == tabs[0]+1 {
		return false
	}
	row := strings.TrimRight(strings.TrimSuffix(text[:end], "\r"), " ")
	if foreign&eachHigh != 0 && !(utf8.ValidString(row) && strings.IndexFunc(row, breaksLine) < 0) {
		return false
	}
	organizer := row[tabs[3]+1:]
	if r.layout != Plain {
		organizer = text[tabs[3]+1 : tabs[4]]
	}
	if organizer != "" && !isURI(organizer) {
		return false // half a summary with a TAB in it, perhaps
	}
	if r.layout == Expiring {
		expires := row[tabs[4]+1:]
		if expires != "" && (len(expires) != stampSize || !r.soundStamp(expires)) {
			return false
		}
	}
	r.add(row)
	r.at += min(end+1, len(text))
	r.line++
	return true
}

// soundStamp reports whether stampSize octets are a UTC date-time. Neighbouring
// times have their dates in common, mostly.
func (r *reader) soundStamp(text string) bool {
	if day := load(text); day != r.day {
		if !isDay(text[:8]) {
			return false
		}
		r.day = day
	}
	return isClock(text[8:])
}

// loadLine returns the eight octets of text at i, the first one lowest. After its end
// there are line feeds.
func loadLine(text string, i int) uint64 {
	if i+8 <= len(text) {
		return load(text[i:])
	}
	last := []byte("\n\n\n\n\n\n\n\n")
	copy(last, text[min(i, len(text)):])
	return load(string(last))
}

// breaksLine reports whether the original takes the character for the end of a line.
func breaksLine(c rune) bool {
	switch c {
	case '\n', '\r', '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, '\u2028', '\u2029':
		return true
	}
	return false
}
