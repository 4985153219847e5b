package bench

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// The messages of these benchmarks are Paul's.
const paul = "mailto:paul.boddie@example.com"

// soon is a day in the window of recurring events.
var soon = clock.Today().AddDate(0, 0, 10).Truncate(24 * time.Hour)

// BenchmarkMessage gives a message to the built program and to the original, in turns,
// each with a store of its own. Each message changes the times of an event.
//
// It reports the median of ours in milliseconds, and how many times longer the
// original takes, the median of what this is in each turn (speedup); the same in processor
// time (cpu-ms, cpu-speedup), which says more on a machine that has other things to do; and
// the peak of memory.
func BenchmarkMessage(b *testing.B) {
	for _, c := range []struct {
		name    string
		records int
		rule    string
	}{
		{"store=small", 10, ""},
		{"records=10000", 10_000, ""},
		{"records=100000", 100_000, ""},
		{"records=1000000", 1_000_000, ""},
		{"occurrences=20000", 10, "DURATION:PT1M\nRRULE:FREQ=MINUTELY;COUNT=20000"},
	} {
		b.Run(c.name, func(b *testing.B) {
			skipLong(b, c.records > 100_000)
			ours, original := contenders(b, c.records)
			if c.records > 100_000 {
				original = nil // a minute each
			}
			// The first run of each reads the programs from disk.
			for i := 0; i < 2; i++ {
				ours.handle(b, i, c.rule)
				original.handle(b, i, c.rule)
			}
			ours.reset()
			original.reset()
			i := 2
			for b.Loop() {
				ours.handle(b, i, c.rule)
				original.handle(b, i, c.rule)
				i++
			}
			ours.peak(b, i, c.rule)
			original.peak(b, i, c.rule)
			report(b, ours, original)
		})
	}
}

// BenchmarkAtOnce gives 100 messages for one user at once to the built program, and
// then to the original. The rounds take a minute, so give it -benchtime 1x.
func BenchmarkAtOnce(b *testing.B) {
	const messages = 100
	ours, original := contenders(b, 10)
	for b.Loop() {
		for _, c := range []*contender{ours, original} {
			if c == nil {
				continue
			}
			began := time.Now()
			var wg sync.WaitGroup
			for i := range messages {
				wg.Go(func() { c.run(b, fmt.Sprintf("at-once-%d", i), i, "") })
			}
			wg.Wait()
			c.wall = append(c.wall, time.Since(began))
		}
	}
	report(b, ours, original)
}

func skipLong(b *testing.B, long bool) {
	if long && os.Getenv("IMIP_AGENT_FULL") == "" {
		skip.Because(b, "only with IMIP_AGENT_FULL")
	}
}

// contender is a program at work in a room of its own. A nil contender does nothing.
type contender struct {
	path, dir string
	room      compat.Room
	words     []string // of the command line
	// compose returns the ith message, with the event that it is about and when that takes place.
	compose func(uid string, i int, rule string) []byte

	mu        sync.Mutex
	wall, cpu []time.Duration
	memory    int // the peak of one process, in KiB; 0: not measured
}

// contenders returns our handler of outgoing messages and the original's, nil if it is not installed, with a
// table of so many records for each.
func contenders(b *testing.B, records int) (ours, original *contender) {
	b.Helper()
	return contend(b, compat.Outgoing, compat.Tree{"store/" + paul + "/freebusy": table(records)}, request)
}

// contend returns our program of that name and the original's, nil if that is not installed, each in a room with
// the same content.
func contend(b *testing.B, name string, initial compat.Tree, compose func(string, int, string) []byte) (ours, original *contender) {
	b.Helper()
	path, err := program.BuildShipped(b.TempDir(), name)
	if err != nil {
		b.Fatal(err)
	}
	ours = &contender{path: path}
	all := []*contender{ours}
	if dir, ok := compat.FindPeer(); ok {
		original = &contender{path: filepath.Join(dir, "bin", name), dir: filepath.Join(dir, "etc")}
		all = append(all, original)
	} else {
		b.Logf("the original is not installed in %s", dir)
	}
	for _, c := range all {
		c.compose = compose
		c.room = compat.Room(b.TempDir())
		if err := c.room.Furnish(&compat.Conversation{Initial: initial}); err != nil {
			b.Fatal(err)
		}
		if err := program.Settings(c.room, ""); err != nil {
			b.Fatal(err)
		}
	}
	return ours, original
}

