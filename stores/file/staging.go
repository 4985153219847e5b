package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"imip-agent/stores"
	"imip-agent/stores/durable"
)

// staging is where files are written in full and synced before any of them is renamed
// into its place in the same user's directory: a directory in that, or for what web
// servers serve, hidden files beside their places.
type staging struct {
	ctx     context.Context // whose end ends the writing, but no renaming
	store   *Store
	dir     *directory
	name    string              // of the staging directory, in dir; empty: there is none
	staged  map[place]string    // the staged file for each place
	old     map[place]*replaced // what is there, if it is replaced
	letters map[string]string   // the staged directory for each letter
	carried bool                // the staging directory is that of the letter
	here    bool                // the staging directory has been made
	made    []string            // directories that were made, parents first
	touched map[string]bool     // directories in which names change
	fresh   bool                // dir itself was made for this
	renamed bool                // there is no way back
}

func (s *Store) stage(ctx context.Context, d *directory, name string) *staging {
	return &staging{ctx: ctx, store: s, dir: d, name: name, staged: make(map[place]string), old: make(map[place]*replaced), touched: make(map[string]bool)}
}

// removeStaging removes what a program that died has left of its staging directory.
func (s *Store) removeStaging(d *directory) {
	if !d.exists(stagingDir) {
		return
	}
	if err := d.root.RemoveAll(stagingDir); err != nil {
		s.options.Log.Warn("leftover staging files could not be removed", "path", d.full(stagingDir), "error", err)
		return
	}
	s.options.Log.Warn("leftover staging files were removed", "path", d.full(stagingDir))
}

// write stages letters and files, and makes them last: all at once, since none has a name yet by which it is found. A
// single letter carries the files: see [staging.carry].
func (g *staging) write(letters []stores.Letter, files []file) error {
	if len(letters) == 0 && len(files) == 0 {
		return nil
	}
	g.carried = len(letters) == 1
	if err := g.prepareLetters(letters); err != nil {
		return err
	}
	for _, f := range files {
		if size, limit := int64(len(f.content)), maxSize(f.place.String()); size > limit {
			return failed("writing", g.dir.full(f.place.String()), &sizeError{size, limit})
		}
		if err := g.prepareTarget(f.place); err != nil {
			return err
		}
	}
	if err := g.makeDir(g.name); err != nil {
		return err
	}
	stages, dirs := g.letterStages(letters)
	for i, f := range files {
		name := path.Join(g.name, stagedPrefix+strconv.Itoa(i))
		if g.name == "" {
			name = newName(f.place)
			g.dir.root.Remove(name) // left over, perhaps
		}
		g.staged[f.place] = name
		stages = append(stages, stage{name: name, to: f.place, content: bytes.NewReader(f.content)})
	}
	for len(stages) > manyStages {
		if err := g.writeSeveral(stages[:manyStages], nil); err != nil {
			return err
		}
		stages = stages[manyStages:]
	}
	return g.writeSeveral(stages, dirs)
}

// stage is a file that is to be written.
type stage struct {
	name    string      // under which it is written
	to      place       // where it gets to
	content io.WriterTo // nil: whatever it is, since only the name must last
	as      string      // without content: the name of a file beside it that can have this name, too; empty: there is none
}

// writeSeveral writes files, one after the other: their contents may be made of the same. Then it makes them last, and
// the names in directories, all at once.
func (g *staging) writeSeveral(stages []stage, dirs []string) (err error) {
	var last []func() error
	for _, s := range stages {
		var finish func() error
		if finish, err = g.writeOne(s); err != nil {
			break
		}
		last = append(last, finish)
	}
	if err != nil {
		for _, finish := range last {
			finish()
		}
		return err
	}
	if !g.store.options.Deferred {
		for _, dir := range dirs {
			last = append(last, func() error { return g.dir.sync(dir) })
		}
	}
	return inParallel(len(last), func(i int) error { return last[i]() })
}

// makeDir makes a directory for staging; the staging directory itself only once.
func (g *staging) makeDir(name string) error {
	if name == "" || name == g.name && g.here {
		return nil
	}
	parent, base := splitName(name)
	in, err := g.dir.folder(parent)
	if err != nil {
		return failed("making", g.dir.full(name), err)
	}
	made, err := in.Make(base, g.store.dirMode)
	if err != nil {
		return failed("making", g.dir.full(name), err)
	}
	g.dir.hold(name, made)
	g.here = true
	return nil
}

// newName is the name of the file that takes the place of another, while it is beside it.
func newName(p place) string { return path.Join(p.dir, "."+p.name+".new") }

