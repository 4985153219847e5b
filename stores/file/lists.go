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
	for _, l := range stores.QuotaLists {
		if l.Name == name {
			return true
		}
	}
	return false
}

// listData returns the file of a list as the transaction sees it.
func (t *tx) listData(name string) ([]byte, error) {
	if data, changed := t.lists[name]; changed {
		return data, nil
	}
	return t.tableData(place{"", name})
}

// List implements [stores.JournalTx]. A store's users have no lists.
func (t *tx) List(name string) ([][]string, error) {
	if !t.store.journal || !isList(name) {
		return nil, nil
	}
	data, err := t.listData(name)
	if err != nil {
		return nil, err
	}
	var lines [][]string
	for _, l := range splitList(data) {
		words, err := l.words(name)
		if err != nil {
			return nil, &stores.ListError{List: t.listPath(name), Line: l.number, Text: l.text, Reason: err.Error()}
		}
		if len(words) > 0 {
			lines = append(lines, words)
		}
	}
	return lines, nil
}

// ListMistake implements [stores.JournalTx].
func (t *tx) ListMistake(name string, number int, reason string) *stores.ListError {
	mistake := &stores.ListError{List: t.listPath(name), Reason: reason}
	data, err := t.listData(name)
	if err != nil {
		return mistake
	}
	for _, l := range splitList(data) {
		if words, err := l.words(name); err != nil || len(words) == 0 {
			continue
		}
		if number == 0 {
			mistake.Line, mistake.Text = l.number, l.text
			break
		}
		number--
	}
	return mistake
}

// listPath returns the file of a list.
func (t *tx) listPath(name string) string {
	if t.dir == nil {
		return name
	}
	return t.dir.full(name)
}

// splitList splits a list's file into its lines.
func splitList(data []byte) (lines []line) {
	text := strings.TrimPrefix(string(data), "\ufeff")
	number := 0
	for l := range strings.Lines(text) {
		number++
		lines = append(lines, line{number, strings.TrimRight(l, "\r\n")})
	}
	return lines
}

// words returns the words of a line of a list, none if it says nothing.
func (l line) words(name string) ([]string, error) {
	words, err := stores.Words(l.text)
	if err == nil && len(words) > 0 {
		err = stores.CheckList(name, words)
	}
	return words, err
}

// SetList implements [stores.JournalTx]. What else stands in the file, comments and blank
// lines, stays where the lines around it do.
func (t *tx) SetList(name string, lines [][]string) error {
	if !t.store.journal || !isList(name) {
		return fmt.Errorf("there is no list %q in the store", name)
	}
	texts := make([]string, len(lines))
	for i, words := range lines {
		if err := stores.CheckList(name, words); err != nil {
			return &stores.UnstorableError{What: name, Value: strings.Join(words, " "), Reason: err.Error()}
		}
		quoted := make([]string, len(words))
		for n, word := range words {
			var err error
			if quoted[n], err = stores.Quote(word); err != nil {
				return &stores.UnstorableError{What: name, Value: word, Reason: err.Error()}
			}
		}
		texts[i] = strings.Join(quoted, "\t")
	}
	stored, err := t.listData(name)
	if err != nil {
		return err
	}
	if t.lists == nil {
		t.lists = make(map[string][]byte)
	}
	t.lists[name] = mergeList(name, stored, lines, texts)
	return nil
}

// mergeList returns the file of a list with lines, which are written as texts. Lines that are
// there as they should be, and lines without words, stay as they are.
func mergeList(name string, stored []byte, lines [][]string, texts []string) []byte {
	var b strings.Builder
	next := 0 // of lines
	add := func(until int) {
		for ; next < until; next++ {
			b.WriteString(texts[next] + "\n")
		}
	}
	for _, l := range splitList(stored) {
		words, err := l.words(name)
		switch {
		case err != nil:
			continue
		case len(words) > 0:
			at := slices.IndexFunc(lines[next:], func(line []string) bool { return slices.Equal(line, words) })
			if at < 0 {
				continue
			}
			add(next + at)
			next++
		}
		b.WriteString(l.text + "\n")
	}
	add(len(lines))
	return []byte(b.String())
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
