package quarantine

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/durable"
)

// Section is what repairs change in one critical section of a user's records. What is about to be
// written anew it keeps first, once.
type Section struct {
	*Quarantine
	user    calendar.URI
	kept    map[string]bool // what the quarantine has already
	changed []string        // files that were kept, to be written anew
	records []entry         // the same of a store without files
}

// Section returns a section of a user; empty for what belongs to no user.
func (q *Quarantine) Section(user calendar.URI) *Section {
	return &Section{Quarantine: q, user: user, kept: make(map[string]bool)}
}

// Item is what is written anew: a file, or a record of a store without files.
type Item struct{ about entry }

// Text returns the item of a text. The path is empty in a store without files.
func Text(path string, key stores.Key) Item {
	return Item{entry{Path: octets(path), Part: partNames[key.Part], UID: octets(key.UID), RecurrenceID: key.RecurrenceID, Other: string(key.Other)}}
}

// Table returns the item of a free/busy table. The path is empty in a store without files.
func Table(path string, which stores.Table) Item {
	return Item{entry{Path: octets(path), Table: TableName(which.Kind), Other: string(which.Other)}}
}

// The names of what else is written anew.
const (
	Requests  = "requests"
	Providers = "freebusy-providers"
	Published = "published"
)

// Named returns the item of what has such a name. The path is empty in a store without files.
func Named(path, name string) Item { return Item{entry{Path: octets(path), Table: name}} }

// TableName returns the name of a kind of free/busy tables.
func TableName(kind stores.TableKind) string { return tableNames[kind] }

// Keep keeps what is about to be written anew for a finding of a kind.
func (s *Section) Keep(tx stores.Tx, kind string, item Item) error {
	e := item.about
	e.Kind, e.User = kind, string(s.user)
	if s.kept[e.about()] {
		return nil
	}
	s.kept[e.about()] = true
	if e.Path != "" {
		s.changed = append(s.changed, string(e.Path))
		return s.copy(e, string(e.Path))
	}
	content, err := recordOf(tx, e)
	if err != nil {
		return err
	}
	s.records = append(s.records, e)
	return s.save(e, content)
}

// KeepRow keeps a row of a table that is no record, and is about to be removed.
func (s *Section) KeepRow(kind string, d stores.Damage) error {
	content, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return s.save(entry{Kind: kind, User: string(s.user), Table: tableRow}, content)
}

// Writing notes what a file that was kept is about to be.
func (s *Section) Writing(path string, content []byte) error {
	if !slices.Contains(s.changed, path) {
		return nil
	}
	return s.note(entry{Action: actionAfter, Path: octets(path), Sum: sum(content)})
}

// Removing notes that a file that was kept is about to be removed.
func (s *Section) Removing(path string) error {
	return s.note(entry{Action: actionAfter, Path: octets(path)})
}

// Done notes what the records of a store without files that were kept are about to be, and syncs
// what was changed. Without an error that lasts.
func (s *Section) Done(tx stores.Tx) error {
	for _, e := range s.records {
		content, err := recordOf(tx, e)
		if err != nil {
			return err
		}
		e.Action, e.Sum = actionAfter, sum(content)
		if err := s.note(e); err != nil {
			return err
		}
	}
	return s.files.sync()
}

// copy keeps what a file is before it is written anew.
func (q *Quarantine) copy(e entry, path string) error {
	e.Action, e.Path = actionChange, octets(path)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		e.Absent = true
		return q.note(e)
	} else if err != nil {
		return err
	}
	full, name, err := q.place(path)
	if err != nil {
		return err
	}
	e.Saved = name
	if err := copyFile(path, full, info); err != nil {
		return err
	}
	if err := durable.NamesIn(q.dir); err != nil {
		return err
	}
	return q.note(e)
}

// save keeps a content.
func (q *Quarantine) save(e entry, content []byte) error {
	e.Action = actionChange
	name := e.Table + e.Part
	full, name, err := q.place(name)
	if err != nil {
		return err
	}
	e.Saved, e.Absent = name, content == nil
	if err := durable.Write(full, content, durable.Options{}); err != nil {
		return err
	}
	return q.note(e)
}