// writeOne writes a file in full. Finish makes it last.
func (g *staging) writeOne(s stage) (finish func() error, err error) {
	if g.ctx.Err() != nil {
		return nil, context.Cause(g.ctx)
	}
	done, err := begin()
	if err != nil {
		return nil, failed("writing", g.dir.full(s.name), err)
	}
	defer done()
	full := g.dir.full(s.to.String())
	o := durable.Options{Mode: g.store.fileMode, Later: g.store.options.Deferred}
	if old := g.old[s.to]; old != nil {
		o.Prepare = old.keepGroup
	}
	dir, base := splitName(s.name)
	in, err := g.dir.folder(dir)
	if err != nil {
		return nil, failed("writing", full, err)
	}
	if s.content == nil {
		if s.as != "" && in.Link(s.as, base) == nil {
			return func() error { return nil }, nil
		}
		s.content, o.Later = bytes.NewReader(nil), true
	}
	last, err := in.Stage(base, s.content, o)
	if err != nil {
		return nil, failed("writing", full, err)
	}
	return func() error {
		done, err := begin()
		if err != nil {
			return failed("writing", full, errors.Join(err, last()))
		}
		defer done()
		return failed("writing", full, last())
	}, nil
}

// replaced is what a file takes the place of.
type replaced struct {
	fd   int // open for nothing but to hold it; negative: it is not held
	info unix.Stat_t
}

func (o *replaced) is(kind uint32) bool { return o.info.Mode&unix.S_IFMT == kind }

// hold looks at what is in a place, if there is anything, and holds it, if that is of use (see [Store.holds]) and not too
// much is held.
func (g *staging) hold(p place) (*replaced, error) {
	old := &replaced{fd: -1}
	var err error
	switch in := g.dir.target(p.dir); {
	case in == nil:
		var info fs.FileInfo
		if info, err = g.dir.root.Lstat(p.String()); err == nil {
			is := info.Sys().(*syscall.Stat_t)
			old.info.Mode, old.info.Gid = is.Mode, is.Gid
		}
	case len(g.old) < manyFiles && g.store.holds(g.dir):
		if old.fd, err = in.Hold(p.name); err == nil { // a symbolic link is held itself
			if err = unix.Fstat(old.fd, &old.info); err != nil {
				unix.Close(old.fd)
			}
		}
	default:
		old.info, err = in.Lstat(p.name)
	}
	if err != nil {
		return nil, err
	}
	g.old[p] = old
	return old, nil
}

// letGo lets what was replaced go.
func (g *staging) letGo() {
	var held []int
	for _, old := range g.old {
		if old.fd >= 0 {
			held = append(held, old.fd)
		}
	}
	clear(g.old)
	if len(held) == 0 {
		return
	}
	g.store.beside(func() {
		for _, fd := range held {
			unix.Close(fd)
		}
	})
}

// keepGroup gives a new file the group of the one that it will replace, as far as we may.
func (o *replaced) keepGroup(file *os.File) {
	if !o.is(unix.S_IFREG) {
		return
	}
	fresh, err := file.Stat()
	if err != nil {
		return
	}
	if is, ok := fresh.Sys().(*syscall.Stat_t); ok && o.info.Gid != is.Gid {
		file.Chown(-1, int(o.info.Gid))
	}
}

const (
	// manyFiles is how many files are synced at once: a file system writes its journal once
	// for all that wait.
	manyFiles = 16
	// manyStages is how many files are written, and open, before they are synced: those of a few messages that are committed together.
	manyStages = 64
)

