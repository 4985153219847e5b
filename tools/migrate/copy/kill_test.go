package copy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"imip-agent/tests/bench"
	"imip-agent/tests/clock"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// build builds the administrators' program.
func build(t testing.TB) string {
	t.Helper()
	program.Watch()
	path, err := program.Build(t.TempDir(), "imip-agent")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestKilled kills copies at random and resumes them: the target is the same in the
// end, and nothing is wrong with it.
func TestKilled(t *testing.T) {
	skip.OnOtherDays(t)
	kills, size := 1, bench.Size{Users: 10, Events: 10, Seed: 9}
	if full {
		kills, size = 100, bench.Size{Users: 40, Events: 30, Seed: 9}
	}
	built := build(t)
	dir := t.TempDir()
	source := filepath.Join(dir, "source")
	if err := bench.GenerateStore(source, size); err != nil {
		t.Fatal(err)
	}
	want := tree(t, source)
	run := func(to string, words ...string) *exec.Cmd {
		cmd := exec.Command(built, append([]string{"migrate", "copy", "--config", os.DevNull, "file:" + source, "file:" + to}, words...)...)
		cmd.Env = append(os.Environ(), clock.Env(bench.Now))
		cmd.Stderr = os.Stderr
		return cmd
	}
	// How long it takes undisturbed says when to kill.
	started := time.Now()
	if err := run(filepath.Join(dir, "whole")).Run(); err != nil {
		t.Fatal(err)
	}
	moments := program.NewMoments(1, time.Since(started))
	killed, runs := 0, 0
	for round := 0; killed < kills; round++ {
		target := filepath.Join(dir, fmt.Sprint("target", round))
		for attempt := 0; ; attempt++ {
			cmd := run(target, "--resume")
			if attempt >= 3 {
				if out, err := run(target, "--resume", "--verify").Output(); err != nil {
					t.Fatalf("resumed: %v\n%s", err, out)
				}
				break
			}
			runs++
			stopped, err := moments.Stop(cmd, syscall.SIGKILL, 0)
			if err != nil {
				t.Fatal(err)
			}
			if stopped {
				killed++
			}
			age(t, source, target)
		}
		if diff := cmp.Diff(want, tree(t, target)); diff != "" {
			t.Fatalf("round %d (-want +got): %s", round, diff)
		}
		check := exec.Command(built, "check", "--config", os.DevNull, "-S", target, "-p", filepath.Join(dir, "none"), "-j", filepath.Join(dir, "none"))
		check.Env = append(os.Environ(), clock.Env(bench.Now))
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("check: %v\n%s", err, out)
		}
		if err := os.RemoveAll(target); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d runs killed", killed, runs)
}

// age makes the locks that a killed program has left in stores look as old as they
// have to be before they are broken.
func age(t *testing.T, stores ...string) {
	t.Helper()
	then := clock.Kernel().Add(-2 * time.Minute)
	for _, dir := range stores {
		locks, err := filepath.Glob(filepath.Join(dir, "*", "__lock__"))
		if err != nil {
			t.Fatal(err)
		}
		for _, lock := range locks {
			if err := os.Chtimes(lock, then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
}
