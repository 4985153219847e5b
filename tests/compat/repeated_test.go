package compat

import (
	"maps"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRepeated hands in each message of the recorded conversations twice, as a mail
// system does if the first time has been cut short: the second time changes nothing,
// not an octet, and puts nothing aside that is there already.
func TestRepeated(t *testing.T) {
	names, err := filepath.Glob("conversations/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, name := range names {
		c, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			room := newRoom(t, c)
			o, err := newOurs(room)
			if err != nil {
				t.Fatal(err)
			}
			defer o.close()
			for i, s := range c.Steps {
				if s.Arrives() {
					if err := room.Lay(s.Original); err != nil {
						t.Fatal(err)
					}
					continue
				}
				first := handled(t, o, room, s)
				o.log.Reset()
				second := handled(t, o, room, s)
				if maps.Equal(first, second) {
					continue
				}
				t.Errorf("step %d: the second time changes (-first +second)\n%s\nlog:\n%s", i+1, cmp.Diff(first, second), o.log.String())
			}
		})
	}
}

// handled handles a message and returns the store that it leaves, and as "rejected"
// how much has been put aside.
func handled(t *testing.T, o *ours, room Room, s *Step) Tree {
	t.Helper()
	if status, err := o.step(s); status != s.OursStatus() {
		t.Fatalf("status %d, not %d: %v", status, s.OursStatus(), err)
	}
	items, err := o.handler.Rejected.List()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := room.Tree()
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		tree["rejected/"+filepath.Base(item.Path)] = item.Note.Reason
	}
	return tree
}
