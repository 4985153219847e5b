package program

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"syscall"
	"time"
)

// Moments chooses random moments at which running programs get a signal. It learns from each
// program whether the signal came in time, and so keeps to the time that the programs take: on a fast
// machine, on a slow one, and on one whose speed changes.
type Moments struct {
	random *rand.Rand
	within time.Duration // of the next moment
	missed int           // programs in a row that had ended before
}

// The time for the next moment grows after a signal that came in time, and shrinks after one that did not. About
// one signal of five comes too late then.
const (
	grow, shrink = 1.15, 0.6
	shortest     = 10 * time.Microsecond // in it no program ends
	hopeless     = 1000                  // as many programs in a row do not end before their signal
)

// NewMoments returns moments with that seed. The first is within that time of the program's start.
func NewMoments(seed uint64, within time.Duration) *Moments {
	return &Moments{random: rand.New(rand.NewPCG(seed, seed)), within: max(within, shortest)}
}

// Stop starts a command, sends it a signal at the next moment, and waits for its end. It
// reports whether the signal came in time: then the status of the command differs from undisturbed. Who needs so
// many that are stopped goes on until there are so many. An error says that this will
// never be.
func (m *Moments) Stop(cmd *exec.Cmd, signal syscall.Signal, undisturbed int) (stopped bool, err error) {
	if err := cmd.Start(); err != nil {
		return false, err
	}
	// At first, programs only start.
	time.Sleep(m.within/4 + time.Duration(m.random.Int64N(int64(m.within))*3/4))
	_ = cmd.Process.Signal(signal) // it may have ended
	if Status(cmd, cmd.Wait()) != undisturbed {
		m.within = max(time.Duration(float64(m.within)*grow), m.within+1)
		m.missed = 0
		return true, nil
	}
	m.within = max(time.Duration(float64(m.within)*shrink), shortest)
	if m.missed++; m.missed == hopeless {
		return false, fmt.Errorf("%v did not stop one of %d programs in a row: %q", signal, hopeless, cmd.Args)
	}
	return false, nil
}
