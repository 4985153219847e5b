package file

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"imip-agent/stores"
)

// Get returns a text, as the transaction's Get does, in fewer steps: a checker reads all
// texts of a directory one after the other.
func (t *session) Get(key stores.Key) ([]byte, error) {
	p, ok := t.locate(key)
	if !ok {
		return nil, notFound(key)
	}
	if t.puts[p.dir][p.name] != nil {
		return t.tx.Get(key)
	}
	content, err := t.read(p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, notFound(key)
	case errors.Is(err, errSlow):
		return t.tx.Get(key)
	}
	return content, err
}

// errSlow says that a file has to be read the general way.
var errSlow = errors.New("file: it takes more than to read it")

// lastDir is the directory that was read from last.
type lastDir struct {
	path string
	file *os.File // nil: none
}

func (d *lastDir) close() {
	if d.file != nil {
		d.file.Close()
		d.file = nil
	}
}

// read reads a regular file.
func (t *session) read(p place) ([]byte, error) {
	if err := t.ended(); err != nil {
		return nil, err
	}
	if t.open.file == nil || t.open.path != p.dir {
		t.open.close()
		dir, err := t.dir.root.OpenFile(p.dir, os.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil {
			return nil, errSlow
		}
		t.open = lastDir{p.dir, dir}
	}
	fd, err := unix.Openat(int(t.open.file.Fd()), p.name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, errSlow
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil || stat.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, errSlow
	}
	if stat.Size > maxSize(p.String()) {
		return nil, errSlow
	}
	content := make([]byte, 0, stat.Size+1)
	for {
		n, err := unix.Read(fd, content[len(content):cap(content)])
		switch {
		case err != nil:
			return nil, errSlow
		case n == 0:
			return content, nil
		}
		if content = content[:len(content)+n]; len(content) == cap(content) {
			content = slices.Grow(content, len(content))
		}
	}
}
