package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/program"
)

// BenchmarkStart runs in turns a program that does nothing (empty), ours with --version
// (start), with a message for a small store (message), and with one that is older than
// what is stored, for which nothing is written (unwritten).
//
// It reports the medians of each: milliseconds of wall time and of processor time, and
// pages that the kernel had to bring in (minor faults), which make up most of a start. Then
// how many times an empty program's processor time the others take.
func BenchmarkStart(b *testing.B) {
	ours, _ := contenders(b, 10)
	empty := buildEmpty(b)
	version := func() *exec.Cmd { return exec.Command(ours.path, "--version") }
	var nothing, start, message, unwritten runs
	message.add(b, first(ours.command("measured", 0, ""))) // reads the program from disk
	message = runs{}
	i := 1
	for b.Loop() {
		nothing.add(b, exec.Command(empty))
		start.add(b, version())
		message.add(b, first(ours.command("measured", i, "")))
		unwritten.add(b, first(ours.command("measured", 0, "")))
		i++
	}
	b.ReportMetric(0, "ns/op") // of all together: says nothing
	nothing.report(b, "empty")
	start.report(b, "start")
	message.report(b, "message")
	unwritten.report(b, "unwritten")
	for name, r := range map[string]runs{"start": start, "message": message, "unwritten": unwritten} {
		b.ReportMetric(float64(median(r.cpu))/float64(median(nothing.cpu)), name+"/empty")
	}
}

func first[A, B any](a A, _ B) A { return a }

// buildEmpty builds a program that does nothing, as ours are built, and returns its path.
func buildEmpty(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, "empty")
	command := exec.Command("go", "build", "-o", path, source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		b.Fatalf("build an empty program: %v\n%s", err, out)
	}
	return path
}

// runs are what the runs of a program took.
type runs struct {
	wall, cpu []time.Duration
	faults    []int64
}

// add runs a command, and notes what it takes.
func (r *runs) add(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	began := time.Now()
	err := cmd.Run()
	r.wall = append(r.wall, time.Since(began))
	if status := program.Status(cmd, err); status != 0 {
		b.Fatalf("%v: status %d", cmd, status)
	}
	state := cmd.ProcessState
	r.cpu = append(r.cpu, state.UserTime()+state.SystemTime())
	r.faults = append(r.faults, state.SysUsage().(*syscall.Rusage).Minflt)
}

// report reports the medians.
func (r *runs) report(b *testing.B, name string) {
	b.ReportMetric(milliseconds(median(r.wall)), name+"-ms")
	b.ReportMetric(milliseconds(median(r.cpu)), name+"-cpu-ms")
	b.ReportMetric(float64(median(r.faults)), name+"-faults")
}
