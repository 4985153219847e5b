package durable_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"imip-agent/stores/durable"
	"imip-agent/tests/skip"
)

// What the superuser makes in a directory of others belongs to them, and what is written anew.
func TestOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		skip.Because(t, "needs root")
	}
	const uid, gid = 4711, 4712
	dir := t.TempDir()
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(dir, "made")
	if err := os.Mkdir(made, 0o770); err != nil {
		t.Fatal(err)
	}
	durable.Own(made)
	file := filepath.Join(made, "file")
	for range 2 { // made, and replaced
		if err := durable.Write(file, []byte("x"), durable.Options{Mode: 0o660}); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{made, file} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if stat := info.Sys().(*syscall.Stat_t); stat.Uid != uid || stat.Gid != gid {
			t.Errorf("%s belongs to %d:%d", path, stat.Uid, stat.Gid)
		}
	}
	// What is in a directory of the superuser's stays theirs.
	own := filepath.Join(t.TempDir(), "own")
	if err := durable.Write(own, nil, durable.Options{}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(own); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("%v %v", info, err)
	}
}

// Of directories that the superuser makes on the way to another, each belongs to whom the first
// that was there belongs to.
func TestMakeAll(t *testing.T) {
	dir := t.TempDir()
	want := [2]uint32{uint32(os.Getuid()), uint32(os.Getgid())}
	if os.Geteuid() == 0 {
		want = [2]uint32{4711, 4712}
		if err := os.Chown(dir, 4711, 4712); err != nil {
			t.Fatal(err)
		}
	}
	last := filepath.Join(dir, "one", "two", "three")
	for range 2 { // made, and there already
		if err := durable.MakeAll(last, os.ModeSetgid|0o770); err != nil {
			t.Fatal(err)
		}
	}
	for path := last; path != dir; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		stat := info.Sys().(*syscall.Stat_t)
		if got := [2]uint32{stat.Uid, stat.Gid}; got != want || info.Mode() != os.ModeDir|os.ModeSetgid|0o770 {
			t.Errorf("%s belongs to %d with mode %v", path, got, info.Mode())
		}
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := durable.MakeAll(filepath.Join(file, "below"), 0o770); err == nil {
		t.Error("a directory is made below a file")
	}
}

func TestWho(t *testing.T) {
	if who := durable.Who(); !strings.HasPrefix(who, "user ") || !strings.Contains(who, "(groups ") || os.Geteuid() == 0 && !strings.HasPrefix(who, "user root ") {
		t.Error(who)
	}
}
