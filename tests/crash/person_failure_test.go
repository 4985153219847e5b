package crash

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// badDay is what can be wrong when a message arrives.
type badDay struct {
	name string
	// prepare makes it so. It returns what mends it, or nil if the message is not to wait for that.
	prepare func(t *testing.T, a *arrival, room compat.Room) (mend func())
	// delivered is whether the mailbox has the mail before that is mended: only the answer waits.
	delivered bool
	// ofAnswer is whether only a message that is answered, and changes the user's free/busy, waits for it.
	ofAnswer bool
	// noAnswer is whether the answer is given up, or there is none.
	noAnswer bool
}

// withWords has the program run with other words in its command line.
func (a *arrival) withWords(words ...string) func() {
	old := a.words
	a.words = append(slices.Clone(words), "-o", pauls)
	return func() { a.words = old }
}

// replacing puts a text in the place of something of Paul's, for good.
func replacing(name, text string) func(*testing.T, *arrival, compat.Room) func() {
	return func(t *testing.T, _ *arrival, room compat.Room) func() {
		path := filepath.Join(user(room), name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o770))
		must(t, os.WriteFile(path, []byte(text), 0o660))
		return nil
	}
}

func preferring(name, value string) func(*testing.T, *arrival, compat.Room) func() {
	return func(t *testing.T, _ *arrival, room compat.Room) func() {
		must(t, os.WriteFile(filepath.Join(room.Preferences(), paul, name), []byte(value), 0o660))
		return nil
	}
}

var badDays = []badDay{
	{name: "nothing is wrong", prepare: func(*testing.T, *arrival, compat.Room) func() { return nil }},

	// The message waits.
	{name: "mailbox full", prepare: func(_ *testing.T, a *arrival, _ compat.Room) func() {
		a.box.Refuse(pauls, 452)
		return func() { a.box.Refuse(pauls, 0) }
	}},
	{name: "mailbox refuses for good", prepare: func(_ *testing.T, a *arrival, _ compat.Room) func() {
		a.box.Refuse(pauls, 550)
		return func() { a.box.Refuse(pauls, 0) }
	}},
	{name: "socket gone", prepare: func(t *testing.T, a *arrival, _ compat.Room) func() {
		return a.withWords("-l", filepath.Join(tempDir(t), "lmtp"))
	}},
	{name: "mail server for answers gone", delivered: true, prepare: func(t *testing.T, a *arrival, room compat.Room) func() {
		must(t, program.Settings(room, "SMTP_HOST = '127.0.0.1:1'\n"))
		return func() { must(t, program.Settings(room, "SMTP_HOST = '"+a.others.Place+"'\n")) }
	}},
	{name: "mail server for answers is busy", delivered: true, prepare: func(_ *testing.T, a *arrival, _ compat.Room) func() {
		a.others.Refuse("*", 451)
		return func() { a.others.Refuse("*", 0) }
	}},
	{name: "lock held", prepare: func(t *testing.T, a *arrival, room compat.Room) func() {
		must(t, program.Settings(room, "LOCK_TIMEOUT = 1\nSMTP_HOST = '"+a.others.Place+"'\n"))
		dir, err := os.Open(user(room))
		must(t, err)
		must(t, unix.Flock(int(dir.Fd()), unix.LOCK_EX))
		return func() { must(t, dir.Close()) }
	}},
	{name: "disk full", prepare: func(t *testing.T, _ *arrival, room compat.Room) func() {
		ballast := filepath.Join(room.Store(), "..", "ballast")
		mounted("size=160k", func(compat.Room) error { return fillUp(ballast) })(t, room)
		return func() { must(t, os.Remove(ballast)) }
	}},
	{name: "free/busy is a directory", ofAnswer: true, prepare: func(t *testing.T, _ *arrival, room compat.Room) func() {
		path := filepath.Join(user(room), "freebusy")
		text, err := os.ReadFile(path)
		must(t, err)
		must(t, os.Remove(path))
		must(t, os.Mkdir(path, 0o770))
		return func() {
			must(t, os.Remove(path))
			must(t, os.WriteFile(path, text, 0o660))
		}
	}},

	// The message does not wait.
	{name: "answer refused for good", noAnswer: true, prepare: func(t *testing.T, a *arrival, _ compat.Room) func() {
		a.others.Refuse("*", 550)
		t.Cleanup(func() { a.others.Refuse("*", 0) })
		return nil
	}},
	{name: "lock of a dead process", prepare: func(t *testing.T, a *arrival, room compat.Room) func() {
		lockedBy(t, room, 1<<22+1, clock.Kernel().Add(-2*time.Minute))
		must(t, program.Settings(room, "SMTP_HOST = '"+a.others.Place+"'\n"))
		return nil
	}},
	{name: "a preference that cannot be read", prepare: func(t *testing.T, _ *arrival, room compat.Room) func() {
		path := filepath.Join(room.Preferences(), paul, "incoming")
		must(t, os.Mkdir(path, 0o770))
		return nil
	}},
	{name: "a preference of no known value", prepare: preferring("incoming", "perhaps\n")},
	{name: "a zone that is none", prepare: preferring("TZID", "Mars/Olympus\n")},
	{name: "a preference of octets", prepare: preferring("event_refreshing", "\xff\x00\xfe")},
	{name: "language of a country", prepare: preferring("LANG", "da_DK")},
	{name: "object is damaged", noAnswer: true, prepare: replacing("objects/e", "hello\x00")},
	{name: "object is empty", noAnswer: true, prepare: replacing("objects/e", "")},
	{name: "another object is damaged", prepare: replacing("recurrences/e/20200101T000000Z", "BEGIN:VEVENT\nnothing")},
	{name: "free/busy is damaged", prepare: replacing("freebusy", "soon\tlater\n\xff\n\t\t\t\t\t\t\t\t\n")},
	{name: "queue is damaged", prepare: replacing("requests", "\x00\xff\te\te\te\te\n")},
	{name: "offers are damaged", prepare: replacing("freebusy-offers", "\t\n20200101T000000Z\n")},
	{name: "others' free/busy is damaged", prepare: replacing("freebusy-other/mailto:"+harveys, "20200101T000000Z\tnever\n")},
	{name: "list of what has no end is damaged", prepare: replacing("freebusy-providers", "when\nwhat\twho\twhy\n")},
}

