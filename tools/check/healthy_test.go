package check_test

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/compat"
	"imip-agent/tests/skip"
	"imip-agent/tools/check"
	"imip-agent/tools/freebusy"
)

const (
	paul    = "mailto:paul.boddie@example.com"
	vincent = "mailto:vincent.vole@example.com"
)

// scene is what happens in a healthy store: messages that users send, and such that they
// receive, which only the original handles; without it, what it leaves is laid there.
type scene struct {
	program string // compat.Outgoing or Incoming
	from    string // address
	user    string // the recipient's address, for Incoming
	method  string
	lines   string
	leaves  compat.Tree // what the original leaves of a message that came in
}

const (
	meeting = "UID:meeting\nSUMMARY:Project meeting\nDTSTART:20261202T090000Z\nDTEND:20261202T100000Z\n" +
		"ORGANIZER:mailto:paul.boddie@example.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:paul.boddie@example.com\n" +
		"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:vincent.vole@example.com\n"
	accepted = "UID:meeting\nSUMMARY:Project meeting\nDTSTART:20261202T090000Z\nDTEND:20261202T100000Z\n" +
		"ORGANIZER:mailto:paul.boddie@example.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:vincent.vole@example.com\n"
	lunch = "UID:lunch\nSUMMARY:Lunch\nDTSTART:20261203T120000Z\nDTEND:20261203T130000Z\n" +
		"ORGANIZER:mailto:paul.boddie@example.com\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:vincent.vole@example.com\n"
	proposed = "UID:lunch\nSUMMARY:Lunch\nDTSTART:20261203T130000Z\nDTEND:20261203T140000Z\n" +
		"ORGANIZER:mailto:paul.boddie@example.com\nATTENDEE;PARTSTAT=TENTATIVE:mailto:vincent.vole@example.com\n"
	series = "UID:series\nSUMMARY:Weekly\nDTSTART;TZID=Europe/Oslo:20261125T090000\nDTEND;TZID=Europe/Oslo:20261125T100000\n" +
		"RRULE:FREQ=WEEKLY\nORGANIZER:mailto:paul.boddie@example.com\n" +
		"ATTENDEE;PARTSTAT=ACCEPTED:mailto:paul.boddie@example.com\nATTENDEE:mailto:vincent.vole@example.com\n"
	moved = "UID:series\nSUMMARY:Weekly moved\nDTSTART;TZID=Europe/Oslo:20261202T140000\nDTEND;TZID=Europe/Oslo:20261202T150000\n" +
		"RECURRENCE-ID;TZID=Europe/Oslo:20261202T090000\nORGANIZER:mailto:paul.boddie@example.com\n" +
		"ATTENDEE;PARTSTAT=ACCEPTED:mailto:paul.boddie@example.com\nATTENDEE:mailto:vincent.vole@example.com\n"
	off = "UID:series\nSUMMARY:Weekly\nDTSTART;TZID=Europe/Oslo:20261209T090000\nDTEND;TZID=Europe/Oslo:20261209T100000\n" +
		"RECURRENCE-ID;TZID=Europe/Oslo:20261209T090000\nORGANIZER:mailto:paul.boddie@example.com\n" +
		"ATTENDEE:mailto:paul.boddie@example.com\nATTENDEE:mailto:vincent.vole@example.com\n"
	gone = "UID:gone\nSUMMARY:Called off\nDTSTART:20261204T090000Z\nDTEND:20261204T100000Z\n" +
		"ORGANIZER:mailto:paul.boddie@example.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:paul.boddie@example.com\n" +
		"ATTENDEE:mailto:vincent.vole@example.com\n"
	alone = "UID:alone\nSUMMARY:For others\nDTSTART:20261205T090000Z\nDTEND:20261205T100000Z\n" +
		"ORGANIZER:mailto:paul.boddie@example.com\nATTENDEE:mailto:harvey.horse@example.com\n"
)

