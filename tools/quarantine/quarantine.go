// Package quarantine keeps what repairs of a store change or move away, and puts it back.
//
// A [Quarantine] is a directory with a manifest. The manifest is ahead of what is done: an entry is
// on disk before its file is touched. What is changed is changed through the store, which changes
// nothing any more once the program has given back its locks. [Section.Done] syncs all that was
// moved; until then it can be undone by a loss of power.
//
// An [Undo] reads a manifest, and puts back what was there before, but for what was changed again since.
package quarantine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
	"imip-agent/stores/durable"
)

// The findings whose repairs are undone in another way than all others.
const (
	LockStale   = "lock-stale"   // it stays away: to put back a lock that nobody holds would lock the user out
	LockStrange = "lock-strange" // it is put back last: it keeps everybody out, us as well
	FileStaging = "file-staging" // it stays away where others have come into its place: neither is of any use
)

// Quarantine keeps what repairs change or move away: a directory named by the time. It is made when
// it is first needed.
type Quarantine struct {
	base    string // the directory that the quarantines are in
	now     func() time.Time
	changes string // what is repaired, for the manifest
	places  places
	files   *changer

	mu       sync.Mutex
	dir      string // of this quarantine; empty: not made yet
	manifest *os.File
	size     int64 // of the manifest
	saved    int   // files in it
}

// New returns a quarantine for repairs of a store. It is to be a directory below base. The manifest says
// which repairs are made: safe, or all.
func New(store stores.Store, base, repairs string, now func() time.Time) *Quarantine {
	at := places{filesOf(store)}
	return &Quarantine{base: base, now: now, changes: repairs, places: at, files: newChanger(at.files)}
}

// Reason is what something is changed for: the kind of a finding, and the user whose records it is in.
type Reason struct {
	Kind string
	User calendar.URI // empty: of no user
}

// entry returns an entry of the manifest about a file.
func (r Reason) entry(action, path string) entry {
	return entry{Action: action, Kind: r.Kind, User: string(r.User), Path: octets(path)}
}

// places knows where a store's files are.
type places struct{ files audit.Store } // nil: the store is without files

// filesOf returns a store as files, or nil.
func filesOf(store stores.Store) audit.Store {
	files, _ := store.(audit.Store)
	return files
}

// beside returns a directory on a file's file system, in which another name does no harm.
func (p places) beside(user calendar.URI, path string) string {
	if p.files != nil && user != "" {
		if dir := filepath.Dir(p.files.RequestsPath(user)); strings.HasPrefix(path, dir+"/") {
			return dir
		}
	}
	return filepath.Dir(path) // published, or a preference
}

// open makes the quarantine. It is called with mu held.
func (q *Quarantine) open() error {
	if q.manifest != nil {
		return nil
	}
	if err := os.MkdirAll(q.base, 0o700); err != nil {
		return err
	}
	durable.Own(q.base)
	stamp := q.now().UTC().Format("20060102T150405Z")
	dir := filepath.Join(q.base, stamp)
	for n := 2; ; n++ {
		err := os.Mkdir(dir, 0o700)
		if err == nil {
			durable.Own(dir)
			break
		} else if !errors.Is(err, fs.ErrExist) {
			return err
		}
		dir = filepath.Join(q.base, stamp+"-"+strconv.Itoa(n))
	}
	file, err := os.OpenFile(filepath.Join(dir, ManifestName), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	durable.Own(file.Name())
	q.dir, q.manifest = dir, file
	if err := q.write(header{quarantineVersion, q.now().UTC(), q.changes}); err != nil {
		// Nothing is changed yet, and nothing is left that says so in vain.
		q.dir, q.manifest = "", nil
		return errors.Join(err, file.Close(), os.RemoveAll(dir))
	}
	return errors.Join(durable.NamesIn(dir), durable.NamesIn(q.base))
}

// write appends a line to the manifest.
func (q *Quarantine) write(value any) error {
	line, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if _, err := q.manifest.Write(append(line, '\n')); err != nil {
		// What comes after half a line could not be read.
		return errors.Join(err, q.manifest.Truncate(q.size))
	}
	q.size += int64(len(line)) + 1
	return q.manifest.Sync()
}

// note appends an entry to the manifest.
func (q *Quarantine) note(e entry) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.open(); err != nil {
		return err
	}
	return q.write(e)
}

