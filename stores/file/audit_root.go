package file

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/text/unicode/norm"

	"imip-agent/stores"
	"imip-agent/stores/audit"
)

// Root returns what is wrong among the users' directories: the original takes every
// entry for a user.
func (s *Store) Root(ctx context.Context) ([]audit.Problem, error) {
	entries, err := os.ReadDir(s.options.Dir)
	if err != nil {
		return nil, failed("reading the store", s.options.Dir, err)
	}
	if s.journal {
		return s.journalRoot(ctx, entries)
	}
	w := walk{store: s, ended: func() error { return context.Cause(ctx) }}
	for _, e := range entries {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		w.rootEntry(filepath.Join(s.options.Dir, e.Name()), e)
	}
	for _, names := range sameUsers(entries) {
		keep, others := s.fullest(names)
		for _, name := range others {
			path := filepath.Join(s.options.Dir, name)
			if text := s.only(name, keep); text != "" {
				w.add(audit.BothUsed, path, "differs from %q only in upper and lower case, and both are in use: only this one has %s. Stop the mail system, move what is missing in %[1]q there, rebuild its free/busy, and move this directory out of the store", keep, text)
				continue
			}
			w.add(audit.SameUser, path, "differs from %q only in upper and lower case: one of them is unused, probably this one", keep)
		}
	}
	if !slices.ContainsFunc(w.found, func(p audit.Problem) bool { return p.Kind == audit.Strayed }) { // else they may have records
		if err := w.ownerless(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(w.found, func(a, b audit.Problem) int { return strings.Compare(a.Path, b.Path) })
	return w.found, nil
}

// journalRoot returns what is wrong among the quotas' directories, which can have any name.
func (s *Store) journalRoot(ctx context.Context, entries []fs.DirEntry) ([]audit.Problem, error) {
	w := walk{store: s}
	for _, e := range entries {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		path := filepath.Join(s.options.Dir, e.Name())
		const place = "in the place of a quota's directory"
		info, err := os.Stat(path)
		reason := stores.BadText(e.Name())
		switch {
		case errors.Is(err, fs.ErrNotExist) && e.Type()&fs.ModeSymlink == 0:
			continue // it is gone
		case e.Type()&fs.ModeSymlink != 0 && err != nil:
			w.add(audit.NoUser, path, "is a broken symbolic link "+place)
		case err != nil:
			return nil, failed("looking at", path, err)
		case !info.IsDir():
			w.add(audit.NoUser, path, "is %s "+place, describe(info.Mode()))
		case e.Type()&fs.ModeSymlink != 0 && w.linked(path, info) != "":
			w.add(audit.NoUser, path, "is a symbolic link to what is booked under %q: two quotas cannot share it", w.linked(path, info))
		case reason != "":
			w.add(audit.NoUser, path, "is %s, and has a name that no quota has: %s", place, reason)
		case e.IsDir() && !holds(path, quotaLayer()):
			w.deepJournal(path)
		}
	}
	slices.SortFunc(w.found, func(a, b audit.Problem) int { return strings.Compare(a.Path, b.Path) })
	return w.found, nil
}

// deepJournal looks whether a directory among quotas' is a journal of its own, as one that was put back
// one level too deep, and notes where its quotas belong. A quota of which nothing is there is none.
func (w *walk) deepJournal(path string) {
	for inside, depth := path, 0; depth < 3; depth++ {
		entries, err := os.ReadDir(inside)
		if err != nil {
			return
		}
		var moves []audit.Move
		for _, e := range entries {
			if e.IsDir() && holds(filepath.Join(inside, e.Name()), quotaLayer()) {
				moves = append(moves, audit.Move{From: filepath.Join(inside, e.Name()), To: filepath.Join(filepath.Dir(path), e.Name())})
			}
		}
		if len(moves) > 0 {
			w.stray(path, moves, "holds quotas, "+filepath.Base(moves[0].From)+" among them, where no program looks for them")
			return
		}
		if len(entries) != 1 || !entries[0].IsDir() {
			return
		}
		inside = filepath.Join(inside, entries[0].Name())
	}
}

// ownerless looks for what is published of users who have no directory in the store.
func (w *walk) ownerless() error {
	dir := w.store.options.PublishDir
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return failed("reading what is published", dir, err)
	}
	for _, e := range entries {
		if notUser(e.Name()) != "" {
			continue // the web server's
		}
		if _, err := os.Stat(filepath.Join(w.store.options.Dir, e.Name())); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		path := filepath.Join(dir, e.Name(), published)
		if _, err := os.Stat(path); err == nil {
			w.add(audit.Ownerless, path, "is published free/busy of a user without records")
		}
	}
	return nil
}

func (w *walk) rootEntry(path string, e fs.DirEntry) {
	switch mode := e.Type(); {
	case mode&fs.ModeSymlink != 0:
		info, err := os.Stat(path)
		if err != nil {
			w.add(audit.NoUser, path, "is a broken symbolic link in the place of a user's directory")
			return
		} else if !info.IsDir() {
			w.add(audit.NoUser, path, "is a symbolic link to something else than a directory, in the place of a user's directory")
			return
		} else if user := w.linked(path, info); user != "" {
			w.add(audit.NoUser, path, "is a symbolic link to the records of %q: two users cannot share records", user)
			return
		}
	case !mode.IsDir():
		w.add(audit.NoUser, path, "is %s in the place of a user's directory", describe(mode))
		return
	}
	name := e.Name()
	if scheme, rest, _ := strings.Cut(name, ":"); scheme != strings.ToLower(scheme) && notUser(name) == "" && e.IsDir() {
		if rest == strings.ToUpper(rest) {
			rest = strings.ToLower(rest) // as all of it was
		}
		to := filepath.Join(filepath.Dir(path), strings.ToLower(scheme)+":"+rest)
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) { // else one of the two is looked for
			w.stray(path, []audit.Move{{From: path, To: to}}, "is named in upper case, where programs write "+strings.ToLower(scheme)+":, so that none of them finds it")
			return
		}
	}
	if notUser(name) != "" && e.IsDir() && w.deepStore(path) {
		return
	}
	if reason := notUser(name); reason != "" {
		w.add(audit.NoUser, path, "is in the place of a user's directory, and is not one: %s", reason)
	}
}