// scenes make the healthy store. Both users publish their free/busy.
var scenes = []scene{
	{program: compat.Outgoing, from: "paul.boddie@example.com", method: "REQUEST", lines: meeting + "SEQUENCE:0\n"},
	{program: compat.Outgoing, from: "paul.boddie@example.com", method: "REQUEST", lines: lunch + "SEQUENCE:0\n"},
	{program: compat.Outgoing, from: "paul.boddie@example.com", method: "REQUEST", lines: alone + "SEQUENCE:0\n"},
	{program: compat.Outgoing, from: "paul.boddie@example.com", method: "REQUEST", lines: series + "SEQUENCE:0\n"},
	{program: compat.Outgoing, from: "paul.boddie@example.com", method: "REQUEST", lines: moved + "SEQUENCE:1\n"},
	{program: compat.Outgoing, from: "paul.boddie@example.com", method: "CANCEL", lines: off + "SEQUENCE:1\n"},
	{program: compat.Outgoing, from: "paul.boddie@example.com", method: "REQUEST", lines: gone + "SEQUENCE:0\n"},
	{program: compat.Outgoing, from: "paul.boddie@example.com", method: "CANCEL", lines: gone + "SEQUENCE:1\n"},
	{
		program: compat.Incoming, from: "paul.boddie@example.com", user: "vincent.vole@example.com", method: "REQUEST", lines: meeting + "SEQUENCE:0\n",
		leaves: compat.Tree{
			"store/" + vincent + "/objects/meeting":        object(meeting + "SEQUENCE:0\n"),
			"store/" + vincent + "/requests":               "meeting\t\t\n",
			"store/" + vincent + "/freebusy-other/" + paul: "20261202T090000Z\t20261202T100000Z\tmeeting\tOPAQUE\t\tProject meeting\t" + paul + "\n",
		},
	},
	{
		program: compat.Incoming, from: "paul.boddie@example.com", user: "vincent.vole@example.com", method: "REQUEST", lines: lunch + "SEQUENCE:0\n",
		leaves: compat.Tree{
			"store/" + vincent + "/objects/lunch": object(lunch + "SEQUENCE:0\n"),
			"store/" + vincent + "/requests":      "meeting\t\t\nlunch\t\t\n",
		},
	},
	{program: compat.Outgoing, from: "vincent.vole@example.com", method: "REPLY", lines: accepted + "SEQUENCE:0\n"},
	{program: compat.Outgoing, from: "vincent.vole@example.com", method: "COUNTER", lines: proposed + "SEQUENCE:0\n"},
	{
		program: compat.Incoming, from: "vincent.vole@example.com", user: "paul.boddie@example.com", method: "COUNTER", lines: proposed + "SEQUENCE:0\n",
		leaves: compat.Tree{
			"store/" + paul + "/counters/objects/lunch/" + vincent: object(proposed + "SEQUENCE:0\n"),
			"store/" + paul + "/requests":                          "lunch\t\tCOUNTER\n",
		},
	},
}

// furnishing is what is there before the first message.
var furnishing = &compat.Conversation{
	Preferences: compat.Tree{
		paul + "/freebusy_sharing":       "share",
		paul + "/freebusy_publishing":    "publish",
		paul + "/TZID":                   "Europe/Oslo",
		vincent + "/freebusy_offers":     "P2D",
		vincent + "/freebusy_sharing":    "share",
		vincent + "/freebusy_publishing": "publish",
	},
	Initial: compat.Tree{
		"store/" + paul + "/freebusy-providers": "20270302T120000Z\t\n",
	},
}

// object returns an event as a store has it.
func object(lines string) string {
	return "BEGIN:VEVENT\r\nDTSTAMP:20261122T120000Z\r\n" + strings.ReplaceAll(lines, "\n", "\r\n") + "END:VEVENT\r\n"
}

