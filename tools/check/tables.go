package check

import (
	"maps"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/freebusy"
	"imip-agent/tools/quarantine"
)

// tableFiles looks at the user's tables as files: what the lines are, and their order.
func (e finder) tableFiles() error {
	for _, t := range e.tables {
		if e.blocked[t.Path] {
			continue
		}
		own := t.Which != nil && t.Which.Kind == stores.Own
		e.damages(t, own)
		e.ownWrong = e.ownWrong || own && (len(t.Damages) > 0 || t.Unordered > 0)
		if t.Unordered > 0 {
			e.add(tableOrder, t.Path, stores.ID{}, "line %d of %s is out of order", t.Unordered, t.Name).mendBy(rewriteTable{t})
		}
		if t.Which != nil && !own {
			if err := e.otherTable(t.Path, *t.Which); err != nil {
				return err
			}
		}
	}
	return nil
}

// damages tells of the damaged lines of a table, in one finding for each kind.
func (e finder) damages(t audit.Table, own bool) {
	first := make(map[*Kind]*Finding)
	more := make(map[*Kind]int)
	for _, d := range t.Damages {
		k := damageKind(d)
		if more[k]++; first[k] != nil {
			continue
		}
		f := e.add(k, t.Path, stores.ID{}, "line %d of %s: %s", d.Line, t.Name, d.Reason())
		f.safe = k == tableLine && own // the records are worked out again
		f.mendBy(rewriteTable{t})
		first[k] = f
	}
	for k, f := range first {
		f.Text += andMore(more[k])
	}
}

func damageKind(d freebusy.Damage) *Kind {
	switch {
	case d.OldLayout():
		return tableOldLayout
	case d.Mended():
		return tableBroken
	}
	return tableLine
}

// otherTables looks at the records of all tables but the user's own free/busy, in a store
// without files.
func (e finder) otherTables() error {
	others, err := e.tx.Others()
	if err != nil {
		return err
	}
	tables := []stores.Table{{Kind: stores.Offers}}
	for _, other := range others {
		tables = append(tables, stores.Table{Kind: stores.Other, Other: other})
	}
	for _, which := range tables {
		if err := e.otherTable("", which); err != nil {
			return err
		}
	}
	return nil
}

// badRows tells of the rows of the tables that are no records.
func (e finder) badRows() {
	for _, d := range e.wrong {
		own := d.Table.Kind == stores.Own
		if own {
			e.ownWrong = true
		}
		k, name := tableLine, quarantine.TableName(d.Table.Kind)
		if d.Table.Kind == stores.Other {
			name += " for " + string(d.Table.Other)
		}
		if d.Flaw == freebusy.Twice {
			k = tableDuplicate
		}
		f := e.add(k, "", d.ID, "a row of %s: %s", name, d.Reason())
		f.safe = own // the records are worked out again
		f.mendBy(removeRow{d})
	}
}

// otherTable looks at the records of a table that is not the user's own free/busy.
func (e finder) otherTable(path string, which stores.Table) error {
	table, err := e.tx.Periods(which)
	if err != nil {
		return err
	}
	var last freebusy.Period
	doubled := make(map[stores.ID]bool)
	reversed, strange := make(map[stores.ID]bool), make(map[stores.ID]bool)
	for p := range table.All() {
		id := stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}
		if sameRecord(p, last) && !doubled[id] {
			doubled[id] = true
			e.addMany(tableDuplicate, path, id, "the record at %s is there twice", clock(p.Start.Unix())).mendBy(&uniteRecords{which, []stores.ID{id}})
		}
		if id.RecurrenceID != "" && !stores.IsRecurrenceID(id.RecurrenceID) && !strange[id] {
			strange[id] = true
			e.addMany(tableNonsense, path, id, "a record has the recurrence id %.60q, which is not a date or date-time", id.RecurrenceID).
				mendBy(&removeRecords{which, []stores.ID{id}})
		}
		if p.End.Before(p.Start) && !reversed[id] {
			reversed[id] = true
			e.addMany(tableReversed, path, id, "a record of the event ends before it starts, at %s", clock(p.Start.Unix())).
				mendBy(&removeReversed{which, []stores.ID{id}})
		}
		last = p
	}
	return nil
}

// ownRecords looks at the records of the user's own free/busy, whatever events say. It returns the
// events whose records are wrong as such, with which nothing can be compared, and those whose records
// are of nothing.
func (e finder) ownRecords() (unsure map[stores.ID]bool, nonsense seen) {
	unsure, nonsense = make(map[stores.ID]bool), e.rows.unseen()
	// Columns that were put together wrongly leave recurrence ids that are none.
	for id := range e.rows.left(nonsense) {
		if id.RecurrenceID == "" || stores.IsRecurrenceID(id.RecurrenceID) {
			continue
		}
		e.rows.see(nonsense, id)
		unsure[stores.ID{UID: id.UID}] = true
		f := e.addManyFreeBusy(tableNonsense, id, "a free/busy record has the recurrence id %.60q, which is not a date or date-time", id.RecurrenceID)
		f.mendBy(rebuildWithout(id)...)
		f.safe = true // the records are worked out again
	}
	reversed := make(map[stores.ID]int)
	last := freebusy.Period{}
	for p := range e.rows.table.All() {
		id := stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}
		if p.End.Before(p.Start) {
			reversed[id]++
			unsure[id] = true
		}
		if sameRecord(p, last) && !unsure[id] {
			unsure[id] = true
			e.addManyFreeBusy(tableDuplicate, id, "the record at %s is there twice", clock(p.Start.Unix())).mendBy(&uniteRecords{ownTable, []stores.ID{id}})
		}
		last = p
	}
	for _, id := range sortedIDs(maps.Keys(reversed)) {
		e.addManyFreeBusy(tableReversed, id, "%s of the event ends before it starts", plural(reversed[id], "record")).mendBy(rebuild(id))
	}
	return unsure, nonsense
}

// sameRecord reports whether two records are equal in what they are ordered by.
func sameRecord(a, b freebusy.Period) bool {
	return a.UID == b.UID && a.RecurrenceID == b.RecurrenceID && a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.Attendee == b.Attendee
}