// linked returns the user of the same store whose directory a link leads to, if there is one.
func (w *walk) linked(path string, info fs.FileInfo) string {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	there, err := os.Lstat(filepath.Join(w.store.options.Dir, filepath.Base(target)))
	if err != nil || !there.IsDir() || !os.SameFile(there, info) {
		return ""
	}
	return filepath.Base(target)
}

func describe(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a file"
	case mode&fs.ModeNamedPipe != 0:
		return special(unix.S_IFIFO)
	case mode&fs.ModeSocket != 0:
		return special(unix.S_IFSOCK)
	}
	return special(unix.S_IFCHR)
}

// sameUsers returns the users whose names differ in case only, each group in order.
func sameUsers(entries []fs.DirEntry) [][]string {
	groups := make(map[string][]string)
	for _, e := range entries {
		if e.IsDir() && notUser(e.Name()) == "" {
			key := strings.ToLower(norm.NFC.String(e.Name()))
			groups[key] = append(groups[key], e.Name())
		}
	}
	var same [][]string
	for _, names := range groups {
		if len(names) > 1 {
			same = append(same, names)
		}
	}
	return same
}

// fullest returns which of several users, whose names differ in case only, is the one in
// use, and the others. The programs make URIs with a scheme in lower case only. Of those it
// is the one with the most events, then the one whose records changed last, then the one in
// lower case.
func (s *Store) fullest(names []string) (keep string, others []string) {
	type candidate struct {
		name   string
		scheme bool // is what programs would write
		events int
		last   time.Time
	}
	var candidates []candidate
	for _, name := range names {
		scheme, _, _ := strings.Cut(name, ":")
		c := candidate{name: name, scheme: scheme == strings.ToLower(scheme)}
		dir := filepath.Join(s.options.Dir, name)
		if entries, err := os.ReadDir(filepath.Join(dir, "objects")); err == nil { // else it has as good as none
			c.events = len(entries)
		}
		for _, table := range []place{ownTable, requestsTable, providersTable} {
			if info, err := os.Stat(filepath.Join(dir, table.name)); err == nil && info.ModTime().After(c.last) {
				c.last = info.ModTime()
			}
		}
		candidates = append(candidates, c)
	}
	best := slices.MaxFunc(candidates, func(a, b candidate) int {
		return cmp.Or(compareBool(a.scheme, b.scheme), cmp.Compare(a.events, b.events), a.last.Compare(b.last), cmp.Compare(a.name, b.name))
	})
	return best.name, slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == best.name })
}

// only returns what a user's directory has that another's has not, or has otherwise: a text, or a
// table of records that nothing is made anew from. It is empty if there is nothing, and of a
// directory that no program finds, by the scheme in its name.
func (s *Store) only(name, keep string) string {
	if scheme, _, _ := strings.Cut(name, ":"); scheme != strings.ToLower(scheme) {
		return ""
	}
	from, to := filepath.Join(s.options.Dir, name), filepath.Join(s.options.Dir, keep)
	found := ""
	_ = filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		below := strings.TrimPrefix(path, from+"/")
		top, _, _ := strings.Cut(below, "/")
		switch {
		case err != nil || e.IsDir() && (top == othersDir || top == lockDir || top == nextDir || top == stagingDir):
			return fs.SkipDir
		case !e.Type().IsRegular() || below == providersTable.name || below == ownTable.name:
			return nil
		}
		if info, err := e.Info(); err != nil || info.Size() == 0 || sameFile(path, filepath.Join(to, below)) {
			return nil
		}
		found = below
		return fs.SkipAll
	})
	return found
}

// sameFile reports whether two files have the same content.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA != nil || errB != nil || infoA.Size() != infoB.Size() || infoA.Size() > maxText {
		return false
	}
	contentA, errA := os.ReadFile(a)
	contentB, errB := os.ReadFile(b)
	return errA == nil && errB == nil && bytes.Equal(contentA, contentB)
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
