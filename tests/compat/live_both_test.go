package compat

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"imip-agent/stores/calendar"
	"imip-agent/tests/skip"
)

// TestBothDirections has generated conversations in which each message goes out from its sender and arrives at those to whom
// it is, as mail does between users of one site. In "apart", ours handles all of it on a store of its own, and the original
// on another one. In "by turns" one store is worked on by both: ours handles what goes out and the original what arrives,
// then the reverse, and so on; the original handles all of it on another store. After each step the stores are compared, and
// the mails that were handed over, by meaning. A check of the store that ours works on must find nothing above a note.
//
// COMPAT_CONVERSATIONS and COMPAT_SEED are as for TestLive. To try others: COMPAT_SEED=0 draws them at random, and the
// failure says the seed.
func TestBothDirections(t *testing.T) {
	skip.OnOtherDays(t)
	for _, mode := range []string{"apart", "by turns"} {
		t.Run(mode, func(t *testing.T) {
			peer := startPeer(t)
			done := new(tally)
			checkRandom(t, "COMPAT_CONVERSATIONS", 8, func(t *rapid.T, rooms string) {
				x := exchange{
					T: t, peer: peer, c: drawBoth(t), byTurns: mode == "by turns", tally: done,
					ours: Room(filepath.Join(rooms, "ours")), original: Room(filepath.Join(rooms, "original")),
				}
				x.run()
			})
			t.Logf("%d messages went out, %d arrived, %d mails were handed over, %d of them answers", done.out, done.in, done.mails, done.answers)
			if done.in == 0 || done.mails == 0 {
				t.Error("nothing arrived")
			}
		})
	}
}

// tally counts what was compared.
type tally struct{ out, in, mails, answers int }

// drawBoth draws a conversation in which most messages go out, or one in which most arrive.
func drawBoth(t *rapid.T) generated {
	if oneIn(t, 3, "most go out") {
		return drawCorrespondence(t)
	}
	return drawArrivals(t)
}

// drawCorrespondence draws a conversation in which everybody says what is theirs to say. An organizer does not answer, and
// who calls an event off says so in a version of its own (RFC 5546 section 3.2.5).
func drawCorrespondence(t *rapid.T) generated {
	c := drawConversation(t)
	prefer := func(user, name string, values ...string) {
		if value := rapid.SampledFrom(values).Draw(t, user+" "+name); value != "" {
			c.Preferences["mailto:"+Address(user)+"/"+name] = value + "\n"
		}
	}
	for _, user := range []string{"paul", "vincent"} {
		prefer(user, "incoming", "", "message-only", "summary-then-message", "message-then-summary", "summary-only", "summary-wraps-message")
	}
	prefer("paul", "event_refreshing", "", "always", "never")
	prefer("vincent", "add_method_response", "", "add", "add", "refresh", "ignore")
	for name := range c.Initial {
		if !strings.HasSuffix(name, "/freebusy-providers") {
			delete(c.Initial, name) // what no message has made
		}
	}
	c.agree()
	var plans []plan
	for i, p := range c.plans {
		if p.from == "paul" && p.method == "REPLY" {
			continue
		}
		if p.method == "CANCEL" {
			p.events = slices.Clone(p.events)
			for k, text := range p.events {
				p.events[k] = strings.ReplaceAll(text, "SEQUENCE:0\n", fmt.Sprintf("SEQUENCE:%d\n", i))
			}
		}
		plans = append(plans, p)
	}
	c.plans, c.Steps = plans, nil
	return c
}

// exchange is a conversation while it is had.
type exchange struct {
	*rapid.T
	*tally
	peer           *Peer
	c              generated
	ours, original Room
	byTurns        bool

	our  *ours
	done *Conversation
}

func (x *exchange) run() {
	for _, room := range []Room{x.ours, x.original} {
		if err := room.Furnish(x.c.Conversation); err != nil {
			x.Fatal(err)
		}
	}
	var err error
	if x.our, err = newOurs(x.ours); err != nil {
		x.Fatal(err)
	}
	defer x.our.close()
	done := *x.c.Conversation
	done.Steps = nil
	x.done = &done
	for i, p := range x.c.plans {
		clock := Minutes(i)
		if p.to == "" {
			s := p.fitted(x.original, p.step(clock))
			if p.leftOut(x.original) || p.overtaken(x.T, x.original, s) {
				continue
			}
			x.step(p, s, i)
			for _, p.to = range p.recipients() {
				arriving := *s
				arriving.Program, arriving.User = Incoming, Address(p.to)
				x.arrive(p, &arriving, i)
			}
			continue
		}
		x.arrive(p, p.step(clock), i)
	}
}

// recipients are those at whom what somebody sends arrives, of the users of this site.
func (p plan) recipients() []string {
	switch {
	case p.from == "paul":
		return []string{"vincent"}
	case p.from == "vincent" && (p.method == "REPLY" || p.method == "COUNTER" || p.method == "REFRESH"):
		return []string{"paul"}
	}
	return nil
}

