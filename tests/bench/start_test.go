package bench

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/mailbox"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// BenchmarkStart runs in turns, in an order that changes, a program that does nothing (empty) and ours:
//
//   - start: with --version;
//   - letter: with a mail without calendar data. Imip_person delivers it to an LMTP server, and makes one directory, by
//     which it knows that it did;
//   - unwritten: with an invitation that is stored already. It takes the user's lock, which is two directories that are
//     made and removed;
//   - message: with an invitation that changes the times of an event. It writes all there is to be written.
//
// All of them are started the same way, the empty program too: words, environment, the message in a pipe, standard error. And
// they are built alike and written to the disk alike, since a program whose pages are together in memory starts faster.
//
// The store is in memory, where to write and to sync costs next to nothing, so that all the rest shows; and then on the
// disk. There the benchmark also makes and removes the lock's directories itself (lock).
//
// It reports the medians of each: milliseconds of wall time and of processor time, and pages that the kernel had to
// bring in (minor faults). Then how many times an empty program's wall time and processor time the others take: the
// median of what this is in each turn.
func BenchmarkStart(b *testing.B) {
	for _, name := range []string{compat.Outgoing, "imip_person", "imip_resource"} {
		for _, place := range []struct{ name, dir string }{{"memory", "/dev/shm"}, {"disk", ""}} {
			b.Run(name+"/store="+place.name, func(b *testing.B) { benchmarkStart(b, name, place.dir) })
		}
	}
}

func benchmarkStart(b *testing.B, name, dir string) {
	ours := starter(b, name, dir)
	empty := &contender{path: buildEmpty(b), room: ours.room, words: ours.words}
	version := &contender{path: ours.path, room: ours.room, words: append([]string{"--version"}, ours.words...)}
	lock := filepath.Join(ours.room.Store(), vincent, "__lock__")
	turns := []*runs{
		{name: "empty", run: func(r *runs, i int) { r.add(b, empty, request, 0) }},
		{name: "start", run: func(r *runs, i int) { r.add(b, version, request, 0) }},
		{name: "letter", run: func(r *runs, i int) { r.add(b, ours, letter, i) }},
		{name: "unwritten", run: func(r *runs, i int) { r.add(b, ours, request, 0) }},
		{name: "message", run: func(r *runs, i int) { r.add(b, ours, request, i) }},
	}
	if dir == "" {
		turns = append(turns, &runs{name: "lock", run: func(r *runs, i int) { r.addLock(b, lock) }})
	}
	for _, r := range turns { // reads the programs from disk; and stores what unwritten is about
		r.run(r, 0)
		r.forget()
	}
	order := rand.New(rand.NewPCG(1, 1))
	for i := 1; b.Loop(); i++ {
		for _, at := range order.Perm(len(turns)) {
			turns[at].run(turns[at], i)
		}
	}
	b.ReportMetric(0, "ns/op") // of all together: says nothing
	for _, r := range turns {
		r.report(b, turns[0])
	}
}

// starter is a program of that name at work in a room in dir, or in the directory for temporary files, where there is little.
func starter(b *testing.B, name, dir string) *contender {
	b.Helper()
	path, err := program.BuildShipped(b.TempDir(), name)
	if err != nil {
		b.Fatal(err)
	}
	c := &contender{path: path, room: compat.Room(b.TempDir())}
	if dir != "" {
		if dir, err = os.MkdirTemp(dir, "imip-agent-bench-"); err != nil {
			skip.Because(b, "no place in memory for a store: %v", err)
		}
		b.Cleanup(func() { os.RemoveAll(dir) })
		c.room = compat.Room(dir)
	}
	settings := ""
	if name != compat.Outgoing {
		answers, err := mailbox.SMTP()
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(answers.Close)
		settings = "SMTP_HOST = '" + answers.Place + "'\n"
		c.words = []string{"-o", "vincent.vole@example.com"}
	}
	if name == "imip_person" {
		box, err := mailbox.LMTP(filepath.Join(b.TempDir(), "lmtp"))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(box.Close)
		c.words = append(c.words, "-l", box.Place)
	}
	content := table(10)
	err = c.room.Furnish(&compat.Conversation{Initial: compat.Tree{
		"store/" + paul + "/freebusy": content, "store/" + vincent + "/freebusy": content, "store/" + vincent + "/freebusy-other/" + paul: content,
	}})
	if err == nil {
		err = program.Settings(c.room, settings)
	}
	if err != nil {
		b.Fatal(err)
	}
	if name == "imip_resource" {
		prefer(b, c.room, "scheduling_function", "schedule_in_freebusy")
	}
	return c
}

// buildEmpty builds a program that does nothing, as ours are built, and returns its path.
func buildEmpty(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	built, path := filepath.Join(dir, "built"), filepath.Join(dir, "empty")
	command := exec.Command("go", "build", "-o", built, source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		b.Fatalf("build an empty program: %v\n%s", err, out)
	}
	content, err := os.ReadFile(built) // a copy, as those are of programs that are built and kept
	if err == nil {
		err = os.WriteFile(path, content, 0o755)
	}
	if err != nil {
		b.Fatal(err)
	}
	return path
}

// runs are what the runs of a program took, one in each turn.
type runs struct {
	name      string
	run       func(r *runs, i int) // the ith
	wall, cpu []time.Duration
	faults    []int64
}

// add has a program handle the ith message, and notes what it takes.
func (r *runs) add(b *testing.B, c *contender, compose func(string, int, string) []byte, i int) {
	b.Helper()
	cmd, stderr := program.Command(c.path, clock.Today(), c.room, compose("measured", i, ""), c.words...)
	began := time.Now()
	err := cmd.Run()
	r.wall = append(r.wall, time.Since(began))
	if status := program.Status(cmd, err); status != 0 {
		b.Fatalf("%v: status %d: %s", cmd, status, stderr)
	}
	state := cmd.ProcessState
	r.cpu = append(r.cpu, state.UserTime()+state.SystemTime())
	r.faults = append(r.faults, state.SysUsage().(*syscall.Rusage).Minflt)
}

// addLock makes and removes a user's lock, and notes what it takes.
func (r *runs) addLock(b *testing.B, path string) {
	b.Helper()
	holder := filepath.Join(path, "1")
	began := time.Now()
	for _, step := range []error{syscall.Mkdir(path, 0o770), syscall.Mkdir(holder, 0o770), syscall.Rmdir(holder), syscall.Rmdir(path)} {
		if step != nil {
			b.Fatal(step)
		}
	}
	r.wall = append(r.wall, time.Since(began))
}

func (r *runs) forget() { r.wall, r.cpu, r.faults = nil, nil, nil }

// report reports the medians, and how they compare to those of an empty program.
func (r *runs) report(b *testing.B, empty *runs) {
	b.ReportMetric(milliseconds(median(r.wall)), r.name+"-ms")
	if len(r.cpu) == 0 {
		return
	}
	b.ReportMetric(milliseconds(median(r.cpu)), r.name+"-cpu-ms")
	b.ReportMetric(float64(median(r.faults)), r.name+"-faults")
	if r != empty {
		b.ReportMetric(ratio(r.wall, empty.wall), r.name+"/empty")
		b.ReportMetric(ratio(r.cpu, empty.cpu), r.name+"/empty-cpu")
	}
}

// ratio returns the median of how many times what others took in the same turn.
func ratio(these, others []time.Duration) float64 {
	all := make([]float64, len(these))
	for i := range these {
		all[i] = float64(these[i]) / float64(others[i])
	}
	return median(all)
}
