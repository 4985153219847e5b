package scripts

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"imip-agent/tests/bench"
	"imip-agent/tests/clock"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// TestReadOnlyMount reads a store that is mounted read-only, where not even root can lock it.
func TestReadOnlyMount(t *testing.T) {
	skip.OnOtherDays(t)
	program.Watch()
	dir := t.TempDir()
	store, mounted := filepath.Join(dir, "written", "store"), filepath.Join(dir, "mounted")
	for _, dir := range []string{filepath.Dir(store), mounted} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := bench.GenerateStore(store, bench.Size{Users: 2, Events: 5, Seed: 3}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(filepath.Dir(store), mounted, "", unix.MS_BIND, ""); err != nil {
		skip.Because(t, "needs the right to mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(mounted, 0); err != nil {
			t.Error(err)
		}
	})
	if err := unix.Mount("", mounted, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		skip.Because(t, "needs the right to mount read-only: %v", err)
	}
	run := func(words ...string) (status int, said string) {
		cmd := exec.Command(filepath.Join(programs, "imip-agent"), words...)
		cmd.Env = append(os.Environ(), "IMIP_AGENT_CONFIG="+os.DevNull, clock.Env(bench.Now))
		out, err := cmd.CombinedOutput()
		return program.Status(cmd, err), string(out)
	}
	from, user := filepath.Join(mounted, "store"), string(bench.User(0))
	site := []string{"-S", from, "-p", filepath.Join(dir, "none"), "-P", filepath.Join(dir, "none")}
	target := filepath.Join(dir, "target", "store")
	for _, words := range [][]string{
		append([]string{"check"}, site...),
		append([]string{"show", user}, site...),
		append([]string{"freebusy", "--reset"}, site...),
		{"migrate", "export", "file:" + from, filepath.Join(dir, "calendars")},
		{"migrate", "copy", "file:" + from, "file:" + target},
	} {
		if status, said := run(words...); status != 8 || !strings.Contains(said, "read-only file system") || !strings.Contains(said, "--read-only") {
			t.Errorf("%s: status %d: %s", words, status, said)
		}
		if status, said := run(append(words, "--read-only")...); status != 0 {
			t.Errorf("%s --read-only: status %d: %s", words, status, said)
		}
	}
	if status, said := run("check", "-S", target, "-p", filepath.Join(dir, "none"), "-P", filepath.Join(dir, "none")); status != 0 {
		t.Errorf("the copy: status %d: %s", status, said)
	}
	files := 0
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		want, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		got, err := os.ReadFile(target + strings.TrimPrefix(path, from))
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not copied: %q, %v", path, got, err)
		}
		return nil
	})
	if err != nil || files < 10 {
		t.Errorf("%d files, %v", files, err)
	}
}
