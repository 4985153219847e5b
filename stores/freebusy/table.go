package freebusy

import (
	"io"
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

	removals int                 // how often the rows of an event were looked for
	ofEvent  map[string][]string // the rows of each event, by UID, TAB and recurrence id, some of which are gone; nil at first
	apart    map[string][]string // the recurrence ids that rows of a UID have or had, with the same
}

// New returns a table of the periods, put in order and made safe as Insert does it.
func New(layout Layout, periods ...Period) *Table {
	t := &Table{layout: layout}
	t.InsertAll(periods)
	t.inserted = nil
	return t
}

// Layout returns which columns the table has.
func (t *Table) Layout() Layout { return t.layout }

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
// equal in start, end, UID and recurrence id to one that is there changes nothing. In a
// table that is Attended, records of different attendees are different.
func (t *Table) Insert(p Period) bool {
	fresh := rows(t.layout, []Period{p})
	return len(fresh) > 0 && t.insert(fresh[0])
}

func (t *Table) insert(row string) bool {
	at, found := slices.BinarySearchFunc(t.rows, row, t.layout.compare)
	if found {
		return false
	}
	t.rows = slices.Insert(t.rows, at, row)
	t.inserted = append(t.inserted, row)
	t.note([]string{row})
	return true
}

// fewRows are inserted one by one: that moves rows, where merging copies them all into a
// new place.
const fewRows = 4

// InsertAll adds many records, as Insert does one, in time linear in the table.
func (t *Table) InsertAll(periods []Period) {
	t.insertAll(rows(t.layout, periods))
}

// InsertFrom adds records of another table of the same layout, those that are wanted, as
// they stand there: what has control characters keeps them, where Insert would not put
// them into a table. Otherwise it is as InsertAll.
func (t *Table) InsertFrom(from *Table, wanted func(Period) bool) {
	var fresh []string
	for _, r := range from.rows {
		if wanted(period(from.layout, r)) {
			fresh = append(fresh, r)
		}
	}
	t.insertAll(fresh)
}

// Cleaned returns the table with all records made safe, as Insert does it, and those that
// were not, as they are now.
func (t *Table) Cleaned() (clean *Table, changed []Period) {
	clean = &Table{layout: t.layout, rows: slices.Clone(t.rows)}
	for i, r := range clean.rows {
		if strings.IndexFunc(r, func(c rune) bool { return c != '\t' && isControl(c) }) < 0 {
			continue
		}
		if safe := rows(t.layout, []Period{period(t.layout, r)}); len(safe) > 0 {
			clean.rows[i] = safe[0]
			changed = append(changed, period(t.layout, safe[0]))
		}
	}
	if len(changed) > 0 {
		slices.SortStableFunc(clean.rows, t.layout.compare)
	}
	return clean, changed
}

// insertAll adds rows.
func (t *Table) insertAll(fresh []string) {
	if len(fresh) <= fewRows {
		for _, r := range fresh {
			t.insert(r)
		}
		return
	}
	if !slices.IsSortedFunc(fresh, t.layout.compare) {
		slices.SortStableFunc(fresh, t.layout.compare)
	}
	before := len(t.inserted)
	merged := make([]string, 0, len(t.rows)+len(fresh))
	t.inserted = slices.Grow(t.inserted, len(fresh))
	rest := t.rows
	for _, r := range fresh {
		n := t.layout.countUpTo(rest, r)
		merged = append(merged, rest[:n]...)
		rest = rest[n:]
		if n := len(merged); n > 0 && t.layout.compare(merged[n-1], r) == 0 {
			continue
		}
		merged = append(merged, r)
		t.inserted = append(t.inserted, r)
	}
	t.rows = append(merged, rest...)
	t.note(t.inserted[before:])
}

