package compat

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestLiveResources has the two programs decide on the same generated messages for a room, each with a store of its own,
// and compares after each message the stores, the journals and the answers. The messages are such as both understand
// in the same way.
func TestLiveResources(t *testing.T) {
	peer := startPeer(t)
	setRapid(t, "checks", setting(t, "COMPAT_CONVERSATIONS", 8))
	setRapid(t, "seed", setting(t, "COMPAT_SEED", 1))
	setRapid(t, "nofailfile", "true")
	base := emptyDir(t)
	rapid.Check(t, func(t *rapid.T) {
		c := drawRequests(t)
		rooms, err := os.MkdirTemp(base, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(rooms)
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
			if diff := Differences(tree, ourTree); diff != "" {
				fail("%s", diff)
			}
		}
	})
}

// drawRequests draws up to a dozen messages of several organizers for a room, and how it decides.
func drawRequests(t *rapid.T) *Conversation {
	const quota = "mailto:rooms@example.com"
	c := &Conversation{Name: "generated", About: "Generated requests.", Preferences: Tree{}, Initial: Tree{}}
	functions := rapid.SampledFrom([]string{
		"", "schedule_in_freebusy", "schedule_corrected_in_freebusy", "same_domain_only\nschedule_in_freebusy",
		"access_control_list\nschedule_in_freebusy", "schedule_in_freebusy\ncheck_quota " + quota, "schedule_for_delegate " + quota,
	}).Draw(t, "functions")
	prefer := func(name, value string) {
		if value != "" {
			c.Preferences["mailto:room@example.com/"+name] = value + "\n"
		}
	}
	prefer("scheduling_function", functions)
	prefer("TZID", "UTC")
	prefer("permitted_times", rapid.SampledFrom([]string{"", "0,30", "9,10,11,12,13,14:0,30"}).Draw(t, "permitted"))
	prefer("freebusy_offers", rapid.SampledFrom([]string{"", "P1D"}).Draw(t, "offers"))
	prefer("acl", rapid.SampledFrom([]string{"accept", "decline\naccept organiser paul.boddie@example.com", "decline organiser harvey.horse@example.com", "accept\nreject attendee simon.skunk@example.com"}).Draw(t, "acl"))
	c.Initial["journal/"+quota+"/limits"] = rapid.SampledFrom([]string{"* *\n", "all PT4H\n", "mailto:paul.boddie@example.com PT2H\n"}).Draw(t, "limits")
	c.Initial["journal/"+quota+"/groups"] = rapid.SampledFrom([]string{"", "* all\n"}).Draw(t, "groups")
	c.Initial["journal/"+quota+"/delegates"] = "mailto:room@example.com\nmailto:attic@example.com\n"

	type known struct {
		organizer string
		sequence  int
		begun     bool
	}
	events := map[string]*known{}
	for i := range rapid.IntRange(2, 12).Draw(t, "messages") {
		uid := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "event")
		e := events[uid]
		if e == nil {
			e = &known{organizer: rapid.SampledFrom([]string{"paul", "harvey", "simon"}).Draw(t, "organizer")}
			events[uid] = e
		}
		method := "REQUEST"
		// Under a quota nothing is moved: moved-bookings, journal-of-the-first-version.
		if e.begun && (strings.Contains(functions, quota) || oneIn(t, 4, "cancel")) {
			method = "CANCEL"
		}
		start := time.Date(2026, 12, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 16).Draw(t, "quarter")) * 15 * time.Minute)
		end := start.Add(time.Duration(rapid.IntRange(2, 8).Draw(t, "length")) * 15 * time.Minute)
		lines := fmt.Sprintf("UID:%s\nSEQUENCE:%d\nSUMMARY:Meeting\nDTSTART:%s\nDTEND:%s\nORGANIZER:@%s\nATTENDEE;PARTSTAT=ACCEPTED:@%s\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:@room",
			uid, e.sequence, start.Format("20060102T150405Z"), end.Format("20060102T150405Z"), e.organizer, e.organizer)
		if functions == "schedule_in_freebusy" && oneIn(t, 5, "recurs") {
			lines += "\nRRULE:FREQ=DAILY;COUNT=3"
		}
		e.sequence++
		c.Steps = append(c.Steps, &Step{
			Program: Resource, User: "room@example.com", Clock: Minutes(i),
			Message: Mail(e.organizer, method, Calendar(method, Minutes(i), Compose(lines))),
		})
		e.begun = method == "REQUEST"
	}
	return c
}
