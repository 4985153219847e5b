package check

import (
	"context"
	"errors"
	"fmt"
	"os"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/freebusy"
	"imip-agent/tools/quarantine"
)

// mender makes repairs in one critical section. What it is about to change it keeps
// first.
type mender struct {
	*facts
	session    audit.Session // nil for a store without files
	quarantine *quarantine.Section
	level      Repair
	done       bool // something was mended
	ownChanged bool
	finding    *Finding // being mended
	tables     map[stores.Table]*tableWork
	renamings  []renaming
	queue      *queueWork
	noted      *providerWork
}

// mendAll mends the findings that are to be mended. One that cannot be is a failure, and
// stays.
func (e *examination) mendAll(m *mender) error {
	if m == nil {
		return nil
	}
	m.facts, m.session = e.facts, e.session
	for _, f := range e.findings {
		if e.ctx != nil && e.ctx.Err() != nil {
			return context.Cause(e.ctx)
		}
		if f.Needs() == None || f.Needs() > m.level || f.Kind.Severity == Note {
			continue
		}
		m.finding = f
		for _, r := range f.repairs {
			if err := r.do(m, f); err != nil {
				return fmt.Errorf("mending %s: %w", f.Kind.ID, err)
			}
		}
		m.done = true
	}
	if err := errors.Join(m.writeNames(), m.writeTables(), m.writeQueue(), m.writeProviders()); err != nil {
		return fmt.Errorf("mending: %w", err)
	}
	if m.ownChanged && e.known && e.preferences.Publishes() {
		if err := m.publishChanged(); err != nil {
			return err
		}
	}
	return m.quarantine.Done(m.tx)
}

// publishChanged publishes the user's free/busy if that is not what is published.
func (m *mender) publishChanged() error {
	table, err := m.tx.Periods(ownTable)
	if err != nil {
		return err
	}
	text, err := m.tx.Published()
	switch none := errors.Is(err, stores.ErrNotFound); {
	case err != nil && !none:
		return err
	case none && len(busyPeriods(table)) == 0, err == nil && isPublished(text, m.user, table):
		return nil
	}
	return m.publish(m.finding)
}

// lockAside moves a lock away whose holder is gone, which m.finding tells of.
func (m *mender) lockAside(path string) error {
	m.done = true
	return m.aside(m.finding, path)
}

// aside moves a file or directory away.
func (m *mender) aside(f *Finding, path string) error { return m.quarantine.Move(f.reason(), path) }

// relocate moves records to their places, and what is left of where they were away.
func (m *mender) relocate(f *Finding, moves []audit.Move) error {
	for _, move := range moves {
		if err := m.quarantine.Relocate(f.reason(), move.From, move.To); err != nil {
			return err
		}
	}
	if _, err := os.Lstat(f.Path); err != nil {
		return nil // it was moved itself
	}
	return m.aside(f, f.Path)
}

// keep keeps what is about to be written anew.
func (m *mender) keep(f *Finding, item quarantine.Item) error {
	return m.quarantine.Keep(m.tx, f.Kind.ID, item)
}

// removeRow removes a row of a table that is no record.
func (m *mender) removeRow(f *Finding, d stores.Damage) error {
	tx, ok := m.tx.(stores.Damaged)
	if !ok {
		return errors.New("the store cannot have such a row")
	}
	if err := m.quarantine.KeepRow(f.Kind.ID, d); err != nil {
		return err
	}
	return tx.RemoveDamage(d)
}

// rewriteTable has a table written anew, without what is damaged in it.
func (m *mender) rewriteTable(f *Finding, t audit.Table) error {
	if t.Which != nil {
		if _, err := m.table(f, *t.Which); err != nil {
			return err
		}
	} else if err := m.keep(f, quarantine.Named(t.Path, t.Name)); err != nil {
		return err
	}
	m.session.Rewrite(t.Path)
	return nil
}

func (m *mender) dropExpired(f *Finding) error {
	which := stores.Table{Kind: stores.Offers}
	if _, err := m.table(f, which); err != nil {
		return err
	}
	table, err := m.tx.Periods(which)
	if err == nil {
		table.DropExpired(m.now)
	}
	return err
}

// removeText moves a text away.
func (m *mender) removeText(f *Finding, key stores.Key) error {
	if path := m.path(key); path != "" {
		return m.aside(f, path)
	}
	if err := m.keepText(f, key); err != nil {
		return err
	}
	return m.tx.Delete(key)
}

// rewriteText replaces a text.
func (m *mender) rewriteText(f *Finding, key stores.Key, content []byte) error {
	if err := m.keepText(f, key); err != nil {
		return err
	}
	return m.tx.Put(key, content)
}

func (m *mender) keepText(f *Finding, key stores.Key) error {
	return m.keep(f, quarantine.Text(m.path(key), key))
}

// publish publishes the user's free/busy.
func (m *mender) publish(f *Finding) error {
	table, err := m.tx.Periods(ownTable)
	if err != nil {
		return err
	}
	path := m.publishedPath()
	if err := m.keep(f, quarantine.Named(path, quarantine.Published)); err != nil {
		return err
	}
	return m.tx.Publish(freebusy.Published(string(m.user), m.now, table))
}
