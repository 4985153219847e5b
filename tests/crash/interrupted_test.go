package crash

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/bench"
	"imip-agent/tests/compat"
	"imip-agent/tests/program"
)

// TestInterrupted asks the programs to end, at random moments of their work on a user who has
// many events. Whatever they are at, the original's lock is given back: nobody else would do that.
func TestInterrupted(t *testing.T) {
	events := 1500
	if full {
		events = 30000
	}
	dir := tempDir(t)
	admin, err := program.Build(dir, "imip-agent")
	if err != nil {
		t.Fatal(err)
	}
	room := compat.Room(filepath.Join(dir, "room"))
	if err := room.Furnish(&compat.Conversation{}); err != nil {
		t.Fatal(err)
	}
	if err := program.Settings(room, ""); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(room.Store()); err != nil {
		t.Fatal(err)
	}
	if err := bench.GenerateStore(room.Store(), bench.Size{Users: 1, Events: events, Seed: 5}); err != nil {
		t.Fatal(err)
	}
	user := string(bench.User(0))
	large := strings.NewReplacer("paul.boddie@example.com", strings.TrimPrefix(user, "mailto:")).Replace(string(message("REQUEST", event("RRULE:FREQ=DAILY;COUNT=90"))))
	source, target := "file:"+room.Store(), "file:"+filepath.Join(dir, "target", "store")
	calendars := filepath.Join(dir, "calendars")
	// Calendars of fewer events are taken in, which takes much longer than anything else.
	few, fewCalendars := filepath.Join(dir, "few"), filepath.Join(dir, "few-calendars")
	if err := bench.GenerateStore(few, bench.Size{Users: 1, Events: 1500, Seed: 5}); err != nil {
		t.Fatal(err)
	}
	exported, stderr := program.Command(admin, bench.Now, room, nil, "migrate", "export", "file:"+few, fewCalendars)
	exported.Args = exported.Args[:5]
	if status := program.Status(exported, exported.Run()); status != 0 && status != 3 {
		t.Fatalf("export: status %d: %s", status, stderr)
	}
	commands := [][]string{
		{"check", "-v"},
		{"check", "--repair=all"},
		{"freebusy", "--store", "--reset"},
		{"freebusy", "--reset"},
		{"migrate", "copy", source, target},
		{"migrate", "copy", "--verify", "--overwrite", source, target},
		{"migrate", "export", source, calendars, "--overwrite"},
		{"migrate", "import", fewCalendars, target, "--user", user, "--publish-dir", "none"},
		{"show", user},
		{program.Name},
	}
	all := 0
	for n, words := range commands {
		t.Run(strings.Join(words[:min(2, len(words))], " "), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(n), 7))
			command := func() (*exec.Cmd, *bytes.Buffer) {
				if words[0] == program.Name {
					return program.Command(path, bench.Now, room, []byte(large))
				}
				cmd, stderr := program.Command(admin, bench.Now, room, nil, words...)
				if words[0] == "migrate" { // which takes no options for places
					cmd.Args = cmd.Args[:1+len(words)]
				}
				return cmd, stderr
			}
			began := time.Now()
			cmd, stderr := command()
			undisturbed := program.Status(cmd, cmd.Run())
			if undisturbed < 0 || undisturbed > 4 {
				t.Fatalf("undisturbed: status %d: %s", undisturbed, stderr)
			}
			whole := time.Since(began)
			interrupted := 0
			for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
				if words[0] == "migrate" && words[1] == "copy" {
					_ = os.RemoveAll(filepath.Join(dir, "target"))
				}
				cmd, _ := command()
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(random.Int64N(int64(whole))))
				_ = cmd.Process.Signal(signal) // it may have ended
				if program.Status(cmd, cmd.Wait()) != undisturbed {
					interrupted++
				}
				locks, err := filepath.Glob(filepath.Join(dir, "*", "store", "*", "__lock__"))
				if err != nil || len(locks) > 0 {
					t.Errorf("%v: locks are left: %q %v", signal, locks, err)
				}
				for _, lock := range locks {
					_ = os.RemoveAll(lock)
				}
			}
			t.Logf("interrupted %d times of 3, where it takes %v", interrupted, whole)
			all += interrupted
		})
	}
	if all == 0 {
		t.Error("nothing was interrupted: all was too fast")
	}
}
