package file

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

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
	if d != nil {
		d.root.Close()
	}
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
	if !info.Mode().IsRegular() {
		return nil, failed("reading", d.full(name), errIrregular)
	}
	if limit := maxSize(name); info.Size() > limit {
		return nil, failed("reading", d.full(name), &sizeError{info.Size(), limit})
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

var errIrregular = errors.New("it is not a regular file; move it away")

// exists reports whether there is anything of that name, be it a dangling link.
func (d *directory) exists(name string) bool {
	if d == nil {
		return false
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
	f, err := d.root.OpenFile(name, os.O_RDONLY|durable.Unwatched, 0)
	if isAbsent(err) {
		return nil, nil
	} else if err != nil {
		return nil, failed("reading", d.full(name), err)
	}
	defer f.Close()
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
	info, err := d.root.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}
