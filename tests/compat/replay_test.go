package compat

import (
	"flag"
	"maps"
	"path/filepath"
	"strings"
	"testing"
)

// accept has TestReplay write down what ours does where it differs, in the
// conversations that are marked as deviations. Read what it writes.
var accept = flag.Bool("accept", false, "take what ours does in marked deviations as expected")

// TestReplay handles the recorded conversations with our handler, and compares
// the store after each step with what the original made of it.
func TestReplay(t *testing.T) {
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
			if *accept && c.Deviation != "" {
				acceptOurs(t, c)
				return
			}
			t.Parallel() // they mostly wait for the disk
			replay(t, c)
		})
	}
}

func replay(t *testing.T, c *Conversation) {
	room := newRoom(t, c)
	o, err := newOurs(room)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	original := initial(t, c)
	differs := false
	for i, s := range c.Steps {
		original.Apply(s.Original)
		if s.Arrives() {
			if err := room.Lay(s.Original); err != nil {
				t.Fatal(err)
			}
			if s.OursStatus() != s.Original.Status || s.OursDelivered() != s.Original.Delivered || s.Ours.Rejected > 0 || Differences(original, original.Expected(s.Ours)) != "" {
				differs = true // TestReplayIncoming has ours handle it
			}
			continue
		}
		o.log.Reset()
		status, err := o.step(s)
		if status != s.OursStatus() {
			t.Errorf("step %d: status %d, not %d: %v", i+1, status, s.OursStatus(), err)
		}
		if n, err := o.rejections(); err != nil || n != s.Ours.Rejected {
			t.Errorf("step %d: %d messages put aside, not %d: %v", i+1, n, s.Ours.Rejected, err)
		}
		tree, err := room.Tree()
		if err != nil {
			t.Fatal(err)
		}
		want := original.Expected(s.Ours)
		if diff := Differences(want, tree); diff != "" {
			t.Errorf("step %d: %s\nlog:\n%s", i+1, diff, o.log.String())
			return // what follows would differ for the same reason
		}
		if s.OursStatus() != s.Original.Status || s.Ours.Rejected > 0 || Differences(original, want) != "" {
			differs = true
		}
	}
	if wrong, err := room.WrongModes(); err != nil || len(wrong) > 0 {
		t.Errorf("modes: %v %s", err, strings.Join(wrong, "\n"))
	}
	if differs != (c.Deviation != "") {
		t.Errorf("differs from the original: %v, but deviation is %q", differs, c.Deviation)
	}
}

// initial returns the tree before the first step.
func initial(t *testing.T, c *Conversation) Tree {
	t.Helper()
	room := newRoom(t, c)
	tree, err := room.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// acceptOurs notes in the conversation's file what ours does.
func acceptOurs(t *testing.T, c *Conversation) {
	room := newRoom(t, c)
	o, err := newOurs(room)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	original := initial(t, c)
	for _, s := range c.Steps {
		before := maps.Clone(original)
		original.Apply(s.Original)
		s.Ours = Difference{Changed: Tree{}}
		if s.Arrives() {
			s.noteArrival(original, arrives(t, c, before, s))
			if err := room.Lay(s.Original); err != nil {
				t.Fatal(err)
			}
			continue
		}
		status, err := o.step(s)
		if err != nil {
			t.Log(err)
		}
		if status != s.Original.Status {
			s.Ours.Status = &status
		}
		if s.Ours.Rejected, err = o.rejections(); err != nil {
			t.Fatal(err)
		}
		tree, err := room.Tree()
		if err != nil {
			t.Fatal(err)
		}
		s.Ours.note(original, tree)
	}
	if err := c.Save("conversations"); err != nil {
		t.Fatal(err)
	}
}

// note fills in what differs in meaning between the original's tree and ours.
func (d *Difference) note(original, ours Tree) {
	for _, path := range ours.Paths() {
		one := Tree{path: ours[path]}
		other := Tree{}
		if content, ok := original[path]; ok {
			other[path] = content
		}
		if Differences(other, one) != "" {
			d.Changed[path] = ours[path]
		}
	}
	for _, path := range original.Paths() {
		if _, ok := ours[path]; !ok && Differences(Tree{path: original[path]}, Tree{}) != "" {
			d.Absent = append(d.Absent, path)
		}
	}
}