// inParallel calls fn with 0 to n-1, several at once, and returns one of their errors.
func inParallel(n int, fn func(i int) error) error {
	if n == 1 {
		return fn(0)
	}
	// Who waits for the disk keeps a processor until the runtime notices, after milliseconds in a program that does little
	// else. With one processor, the syncs would be made one after the other, and nothing else would go on beside them.
	if runtime.GOMAXPROCS(0) == 1 {
		runtime.GOMAXPROCS(2)
	}
	var wg sync.WaitGroup
	errs := make([]error, min(n, manyFiles))
	for worker := range errs {
		wg.Go(func() {
			// A panic would end the program, which holds locks.
			defer func() {
				if value := recover(); value != nil {
					errs[worker] = fmt.Errorf("internal error: %v\n%s", value, debug.Stack())
				}
			}()
			for i := worker; i < n; i += len(errs) {
				if err := fn(i); err != nil {
					errs[worker] = err
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// prepareTarget makes the directory of a place and sees that a file can be renamed to it.
func (g *staging) prepareTarget(p place) error {
	if p.dir != "" {
		if err := g.makeAll(p.dir); err != nil {
			return err
		}
	}
	if old, err := g.hold(p); err == nil && old.is(unix.S_IFDIR) {
		return failed("writing", g.dir.full(p.String()), unix.EISDIR)
	}
	return g.mayWrite(p.dir)
}

// prepare sees that files can be deleted.
func (g *staging) prepare(deletions []place) error {
	for _, p := range deletions {
		if err := g.mayWrite(p.dir); err != nil {
			return err
		}
	}
	return nil
}

// mayWrite asks whether names in a directory may be changed.
func (g *staging) mayWrite(dir string) error {
	if g.touched[dir] {
		return nil
	}
	full := g.dir.full(dir)
	if err := unix.Faccessat(unix.AT_FDCWD, full, unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return failed("writing in", full, err)
	}
	g.touched[dir] = true
	return nil
}

// makeAll makes a directory and its parents, with the store's mode.
func (g *staging) makeAll(dir string) error {
	if g.dir.folders[dir] != nil {
		return nil
	}
	info, err := g.dir.root.Stat(dir)
	if err == nil && info.IsDir() {
		g.dir.drop(dir) // it may have been missing before
		return nil
	} else if err == nil {
		return failed("making", g.dir.full(dir), unix.ENOTDIR)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return failed("making", g.dir.full(dir), err)
	}
	parent := path.Dir(dir)
	if parent == "." {
		parent = ""
	} else if err := g.makeAll(parent); err != nil {
		return err
	}
	if err := g.dir.root.Mkdir(dir, g.store.dirMode&fs.ModePerm); err != nil {
		return failed("making", g.dir.full(dir), err)
	}
	g.dir.drop(dir) // it is missing no more
	g.made = append(g.made, dir)
	g.touched[parent] = true
	durable.OwnBelow(g.dir.root, dir)
	durable.ModeBelow(g.dir.root, dir, g.store.dirMode)
	return nil
}

// rename puts staged files in their places.
func (g *staging) rename(files []file) error {
	for _, f := range files {
		if err := g.renameOne(g.staged[f.place], f.place.String()); err != nil {
			return err
		}
		delete(g.staged, f.place)
	}
	return nil
}

func (g *staging) renameOne(staged, to string) error {
	done, err := begin()
	if err != nil {
		return failed("renaming to", g.dir.full(to), err)
	}
	defer done()
	g.renamed = true
	return failed("renaming to", g.dir.full(to), g.dir.rename(staged, to))
}

// delete removes files, and the directories of an event that this empties.
func (g *staging) delete(deletions []place) error {
	for _, p := range deletions {
		if err := g.deleteOne(p.String()); err != nil {
			return err
		}
	}
	for _, p := range deletions {
		for dir := p.dir; !keptDirs[dir]; dir = path.Dir(dir) {
			// Fails if something is left in it.
			if info, err := g.dir.root.Lstat(dir); err != nil || !info.IsDir() || g.dir.root.Remove(dir) != nil {
				break
			}
			g.dir.drop(dir)
			delete(g.touched, dir)
			g.touched[path.Dir(dir)] = true
		}
	}
	return nil
}

func (g *staging) deleteOne(name string) error {
	done, err := begin()
	if err != nil {
		return failed("deleting", g.dir.full(name), err)
	}
	defer done()
	g.renamed = true
	if err := g.dir.remove(name); !errors.Is(err, fs.ErrNotExist) {
		return failed("deleting", g.dir.full(name), err)
	}
	return nil
}

// keptDirs are the directories that stay when they are empty.
var keptDirs = map[string]bool{
	"": true, ".": true, othersDir: true,
	"objects": true, "cancellations/objects": true, "counters/objects": true,
	"recurrences": true, "cancellations/recurrences": true, "counters/recurrences": true,
}

// sync makes the names in the directories that were changed last.
func (g *staging) sync() error {
	if g.store.options.Deferred {
		return nil
	}
	var dirs []string
	for dir := range g.touched {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return inParallel(len(dirs), func(i int) error { return g.dir.sync(dirs[i]) })
}

// close removes what is left of staging and, if nothing has been renamed, the
// directories that were made.
func (g *staging) close() {
	g.letGo()
	done, err := begin()
	if err != nil {
		return // somebody else may be at the same by now
	}
	defer done()
	if g.carried && len(g.letters) == 0 {
		return // what is left is in the letter, for which the change is to be made again
	}
	for _, name := range g.staged {
		g.dir.root.Remove(name)
	}
	for _, name := range g.letters {
		g.dir.root.RemoveAll(name)
	}
	if g.name != "" {
		g.dir.root.Remove(g.name)
	}
	if g.renamed {
		return
	}
	for _, dir := range slices.Backward(g.made) {
		g.dir.root.Remove(dir)
	}
	if g.fresh {
		os.Remove(g.dir.path)
	}
}
