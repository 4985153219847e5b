package crash

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"imip-agent/tests/skip"
)

// stepOf returns how many steps are between two moments at which a program is killed, and the first one.
func stepOf(n, usual int) (step, first int) {
	if full {
		return 1, 1
	}
	return usual, 1 + n%usual
}

// TestTakingKilledBetweenChanges kills the program that puts a message into the spool before each of its system
// calls that changes something. The mail system hands in the message again. It is handled once, in its order, and nothing
// is left over.
func TestTakingKilledBetweenChanges(t *testing.T) {
	skip.OnOtherDays(t)
	after := handledOnce(t)
	const middle = 3 // a cancellation
	step, begin := stepOf(0, 3)
	calls := begin
	for ; ; calls += step {
		room := furnishSpool(t)
		for i, m := range spooled.messages {
			if i == middle {
				killed, err := killAt(putting(room, m), calls)
				if errors.Is(err, unix.EPERM) {
					skip.Because(t, "ptrace(2) is not allowed here")
				}
				must(t, err)
				if !killed {
					for _, m := range spooled.messages[middle+1:] {
						ends(t, "take a message", putting(room, m))
					}
					drained(t, room, after)
					t.Logf("%d changes", calls)
					if calls < 7 {
						t.Errorf("only %d system calls change something: has the trace missed them?", calls)
					}
					return
				}
			}
			ends(t, "take a message", putting(room, m))
		}
		drained(t, room, after)
		if t.Failed() {
			t.Fatalf("killed before change %d", calls)
		}
	}
}

// TestHandlingKilledBetweenChanges kills the program that handles the messages of the spool before each of its system calls
// that changes something. All are handled in the end as if nothing had happened.
func TestHandlingKilledBetweenChanges(t *testing.T) {
	skip.OnOtherDays(t)
	after := handledOnce(t)
	step, begin := stepOf(0, 11)
	calls := begin
	for ; ; calls += step {
		room := furnishSpool(t)
		for _, m := range spooled.messages {
			ends(t, "take a message", putting(room, m))
		}
		killed, err := killAt(draining(room), calls)
		if errors.Is(err, unix.EPERM) {
			skip.Because(t, "ptrace(2) is not allowed here")
		}
		must(t, err)
		drained(t, room, after)
		if t.Failed() {
			t.Fatalf("killed before change %d", calls)
		}
		if !killed {
			break
		}
	}
	t.Logf("%d changes", calls)
	if calls < 40 {
		t.Errorf("only %d system calls change something: has the trace missed them?", calls)
	}
}
