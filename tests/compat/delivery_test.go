package compat_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/mailbox"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// toOtherPort runs a program of the original, which sends to port 25, with another one.
const toOtherPort = `import os, socket, sys
connect = socket.create_connection
def redirected(address, *args, **more):
    if address[1] == 25:
        address = ("127.0.0.1", int(os.environ["TEST_SMTP_PORT"]))
    return connect(address, *args, **more)
socket.create_connection = redirected
sys.argv[0:2] = sys.argv[1:2]
execfile(sys.argv[0])
`

// house is a place between a mailbox server and a mail server.
type house struct {
	room          compat.Room
	box, everyone *mailbox.Server
}

func newHouse(t *testing.T, preferences ...string) *house {
	t.Helper()
	h := &house{room: compat.Room(t.TempDir())}
	c := &compat.Conversation{Preferences: compat.Tree{}}
	for _, preference := range preferences {
		name, value, _ := strings.Cut(preference, "=")
		c.Preferences["mailto:vincent.vole@example.com/"+name] = value
	}
	if err := h.room.Furnish(c); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.box, err = mailbox.LMTP(filepath.Join(t.TempDir(), "lmtp")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.box.Close)
	if h.everyone, err = mailbox.SMTP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.everyone.Close)
	if err := program.Settings(h.room, "SMTP_HOST = '"+h.everyone.Place+"'\n"); err != nil {
		t.Fatal(err)
	}
	return h
}

// handle gives a message to a program, and returns the status and where mails have gone, in order.
func (h *house) handle(t *testing.T, path string, message []byte, words ...string) (status int, went []string) {
	t.Helper()
	words = slices.Clone(words)
	for i, word := range words {
		if word == "SOCKET" {
			words[i] = h.box.Place
		}
	}
	cmd, stderr := program.Command(path, compat.Minutes(0), h.room, message, words...)
	if dir, ok := compat.FindPeer(); ok && strings.HasPrefix(path, dir) {
		cmd.Dir = filepath.Join(dir, "etc")
		_, port, _ := strings.Cut(h.everyone.Place, ":")
		cmd.Env = append(cmd.Env, "TEST_SMTP_PORT="+port)
		cmd.Path = filepath.Join(dir, "bin/python")
		cmd.Args = append([]string{cmd.Path, "-c", toOtherPort, path}, cmd.Args[1:]...)
	}
	status = program.Status(cmd, cmd.Run())
	t.Logf("%s %s: status %d\n%s", filepath.Base(path), strings.Join(words, " "), status, stderr)
	for _, m := range h.box.Taken() {
		went = append(went, "mailbox "+m.To)
	}
	for _, m := range h.everyone.Taken() {
		went = append(went, "server "+m.To)
	}
	slices.Sort(went)
	return status, went
}

// TestDeliveryOptions compares where ours and the original hand mails over to.
func TestDeliveryOptions(t *testing.T) {
	const user = "vincent.vole@example.com"
	invitation := func(attendee string) []byte {
		event := compat.Compose("UID:meeting", "ORGANIZER:@paul", "ATTENDEE:mailto:"+attendee, "DTSTART:20261202T090000Z", "DTEND:20261202T100000Z")
		return compat.Mail("paul", "REQUEST", compat.Calendar("REQUEST", clock.Day, event))
	}
	// It is answered with REFRESH.
	addition := compat.Mail("paul", "ADD", compat.Calendar("ADD", clock.Day,
		compat.Compose("UID:meeting", "SEQUENCE:1", "ORGANIZER:@paul", "ATTENDEE:@vincent", "DTSTART:20261202T090000Z", "DTEND:20261202T100000Z")))
	ours, original := programs(t)
	for _, test := range []struct {
		name    string
		message []byte
		words   []string
		status  int
		ours    []string
		// Of the original.
		itsStatus int
		its       []string
	}{
		{"to a mailbox", invitation(user), []string{"-o", user, "-l", "SOCKET"}, 0, []string{"mailbox " + user}, 0, []string{"mailbox " + user}},
		{"to a mail server", invitation(user), []string{"-o", user, "-L"}, 0, []string{"server local+" + user}, 0, []string{"server local+" + user}},
		{"an extension", invitation("vincent.vole+x@example.com"), []string{"-o", "vincent.vole+x@example.com", "-L"},
			0, []string{"server local+vincent.vole+x@example.com"}, 0, []string{"server local+x@example.com"}},
		{"both, answered", addition, []string{"-o", user, "-l", "SOCKET", "-L"},
			0, []string{"server paul.boddie@example.com"}, 0, []string{"mailbox local+paul.boddie@example.com"}},
		{"answered", addition, []string{"-o", user, "-L"},
			0, []string{"server paul.boddie@example.com"}, 0, []string{"server local+paul.boddie@example.com"}},
		{"neither", invitation(user), []string{"-o", user}, 75, nil, 0, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t)
			if status, went := h.handle(t, ours, test.message, test.words...); status != test.status || !slices.Equal(went, test.ours) {
				t.Errorf("ours: status %d, mails to %q, want %d, %q", status, went, test.status, test.ours)
			}
			if tree, err := h.room.Tree(); err != nil || len(tree) > 0 != (test.status == 0 && len(test.message) != len(addition)) {
				t.Errorf("stored %v, %v", tree.Paths(), err)
			}
			if original == "" {
				skip.Because(t, "the original is not installed")
			}
			h = newHouse(t)
			status, went := h.handle(t, original, test.message, test.words...)
			if status != test.itsStatus || !slices.Equal(went, test.its) {
				t.Errorf("the original: status %d, mails to %q, want %d, %q", status, went, test.itsStatus, test.its)
			}
		})
	}
}

