package file

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/durable"
)

// isList reports whether a journal keeps a list of that name.
func isList(name string) bool {
	return slices.ContainsFunc(stores.QuotaLists, func(l struct {
		Name    string
		Columns int
	}) bool {
		return l.Name == name
	})
}

// List implements [stores.JournalTx]. A store's users have no lists.
func (t *tx) List(name string) ([][]string, error) {
	if !t.store.journal || !isList(name) {
		return nil, nil
	}
	data, changed := t.lists[name]
	if !changed {
		var err error
		if data, err = t.tableData(place{"", name}); err != nil {
			return nil, err
		}
	}
	var lines [][]string
	for _, l := range readLines(data) {
		if !l.isBlank() {
			lines = append(lines, strings.Split(l.text, "\t"))
		}
	}
	return lines, nil
}

// SetList implements [stores.JournalTx].
func (t *tx) SetList(name string, lines [][]string) error {
	if !t.store.journal || !isList(name) {
		return fmt.Errorf("there is no list %q in the store", name)
	}
	var b strings.Builder
	for _, columns := range lines {
		for _, column := range columns {
			if strings.ContainsFunc(column, stores.IsControl) {
				return &stores.UnstorableError{What: name, Value: column, Reason: "it has control characters"}
			}
		}
		b.WriteString(strings.Join(columns, "\t") + "\n")
	}
	if t.lists == nil {
		t.lists = make(map[string][]byte)
	}
	t.lists[name] = []byte(b.String())
	return nil
}

// listChanges adds the lists that differ from what is stored.
func (t *tx) listChanges(c *changes) error {
	for _, name := range slices.Sorted(maps.Keys(t.lists)) {
		p := place{"", name}
		stored, err := t.dir.read(p.String())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if !bytes.Equal(stored, t.lists[name]) {
			c.addTable(p, t.lists[name], nil)
		}
	}
	return nil
}

// Sync makes what the store holds last, all of it at once. It is for stores whose
// syncing is [Options].Deferred.
func (s *Store) Sync() error {
	err := durable.Filesystem(s.options.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return failed("syncing", s.options.Dir, err)
}
