package rejected

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDraft(t *testing.T) {
	d := &Dir{Path: filepath.Join(t.TempDir(), "rejected"), Size: 400, Now: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }}
	put := func(pieces ...string) string {
		draft, err := d.Draft()
		if err != nil {
			t.Fatal(err)
		}
		defer draft.Close()
		for _, piece := range pieces {
			if n, err := draft.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
		}
		path, err := draft.Put(Note{Reason: "too large"})
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	first := put("some ", "content")
	if again := put("some content"); again != first {
		t.Errorf("the same content is put aside twice: %s, %s", first, again)
	}
	if path, err := d.Put(Note{Reason: "another"}, []byte("some content")); path != first || err != nil {
		t.Errorf("the same content is put aside twice: %s, %s, %v", first, path, err)
	}
	put(strings.Repeat("x", 80), strings.Repeat("y", 80))

	items, err := d.List()
	if err != nil || len(items) != 2 {
		t.Fatalf("%+v, %v", items, err)
	}
	got := make(map[string]string)
	for _, item := range items {
		content, err := os.ReadFile(item.Path)
		if err != nil {
			t.Fatal(err)
		}
		got[string(content)] = item.Note.Reason
		if info, err := os.Stat(item.Path); err != nil || info.Mode() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
	want := map[string]string{
		"some content": "too large",
		strings.Repeat("x", 80) + strings.Repeat("y", 20): "too large; its last 60 octets are left out, since it is too large",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("put aside %q, want %q", got, want)
	}
}

// TestDraftAbandoned checks that nothing is left of a draft, whether it is closed or its
// program is killed, and that nobody removes one that is being written.
func TestDraftAbandoned(t *testing.T) {
	d := &Dir{Path: filepath.Join(t.TempDir(), "rejected")}
	count := func() int {
		entries, err := os.ReadDir(d.Path)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	draft, err := d.Draft()
	if err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(d.Path, ".draft.123.tmp")
	if err := os.WriteFile(killed, []byte("half a mess"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Put(Note{Reason: "r"}, []byte("another")); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 3 {
		t.Errorf("%d files, want the draft, and two of what was put aside", n)
	}
	if _, err := draft.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if err := draft.Close(); err != nil {
		t.Error(err)
	}
	if n := count(); n != 2 {
		t.Errorf("%d files are left, want 2", n)
	}

	for _, unset := range []*Dir{nil, {}} {
		if _, err := unset.Draft(); err == nil || !strings.Contains(err.Error(), "REJECTED_DIR") {
			t.Errorf("without a directory: %v", err)
		}
	}
}
