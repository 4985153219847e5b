package check_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"imip-agent/tests/compat"
	"imip-agent/tests/skip"
	"imip-agent/tools/check"
	"imip-agent/tools/quarantine"
)

// A disk that is full in the middle of a repair leaves a store in which nothing is wrong that was
// right, and a manifest that --undo takes, which puts back all that was repaired.
func TestFullDisk(t *testing.T) {
	skip.OnOtherDays(t)
	for _, what := range []string{"of the store and the quarantine", "of the quarantine"} {
		t.Run(what, func(t *testing.T) { fullDisk(t, what == "of the quarantine") })
	}
}

// fullDisk repairs on a disk with more and more room, until all is repaired.
func fullDisk(t *testing.T, apart bool) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		skip.Because(t, "a small file system cannot be mounted here: %v", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	whole, stopped := 0, 0
	for pages := 0; whole == 0 || pages < 8; pages++ {
		if pages > 100 {
			t.Fatal("there is never room enough")
		}
		room := compat.Room(filepath.Join(dir, fmt.Sprint(pages)))
		if apart {
			room = compat.Room(tempDir(t))
		}
		makeOurs(t, room)
		p := newPlace(t, room)
		p.now = healthyTime
		if apart {
			p.kept = filepath.Join(dir, "quarantine"+fmt.Sprint(pages))
		}
		d := &damager{t, p}
		d.drop(pauls+"freebusy", "\tmeeting\t")
		d.write(pauls+"objects/.swp", "x")
		for i := range 30 {
			d.write(fmt.Sprintf("%sobjects/.swp%d", vincents, i), strings.Repeat("x", 3000))
		}
		d.write(vincents+"requests", d.read(vincents+"requests")+"ghost\t\t\n")
		d.replace(pauls+"objects/alone", "SUMMARY", "summary")
		d.write("preferences/"+vincent+"/window_size", "many")
		damaged := snapshot(t, room)
		before := keys(p.check(t, check.None))

		ballast := filepath.Join(dir, "ballast")
		fill(t, ballast, pages)
		var found result
		summary, err := p.checker(check.All).Run(context.Background(), func(f check.Finding) { found.findings = append(found.findings, f) })
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		if err != nil || len(summary.Failures) > 0 {
			stopped++
		} else {
			whole++
		}
		left := keys(p.check(t, check.None))
		for _, key := range left {
			if !slices.Contains(before, key) {
				t.Errorf("with %d pages, %s is wrong since", pages, key)
			}
		}
		if err == nil && len(summary.Failures) == 0 && len(left) > 0 {
			t.Errorf("with %d pages, it is said to be done, and left are %q", pages, left)
		}
		manifests, _ := filepath.Glob(filepath.Join(p.quarantine(), "*", quarantine.ManifestName))
		for _, f := range found.findings {
			if f.State == check.Mended && (len(manifests) == 0 || slices.Contains(left, key(f))) {
				t.Errorf("with %d pages, %s is said to be mended", pages, key(f))
			}
		}
		for _, manifest := range manifests {
			err := quarantine.Undo{Store: p.store}.Run(context.Background(), manifest, func(u quarantine.Undone) {
				if u.Err != nil {
					t.Errorf("with %d pages, undoing %s: %v", pages, u.Path, u.Err)
				}
			})
			if err != nil {
				t.Errorf("with %d pages, undoing: %v", pages, err)
			}
		}
		if paths := changed(damaged, snapshot(t, room)); len(paths) > 0 {
			slices.Sort(paths)
			t.Errorf("with %d pages, other than before: %q", pages, paths)
		}
		for _, done := range []string{string(room), p.quarantine()} {
			if err := os.RemoveAll(done); err != nil {
				t.Fatal(err)
			}
		}
	}
	if stopped < 5 {
		t.Errorf("the disk was full only %d times", stopped)
	}
}

func key(f check.Finding) string { return f.Key() }

func keys(r result) (all []string) {
	for _, f := range r.findings {
		all = append(all, key(f))
	}
	return all
}

// fill makes a file that leaves so many pages on its file system.
func fill(t *testing.T, path string, pages int) {
	t.Helper()
	var s unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &s); err != nil {
		t.Fatal(err)
	}
	size := (int64(s.Bavail) - int64(pages)) * s.Bsize
	if err := os.WriteFile(path, []byte(strings.Repeat("x", int(size))), 0o600); err != nil {
		t.Fatal(err)
	}
}
