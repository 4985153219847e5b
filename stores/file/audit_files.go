package file

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/durable"
)

// layer says what belongs into a directory. One that has names holds exactly those;
// else it holds files, or directories that are all alike.
type layer struct {
	names  map[string]*layer // nil for a file
	dirs   *layer            // what is in each of its directories; nil: there are only files
	texts  bool              // its files are texts, which cannot be empty
	gone   bool              // it goes when nothing is left in it
	naming func(name string) (wrong string)
}

// userLayer returns what belongs into a user's directory.
var userLayer = sync.OnceValue(func() *layer {
	texts := &layer{texts: true, naming: badUIDName}
	occurrences := &layer{dirs: &layer{texts: true, gone: true, naming: badRecurrenceName}, naming: badUIDName}
	answers := &layer{texts: true, gone: true, naming: badUserName}
	return &layer{names: map[string]*layer{
		"objects":     texts,
		"recurrences": occurrences,
		"cancellations": {names: map[string]*layer{
			"objects": texts, "recurrences": occurrences,
		}},
		"counters": {names: map[string]*layer{
			"objects":     {dirs: answers, naming: badUIDName},
			"recurrences": {dirs: &layer{dirs: answers, gone: true, naming: badRecurrenceName}, naming: badUIDName},
		}},
		othersDir:           {naming: badUserName},
		ownTable.name:       nil,
		offersTable.name:    nil,
		requestsTable.name:  nil,
		providersTable.name: nil,
		lockDir:             nil,
		nextDir:             nil,
		stagingDir:          nil,
		outboxDir:           nil,
	}}
})

// quotaLayer returns what belongs into a quota's directory.
var quotaLayer = sync.OnceValue(func() *layer {
	names := maps.Clone(userLayer().names)
	names[othersDir] = &layer{naming: badUIDName} // groups
	for _, l := range stores.QuotaLists {
		names[l.Name] = nil
	}
	return &layer{names: names}
})

// isTop reports whether it is what belongs into the directory of a user or of a quota.
func (l *layer) isTop() bool { return l == userLayer() || l == quotaLayer() }

// publishedLayer is what belongs into a user's directory below PublishDir.
var publishedLayer = &layer{names: map[string]*layer{published: nil}}

func badUIDName(name string) string {
	if reason := stores.BadText(name); reason != "" {
		return "no UID has such a name: " + reason
	}
	return ""
}

func badRecurrenceName(name string) string {
	if !stores.IsRecurrenceID(name) {
		return "no occurrence has such a name: it is not a date or date-time"
	}
	return ""
}

func badUserName(name string) string {
	if reason := notUser(name); reason != "" {
		return "no user has such a name: " + reason
	}
	return ""
}

// notUser says why a name is no user's: an URI, which begins with a scheme (RFC 3986
// section 3.1). It is empty for a user's.
func notUser(name string) string {
	if reason := stores.BadText(name); reason != "" {
		return reason
	}
	scheme, rest, found := strings.Cut(name, ":")
	switch {
	case !found || scheme == "" || strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.") != "":
		return "it is not a URI such as mailto:paul@example.com"
	case strings.TrimSpace(name) != name:
		return "there are spaces at its ends"
	case strings.TrimSpace(rest) == "":
		return "there is nothing after the colon"
	case audit.Leftover(name):
		return "its name looks like a file that an editor or an administrator has left"
	}
	return ""
}

// walk goes through directories and collects what is wrong in them.
type walk struct {
	store *Store
	base  string       // the directory at the top
	ended func() error // returns why the work is to end, or nil
	gid   int          // of the directory at the top
	found []audit.Problem
}

func (w *walk) add(kind audit.Kind, path, format string, args ...any) {
	w.found = append(w.found, audit.Problem{Kind: kind, Path: path, Text: fmt.Sprintf(format, args...)})
}

// told reports whether that kind of problem has been added of a path.
func (w *walk) told(kind audit.Kind, path string) bool {
	return slices.ContainsFunc(w.found, func(p audit.Problem) bool { return p.Kind == kind && p.Path == path })
}