// table is a free/busy table of so many records of other events.
func table(records int) string {
	var out strings.Builder
	at := time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)
	for i := range records {
		at = at.Add(20 * time.Minute)
		fmt.Fprintf(&out, "%s\t%s\tevent-%d@example.com\tOPAQUE\t\tMeeting number %d\t%s\n",
			at.Format("20060102T150405Z"), at.Add(15*time.Minute).Format("20060102T150405Z"), i, i, paul)
	}
	return out.String()
}

// handle has the ith message handled, and notes what it takes.
func (c *contender) handle(b *testing.B, i int, rule string) {
	if c == nil {
		return
	}
	began := time.Now()
	c.run(b, "measured", i, rule)
	c.wall = append(c.wall, time.Since(began))
}

// run has a message handled that is new in each run.
func (c *contender) run(b *testing.B, uid string, i int, rule string) {
	cmd, stderr := c.command(uid, i, rule)
	c.ended(b, cmd, stderr, cmd.Run())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cpu = append(c.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
}

// request is a REQUEST of Paul's for an event with Vincent.
func request(uid string, i int, rule string) []byte {
	start := soon.Add(time.Duration(i%24) * time.Hour)
	lines := []string{
		"UID:" + uid, fmt.Sprintf("SEQUENCE:%d", i), "SUMMARY:Meeting", "ORGANIZER:@paul",
		"ATTENDEE;PARTSTAT=ACCEPTED:@paul", "ATTENDEE;PARTSTAT=NEEDS-ACTION:@vincent",
		"DTSTART:" + start.Format("20060102T150405Z"),
	}
	if rule == "" {
		rule = "DURATION:PT1H"
	}
	event := compat.Compose(strings.Join(append(lines, rule), "\n"))
	return compat.Mail("paul", "REQUEST", compat.Calendar("REQUEST", soon, event))
}

func (c *contender) command(uid string, i int, rule string) (*exec.Cmd, *bytes.Buffer) {
	cmd, stderr := program.Command(c.path, clock.Today(), c.room, c.compose(uid, i, rule), c.words...)
	cmd.Dir = c.dir
	return cmd, stderr
}

func (c *contender) ended(b *testing.B, cmd *exec.Cmd, stderr *bytes.Buffer, err error) {
	if status := program.Status(cmd, err); status != 0 {
		b.Errorf("%s: status %d: %s", c.path, status, stderr)
	}
}

// peak has a message handled and notes the most memory that was in use. The process is
// asked while it runs, and can have come to its peak only just before it ends: what the
// kernel tells at the end (ru_maxrss) is at least what this process has, as it
// begins as a copy of it.
func (c *contender) peak(b *testing.B, i int, rule string) {
	if c == nil {
		return
	}
	cmd, stderr := c.command("measured", i, rule)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	name := fmt.Sprintf("/proc/%d/status", cmd.Process.Pid)
	ended := make(chan error)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			c.ended(b, cmd, stderr, err)
			return
		case <-time.After(200 * time.Microsecond):
			status, _ := os.ReadFile(name) // it may just have ended
			if !bytes.HasPrefix(status, []byte("Name:\timip_")) && !bytes.HasPrefix(status, []byte("Name:\tpython")) {
				continue // it has not begun yet
			}
			_, line, _ := bytes.Cut(status, []byte("VmHWM:"))
			var size int
			if _, err := fmt.Sscan(string(line), &size); err == nil {
				c.memory = max(c.memory, size)
			}
		}
	}
}

func (c *contender) reset() {
	if c != nil {
		c.wall, c.cpu = nil, nil
	}
}

// report reports the medians, and the peaks of memory.
func report(b *testing.B, ours, original *contender) {
	b.ReportMetric(0, "ns/op") // of both together: says nothing
	wall, cpu := median(ours.wall), median(ours.cpu)
	b.ReportMetric(milliseconds(wall), "ms")
	b.ReportMetric(milliseconds(cpu), "cpu-ms")
	if ours.memory > 0 {
		b.ReportMetric(float64(ours.memory)/1024, "MiB")
	}
	if original == nil {
		return
	}
	b.ReportMetric(ratio(original.wall, ours.wall), "speedup")
	b.ReportMetric(ratio(original.cpu, ours.cpu), "cpu-speedup")
	if original.memory > 0 {
		b.ReportMetric(float64(original.memory)/1024, "original-MiB")
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median[T cmp.Ordered](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
