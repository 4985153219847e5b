package quarantine

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"imip-agent/stores/audit"
	"imip-agent/stores/durable"
)

// changer changes files, for a repair or to undo one. Once the program has given back its locks it
// changes nothing any more.
type changer struct {
	gate func(func() error) error // runs one change

	mu      sync.Mutex
	touched map[string]bool // directories whose names are to be made last
}

func newChanger(files audit.Store) *changer {
	gate := func(change func() error) error { return change() }
	if files != nil {
		gate = files.Change
	}
	return &changer{gate: gate, touched: make(map[string]bool)}
}

// do makes one change, after which the names in these directories differ.
func (c *changer) do(change func() error, directories ...string) error {
	if err := c.gate(change); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, dir := range directories {
		c.touched[dir] = true
	}
	return nil
}

// sync makes the names last that were changed. What is said to be done is done before.
func (c *changer) sync() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, dir := range slices.Sorted(maps.Keys(c.touched)) {
		if err := durable.NamesIn(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // it can have been moved itself
			return err
		}
		delete(c.touched, dir)
	}
	return nil
}

// move moves a file or directory, also to another file system. It takes the place of a file that is
// there, which is whole at any time. What comes from another file system is copied into directory
// first, which is on the new one.
func (c *changer) move(from, to, directory string) error {
	rename := func(from string) error {
		return c.do(func() error { return os.Rename(from, to) }, filepath.Dir(from), filepath.Dir(to))
	}
	err := rename(from)
	if !errors.Is(err, syscall.EXDEV) {
		return err
	}
	base := filepath.Base(to)
	copied := filepath.Join(directory, "."+base[:min(len(base), 200)]+".new")
	err = c.do(func() error { return os.RemoveAll(copied) }) // left by one that was killed
	if err != nil {
		return err
	}
	if err := copyTree(from, copied); err != nil {
		return errors.Join(err, os.RemoveAll(copied))
	}
	if err := rename(copied); err != nil {
		return errors.Join(err, os.RemoveAll(copied))
	}
	if err := c.sync(); err != nil { // before the other goes
		return err
	}
	return c.do(func() error { return os.RemoveAll(from) }, filepath.Dir(from))
}

// remove removes a file or an empty directory.
func (c *changer) remove(path string) error {
	return c.do(func() error { return os.Remove(path) }, filepath.Dir(path))
}

// copyFile copies a file, with its mode, owner and time as far as that is allowed.
// If it fails, there is none. The name is for the caller to make last.
func copyFile(from, to string, info fs.FileInfo) (err error) {
	in, err := os.OpenFile(from, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(to)
		}
	}()
	defer out.Close()
	if err := copyContent(out, in, info.Size()); err != nil {
		return err
	}
	uid, gid := owner(info)
	if err := out.Chown(uid, gid); err != nil {
		_ = out.Chown(-1, gid) // the owner is root's to give
	}
	if err := out.Chmod(info.Mode()); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}

// copyContent copies a file's content, and leaves holes as holes: a file can be larger than its
// disk by these.
func copyContent(out, in *os.File, size int64) error {
	for at := int64(0); ; {
		data, err := unix.Seek(int(in.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break // nothing but a hole is left
		} else if err != nil {
			data = at // the file system knows no holes
		}
		end, err := unix.Seek(int(in.Fd()), data, unix.SEEK_HOLE)
		if err != nil {
			end = max(size, data)
		}
		n, err := io.Copy(io.NewOffsetWriter(out, data), io.NewSectionReader(in, data, end-data))
		if err != nil {
			return err
		}
		if at = data + n; n == 0 || at < end {
			break
		}
	}
	return out.Truncate(size)
}

// copyTree copies a file, a link, a device, or a directory with all that is in it.
func copyTree(from, to string) error {
	var made []string
	err := filepath.Walk(from, func(path string, info fs.FileInfo, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, below)
		switch {
		case info.IsDir():
			if err := os.Mkdir(target, 0o700); err != nil {
				return err
			}
			made = append(made, target)
			uid, gid := owner(info)
			_ = os.Chown(target, uid, gid)
			return os.Chmod(target, info.Mode())
		case info.Mode()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		case info.Mode().IsRegular():
			return copyFile(path, target, info)
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && syscall.Mknod(target, uint32(stat.Mode), int(stat.Rdev)) == nil {
			uid, gid := owner(info)
			_ = os.Lchown(target, uid, gid)
			return os.Chmod(target, info.Mode())
		}
		return fmt.Errorf("moving %s to another file system: it is not a file, remove it by hand", path)
	})
	for _, dir := range made {
		err = errors.Join(err, durable.NamesIn(dir))
	}
	return err
}

// owner returns a file's owner and group.
func owner(info fs.FileInfo) (uid, gid int) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid), int(stat.Gid)
	}
	return -1, -1
}

// sumOf returns the SHA-256 of a file; nothing if there is none.
func sumOf(path string) (string, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func sum(content []byte) string {
	hash := sha256.Sum256(content)
	return hex.EncodeToString(hash[:])
}
