package check

import (
	"cmp"
	"iter"
	"sort"
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/freebusy"
)

// row is a record of free/busy.
type row struct {
	start, end int64 // seconds since 1970
	transp     string
	organizer  string
	summary    string
}

// rowIndex finds the records of an event in a table, which can have a million of them.
type rowIndex struct {
	table *freebusy.Table
	order []int32 // numbers of records, by event
}

func newRowIndex(table *freebusy.Table) *rowIndex {
	return &rowIndex{table: table, order: table.ByEvent()}
}

// id returns the event of the record at a place in the order.
func (x *rowIndex) id(place int) stores.ID {
	e := x.table.EventAt(int(x.order[place]))
	return stores.ID{UID: e.UID, RecurrenceID: e.RecurrenceID}
}

// find returns the places of the records of an event: from, and up to but not at, to.
func (x *rowIndex) find(id stores.ID) (from, to int) {
	from = sort.Search(len(x.order), func(i int) bool { return compareIDs(x.id(i), id) >= 0 })
	return from, x.end(from, id)
}

// end returns the place after the last record of an event, the first being at from.
func (x *rowIndex) end(from int, id stores.ID) int {
	for from < len(x.order) && x.id(from) == id {
		from++
	}
	return from
}

// has reports whether there are records of an event.
func (x *rowIndex) has(id stores.ID) bool {
	from, to := x.find(id)
	return from < to
}

// of returns the records of an event in order of time.
func (x *rowIndex) of(id stores.ID) []row {
	from, to := x.find(id)
	if from == to {
		return nil
	}
	rows := make([]row, 0, to-from)
	for _, number := range x.order[from:to] {
		p := x.table.At(int(number))
		rows = append(rows, row{p.Start.Unix(), p.End.Unix(), p.Transp, p.Organizer, p.Summary})
	}
	return rows
}

// recurrences yields the recurrence ids of the records of a UID, also that of the whole
// event, which is empty.
func (x *rowIndex) recurrences(uid string) iter.Seq[string] {
	return func(yield func(string) bool) {
		from := sort.Search(len(x.order), func(i int) bool { return x.id(i).UID >= uid })
		for from < len(x.order) {
			id := x.id(from)
			if id.UID != uid || !yield(id.RecurrenceID) {
				return
			}
			from = x.end(from, id)
		}
	}
}

// hasUID reports whether there are records of a UID.
func (x *rowIndex) hasUID(uid string) bool {
	for range x.recurrences(uid) {
		return true
	}
	return false
}

// seen says of which events the records have been looked at, by the places of their first records.
type seen []bool

// unseen returns that nothing has been looked at.
func (x *rowIndex) unseen() seen { return make(seen, len(x.order)) }

// see says that the records of an event have been looked at.
func (x *rowIndex) see(s seen, id stores.ID) {
	if from, to := x.find(id); from < to {
		s[from] = true
	}
}

// left yields the events whose records have not been looked at, in order.
func (x *rowIndex) left(s seen) iter.Seq[stores.ID] {
	return func(yield func(stores.ID) bool) {
		for from := 0; from < len(x.order); {
			id := x.id(from)
			if !s[from] && !yield(id) {
				return
			}
			from = x.end(from, id)
		}
	}
}

func compareIDs(a, b stores.ID) int {
	return cmp.Or(strings.Compare(a.UID, b.UID), strings.Compare(a.RecurrenceID, b.RecurrenceID))
}
