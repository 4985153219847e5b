package check_test

import (
	"os"
	"path/filepath"
	"testing"

	"imip-agent/tools/check"
)

// What is no file is written to, and not replaced by one, which the superuser could.
func TestWriteFile(t *testing.T) {
	dir := tempDir(t)
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link": "file", "device": os.DevNull} {
		link := filepath.Join(dir, name)
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if err := check.WriteFile(link, []byte("new"), 0o644); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s: it is a link no more: %v", name, err)
		}
	}
	content, err := os.ReadFile(path)
	if info, statErr := os.Stat(path); err != nil || statErr != nil || string(content) != "new" || info.Mode().Perm() != 0o644 {
		t.Errorf("the file has %q, %v", content, info.Mode())
	}
	if err := check.WriteFile(dir, nil, 0o644); err == nil {
		t.Error("a directory is written to")
	}
	if left, _ := os.ReadDir(dir); len(left) != 3 {
		t.Errorf("there are %v", left)
	}
}
