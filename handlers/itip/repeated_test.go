package itip

import (
	"errors"
	"flag"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"imip-agent/stores"
	"imip-agent/stores/preferences"
)

// Whatever comes, in whatever order: what comes once more leaves the same, what is refused changes
// nothing, what comes from a stranger neither, and an invitation makes nobody busy.
func TestRepeated(t *testing.T) {
	revisions := []string{older, version, newer, latest, "SEQUENCE:1\nDTSTAMP:20261122T120000Z\n", ""}
	times := []string{at9, at9 + weekly, on9, moved, third, strings.Replace(on9, "RECURRENCE-ID", "RECURRENCE-ID;RANGE=THISANDFUTURE", 1), "DTSTART;VALUE=DATE:20261203\n"}
	statuses := []string{"", ";PARTSTAT=ACCEPTED", ";PARTSTAT=DECLINED", ";PARTSTAT=NEEDS-ACTION", ";PARTSTAT=DELEGATED;DELEGATED-TO=\"" + bob + "\"", ";PARTSTAT=ACCEPTED;DELEGATED-FROM=\"" + eve + "\""}
	users := []string{ann, bob, eve, dan}
	methods := []string{"REQUEST", "PUBLISH", "CANCEL", "ADD", "DECLINECOUNTER", "REPLY", "COUNTER", "REFRESH", "REQUEST VFREEBUSY", "REPLY VFREEBUSY", "PUBLISH VFREEBUSY"}
	draw := func(rt *rapid.T) message {
		pick := func(label string, from []string) string { return rapid.SampledFrom(from).Draw(rt, label) }
		m := message{side: Received, method: pick("method", methods), from: pick("from", append(slices.Clone(users), stranger, stranger, system))}
		organizer := pick("organizer", users)
		if rapid.Bool().Draw(rt, "sent") {
			m.side, m.from = Sent, bob
			m.method, _, _ = strings.Cut(m.method, " ")
		}
		m.lines = "ORGANIZER:" + organizer + "\n"
		if m.from == system {
			m.lines = "ORGANIZER;SENT-BY=\"" + system + "\":" + organizer + "\n"
		}
		attendees := users
		if m.side == Received && m.from == stranger {
			attendees = append(slices.Clone(users), stranger) // nobody else invites them
		}
		for _, user := range attendees {
			if rapid.IntRange(0, 3).Draw(rt, "attends") > 0 {
				m.lines += "ATTENDEE" + pick("status", statuses) + ":" + user + "\n"
			}
		}
		if strings.HasSuffix(m.method, "VFREEBUSY") {
			m.lines += "DTSTART:20261202T000000Z\nFREEBUSY:20261209T080000Z/PT1H30M\n"
		} else {
			m.lines += pick("revision", revisions) + pick("times", times)
		}
		if rapid.IntRange(0, 9).Draw(rt, "cancelled") == 0 {
			m.lines += "STATUS:CANCELLED\n"
		}
		return m
	}
	moreChecks(t, 2000)
	r := newRoom(t)
	undo := errors.New("undo")
	rapid.Check(t, func(rt *rapid.T) {
		r.wants.Refreshing, r.wants.Offers = rapid.Bool().Draw(rt, "refreshing"), 1e12
		r.wants.AddResponse = rapid.SampledFrom([]preferences.AddResponse{preferences.AskForAll, preferences.TakeOver, preferences.PassOver}).Draw(rt, "add")
		r.wants.Replacement = rapid.SampledFrom([]preferences.Replacement{preferences.AttendeeReplaces, preferences.AnybodyReplaces}).Draw(rt, "replacement")
		messages := rapid.SliceOfN(rapid.Custom(draw), 1, 12).Draw(rt, "messages")
		err := r.update(func(records *Records) error {
			before, err := stateOf(records)
			for _, m := range messages {
				if err != nil {
					return err
				}
				c := m.change(t)
				once, o, err := applied(records, c, m.side)
				if err != nil {
					return err
				}
				twice, _, err := applied(records, c, m.side)
				if err != nil {
					return err
				}
				changes := difference(before, once)
				switch {
				case m.side == Received && len(difference(once, twice)) > 0:
					rt.Fatalf("%s from %s\n%s%s\nonce more:\n%s", m.method, m.from, m.lines, o, strings.Join(difference(once, twice), "\n"))
				case o.Refused != Applied && len(changes)+len(o.Effects)+len(o.Answers) > 0:
					rt.Fatalf("%s from %s\n%srefused: %s\n%s", m.method, m.from, m.lines, o, strings.Join(changes, "\n"))
				case m.side == Received && m.from == stranger && len(changes) > 0 && !mayInvite(c, before):
					rt.Fatalf("%s from a stranger\n%s%s\n%s", m.method, m.lines, o, strings.Join(changes, "\n"))
				case m.from == stranger && slices.ContainsFunc(o.Answers, func(a Answer) bool { return a.To == stranger }):
					rt.Fatalf("%s from a stranger\n%s%s\n%v", m.method, m.lines, o, answers(o))
				case m.side == Received && m.method == "REQUEST" && !strings.Contains(m.lines, "CANCELLED") && slices.ContainsFunc(changes, func(line string) bool { return line[2:6] == "busy" }):
					rt.Fatalf("%s from %s\n%s%s\n%s", m.method, m.from, m.lines, o, strings.Join(changes, "\n"))
				}
				before = twice
			}
			return undo
		})
		if !errors.Is(err, undo) {
			rt.Fatal(err)
		}
	})
}

// mayInvite reports whether a stranger may say it: when they have time, or that they delegate to bob
// what bob does not know of.
func mayInvite(c Change, state []string) bool {
	if c.Object == nil {
		return true // anybody tells when they have time
	}
	return !slices.ContainsFunc(state, func(line string) bool {
		return strings.HasPrefix(line, "active "+c.ID.UID) || strings.HasPrefix(line, "cancelled "+c.ID.UID)
	})
}

// applied applies a change and returns what is stored then.
func applied(records *Records, c Change, side Side) ([]string, Outcome, error) {
	fresh := *records
	fresh.others, fresh.futures = nil, nil
	o, err := fresh.Apply(c, side)
	var unstorable *stores.UnstorableError
	if errors.As(err, &unstorable) {
		err = nil
	}
	if err != nil {
		return nil, o, err
	}
	if err := fresh.Finish(); err != nil {
		return nil, o, err
	}
	state, err := stateOf(&fresh)
	return state, o, err
}

// moreChecks has rapid check more often for the length of the test, unless the command line says how
// often.
func moreChecks(t *testing.T, n int) {
	t.Helper()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "rapid.checks" })
	if said {
		return
	}
	was := flag.Lookup("rapid.checks").Value.String()
	if err := flag.Set("rapid.checks", strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { flag.Set("rapid.checks", was) })
}
