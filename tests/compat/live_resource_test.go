package compat

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"imip-agent/tests/skip"
)

// TestLiveResources has the two programs decide on the same generated messages for a room, each with a store of its own,
// and compares after each message the stores, the journals and the answers. The messages are such as both understand
// in the same way.
func TestLiveResources(t *testing.T) {
	skip.OnOtherDays(t)
	peer := startPeer(t)
	checkRandom(t, "COMPAT_CONVERSATIONS", 8, func(t *rapid.T, rooms string) {
		c := drawRequests(t)
		own, original := Room(filepath.Join(rooms, "ours")), Room(filepath.Join(rooms, "original"))
		for _, room := range []Room{own, original} {
			if err := room.Furnish(c); err != nil {
				t.Fatal(err)
			}
		}
		o, err := newOurs(own)
		if err != nil {
			t.Fatal(err)
		}
		defer o.close()
		for i, s := range c.Steps {
			fail := func(format string, args ...any) {
				shown := *c
				shown.Steps = shown.Steps[:i+1]
				t.Logf("%s\nstep %d: %s\nlog:\n%s", shown.Format(), i+1, fmt.Sprintf(format, args...), o.log.String())
				t.Fatal("the two programs do not agree")
			}
			want, err := peer.Run(original, s)
			if err != nil || want.Status != 0 {
				fail("the original fails, so this is a deviation not to be generated: %v %s", err, want.Stderr)
			}
			o.log.Reset()
			if err := own.forgetPassedOn(); err != nil {
				t.Fatal(err)
			}
			if status, err := o.step(s); status != 0 {
				fail("ours fails: %v", err)
			}
			if got, want := handed(o.instead.String(), s), handed(want.Stdout, s); got != want {
				fail("ours answers\n%s\nthe original\n%s", got, want)
			}
			ourTree, err := own.Tree()
			if err != nil {
				t.Fatal(err)
			}
			tree, err := original.Tree()
			if err != nil {
				t.Fatal(err)
			}
			if diff := Differences(withoutVersions(tree), withoutVersions(ourTree)); diff != "" {
				fail("%s", diff)
			}
		}
	})
}