// countUpTo returns how many of the rows, which are in order, come before r or equal it.
// It looks near the beginning first.
func (l Layout) countUpTo(rows []string, r string) int {
	low, step := 0, 1
	for low+step <= len(rows) && l.compare(rows[low+step-1], r) <= 0 {
		low += step
		step *= 2
	}
	high := min(low+step, len(rows))
	n, _ := slices.BinarySearchFunc(rows[low:high], r, func(row, r string) int {
		if l.compare(row, r) <= 0 {
			return -1
		}
		return 1
	})
	return low + n
}

// Remove removes all records of exactly that event: of the whole event and none of
// its recurrences if recurrenceID is empty. It returns their number.
func (t *Table) Remove(uid, recurrenceID string) int {
	return t.remove(Clean(uid)+"\t", Clean(recurrenceID))
}

// remove is Remove for a UID with the TAB after it, and a recurrence id, as rows have them.
func (t *Table) remove(prefix, recurrenceID string) int {
	if known, ok := t.rowsOf(prefix + recurrenceID); ok && len(known) <= fewRows {
		removed := 0
		for _, r := range known {
			at, _ := slices.BinarySearchFunc(t.rows, r, t.layout.compare)
			for at < len(t.rows) && t.rows[at] != r && t.layout.compare(t.rows[at], r) == 0 {
				at++
			}
			if at < len(t.rows) && t.rows[at] == r {
				t.removeAt(at)
				removed++
			}
		}
		delete(t.ofEvent, prefix+recurrenceID)
		return removed
	}
	return t.removeFunc(func(r string) bool {
		return strings.HasPrefix(r[uidAt:], prefix) && recurrenceOf(r, prefix) == recurrenceID
	})
}

// fewRemovals are done by going over all rows: an index takes as long to make as to go over them thirty to fifty times.
const fewRemovals = 40

// rowsOf returns the rows of an event, some of which may be gone, once this was asked more
// than a few times.
func (t *Table) rowsOf(event string) (rows []string, ok bool) {
	if !t.indexed() {
		return nil, false
	}
	return t.ofEvent[event], true
}

// indexed reports whether there is an index, which there is once this was asked more than a
// few times.
func (t *Table) indexed() bool {
	if t.removals++; t.removals <= fewRemovals {
		return false
	}
	if t.ofEvent == nil {
		t.ofEvent, t.apart = make(map[string][]string), make(map[string][]string)
		t.note(t.rows)
	}
	return true
}

// note notes of which events rows are, if that is kept.
func (t *Table) note(rows []string) {
	if t.ofEvent == nil {
		return
	}
	for _, r := range rows {
		uid, recurrenceID := event(r)
		key := uid + "\t" + recurrenceID
		known, there := t.ofEvent[key]
		if !there && recurrenceID != "" {
			t.apart[uid] = append(t.apart[uid], recurrenceID)
		}
		t.ofEvent[key] = append(known, r)
	}
}

// removeAt removes a row.
func (t *Table) removeAt(at int) {
	t.removed = append(t.removed, t.rows[at])
	t.rows = slices.Delete(t.rows, at, at+1)
}

// RemoveStarting removes the records of exactly that event that start at that instant,
// and returns their number.
func (t *Table) RemoveStarting(uid, recurrenceID string, at time.Time) int {
	if !storable(at) {
		return 0
	}
	prefix, recurrenceID := Clean(uid)+"\t", Clean(recurrenceID)
	start := string(appendStamp(nil, at))
	first, _ := slices.BinarySearchFunc(t.rows, start, func(row, start string) int { return strings.Compare(row[:len(start)], start) })
	removed := 0
	for i := first; i < len(t.rows) && strings.HasPrefix(t.rows[i], start); {
		if r := t.rows[i]; !strings.HasPrefix(r[uidAt:], prefix) || recurrenceOf(r, prefix) != recurrenceID {
			i++
			continue
		}
		t.removeAt(i)
		removed++
	}
	return removed
}

// RemoveFrom removes the records of exactly that event that start at that instant or later,
// and returns their number.
func (t *Table) RemoveFrom(uid, recurrenceID string, at time.Time) int {
	if !storable(at) {
		return 0
	}
	prefix, recurrenceID := Clean(uid)+"\t", Clean(recurrenceID)
	start := string(appendStamp(nil, at))
	return t.removeFunc(func(r string) bool {
		return strings.HasPrefix(r[uidAt:], prefix) && r[:len(start)] >= start && recurrenceOf(r, prefix) == recurrenceID
	})
}

