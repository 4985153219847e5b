package durable_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/sys/unix"

	"imip-agent/stores/durable"
	"imip-agent/tests/skip"
)

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// wantOnly sees that a directory holds these names and no others.
func wantOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		found = append(found, e.Name())
	}
	if strings.Join(found, " ") != strings.Join(names, " ") {
		t.Errorf("found %q, want %q", found, names)
	}
}

func open(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func TestWrite(t *testing.T) {
	defer unix.Umask(unix.Umask(0o077))
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, c := range []struct {
		content string
		mode    fs.FileMode
		want    fs.FileMode
	}{
		{"one", 0, 0o600},
		{"two, which is longer", 0o660, 0o660},
		{"", 0o644, 0o644},
	} {
		if err := durable.Write(path, []byte(c.content), durable.Options{Mode: c.mode}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if read(t, path) != c.content || info.Mode() != c.want {
			t.Errorf("%q with mode %v, want %q with %v", read(t, path), info.Mode(), c.content, c.want)
		}
	}
	wantOnly(t, dir, "a")
}

// Who has opened the file before goes on reading the old content.
func TestReplaceIsWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := durable.Write(path, []byte("new"), durable.Options{}); err != nil {
		t.Fatal(err)
	}
	old := make([]byte, 10)
	if n, _ := reader.Read(old); string(old[:n]) != "old" || read(t, path) != "new" {
		t.Errorf("reader has %q, the file %q", old[:n], read(t, path))
	}
}

// What fails leaves what was there, and nothing besides.
func TestFailures(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "full", "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	root := open(t, dir)
	if err := durable.Replace(root, "full", []byte("x"), durable.Options{}); err == nil {
		t.Error("a directory was replaced by a file")
	}
	if err := durable.Write(filepath.Join(dir, "none", "a"), []byte("x"), durable.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into a directory that is missing: %v", err)
	}
	if err := durable.Replace(root, "../a", []byte("x"), durable.Options{}); err == nil {
		t.Error("written outside of the root")
	}
	if err := durable.Create(root, "a", []byte("one"), durable.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := durable.Create(root, "a", []byte("two"), durable.Options{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created twice: %v", err)
	}
	if got := read(t, filepath.Join(dir, "a")); got != "one" {
		t.Errorf("the file has %q", got)
	}
	wantOnly(t, dir, "a", "full")
}

// A full disk is reported, and leaves the old content and no other file.
func TestFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		skip.Because(t, "a small file system cannot be mounted here: %v", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	path := filepath.Join(dir, "a")
	if err := durable.Write(path, []byte("old"), durable.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := durable.Write(path, make([]byte, 1<<20), durable.Options{}); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %v", err)
	}
	if got := read(t, path); got != "old" {
		t.Errorf("the file has %q", got)
	}
	wantOnly(t, dir, "a")
}

func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	prepared := ""
	o := durable.Options{Mode: 0o640, Prepare: func(f *os.File) {
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		prepared = info.Mode().String()
		if info.Size() > 0 {
			t.Error("the file has content before it is prepared")
		}
	}}
	if err := durable.Write(path, []byte("x"), o); err != nil {
		t.Fatal(err)
	}
	if prepared != "-rw-r-----" {
		t.Errorf("prepared with mode %s", prepared)
	}
}

func TestRename(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	from, to := filepath.Join(dir, "a", "x"), filepath.Join(dir, "b", "y")
	if err := durable.Write(from, []byte("x"), durable.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := durable.Rename(from, to); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, filepath.Join(dir, "a"))
	wantOnly(t, filepath.Join(dir, "b"), "y")
	if err := durable.Rename(from, to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("moved again: %v", err)
	}
	if err := durable.Filesystem(dir); err != nil {
		t.Error(err)
	}
}

// A file that is begun has a temporary name until it is put into its place.
func TestBegin(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	f, err := durable.Begin(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	names := func() []string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		return names
	}
	if got := names(); len(got) != 1 || !durable.IsTemporary(got[0]) || filepath.Join(dir, got[0]) != f.Name() {
		t.Errorf("before: %q", got)
	}
	if _, err := f.WriteString("content"); err != nil {
		t.Fatal(err)
	}
	if err := durable.Rename(f.Name(), path); err != nil {
		t.Fatal(err)
	}
	if got := names(); len(got) != 1 || got[0] != "f" || durable.IsTemporary(got[0]) {
		t.Errorf("after: %q", got)
	}
	for _, name := range []string{"a.tmp", ".a", "a"} {
		if durable.IsTemporary(name) {
			t.Errorf("%q is temporary", name)
		}
	}
}

// A file that is staged is there in full before it is synced.
func TestStage(t *testing.T) {
	dir := t.TempDir()
	root := open(t, dir)
	finish, err := durable.Stage(root, "a", strings.NewReader("one"), durable.Options{Mode: 0o640})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, filepath.Join(dir, "a")); got != "one" {
		t.Errorf("before it is synced: %q", got)
	}
	if _, err := durable.Stage(root, "a", strings.NewReader("two"), durable.Options{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second one: %v", err)
	}
	if err := finish(); err != nil {
		t.Error(err)
	}
	failing := iotest.ErrReader(errors.New("no content"))
	if _, err := durable.Stage(root, "b", writerTo{failing}, durable.Options{}); err == nil || err.Error() != "no content" {
		t.Errorf("a content that fails: %v", err)
	}
	wantOnly(t, dir, "a")
	if got := read(t, filepath.Join(dir, "a")); got != "one" {
		t.Errorf("at last: %q", got)
	}
}

// writerTo writes what can be read.
type writerTo struct{ io.Reader }

func (r writerTo) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, r.Reader) }