// forgetPassedOn removes what resources have passed on, which the original does not know: requests-on-their-way.
func (r Room) forgetPassedOn() error {
	files, err := filepath.Glob(filepath.Join(r.Journal(), "*", "freebusy-offers"))
	for _, name := range files {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// withoutVersions returns a tree in which the objects in journals do not say of which version of their events they are. The
// original keeps the first: journal-of-the-first-version.
func withoutVersions(tree Tree) Tree {
	tree = maps.Clone(tree)
	for path, text := range tree {
		if !strings.HasPrefix(path, "journal/") || isTable(path) {
			continue
		}
		var lines []string
		for line := range strings.Lines(text) {
			switch name, _, _ := strings.Cut(line, ":"); strings.TrimSuffix(name, ";TZID=UTC") {
			case "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "RRULE":
			default:
				lines = append(lines, line)
			}
		}
		tree[path] = strings.Join(lines, "")
	}
	return tree
}

// drawRequests draws up to a dozen messages of several organizers for two rooms, and how these decide.
func drawRequests(t *rapid.T) *Conversation {
	const quota = "mailto:rooms@example.com"
	c := &Conversation{Name: "generated", About: "Generated requests.", Preferences: Tree{}, Initial: Tree{}}
	functions := rapid.SampledFrom([]string{
		"", "schedule_in_freebusy", "schedule_corrected_in_freebusy", "same_domain_only\nschedule_in_freebusy",
		"access_control_list\nschedule_in_freebusy", "schedule_in_freebusy\ncheck_quota " + quota, "schedule_for_delegate " + quota,
		"schedule_in_freebusy\nschedule_across_quota " + quota, "check_quota " + quota + "\nschedule_in_freebusy\nschedule_across_quota mailto:organizers@example.com",
		"check_quota",
	}).Draw(t, "functions")
	byQuota := strings.Contains(functions, "quota") || strings.Contains(functions, "delegate")
	// What is moved counts twice under a quota: moved-bookings. Where there is no limit, that does not matter.
	moves := byQuota && rapid.Bool().Draw(t, "moves")
	if moves {
		functions = rapid.SampledFrom([]string{"check_quota " + quota, "check_quota", "same_domain_only\ncheck_quota " + quota + "\ncheck_quota"}).Draw(t, "functions of moves")
	}
	for _, room := range []string{"room", "attic"} {
		prefer := func(name, value string) {
			if value != "" {
				c.Preferences["mailto:"+room+"@example.com/"+name] = value + "\n"
			}
		}
		prefer("scheduling_function", functions)
		prefer("TZID", "UTC")
		prefer("permitted_times", rapid.SampledFrom([]string{"", "0,30", "9,10,11,12,13,14:0,30"}).Draw(t, "permitted"))
		prefer("freebusy_offers", rapid.SampledFrom([]string{"", "P1D"}).Draw(t, "offers"))
		prefer("acl", rapid.SampledFrom([]string{"accept", "decline\naccept organiser paul.boddie@example.com", "decline organiser harvey.horse@example.com", "accept\nreject attendee simon.skunk@example.com"}).Draw(t, "acl"))
	}
	for _, name := range []string{quota, "mailto:room@example.com", "mailto:attic@example.com"} {
		c.Initial["journal/"+name+"/limits"] = rapid.SampledFrom([]string{"* *\n", "all PT4H\n", "all PT4H\n* PT3H\n", "mailto:paul.boddie@example.com PT2H\n", "all *\nmailto:paul.boddie@example.com PT0S\n"}).Draw(t, "limits")
		if moves {
			c.Initial["journal/"+name+"/limits"] = "* *\n"
		}
		c.Initial["journal/"+name+"/groups"] = rapid.SampledFrom([]string{"", "* all\n", "mailto:harvey.horse@example.com all\n", "* others\nmailto:paul.boddie@example.com all\n"}).Draw(t, "groups")
		c.Initial["journal/"+name+"/delegates"] = "mailto:room@example.com\nmailto:attic@example.com\n"
	}

	type known struct {
		organizer string
		sequence  int
		begun     bool
		recurs    bool
		apart     bool // an occurrence has been moved
		start     time.Time
	}
	events := map[string]*known{}
	for i := range rapid.IntRange(2, 12).Draw(t, "messages") {
		uid := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "event")
		rooms := map[string][]string{"b": {"attic"}, "d": {"room", "attic"}}[uid]
		if rooms == nil {
			rooms = []string{"room"}
		}
		invited := "\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:@" + strings.Join(rooms, "\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:@")
		e := events[uid]
		if e == nil {
			e = &known{organizer: map[string]string{"a": "paul", "b": "harvey", "c": "simon", "d": "paul"}[uid]}
			events[uid] = e
		}
		method := "REQUEST"
		if e.begun && (byQuota && !moves || oneIn(t, 4, "cancel")) {
			method = "CANCEL"
		}
		switch {
		case method == "CANCEL" && strings.Contains(functions, "across"): // bookings-across-a-quota
			continue
		case method == "CANCEL" && strings.Contains(functions, "corrected"): // offers-of-what-is-called-off
			continue
		case e.apart && method == "CANCEL": // cancelled-occurrences-of-resources
			continue
		case byQuota && len(rooms) > 1 && method == "REQUEST" && e.sequence > 0: // bookings-once-more
			continue
		}
		start := time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 16).Draw(t, "quarter")) * 15 * time.Minute)
		end := start.Add(time.Duration(rapid.IntRange(2, 8).Draw(t, "length")) * 15 * time.Minute)
		stamp := func(at time.Time) string { return at.Format("20060102T150405Z") }
		lines := fmt.Sprintf("UID:%s\nSEQUENCE:%d\nSUMMARY:Meeting\nDTSTART:%s\nDTEND:%s\nORGANIZER:@%s\nATTENDEE;PARTSTAT=ACCEPTED:@%s",
			uid, e.sequence, stamp(start), stamp(end), e.organizer, e.organizer) + invited
		switch {
		case method == "CANCEL":
		case e.apart || e.recurs && method == "REQUEST" && oneIn(t, 3, "occurrence"):
			e.apart = true // the original leaves its occurrences booked when it declines an event as a whole
			// Not over its own former time: occurrences-over-themselves.
			at := e.start.AddDate(0, 0, rapid.IntRange(0, 2).Draw(t, "day"))
			start = at.Add(time.Duration(rapid.IntRange(9, 12).Draw(t, "later")) * time.Hour)
			lines = fmt.Sprintf("UID:%s\nRECURRENCE-ID:%s\nSEQUENCE:%d\nSUMMARY:Meeting\nDTSTART:%s\nDTEND:%s\nORGANIZER:@%s\nATTENDEE;PARTSTAT=ACCEPTED:@%s",
				uid, stamp(at), e.sequence, stamp(start), stamp(start.Add(time.Hour)), e.organizer, e.organizer) + invited
		case oneIn(t, 4, "recurs") && !strings.Contains(functions, "corrected"):
			lines += "\n" + rapid.SampledFrom([]string{"RRULE:FREQ=DAILY;COUNT=3", "RRULE:FREQ=WEEKLY;COUNT=2", "RRULE:FREQ=WEEKLY"}).Draw(t, "rule")
			e.recurs, e.start = true, start
		default:
			e.recurs = false
		}
		e.sequence++
		message := Mail(e.organizer, method, Calendar(method, Minutes(i), Compose(lines)))
		for _, room := range rooms {
			c.Steps = append(c.Steps, &Step{Program: Resource, User: Address(room), Clock: Minutes(i), Message: message})
		}
		e.begun = method == "REQUEST"
	}
	return c
}
