package crash

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"imip-agent/stores/calendar"
	filestore "imip-agent/stores/file"
	"imip-agent/tests/compat"
	"imip-agent/tests/mailbox"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

const (
	roomsQuota = "mailto:rooms@example.com"
	theRoom    = "room@example.com"
)

// decision is a message that a room decides on, after others.
type decision struct {
	name    string
	before  [][]byte
	message []byte
	owed    []string // who gets an answer, in order

	functions string // of the room
}

// bothQuotas are functions with two quotas, one of them with a table for each organizer.
const bothQuotas = "schedule_for_delegate " + roomsQuota + "\nschedule_across_quota mailto:organizers@example.com\nschedule_in_freebusy\n"

// meeting is the lines of an event of Vincent's in the room.
func meeting(lines ...string) compat.Event {
	return event(append([]string{"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:@room", "ORGANIZER:@vincent"}, lines...)...)
}

func decisions() []decision {
	first := from("vincent", "REQUEST", meeting())
	const vincents = "vincent.vole@example.com"
	moved := from("vincent", "REQUEST", meeting("SEQUENCE:1", "RRULE:FREQ=DAILY;COUNT=3", "DTSTART:"+on(0, 11), "DTEND:"+on(0, 12)))
	return []decision{
		{"accepted", nil, first, []string{vincents}, bothQuotas},
		{"moved", [][]byte{first}, moved, []string{vincents}, bothQuotas},
		{"moved, check_quota", [][]byte{first}, moved, []string{vincents}, "check_quota " + roomsQuota + "\n"},
		{"moved, schedule_across_quota", [][]byte{first}, moved, []string{vincents}, "schedule_across_quota " + roomsQuota + "\n"},
		{"moved, schedule_for_delegate", [][]byte{first}, moved, []string{vincents}, "schedule_for_delegate " + roomsQuota + "\n"},
		{"moved, all of one quota", [][]byte{first}, moved, []string{vincents}, "check_quota " + roomsQuota + "\nschedule_across_quota " + roomsQuota + "\nschedule_for_delegate " + roomsQuota + " most-available\n"},
		{"an occurrence", [][]byte{from("vincent", "REQUEST", meeting("RRULE:FREQ=DAILY;COUNT=3"))},
			from("vincent", "REQUEST", meeting("SEQUENCE:1", "RECURRENCE-ID:"+on(1, 9), "DTSTART:"+on(1, 9), "DTEND:"+on(1, 11))), []string{vincents}, bothQuotas},
		{"given up", [][]byte{first, from("vincent", "REQUEST", meeting("UID:f", "DTSTART:"+on(3, 9), "DTEND:"+on(3, 10)))},
			from("vincent", "REQUEST", meeting("SEQUENCE:1", "DTSTART:"+on(0, 9), "DTEND:"+on(0, 19))), []string{vincents}, bothQuotas},
		{"called off", [][]byte{first}, from("vincent", "CANCEL", meeting("SEQUENCE:1")), nil, bothQuotas},
		{"delegated", [][]byte{first}, from("vincent", "REQUEST", meeting("UID:f")), []string{"attic@example.com", vincents}, bothQuotas},
	}
}

// furnish makes a room for a decision, as it is before.
func (d *decision) furnish(t *testing.T, others *mailbox.Server) compat.Room {
	t.Helper()
	room := compat.Room(tempDir(t))
	must(t, room.Furnish(&compat.Conversation{
		Preferences: compat.Tree{"mailto:" + theRoom + "/scheduling_function": d.functions},
		Initial: compat.Tree{
			"journal/" + roomsQuota + "/limits":    "* PT5H\n",
			"journal/" + roomsQuota + "/delegates": "mailto:" + theRoom + "\nmailto:attic@example.com\n",
		},
	}))
	must(t, program.Settings(room, "SMTP_HOST = '"+others.Place+"'\n"))
	for _, message := range d.before {
		decide(t, room, message)
	}
	others.Forget()
	return room
}

// decide runs the program until the message is done.
func decide(t *testing.T, room compat.Room, message []byte) {
	t.Helper()
	cmd, stderr := program.Command(resourcePath, today, room, message, "-o", theRoom)
	if status := program.Status(cmd, cmd.Run()); status != 0 {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// noted returns how many answers are crossed off in the letter for the message.
func (d *decision) noted(t *testing.T, room compat.Room) int {
	t.Helper()
	store, err := filestore.Open(filestore.Options{Dir: room.Store()})
	must(t, err)
	defer store.Close()
	letters, err := store.Letters(t.Context(), calendar.URI("mailto:"+theRoom))
	must(t, err)
	if len(letters) <= len(d.before) {
		return 0
	}
	left := 0
	for _, l := range letters {
		left += l.Left
	}
	return len(d.owed) - left
}

// wantAnswers checks that each answer was taken once, and those that could not be noted twice, and then the very same.
func (d *decision) wantAnswers(t *testing.T, taken []mailbox.Mail, unnoted int) {
	t.Helper()
	var to []string
	for i, m := range taken {
		if first := slices.IndexFunc(taken, func(other mailbox.Mail) bool { return other.To == m.To }); first < i {
			if taken[first] != m {
				t.Errorf("sent again, a mail differs: %q", taken)
			}
			continue
		}
		to = append(to, m.To)
	}
	slices.Sort(to)
	if !slices.Equal(to, d.owed) || len(taken) != len(d.owed)+unnoted {
		t.Errorf("%d mails to %q, want %q, and %d could not be noted", len(taken), to, d.owed, unnoted)
	}
}

// TestDecisionKilledBetweenChanges kills the program before each of its system calls that changes or sends something,
// also between the commit of the journal and that of the room's records. The message is handed in again each time: store and
// journal must be as if nothing had happened, and each answer is sent once.
func TestDecisionKilledBetweenChanges(t *testing.T) {
	skip.OnOtherDays(t)
	others, err := mailbox.SMTP()
	must(t, err)
	t.Cleanup(others.Close)
	for n, d := range decisions() {
		t.Run(d.name, func(t *testing.T) {
			room := d.furnish(t, others)
			decide(t, room, d.message)
			d.wantAnswers(t, others.Taken(), 0)
			after := state(t, room)
			step, first := 1, 1
			if !full {
				step, first = 9, 1+n
			}
			calls := first
			for ; ; calls += step {
				room := d.furnish(t, others)
				cmd, _ := program.Command(resourcePath, today, room, d.message, "-o", theRoom)
				killed, err := killAt(cmd, calls)
				if errors.Is(err, unix.EPERM) {
					skip.Because(t, "ptrace(2) is not allowed here")
				}
				must(t, err)
				others.Settle()
				honoured(t, room)
				unnoted := len(others.Taken()) - d.noted(t, room)
				decide(t, room, d.message)
				decide(t, room, d.message)
				if diff := compat.Differences(after, state(t, room)); diff != "" {
					t.Errorf("the second time: %s", diff)
				}
				d.wantAnswers(t, others.Taken(), unnoted)
				if t.Failed() {
					t.Fatalf("killed before change %d", calls)
				}
				if !killed {
					break
				}
			}
			t.Logf("%d changes", calls)
			if calls < 20 {
				t.Errorf("only %d system calls change something: has the trace missed them?", calls)
			}
		})
	}
}
