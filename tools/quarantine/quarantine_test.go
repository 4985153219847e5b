package quarantine_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"imip-agent/stores/audit"
	"imip-agent/tools/quarantine"
)

// files is a store as far as changes of files that belong to no user go through it. After each
// change it calls after.
type files struct {
	audit.Store
	after func()
}

func (f files) Change(change func() error) error {
	err := change()
	f.after()
	return err
}

// What cannot be synced is not done: neither a repair nor its undoing reports success.
func TestSynced(t *testing.T) {
	const text = "what somebody has left"
	now := func() time.Time { return time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC) }
	base := filepath.Join(t.TempDir(), "quarantine")
	dir := filepath.Join(t.TempDir(), "records")
	path := filepath.Join(dir, "left")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(dir, 0o700))
	must(os.WriteFile(path, []byte(text), 0o600))
	whole := files{after: func() {}}
	lost := files{after: func() { // nobody can open the directory any more
		must(os.Rename(dir, dir+".away"))
		must(os.Symlink(dir, dir))
	}}
	found := func() {
		t.Helper()
		must(os.Remove(dir))
		must(os.Rename(dir+".away", dir))
	}
	move := func(store files) (string, error) {
		t.Helper()
		q := quarantine.New(store, base, "all", now)
		section := q.Section("")
		must(section.Move(quarantine.Reason{Kind: "rejected"}, path))
		err := section.Done(nil)
		must(q.Close())
		return q.Manifest(), err
	}
	undo := func(store files, manifest string) (paths []string, err error) {
		err = quarantine.Undo{Store: store}.Run(t.Context(), manifest, func(u quarantine.Undone) {
			if u.Err == nil {
				paths = append(paths, u.Path)
			}
		})
		return paths, err
	}

	manifest, err := move(lost)
	if err == nil {
		t.Error("a repair whose change is not synced is done")
	}
	found()
	if paths, err := undo(lost, manifest); err == nil || len(paths) > 0 {
		t.Errorf("%v is put back without being synced: %v", paths, err)
	}
	found()
	if content, err := os.ReadFile(path); string(content) != text {
		t.Fatalf("the file is %q, %v", content, err)
	}
	if paths, err := undo(whole, manifest); err != nil || !slices.Equal(paths, []string{path}) {
		t.Errorf("the second time %q is put back, %v", paths, err)
	}
	if _, err := undo(whole, manifest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a third time: %v", err)
	}

	manifest, err = move(whole)
	must(err)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if paths, err := undo(whole, manifest); err != nil || !slices.Equal(paths, []string{path}) {
		t.Errorf("%q is put back, %v", paths, err)
	}
	if content, err := os.ReadFile(path); string(content) != text {
		t.Errorf("the file is %q, %v", content, err)
	}
}
