package check_test

import (
	"slices"
	"strings"
	"testing"

	"imip-agent/tests/compat"
	"imip-agent/tools/check"
)

// A safe repair changes nothing of a user whose events are not where they should be: from what
// could it make anything anew.
func TestSafeLeaves(t *testing.T) {
	healthy := compat.Room(tempDir(t))
	makeOurs(t, healthy)
	for name, damage := range map[string]func(*damager){
		"objects are missing": func(d *damager) { d.remove(pauls + "objects"); d.remove(pauls + "recurrences") },
		"objects are elsewhere": func(d *damager) {
			d.rename(pauls+"objects", "elsewhere")
			d.rename(pauls+"recurrences", "elsewhere2")
		},
		"objects are renamed":          func(d *damager) { d.rename(pauls+"objects", pauls+"objects.old") },
		"objects are in upper case":    func(d *damager) { d.rename(pauls+"objects", pauls+"OBJECTS") },
		"objects are in another layer": func(d *damager) { d.rename(pauls+"objects", pauls+"cancellations/objects/objects") },
		"everything is one level deeper": func(d *damager) {
			d.write("store/other/x", "")
			d.remove("store/other/x")
			d.rename("store/"+paul, "store/other/"+paul)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, copyRoom(t, healthy))
			p.now = healthyTime
			d := damager{t, p}
			damage(&d)
			before := snapshot(t, p.Room)
			r := p.check(t, check.Safe)
			if !slices.ContainsFunc(r.findings, func(f check.Finding) bool {
				return f.Kind.Severity == check.Error && f.Needs() != check.Safe
			}) {
				t.Errorf("found:\n%s", r)
			}
			if paths := changed(before, snapshot(t, p.Room)); len(paths) > 0 {
				t.Errorf("changed: %q\n%s", paths, r)
			}
		})
	}
}

// After a repair, a second one of the same kind finds the same, changes nothing, and what is left
// says what mends it, which does.
func TestRepairTwice(t *testing.T) {
	healthy := compat.Room(tempDir(t))
	makeOurs(t, healthy)
	for _, c := range damages {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t, copyRoom(t, healthy))
			p.now = healthyTime
			c.damage(&damager{t, p})
			left := func(r result) (ids []string) {
				for _, f := range r.findings {
					if f.State != check.Mended {
						ids = append(ids, f.Kind.ID)
					}
				}
				return ids
			}
			first := p.check(t, check.Safe)
			after := snapshot(t, p.Room)
			second := p.check(t, check.Safe)
			if !slices.Equal(left(first), second.ids()) {
				t.Errorf("the first leaves\n%s, the second tells\n%s", first, second)
			}
			if paths := changed(after, snapshot(t, p.Room)); len(paths) > 0 {
				t.Errorf("the second has changed %q", paths)
			}
			for _, f := range second.findings {
				if f.Needs() != check.All || !strings.Contains(f.Command, "--repair=all") {
					t.Errorf("what is left has the command %q: %s", f.Command, f.Text)
				}
			}
			if r := p.check(t, check.All); len(left(r)) > 0 {
				t.Errorf("after a repair of all:\n%s", r)
			}
			if r := p.check(t, check.All); len(r.ids()) > 0 {
				t.Errorf("a second repair of all tells\n%s", r)
			}
		})
	}
}
