package check

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// rename moves a file or directory, also to another file system, where there must be none
// of that name.
func rename(from, to string) error {
	err := os.Rename(from, to)
	if !errors.Is(err, syscall.EXDEV) {
		return err
	}
	if _, there := os.Lstat(to); there == nil {
		return err // it is not ours to remove
	}
	if err := copyTree(from, to); err != nil {
		return errors.Join(err, os.RemoveAll(to))
	}
	return os.RemoveAll(from)
}

// replace moves a file into the place of another, which is there as a whole at any time. One
// from another file system is copied into the directory first.
func replace(from, to, directory string) error {
	err := os.Rename(from, to)
	if !errors.Is(err, syscall.EXDEV) {
		return err
	}
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	copied := filepath.Join(directory, "."+filepath.Base(to)+".new")
	if err := os.RemoveAll(copied); err != nil { // left by one that was killed
		return err
	}
	err = copyFile(from, copied, info)
	if err == nil {
		err = os.Rename(copied, to)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(copied))
	}
	return os.Remove(from)
}

// copyFile copies a file, with its mode, owner and time as far as that is allowed.
func copyFile(from, to string, info fs.FileInfo) error {
	in, err := os.OpenFile(from, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
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
	return filepath.Walk(from, func(path string, info fs.FileInfo, err error) error {
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
		return fmt.Errorf("moving %s to another file system: it is no file, remove it by hand", path)
	})
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
