package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/durable"
	"imip-agent/stores/freebusy"
)

// mender makes repairs in one critical section. What it is about to change it keeps
// first.
type mender struct {
	*examination
	quarantine *quarantine
	level      Repair
	done       bool            // something was mended
	kept       map[string]bool // what the quarantine has already
	changed    []string        // files that were kept, to be written anew
	records    []entry         // the same of a store without files
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
	for _, f := range e.findings {
		if e.ctx != nil && e.ctx.Err() != nil {
			return context.Cause(e.ctx)
		}
		if f.Needs() == None || f.Needs() > m.level || f.Kind.Severity == Note {
			continue
		}
		m.finding = f
		if err := f.mend(m); err != nil {
			return fmt.Errorf("mending %s: %w", f.Kind.ID, err)
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
	if err := m.noteRecords(); err != nil {
		return err
	}
	return m.quarantine.files.sync()
}

// publishChanged publishes the user's free/busy if that is not what is published.
func (m *mender) publishChanged() error {
	table, err := m.tx.Periods(stores.Table{Kind: stores.Own})
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

// writing notes in the manifest what a file that was kept is about to be.
func (m *mender) writing(path string, content []byte) error {
	if !slices.Contains(m.changed, path) {
		return nil
	}
	return m.quarantine.note(entry{Action: actionAfter, Path: octets(path), Sum: sum(content)})
}

// lockAside moves a lock away whose holder is gone.
func (m *mender) lockAside(path string) error {
	m.finding = m.findings[len(m.findings)-1]
	m.done = true
	return m.quarantine.move(m.finding, path)
}

// aside moves a file or directory away.
func (m *mender) aside(f *Finding, path string) error { return m.quarantine.move(f, path) }

// relocate moves records to their places, and what is left of where they were away.
func (m *mender) relocate(f *Finding, moves []audit.Move) error {
	for _, move := range moves {
		if err := m.quarantine.relocate(f, move.From, move.To); err != nil {
			return err
		}
	}
	if _, err := os.Lstat(f.Path); err != nil {
		return nil // it was moved itself
	}
	return m.aside(f, f.Path)
}

func (m *mender) chmod(f *Finding, mode fs.FileMode) error {
	info, err := os.Lstat(f.Path)
	if err != nil {
		return err
	}
	if err := maySetgid(info, mode); err != nil {
		return err
	}
	if err := m.quarantine.note(entry{Action: actionMode, Kind: f.Kind.ID, User: string(f.User), Path: octets(f.Path), Mode: modeText(info.Mode())}); err != nil {
		return err
	}
	return m.quarantine.files.do(func() error { return os.Chmod(f.Path, mode) })
}

// maySetgid returns an error where a directory's setgid bit would be lost by a change of its mode
// or group: then what is made in it would go to other groups.
func maySetgid(info fs.FileInfo, mode fs.FileMode) error {
	if info.IsDir() && mode&fs.ModeSetgid != 0 && !durable.MaySetgid(info) {
		_, gid := owner(info)
		return fmt.Errorf("its setgid bit would be lost, since it belongs to group %s: run this as root, or in that group", durable.GroupName(gid))
	}
	return nil
}

func (m *mender) chgrp(f *Finding, gid int) error {
	info, err := os.Lstat(f.Path)
	if err != nil {
		return err
	}
	_, old := owner(info)
	if err := maySetgid(info, info.Mode()); err != nil {
		return err
	}
	if err := m.quarantine.note(entry{Action: actionGroup, Kind: f.Kind.ID, User: string(f.User), Path: octets(f.Path), GID: old}); err != nil {
		return err
	}
	return m.quarantine.files.do(func() error { return changeGroup(f.Path, gid, info.Mode()) })
}

// changeGroup gives a file a group. That takes the set-group-id bit away, which the mode has.
func changeGroup(path string, gid int, mode fs.FileMode) error {
	if err := os.Lchown(path, -1, gid); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// separate gives a file of several names content of its own.
func (m *mender) separate(f *Finding) error {
	return m.quarantine.link(f, f.Path, m.checker.beside(m.user, f.Path))
}

// keep keeps a file that is about to be written anew, or a record of a store without files,
// where path is empty.
func (m *mender) keep(f *Finding, path string, e entry) error {
	e.Kind, e.User, e.Path = f.Kind.ID, string(m.user), octets(path)
	if m.kept[e.about()] {
		return nil
	}
	if m.kept == nil {
		m.kept = make(map[string]bool)
	}
	m.kept[e.about()] = true
	if path != "" {
		m.changed = append(m.changed, path)
		return m.quarantine.copy(e, path)
	}
	content, err := recordOf(m.tx, e)
	if err != nil {
		return err
	}
	m.records = append(m.records, e)
	return m.quarantine.save(e, content)
}

// noteRecords notes what the records of a store without files that were kept are about to be.
func (m *mender) noteRecords() error {
	for _, e := range m.records {
		content, err := recordOf(m.tx, e)
		if err != nil {
			return err
		}
		e.Action, e.Sum = actionAfter, sum(content)
		if err := m.quarantine.note(e); err != nil {
			return err
		}
	}
	return nil
}

// recordOf returns what a store without files has of what an entry is about; nil if it has
// nothing.
func recordOf(tx stores.Tx, e entry) (content []byte, err error) {
	switch {
	case e.Part != "":
		content, err = tx.Get(e.key())
	case e.Table == "published":
		content, err = tx.Published()
	case e.Table == "requests":
		requests, err := tx.Requests()
		if err != nil {
			return nil, err
		}
		return json.Marshal(requests)
	case e.Table == "freebusy-providers":
		providers, err := tx.Providers()
		if err != nil {
			return nil, err
		}
		return json.Marshal(providers)
	default:
		table, err := tx.Periods(e.which())
		if err != nil {
			return nil, err
		}
		return table.Append(nil), nil
	}
	if errors.Is(err, stores.ErrNotFound) {
		return nil, nil
	}
	return content, err
}

var tableNames = map[stores.TableKind]string{stores.Own: "freebusy", stores.Offers: "freebusy-offers", stores.Other: "freebusy-other"}

// removeRow removes a row of a table that is no record.
func (m *mender) removeRow(f *Finding, tx stores.Damaged, d stores.Damage) error {
	content, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if err := m.quarantine.save(entry{Kind: f.Kind.ID, User: string(m.user), Table: tableRow}, content); err != nil {
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
	} else if err := m.keep(f, t.Path, entry{Table: t.Name}); err != nil {
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
		return m.quarantine.move(f, path)
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
	e := entry{Part: partNames[key.Part], UID: octets(key.UID), RecurrenceID: key.RecurrenceID, Other: string(key.Other)}
	return m.keep(f, m.path(key), e)
}

var partNames = map[stores.Part]string{stores.Active: "active", stores.Cancelled: "cancelled", stores.Countered: "countered"}

// publish publishes the user's free/busy.
func (m *mender) publish(f *Finding) error {
	table, err := m.tx.Periods(stores.Table{Kind: stores.Own})
	if err != nil {
		return err
	}
	path := ""
	if files := m.checker.files(); files != nil {
		path = files.PublishedPath(m.user)
	}
	if err := m.keep(f, path, entry{Table: "published"}); err != nil {
		return err
	}
	return m.tx.Publish(freebusy.Published(string(m.user), m.now, table))
}
