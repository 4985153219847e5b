// Package crash kills the built program, lets many of it at one user's records at
// once, and takes away what it needs: room, permissions, directories, locks.
//
// By default the numbers are small. With IMIP_AGENT_FULL set in the environment,
// the program is killed before each of its system calls that changes something,
// and at some hundred random moments, and 100 messages are handled at once.
package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/program"
)

const (
	paul    = "mailto:paul.boddie@example.com"
	vincent = "mailto:vincent.vole@example.com"
)

// full is whether to do all that there is to do.
var full = os.Getenv("IMIP_AGENT_FULL") != ""

// path is where the built program is for outgoing messages, personPath and resourcePath those for what arrives, and
// adminPath that for administrators.
var path, personPath, resourcePath, adminPath string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "imip-agent-program-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755) // also for who runs it without rights
	}
	if err == nil {
		path, err = program.Build(dir, program.Name)
	}
	if err == nil {
		personPath, err = program.Build(dir, "imip_person")
	}
	if err == nil {
		resourcePath, err = program.Build(dir, "imip_resource")
	}
	if err == nil { // for a database, the others go on as this one
		_, err = program.Build(dir, "imip-agent-postgresql")
	}
	if err == nil {
		adminPath, err = program.Build(dir, "imip-agent")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return postgresqltest.Main(m)
}

// scenario is a store, and a message that changes much in it.
type scenario struct {
	name    string
	before  compat.Tree // in Paul's directory
	message []byte
}

// prefs make the program do all that it can.
var prefs = compat.Tree{
	paul + "/freebusy_sharing": "share", paul + "/freebusy_publishing": "publish", paul + "/freebusy_offers": "P1D", paul + "/TZID": "Europe/Oslo",
}

// today is when all of this happens, and soon a day in the window of recurring events.
var (
	today = clock.Today()
	soon  = today.AddDate(0, 0, 10).Truncate(24 * time.Hour)
)

// on is a time of day a number of days after soon.
func on(days, hour int) string {
	return soon.AddDate(0, 0, days).Add(time.Duration(hour) * time.Hour).Format("20060102T150405Z")
}

// event is the lines of Paul's event, a daily series, and others that replace them.
func event(lines ...string) compat.Event {
	return compat.Compose("UID:e\nORGANIZER:@paul\nATTENDEE;PARTSTAT=ACCEPTED:@paul\nATTENDEE;PARTSTAT=ACCEPTED:@vincent\nSUMMARY:Meeting\nDTSTART:"+on(0, 9)+"\nDTEND:"+on(0, 10), strings.Join(lines, "\n"))
}

func message(method string, events ...compat.Event) []byte {
	return compat.Mail("paul", method, compat.Calendar(method, soon, events...))
}

// stored is an event as the store has it.
func stored(e compat.Event) string {
	return strings.ReplaceAll("BEGIN:VEVENT\nDTSTAMP:20200101T000000Z\n"+e.String()+"\nEND:VEVENT\n", "\n", "\r\n")
}

