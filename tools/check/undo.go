package check

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
	"imip-agent/stores/durable"
	"imip-agent/stores/freebusy"
)

// Undone is one thing that was put back, or not.
type Undone struct {
	Path string // or, in a store without files, what it is
	Kind string // the finding that it was changed for
	Err  error  // why it could not be put back
}

// ErrLater says that something was changed again after the repair, so that putting back
// what was there before would undo that as well.
var ErrLater = errors.New("it was changed again since, and is kept as it is")

// Undo puts back what a repair has changed, latest first, each under its user's lock. It
// calls report with each thing. With dryRun nothing is written.
func (c *Checker) Undo(ctx context.Context, manifest string, report func(Undone)) error {
	entries, err := readManifest(manifest)
	if err != nil {
		return fmt.Errorf("reading the manifest: %w", err)
	}
	u := undoing{checker: c, files: c.newChanger(), dir: filepath.Dir(manifest), afters: make(map[int]string), report: report}
	changed := make(map[string]int) // where something was changed last
	for i, e := range entries {
		switch e.Action {
		case actionChange:
			changed[e.about()] = i
		case actionAfter:
			u.afters[changed[e.about()]] = e.Sum
		}
	}
	// What stood in the place of a lock comes last: it keeps everybody out, us as well.
	for _, locks := range []bool{false, true} {
		for i := len(entries) - 1; i >= 0; i-- {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			e := entries[i]
			if e.Action == actionAfter || locks != (e.Kind == lockStrange.ID) {
				continue
			}
			report(Undone{Path: name(e), Kind: e.Kind, Err: u.locked(ctx, i, e)})
		}
	}
	if err := u.files.sync(); err != nil {
		return fmt.Errorf("syncing what was put back: %w", err)
	}
	if c.DryRun || u.failed {
		return nil
	}
	// It cannot be undone twice.
	return durable.Rename(manifest, filepath.Join(u.dir, "undone.jsonl"))
}

// name says what an entry is about.
func name(e entry) string {
	if e.Path != "" {
		return string(e.Path)
	}
	return fmt.Sprintf("%s %s%s %s %s", e.User, e.Table, e.Part, e.UID, e.RecurrenceID)
}

type undoing struct {
	checker *Checker
	files   *changer
	dir     string
	afters  map[int]string // what changes have left, by the place of their entries
	report  func(Undone)
	failed  bool
}

// locked undoes an entry under its user's lock.
func (u *undoing) locked(ctx context.Context, i int, e entry) (err error) {
	defer func() {
		if err != nil {
			u.failed = true
		}
	}()
	if e.Kind == lockStale.ID {
		return nil // to put back a lock that nobody holds would lock the user out
	}
	if e.Kind == lockStrange.ID {
		return u.file(i, e)
	}
	if e.Path == "" {
		return u.checker.Store.Update(ctx, calendar.URI(e.User), func(tx stores.Tx) error { return u.record(i, tx, e) })
	}
	files := u.checker.files()
	if files == nil || e.User == "" {
		return u.file(i, e)
	}
	err = files.Audit(ctx, calendar.URI(e.User), audit.Options{}, func(audit.Session) error { return u.file(i, e) })
	if isAbsent(err) { // a user with preferences only
		return u.file(i, e)
	}
	return err
}

// file undoes what was done to a file.
func (u *undoing) file(i int, e entry) error {
	path := string(e.Path)
	saved := filepath.Join(u.dir, e.Saved)
	switch e.Action {
	case actionMove:
		if _, err := os.Lstat(saved); errors.Is(err, fs.ErrNotExist) {
			if _, err := os.Lstat(path); err == nil {
				return nil // it was never moved
			}
			return err
		}
		switch info, err := os.Lstat(path); {
		case err != nil, info.IsDir() && u.vacated(path):
		case e.Kind == fileStaging.ID:
			return nil // a repair that was killed has left some, too; neither is of any use
		default:
			return ErrLater
		}
		return u.restore(e, saved, path)
	case actionRename:
		if _, err := os.Lstat(string(e.To)); errors.Is(err, fs.ErrNotExist) {
			if _, err := os.Lstat(path); err == nil {
				return nil // it was never moved
			}
			return err
		}
		if _, err := os.Lstat(path); err == nil {
			return ErrLater
		}
		return u.restore(e, string(e.To), path)
	case actionChange:
		return u.change(i, e, saved)
	case actionMode, actionGroup:
		return u.attribute(e)
	}
	return fmt.Errorf("unknown action %q", e.Action)
}

// vacated reports whether a directory is empty, which one is that was made for a file that is
// taken away again, and removes it.
func (u *undoing) vacated(path string) bool {
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) > 0 || u.checker.DryRun {
		return err == nil && len(entries) == 0
	}
	return u.files.remove(path) == nil
}

