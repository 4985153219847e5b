package crash

import (
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// TestKilledAtRandom kills the program at random moments of its run, and handles the
// message again.
func TestKilledAtRandom(t *testing.T) {
	skip.OnOtherDays(t)
	t.Parallel()
	kills := 30
	if full {
		kills = 400
	}
	const seed = 1
	moments := program.NewMoments(seed, 10*time.Millisecond)
	all := scenarios()
	runs := 0
	for n, s := range all {
		after := undisturbed(t, s)
		for killed := 0; killed < kills/len(all); runs++ {
			room := furnish(t, s)
			cmd, _ := program.Command(path, today, room, s.message)
			stopped, err := moments.Stop(cmd, syscall.SIGKILL, 0)
			must(t, err)
			if stopped {
				killed++
			}
			mended(t, s, room, after)
			if t.Failed() {
				t.Fatalf("in scenario %d, %s", n, s.name)
			}
		}
	}
	t.Logf("%d runs", runs)
}