// scenarios returns what is interrupted: each method, with as much as it can change.
func scenarios() []scenario {
	table := compat.Tree{"freebusy": records(200), "freebusy-other/" + vincent: records(50), "requests": "e\t\t\nother\t\t\n"}
	with := func(more compat.Tree) compat.Tree {
		tree := compat.Tree{}
		for _, t := range []compat.Tree{table, more} {
			for path, content := range t {
				tree[path] = content
			}
		}
		return tree
	}
	series := "RRULE:FREQ=DAILY;COUNT=5"
	changed := event("RECURRENCE-ID:"+on(1, 9), "DTSTART:"+on(1, 12), "DTEND:"+on(1, 13))
	many := with(compat.Tree{
		"objects/e":                               stored(event(series)),
		"recurrences/e/" + on(1, 9):               stored(changed),
		"cancellations/recurrences/e/" + on(2, 9): stored(event("RECURRENCE-ID:" + on(2, 9))),
		"counters/objects/e/" + vincent:           stored(event()),
		"freebusy-providers":                      on(20, 0) + "\t\ne\t\n",
	})
	return []scenario{
		{"first REQUEST", nil, message("REQUEST", event(series))},
		{"REQUEST over recurrences", many, message("REQUEST", event(series, "SEQUENCE:1", "SUMMARY:Moved"))},
		{"REQUEST of two events", table, message("REQUEST", event(), event("UID:f"))},
		{"occurrence", many, message("REQUEST", event("RECURRENCE-ID:"+on(2, 9), "DTSTART:"+on(2, 15), "DTEND:"+on(2, 16)))},
		{"CANCEL", many, message("CANCEL", event("SEQUENCE:1"))},
		{"CANCEL of two events", with(compat.Tree{
			"objects/e": many["objects/e"], "recurrences/e/" + on(1, 9): stored(changed),
			"objects/f": stored(event("UID:f", series)), "counters/objects/f/" + vincent: stored(event("UID:f")),
			"freebusy-providers": many["freebusy-providers"] + "f\t\n",
		}), message("CANCEL", event("SEQUENCE:1"), event("UID:f", "SEQUENCE:1"))},
		{"CANCEL of an occurrence", many, message("CANCEL", event("SEQUENCE:1", "RECURRENCE-ID:"+on(3, 9), "DTSTART:"+on(3, 9), "DTEND:"+on(3, 10)))},
		{"REPLY for an occurrence", many, message("REPLY", event("ATTENDEE;PARTSTAT=DECLINED:@paul", "RECURRENCE-ID:"+on(2, 9), "DTSTART:"+on(2, 9), "DTEND:"+on(2, 10)))},
		{"REQUEST of a series and occurrences", many, message("REQUEST", event(series, "SEQUENCE:1", "SUMMARY:Moved"),
			event("SEQUENCE:1", "RECURRENCE-ID:"+on(2, 9), "DTSTART:"+on(2, 15), "DTEND:"+on(2, 16)), event("SEQUENCE:1", "RECURRENCE-ID:"+on(3, 9), "DTSTART:"+on(3, 15), "DTEND:"+on(3, 16)))},
		{"CANCEL of occurrences", many, message("CANCEL", event("SEQUENCE:1", "RECURRENCE-ID:"+on(1, 9), "DTSTART:"+on(1, 9), "DTEND:"+on(1, 10)),
			event("SEQUENCE:1", "RECURRENCE-ID:"+on(3, 9), "DTSTART:"+on(3, 9), "DTEND:"+on(3, 10)))},
		{"CANCEL of a series and an occurrence", many, message("CANCEL", event("SEQUENCE:1"),
			event("SEQUENCE:1", "RECURRENCE-ID:"+on(1, 9), "DTSTART:"+on(1, 9), "DTEND:"+on(1, 10)))},
		{"REPLY to a series and occurrences", many, message("REPLY", event(series, "ATTENDEE;PARTSTAT=TENTATIVE:@paul"),
			event("ATTENDEE;PARTSTAT=DECLINED:@paul", "RECURRENCE-ID:"+on(1, 9), "DTSTART:"+on(1, 12), "DTEND:"+on(1, 13)),
			event("ATTENDEE;PARTSTAT=DECLINED:@paul", "RECURRENCE-ID:"+on(2, 9), "DTSTART:"+on(2, 9), "DTEND:"+on(2, 10)))},
		{"COUNTER", with(compat.Tree{"objects/e": many["objects/e"], "freebusy-offers": ""}), message("COUNTER", event("DTSTART:"+on(0, 11), "DTEND:"+on(0, 12)))},
		{"ADD", many, message("ADD", event("DTSTART:"+on(9, 9), "DTEND:"+on(9, 10)))},
		{"DECLINECOUNTER", many, message("DECLINECOUNTER", event("ATTENDEE:@vincent"))},
	}
}

// records is a table of so many records of other events.
func records(n int) string {
	var out strings.Builder
	for i := range n {
		at := soon.AddDate(0, 0, i)
		fmt.Fprintf(&out, "%s\t%s\tother-%d\tOPAQUE\t\tSomething else, %d\t%s\n", at.Format("20060102T150405Z"), at.Add(time.Hour).Format("20060102T150405Z"), i, i, paul)
	}
	return out.String()
}

// furnish makes a room for a scenario, as it is before.
func furnish(t *testing.T, s scenario) compat.Room {
	t.Helper()
	room := compat.Room(tempDir(t))
	conversation := &compat.Conversation{Preferences: prefs, Initial: compat.Tree{}}
	for path, content := range s.before {
		conversation.Initial["store/"+paul+"/"+path] = content
	}
	if err := room.Furnish(conversation); err != nil {
		t.Fatal(err)
	}
	if err := program.Settings(room, ""); err != nil {
		t.Fatal(err)
	}
	return room
}

// tempDir makes a directory, in memory where there is a place for that: a process that is
// killed loses nothing of what it has written, wherever that is.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "imip-agent-crash-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// handle runs the program on a message and returns its exit status.
func handle(room compat.Room, message []byte) (status int, stderr string) {
	cmd, said := program.Command(path, today, room, message)
	status = program.Status(cmd, cmd.Run())
	return status, said.String()
}

// undisturbed returns the tree that a scenario ends with if nothing happens.
func undisturbed(t *testing.T, s scenario) compat.Tree {
	t.Helper()
	room := furnish(t, s)
	if status, stderr := handle(room, s.message); status != 0 {
		t.Fatalf("%s: status %d: %s", s.name, status, stderr)
	}
	return state(t, room)
}