// arrive has a message arrive, if the two programs are to make the same of it.
func (x *exchange) arrive(p plan, s *Step, n int) {
	s = p.fittedArrival(x.original, s)
	if !p.leftOut(x.original) && p.comparable(x.T, x.original, s) && p.answerable(x.T, x.original, s) {
		x.step(p, s, n)
	}
}

// answerable tells whether the two programs are to hand over the same: see refresh-by-all-attendees and the like.
func (p plan) answerable(t rapid.TB, room Room, s *Step) bool {
	setting := func(name string) string {
		text, _ := os.ReadFile(filepath.Join(room.Preferences(), "mailto:"+Address(p.to), name))
		return strings.TrimSpace(string(text))
	}
	queue := string(p.stored(room, "requests"))
	for _, id := range p.ids {
		switch p.method {
		case "REQUEST", "PUBLISH", "CANCEL":
			for entry := range strings.Lines(queue) {
				columns := strings.Split(strings.TrimRight(entry, "\n"), "\t")
				if id == "objects/"+columns[0] && len(columns) > 1 && columns[1] != "" {
					return false // requests-of-replaced-occurrences
				}
			}
		case "ADD":
			if setting("add_method_response") == "ignore" {
				return false // lost-mail
			}
		case "REFRESH":
			stored := decode(t, p.stored(room, id))
			status := ""
			for _, a := range stored.Attendees() {
				if a.URI.Is(calendar.NewURI(Address(p.from))) {
					status = a.PartStat()
				}
			}
			if setting("event_refreshing") == "always" && status != "ACCEPTED" {
				return false // refresh-by-all-attendees
			}
		}
	}
	return true
}

// step has one program handle a message on each store, and compares.
func (x *exchange) step(p plan, s *Step, n int) {
	x.done.Steps = append(x.done.Steps, s)
	before, err := x.original.Tree()
	if err != nil {
		x.Fatal(err)
	}
	want, err := x.peer.Run(x.original, s)
	if err != nil {
		x.Fatal(err)
	}
	if want.Status != 0 {
		x.fail("the original fails, so this is a deviation not to be generated: %s", want.Stderr)
	}
	if s.Program == Incoming {
		x.in++
	} else {
		x.out++
	}
	// Every second message changes who does what.
	byOurs := !x.byTurns || (s.Program == Incoming) == (n/2%2 == 1)
	printed := ""
	if byOurs {
		x.our.log.Reset()
		if status, err := x.our.step(s); status != 0 {
			x.fail("ours fails: %v\n%s", err, x.our.log.String())
		}
		printed = x.our.instead.String()
	} else {
		got, err := x.peer.Run(x.ours, s)
		if err != nil || got.Status != 0 {
			x.fail("the original fails on the store of both: %v %s", err, got.Stderr)
		}
		printed = got.Stdout
	}
	x.our.now = s.Clock
	after, err := x.original.Tree()
	if err != nil {
		x.Fatal(err)
	}
	tree, err := x.ours.Tree()
	if err != nil {
		x.Fatal(err)
	}
	if diff := Differences(after, tree); diff != "" {
		x.fail("%s\nlog:\n%s\nchanged by the original: %v", diff, x.our.log.String(), after.Since(before).Changed.Paths())
	}
	if s.Program == Incoming {
		wanted, given := mailsOf(want.Stdout, s.Message), mailsOf(printed, s.Message)
		if changed := after.Since(before); byOurs {
			wanted = p.handedOver(wanted, len(changed.Changed)+len(changed.Removed) > 0)
		}
		if diff := cmp.Diff(wanted, given); diff != "" {
			x.fail("the mails differ (-original +ours)\n%s\n%s\nlog:\n%s", diff, printed, x.our.log.String())
		}
		x.mails += len(wanted)
		for _, m := range wanted {
			if strings.HasPrefix(m, "answer") {
				x.answers++
			}
		}
	}
	if found := made(x.our.findings(x.T, x.ours)); len(found) > 0 {
		x.fail("a check finds: %s", strings.Join(found, "\n"))
	}
}

// handedOver returns the mails that ours is to hand over where the original hands over these.
func (p plan) handedOver(mails []string, changed bool) []string {
	mails = slices.DeleteFunc(mails, func(mail string) bool {
		about, _, _ := strings.Cut(mail, "\n")
		return strings.HasPrefix(about, "answer ") && strings.HasSuffix(about, " to "+Address(p.to)) // answers-to-oneself
	})
	if told := p.isBusy() && p.method != "REQUEST"; len(mails) == 0 && !changed && !told {
		return []string{"message"} // lost-mail
	}
	return mails
}

func (x *exchange) fail(format string, args ...any) {
	x.Helper()
	x.Logf("%s", x.done.Format())
	x.Logf("step %d: "+format, append([]any{len(x.done.Steps)}, args...)...)
	x.Fatal("the two programs do not agree") // the same text, by which rapid makes it smaller
}
