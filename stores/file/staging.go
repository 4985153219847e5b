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
		stages = append(stages, stage{name, f.place, bytes.NewReader(f.content)})
	}
	for len(stages) > manyFiles {
		if err := g.writeSeveral(stages[:manyFiles], nil); err != nil {
			return err
		}
		stages = stages[manyFiles:]
	}
	return g.writeSeveral(stages, dirs)
}

// stage is a file that is to be written.
type stage struct {
	name    string      // under which it is written
	to      place       // where it gets to
	content io.WriterTo // nil: none, and only the name must last
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
			last = append(last, func() error { return syncDir(g.dir.full(dir)) })
		}
	}
	return inParallel(len(last), func(i int) error { return last[i]() })
}

// makeDir makes a directory for staging; the staging directory itself only once.
func (g *staging) makeDir(name string) error {
	if name == "" || name == g.name && g.here {
		return nil
	}
	if err := g.dir.root.Mkdir(name, g.store.dirMode&fs.ModePerm); err != nil {
		return failed("making", g.dir.full(name), err)
	}
	g.here = true
	durable.OwnBelow(g.dir.root, name)
	durable.ModeBelow(g.dir.root, name, g.store.dirMode)
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
	if s.content == nil {
		s.content, o.Later = bytes.NewReader(nil), true
	}
	last, err := durable.Stage(g.dir.root, s.name, s.content, o)
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
	file *os.File // open for nothing but to hold it; nil: it is not held
	info fs.FileInfo
}

// hold looks at what is in a place, if there is anything, and holds it, if that is of use (see [Store.holds]) and not too
// much is held.
func (g *staging) hold(p place) (fs.FileInfo, error) {
	// A symbolic link is held itself.
	file, err := g.dir.root.OpenFile(p.String(), unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil || len(g.old) >= manyFiles || !g.store.holds(g.dir) {
		file.Close()
		file = nil
	}
	if err == nil {
		g.old[p] = &replaced{file, info}
	}
	return info, err
}

// letGo lets what was replaced go.
func (g *staging) letGo() {
	for _, old := range g.old {
		if old.file != nil {
			g.store.beside(func() { old.file.Close() })
		}
	}
	clear(g.old)
}

// keepGroup gives a new file the group of the one that it will replace, as far as we may.
func (o *replaced) keepGroup(file *os.File) {
	if !o.info.Mode().IsRegular() {
		return
	}
	fresh, err := file.Stat()
	if err != nil {
		return
	}
	was, ok := o.info.Sys().(*syscall.Stat_t)
	is, same := fresh.Sys().(*syscall.Stat_t)
	if ok && same && was.Gid != is.Gid {
		file.Chown(-1, int(was.Gid))
	}
}

// manyFiles is how many files are synced at once: a file system writes its journal once
// for all that wait.
const manyFiles = 16

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
	if info, err := g.hold(p); err == nil && info.IsDir() {
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
	info, err := g.dir.root.Stat(dir)
	if err == nil && info.IsDir() {
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
	return failed("renaming to", g.dir.full(to), g.dir.root.Rename(staged, to))
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
	if err := g.dir.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
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
	return inParallel(len(dirs), func(i int) error { return syncDir(g.dir.full(dirs[i])) })
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
