package crash

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imip-agent/tests/compat"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// spooled is messages that Paul sends one after another, with what is there before.
var spooled = struct {
	before   compat.Tree
	messages [][]byte
}{
	compat.Tree{"freebusy": records(20)},
	[][]byte{
		message("REQUEST", event("RRULE:FREQ=DAILY;COUNT=3")),
		message("REQUEST", event("RRULE:FREQ=DAILY;COUNT=3", "SEQUENCE:1", "SUMMARY:Moved")),
		message("REQUEST", event("UID:f")),
		message("CANCEL", event("UID:f", "SEQUENCE:1")),
		message("REQUEST", event("UID:g")),
	},
}

// first has messages handled later.
const first = "SPOOL_FIRST = True\n"

// furnishSpool makes a room in which messages are handled later.
func furnishSpool(t *testing.T) compat.Room {
	t.Helper()
	room := furnish(t, scenario{before: spooled.before})
	must(t, program.Settings(room, first))
	return room
}

// putting returns the command that puts a message into the spool of a room.
func putting(room compat.Room, message []byte) *exec.Cmd {
	cmd, _ := program.Command(path, today, room, message, "-o", "people-outgoing+paul.boddie@example.com")
	return cmd
}

// draining returns the command that handles the messages of the spool.
func draining(room compat.Room) *exec.Cmd {
	cmd, _ := program.Command(adminPath, today, room, nil, "queue", "retry")
	return cmd
}

// ends runs a command that must end well.
func ends(t *testing.T, what string, cmd *exec.Cmd) {
	t.Helper()
	if status := program.Status(cmd, cmd.Run()); status != 0 {
		t.Errorf("%s: status %d: %s", what, status, cmd.Stderr)
	}
}

// handledOnce returns the tree with all messages handled, one after another, without a spool.
func handledOnce(t *testing.T) compat.Tree {
	t.Helper()
	room := furnish(t, scenario{before: spooled.before})
	for _, m := range spooled.messages {
		cmd, _ := program.Command(path, today, room, m, "-o", "people-outgoing+paul.boddie@example.com")
		ends(t, "handle a message", cmd)
	}
	return state(t, room)
}

// waiting returns how many messages are in a room's spool, and fails if something else is there that is left over.
func waiting(t *testing.T, room compat.Room, settled bool) (n int) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(string(room), "spool"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, entry := range entries {
		switch name := entry.Name(); {
		case strings.HasSuffix(name, ".eml"):
			n++
		case settled && !slices.Contains([]string{"last", "running"}, name):
			t.Errorf("%s is left over", name)
		}
	}
	return n
}

// drained handles what is in the spool, and checks that all is as if nothing had happened.
func drained(t *testing.T, room compat.Room, after compat.Tree) {
	t.Helper()
	honoured(t, room)
	ends(t, "handle the spool", draining(room))
	if n := waiting(t, room, true); n > 0 {
		t.Errorf("%d messages are left", n)
	}
	got := state(t, room)
	if diff := compat.Differences(after, got); diff != "" {
		t.Errorf("it is not as if nothing had happened: %s", diff)
	}
	for name := range got {
		if internal(name) {
			t.Errorf("%s is left over", name)
		}
	}
	if _, err := os.Stat(filepath.Join(string(room), "rejected")); err == nil {
		t.Error("something is rejected")
	}
}

// Messages that wait are handled as those that do not.
func TestSpooled(t *testing.T) {
	skip.OnOtherDays(t)
	room := furnishSpool(t)
	for _, m := range spooled.messages {
		ends(t, "take a message", putting(room, m))
	}
	if n := waiting(t, room, true); n != len(spooled.messages) {
		t.Errorf("%d messages wait", n)
	}
	drained(t, room, handledOnce(t))
}
