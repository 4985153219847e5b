package durable_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"imip-agent/stores/durable"
	"imip-agent/tests/skip"
)

func openDir(t *testing.T, path string) *durable.Dir {
	t.Helper()
	root, err := os.OpenRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	d, err := durable.OpenDir(root, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func anything(unix.Stat_t) error { return nil }

// Files are made, named, moved and removed in a directory that is open, with their modes whatever the umask, and it does not matter
// what the directory is called meanwhile.
func TestDir(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	path := t.TempDir()
	d := openDir(t, path)
	sub, err := d.Make("sub", os.ModeSetgid|0o770)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if info, err := os.Stat(filepath.Join(path, "sub")); err != nil || info.Mode() != fs.ModeDir|fs.ModeSetgid|0o770 {
		t.Errorf("the directory has %v, %v", info, err)
	}
	if _, err := d.Make("sub", 0o770); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made twice: %v", err)
	}
	finish, err := sub.Stage("file", bytes.NewReader([]byte("text")), durable.Options{Mode: 0o664})
	if err != nil {
		t.Fatal(err)
	}
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(path, "sub", "file")); err != nil || info.Mode() != 0o664 {
		t.Errorf("the file has %v, %v", info, err)
	}
	if _, err := sub.Stage("file", bytes.NewReader(nil), durable.Options{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made twice: %v", err)
	}
	if err := os.Rename(filepath.Join(path, "sub"), filepath.Join(path, "other")); err != nil {
		t.Fatal(err)
	}
	if err := sub.Link("file", "also"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "file"), []byte("what was there"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sub.Rename("file", d, "file"); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []*durable.Dir{d, sub} {
		if err := dir.Sync(); err != nil {
			t.Error(err)
		}
	}
	if info, err := sub.Lstat("also"); err != nil || info.Nlink != 2 {
		t.Errorf("the file has %d names, %v", info.Nlink, err)
	}
	for name, dir := range map[string]*durable.Dir{"file": d, "also": sub} {
		if text, err := dir.Read(name, anything); string(text) != "text" || err != nil {
			t.Errorf("%s holds %q, %v", name, text, err)
		}
		if f, err := dir.Open(name); err != nil {
			t.Error(err)
		} else if text, err := io.ReadAll(f); string(text) != "text" || err != nil || f.Close() != nil {
			t.Errorf("%s holds %q, %v", name, text, err)
		}
		if err := dir.Remove(name); err != nil {
			t.Error(err)
		}
		if _, err := dir.Read(name, anything); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what was removed: %v", err)
		}
	}
	if err := d.Remove("other"); !errors.Is(err, unix.EISDIR) {
		t.Errorf("a directory is removed as a file: %v", err)
	}
}

// What cannot be written leaves no file, and what is not to be read is not.
func TestDirFailures(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	failure := errors.New("no more")
	if _, err := d.Stage("file", writer{failure}, durable.Options{}); !errors.Is(err, failure) {
		t.Errorf("written: %v", err)
	}
	if entries, err := os.ReadDir(path); err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
	if err := os.WriteFile(filepath.Join(path, "file"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := d.Read("file", func(info unix.Stat_t) error {
		if info.Size == 4 {
			return failure
		}
		return nil
	})
	if !errors.Is(err, failure) {
		t.Errorf("read: %v", err)
	}
}

type writer struct{ err error }

func (w writer) WriteTo(io.Writer) (int64, error) { return 0, w.err }

// No symbolic link is followed, and nobody waits for a pipe.
func TestDirLinks(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	if err := os.WriteFile(filepath.Join(path, "file"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", filepath.Join(path, "link")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(path, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read("link", anything); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a link is read: %v", err)
	}
	if _, err := d.Open("link"); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a link is opened: %v", err)
	}
	if info, err := d.Lstat("link"); err != nil || info.Mode&unix.S_IFMT != unix.S_IFLNK {
		t.Errorf("a link is %o, %v", info.Mode, err)
	}
	fd, err := d.Hold("link")
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil || info.Mode&unix.S_IFMT != unix.S_IFLNK {
		t.Errorf("what is held is %o, %v", info.Mode, err)
	}
	f, err := d.Open("pipe")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// What the superuser makes belongs to whom the directory belongs to.
func TestDirOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		skip.Because(t, "only the superuser can give files away")
	}
	path := t.TempDir()
	if err := os.Chown(path, 4711, 4712); err != nil {
		t.Fatal(err)
	}
	d := openDir(t, path)
	sub, err := d.Make("sub", 0o770)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	for range 2 { // the second is told who it is
		finish, err := sub.Stage("file", bytes.NewReader(nil), durable.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := finish(); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"sub", "sub/file"} {
			info, err := os.Stat(filepath.Join(path, name))
			if err != nil {
				t.Fatal(err)
			}
			if stat := info.Sys().(*syscall.Stat_t); stat.Uid != 4711 || stat.Gid != 4712 {
				t.Errorf("%s belongs to %d:%d", name, stat.Uid, stat.Gid)
			}
		}
		if err := sub.Remove("file"); err != nil {
			t.Fatal(err)
		}
	}
}

// The lock is one for all who have the directory open.
func TestDirLock(t *testing.T) {
	path := t.TempDir()
	one, other := openDir(t, path), openDir(t, path)
	try := func(d *durable.Dir, want bool) {
		t.Helper()
		if free, err := d.TryLock(); free != want || err != nil {
			t.Errorf("free: %v, %v", free, err)
		}
	}
	try(one, true)
	try(other, false)
	if err := one.Unlock(); err != nil {
		t.Fatal(err)
	}
	try(other, true)
	try(one, false)
}
