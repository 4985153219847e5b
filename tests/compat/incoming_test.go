package compat

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"imip-agent/handlers/person"
	"imip-agent/stores/preferences"
)

// TestReplayIncoming handles each message that arrives in the recorded conversations with ours, with the store as the
// original had it then, and compares what the store is afterwards.
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
			before := Tree{}
			for path, content := range original {
				before[path] = content
			}
			original.Apply(s.Original)
			if s.Program != Incoming {
				continue
			}
			steps++
			step := fmt.Sprintf("%s/%d", c.Name, i+1)
			got := arrives(t, &Conversation{Name: c.Name, Preferences: c.Preferences, Initial: before}, s)
			if s.Original.Status != 0 {
				continue // what it leaves then is no measure
			}
			if diff := Differences(original, got); diff != "" {
				t.Errorf("%s: %s\nmessage:\n%s", step, diff, s.Message)
			}
		}
	}
	t.Logf("%d messages", steps)
	if steps < 100 {
		t.Errorf("only %d messages arrive", steps)
	}
}

// arrives hands in the message of a step, and returns the tree afterwards.
func arrives(t *testing.T, c *Conversation, s *Step) Tree {
	t.Helper()
	room := newRoom(t, c)
	o, err := newOurs(room)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	o.now = s.Clock
	pipeline := o.handler.Pipeline
	h := &person.Handler{
		Pipeline: pipeline, Recipients: []string{s.User}, Instead: io.Discard, Spool: string(room),
		Default: pipeline.Preferences.(*preferences.Dir).Default,
	}
	if err := h.Handle(t.Context(), bytes.NewReader(s.Message)); err != nil {
		t.Errorf("%s: %v", c.Name, err)
	}
	tree, err := room.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}
