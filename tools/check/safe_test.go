package check_test

import (
	"slices"
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