// message returns the mail of a scene.
func (s scene) message(stamp time.Time) []byte {
	text := "From: " + s.from + "\nTo: somebody@example.com\nSubject: " + s.method + "\nMIME-Version: 1.0\n" +
		"Content-Type: text/calendar; charset=utf-8; method=" + s.method + "\n\n" +
		"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.com//check//EN\nMETHOD:" + s.method + "\nBEGIN:VEVENT\n" +
		"DTSTAMP:" + stamp.Format("20060102T150405Z") + "\n" + s.lines + "END:VEVENT\nEND:VCALENDAR\n"
	return []byte(text)
}

// makeOurs has our handler make the healthy store in a room.
func makeOurs(t testing.TB, room compat.Room) {
	t.Helper()
	if err := room.Furnish(furnishing); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, room)
	for i, s := range scenes {
		p.now = compat.Minutes(i)
		var err error
		if s.program == compat.Incoming {
			err = room.Lay(compat.Effect{Changed: s.leaves})
		} else {
			err = p.handle(s.message(p.now))
		}
		if err != nil {
			t.Fatalf("scene %d: %v", i+1, err)
		}
	}
}

// newHealthy returns a place with the healthy store that our handler makes, at a time soon after.
func newHealthy(t testing.TB) *place {
	t.Helper()
	room := compat.Room(tempDir(t))
	makeOurs(t, room)
	p := newPlace(t, room)
	p.now = healthyTime
	return p
}

// makeOriginal has the original make the healthy store.
func makeOriginal(t testing.TB, room compat.Room) {
	t.Helper()
	peer := startPeer(t)
	if err := room.Furnish(furnishing); err != nil {
		t.Fatal(err)
	}
	for i, s := range scenes {
		step := &compat.Step{Program: s.program, User: s.user, Clock: compat.Minutes(i), Message: s.message(compat.Minutes(i))}
		if result, err := peer.Run(room, step); err != nil || result.Status != 0 {
			t.Fatalf("scene %d: %+v %v", i+1, result, err)
		}
	}
}