// place returns the path of a new file in the quarantine, and its name there.
func (q *Quarantine) place(path string) (full, name string, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.open(); err != nil {
		return "", "", err
	}
	q.saved++
	base := filepath.Base(path)
	base = strings.ToValidUTF8(base[:min(len(base), 100)], "_")
	name = fmt.Sprintf("%05d-%s", q.saved, base)
	return filepath.Join(q.dir, name), name, nil
}

// Manifest returns the path of the manifest; empty if nothing was changed.
func (q *Quarantine) Manifest() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dir == "" {
		return ""
	}
	return filepath.Join(q.dir, ManifestName)
}

// Close closes the manifest.
func (q *Quarantine) Close() error {
	if q.manifest == nil {
		return nil
	}
	return q.manifest.Close()
}

// Move moves a file or directory into the quarantine.
func (q *Quarantine) Move(why Reason, path string) error {
	if _, err := os.Lstat(path); err != nil {
		return err
	}
	full, name, err := q.place(path)
	if err != nil {
		return err
	}
	e := why.entry(actionMove, path)
	e.Saved = name
	if err := q.note(e); err != nil {
		return err
	}
	return q.files.move(path, full, q.dir)
}

// Relocate moves a file or directory to another place, where there is nothing, or an empty
// directory or file, which goes away.
func (q *Quarantine) Relocate(why Reason, from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		if err := q.Move(why, to); err != nil {
			return err
		}
	}
	e := why.entry(actionRename, from)
	e.To = octets(to)
	if err := q.note(e); err != nil {
		return err
	}
	return q.files.do(func() error { return os.Rename(from, to) }, filepath.Dir(from), filepath.Dir(to))
}

// Chmod gives a file or directory a mode.
func (q *Quarantine) Chmod(why Reason, path string, mode fs.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if err := maySetgid(info, mode); err != nil {
		return err
	}
	e := why.entry(actionMode, path)
	e.Mode = modeText(info.Mode())
	if err := q.note(e); err != nil {
		return err
	}
	return q.files.do(func() error { return os.Chmod(path, mode) })
}

// Chgrp gives a file or directory a group.
func (q *Quarantine) Chgrp(why Reason, path string, gid int) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	e := why.entry(actionGroup, path)
	_, e.GID = owner(info)
	if err := maySetgid(info, info.Mode()); err != nil {
		return err
	}
	if err := q.note(e); err != nil {
		return err
	}
	return q.files.do(func() error { return changeGroup(path, gid, info.Mode()) })
}

// Separate gives a file of several names content of its own: it keeps the file as one more of its
// names, and puts a copy in its place, which goes by way of a directory where nothing is listed.
func (q *Quarantine) Separate(why Reason, path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	full, name, err := q.place(path)
	if err != nil {
		return err
	}
	e := why.entry(actionChange, path)
	e.Saved = name
	if err := q.note(e); err != nil {
		return err
	}
	if os.Link(path, full) != nil { // as to another file system
		if err := copyFile(path, full, info); err != nil {
			return err
		}
	}
	if err := durable.NamesIn(q.dir); err != nil {
		return err
	}
	copied := filepath.Join(filepath.Dir(q.dir), name+".new")
	if err := copyFile(path, copied, info); err != nil {
		return errors.Join(err, os.RemoveAll(copied))
	}
	sum, err := sumOf(path)
	if err != nil {
		return err
	}
	if err := q.files.move(copied, path, q.places.beside(why.User, path)); err != nil {
		return errors.Join(err, os.RemoveAll(copied))
	}
	return q.note(entry{Action: actionAfter, Path: octets(path), Sum: sum})
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

// changeGroup gives a file a group. That takes the set-group-id bit away, which the mode has.
func changeGroup(path string, gid int, mode fs.FileMode) error {
	if err := os.Lchown(path, -1, gid); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// modeText writes a mode as chmod(1) takes it.
func modeText(mode fs.FileMode) string {
	m := mode & fs.ModePerm
	for flag, bit := range map[fs.FileMode]fs.FileMode{fs.ModeSticky: 0o1000, fs.ModeSetgid: 0o2000, fs.ModeSetuid: 0o4000} {
		if mode&flag != 0 {
			m |= bit
		}
	}
	return fmt.Sprintf("%04o", uint32(m))
}
