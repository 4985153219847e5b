package compat

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"imip-agent/tests/skip"
	"imip-agent/tools/check"
)

// TestGeneratedIsWhole has generated conversations in which everybody keeps to iTIP, and
// wants a check of the store to find nothing after each message. What comes in is for the
// original; without it, it is left out.
func TestGeneratedIsWhole(t *testing.T) {
	skip.OnOtherDays(t)
	var peer *Peer
	if _, ok := FindPeer(); ok {
		peer = startPeer(t)
	}
	number := 60
	if os.Getenv("IMIP_AGENT_FULL") != "" {
		number = 400
	}
	checkRandom(t, "COMPAT_CHECKED", number, func(t *rapid.T, dir string) {
		c := drawConversation(t)
		if past := Minutes(0).Format(":200601"); slices.ContainsFunc(c.plans, func(p plan) bool { return strings.Contains(strings.Join(p.events, ""), past) }) {
			return // the request queue keeps what is over
		}
		c.Initial = Tree{}
		room := Room(dir)
		o := furnished(t, room, c.Conversation)
		defer o.close()
		done := *c.Conversation
		done.Steps = nil
		for i := range c.Steps {
			s := lawful(c.plans[i], i)
			if s == nil || s.Program == Incoming && (peer == nil || c.plans[i].unexpected(room)) {
				continue
			}
			done.Steps = append(done.Steps, s)
			if s.Program == Incoming {
				o.now = s.Clock
				if result, err := peer.Run(room, s); err != nil || result.Status != 0 {
					t.Fatalf("the original fails: %v %s", err, result.Stderr)
				}
			} else if _, err := o.step(s); err != nil {
				t.Fatal(err)
			}
			if found := o.findings(t, room); len(found) > 0 {
				t.Fatalf("%s\n%s", strings.Join(found, "\n"), done.Format())
			}
		}
	})
}

// TestCorrespondenceIsWhole has generated conversations in which each message goes out from its sender and arrives at those
// to whom it is, all on one store, and wants a check to find nothing after each of them, as TestBothDirections does. It takes
// no original, and so many more of them.
func TestCorrespondenceIsWhole(t *testing.T) {
	skip.OnOtherDays(t)
	number := 60
	if os.Getenv("IMIP_AGENT_FULL") != "" {
		number = 2000
	}
	checkRandom(t, "COMPAT_CHECKED", number, func(t *rapid.T, dir string) {
		c := drawCorrespondence(t)
		room := Room(dir)
		o := furnished(t, room, c.Conversation)
		defer o.close()
		done := *c.Conversation
		done.Steps = nil
		step := func(s *Step) {
			done.Steps = append(done.Steps, s)
			if status, err := o.step(s); status != 0 {
				t.Fatal(err)
			}
			if found := made(o.findings(t, room)); len(found) > 0 {
				t.Fatalf("%s\n%s", strings.Join(found, "\n"), done.Format())
			}
		}
		for i, p := range c.plans {
			s := p.step(Minutes(i))
			step(s)
			if p.to != "" {
				continue
			}
			for _, p.to = range p.recipients() {
				arriving := *s
				arriving.Program, arriving.User = Incoming, Address(p.to)
				step(&arriving)
			}
		}
	})
}

// furnished furnishes a room for a conversation, and returns our handlers in it, which are to be closed.
func furnished(t *rapid.T, room Room, c *Conversation) *ours {
	if err := room.Furnish(c); err != nil {
		t.Fatal(err)
	}
	o, err := newOurs(room)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// made leaves out findings that tell of time, which no message makes: the request queue keeps what is over, and the window
// is as it was at the beginning; and of preferences without a known value, which are drawn.
func made(found []string) []string {
	return slices.DeleteFunc(found, func(f string) bool {
		kind, _, _ := strings.Cut(f, " ")
		return kind == "preference-value" || kind == "request-past" || kind == "counter-past" || kind == "freebusy-window" && strings.Contains(f, "is recorded up to")
	})
}

var (
	timeLines = regexp.MustCompile(`(?m)^(DTSTART|DTEND|DURATION|RRULE|RDATE|EXDATE)[;:].*\n`)
	statuses  = regexp.MustCompile(`;PARTSTAT=[A-Z-]+`)
	// That the organizer leaves their own event is not for iTIP to tell.
	organizerLines = regexp.MustCompile(`(?m)^ATTENDEE.*:@paul\n`)
	sequenceLines  = regexp.MustCompile(`(?m)^SEQUENCE:.*\n`)
)

// lawful returns the nth message of a conversation as somebody who keeps to iTIP writes
// it, or nil if nobody does: only the organizer calls, moves and calls off, with a SEQUENCE
// that rises (RFC 5546 section 2.1.4), an answer does not change the times that it is
// to (section 3.2.3), and a counter-proposal does not accept or decline as well.
func lawful(p plan, n int) *Step {
	organizes := p.from == "paul" || p.from == "calendar"
	p.events = slices.Clone(p.events)
	p.stamp = 0
	for i, text := range p.events {
		switch p.method {
		case "REPLY", "COUNTER", "REFRESH":
			if p.from == "paul" {
				return nil
			}
			text = sequenceLines.ReplaceAllString(text, "")
			switch p.method {
			case "REPLY":
				text = timeLines.ReplaceAllString(text, "")
			case "COUNTER":
				text = statuses.ReplaceAllString(text, ";PARTSTAT=TENTATIVE")
			}
		default:
			if !organizes {
				return nil
			}
			text = sequenceLines.ReplaceAllString(text, "")
			if p.method == "CANCEL" {
				text = organizerLines.ReplaceAllString(text, "")
			}
			text += fmt.Sprintf("\nSEQUENCE:%d", n)
		}
		p.events[i] = text
	}
	return p.step(Minutes(n))
}

// unexpected reports whether a message comes in to an organizer who has not called for what
// it answers.
func (p plan) unexpected(room Room) bool {
	return p.to == "paul" && slices.ContainsFunc(p.events, func(text string) bool {
		uid := strings.TrimPrefix(text[:strings.Index(text, "\n")], "UID:")
		_, err := os.Stat(filepath.Join(room.Store(), "mailto:"+Address(p.to), "objects", uid))
		return err != nil
	})
}

// findings returns what a check of a room finds.
func (o *ours) findings(t *rapid.T, room Room) (found []string) {
	c := check.Checker{
		Store: o.store, Preferences: o.handler.Preferences, PreferencesDir: room.Preferences(),
		Rejected: o.handler.Rejected, Now: func() time.Time { return o.now }, Log: slog.New(slog.DiscardHandler),
	}
	summary, err := c.Run(context.Background(), func(f check.Finding) {
		found = append(found, fmt.Sprintf("%s %s %s %s: %s", f.Kind.ID, f.User, f.ID.UID, f.ID.RecurrenceID, f.Text))
	})
	if err != nil || len(summary.Failures) > 0 {
		t.Fatal(err, summary.Failures)
	}
	return found
}
