package crash

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"imip-agent/tests/compat"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// TestDeliveryKilledBetweenChanges kills the program before the first of its system calls that changes or sends
// something, then before the second, and so on. Each time the message is handed in again: it must be in the mailbox once,
// each answer must be sent once, and the store must be as if nothing had happened. Only where the program is killed right before it
// notes that a server has taken a mail, that mail is sent again.
func TestDeliveryKilledBetweenChanges(t *testing.T) {
	skip.OnOtherDays(t)
	for n, a := range arrivals(t) {
		t.Run(a.name, func(t *testing.T) {
			after := a.undisturbed(t)
			step, first := 1, 1
			if !full {
				step, first = 7, 1+n%7
			}
			calls, unnoted := first, 0
			moments := make(map[string]bool) // at which a mail could not be noted, by what was in the store
			for ; ; calls += step {
				room := a.furnish(t)
				cmd, _ := program.Command(personPath, today, room, a.message, a.words...)
				killed, err := killAt(cmd, calls)
				if errors.Is(err, unix.EPERM) {
					skip.Because(t, "ptrace(2) is not allowed here")
				}
				must(t, err)
				a.settle()
				moment := namesBesideLocks(t, room)
				if n := a.mended(t, room, after); !moments[moment] {
					unnoted += n
					moments[moment] = n > 0
				}
				if t.Failed() {
					t.Fatalf("killed before change %d", calls)
				}
				if !killed {
					break
				}
			}
			t.Logf("%d changes, %d mails could not be noted", calls, unnoted)
			if mails := 1; !a.answered && unnoted > mails || unnoted > 2 {
				t.Errorf("%d mails could not be noted: there should be one moment for each", unnoted)
			}
			if least := 20; calls < least && !a.unchanged || calls < least/4 {
				t.Errorf("only %d system calls change something: has the trace missed them?", calls)
			}
		})
	}
}

// namesBesideLocks returns the names of all files in a store but those of locks: what is left of a lock is removed beside the
// delivery, which makes several moments of one.
func namesBesideLocks(t *testing.T, room compat.Room) string {
	t.Helper()
	var names []string
	must(t, filepath.WalkDir(room.Store(), func(path string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nobody has made it yet
		}
		if !strings.Contains(path, "/__lock__") {
			names = append(names, path[len(room.Store()):])
		}
		return err
	}))
	return strings.Join(names, "\n")
}
