package check_test

import (
	"path/filepath"
	"testing"

	"imip-agent/tests/compat"
	"imip-agent/tools/check"
)

// Every store that the recorded conversations make, step by step, is whole: what our
// handler makes of it, and what the original made of it where it does so rightly.
func TestConversations(t *testing.T) {
	names, err := filepath.Glob("../../tests/compat/conversations/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, name := range names {
		c, err := compat.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.Name, func(t *testing.T) {
			ours, original := compat.Room(t.TempDir()), compat.Room(t.TempDir())
			for _, room := range []compat.Room{ours, original} {
				if err := room.Furnish(c); err != nil {
					t.Fatal(err)
				}
			}
			p, o := newPlace(t, ours), newPlace(t, original)
			for i, s := range c.Steps {
				p.now, o.now = s.Clock, s.Clock
				if err := original.Lay(s.Original); err != nil {
					t.Fatal(err)
				}
				if s.Program == compat.Incoming {
					if err := ours.Lay(s.Original); err != nil {
						t.Fatal(err)
					}
				} else if err := p.handle(s.Message); err != nil {
					t.Fatal(err)
				}
				if r := p.check(t, check.None); r.String() != "" {
					t.Errorf("ours, step %d:\n%s", i+1, r)
				}
				if c.Deviation == "" {
					if r := o.check(t, check.None); r.String() != "" {
						t.Errorf("original, step %d:\n%s", i+1, r)
					}
				}
			}
		})
	}
}
