package freebusy

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// The places of columns in a record.
const (
	uidColumn        = 2
	transpColumn     = 3
	recurrenceColumn = 4
	summaryColumn    = 5
)

// maxBroken bounds how long a record broken into several lines can be, in octets.
const maxBroken = 64 << 10

// draft is a record that is being put together from a line, or several, with something
// wrong in it. What makes it difficult is that a summary can hold TABs and line breaks
// as well as anything else, so that which column is which has to be seen from what is
// around the summary: five columns before it, the organizer after it.
type draft struct {
	layout Layout
	text   []byte
	tabs   []int // where they are in text
}

// join adds a line, with a space in place of the break before it.
func (d *draft) join(line string) {
	if n := len(d.text); n > 0 && d.text[n-1] != '\t' && !strings.HasPrefix(line, "\t") {
		d.text = append(d.text, ' ')
	}
	for i := range len(line) {
		if line[i] == '\t' {
			d.tabs = append(d.tabs, len(d.text)+i)
		}
	}
	d.text = append(d.text, line...)
}

// columns returns the number of columns up to now.
func (d *draft) columns() int { return len(d.tabs) + 1 }

// takes reports whether line may be more of this record.
func (d *draft) takes(line string) bool {
	n, want := strings.Count(line, "\t")+1, d.layout.columns()
	switch {
	case n >= want, len(d.text)+len(line) > maxBroken:
		return false
	case d.columns() <= uidColumn: // times do not break
		return false
	case d.columns() <= summaryColumn: // broken before the summary
		return d.columns()+n-1 == want
	}
	return true
}

// ended reports whether the organizer is there, so that nothing can be missing but what
// follows it.
func (d *draft) ended() bool {
	n := len(d.tabs)
	if n < summaryColumn+1 {
		return false
	}
	last := string(d.text[d.tabs[n-1]+1:])
	before := string(d.text[d.tabs[n-2]+1 : d.tabs[n-1]])
	if isURI(last) || isExpiry(last) {
		return true
	}
	return d.layout != Plain && n > summaryColumn+1 && (before == "" || isURI(before))
}

// settle returns the record's row and what was wrong with it. If it is not ok, there is
// no saying what the record was.
func (d *draft) settle(pieces int) (row string, flaws []Flaw, ok bool) {
	text, want := string(d.text), d.layout.columns()
	if !utf8.ValidString(text) {
		flaws = append(flaws, NotUTF8)
	}
	c := strings.Split(text, "\t")
	if len(c) > uidColumn && !utf8.ValidString(c[uidColumn]) ||
		len(c) > recurrenceColumn && !utf8.ValidString(c[recurrenceColumn]) {
		return "", []Flaw{EventNotUTF8}, false // nobody could remove it
	}
	start, _ := normalStamp(c[0])
	end, _ := normalStamp(c[1])
	if start != c[0] || end != c[1] {
		c[0], c[1] = start, end
		flaws = append(flaws, LocalTime)
	}
	if n := len(c) - 1; d.layout == Plain && n >= want && isExpiry(c[n]) &&
		(c[n] != "" || c[n-1] == "" || isURI(c[n-1])) {
		// The first releases had one layout for all tables, with the expiry time that
		// only offers have. Without it the time stays busy, which is the safe side.
		c = c[:n]
		flaws = append(flaws, OldLayout)
	}
	if n := len(c); d.layout == Expiring && n >= want && isURI(c[n-1]) {
		c = append(c, "")
		flaws = append(flaws, TooFewColumns)
	}
	if extra := len(c) - want; extra > 0 {
		after := summaryColumn + extra + 1
		summary := strings.Join(c[summaryColumn:after], " ")
		c = slices.Replace(c, summaryColumn, after, summary)
		pieces++
	}
	if pieces > 1 {
		flaws = append(flaws, BrokenValue)
		c[min(summaryColumn, len(c)-1)] = strings.Trim(c[min(summaryColumn, len(c)-1)], " ")
	}
	if len(c) < want && shifted(c) {
		return "", []Flaw{MissingTAB}, false
	}
	if at := strings.LastIndex(c[len(c)-1], "mailto:"); len(c) == summaryColumn+1 && at >= 0 {
		// Nothing but the TAB is missing before the organizer.
		c = append(c[:summaryColumn], strings.TrimRight(c[summaryColumn][:at], " "), c[summaryColumn][at:])
		flaws = append(flaws, TooFewColumns)
	}
	if len(c) < want {
		flaws = append(flaws, TooFewColumns)
		c = append(c, make([]string, want-len(c))...)
	}
	if c[transpColumn] == "" {
		c[transpColumn] = "OPAQUE"
	}
	if d.layout == Expiring {
		if !isExpiry(c[want-1]) {
			return "", []Flaw{BadExpiry}, false
		}
	}
	row = strings.ToValidUTF8(strings.Join(c, "\t"), "\uFFFD")
	return strings.TrimRight(row, " "), flaws, true
}

// shifted reports whether columns, of which there are too few, are not those that they should
// be: one before them has taken up the next.
func shifted(c []string) bool {
	if len(c) > transpColumn {
		switch c[transpColumn] {
		case "OPAQUE", "TRANSPARENT", "ORG":
		case "":
			if len(c) > recurrenceColumn { // the programs write none to no record
				return true
			}
		default:
			return true
		}
	}
	if len(c) <= recurrenceColumn || c[recurrenceColumn] == "" {
		return len(c) == summaryColumn+1 && isURI(c[summaryColumn])
	}
	_, ok := normalStamp(c[recurrenceColumn])
	return !ok
}

// isExpiry reports whether text is an expiry time, or none.
func isExpiry(text string) bool {
	return text == "" || len(text) == stampSize && isDay(text[:8]) && isClock(text[8:])
}

// isURI reports whether text looks like an organizer: a scheme (RFC 3986 section 3.1)
// and something after it without spaces.
func isURI(text string) bool {
	if strings.HasPrefix(text, "mailto:") {
		return true
	}
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return i > 0 && c == ':' && strings.IndexByte(text, ' ') < 0
		}
	}
	return false
}
