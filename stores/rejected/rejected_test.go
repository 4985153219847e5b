package rejected

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// clock goes on by a second each time it is looked at.
func clock() func() time.Time {
	at := noon.Add(-time.Second)
	return func() time.Time {
		at = at.Add(time.Second)
		return at
	}
}

func newDir(t *testing.T) *Dir {
	return &Dir{Path: filepath.Join(t.TempDir(), "rejected"), Max: 3, Now: clock()}
}

func put(t *testing.T, d *Dir, note Note, content string) string {
	t.Helper()
	path, err := d.Put(note, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != content {
		t.Fatalf("%s has %q, %v", path, got, err)
	}
	return path
}

func list(t *testing.T, d *Dir) []Item {
	t.Helper()
	items, err := d.List()
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// files returns the names in the directory.
func files(t *testing.T, d *Dir) []string {
	t.Helper()
	entries, err := os.ReadDir(d.Path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestPut(t *testing.T) {
	d := newDir(t)
	d.Path = filepath.Join(d.Path, "not", "there", "yet [1]*")
	note := Note{
		Reason: "calendar data that cannot be parsed", User: "mailto:paul.boddie@example.com",
		Method: "REQUEST", UID: "evil\n\x1b[31mName: value\u202e \"quoted\" \\n", RecurrenceID: "20261202",
		Source: "outgoing message",
	}
	path := put(t, d, note, "content\r\n")
	if !strings.HasPrefix(filepath.Base(path), "20261122T120000Z-") || !strings.HasSuffix(path, ".eml") {
		t.Errorf("it is called %s", path)
	}
	note.Time = noon
	if diff := cmp.Diff([]Item{{Path: path, Size: 9, Note: note}}, list(t, d)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text, err := os.ReadFile(strings.TrimSuffix(path, ".eml") + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	want := `Reason: calendar data that cannot be parsed
User: mailto:paul.boddie@example.com
Method: REQUEST
UID: evil\n\x1b[31mName: value\u202e "quoted" \\n
Recurrence-ID: 20261202
Source: outgoing message
Time: 2026-11-22T12:00:00Z
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("the note (-want +got):\n%s", diff)
	}
}

func TestModes(t *testing.T) {
	d := newDir(t)
	d.Path = filepath.Join(d.Path, "deeper")
	path := put(t, d, Note{Reason: "r"}, "content")
	for path, want := range map[string]os.FileMode{
		d.Path:                                  os.ModeDir | 0o700,
		path:                                    0o600,
		strings.TrimSuffix(path, "eml") + "txt": 0o600,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode()&^os.ModeSetgid != want {
			t.Errorf("%s: %v, want %v (%v)", path, info.Mode(), want, err)
		}
	}
	if info, err := os.Stat(filepath.Dir(d.Path)); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("the directory above: %v, %v", info.Mode(), err)
	}
}

func TestPutAgain(t *testing.T) {
	d := newDir(t)
	d.Max = 2
	first := put(t, d, Note{Reason: "one", User: "mailto:a@example.com"}, "content")
	other := put(t, d, Note{Reason: "two"}, "other content")
	before := files(t, d)
	// Delivered again, five days later: no second one, and nothing has to go for it.
	again := put(t, d, Note{Reason: "again", Time: noon.AddDate(0, 0, 5)}, "content")
	if again != first || other == first {
		t.Errorf("put at %s, then at %s", first, again)
	}
	if diff := cmp.Diff(before, files(t, d)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if got := list(t, d)[0].Note.Reason; got != "one" {
		t.Errorf("the reason is now %q", got)
	}
	// Removed by the administrator, it is new.
	os.Remove(first)
	if again := put(t, d, Note{Reason: "again", Time: noon.AddDate(0, 0, 5)}, "content"); again == first {
		t.Errorf("put at %s again", again)
	}
	if n := len(files(t, d)); n != 4 {
		t.Errorf("%d files; the first note should be gone: %v", n, files(t, d))
	}
}

func TestLimit(t *testing.T) {
	var log bytes.Buffer
	d := newDir(t)
	d.Log = slog.New(slog.NewTextHandler(&log, nil))
	var paths []string
	for i := range 3 {
		paths = append(paths, put(t, d, Note{}, fmt.Sprint(i)))
	}
	if log.Len() > 0 {
		t.Errorf("a warning too early: %s", &log)
	}
	os.WriteFile(d.path("README.txt"), []byte("ours"), 0o600)
	os.WriteFile(d.path("0.eml"), []byte("ours too"), 0o600)
	paths = append(paths, put(t, d, Note{}, "3"))
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), paths[0]) {
		t.Errorf("no warning: %s", &log)
	}
	var left []string
	for _, item := range list(t, d) {
		left = append(left, item.Path)
	}
	if diff := cmp.Diff(paths[1:], left); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := files(t, d); len(got) != 3*2+2 || !slices.Contains(got, "README.txt") || !slices.Contains(got, "0.eml") {
		t.Errorf("files: %v", got)
	}
	// A clock that was set back, and a limit that was lowered.
	d.Max = 1
	last := put(t, d, Note{Time: noon.AddDate(-1, 0, 0)}, "early")
	if items := list(t, d); len(items) != 1 || items[0].Path != last {
		t.Errorf("left: %v", items)
	}
}

// Large pieces go before there are too many, but for the one that came last.
func TestSizeLimit(t *testing.T) {
	d := newDir(t)
	d.Max, d.Size = 10, 100
	for _, test := range []struct{ octets, left int }{{40, 1}, {41, 2}, {19, 3}, {1, 3}, {99, 2}, {500, 1}, {2, 1}, {3, 2}} {
		path := put(t, d, Note{}, strings.Repeat("x", test.octets))
		items := list(t, d)
		if len(items) != test.left || items[len(items)-1].Path != path {
			t.Errorf("after %d octets there are %d, want %d: %v", test.octets, len(items), test.left, items)
		}
	}
}

func TestLeftOver(t *testing.T) {
	d := newDir(t)
	path := put(t, d, Note{}, "content")
	before := files(t, d)
	// As a program that died would leave it: half a file, and a note without content.
	os.WriteFile(d.path(".x.eml.1.tmp"), []byte("half"), 0o600)
	orphan := strings.Replace(filepath.Base(path), "1122", "1121", 1)
	os.WriteFile(d.path(strings.TrimSuffix(orphan, ".eml")+".txt"), []byte("Reason: none\n"), 0o600)
	if items := list(t, d); len(items) != 1 {
		t.Errorf("listed: %v", items)
	}
	other := put(t, d, Note{}, "other")
	os.Remove(other)
	os.Remove(strings.TrimSuffix(other, "eml") + "txt")
	if diff := cmp.Diff(before, files(t, d)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestList(t *testing.T) {
	d := newDir(t)
	if items := list(t, d); len(items) != 0 {
		t.Errorf("listed: %v", items)
	}
	if _, err := os.Stat(d.Path); err == nil {
		t.Error("listing has made the directory")
	}
	first := put(t, d, Note{Reason: "r"}, "one")
	second := put(t, d, Note{Reason: "r"}, "two")
	// Notes are for people, who may lose them and write into them.
	os.Remove(strings.TrimSuffix(first, "eml") + "txt")
	os.WriteFile(strings.TrimSuffix(second, "eml")+"txt", []byte("Reason: looked at it\\q \"\r\nfoo\nTime: noon\nX: y"), 0o600)
	want := []Item{
		{Path: first, Size: 3, Note: Note{Time: noon}},
		{Path: second, Size: 3, Note: Note{Reason: `looked at it\q "`, Time: noon.Add(time.Second)}},
	}
	if diff := cmp.Diff(want, list(t, d)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPutFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	for name, d := range map[string]*Dir{
		"no directory set":     {},
		"nil":                  nil,
		"a file in its place":  {Path: file},
		"a file above":         {Path: filepath.Join(file, "rejected")},
		"a name that is taken": {Path: blocked(t)},
	} {
		if path, err := d.Put(Note{Time: noon}, []byte("content")); err == nil || path != "" {
			t.Errorf("%s: put at %q, error %v", name, path, err)
		}
	}
}

// blocked returns a directory where the content "content" cannot be put at noon, because there
// is a directory of that name.
func blocked(t *testing.T) string {
	d := newDir(t)
	path := put(t, d, Note{}, "content")
	os.Remove(path)
	if err := os.MkdirAll(filepath.Join(path, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if got := files(t, d); len(got) != 1 {
			t.Errorf("left by a failure: %v", got)
		}
	})
	return d.Path
}

// TestPutWaits shows that the lock on the directory is a lock.
func TestPutWaits(t *testing.T) {
	d := newDir(t)
	put(t, d, Note{}, "first")
	lock := flock.New(d.Path, flock.SetFlag(os.O_RDONLY))
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := d.Put(Note{Time: noon}, []byte("second"))
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("put while another program holds the lock, error %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	lock.Unlock()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The environment by which a test starts itself again as another program.
const otherProgram = "REJECTED_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(otherProgram); dir != "" {
		d := &Dir{Path: dir, Max: 10}
		for i := range 20 {
			if _, err := d.Put(Note{Reason: "r"}, fmt.Appendf(nil, "content %d", i%15)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestPrograms(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rejected")
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			other := exec.Command(os.Args[0])
			other.Env = append(os.Environ(), otherProgram+"="+dir)
			if out, err := other.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wait.Wait()
	d := &Dir{Path: dir}
	items := list(t, d)
	if len(items) != 10 || len(files(t, d)) != 20 {
		t.Errorf("%d pieces in %v", len(items), files(t, d))
	}
	seen := make(map[string]bool)
	for _, item := range items {
		content, err := os.ReadFile(item.Path)
		if err != nil || seen[string(content)] || item.Note.Reason != "r" {
			t.Errorf("%s has %q, %v, %+v", item.Path, content, err, item.Note)
		}
		seen[string(content)] = true
	}
}
