package crash

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"imip-agent/handlers/mail"
	"imip-agent/stores/calendar"
	filestore "imip-agent/stores/file"
	"imip-agent/tests/compat"
	"imip-agent/tests/mailbox"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// arrival is a message that arrives for Paul, between his mailbox and the mail server for answers.
type arrival struct {
	scenario
	box, others *mailbox.Server
	words       []string // of the command line
	answered    bool     // there is an answer
	unchanged   bool     // no record is changed: there is no letter, but a note that the mail is delivered
}

const (
	pauls   = "paul.boddie@example.com"
	harveys = "harvey.horse@example.com"
)

// arrivals returns what arrives: with and without an answer, and with nothing to be changed.
func arrivals(t *testing.T) []*arrival {
	t.Helper()
	series := event("RRULE:FREQ=DAILY;COUNT=5", "ATTENDEE;PARTSTAT=ACCEPTED:@paul", "ATTENDEE;PARTSTAT=ACCEPTED:@vincent", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+harveys)
	before := compat.Tree{"objects/e": stored(series), "freebusy": records(20), "requests": "other\t\t\n"}
	reply := event("ATTENDEE;PARTSTAT=ACCEPTED:@vincent", "RECURRENCE-ID:"+on(2, 9), "DTSTART:"+on(2, 9), "DTEND:"+on(2, 10))
	all := []*arrival{
		{scenario: scenario{"an answer to an occurrence", before, from("vincent", "REPLY", reply)}, answered: true},
		{scenario: scenario{"an invitation", before, from("vincent", "REQUEST", event("UID:f", "ORGANIZER:@vincent"))}},
		{scenario: scenario{"no calendar", before, []byte("From: vincent.vole@example.com\r\n\r\nhello\r\n")}, unchanged: true},
	}
	for _, a := range all {
		var err error
		a.box, err = mailbox.LMTP(filepath.Join(tempDir(t), "lmtp"))
		must(t, err)
		t.Cleanup(a.box.Close)
		a.others, err = mailbox.SMTP()
		must(t, err)
		t.Cleanup(a.others.Close)
		a.words = []string{"-l", a.box.Place, "-o", pauls}
	}
	return all
}

func from(user, method string, events ...compat.Event) []byte {
	return compat.Mail(user, method, compat.Calendar(method, soon, events...))
}

// furnish makes a room for the arrival, as it is before.
func (a *arrival) furnish(t *testing.T) compat.Room {
	t.Helper()
	room := furnish(t, a.scenario)
	must(t, program.Settings(room, "SMTP_HOST = '"+a.others.Place+"'\n"))
	a.box.Forget()
	a.others.Forget()
	return room
}

// handle runs the program until the message is done, as a mail system does.
func (a *arrival) handle(t *testing.T, room compat.Room) {
	t.Helper()
	cmd, stderr := program.Command(personPath, today, room, a.message, a.words...)
	if status := program.Status(cmd, cmd.Run()); status != 0 {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// unnoted returns how many mails the servers have taken that are not crossed off: the program was
// killed after the server's answer, and before it could note it. Nothing can be done about such a mail (RFC
// 5321 section 4.5.3.2.6); it is sent again.
func (a *arrival) unnoted(t *testing.T, room compat.Room) int {
	t.Helper()
	store, err := filestore.Open(filestore.Options{Dir: room.Store()})
	must(t, err)
	defer store.Close()
	letters, err := store.Letters(t.Context(), calendar.URI(paul))
	must(t, err)
	taken := len(a.box.Taken()) + len(a.others.Taken())
	if len(letters) == 0 {
		if a.unchanged {
			return taken
		}
		if taken > 0 {
			t.Errorf("%d mails are taken before there is a letter", taken)
		}
		return 0
	}
	owed := 1
	if a.answered {
		owed++
	}
	return taken - (owed - letters[0].Left)
}

// mended hands in the message again after the program was killed, and checks that all is then as if
// nothing had happened. It returns how many mails had been taken without being noted.
func (a *arrival) mended(t *testing.T, room compat.Room, after compat.Tree) int {
	t.Helper()
	honoured(t, room)
	unnoted := a.unnoted(t, room)
	a.handle(t, room)
	a.handle(t, room)
	if diff := compat.Differences(after, state(t, room)); diff != "" {
		t.Errorf("the second time: %s", diff)
	}
	a.wantOnce(t, unnoted)
	return unnoted
}

// wantOnce checks that each mail was taken once, or once more, and then the very same, for those that were not noted.
func (a *arrival) wantOnce(t *testing.T, unnoted int) {
	t.Helper()
	box, others := a.box.Taken(), a.others.Taken()
	want := 0
	if a.answered {
		want = 1
	}
	if len(box) < 1 || len(others) < want || len(box)+len(others) != 1+want+unnoted {
		t.Errorf("the mailbox has %d mails, others have %d, of which %d could not be noted", len(box), len(others), unnoted)
		return
	}
	for _, all := range [][]mailbox.Mail{box, others} {
		if slices.ContainsFunc(all, func(m mailbox.Mail) bool { return m != all[0] }) {
			t.Errorf("sent again, a mail differs: %q", all)
		}
	}
	if summary := strings.Contains(box[0].Text, mail.InfoField+": info"); box[0].To != pauls || summary == (a.name == "no calendar") {
		t.Errorf("the mailbox has %q", box)
	}
	if want > 0 && (others[0].To != harveys || !strings.Contains(others[0].Text, "method=REQUEST")) {
		t.Errorf("others have %q", others)
	}
}

// undisturbed returns the tree that the arrival ends with if nothing happens.
func (a *arrival) undisturbed(t *testing.T) compat.Tree {
	t.Helper()
	room := a.furnish(t)
	a.handle(t, room)
	a.wantOnce(t, 0)
	return state(t, room)
}

// TestDeliveryKilledAtRandom kills the program at random moments while it delivers a message.
func TestDeliveryKilledAtRandom(t *testing.T) {
	skip.OnOtherDays(t)
	t.Parallel()
	kills := 30
	if full {
		kills = 1000
	}
	const seed = 1
	moments := program.NewMoments(seed, 10*time.Millisecond)
	all := arrivals(t)
	runs, unnoted := 0, 0
	for _, a := range all {
		after := a.undisturbed(t)
		for killed := 0; killed < kills/len(all); runs++ {
			room := a.furnish(t)
			cmd, _ := program.Command(personPath, today, room, a.message, a.words...)
			stopped, err := moments.Stop(cmd, syscall.SIGKILL, 0)
			must(t, err)
			if stopped {
				killed++
			}
			a.settle()
			unnoted += a.mended(t, room, after)
			if t.Failed() {
				t.Fatal(a.name)
			}
		}
	}
	t.Logf("%d runs, %d mails taken that could not be noted", runs, unnoted)
}

// settle waits until the servers have read what a program that is dead has sent them.
func (a *arrival) settle() {
	a.box.Settle()
	a.others.Settle()
}
