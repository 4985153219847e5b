package check_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imip-agent/tests/compat"
	"imip-agent/tools/check"
)

// Of two directories of a user that differ in letters and are both in use, none is touched: the
// finding says what to do.
func TestBothUsed(t *testing.T) {
	for name, other := range map[string]string{
		"letter case":      "mailto:Vincent.Vole@example.com",
		"another spelling": "mailto:Vincent.vole@EXAMPLE.com",
	} {
		t.Run(name, func(t *testing.T) {
			room := compat.Room(tempDir(t))
			makeOurs(t, room)
			p := newPlace(t, room)
			p.now = healthyTime
			d := damager{t, p}
			d.must(os.CopyFS(d.path("store/"+other), os.DirFS(d.path(vincents))))
			d.write("store/"+other+"/objects/more", object("UID:more\nDTSTART:20261202T090000Z\n"))
			d.write(vincents+"objects/less", object("UID:less\nDTSTART:20261202T090000Z\n"))
			d.settle("store/"+other, 0)
			before := snapshot(t, p.Room)
			for range 2 {
				r := p.check(t, check.All)
				i := slices.IndexFunc(r.findings, func(f check.Finding) bool { return f.Kind.ID == "user-both" })
				if i < 0 || r.findings[i].Needs() != check.None || !strings.Contains(r.findings[i].Text, "both are in use") {
					t.Fatalf("found:\n%s", r)
				}
			}
			for _, path := range changed(before, snapshot(t, p.Room)) {
				if strings.Contains(path, "/objects") || strings.Contains(path, vincent) {
					t.Errorf("changed: %s", path)
				}
			}
		})
	}
}

// Where two users' directories are in each other's place, whose they are is told from organizers
// and attendees, and no repair makes of it what it is not.
func TestSwapped(t *testing.T) {
	for name, make := range map[string]func(testing.TB, compat.Room){"ours": makeOurs, "original": makeOriginal} {
		t.Run(name, func(t *testing.T) {
			room := compat.Room(tempDir(t))
			make(t, room)
			p := newPlace(t, room)
			p.now = healthyTime
			d := damager{t, p}
			d.rename(pauls[:len(pauls)-1], "x")
			d.rename(vincents[:len(vincents)-1], pauls[:len(pauls)-1])
			d.rename("x", vincents[:len(vincents)-1])
			before := snapshot(t, p.Room)
			for _, repair := range []check.Repair{check.None, check.Safe, check.All} {
				r := p.check(t, repair)
				if ids := r.ids(); !slices.Equal(ids, []string{"user-swapped", "user-swapped"}) {
					t.Errorf("found %q:\n%s", ids, r)
				}
				for _, f := range r.findings {
					if !strings.HasPrefix(f.Command, "mv ") {
						t.Errorf("the command is %q", f.Command)
					}
				}
			}
			if paths := changed(before, snapshot(t, p.Room)); len(paths) > 0 {
				t.Errorf("changed: %q", paths)
			}
		})
	}
}

// Where only their events are, the command swaps only these, and no repair takes out of free/busy what is elsewhere.
func TestSwappedEvents(t *testing.T) {
	p := newHealthy(t)
	d := damager{t, p}
	d.rename(pauls+"objects", "x")
	d.rename(vincents+"objects", pauls+"objects")
	d.rename("x", vincents+"objects")
	before := snapshot(t, p.Room)
	for _, repair := range []check.Repair{check.Safe, check.All, check.None} {
		r := p.check(t, repair)
		if ids := r.ids(); !slices.Equal(ids, []string{"user-swapped", "user-swapped"}) {
			t.Fatalf("found %q:\n%s", ids, r)
		}
		for _, f := range r.findings {
			if !strings.Contains(f.Command, vincent+"/objects") || !strings.Contains(f.Command, paul+"/objects") || filepath.Base(f.Path) != "objects" {
				t.Errorf("of %q, the command is %q", f.Path, f.Command)
			}
		}
	}
	if paths := changed(before, snapshot(t, p.Room)); len(paths) > 0 {
		t.Errorf("changed: %q", paths)
	}
}

// Who is taken out of one of two events of the same organizer has records of their own.
func TestTakenOut(t *testing.T) {
	room := compat.Room(tempDir(t))
	event := func(uid string, attendees ...string) string {
		text := "UID:" + uid + "\nSEQUENCE:0\nDTSTART:20261202T090000Z\nDTEND:20261202T100000Z\nORGANIZER:" + paul + "\n"
		for _, a := range attendees {
			text += "ATTENDEE;PARTSTAT=ACCEPTED:" + a + "\n"
		}
		return object(text)
	}
	row := func(uid string) string {
		return "20261202T090000Z\t20261202T100000Z\t" + uid + "\tOPAQUE\t\t\t" + paul + "\n"
	}
	tree := compat.Tree{
		"store/" + paul + "/objects/one":    event("one", paul, vincent),
		"store/" + paul + "/objects/two":    event("two", paul, vincent),
		"store/" + paul + "/freebusy":       row("one") + row("two"),
		"store/" + vincent + "/objects/one": event("one", paul),
		"store/" + vincent + "/objects/two": event("two", paul, vincent),
		"store/" + vincent + "/freebusy":    row("two"),
	}
	if err := room.Furnish(&compat.Conversation{Initial: tree}); err != nil {
		t.Fatal(err)
	}
	if r := newPlace(t, room).check(t, check.None); r.String() != "" {
		t.Errorf("found:\n%s", r)
	}

	// An answer to the other one is recorded all the same. What is known of the organizer says whose directory it is not.
	tree["store/"+vincent+"/freebusy"] = row("one") + row("two")
	tree["store/"+vincent+"/freebusy-other/"+paul] = row("one") + row("two")
	room = compat.Room(tempDir(t))
	if err := room.Furnish(&compat.Conversation{Initial: tree}); err != nil {
		t.Fatal(err)
	}
	if r := newPlace(t, room).check(t, check.None); strings.Contains(r.String(), "user-swapped") {
		t.Errorf("found:\n%s", r)
	}
}

// A secretary who sends for others, and is in none of the events, has records of their own.
func TestSecretary(t *testing.T) {
	room := compat.Room(tempDir(t))
	makeOurs(t, room)
	const mary = "mailto:mary@example.com"
	p := newPlace(t, room)
	p.now = healthyTime
	d := damager{t, p}
	for _, uid := range []string{"one", "two", "three"} {
		d.write("store/"+mary+"/objects/"+uid, object("UID:"+uid+"\nDTSTART:20261202T090000Z\nDTEND:20261202T100000Z\nORGANIZER:"+paul+"\nATTENDEE:"+vincent+"\n"))
	}
	if err := errors.Join(os.Chmod(filepath.Join(room.Store(), mary), os.ModeSetgid|0o770)); err != nil {
		t.Fatal(err)
	}
	if r := p.check(t, check.None); r.String() != "" {
		t.Errorf("found:\n%s", r)
	}
}
