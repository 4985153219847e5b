package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/skip"
)

// TestScale checks a large store, tells how long that takes beside reading the same
// files, and sees that memory does not grow with the number of users. With
// IMIP_AGENT_SCALE it is ten thousand users with a hundred events each.
func TestScale(t *testing.T) {
	skip.OnOtherDays(t)
	small, large := Size{Users: 20, Events: 50, Seed: 2}, Size{Users: 60, Events: 50, Seed: 1}
	if os.Getenv("IMIP_AGENT_SCALE") != "" {
		small, large = Size{Users: 1000, Events: 100, Seed: 2}, Size{Users: 10_000, Events: 100, Seed: 1}
	}
	// As the program sets it.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(150 << 20))

	dir := filepath.Join(t.TempDir(), "small")
	if err := GenerateStore(dir, small); err != nil {
		t.Fatal(err)
	}
	checkStore(t, dir, small)
	before := mostMemory(t)

	dir = filepath.Join(t.TempDir(), "large")
	if err := GenerateStore(dir, large); err != nil {
		t.Fatal(err)
	}
	readAll(t, dir) // to have it warm
	var took, read, tookCPU, readCPU time.Duration
	for range 3 {
		start := processorTime(t)
		read = shorter(read, readAll(t, dir))
		between := processorTime(t)
		took = shorter(took, checkStore(t, dir, large))
		readCPU, tookCPU = shorter(readCPU, between-start), shorter(tookCPU, processorTime(t)-between)
	}
	after := mostMemory(t)
	t.Logf("%d users with %d events: checked in %v, read in %v: %.1f times; processor time %v and %v; memory %d MiB, with %d users %d MiB",
		large.Users, large.Events, took, read, took.Seconds()/read.Seconds(), tookCPU, readCPU, after>>20, small.Users, before>>20)
	if after > 200<<20 || after > before+40<<20 {
		t.Errorf("memory is %d MiB, and was %d MiB with a smaller store", after>>20, before>>20)
	}
}

// processorTime returns the time that the processors have spent on this process.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// shorter returns the shorter of two times, of which the first may be none.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// mostMemory returns the most memory that this process has had, in octets.
func mostMemory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		skip.Because(t, "the memory of a process is not to be had here: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	t.Fatal("the memory of this process is not told")
	return 0
}

// The same seed gives the same store.
func TestGenerator(t *testing.T) {
	skip.OnOtherDays(t)
	size := Size{Users: 3, Events: 20, Seed: 7}
	var trees []map[string]string
	for _, name := range []string{"one", "two"} {
		dir := filepath.Join(t.TempDir(), name)
		if err := GenerateStore(dir, size); err != nil {
			t.Fatal(err)
		}
		tree := make(map[string]string)
		if err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			below, _ := filepath.Rel(dir, path)
			tree[below] = string(content)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		trees = append(trees, tree)
	}
	if len(trees[0]) < size.Users*size.Events || len(trees[0]) != len(trees[1]) {
		t.Fatalf("%d and %d files", len(trees[0]), len(trees[1]))
	}
	for path, content := range trees[0] {
		if trees[1][path] != content {
			t.Errorf("%s differs", path)
		}
	}
}