// nows are what depends on the time at which a message is handled.
var nows = regexp.MustCompile(`(?m)^DTSTAMP:.*$|\t[0-9TZ]*$`)

// state returns what is in a room, without what depends on the clock, and fails for
// any file that is not whole.
func state(t *testing.T, room compat.Room) compat.Tree {
	t.Helper()
	tree, err := room.Tree()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range tree {
		if reason := broken(name, content); reason != "" {
			t.Errorf("%s is not whole: %s\n%s", name, reason, content)
		}
		if strings.HasPrefix(name, "static/") || strings.HasSuffix(name, "/freebusy-offers") {
			tree[name] = nows.ReplaceAllString(content, "")
		}
	}
	return tree
}

// broken says what is wrong with a file that others than the program can see.
func broken(name, content string) string {
	parts := strings.Split(name, "/")
	below := strings.Join(parts[2:], "/")
	switch {
	case parts[0] == "static" && below == "freebusy":
		if !strings.HasPrefix(content, "BEGIN:VCALENDAR\n") || !strings.HasSuffix(content, "END:VFREEBUSY\nEND:VCALENDAR\n") {
			return "it is no calendar"
		}
	case strings.HasPrefix(below, "__"), parts[0] == "static" && strings.HasPrefix(below, "."):
		return "" // staging: nobody looks there
	case slices.Contains([]string{"objects", "recurrences", "cancellations", "counters"}, parts[2]):
		if _, err := calendar.DecodeObject([]byte(content)); err != nil {
			return err.Error()
		}
	case below == "requests", below == "freebusy-providers":
		if content != "" && !strings.HasSuffix(content, "\n") {
			return "its last line has no end"
		}
	case parts[0] == "journal" && slices.Contains([]string{"limits", "groups", "delegates"}, below):
		return "" // an administrator writes them
	default:
		layout := freebusy.Plain
		if parts[0] == "journal" {
			layout = freebusy.Attended
		}
		if below == "freebusy-offers" {
			layout = freebusy.Expiring
		}
		if _, damages := freebusy.Read([]byte(content), layout); len(damages) > 0 {
			return fmt.Sprint(damages)
		}
		if content != "" && !strings.HasSuffix(content, "\n") {
			return "its last line has no end"
		}
	}
	return ""
}

// mended checks a room after the program was killed there, handles the message again, and
// checks that the state is then as if nothing had happened.
func mended(t *testing.T, s scenario, room compat.Room, after compat.Tree) {
	t.Helper()
	before := compat.Tree{}
	for path, content := range s.before {
		before["store/"+paul+"/"+path] = content
	}
	for name, content := range state(t, room) {
		if internal(name) {
			continue
		}
		// In a message of several events each is one step.
		was, is := strings.ReplaceAll(before[name], "\r\n", "\n"), after[name]
		if content != was && content != is && s.name != "REQUEST of two events" {
			t.Errorf("%s is neither as before nor as after:\n%s", name, content)
		}
	}
	honoured(t, room)
	if status, stderr := handle(room, s.message); status != 0 {
		t.Errorf("the second time: status %d: %s", status, stderr)
	}
	got := state(t, room)
	if diff := compat.Differences(after, got); diff != "" {
		t.Errorf("the second time: %s", diff)
	}
	for name := range got {
		if internal(name) {
			t.Errorf("%s is left over", name)
		}
	}
	wantUnlocked(t, room)
	if wrong, err := room.WrongModes(); err != nil || len(wrong) > 0 {
		t.Errorf("modes: %v %s", err, strings.Join(wrong, "\n"))
	}
}

// internal reports whether a file of a tree is the program's own.
func internal(name string) bool {
	base := filepath.Base(name)
	return strings.Contains(name, "/__") || strings.HasPrefix(name, "static/") && strings.HasPrefix(base, ".")
}

// honoured checks that no lock is left which the next program must honour until it is a minute old: one that does not say whose it
// is. Where the holder's id is in it, the next one of ours sees that the holder is dead.
func honoured(t *testing.T, room compat.Room) {
	t.Helper()
	locks, err := filepath.Glob(filepath.Join(string(room), "*", "*", "__lock__"))
	if err != nil {
		t.Fatal(err)
	}
	for _, lock := range locks {
		if holders, err := os.ReadDir(lock); err != nil || len(holders) == 0 {
			t.Errorf("%s is left, and does not say whose it is: %v", lock, err)
		}
	}
}

// wantUnlocked checks that nothing of a lock is left.
func wantUnlocked(t *testing.T, room compat.Room) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(string(room), "*", "*", "__lock__*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %q %v", left, err)
	}
}
