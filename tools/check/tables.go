package check

import (
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/freebusy"
)

// tables looks at the user's tables as files: what the lines are, and their order.
func (e *examination) tables() error {
	tables, err := e.session.Tables()
	if err != nil {
		return err
	}
	for _, t := range tables {
		if e.blocked[t.Path] {
			continue
		}
		own := t.Which != nil && t.Which.Kind == stores.Own
		e.damages(t, own)
		e.ownWrong = e.ownWrong || own && (len(t.Damages) > 0 || t.Unordered > 0)
		if t.Unordered > 0 {
			f := e.add(tableOrder, t.Path, stores.ID{}, "line %d of %s does not belong after the one before it", t.Unordered, t.Name)
			f.mend = func(m *mender) error { return m.rewriteTable(f, t) }
		}
		if t.Which != nil && !own {
			if err := e.otherTable(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// damages tells of the damaged lines of a table, in one finding for each kind.
func (e *examination) damages(t audit.Table, own bool) {
	first := make(map[*Kind]*Finding)
	more := make(map[*Kind]int)
	for _, d := range t.Damages {
		if own {
			e.torn += d.Text + "\n"
		}
		k := damageKind(d)
		if more[k]++; first[k] != nil {
			continue
		}
		f := e.add(k, t.Path, stores.ID{}, "line %d of %s: %s", d.Line, t.Name, d.Reason)
		f.safe = k == tableLine && own // the records are worked out again
		f.mend = func(m *mender) error { return m.rewriteTable(f, t) }
		first[k] = f
	}
	for k, f := range first {
		f.Text += andMore(more[k])
	}
}

func damageKind(d freebusy.Damage) *Kind {
	switch {
	case strings.Contains(d.Reason, "old layout"):
		return tableOldLayout
	case d.Mended:
		return tableBroken
	}
	return tableLine
}

// otherTable looks at the records of a table that is not the user's own free/busy.
func (e *examination) otherTable(t audit.Table) error {
	table, err := e.tx.Periods(*t.Which)
	if err != nil {
		return err
	}
	var last freebusy.Period
	doubled := make(map[stores.ID]bool)
	reversed := make(map[stores.ID]bool)
	for p := range table.All() {
		id := stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}
		if sameRecord(p, last) && !doubled[id] {
			doubled[id] = true
			f := e.add(tableDuplicate, t.Path, id, "the record at %s is there twice", clock(p.Start.Unix()))
			f.mend = func(m *mender) error { return m.unique(f, *t.Which, id) }
		}
		if p.End.Before(p.Start) && !reversed[id] {
			reversed[id] = true
			f := e.add(tableReversed, t.Path, id, "a record of the event ends before it starts, at %s", clock(p.Start.Unix()))
			f.mend = func(m *mender) error { return m.removeReversed(f, *t.Which, id) }
		}
		last = p
	}
	return nil
}
