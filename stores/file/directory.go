package file

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"imip-agent/stores/durable"
)

// directory is a user's directory, in the store or of what is published. Names in it
// are relative, with slashes. Whatever names and symbolic links say, nothing outside is
// read or written. A nil directory is one that does not exist.
type directory struct {
	path        string
	root        *os.Root
	known, ext4 bool // its file system is known, and is ext4

	folders map[string]*durable.Dir // directories in it that are held open, by name; nil: there is none
}

// mostFolders is how many directories in a user's are held open at once.
const mostFolders = 64

// folder returns a directory in it, or that itself for the empty name, which is held open as long as it is. That one is
// missing is remembered, too.
func (d *directory) folder(name string) (*durable.Dir, error) {
	if f, known := d.folders[name]; f != nil {
		return f, nil
	} else if known {
		return nil, fs.ErrNotExist
	}
	f, err := durable.OpenDir(d.root, name)
	if err == nil || isAbsent(err) {
		d.hold(name, f)
	}
	return f, err
}

// target returns a directory in which names are changed, if it can be held open; else nil.
func (d *directory) target(name string) *durable.Dir {
	if f := d.folders[name]; f != nil {
		return f
	}
	if len(d.folders) >= mostFolders && strings.Contains(name, "/") {
		return nil
	}
	f, err := d.folder(name)
	if err != nil {
		return nil
	}
	return f
}

// sync makes the names in a directory last.
func (d *directory) sync(name string) error {
	if f := d.folders[name]; f != nil {
		return failed("syncing", d.full(name), f.Sync())
	}
	return syncDir(d.full(name))
}

// rename moves a file or a directory. A file takes the place of another.
func (d *directory) rename(name, to string) error {
	fromDir, from := splitName(name)
	toDir, as := splitName(to)
	if f, t := d.target(fromDir), d.target(toDir); f != nil && t != nil {
		return f.Rename(from, t, as)
	}
	return d.root.Rename(name, to)
}

// remove removes a file, or an empty directory.
func (d *directory) remove(name string) error {
	dir, base := splitName(name)
	if f := d.target(dir); f != nil {
		// A directory is no file: EISDIR, or by POSIX EPERM.
		if err := f.Remove(base); err != unix.EISDIR && err != unix.EPERM {
			return err
		}
	}
	return d.root.Remove(name)
}

// splitName splits a name into that of the directory, empty for the user's own, and the last part.
func splitName(name string) (dir, base string) {
	dir, base = path.Split(name)
	return strings.TrimSuffix(dir, "/"), base
}

// hold holds a directory open under its name; nil: it is missing.
func (d *directory) hold(name string, f *durable.Dir) {
	if d.folders == nil {
		d.folders = make(map[string]*durable.Dir)
	}
	d.folders[name] = f
}

// moved notes that a directory has another name.
func (d *directory) moved(from, to string) {
	if f := d.folders[from]; f != nil {
		delete(d.folders, from)
		d.folders[to] = f
	}
}

// drop lets a directory go.
func (d *directory) drop(name string) {
	if f := d.folders[name]; f != nil {
		f.Close()
	}
	delete(d.folders, name)
}

// within splits the name of what is in a directory that may be held open. It is not ok for what is deeper, or in a directory that cannot be
// opened. An error that matches fs.ErrNotExist says that there is no such directory.
func (d *directory) within(name string) (f *durable.Dir, base string, ok bool, err error) {
	dir, base := splitName(name)
	if strings.Contains(dir, "/") {
		top, _, _ := strings.Cut(dir, "/")
		if _, err := d.folder(top); err != nil && isAbsent(err) {
			return nil, "", false, fs.ErrNotExist
		}
		return nil, "", false, nil
	}
	f, err = d.folder(dir)
	switch {
	case err == nil:
		return f, base, true, nil
	case isAbsent(err):
		return nil, "", false, fs.ErrNotExist
	}
	return nil, "", false, nil
}

// openDirectory opens a user's directory. If there is none, it returns nil.
func openDirectory(path string) (*directory, error) {
	root, err := os.OpenRoot(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, failed("opening", path, err)
	}
	return &directory{path: path, root: root}, nil
}

func (d *directory) Close() {
	if d == nil {
		return
	}
	for name := range d.folders {
		d.drop(name)
	}
	d.root.Close()
}

// holds reports whether files in a directory that are replaced or removed are held open, to be let go beside the caller. With
// ext4, their end waits until the disk has been told that the space is free (mount option discard). Elsewhere that is of
// no use, and NFS would give them other names.
func (s *Store) holds(d *directory) bool {
	if !s.options.Beside {
		return false
	}
	if !d.known {
		var about unix.Statfs_t
		d.known, d.ext4 = true, unix.Statfs(d.path, &about) == nil && about.Type == unix.EXT4_SUPER_MAGIC
	}
	return d.ext4
}

