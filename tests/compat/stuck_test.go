package compat

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/skip"
)

// paulsStore is the path of Paul's records in a room.
const paulsStore = "store/mailto:paul.boddie@example.com/"

// The original waits for ever for a lock whose holder is gone. Ours breaks it.
func TestStaleLock(t *testing.T) {
	t.Parallel() // it waits
	s := message(act{from: "paul", method: "REQUEST"}, clock.Day, Compose("UID:meeting", "DTSTART:20261202T090000Z", "DTEND:20261202T100000Z"))
	lock := func(t *testing.T) Room {
		room := newRoom(t, &Conversation{})
		// No process has this number: Linux gives out at most 4194304.
		dir := filepath.Join(string(room), paulsStore, "__lock__")
		if err := os.MkdirAll(filepath.Join(dir, "4194305"), 0o770); err != nil {
			t.Fatal(err)
		}
		long := clock.Kernel().Add(-time.Hour)
		for _, path := range []string{filepath.Join(dir, "4194305"), dir} {
			if err := os.Chtimes(path, long, long); err != nil {
				t.Fatal(err)
			}
		}
		return room
	}
	t.Run("ours", func(t *testing.T) {
		room := lock(t)
		o, err := newOurs(room)
		if err != nil {
			t.Fatal(err)
		}
		defer o.close()
		if status, err := o.step(s); status != 0 {
			t.Fatalf("status %d: %v", status, err)
		}
		if _, err := os.Stat(filepath.Join(string(room), paulsStore, "__lock__")); !os.IsNotExist(err) {
			t.Errorf("the lock is still there: %v", err)
		}
		if _, err := os.Stat(filepath.Join(string(room), paulsStore, "objects/meeting")); err != nil {
			t.Errorf("the event is not stored: %v", err)
		}
	})
	t.Run("original", func(t *testing.T) {
		peer := startPeer(t)
		peer.Patience = 2 * time.Second
		result, err := peer.Run(lock(t), s)
		if err != nil || !result.TimedOut {
			t.Errorf("the original does not wait any more: %+v %v", result, err)
		}
	})
}

// The original never comes back from a rule by the second without end. Ours
// records as many occurrences as an event may have, the earliest from now on.
func TestRuleBySecond(t *testing.T) {
	t.Parallel() // it waits
	s := message(act{from: "paul", method: "REQUEST"}, Minutes(0), Compose("UID:meeting", "DTSTART:20261122T110000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY"))
	t.Run("ours", func(t *testing.T) {
		room := newRoom(t, &Conversation{})
		o, err := newOurs(room)
		if err != nil {
			t.Fatal(err)
		}
		defer o.close()
		if status, err := o.step(s); status != 0 {
			t.Fatalf("status %d: %v", status, err)
		}
		tree, err := room.Tree()
		if err != nil {
			t.Fatal(err)
		}
		records := strings.Split(strings.TrimSpace(tree[paulsStore+"freebusy"]), "\n")
		if len(records) != o.handler.PeriodLimit || !strings.HasPrefix(records[0], "20261122T120000Z\t") {
			t.Errorf("%d records, of which the first is %q", len(records), records[0])
		}
	})
	t.Run("original", func(t *testing.T) {
		peer := startPeer(t)
		peer.Patience = 3 * time.Second
		room := newRoom(t, &Conversation{})
		result, err := peer.Run(room, s)
		if err != nil || !result.TimedOut {
			t.Errorf("the original does come back: %+v %v", result, err)
		}
	})
}

// startPeer starts the original for a test, or skips the test if it is not there.
func startPeer(t *testing.T) *Peer {
	t.Helper()
	dir, ok := FindPeer()
	if !ok {
		skip.Because(t, "the original is not installed in %s", dir)
	}
	peer, err := StartPeer(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	return peer
}