// Problems returns what is wrong with the user's files, and with those published.
func (t *session) Problems() ([]audit.Problem, error) {
	w := walk{store: t.store, ended: t.ended}
	layer := userLayer()
	if t.store.journal {
		layer = quotaLayer()
	}
	if err := w.top(t.dir.path, layer); err != nil {
		return nil, err
	}
	if t.store.options.PublishDir != "" {
		path := t.publishDir()
		info, err := os.Stat(path)
		switch {
		case err == nil && !info.IsDir():
			w.add(audit.Misplaced, path, "is a file where a directory belongs")
		case err == nil:
			err = w.top(path, publishedLayer)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	slices.SortFunc(w.found, func(a, b audit.Problem) int { return strings.Compare(a.Path, b.Path) })
	return w.found, nil
}

// top looks at a user's directory, which may be a symbolic link, and all below it.
func (w *walk) top(path string, l *layer) error {
	var parent, stat unix.Stat_t
	if err := unix.Stat(filepath.Dir(path), &parent); err != nil {
		return failed("looking at", filepath.Dir(path), err)
	}
	if err := unix.Stat(path, &stat); err != nil {
		return failed("looking at", path, err)
	}
	w.base, w.gid = path, int(parent.Gid)
	w.attributes(path, &stat)
	w.gid = int(stat.Gid)
	return w.directory(path, l)
}

// directory looks at what is in a directory.
func (w *walk) directory(path string, l *layer) error {
	dir, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) && w.told(audit.Mode, path) {
		return nil // for that reason
	} else if err != nil {
		return failed("reading", path, err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return failed("reading", path, err)
	}
	if len(names) == 0 && l.gone || len(names) == 1 && names[0] == lockDir && l.isTop() {
		w.add(audit.EmptyDir, path, "is an empty directory")
	}
	for _, name := range names {
		if err := w.ended(); err != nil {
			return err
		}
		var stat unix.Stat_t
		err := unix.Fstatat(int(dir.Fd()), name, &stat, unix.AT_SYMLINK_NOFOLLOW)
		if errors.Is(err, unix.ENOENT) {
			continue // what is published is not under the lock for readers alone
		} else if errors.Is(err, unix.EACCES) && w.told(audit.Mode, path) {
			return nil
		} else if err != nil {
			return failed("looking at", filepath.Join(path, name), err)
		}
		if err := w.entry(path+"/"+name, name, &stat, l); err != nil {
			return err
		}
	}
	return nil
}

// entry looks at a file or directory in a directory of layer l.
func (w *walk) entry(path, name string, stat *unix.Stat_t, l *layer) error {
	kind := stat.Mode & unix.S_IFMT
	isDir := kind == unix.S_IFDIR
	inside, known := l.dirs, l.names == nil
	if l.names != nil {
		inside, known = l.names[name], hasName(l, name)
	}
	switch {
	case name == outboxDir && l.isTop() && !isDir && kind != unix.S_IFLNK:
		w.add(audit.Misplaced, path, "is a file where a directory belongs")
		return nil
	case (name == lockDir || name == nextDir || name == outboxDir) && l.isTop():
		return nil
	case name == stagingDir && l.isTop(), l == publishedLayer && strings.HasPrefix(name, "."+published+"."):
		w.add(audit.Staging, path, "was left by a program that was interrupted while writing")
		return nil
	case !utf8.ValidString(name):
		w.add(audit.BadName, path, "has a name that is not UTF-8")
		return nil
	case !known && (isDir || kind == unix.S_IFREG) && w.strayed(path, name, isDir, l):
		return nil
	case isDir && l != publishedLayer && w.doubled(path, name, l):
		return nil
	case !known:
		w.add(audit.Unknown, path, "does not belong here, and does no harm")
		return nil
	case kind == unix.S_IFLNK:
		w.add(audit.Link, path, "is a symbolic link")
		return nil
	case !isDir && kind != unix.S_IFREG:
		w.add(audit.Device, path, "is %s", special(kind))
		return nil
	case isDir && inside == nil && l.texts && hasFiles(path):
		w.stray(path, movesUp(path, filepath.Dir(path)), "is a directory where a file belongs, and holds files that no program finds")
		return nil
	case isDir && inside == nil:
		w.add(audit.Misplaced, path, "is a directory where a file belongs")
		return nil
	case !isDir && inside != nil:
		w.add(audit.Misplaced, path, "is a file where a directory belongs")
		return nil
	}
	if l.naming != nil {
		if wrong := l.naming(name); wrong != "" {
			w.add(audit.BadName, path, "has a name that does not belong here: %s", wrong)
			return nil
		}
	}
	if l.texts && !isDir && stat.Size == 0 {
		w.add(audit.Empty, path, "is empty")
		return nil
	}
	if limit := maxSize(strings.TrimPrefix(path, w.base+"/")); !isDir && stat.Size > limit {
		w.add(audit.Oversize, path, "has %s%s: such a file never has more than %s", octets(stat.Size), holes(stat), octets(limit))
		return nil
	}
	w.attributes(path, stat)
	if isDir {
		return w.directory(path, inside)
	}
	return nil
}

// holes says if most of a file is not on the disk.
func holes(stat *unix.Stat_t) string {
	if stat.Blocks*512 < stat.Size/2 {
		return ", most of it not on the disk"
	}
	return ""
}

// hasFiles reports whether there are files in a directory, and nothing else.
func hasFiles(path string) bool {
	entries, err := os.ReadDir(path)
	return err == nil && len(entries) > 0 && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !e.Type().IsRegular() })
}

func hasName(l *layer, name string) bool {
	_, ok := l.names[name]
	return ok
}

// special names what is neither file, directory nor link.
func special(kind uint32) string {
	switch kind {
	case unix.S_IFIFO:
		return "a pipe, which blocks programs that open it"
	case unix.S_IFSOCK:
		return "a socket"
	}
	return "a device"
}

// attributes looks at the permissions and the group of a file or directory.
func (w *walk) attributes(path string, stat *unix.Stat_t) {
	isDir := stat.Mode&unix.S_IFMT == unix.S_IFDIR
	want := w.store.options.FileMode
	if isDir {
		want = w.store.options.DirMode
	}
	if got := fs.FileMode(stat.Mode & 0o7777); got != want {
		w.add(audit.Mode, path, "has mode %04o instead of %04o%s", uint32(got), uint32(want), meaning(got, want))
		w.found[len(w.found)-1].Mode = octalMode(want)
	}
	if int(stat.Gid) != w.gid {
		w.add(audit.Group, path, "has group %s instead of %s, the group of its directory",
			durable.GroupName(int(stat.Gid)), durable.GroupName(w.gid))
		w.found[len(w.found)-1].GID = w.gid
	}
	if !isDir && stat.Nlink > 1 {
		w.add(audit.HardLink, path, "has %d names (hard links): writing to it changes the others", stat.Nlink)
	}
}

// meaning says what follows from wrong permissions.
func meaning(got, want fs.FileMode) string {
	switch {
	case want&^got&0o070 != 0:
		return ": programs of the group cannot use it"
	case got&^want&0o007 != 0:
		return ": everybody on this machine can use it"
	case want&^got&0o700 != 0:
		return ": its owner cannot use it"
	}
	return ""
}
