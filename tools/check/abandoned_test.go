package check_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/tests/compat"
	"imip-agent/tools/check"
	"imip-agent/tools/quarantine"
)

// abandoning is a store whose locks are given back as soon as somebody has one, as when a program
// must end and its work goes on.
type abandoning struct{ *file.Store }

func (s abandoning) Audit(ctx context.Context, user calendar.URI, o audit.Options, fn func(audit.Session) error) error {
	return s.Store.Audit(ctx, user, o, func(session audit.Session) error {
		file.Abandon(time.Second)
		return fn(session)
	})
}

const (
	abandonedRoom     = "IMIP_AGENT_TEST_ABANDONED"
	abandonedManifest = "IMIP_AGENT_TEST_MANIFEST"
)

// Once the locks have been given back, neither a repair nor what undoes one changes anything.
func TestAbandoned(t *testing.T) {
	if room := os.Getenv(abandonedRoom); room != "" {
		abandoned(t, newPlace(t, compat.Room(room)))
		return
	}
	room := compat.Room(tempDir(t))
	makeOurs(t, room)
	p := newPlace(t, room)
	p.now = healthyTime
	d := &damager{t, p}
	d.write(pauls+"objects/.swp", "x")
	d.write(pauls+"recurrences/file", "x")
	d.write(pauls+"objects/old", "")
	if err := os.Chmod(room.Store()+"/"+paul+"/objects/alone", 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(room.Store()+"/"+paul+"/objects/meeting", string(room)+"/meeting"); err != nil {
		t.Fatal(err)
	}
	damaged := snapshot(t, room)
	again := func(manifest string) {
		t.Helper()
		before := snapshot(t, room)
		program := exec.Command(os.Args[0], "-test.run=^TestAbandoned$")
		program.Env = append(os.Environ(), abandonedRoom+"="+string(room), abandonedManifest+"="+manifest)
		if output, err := program.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		if paths := changed(before, snapshot(t, room)); len(paths) > 0 {
			slices.Sort(paths)
			t.Errorf("changed all the same: %q", paths)
		}
	}
	again("")
	r := p.check(t, check.All)
	if r.summary.Mended < 5 {
		t.Fatalf("not enough is repaired:\n%s", r)
	}
	again(r.summary.Manifest)
	err := quarantine.Undo{Store: p.store}.Run(context.Background(), r.summary.Manifest, func(u quarantine.Undone) {
		if u.Err != nil {
			t.Errorf("%s: %v", u.Path, u.Err)
		}
	})
	if paths := changed(damaged, snapshot(t, room)); err != nil || len(paths) > 0 {
		t.Errorf("%v; not put back: %q", err, paths)
	}
}

// abandoned is the program that must end.
func abandoned(t *testing.T, p *place) {
	p.now = healthyTime
	c := p.checkerOf(abandoning{p.store}, check.All)
	c.Users = []calendar.URI{paul}
	if manifest := os.Getenv(abandonedManifest); manifest != "" {
		failed := 0
		err := quarantine.Undo{Store: c.Store}.Run(context.Background(), manifest, func(u quarantine.Undone) {
			if u.Err != nil {
				failed++
			}
		})
		if err != nil || failed == 0 {
			t.Errorf("%v, %d failures", err, failed)
		}
		return
	}
	if r := run(t, c); len(r.summary.Failures) == 0 || r.summary.Mended > 0 {
		t.Errorf("the repair went on:\n%s", r)
	}
}
