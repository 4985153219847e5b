package freebusy

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"time"
)

// Table is a free/busy table. Make one with [Read] or [New].
type Table struct {
	layout   Layout
	rows     []string // in order, each a line without its end
	removed  []string // rows that went since Read or New
	inserted []string // rows that came since Read or New
}

// New returns a table of the periods, put in order.
func New(layout Layout, periods ...Period) *Table {
	t := &Table{layout: layout}
	t.InsertAll(periods)
	t.inserted = nil
	return t
}

// Len returns the number of records.
func (t *Table) Len() int { return len(t.rows) }

// All yields the records in order.
func (t *Table) All() iter.Seq[Period] {
	return func(yield func(Period) bool) {
		for _, r := range t.rows {
			if !yield(period(t.layout, r)) {
				return
			}
		}
	}
}

// Insert adds a record at its place and reports whether it did: a record that is
// equal in start, end, UID and recurrence id to one that is there changes nothing.
func (t *Table) Insert(p Period) bool {
	r := row(t.layout, p)
	at, found := slices.BinarySearchFunc(t.rows, r, compare)
	if found {
		return false
	}
	t.rows = slices.Insert(t.rows, at, r)
	t.inserted = append(t.inserted, r)
	return true
}

// InsertAll adds many records, as Insert does one, in time linear in the table.
func (t *Table) InsertAll(periods []Period) {
	if len(periods) == 0 {
		return
	}
	fresh := make([]string, len(periods))
	for i, p := range periods {
		fresh[i] = row(t.layout, p)
	}
	slices.SortStableFunc(fresh, compare)
	merged := make([]string, 0, len(t.rows)+len(fresh))
	old := t.rows
	for _, r := range fresh {
		n := 0
		for n < len(old) && compare(old[n], r) <= 0 {
			n++
		}
		merged = append(merged, old[:n]...)
		old = old[n:]
		if len(merged) > 0 && compare(merged[len(merged)-1], r) == 0 {
			continue
		}
		merged = append(merged, r)
		t.inserted = append(t.inserted, r)
	}
	t.rows = append(merged, old...)
}

// removeFunc removes the rows that match and returns their number.
func (t *Table) removeFunc(match func(row string) bool) int {
	before := len(t.rows)
	t.rows = slices.DeleteFunc(t.rows, func(r string) bool {
		if !match(r) {
			return false
		}
		t.removed = append(t.removed, r)
		return true
	})
	return before - len(t.rows)
}

// Remove removes all records of exactly that event: of the whole event and none of
// its recurrences if recurrenceID is empty. It returns their number.
func (t *Table) Remove(uid, recurrenceID string) int {
	uid, recurrenceID = Clean(uid), Clean(recurrenceID)
	return t.removeFunc(func(r string) bool {
		k := split(r)
		return k[2] == uid && k[4] == recurrenceID
	})
}

// RemoveStarting removes the records of exactly that event that start at that instant.
func (t *Table) RemoveStarting(uid, recurrenceID string, at time.Time) int {
	uid, recurrenceID = Clean(uid), Clean(recurrenceID)
	start := stamp(at)
	return t.removeFunc(func(r string) bool {
		k := split(r)
		return k[0] == start && k[2] == uid && k[4] == recurrenceID
	})
}

// RemoveRecurrences removes the records of the event's recurrences, except of those
// that keep wants, and none of the whole event. It returns their number.
func (t *Table) RemoveRecurrences(uid string, keep func(recurrenceID string) bool) int {
	uid = Clean(uid)
	return t.removeFunc(func(r string) bool {
		k := split(r)
		return k[2] == uid && k[4] != "" && !keep(k[4])
	})
}

// DropExpired removes the records of an Expiring table that have expired by now.
func (t *Table) DropExpired(now time.Time) int {
	if t.layout != Expiring {
		return 0
	}
	limit := stamp(now)
	return t.removeFunc(func(r string) bool {
		k := split(r)
		return k[7] != "" && k[7] <= limit
	})
}

// Changed reports whether the table's records differ from those that were read.
func (t *Table) Changed() bool {
	removed, inserted := t.Changes()
	return len(removed)+len(inserted) > 0
}

// Changes returns the records that went and those that came since the table was
// read. A record that went and came back is in neither.
func (t *Table) Changes() (removed, inserted []Period) {
	net := make(map[string]int)
	for _, r := range t.inserted {
		net[r]++
	}
	for _, r := range t.removed {
		net[r]--
	}
	for r, n := range net {
		for ; n > 0; n-- {
			inserted = append(inserted, period(t.layout, r))
		}
		for ; n < 0; n++ {
			removed = append(removed, period(t.layout, r))
		}
	}
	return removed, inserted
}

// Append appends the table's text to dst, as its file holds it.
func (t *Table) Append(dst []byte) []byte {
	size := 0
	for _, r := range t.rows {
		size += len(r) + 1
	}
	dst = slices.Grow(dst, size)
	for _, r := range t.rows {
		dst = append(dst, r...)
		dst = append(dst, '\n')
	}
	return dst
}

// compare orders rows by start, end, UID and recurrence id.
func compare(a, b string) int {
	x, y := split(a), split(b)
	return cmp.Or(
		strings.Compare(x[0], y[0]),
		strings.Compare(x[1], y[1]),
		strings.Compare(x[2], y[2]),
		strings.Compare(x[4], y[4]),
	)
}
