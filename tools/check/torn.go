package check

import (
	"strings"
	"time"

	"imip-agent/handlers/itip"
)

// tornLines are the damaged lines of the user's own free/busy table, of which there can be as
// many as there are records.
type tornLines struct {
	columns map[string]bool
	first   map[string]bool // columns at the beginning of a line, not empty
	last    map[string]bool // and at its end
	short   map[string]int  // lines that end before the UID, by how many are alike
}

// add adds damaged lines.
func (t *tornLines) add(text string) {
	if t.columns == nil {
		t.columns, t.first, t.last = make(map[string]bool), make(map[string]bool), make(map[string]bool)
		t.short = make(map[string]int)
	}
	for line := range strings.SplitSeq(text, "\n") {
		between := "\t"
		if !strings.Contains(line, between) {
			between = " "
		}
		columns := strings.Split(line, between)
		for _, column := range columns {
			t.columns[column] = true
			// A TAB may be missing before the transparency, or after the times.
			for _, transp := range []string{itip.Opaque, itip.Transparent, itip.Organizing} {
				if uid, found := strings.CutSuffix(column, transp); found {
					t.columns[uid] = true
				}
			}
			if len(column) > len(utcLayout) && column[len("20060102")] == 'T' && column[len(utcLayout)-1] == 'Z' {
				t.columns[column[len(utcLayout):]] = true
			}
		}
		t.first[columns[0]] = true
		t.last[columns[len(columns)-1]] = true
		if line != "" && len(line) <= timesSize {
			t.short[line]++
		}
	}
	delete(t.first, "")
	delete(t.last, "")
}

// timesSize is the size of the times of a record with the TABs after them, in octets.
const timesSize = 2 * (len(utcLayout) + 1)

func (t *tornLines) any() bool { return len(t.columns) > 0 }

// has reports whether a UID stands in a damaged line as one of its columns; at the line's ends
// what is left of one will do. In a line without TABs spaces have taken their place.
func (t *tornLines) has(uid string) bool {
	if !t.any() {
		return false
	}
	if t.columns[uid] {
		return true
	}
	for i := range len(uid) {
		if t.first[uid[i:]] || t.last[uid[:i+1]] {
			return true
		}
	}
	return false
}

// cutOff returns the damaged line, which ends before the UID, that a record is left of; empty if
// there is none. A line stands for one record: those that stand for others, used, count no more.
func (t *tornLines) cutOff(r row, used map[string]int) string {
	if len(t.short) == 0 {
		return ""
	}
	times := time.Unix(r.start, 0).UTC().Format(utcLayout) + "\t" + time.Unix(r.end, 0).UTC().Format(utcLayout) + "\t"
	for i := range len(times) {
		if line := times[:i+1]; t.short[line] > used[line] {
			return line
		}
	}
	return ""
}
