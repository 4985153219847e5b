package compat

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"imip-agent/tests/skip"
)

// TestLive has the two programs take turns on one store, in generated
// conversations, and compares it after each message with a store on which the
// original handled all of them. The original also has to be able to read
// everything in the shared store. Messages that arrive are handled by ours as well, where the two programs agree:
// see comparable.
//
// COMPAT_CONVERSATIONS says how many conversations (8), COMPAT_SEED where the
// generator starts (1; 0 for a random one). A conversation that fails is made
// smaller and shown as a file for the directory conversations.
func TestLive(t *testing.T) {
	skip.OnOtherDays(t)
	peer := startPeer(t)
	arrived.Store(0)
	defer func() { t.Logf("%d messages that arrive are handled by ours", arrived.Load()) }()
	checkRandom(t, "COMPAT_CONVERSATIONS", 8, func(t *rapid.T, rooms string) {
		c := drawConversation(t)
		c.agree()
		converse(t, peer, c, Room(filepath.Join(rooms, "shared")), Room(filepath.Join(rooms, "original")))
	})
}

// arrived counts messages that arrive, and that ours has handled.
var arrived atomic.Int64

// converse runs a conversation in both rooms.
func converse(t *rapid.T, peer *Peer, c generated, shared, original Room) {
	fail := func(step int, format string, args ...any) {
		t.Helper()
		shown := *c.Conversation
		shown.Steps = shown.Steps[:step+1]
		var ours []int
		for i := range shown.Steps {
			if c.plans[i].ours {
				ours = append(ours, i+1)
			}
		}
		t.Logf("by ours: %v\n%s", ours, shown.Format())
		t.Logf("step %d: "+format, append([]any{step + 1}, args...)...)
		// What makes the conversation smaller goes by this text staying the same.
		t.Fatal("the two programs do not agree")
	}
	for _, room := range []Room{shared, original} {
		if err := room.Furnish(c.Conversation); err != nil {
			t.Fatal(err)
		}
	}
	o, err := newOurs(shared)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	for i, s := range c.Steps {
		if c.plans[i].leftOut(original) {
			continue
		}
		s = c.plans[i].fitted(original, s)
		if s.Program == Incoming {
			s = c.plans[i].fittedArrival(original, s)
		}
		c.Steps[i] = s
		if c.plans[i].overtaken(t, original, s) {
			continue
		}
		comparable := s.Program != Incoming || c.plans[i].comparable(t, original, s)
		want, err := peer.Run(original, s)
		if err != nil {
			t.Fatal(err)
		}
		if want.Status != 0 {
			fail(i, "the original fails, so this is a deviation not to be generated: %s", want.Stderr)
		}
		if s.Program == Incoming && !comparable {
			c.plans[i].ours = false
		}
		if s.Program == Incoming && c.plans[i].ours {
			arrived.Add(1)
		}
		if c.plans[i].ours {
			o.log.Reset()
			if status, err := o.step(s); status != 0 {
				fail(i, "ours fails: %v\n%s", err, o.log.String())
			}
		} else if got, err := peer.Run(shared, s); err != nil || got.Status != 0 {
			fail(i, "the original fails on the shared store: %v %s", err, got.Stderr)
		}
		ourTree, err := shared.Tree()
		if err != nil {
			t.Fatal(err)
		}
		originalTree, err := original.Tree()
		if err != nil {
			t.Fatal(err)
		}
		if diff := Differences(originalTree, ourTree); diff != "" {
			fail(i, "%s\nlog:\n%s", diff, o.log.String())
		}
	}
	items, problems, err := peer.Read(shared.Store())
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) > 0 {
		fail(len(c.Steps)-1, "the original cannot read the store: %s", strings.Join(problems, "; "))
	}
	others, _, err := peer.Read(original.Store())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(others, items); diff != "" {
		fail(len(c.Steps)-1, "the original finds other things in the shared store: %s", diff)
	}
}

// leftOut tells whether a message is not to be sent, since something is not there
// that it needs.
func (p plan) leftOut(room Room) bool {
	return slices.ContainsFunc(p.needs, func(name string) bool {
		_, err := os.Stat(filepath.Join(room.Store(), "mailto:"+Address(p.user()), name))
		return err != nil
	})
}

// user is the user whose records the message concerns.
func (p plan) user() string {
	switch {
	case p.to != "":
		return p.to
	case p.from != "calendar":
		return p.from
	}
	switch p.method {
	case "ADD", "CANCEL", "DECLINECOUNTER", "PUBLISH", "REQUEST":
		return "paul" // who organizes all that it sends
	}
	return "vincent"
}

// setting returns a number from the environment.
func setting(t *testing.T, name string, otherwise int) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		return strconv.Itoa(otherwise)
	}
	if _, err := strconv.Atoi(value); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return value
}

// given returns the options that the command line gives. To set one here makes it one of
// those of the flag package, too, so it is asked before.
var given = sync.OnceValue(func() map[string]bool {
	names := make(map[string]bool)
	flag.Visit(func(f *flag.Flag) { names[f.Name] = true })
	return names
})

// checkRandom has rapid run a check as often as a variable of the environment says, or by default, from the seed COMPAT_SEED. Each run
// gets a directory of its own.
func checkRandom(t *testing.T, variable string, byDefault int, run func(t *rapid.T, dir string)) {
	t.Helper()
	setRapid(t, "checks", setting(t, variable, byDefault))
	setRapid(t, "seed", setting(t, "COMPAT_SEED", 1))
	setRapid(t, "nofailfile", "true") // the seed gives the failure again
	base := emptyDir(t)
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(base, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		run(t, dir)
	})
}

// setRapid sets an option of rapid for the length of the test, unless the command
// line gives it.
func setRapid(t *testing.T, name, value string) {
	t.Helper()
	if given()["rapid."+name] {
		return
	}
	old := flag.Lookup("rapid." + name).Value.String()
	if err := flag.Set("rapid."+name, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { flag.Set("rapid."+name, old) })
}
