package compat

import (
	"fmt"
	"maps"
	"path/filepath"
	"testing"
)

// TestReplayIncoming handles each message that arrives in the recorded conversations with ours, with the store as the
// original had it then, and compares what the store is afterwards, and what was handed over.
func TestReplayIncoming(t *testing.T) {
	names, err := filepath.Glob("conversations/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	steps := 0
	for _, name := range names {
		c, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		original := initial(t, c)
		for i, s := range c.Steps {
			before := maps.Clone(original)
			original.Apply(s.Original)
			if !s.Arrives() {
				continue
			}
			steps++
			step := fmt.Sprintf("%s/%d", c.Name, i+1)
			got := arrives(t, c, before, s)
			if got.status != s.OursStatus() {
				t.Errorf("%s: status %d, not %d: %v", step, got.status, s.OursStatus(), got.err)
			}
			if got.rejected != s.Ours.Rejected {
				t.Errorf("%s: %d messages put aside, not %d", step, got.rejected, s.Ours.Rejected)
			}
			if want := s.OursDelivered(); got.delivered != want {
				t.Errorf("%s: hands over %q, not %q", step, got.delivered, want)
			}
			if diff := Differences(original.Expected(s.Ours), got.tree); diff != "" {
				t.Errorf("%s: %s\nmessage:\n%s", step, diff, s.Message)
			}
		}
	}
	t.Logf("%d messages", steps)
	if steps < 100 {
		t.Errorf("only %d messages arrive", steps)
	}
}

// arrival is what ours has made of a message that arrives.
type arrival struct {
	status    int
	err       error
	rejected  int // messages put aside
	delivered string
	tree      Tree
}

// arrives hands in the message of a step to a store as it was before.
func arrives(t *testing.T, c *Conversation, before Tree, s *Step) (a arrival) {
	t.Helper()
	room := newRoom(t, &Conversation{Name: c.Name, Preferences: c.Preferences, Initial: before})
	o, err := newOurs(room)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	a.status, a.err = o.step(s)
	a.delivered = handed(o.instead.String(), s)
	if a.rejected, err = o.rejections(); err != nil {
		t.Fatal(err)
	}
	if a.tree, err = room.Tree(); err != nil {
		t.Fatal(err)
	}
	return a
}

// noteArrival fills in what differs between what the original and ours made of a message that arrives.
func (s *Step) noteArrival(original Tree, a arrival) {
	s.Ours = Difference{Changed: Tree{}, Rejected: a.rejected}
	if a.status != s.Original.Status {
		s.Ours.Status = &a.status
	}
	if a.delivered != s.Original.Delivered {
		s.Ours.Delivered = &a.delivered
	}
	s.Ours.note(original, a.tree)
}
