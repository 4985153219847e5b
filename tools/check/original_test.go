package check_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/skip"
	"imip-agent/tools/check"
)

// The original breaks a table by a line break in a summary, and is stuck from then on.
// Mended, the store is one that it works on again.
func TestOriginalLineBreak(t *testing.T) {
	peer := startPeer(t)
	room := compat.Room(tempDir(t))
	makeOriginal(t, room)
	p := newPlace(t, room)
	p.now = healthyTime
	send := func(lines string) int {
		t.Helper()
		p.now = p.now.Add(time.Minute)
		s := scene{from: "paul.boddie@example.com", method: "REQUEST", lines: lines}
		result, err := peer.Run(room, &compat.Step{Program: compat.Outgoing, Clock: p.now, Message: s.message(p.now)})
		if err != nil {
			t.Fatal(err)
		}
		return result.Status
	}
	if status := send(strings.NewReplacer("UID:alone", "UID:broken", "For others", `In two\nlines`, "20261205", "20261206").Replace(alone) + "SEQUENCE:0\n"); status != 0 {
		t.Fatalf("the original does not take a line break: status %d", status)
	}
	if r := p.check(t, check.None); !slices.Equal(r.ids(), []string{"table-broken"}) {
		t.Errorf("found:\n%s", r)
	}
	if status := send(strings.Replace(alone, "UID:alone", "UID:next", 1) + "SEQUENCE:0\n"); status != 75 {
		t.Fatalf("the original is not stuck: status %d", status)
	}
	breakLocks(t, room)
	found := p.check(t, check.None)
	if ids := found.ids(); !slices.Contains(ids, "freebusy-missing") { // it has cut the table off
		t.Errorf("found:\n%s", found)
	}
	p.mend(t, check.Safe)
	if status := send(strings.Replace(alone, "UID:alone", "UID:after", 1) + "SEQUENCE:0\n"); status != 0 {
		t.Errorf("the original does not work on the mended store: status %d", status)
	}
	if r := p.check(t, check.None); r.String() != "" {
		t.Errorf("after the original has worked on it:\n%s", r)
	}
}

// The original is killed while it writes a table in place, and leaves half of it and its
// lock.
func TestOriginalKilled(t *testing.T) {
	skip.OnOtherDays(t)
	if os.Getenv("IMIP_AGENT_FULL") == "" {
		skip.Because(t, "takes seconds; IMIP_AGENT_FULL is not set")
	}
	peer := startPeer(t)
	room := compat.Room(tempDir(t))
	makeOriginal(t, room)
	p := newPlace(t, room)
	p.now = healthyTime
	// An event that recurs often makes the table long enough to be caught half-way.
	every := "UID:often\nSUMMARY:Often\nDTSTART:20261125T000000Z\nDURATION:PT1M\nRRULE:FREQ=HOURLY\nSEQUENCE:0\n" +
		"ORGANIZER:mailto:paul.boddie@example.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:paul.boddie@example.com\n"
	s := scene{from: "paul.boddie@example.com", method: "REQUEST", lines: every}
	if result, err := peer.Run(room, &compat.Step{Program: compat.Outgoing, Clock: p.now, Message: s.message(p.now)}); err != nil || result.Status != 0 {
		t.Fatalf("%+v %v", result, err)
	}
	if r := p.check(t, check.None); r.String() != "" {
		t.Fatalf("before it is killed:\n%s", r)
	}
	table := filepath.Join(room.Store(), paul, "freebusy")
	whole, err := os.Stat(table)
	if err != nil {
		t.Fatal(err)
	}
	caught := false
	for attempt := 0; attempt < 1000 && !caught; attempt++ {
		caught = killWriting(t, room, p.now, s.message(p.now), table, whole.Size())
		if !caught {
			breakLocks(t, room)
		}
	}
	if !caught {
		t.Fatal("the original could not be caught half-way")
	}
	// It is stale when it is a minute old.
	lock := filepath.Join(room.Store(), paul, "__lock__")
	long := clock.Kernel().Add(-time.Hour)
	if err := os.Chtimes(lock, long, long); err != nil {
		t.Fatalf("the original has left no lock: %v", err)
	}
	found := p.check(t, check.None)
	if ids := found.ids(); !slices.Contains(ids, "lock-stale") || len(ids) < 2 {
		t.Errorf("found:\n%s", found)
	}
	p.mend(t, check.Safe)
	result, err := peer.Run(room, &compat.Step{Program: compat.Outgoing, Clock: p.now, Message: s.message(p.now)})
	if err != nil || result.Status != 0 {
		t.Errorf("the original does not work on the mended store: %+v %v", result, err)
	}
	if r := p.check(t, check.None); r.String() != "" {
		t.Errorf("after the original has worked on it:\n%s", r)
	}
}

// mend repairs, and sees that nothing is left.
func (p *place) mend(t *testing.T, repair check.Repair) {
	t.Helper()
	if r := p.check(t, repair); r.summary.Remaining > 0 || len(r.summary.Failures) > 0 {
		t.Fatalf("not all is mended:\n%s", r)
	}
	if r := p.check(t, check.None); r.String() != "" {
		t.Fatalf("not whole after it was mended:\n%s", r)
	}
}

