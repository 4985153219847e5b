// Package hard gives the handler what is hard to get right: mails of the real
// world, and cases that were thought out to break it.
package hard

import (
	"bytes"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imip-agent/tests/compat"
)

// hardCase is messages, given one after the other to a store, and what is there
// in the end.
type hardCase struct {
	name, why string
	// in holds the messages, divided by lines "====". Each is content lines of an
	// event that replace those of the plain one (the first line may be METHOD:X, and
	// then FROM:X), or a calendar, or a mail with its header.
	in    string
	prefs compat.Tree // preferences of Paul, by name
	store compat.Tree // files in Paul's directory, before
	// want is the outcome, where "plain" stands for the plain event and its record. Of
	// the reason for what is put aside, some words are enough.
	want string
	// has is lines that the stored objects/e must have or, with "!" before, must not
	// have. Another text is meant by its path and "|" before the line.
	has []string
	// unreadable says why the original cannot read the store, where it cannot.
	unreadable string
}

// plain is the event that cases change.
const plain = `UID:e
ORGANIZER:@paul
DTSTART:20261202T090000Z
DTEND:20261202T100000Z
SUMMARY:Meeting`

const plainOutcome = `freebusy 20261202T090000Z/20261202T100000Z e ORG - Meeting
objects/e`

// TestCases handles each case in a store of its own. Whatever comes in, the exit
// status is 0, and the original can read what is stored.
func TestCases(t *testing.T) {
	cases := slices.Concat(textCases, timeCases, ruleCases, nameCases, structureCases, mimeCases, storeCases, systemCases)
	rooms := make(map[string]*room)
	excuses := make(map[string]string)
	base := tempDir(t) // which outlives the cases
	for i, c := range cases {
		if rooms[c.name] != nil {
			t.Fatalf("two cases are called %q", c.name)
		}
		rooms[c.name] = newRoom(t, filepath.Join(base, strconv.Itoa(i)), under(paul, c.prefs), under("store/"+paul, c.store))
		excuses[c.name] = c.unreadable
	}
	t.Run("case", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				run(t, c, rooms[c.name])
			})
		}
	})
	t.Logf("%d cases", len(cases))
	unread := make(map[string]bool)
	if readByOriginal(t, rooms, func(name, problem string) bool {
		unread[name] = true
		return excuses[name] != ""
	}) {
		for name, excuse := range excuses {
			if excuse != "" && !unread[name] {
				t.Errorf("%s: the original reads this, though %s", name, excuse)
			}
		}
	}
}

// run handles a case in its room.
func run(t *testing.T, c hardCase, r *room) {
	for i, message := range strings.Split(c.in, "\n====\n") {
		if err := r.handle(asMail(message)); err != nil {
			t.Errorf("message %d: status 75: %v", i+1, err)
		}
	}
	want := strings.Split(strings.ReplaceAll(c.want, "plain", plainOutcome), "\n")
	if c.want == "" {
		want = nil
	}
	got := r.outcome(t)
	for i := range min(len(got), len(want)) {
		if reason, ok := strings.CutPrefix(want[i], "rejected: "); ok && strings.HasPrefix(got[i], "rejected: ") && strings.Contains(got[i], reason) {
			got[i] = want[i]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got)\n%s\nlog:\n%s", c.why, diff, clip(r.log.String()))
	}
	for _, wanted := range c.has {
		path, line, ok := strings.Cut(wanted, "|")
		if !ok {
			path, line = "objects/e", wanted
		}
		line, not := strings.CutPrefix(line, "!")
		if lines := r.stored(t, path); slices.Contains(lines, line) == not {
			t.Errorf("%s\n%q found: %v, in\n%s", c.why, line, not, clip(strings.Join(lines, "\n")))
		}
	}
	if wrong, err := r.WrongModes(); err != nil || len(wrong) > 0 {
		t.Errorf("modes: %v %s", err, strings.Join(wrong, "\n"))
	}
}

// clip shortens what is shown of a text.
func clip(text string) string {
	const most = 4000
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}

func under(dir string, tree compat.Tree) compat.Tree {
	out := compat.Tree{}
	for path, content := range tree {
		out[dir+"/"+path] = content
	}
	return out
}

// asMail makes a mail of a message of a case.
func asMail(message string) []byte {
	switch {
	case strings.HasPrefix(message, "From"):
		return []byte(message)
	case strings.HasPrefix(message, "\ufeff"), strings.HasPrefix(strings.ToUpper(message), "BEGIN:VCALENDAR"), strings.HasPrefix(message, "BEGIN:VEVENT"):
		return compat.Mail("paul", "REQUEST", message)
	}
	method, from := "REQUEST", "paul"
	if rest, ok := strings.CutPrefix(message, "METHOD:"); ok {
		method, message, _ = strings.Cut(rest, "\n")
	}
	if rest, ok := strings.CutPrefix(message, "FROM:"); ok {
		from, message, _ = strings.Cut(rest, "\n")
	}
	return compat.Mail(from, method, compat.Calendar(method, now, compose(message)))
}

// compose is compat.Compose, which is slow, for an event of which the lines are
// few, or many of one name.
func compose(lines string) compat.Event {
	if strings.Count(lines, "\n") < 1000 {
		return compat.Compose(plain, lines)
	}
	return append(compat.Compose(plain), strings.Split(lines, "\n")...)
}

// calendar is a calendar with one event, in which lines of an event stand as they
// are, whatever is wrong with them.
func vcalendar(lines ...string) string {
	return "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\n" + vevent(lines...) + "END:VCALENDAR\n"
}

// vevent is an event with these lines.
func vevent(lines ...string) string {
	return "BEGIN:VEVENT\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\n"
}

// The lines of the plain event, and without the SUMMARY.
var (
	plainLines = strings.ReplaceAll(plain, "@paul", paul)
	bare       = strings.TrimSuffix(plainLines, "\nSUMMARY:Meeting")
)

// mime is a mail from Paul with the given header fields, after a blank line the body.
func mime(rest string) string {
	return "From: Paul Boddie <paul.boddie@example.com>\nTo: vincent.vole@example.com\nMIME-Version: 1.0\n" + rest
}

// crlf turns line ends into CRLF.
func crlf(text string) string {
	return string(bytes.ReplaceAll([]byte(text), []byte("\n"), []byte("\r\n")))
}