// TestBadDays takes away what is needed when a message arrives. Whatever is wrong with data, the mail is delivered. For the
// store, the lock, the disk, the mailbox and the mail server, the message waits with the status 75. When they are there again
// and it is handed in again, the mailbox and others have each mail once.
func TestBadDays(t *testing.T) {
	skip.OnOtherDays(t)
	for _, a := range arrivals(t) {
		for _, day := range badDays {
			t.Run(a.name+"/"+strings.ReplaceAll(day.name, "/", "-"), func(t *testing.T) {
				room := a.furnish(t)
				mend := day.prepare(t, a, room)
				waits := mend != nil
				if a.unchanged && !strings.Contains(day.name, "mailbox") && day.name != "socket gone" {
					waits = false // it needs nothing but the mailbox
				}
				if (day.delivered || day.ofAnswer) && !a.answered {
					waits = false
				}
				cmd, stderr := program.Command(personPath, today, room, a.message, a.words...)
				status := program.Status(cmd, cmd.Run())
				if want := map[bool]int{true: 75, false: 0}[waits]; status != want {
					t.Errorf("status %d, want %d: %s", status, want, stderr)
				}
				if waits {
					if line := stderr.String(); !strings.HasPrefix(line, "4.3.0 ") || strings.Count(line, "\n") != 1 {
						t.Errorf("not one line with a code: %q", line)
					}
					if n := len(a.box.Taken()); (n == 1) != day.delivered {
						t.Errorf("the mailbox has %d mails", n)
					}
				}
				if mend != nil {
					mend()
				}
				a.handle(t, room)
				a.handle(t, room)
				box, others := a.box.Taken(), a.others.Taken()
				answers := 0
				if a.answered && !day.noAnswer {
					answers = 1
				}
				if len(box) != 1 || len(others) != answers {
					t.Errorf("the mailbox has %d mails, others %d, want 1 and %d\n%s", len(box), len(others), answers, stderr)
				}
			})
		}
	}
}
