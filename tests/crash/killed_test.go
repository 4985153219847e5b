package crash

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/program"
)

// TestKilledAtRandom kills the program at random moments of its run, and handles the
// message again.
func TestKilledAtRandom(t *testing.T) {
	kills := 30
	if full {
		kills = 400
	}
	const seed = 1
	random := rand.New(rand.NewPCG(seed, seed))
	all := scenarios()
	killed := 0
	for n, s := range all {
		after := undisturbed(t, s)
		length := duration(t, s)
		for range kills/len(all) + 1 {
			room := furnish(t, s)
			cmd, _ := program.Command(path, today, room, s.message)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// More than half of the time goes by before anything is written.
			time.Sleep(length/3 + time.Duration(random.Int64N(int64(length))))
			cmd.Process.Signal(syscall.SIGKILL)
			if program.Status(cmd, cmd.Wait()) == -int(syscall.SIGKILL) {
				killed++
			}
			mended(t, s, room, after)
			if t.Failed() {
				t.Fatalf("in scenario %d, %s", n, s.name)
			}
		}
	}
	t.Logf("killed %d times", killed)
	if killed < kills/4 {
		t.Errorf("the program was killed %d times only: it was too fast", killed)
	}
}

// duration is how long a scenario takes, at best.
func duration(t *testing.T, s scenario) time.Duration {
	best := time.Minute
	for range 3 {
		room := furnish(t, s)
		began := time.Now()
		handle(room, s.message)
		best = min(best, time.Since(began))
	}
	return best
}