// RemoveRecurrences removes the records of the event's recurrences, except of those
// that keep wants, and none of the whole event. It returns their number.
func (t *Table) RemoveRecurrences(uid string, keep func(recurrenceID string) bool) int {
	uid = Clean(uid)
	prefix := uid + "\t"
	if t.indexed() {
		removed := 0
		for _, recurrenceID := range t.apart[uid] {
			if !keep(recurrenceID) {
				removed += t.remove(prefix, recurrenceID)
			}
		}
		return removed
	}
	return t.removeFunc(func(r string) bool {
		if !strings.HasPrefix(r[uidAt:], prefix) {
			return false
		}
		recurrenceID := recurrenceOf(r, prefix)
		return recurrenceID != "" && !keep(recurrenceID)
	})
}

// recurrenceOf returns the recurrence id of a row whose UID and the TAB after it are known.
func recurrenceOf(row, prefix string) string {
	_, rest, _ := strings.Cut(row[uidAt+len(prefix):], "\t")
	recurrenceID, _, _ := strings.Cut(rest, "\t")
	return recurrenceID
}

// DropExpired removes the records of an Expiring table whose time has come by now, and
// returns their number. A record without an expiry time stays.
func (t *Table) DropExpired(now time.Time) int {
	if t.layout != Expiring {
		return 0
	}
	limit := string(appendStamp(nil, now))
	return t.removeFunc(func(r string) bool {
		expires := r[strings.LastIndexByte(r, '\t')+1:]
		return expires != "" && expires <= limit
	})
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

// Changed reports whether the records differ from those that were read.
func (t *Table) Changed() bool {
	if len(t.removed) != len(t.inserted) {
		return true
	}
	removed, inserted := t.changes()
	return len(removed)+len(inserted) > 0
}

// Changes returns the records that went and those that came since Read or New. One that
// went and came back, the same in every column, is in neither. Their values are those of
// the table, which is to say safe ones.
func (t *Table) Changes() (removed, inserted []Period) {
	removedRows, insertedRows := t.changes()
	for _, r := range removedRows {
		removed = append(removed, period(t.layout, r))
	}
	for _, r := range insertedRows {
		inserted = append(inserted, period(t.layout, r))
	}
	return removed, inserted
}

func (t *Table) changes() (removed, inserted []string) {
	if len(t.removed) == 0 || len(t.inserted) == 0 {
		return t.removed, t.inserted
	}
	before, after := slices.Sorted(slices.Values(t.removed)), slices.Sorted(slices.Values(t.inserted))
	for len(before) > 0 && len(after) > 0 {
		switch c := strings.Compare(before[0], after[0]); {
		case c == 0:
			before, after = before[1:], after[1:]
		case c < 0:
			removed = append(removed, before[0])
			before = before[1:]
		default:
			inserted = append(inserted, after[0])
			after = after[1:]
		}
	}
	return append(removed, before...), append(inserted, after...)
}

// WriteTo writes the table's text, as its file holds it, in large pieces. It needs no
// memory to speak of, where Append needs as much as the file is long.
func (t *Table) WriteTo(w io.Writer) (written int64, err error) {
	buffer := make([]byte, 0, min(writeSize, 256*len(t.rows)))
	flush := func() {
		if err == nil && len(buffer) > 0 {
			var n int
			n, err = w.Write(buffer)
			written += int64(n)
		}
		buffer = buffer[:0]
	}
	for _, r := range t.rows {
		if len(buffer)+len(r)+1 > cap(buffer) {
			if flush(); err != nil {
				return written, err
			}
		}
		buffer = append(buffer, r...)
		buffer = append(buffer, '\n')
	}
	flush()
	return written, err
}

// writeSize is how much is written at once, in octets.
const writeSize = 64 << 10

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
