package check

import (
	"io/fs"
	"path/filepath"
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/audit"
)

// repair is what mends a finding. Whoever finds something says what mends it, and a [mender] does
// it. Of a finding about many events those of one sort are joined.
type repair interface {
	do(m *mender, f *Finding) error
}

// joining is a repair that can do what others of its sort do as well.
type joining interface {
	repair
	join(other repair) bool
}

// mendBy says what mends a finding, besides what does already.
func (f *Finding) mendBy(repairs ...repair) *Finding {
next:
	for _, r := range repairs {
		for _, before := range f.repairs {
			if j, ok := before.(joining); ok && j.join(r) {
				continue next
			}
		}
		f.repairs = append(f.repairs, r)
	}
	return f
}

// withOthers mends what is gone when other findings are mended.
type withOthers struct{}

func (withOthers) do(*mender, *Finding) error { return nil }

// The repairs of files as files.
type (
	aside    struct{}                     // the file or directory goes away
	chmod    struct{ mode fs.FileMode }   // it gets a mode
	chgrp    struct{ gid int }            // it gets a group
	separate struct{}                     // it gets content of its own
	relocate struct{ moves []audit.Move } // records come to their places
	reject   struct{}                     // what was rejected goes away, with its note
)

func (aside) do(m *mender, f *Finding) error      { return m.aside(f, f.Path) }
func (r chmod) do(m *mender, f *Finding) error    { return m.quarantine.Chmod(f.reason(), f.Path, r.mode) }
func (r chgrp) do(m *mender, f *Finding) error    { return m.quarantine.Chgrp(f.reason(), f.Path, r.gid) }
func (separate) do(m *mender, f *Finding) error   { return m.quarantine.Separate(f.reason(), f.Path) }
func (r relocate) do(m *mender, f *Finding) error { return m.relocate(f, r.moves) }

func (reject) do(m *mender, f *Finding) error {
	if err := m.aside(f, f.Path); err != nil {
		return err
	}
	note := strings.TrimSuffix(f.Path, filepath.Ext(f.Path)) + ".txt"
	if err := m.aside(f, note); err != nil && !isAbsent(err) {
		return err
	}
	return nil
}

// The repairs of texts.
type (
	removeText  struct{ key stores.Key }
	rewriteText struct { // the text is replaced
		key     stores.Key
		content []byte
	}
	renameText struct { // it gets the name of the event that it is
		key stores.Key
		is  stores.ID
	}
)

func (r removeText) do(m *mender, f *Finding) error  { return m.removeText(f, r.key) }
func (r rewriteText) do(m *mender, f *Finding) error { return m.rewriteText(f, r.key, r.content) }
func (r renameText) do(m *mender, f *Finding) error  { return m.renameText(f, r.key, r.is) }

// The repairs of free/busy tables. Records are of events.
type (
	rewriteTable  struct{ table audit.Table } // without what is damaged in it
	removeRow     struct{ row stores.Damage } // which is no record
	removeRecords struct {
		table stores.Table
		ids   []stores.ID
	}
	removeBookings struct { // of a group of a quota
		table stores.Table
		what  []booking
	}
	removeStarting struct { // the user's own that start at an instant, in seconds since 1970
		id stores.ID
		at int64
	}
	removeReversed struct { // that end before they start
		table stores.Table
		ids   []stores.ID
	}
	uniteRecords struct { // of equal ones one stays
		table stores.Table
		ids   []stores.ID
	}
	rebuildRecords struct{ ids []stores.ID } // the user's own are made anew
	extendRecords  struct {                  // the user's own that are missing at the end of the window are added
		ids  []stores.ID
		note bool // that all up to there are
	}
	dropExpired struct{} // offers
	publish     struct{} // free/busy is published anew
)

var ownTable = stores.Table{Kind: stores.Own}

// removeOwn removes the records of an event from the user's own free/busy.
func removeOwn(id stores.ID) repair { return &removeRecords{ownTable, []stores.ID{id}} }