// change puts back what a file was before it was written anew.
func (u *undoing) change(i int, e entry, saved string) error {
	path := string(e.Path)
	now, err := sumOf(path)
	if err != nil {
		return err
	}
	before := ""
	if !e.Absent {
		if before, err = sumOf(saved); err != nil {
			return err
		}
	}
	after, known := u.afters[i]
	switch {
	case known && now == after:
	case now == before:
		return nil // it was never changed
	default:
		return ErrLater
	}
	if e.Absent {
		if u.checker.DryRun {
			return nil
		}
		return u.files.remove(path)
	}
	if now == "" || u.checker.DryRun {
		return u.restore(e, saved, path)
	}
	return u.files.move(saved, path, u.checker.beside(calendar.URI(e.User), path))
}

// beside returns a directory on a file's file system, in which another name does no harm.
func (c *Checker) beside(user calendar.URI, path string) string {
	if files := c.files(); files != nil && user != "" {
		if dir := filepath.Dir(files.RequestsPath(user)); strings.HasPrefix(path, dir+"/") {
			return dir
		}
	}
	return filepath.Dir(path) // published, or a preference
}

// restore puts a file or directory back where there is none.
func (u *undoing) restore(e entry, saved, path string) error {
	if u.checker.DryRun {
		return nil
	}
	if _, err := os.Lstat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		made := func() error { return durable.MakeAll(filepath.Dir(path), fs.ModeSetgid|0o770) }
		if err := u.files.do(made, filepath.Dir(filepath.Dir(path))); err != nil {
			return err
		}
	}
	return u.files.move(saved, path, u.checker.beside(calendar.URI(e.User), path))
}

func (u *undoing) attribute(e entry) error {
	path := string(e.Path)
	if u.checker.DryRun {
		return nil
	}
	if e.Action == actionGroup {
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		return u.files.do(func() error { return changeGroup(path, e.GID, info.Mode()) })
	}
	bits, err := strconv.ParseUint(e.Mode, 8, 32)
	if err != nil {
		return err
	}
	mode := fs.FileMode(bits) & fs.ModePerm
	for bit, flag := range map[uint64]fs.FileMode{0o1000: fs.ModeSticky, 0o2000: fs.ModeSetgid, 0o4000: fs.ModeSetuid} {
		if bits&bit != 0 {
			mode |= flag
		}
	}
	return u.files.do(func() error { return os.Chmod(path, mode) })
}

// record puts back a record of a store without files.
func (u *undoing) record(i int, tx stores.Tx, e entry) error {
	content, err := os.ReadFile(filepath.Join(u.dir, e.Saved))
	if err != nil {
		return err
	}
	if e.Table != tableRow {
		now, err := recordOf(tx, e)
		if err != nil {
			return err
		}
		after, known := u.afters[i]
		switch {
		case known && sum(now) == after:
		case bytes.Equal(now, content):
			return nil // it was never changed
		default:
			return ErrLater
		}
	}
	if u.checker.DryRun {
		return nil
	}
	if e.Part != "" {
		return tx.Put(e.key(), content)
	}
	switch e.Table {
	case "requests":
		var requests []stores.Request
		if err := json.Unmarshal(content, &requests); err != nil {
			return err
		}
		return tx.SetRequests(requests)
	case "freebusy-providers":
		var providers stores.Providers
		if err := json.Unmarshal(content, &providers); err != nil {
			return err
		}
		return tx.SetProviders(providers)
	case tableRow:
		return restoreRow(tx, content)
	case "published":
		return tx.Publish(bytes.Clone(content))
	}
	return restoreTable(tx, e.which(), content)
}

// restoreRow puts a row of a table back that is no record.
func restoreRow(tx stores.Tx, content []byte) error {
	var d stores.Damage
	if err := json.Unmarshal(content, &d); err != nil {
		return err
	}
	tables, ok := tx.(stores.Damaged)
	if !ok {
		return errors.New("the store cannot have such a row")
	}
	return tables.RestoreDamage(d)
}

// restoreTable makes a free/busy table what it was.
func restoreTable(tx stores.Tx, which stores.Table, content []byte) error {
	layout := freebusy.Plain
	if which.Kind == stores.Offers {
		layout = freebusy.Expiring
	}
	table, err := tx.Periods(which)
	if err != nil {
		return err
	}
	was, _ := freebusy.Read(content, layout)
	ids := make(map[stores.ID]bool)
	for p := range table.All() {
		ids[stores.ID{UID: p.UID, RecurrenceID: p.RecurrenceID}] = true
	}
	for id := range ids {
		table.Remove(id.UID, id.RecurrenceID)
	}
	var records []freebusy.Period
	for p := range was.All() {
		records = append(records, p)
	}
	table.InsertAll(records)
	return nil
}
