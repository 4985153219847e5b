package check_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/skip"
	"imip-agent/tools/check"
	"imip-agent/tools/quarantine"
)

// full reports whether the tests are to take as long as they need.
func full() bool { return os.Getenv("IMIP_AGENT_FULL") != "" }

// longest is how long a writer may wait: as much as a slow machine needs, and less than until a
// lock is given up.
const longest = 30 * time.Second

// Two writers, which are programs of their own, and a check work on the same users at once:
// the check finds nothing, and no writer waits for it for long.
func TestBesideWriters(t *testing.T) {
	skip.OnOtherDays(t)
	length := time.Second
	if full() {
		length = time.Minute
	}
	room := compat.Room(tempDir(t))
	makeOurs(t, room)
	ended := make(chan error, 2)
	writers := make([]writer, cap(ended))
	for n := range writers {
		w := &writers[n]
		*w = writer{Number: n, Room: room, Length: length}
		go func() { ended <- w.run(t.Context()) }()
	}
	p := newPlace(t, room)
	p.now = healthyTime
	checks, running := 0, len(writers)
	for ; running > 0; checks++ {
		select {
		case err := <-ended:
			if running--; err != nil {
				t.Error(err)
			}
		default:
		}
		repair := check.None
		if checks%2 == 1 {
			repair = check.Safe // there is nothing to mend
		}
		if r := p.check(t, repair); r.String() != "" || r.summary.Manifest != "" {
			t.Errorf("beside writers:\n%s", r)
			break
		}
	}
	for ; running > 0; running-- {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d checks", checks)
	for _, w := range writers {
		t.Logf("%d messages, the longest took %v", w.Written, w.Longest)
		if w.Written == 0 {
			t.Error("they have not worked beside one another")
		}
		if w.Longest > longest {
			t.Errorf("a writer was kept waiting for %v", w.Longest)
		}
	}
	if r := p.check(t, check.None); r.String() != "" {
		t.Errorf("in the end:\n%s", r)
	}
}

// writer is a program that handles one message after the other for a while.
type writer struct {
	Number  int
	Room    compat.Room
	Length  time.Duration
	Written int
	Longest time.Duration // that a message took, by the program's own clock
}

// run runs the program and takes over what it tells of itself.
func (w *writer) run(ctx context.Context) error {
	words, err := json.Marshal(w)
	if err != nil {
		return err
	}
	told, err := child(ctx, "write", string(words)).Output()
	if err != nil {
		return fmt.Errorf("writer %d: %w", w.Number, err)
	}
	return json.Unmarshal(told, w)
}

// writeChild is what the program does.
func writeChild(words string) error {
	var w writer
	if err := json.Unmarshal([]byte(words), &w); err != nil {
		return err
	}
	if err := w.write(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(w)
}

func (w *writer) write() error {
	p, err := openPlace(w.Room)
	if err != nil {
		return err
	}
	p.now = healthyTime
	now := ownClock()
	for n, started := 0, now(); now()-started < w.Length; n++ {
		for _, s := range chores(w.Number, n) {
			began := now()
			if err := p.handle(s.message(p.now)); err != nil {
				return err
			}
			w.Longest = max(w.Longest, now()-began)
			w.Written++
		}
	}
	return nil
}

// ownClock returns a clock that stands still while the machine gives the program no time,
// since that is nobody's lock.
func ownClock() func() time.Duration {
	const tick = 10 * time.Millisecond
	var ticks atomic.Int64
	go func() {
		for range time.Tick(tick) { // which drops what it is late for
			ticks.Add(1)
		}
	}()
	return func() time.Duration { return time.Duration(ticks.Load()) * tick }
}

// chores are messages of Paul's about an event of the writer's own, which comes, changes,
// loses an occurrence and goes.
func chores(writer, n int) []scene {
	uid := fmt.Sprintf("UID:chore-%d-%d\n", writer, n%5)
	about := "SUMMARY:Chore\nORGANIZER:" + paul + "\nATTENDEE;PARTSTAT=ACCEPTED:" + paul + "\nATTENDEE:" + vincent + "\n"
	when := func(day int) string {
		return fmt.Sprintf("DTSTART:202701%02dT090000Z\nDTEND:202701%02dT100000Z\n", day, day)
	}
	sequence := func(k int) string { return fmt.Sprintf("SEQUENCE:%d\n", 10*n+k) }
	from := func(method, lines string) scene {
		return scene{from: "paul.boddie@example.com", method: method, lines: uid + about + lines}
	}
	return []scene{
		from("REQUEST", when(4)+"RRULE:FREQ=WEEKLY\n"+sequence(0)),
		from("REQUEST", when(5)+"RRULE:FREQ=WEEKLY;COUNT=8\n"+sequence(1)),
		from("REQUEST", when(13)+"RECURRENCE-ID:20270112T090000Z\n"+sequence(2)),
		from("CANCEL", when(19)+"RECURRENCE-ID:20270119T090000Z\n"+sequence(3)),
		from("CANCEL", when(5)+sequence(4)),
	}
}

// A lock that a living program holds is waited for, told, and not broken.
func TestHeldLock(t *testing.T) {
	skip.OnOtherDays(t)
	p := newHealthy(t)
	d := damager{t, p}
	clock.AwaitFirst(2 * time.Minute)
	d.lock(1, 2*time.Minute)
	r := p.check(t, check.All)
	if r.summary.Locked != 1 || len(r.summary.Failures) != 1 || r.summary.Users != 2 {
		t.Errorf("%+v", r.summary)
	}
	if ids := r.ids(); len(ids) != 1 || ids[0] != "lock-held" {
		t.Errorf("found:\n%s", r)
	}
	if _, err := os.Stat(d.path(pauls + "__lock__")); err != nil {
		t.Errorf("the lock was broken: %v", err)
	}
}

// What was changed after a repair stays when the repair is undone.
func TestUndoLater(t *testing.T) {
	room := compat.Room(tempDir(t))
	makeOurs(t, room)
	p := newPlace(t, room)
	p.now = healthyTime
	d := damager{t, p}
	d.drop(pauls+"freebusy", "\tmeeting\t")
	d.copy(pauls+"objects/meeting", pauls+"objects/meeting~")
	r := p.check(t, check.All)
	if r.summary.Mended != 2 {
		t.Fatalf("%s%+v", r, r.summary)
	}
	s := scene{from: "paul.boddie@example.com", method: "REQUEST", lines: "UID:later\nDTSTART:20261212T090000Z\nDURATION:PT1H\nORGANIZER:" + paul + "\nATTENDEE;PARTSTAT=ACCEPTED:" + paul + "\n"}
	d.must(p.handle(s.message(p.now)))
	before := snapshot(t, room)
	refused := 0
	err := quarantine.Undo{Store: p.store}.Run(context.Background(), r.summary.Manifest, func(u quarantine.Undone) {
		if u.Err != nil {
			refused++
		}
	})
	if err != nil || refused == 0 {
		t.Fatalf("%d refused, %v", refused, err)
	}
	for _, path := range changed(before, snapshot(t, room)) {
		if path != pauls+"objects/meeting~" {
			t.Errorf("undoing has changed %q", path)
		}
	}
}

// The damages of many users at once are mended, and nobody else's files are touched.
func TestManyUsers(t *testing.T) {
	skip.OnOtherDays(t)
	room := compat.Room(tempDir(t))
	makeOurs(t, room)
	p := newPlace(t, room)
	p.now = healthyTime
	d := damager{t, p}
	for n := range 20 {
		user := fmt.Sprintf("mailto:user%02d@example.com", n)
		text := object("UID:one\nSUMMARY:One\nDTSTART:20261202T090000Z\nDTEND:20261202T100000Z\nORGANIZER:" + user + "\n")
		d.write("store/"+user+"/objects/one", text)
		if n%2 == 0 {
			d.write("store/"+user+"/freebusy", "20261202T090000Z\t20261202T100000Z\tone\tORG\t\tOne\t"+user+"\n")
		}
	}
	before := snapshot(t, room)
	r := p.check(t, check.Safe)
	if r.summary.Mended != 10 || r.summary.Remaining != 0 || r.summary.Users != 22 {
		t.Errorf("%s%+v", r, r.summary)
	}
	for i := 1; i < len(r.findings); i++ {
		if r.findings[i-1].User > r.findings[i].User {
			t.Errorf("findings are not in order of user: %s after %s", r.findings[i].User, r.findings[i-1].User)
		}
	}
	for _, path := range changed(before, snapshot(t, room)) {
		var n int
		if _, err := fmt.Sscanf(path, "store/mailto:user%02d@example.com/freebusy", &n); err != nil || n%2 == 0 {
			t.Errorf("%q was changed", path)
		}
	}
}
