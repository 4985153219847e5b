package check

import (
	"bytes"
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
	"unicode/utf8"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/durable"
)

// quarantine keeps what repairs change or move away: a directory named by the time, with
// a manifest in it. It is made when it is first needed. The manifest is ahead of what is
// done: an entry is on disk before its file is touched.
type quarantine struct {
	base    string // the directory that the quarantines are in
	now     func() time.Time
	changes string // what is repaired, for the manifest
	files   *changer

	mu       sync.Mutex
	dir      string // of this quarantine; empty: not made yet
	manifest *os.File
	size     int64 // of the manifest
	saved    int   // files in it
}

// ManifestName is the name of a manifest in its quarantine. It is a file of JSON values,
// one a line, of which the first says what it is.
const ManifestName = "manifest.jsonl"

// header is the first line of a manifest.
type header struct {
	Quarantine int       `json:"quarantine"` // the version of the format: 1
	Time       time.Time `json:"time"`
	Repair     string    `json:"repair"`
}

const quarantineVersion = 1

// The actions that entries of a manifest are about.
const (
	actionMove   = "move"   // path was renamed to saved
	actionChange = "change" // path, or a record of a store without files, was written anew; saved is what it was
	actionAfter  = "after"  // what path or the record, of a change before, is changed to
	actionRename = "rename" // path was renamed to to
	actionMode   = "mode"   // path had that mode
	actionGroup  = "group"  // path had that group
)

// entry is a line of a manifest.
type entry struct {
	Action string `json:"action"`
	Kind   string `json:"kind,omitempty"` // of the finding
	User   string `json:"user,omitempty"`
	Path   octets `json:"path,omitempty"`
	To     octets `json:"to,omitempty"`     // where it is now
	Saved  string `json:"saved,omitempty"`  // in the quarantine
	Absent bool   `json:"absent,omitempty"` // there was nothing
	Mode   string `json:"mode,omitempty"`   // octal
	GID    int    `json:"gid,omitempty"`
	Sum    string `json:"sum,omitempty"` // SHA-256 of the content

	// What was changed in a store without files.
	Table        string `json:"table,omitempty"`
	Part         string `json:"part,omitempty"`
	UID          octets `json:"uid,omitempty"`
	RecurrenceID string `json:"recurrence,omitempty"`
	Other        string `json:"other,omitempty"`
}

// about returns what an entry is about, which others about the same have as well.
func (e *entry) about() string {
	if e.Path != "" {
		return string(e.Path)
	}
	return strings.Join([]string{"", e.User, e.Table, e.Part, string(e.UID), e.RecurrenceID, e.Other}, "\n")
}

// key returns the text that an entry is about.
func (e *entry) key() stores.Key {
	key := stores.Key{ID: stores.ID{UID: string(e.UID), RecurrenceID: e.RecurrenceID}, Other: calendar.URI(e.Other)}
	for part, name := range partNames {
		if name == e.Part {
			key.Part = part
		}
	}
	return key
}

// which returns the free/busy table that an entry is about.
func (e *entry) which() stores.Table {
	which := stores.Table{Other: calendar.URI(e.Other)}
	for kind, name := range tableNames {
		if name == e.Table {
			which.Kind = kind
		}
	}
	return which
}

// tableRow stands for a table in an entry about a row that was no record of it.
const tableRow = "row"

// octets is a text that need not be UTF-8, as names of files are not always. JSON has no
// strings for these: then it is an object with the octets in base64.
type octets string

// MarshalJSON implements [json.Marshaler].
func (o octets) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(o)) {
		return json.Marshal(string(o))
	}
	return json.Marshal(map[string][]byte{"base64": []byte(o)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (o *octets) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		var value map[string][]byte
		err := json.Unmarshal(data, &value)
		*o = octets(value["base64"])
		return err
	}
	return json.Unmarshal(data, (*string)(o))
}

// open makes the quarantine. It is called with mu held.
func (q *quarantine) open() error {
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
func (q *quarantine) write(value any) error {
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
func (q *quarantine) note(e entry) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.open(); err != nil {
		return err
	}
	return q.write(e)
}

// place returns the path of a new file in the quarantine, and its name there.
func (q *quarantine) place(path string) (full, name string, err error) {
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

func (q *quarantine) manifestPath() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dir == "" {
		return ""
	}
	return filepath.Join(q.dir, ManifestName)
}

func (q *quarantine) close() error {
	if q.manifest == nil {
		return nil
	}
	return q.manifest.Close()
}

// move moves a file or directory into the quarantine.
func (q *quarantine) move(f *Finding, path string) error {
	if _, err := os.Lstat(path); err != nil {
		return err
	}
	full, name, err := q.place(path)
	if err != nil {
		return err
	}
	if err := q.note(entry{Action: actionMove, Kind: f.Kind.ID, User: string(f.User), Path: octets(path), Saved: name}); err != nil {
		return err
	}
	return q.files.move(path, full, q.dir)
}

// relocate moves a file or directory to another place, where there is nothing, or an empty
// directory or file, which goes away.
func (q *quarantine) relocate(f *Finding, from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		if err := q.move(f, to); err != nil {
			return err
		}
	}
	if err := q.note(entry{Action: actionRename, Kind: f.Kind.ID, User: string(f.User), Path: octets(from), To: octets(to)}); err != nil {
		return err
	}
	return q.files.do(func() error { return os.Rename(from, to) }, filepath.Dir(from), filepath.Dir(to))
}

// copy keeps what a file is before it is written anew.
func (q *quarantine) copy(e entry, path string) error {
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
func (q *quarantine) save(e entry, content []byte) error {
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

// link keeps a file of several names as one more of them, and puts a copy in its place,
// which goes by way of a directory where nothing is listed.
func (q *quarantine) link(f *Finding, path, directory string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	full, name, err := q.place(path)
	if err != nil {
		return err
	}
	if err := q.note(entry{Action: actionChange, Kind: f.Kind.ID, User: string(f.User), Path: octets(path), Saved: name}); err != nil {
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
	if err := q.files.move(copied, path, directory); err != nil {
		return errors.Join(err, os.RemoveAll(copied))
	}
	return q.note(entry{Action: actionAfter, Path: octets(path), Sum: sum})
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

// readManifest reads a manifest.
func readManifest(path string) ([]entry, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(bytes.Trim(content, "\x00")) == 0 {
		return nil, nil // the disk was full, or the power cut, before anything was done
	}
	first, rest, _ := bytes.Cut(content, []byte("\n"))
	var h header
	if err := json.Unmarshal(first, &h); err != nil || h.Quarantine != quarantineVersion {
		return nil, fmt.Errorf("%s is not a manifest of a quarantine", path)
	}
	var entries []entry
	for line := range bytes.Lines(rest) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			continue // it was cut off; nothing was done then
		}
		entries = append(entries, e)
	}
	return entries, nil
}