func breakLocks(t *testing.T, room compat.Room) {
	t.Helper()
	locks, _ := filepath.Glob(filepath.Join(room.Store(), "*", "__lock__"))
	for _, lock := range locks {
		if err := os.RemoveAll(lock); err != nil {
			t.Fatal(err)
		}
	}
}

// killWriting runs the original's program at a time, as a mail system does, and kills it when the
// table has become shorter than it was. It reports whether that was caught.
func killWriting(t *testing.T, room compat.Room, now time.Time, message []byte, table string, whole int64) bool {
	t.Helper()
	dir, _ := compat.FindPeer()
	cmd := exec.Command(filepath.Join(dir, "bin", "imip_person_outgoing"),
		"-S", room.Store(), "-P", room.Static(), "-p", room.Preferences(), "-j", room.Journal())
	cmd.Stdin = strings.NewReader(string(message))
	cmd.Env = append(append(os.Environ(), "TZ=UTC"), compat.Faketime(dir, now)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		cmd.Wait()
		close(done)
	}()
	for {
		select {
		case <-done:
			return false
		default:
		}
		if info, err := os.Stat(table); err == nil && info.Size() < whole {
			cmd.Process.Kill()
			<-done
			info, err := os.Stat(table)
			return err == nil && info.Size() < whole
		}
	}
}

// What our look at an object's text says about the original's programs is what they do.
func TestForeign(t *testing.T) {
	peer := startPeer(t)
	room := compat.Room(tempDir(t))
	p := newPlace(t, room)
	if err := room.Furnish(&compat.Conversation{}); err != nil {
		t.Fatal(err)
	}
	body := "DTSTAMP:20261122T120000Z\nDTSTART:20261202T090000Z\nDTEND:20261202T100000Z\nSEQUENCE:0\nORGANIZER:" + paul + "\n"
	for i, c := range []struct {
		name, lines string
		foreign     bool // the original cannot read it
	}{
		{"plain", body, false},
		{"alarm", body + "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM\n", false},
		{"quoted parameter", body + "LOCATION;ALTREP=\"http://example.com/a;b\":Here\n", false},
		{"parameter that should be quoted", body + "ATTENDEE;CN=Ada:mailto:ada@example.com\n", false},
		{"folded", body + "SUMMARY:It goes\n  on\n", false},
		{"escaped", body + "SUMMARY:One\\, two\\; three\\nfour\n", false},
		{"underscore in a name", body + "X-A_B:y\n", false},
		{"full stop in a name", body + "X-A.B:y\n", false},
		{"list", body + "CATEGORIES:A,B\n", false},
		{"component of another kind", body + "BEGIN:PARTICIPANT\nUID:x\nEND:PARTICIPANT\n", true},
		{"vertical tab", body + "SUMMARY:a\vb\n", true},
		{"next line", body + "SUMMARY:a\u0085b\n", true},
		{"latin-1", body + "SUMMARY:F\xf8r\n", true},
	} {
		uid := fmt.Sprintf("event%d", i)
		path := filepath.Join(room.Store(), fmt.Sprintf("mailto:user%02d@example.com", i), "objects", uid)
		if err := os.MkdirAll(filepath.Dir(path), 0o770); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("BEGIN:VEVENT\nUID:"+uid+"\n"+c.lines+"END:VEVENT\n"), 0o660); err != nil {
			t.Fatal(err)
		}
		_, problems, err := peer.Read(room.Store())
		if err != nil {
			t.Fatal(err)
		}
		if foreign := len(problems) > 0; foreign != c.foreign {
			t.Errorf("%s: the original cannot read it: %v (%q)", c.name, foreign, problems)
		}
		r := p.check(t, check.None)
		ours := slices.ContainsFunc(r.findings, func(f check.Finding) bool { return f.Kind.ID == "event-foreign" })
		if ours != c.foreign {
			t.Errorf("%s: we say that the original cannot read it: %v\n%s", c.name, ours, r)
		}
		os.RemoveAll(filepath.Dir(filepath.Dir(path)))
	}
}

// These the original reads, but not what they say; or it fails when a message comes in
// for the event.
func TestLook(t *testing.T) {
	for _, c := range []struct {
		name, lines string
		foreign     bool
	}{
		{"lower case", "summary:Small\n", true},
		{"twice", "SUMMARY:A\nSUMMARY:B\n", true},
		{"parameter without value", "X-NOTE;X:y\n", true},
		{"not a property", "hello\n", true},
		{"unescaped comma", "SUMMARY:One, two\n", true},
		{"comma in what is a list", "CATEGORIES:One,two\n", false},
		{"colon in a quoted parameter", "X-NOTE;X=\"a:b;c\":y\n", false},
	} {
		room := compat.Room(tempDir(t))
		d := damager{t, newPlace(t, room)}
		d.must(room.Furnish(&compat.Conversation{}))
		d.write(vincents+"objects/a", "BEGIN:VEVENT\nUID:a\nDTSTART:20261202T090000Z\nORGANIZER:"+paul+"\n"+c.lines+"END:VEVENT\n")
		r := d.p.check(t, check.None)
		if foreign := slices.Equal(r.ids(), []string{"event-foreign"}); foreign != c.foreign {
			t.Errorf("%s:\n%s", c.name, r)
		}
	}
}