// full returns the path of a file, for messages.
func (d *directory) full(name string) string {
	return filepath.Join(d.path, filepath.FromSlash(name))
}

// read returns what a regular file holds. If there is none, the error is
// fs.ErrNotExist.
func (d *directory) read(name string) ([]byte, error) {
	if d == nil {
		return nil, fs.ErrNotExist
	}
	if f, base, ok, err := d.within(name); err != nil {
		return nil, err
	} else if ok {
		data, err := f.Read(base, func(info unix.Stat_t) error {
			return mayRead(name, info.Mode&unix.S_IFMT == unix.S_IFREG, info.Size)
		})
		switch {
		case err == nil:
			return data, nil
		case isAbsent(err):
			return nil, fs.ErrNotExist
		case !errors.Is(err, unix.ELOOP):
			return nil, failed("reading", d.full(name), err)
		} // a symbolic link is followed as far as it leads to a place in the directory
	}
	// O_NONBLOCK: opening a pipe must not wait for its writer.
	f, err := d.root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if isAbsent(err) {
		return nil, fs.ErrNotExist
	} else if err != nil {
		return nil, failed("reading", d.full(name), err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, failed("reading", d.full(name), err)
	}
	if err := mayRead(name, info.Mode().IsRegular(), info.Size()); err != nil {
		return nil, failed("reading", d.full(name), err)
	}
	// One octet more than the size tells that the end has been reached.
	data := make([]byte, 0, info.Size()+1)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		} else if err != nil {
			return nil, failed("reading", d.full(name), err)
		}
		if len(data) == cap(data) {
			data = slices.Grow(data, len(data))
		}
	}
}

// mayRead returns why a file is not read.
func mayRead(name string, regular bool, size int64) error {
	if !regular {
		return errIrregular
	}
	if limit := maxSize(name); size > limit {
		return &sizeError{size, limit}
	}
	return nil
}

var errIrregular = errors.New("it is not a regular file; move it away")

// exists reports whether there is anything of that name, be it a dangling link.
func (d *directory) exists(name string) bool {
	if d == nil {
		return false
	}
	if f, base, ok, err := d.within(name); err != nil {
		return false
	} else if ok {
		_, err := f.Lstat(base)
		return err == nil
	}
	_, err := d.root.Lstat(name)
	return err == nil
}

// files returns the names of the regular files in a directory, as the original sees
// them: a symbolic link to one is one. A directory that does not exist has none.
func (d *directory) files(name string) ([]string, error) {
	return d.list(name, fs.FileMode.IsRegular)
}

// dirs returns the names of the directories in a directory.
func (d *directory) dirs(name string) ([]string, error) {
	return d.list(name, fs.FileMode.IsDir)
}

// list returns the names in a directory, in order, of what has a mode that is wanted.
func (d *directory) list(name string, wanted func(fs.FileMode) bool) ([]string, error) {
	if d == nil {
		return nil, nil
	}
	top, _, _ := strings.Cut(name, "/")
	if _, err := d.folder(top); err != nil && isAbsent(err) {
		return nil, nil
	}
	f, err := d.root.OpenFile(name, os.O_RDONLY|durable.Unwatched, 0)
	if isAbsent(err) {
		return nil, nil
	} else if err != nil {
		return nil, failed("reading", d.full(name), err)
	}
	defer f.Close()
	return d.entries(f, name, wanted)
}

// entries is list for a directory that is open.
func (d *directory) entries(f *os.File, name string, wanted func(fs.FileMode) bool) ([]string, error) {
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, failed("reading", d.full(name), err)
	}
	var names []string
	for _, e := range entries {
		mode := e.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := d.root.Stat(name + "/" + e.Name())
			if err != nil {
				continue // it leads nowhere, or out
			}
			mode = info.Mode().Type()
		}
		if wanted(mode) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// isAbsent reports whether an error says that there is no such file. A file where a
// directory should be is not looked into; what writes there will say so.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR)
}

// size returns the size of a file; 0 if there is none.
func (d *directory) size(name string) int64 {
	if d == nil {
		return 0
	}
	if f, base, ok, err := d.within(name); err != nil {
		return 0
	} else if ok {
		info, err := f.Lstat(base)
		if err != nil {
			return 0
		} else if info.Mode&unix.S_IFMT != unix.S_IFLNK {
			return info.Size
		}
	}
	info, err := d.root.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}