// rebuild makes the user's own records of an event anew.
func rebuild(id stores.ID) repair { return &rebuildRecords{[]stores.ID{id}} }

// rebuildWithout removes the records of an occurrence that is not stored, and makes those of its
// event anew.
func rebuildWithout(id stores.ID) []repair {
	return []repair{removeOwn(id), rebuild(stores.ID{UID: id.UID})}
}

func (r rewriteTable) do(m *mender, f *Finding) error    { return m.rewriteTable(f, r.table) }
func (r removeRow) do(m *mender, f *Finding) error       { return m.removeRow(f, r.row) }
func (r *removeRecords) do(m *mender, f *Finding) error  { return m.removeFrom(f, r.table, r.ids...) }
func (r *removeBookings) do(m *mender, f *Finding) error { return m.removeBookings(f, r.table, r.what) }
func (r removeStarting) do(m *mender, f *Finding) error  { return m.removeStarting(f, r.id, r.at) }
func (r *removeReversed) do(m *mender, f *Finding) error { return m.removeReversed(f, r.table, r.ids) }
func (r *uniteRecords) do(m *mender, f *Finding) error   { return m.unique(f, r.table, r.ids) }
func (r *rebuildRecords) do(m *mender, f *Finding) error { return m.rebuild(f, r.ids) }
func (r extendRecords) do(m *mender, f *Finding) error   { return m.extend(f, r.ids, r.note) }
func (dropExpired) do(m *mender, f *Finding) error       { return m.dropExpired(f) }
func (publish) do(m *mender, f *Finding) error           { return m.publish(f) }

func (r *removeRecords) join(other repair) bool {
	o, ok := other.(*removeRecords)
	ok = ok && o.table == r.table
	if ok {
		r.ids = append(r.ids, o.ids...)
	}
	return ok
}

func (r *removeBookings) join(other repair) bool {
	o, ok := other.(*removeBookings)
	ok = ok && o.table == r.table
	if ok {
		r.what = append(r.what, o.what...)
	}
	return ok
}

func (r *removeReversed) join(other repair) bool {
	o, ok := other.(*removeReversed)
	ok = ok && o.table == r.table
	if ok {
		r.ids = append(r.ids, o.ids...)
	}
	return ok
}

func (r *uniteRecords) join(other repair) bool {
	o, ok := other.(*uniteRecords)
	ok = ok && o.table == r.table
	if ok {
		r.ids = append(r.ids, o.ids...)
	}
	return ok
}

func (r *rebuildRecords) join(other repair) bool {
	o, ok := other.(*rebuildRecords)
	if ok {
		r.ids = append(r.ids, o.ids...)
	}
	return ok
}

// The repairs of the request queue, and of the table of events that recur without end.
type (
	dequeue      struct{ requests []stores.Request }
	dequeueTwice struct{} // of equal entries the first stays
	retype       struct{} // entries of a type that there is not wait for the user's answer
	provide      struct { // events are noted once, or not at all
		ids   []stores.ID
		noted bool
	}
)

func (r *dequeue) do(m *mender, f *Finding) error   { return m.dequeue(f, r.requests) }
func (dequeueTwice) do(m *mender, f *Finding) error { return m.dequeueTwice(f) }
func (retype) do(m *mender, f *Finding) error       { return m.retype(f) }
func (r *provide) do(m *mender, f *Finding) error   { return m.provide(f, r.noted, r.ids) }
func (dequeueTwice) join(other repair) bool         { _, ok := other.(dequeueTwice); return ok }
func (retype) join(other repair) bool               { _, ok := other.(retype); return ok }

func (r *dequeue) join(other repair) bool {
	o, ok := other.(*dequeue)
	if ok {
		r.requests = append(r.requests, o.requests...)
	}
	return ok
}

func (r *provide) join(other repair) bool {
	o, ok := other.(*provide)
	ok = ok && o.noted == r.noted
	if ok {
		r.ids = append(r.ids, o.ids...)
	}
	return ok
}
