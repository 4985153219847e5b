package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/freebusy"
)

// file is a file's new content.
type file struct {
	place
	content []byte
}

// changes is what a commit has to do, in the order in which it does it.
type changes struct {
	damaged   []damaged // to be put aside before anything is written
	letters   []stores.Letter
	resumed   []string // letters that are there
	tables    []file
	calendar  []byte // to be published; nil: nothing
	texts     []file
	deletions []place
}

// damaged is a table that is written anew without its damaged lines.
type damaged struct {
	place
	damages []freebusy.Damage
}

func (c *changes) empty() bool {
	return len(c.letters) == 0 && len(c.resumed) == 0 && len(c.tables) == 0 && c.calendar == nil && len(c.texts) == 0 && len(c.deletions) == 0
}

// changes works out what differs from what is stored: the rest is not written.
func (t *tx) changes() (*changes, error) {
	c := &changes{letters: t.letters, resumed: t.resumed}
	if err := t.tableChanges(c); err != nil {
		return nil, err
	}
	for _, dir := range slices.Sorted(maps.Keys(t.puts)) {
		for _, name := range slices.Sorted(maps.Keys(t.puts[dir])) {
			p, change := place{dir, name}, t.puts[dir][name]
			stored, err := t.stored(p)
			switch {
			case err != nil && !errors.Is(err, fs.ErrNotExist):
				return nil, err
			case change.deleted && err == nil:
				c.deletions = append(c.deletions, p)
			case !change.deleted && (err != nil || !bytes.Equal(stored, change.content)):
				c.texts = append(c.texts, file{p, change.content})
			}
		}
	}
	if t.calendar != nil {
		stored, err := t.publishedCalendar()
		var large *sizeError // what is published is made anew, whatever is there
		if err != nil && !errors.Is(err, stores.ErrNotFound) && !errors.As(err, &large) {
			return nil, err
		}
		if err != nil || !bytes.Equal(stored, t.calendar) {
			c.calendar = t.calendar
		} else {
			t.removeStagedCalendar()
		}
	}
	return c, nil
}

func (t *tx) tableChanges(c *changes) error {
	byPath := func(a, b place) int { return bytes.Compare([]byte(a.String()), []byte(b.String())) }
	for _, p := range slices.SortedFunc(maps.Keys(t.freebusy), byPath) {
		read := t.freebusy[p]
		if !read.table.Changed() {
			continue
		}
		c.addTable(p, read.table.Append(nil), read.damages)
	}
	if r := t.requests; r != nil && r.changed() {
		c.addTable(requestsTable, writeRequests(r.requests), r.damages)
	}
	if r := t.providers; r != nil && r.changed() {
		c.addTable(providersTable, writeProviders(r.providers), r.damages)
	}
	return t.listChanges(c)
}

func (c *changes) addTable(p place, content []byte, damages []freebusy.Damage) {
	c.tables = append(c.tables, file{p, content})
	if len(damages) > 0 {
		c.damaged = append(c.damaged, damaged{p, damages})
	}
}

// commit writes what the transaction has changed.
func (t *tx) commit() error {
	c, err := t.changes()
	if err != nil || c.empty() {
		return err
	}
	return t.apply(c)
}

// apply makes changes. Until its first rename, whatever fails leaves the store as it was.
func (t *tx) apply(c *changes) error {
	if t.ctx.Err() != nil {
		return fmt.Errorf("storing: %w", context.Cause(t.ctx))
	}
	for _, d := range c.damaged {
		if err := t.putAside(d.place, d.damages); err != nil {
			return err
		}
	}
	var public *staging
	if c.calendar != nil {
		s, err := t.stageCalendar(c.calendar)
		if err != nil {
			return err
		}
		defer s.dir.Close()
		defer s.close()
		public = s
	}
	own := t.store.stage(t.ctx, t.dir, stagingDir)
	defer own.close()
	err := own.write(c.letters, append(slices.Clone(c.tables), c.texts...))
	if err == nil {
		err = own.prepare(c.deletions)
	}
	if err == nil && t.ctx.Err() != nil {
		err = context.Cause(t.ctx)
	}
	if err != nil {
		return fmt.Errorf("storing, nothing is changed yet: %w", err)
	}
	return own.finish(c, public)
}

// finish renames what is staged into place, in the order that lets the message be handled
// again after a crash, and makes it last.
func (own *staging) finish(c *changes, public *staging) error {
	err := own.sendLetters(c.letters)
	if err == nil {
		err = own.rename(c.tables)
	}
	if err == nil && public != nil {
		err = public.rename(publishedFile(c.calendar))
	}
	if err == nil {
		err = own.rename(c.texts)
	}
	if err == nil {
		err = own.delete(c.deletions)
	}
	if err == nil {
		err = own.last(c, public)
	}
	if err != nil {
		return fmt.Errorf("storing, done in part, must be tried again: %w", err)
	}
	return nil
}

// last makes what finish has done last, and has letters say that it is done.
func (own *staging) last(c *changes, public *staging) error {
	err := own.sync()
	if err == nil && public != nil {
		err = public.sync()
	}
	if err != nil {
		return err
	}
	for _, name := range c.resumed {
		if err := own.uncarry(name); err != nil {
			return err
		}
	}
	finished := slices.Clip(c.resumed)
	for _, letter := range c.letters {
		finished = append(finished, letter.Name)
	}
	return own.finishLetters(finished)
}