// programs returns our program for messages that arrive, and the original's, empty if that is not installed.
func programs(t *testing.T) (ours, original string) {
	t.Helper()
	ours, err := program.Build(t.TempDir(), compat.Incoming)
	if err != nil {
		t.Fatal(err)
	}
	if dir, ok := compat.FindPeer(); ok {
		original = filepath.Join(dir, "root/usr/bin", compat.Incoming)
	}
	return ours, original
}

// TestAnswersAsCalendars compares the calendars that ours and the original send to others.
func TestAnswersAsCalendars(t *testing.T) {
	ours, original := programs(t)
	const question = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.com//test//EN\nMETHOD:REQUEST\nBEGIN:VFREEBUSY\nUID:busy\nDTSTAMP:20261122T110000Z\n" +
		"ORGANIZER:mailto:paul.boddie@example.com\nATTENDEE:mailto:vincent.vole@example.com\nDTSTART:20261201T000000Z\nDTEND:20261210T000000Z\nEND:VFREEBUSY\nEND:VCALENDAR\n"
	series := compat.Compose("UID:series", "ORGANIZER:@vincent", "ATTENDEE;PARTSTAT=ACCEPTED:@vincent", "ATTENDEE;PARTSTAT=ACCEPTED:@paul",
		"DTSTART;TZID=Europe/Oslo:20261202T090000", "DTEND;TZID=Europe/Oslo:20261202T100000")
	refresh := compat.Compose("UID:series", "ORGANIZER:@vincent", "ATTENDEE;PARTSTAT=ACCEPTED:@paul", "DTSTART;TZID=Europe/Oslo:20261202T090000", "DTEND;TZID=Europe/Oslo:20261202T100000")
	for name, test := range map[string]struct {
		messages [][]byte // the last is answered
		in       []string // what ours has, and the original has not
	}{
		"free/busy": {[][]byte{compat.Mail("paul", "REQUEST", question)}, []string{"\nDTSTAMP:", "\nPRODID:"}},
		"an event": {[][]byte{
			compat.Mail("vincent", "PUBLISH", compat.Calendar("PUBLISH", clock.Day, series)),
			compat.Mail("paul", "REFRESH", compat.Calendar("REFRESH", clock.Day, refresh)),
		}, []string{"\nPRODID:", "\nBEGIN:VTIMEZONE", "\nTZID:Europe/Oslo"}},
	} {
		t.Run(name, func(t *testing.T) {
			sent := func(path string) string {
				h := newHouse(t, "freebusy_sharing=share", "event_refreshing=always")
				for _, message := range test.messages {
					h.everyone.Forget()
					h.handle(t, path, message, "-o", "vincent.vole@example.com", "-L")
				}
				for _, m := range h.everyone.Taken() {
					if strings.Contains(m.To, "paul.boddie@example.com") {
						return strings.ReplaceAll(m.Text, "\r\n", "\n")
					}
				}
				t.Fatalf("nothing is sent: %q", h.everyone.Taken())
				return ""
			}
			text := sent(ours)
			for _, want := range test.in {
				if !strings.Contains(text, want) {
					t.Errorf("ours lacks %q:\n%s", want, text)
				}
			}
			if original == "" {
				skip.Because(t, "the original is not installed")
			}
			text = sent(original)
			for _, odd := range test.in {
				if strings.Contains(text, odd) {
					t.Errorf("the original has %q:\n%s", odd, text)
				}
			}
		})
	}
}
