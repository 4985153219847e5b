package crash

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/bench"
	"imip-agent/tests/compat"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// TestInterrupted asks the programs to end, at random moments of their work on a user who has
// many events. Whatever they are at, the original's lock is given back: nobody else would do that.
func TestInterrupted(t *testing.T) {
	skip.OnOtherDays(t)
	t.Parallel()
	events, fewer := 500, 500
	if full {
		events, fewer = 30000, 1500
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
	few, fewCalendars := room.Store(), filepath.Join(dir, "few-calendars")
	if fewer != events {
		few = filepath.Join(dir, "few")
		if err := bench.GenerateStore(few, bench.Size{Users: 1, Events: fewer, Seed: 5}); err != nil {
			t.Fatal(err)
		}
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
	// Who starts the tests may ignore signals, and programs would inherit that.
	heeded := make(chan os.Signal, 1)
	signal.Notify(heeded, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(heeded)
	for n, words := range commands {
		t.Run(strings.Join(words[:min(2, len(words))], " "), func(t *testing.T) {
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
			var undisturbed int
			var whole time.Duration
			for range 2 { // the first may have more to do
				began := time.Now()
				cmd, stderr := command()
				undisturbed = program.Status(cmd, cmd.Run())
				if undisturbed < 0 || undisturbed > 4 {
					t.Fatalf("undisturbed: status %d: %s", undisturbed, stderr)
				}
				whole = time.Since(began)
			}
			moments := program.NewMoments(uint64(n), whole)
			runs := 0
			for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
				for stopped := false; !stopped; runs++ {
					if words[0] == "migrate" && words[1] == "copy" {
						must(t, os.RemoveAll(filepath.Join(dir, "target")))
					}
					cmd, _ := command()
					stopped, err = moments.Stop(cmd, signal, undisturbed)
					must(t, err)
					locks, err := filepath.Glob(filepath.Join(dir, "*", "store", "*", "__lock__"))
					if err != nil || len(locks) > 0 {
						t.Fatalf("%v: locks are left: %q %v", signal, locks, err)
					}
				}
			}
			t.Logf("%d runs, of which one takes %v", runs, whole)
		})
	}
}
