package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// TestAtOnce has many messages handled at once for one user: by ours alone, and half of
// them by the original, where it is installed. All are there afterwards.
func TestAtOnce(t *testing.T) {
	skip.OnOtherDays(t)
	t.Parallel() // the original waits
	few, many := 10, 40
	if full {
		few, many = 100, 100
	}
	t.Run("ours", func(t *testing.T) { atOnce(t, many, nil) })
	t.Run("with the original", func(t *testing.T) {
		dir, ok := compat.FindPeer()
		if !ok {
			skip.Because(t, "the original is not installed in %s", dir)
		}
		original := filepath.Join(dir, "bin", compat.Outgoing)
		atOnce(t, few, func(i int) string {
			if i%2 == 0 {
				return original
			}
			return path
		})
	})
}

// tries is how often the original is given a message that it puts off, as mail systems do: of many at once,
// two may make the same directory, and one of them fails.
const tries = 20

// atOnce has so many messages handled, each by the program that by returns, or else by
// ours.
func atOnce(t *testing.T, messages int, by func(i int) string) {
	room := furnish(t, scenario{before: compat.Tree{"freebusy": records(200)}})
	// The last of many waits for all others, and the original looks for the lock once in a second only.
	must(t, program.Settings(room, "LOCK_TIMEOUT = 3600\nDEADLINE = 3600\n"))
	if by != nil {
		// The original makes a directory of this name, as well, where it finds none.
		must(t, os.Mkdir(filepath.Join(room.Preferences(), strings.TrimPrefix(paul, "mailto:")), 0o770))
		go breakEmptyLock(t, room)
	}
	var wg sync.WaitGroup
	for i := range messages {
		run := path
		if by != nil {
			run = by(i)
		}
		mail := message("REQUEST", event(fmt.Sprintf("UID:at-once-%d", i), "RRULE:FREQ=DAILY;COUNT=2"))
		wg.Go(func() {
			for try := 1; ; try++ {
				cmd, stderr := program.Command(run, today, room, mail)
				if run != path {
					cmd.Dir = filepath.Join(filepath.Dir(run), "..", "etc") // its configuration
				}
				status := program.Status(cmd, cmd.Run())
				if status == 75 && run != path && try < tries {
					t.Logf("message %d, by %s: again: %s", i, run, stderr)
					continue
				}
				if status != 0 || run == path && stderr.Len() > 0 {
					t.Errorf("message %d, by %s: status %d: %s", i, run, status, stderr)
				}
				return
			}
		})
	}
	wg.Wait()

	tree := state(t, room)
	table := "\n" + tree["store/"+paul+"/freebusy"]
	for i := range messages {
		if tree[fmt.Sprintf("store/%s/objects/at-once-%d", paul, i)] == "" {
			t.Errorf("event %d is not there", i)
		}
		if n := strings.Count(table, fmt.Sprintf("\tat-once-%d\t", i)); n != 2 {
			t.Errorf("event %d has %d records, not 2", i, n)
		}
	}
	if n := strings.Count(table, "\n") - 1; n != 200+2*messages {
		t.Errorf("the table has %d records", n)
	}
	if _, err := os.Stat(filepath.Join(user(room), "__lock__")); err == nil {
		t.Error("a lock is left over")
	}
}

// breakEmptyLock removes a lock in which nobody has stood for long, until the test ends. Of
// many at once the original's programs leave one now and then ([TestLockOfNobody]), and wait
// for it for ever if none of ours is left to break it. Ours say on standard error if they
// leave one.
func breakEmptyLock(t *testing.T, room compat.Room) {
	const long = 20 * time.Second
	lock := filepath.Join(user(room), "__lock__")
	for {
		select {
		case <-t.Context().Done():
			return
		case <-time.After(time.Second):
		}
		info, err := os.Stat(lock)
		if err != nil || clock.Kernel().Sub(info.ModTime()) < long {
			continue
		}
		os.Remove(lock) // only if it is empty
	}
}
