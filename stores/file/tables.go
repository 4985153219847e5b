package file

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/rejected"
)

// freeBusy is a free/busy table that the transaction has read.
type freeBusy struct {
	table   *freebusy.Table
	damages []freebusy.Damage
}

// layouts of the free/busy tables.
var layouts = map[stores.TableKind]freebusy.Layout{
	stores.Own: freebusy.Plain, stores.Offers: freebusy.Expiring, stores.Other: freebusy.Plain,
}

// layout returns how a free/busy table is laid out.
func (t *tx) layout(table stores.Table) freebusy.Layout {
	if table.Kind == stores.Other && t.store.journal {
		return freebusy.Attended
	}
	return layouts[table.Kind]
}

func (t *tx) Periods(table stores.Table) (*freebusy.Table, error) {
	p, ok := tablePlace(table)
	if known := t.freebusy[p]; known != nil {
		return known.table, nil
	}
	if table.Kind == stores.Other {
		if err := checkURI("user", table.Other); err != nil && !(ok && t.dir.exists(p.String())) {
			return nil, err
		}
	}
	layout := t.layout(table)
	read := &freeBusy{table: freebusy.New(layout)}
	if ok {
		if err := t.ended(); err != nil {
			return nil, err
		}
		content, err := t.dir.read(p.String())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		read.table, read.damages = freebusy.Read(content, layout)
	}
	t.warn(p, read.damages)
	t.freebusy[p] = read
	return read.table, nil
}

// maxWarnings is how many damaged lines of a table are logged one by one.
const maxWarnings = 20

// warn logs the damage that was found in a table.
func (t *tx) warn(p place, damages []freebusy.Damage) {
	for i, d := range damages {
		if i == maxWarnings {
			t.store.options.Log.Warn("more damaged lines in a table", "path", t.dir.full(p.String()), "lines", len(damages)-i)
			return
		}
		t.store.options.Log.Warn("damaged line in a table", "path", t.dir.full(p.String()), "line", d.Line,
			"reason", d.Reason(), "mended", d.Mended())
	}
}

// Damaged implements [audit.Damaged].
func (t *tx) Damaged() []audit.Table {
	var tables []audit.Table
	add := func(p place, damages []freebusy.Damage) {
		if len(damages) > 0 {
			tables = append(tables, audit.Table{Path: t.dir.full(p.String()), Name: p.name, Damages: damages})
		}
	}
	for p, read := range t.freebusy {
		add(p, read.damages)
	}
	if t.requests != nil {
		add(requestsTable, t.requests.damages)
	}
	if t.providers != nil {
		add(providersTable, t.providers.damages)
	}
	slices.SortFunc(tables, func(a, b audit.Table) int { return strings.Compare(a.Path, b.Path) })
	return tables
}

func (t *tx) Others() ([]calendar.URI, error) {
	names, err := t.names(othersDir)
	if err != nil {
		return nil, err
	}
	others := make(map[string]bool)
	for _, name := range names {
		p := place{othersDir, name}
		if t.freebusy[p] == nil && t.dir.size(p.String()) > 0 {
			others[name] = true
		}
	}
	for p, read := range t.freebusy {
		if p.dir == othersDir && read.table.Len() > 0 {
			others[p.name] = true
		}
	}
	return uris(slices.Sorted(maps.Keys(others))), nil
}

// putAside keeps the lines of a damaged table that will not be written again.
//
// DEVIATION: damaged-tables: the original fails on the first damaged line, at each message.
func (t *tx) putAside(p place, damages []freebusy.Damage) error {
	var lines, reasons []string
	for _, d := range damages {
		if !d.Mended() {
			lines = append(lines, d.Text)
			reasons = append(reasons, fmt.Sprintf("line %d: %s", d.Line, d.Reason()))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	path := t.dir.full(p.String())
	if t.store.options.Rejected == nil {
		t.store.options.Log.Warn("damaged lines are not kept", "path", path, "lines", len(lines))
		return nil
	}
	note := rejected.Note{
		Reason: "damaged lines of a table: " + strings.Join(reasons, "; "),
		User:   string(t.user),
		Source: path,
		Time:   t.store.options.Now(),
	}
	kept, err := t.store.options.Rejected.Put(note, []byte(strings.Join(lines, "\n")+"\n"))
	if err != nil {
		return fmt.Errorf("rejecting damaged lines of %s: %w", path, err)
	}
	t.store.options.Log.Warn("damaged lines are rejected", "path", path, "lines", len(lines), "kept", kept)
	return nil
}