// startPeer starts the original, or skips the test where it is not there.
func startPeer(t testing.TB) *compat.Peer {
	t.Helper()
	dir, ok := compat.FindPeer()
	if !ok {
		skip.Because(t, "the original is not installed in %s", dir)
	}
	peer, err := compat.StartPeer(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	return peer
}

// healthyTime is when the healthy store is looked at.
var healthyTime = compat.Minutes(len(scenes))

// copyRoom copies a room with modes and times.
func copyRoom(t testing.TB, from compat.Room) compat.Room {
	t.Helper()
	to := tempDir(t)
	var dirs []string
	err := filepath.WalkDir(string(from), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		below, _ := filepath.Rel(string(from), path)
		target := filepath.Join(to, below)
		if entry.IsDir() {
			dirs = append(dirs, target)
			if err := os.MkdirAll(target, 0o770); err != nil {
				return err
			}
			return os.Chmod(target, info.Mode())
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(target, content, 0o600); err != nil {
			return err
		}
		if err := os.Chmod(target, info.Mode()); err != nil {
			return err
		}
		return os.Chtimes(target, info.ModTime(), info.ModTime())
	})
	if err != nil {
		t.Fatal(err)
	}
	return compat.Room(to)
}

// snapshot describes every file of a room: mode, content and, for files, when it was
// written. Locks and quarantine are left out.
func snapshot(t testing.TB, room compat.Room) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(string(room), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(string(room), path)
		if name == "quarantine" {
			return fs.SkipDir
		}
		if entry.Name() == "__lock__" && entry.IsDir() && !isStrange(path) {
			return fs.SkipDir
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text := fmt.Sprint(info.Mode())
		switch {
		case info.Size() > 16<<20:
			text += fmt.Sprintf(" %d %d octets", gid(info), info.Size())
		case info.Mode().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += fmt.Sprintf(" %d %d\n%s", info.ModTime().UnixNano(), gid(info), content)
		case info.Mode()&fs.ModeSymlink != 0:
			link, _ := os.Readlink(path)
			text += " " + link
		}
		files[name] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// isStrange reports whether there is anything in a lock that no program has put there.
func isStrange(lock string) bool {
	entries, _ := os.ReadDir(lock)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		_, err := strconv.Atoi(e.Name())
		return err != nil
	})
}

// changed returns the paths, in a room, that differ between two states of it.
func changed(before, after map[string]string) []string {
	var paths []string
	for path, text := range before {
		if after[path] != text {
			paths = append(paths, path)
		}
	}
	for path := range after {
		if _, ok := before[path]; !ok {
			paths = append(paths, path)
		}
	}
	return paths
}

func TestHealthy(t *testing.T) {
	for name, make := range map[string]func(testing.TB, compat.Room){"ours": makeOurs, "original": makeOriginal} {
		t.Run(name, func(t *testing.T) {
			room := compat.Room(tempDir(t))
			make(t, room)
			before := snapshot(t, room)
			p := newPlace(t, room)
			p.now = healthyTime
			r := p.check(t, check.All)
			if r.String() != "" || r.summary.Users < 2 || r.summary.Events < 8 || r.summary.Manifest != "" {
				t.Errorf("%s%+v", r, r.summary)
			}
			if paths := changed(before, snapshot(t, room)); len(paths) > 0 {
				t.Errorf("changed: %q", paths)
			}
		})
	}
}

// A series that begins only after the window, and ends some day, is noted nowhere: what is
// missing of it is found when the window has come so far, and extended.
func TestLaterSeries(t *testing.T) {
	room := compat.Room(tempDir(t))
	makeOurs(t, room)
	p := newPlace(t, room)
	p.now = healthyTime
	lines := "UID:course\nSUMMARY:Course\nDTSTART:20270505T080000Z\nDTEND:20270505T100000Z\nRRULE:FREQ=WEEKLY;UNTIL=20280501T000000Z\n" +
		"ORGANIZER:mailto:paul.boddie@example.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:paul.boddie@example.com\nSEQUENCE:0\n"
	course := scene{from: "paul.boddie@example.com", method: "REQUEST", lines: lines}
	if err := p.handle(course.message(p.now)); err != nil {
		t.Fatal(err)
	}
	if r := p.check(t, check.None); r.String() != "" {
		t.Fatalf("at once:\n%s", r)
	}
	p.now = p.now.AddDate(0, 0, 80)
	late := func(r result) *check.Finding {
		for _, f := range r.findings {
			if f.Kind.ID == "freebusy-window" {
				return &f
			}
		}
		return nil
	}
	found := late(p.check(t, check.None, paul))
	if found == nil {
		t.Fatal("nothing is missing when it is in the window")
	}
	byRepair := newPlace(t, copyRoom(t, room))
	byRepair.now = p.now
	if f := late(byRepair.check(t, check.Safe, paul)); f == nil || f.State != check.Mended {
		t.Errorf("it is not mended: %+v", f)
	}
	nightly := freebusy.Maker{
		Store: p.store, Preferences: p.preferences(), Log: slog.New(slog.DiscardHandler), Now: p.clock, Keep: true, Publish: true,
		Reset: strings.Contains(found.Command, " --reset"),
	}
	if r := nightly.User(t.Context(), paul); r.Err != nil {
		t.Fatal(r.Err)
	}
	for _, mended := range []*place{p, byRepair} {
		table, err := os.ReadFile(filepath.Join(mended.Room.Store(), paul, "freebusy"))
		if err != nil || strings.Count(string(table), "\tcourse\t") != 3 {
			t.Errorf("free/busy is %s, %v", table, err)
		}
		if f := late(mended.check(t, check.None, paul)); f != nil {
			t.Errorf("it is still missing: %s", f.Text)
		}
	}
}
