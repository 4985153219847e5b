package quarantine

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

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
	"imip-agent/stores/durable"
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

// Undo puts back what repairs of a store have changed.
type Undo struct {
	Store  stores.Store
	DryRun bool // nothing is written
}

// Run puts back what a manifest has, latest first, each under its user's lock, and syncs it. Then it
// calls report with each thing.
func (o Undo) Run(ctx context.Context, manifest string, report func(Undone)) error {
	entries, err := readManifest(manifest)
	if err != nil {
		return fmt.Errorf("reading the manifest: %w", err)
	}
	at := places{filesOf(o.Store)}
	u := undoing{Undo: o, places: at, files: newChanger(at.files), dir: filepath.Dir(manifest), afters: make(map[int]string)}
	changed := make(map[string]int) // where something was changed last
	for i, e := range entries {
		switch e.Action {
		case actionChange:
			changed[e.about()] = i
		case actionAfter:
			u.afters[changed[e.about()]] = e.Sum
		}
	}
	done, stopped := u.all(ctx, entries)
	err = u.files.sync()
	failed := false
	for _, d := range done {
		if d.Err != nil || err == nil { // else nobody knows whether it lasts
			report(d)
		}
		failed = failed || d.Err != nil
	}
	switch {
	case err != nil:
		return errors.Join(stopped, fmt.Errorf("syncing what was put back: %w", err))
	case stopped != nil:
		return stopped
	case o.DryRun || failed:
		return nil
	}
	// It cannot be undone twice.
	return durable.Rename(manifest, filepath.Join(u.dir, "undone.jsonl"))
}

// all undoes entries, the last first. An error says why it was stopped.
func (u *undoing) all(ctx context.Context, entries []entry) (done []Undone, stopped error) {
	// What stood in the place of a lock comes last: it keeps everybody out, us as well.
	for _, locks := range []bool{false, true} {
		for i := len(entries) - 1; i >= 0; i-- {
			if ctx.Err() != nil {
				return done, context.Cause(ctx)
			}
			e := entries[i]
			if e.Action == actionAfter || locks != (e.Kind == LockStrange) {
				continue
			}
			done = append(done, Undone{Path: name(e), Kind: e.Kind, Err: u.locked(ctx, i, e)})
		}
	}
	return done, nil
}

// name says what an entry is about.
func name(e entry) string {
	if e.Path != "" {
		return string(e.Path)
	}
	return fmt.Sprintf("%s %s%s %s %s", e.User, e.Table, e.Part, e.UID, e.RecurrenceID)
}

type undoing struct {
	Undo
	places places
	files  *changer
	dir    string
	afters map[int]string // what changes have left, by the place of their entries
}

// locked undoes an entry under its user's lock.
func (u *undoing) locked(ctx context.Context, i int, e entry) error {
	if e.Kind == LockStale {
		return nil
	}
	if e.Kind == LockStrange {
		return u.file(i, e)
	}
	if e.Path == "" {
		return u.Store.Update(ctx, calendar.URI(e.User), func(tx stores.Tx) error { return u.record(i, tx, e) })
	}
	files := u.places.files
	if files == nil || e.User == "" {
		return u.file(i, e)
	}
	err := files.Audit(ctx, calendar.URI(e.User), audit.Options{}, func(audit.Session) error { return u.file(i, e) })
	if errors.Is(err, fs.ErrNotExist) { // a user with preferences only
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
		case e.Kind == FileStaging:
			return nil // a repair that was killed has left some, too
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
	if err != nil || len(entries) > 0 || u.DryRun {
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
		if u.DryRun {
			return nil
		}
		return u.files.remove(path)
	}
	if now == "" || u.DryRun {
		return u.restore(e, saved, path)
	}
	return u.files.move(saved, path, u.places.beside(calendar.URI(e.User), path))
}

// restore puts a file or directory back where there is none.
func (u *undoing) restore(e entry, saved, path string) error {
	if u.DryRun {
		return nil
	}
	if _, err := os.Lstat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		made := func() error { return durable.MakeAll(filepath.Dir(path), fs.ModeSetgid|0o770) }
		if err := u.files.do(made, filepath.Dir(filepath.Dir(path))); err != nil {
			return err
		}
	}
	return u.files.move(saved, path, u.places.beside(calendar.URI(e.User), path))
}

func (u *undoing) attribute(e entry) error {
	path := string(e.Path)
	if u.DryRun {
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
	if u.DryRun {
		return nil
	}
	if e.Part != "" {
		return tx.Put(e.key(), content)
	}
	switch e.Table {
	case Requests:
		var requests []stores.Request
		if err := json.Unmarshal(content, &requests); err != nil {
			return err
		}
		return tx.SetRequests(requests)
	case Providers:
		var providers stores.Providers
		if err := json.Unmarshal(content, &providers); err != nil {
			return err
		}
		return tx.SetProviders(providers)
	case tableRow:
		return restoreRow(tx, content)
	case Published:
		return tx.Publish(bytes.Clone(content))
	}
	return restoreTable(tx, e.which(), content)
}
