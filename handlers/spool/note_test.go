package spool

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var received = time.Date(2026, 11, 22, 12, 0, 0, 123, time.UTC)

// A note that is written is read again, and what follows it is the message, whatever either of them says.
func TestNote(t *testing.T) {
	for name, n := range map[string]Note{
		"all":            {User: "paul@example.com", Source: "milter", Sender: "p@example.com", Mail: "4bX", Received: received, Size: 4},
		"arrived":        {Recipient: "Room@example.com", Source: "lmtp", Sender: "p@example.com", Received: received, Size: 4},
		"no user":        {Order: "Calendar@example.com", Source: "milter", Received: received, Size: 4},
		"hostile":        {User: "a\r\nX-Imip-Agent-User: b", Sender: "\x00\xff\u202e\\\"", Received: received, Size: 4},
		"beyond ASCII":   {User: "jürgen@exämple.com", Received: received, Size: 4},
		"hostile and no": {Received: received, Size: 4},
	} {
		text, err := n.encode()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, message := range []string{"", "From: x\n\n", "X-Imip-Agent-Size: 1\r\n", "X-Imip-Agent-User: other\r\n\r\n"} {
			r := bufio.NewReader(strings.NewReader(string(text) + message))
			got, err := readNote(r)
			rest, _ := io.ReadAll(r)
			if diff := cmp.Diff(n, got); diff != "" || err != nil || string(rest) != message {
				t.Errorf("%s: %v, the message is %q\n%s", name, err, rest, diff)
			}
		}
	}
	// Whatever a mail system says of a message, the message can be read again.
	endless := Note{User: strings.Repeat("\xff", maxValue), Sender: strings.Repeat("\xff", maxNote), Mail: strings.Repeat("\u202e", maxNote), Received: received, Size: 4}
	text, err := endless.encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readNote(bufio.NewReaderSize(strings.NewReader(string(text)), 4<<10)); err != nil || got.User != endless.User || !strings.HasPrefix(endless.Sender, got.Sender) || len(got.Sender) != maxValue {
		t.Errorf("%v, %+v", err, got)
	}
	for _, n := range []Note{{User: strings.Repeat("x", maxValue+1)}, {Recipient: strings.Repeat("x", maxValue+1)}} {
		if _, err := n.encode(); err == nil {
			t.Error("an endless address is no error")
		}
	}
	if n := (Note{Recipient: "Room@example.com"}); n.Lane() != "room@example.com" {
		t.Errorf("a message for a room waits among those of %q", n.Lane())
	}
}

func TestNoteBroken(t *testing.T) {
	const timed = "X-Imip-Agent-Received: 2026-11-22T12:00:00Z\r\n"
	for text, why := range map[string]string{
		"":                                    "nothing",
		"From: a\r\n\r\nhello":                "no note",
		timed:                                 "it ends",
		timed + "X-Imip-Agent-Size: 4":        "it ends in a line",
		timed + "X-Imip-Agent-Size: -4\r\n":   "a size below zero",
		timed + "X-Imip-Agent-Size: four\r\n": "no number",
		"X-Imip-Agent-Size: 4\r\n":            "no time",
		"X-Imip-Agent-Received: today\r\nX-Imip-Agent-Size: 4\r\n":    "no time",
		timed + "\r\nX-Imip-Agent-Size: 4\r\n":                        "a blank line",
		timed + strings.Repeat("X-Imip-Agent-User: x\r\n", maxNote):   "no end",
		"X-Imip-Agent-User: " + strings.Repeat("x", maxNote) + "\r\n": "an endless line",
	} {
		_, err := readNote(bufio.NewReaderSize(strings.NewReader(text), 4<<10))
		var broken *BrokenError
		if !errors.As(err, &broken) {
			t.Errorf("%s: %v", why, err)
		}
	}
	unlucky := errors.New("disk")
	_, err := readNote(bufio.NewReader(io.MultiReader(strings.NewReader(timed), failing{unlucky})))
	var broken *BrokenError
	if !errors.Is(err, unlucky) || errors.As(err, &broken) {
		t.Errorf("a disk's error is %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestTry(t *testing.T) {
	want := Try{Tries: 3, Next: received.Truncate(time.Second), Reason: "no\nluck: \x1b"}
	if diff := cmp.Diff(want, parseTry(string(want.encode()))); diff != "" {
		t.Error(diff)
	}
	if got := parseTry("Tries: -1\nNext: soon\nwhat\n"); got != (Try{}) {
		t.Errorf("nonsense is %+v", got)
	}
}

// Whatever stands in a file, it is a message with its note, or broken; and what was read is written the same.
func FuzzNote(f *testing.F) {
	for _, n := range []Note{{User: "a@x", Received: received}, {Order: "b", Sender: "\\x", Mail: "1", Size: 7, Received: received}} {
		text, _ := n.encode()
		f.Add(string(text) + "From: x\r\n")
	}
	f.Add("X-Imip-Agent-Size: 1\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		parseTry(text)
		n, err := readNote(bufio.NewReaderSize(strings.NewReader(text), 4<<10))
		if err != nil {
			return
		}
		for _, f := range n.fields() {
			if len(*f.text) > maxValue {
				return
			}
		}
		again, err := n.encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := readNote(bufio.NewReaderSize(strings.NewReader(string(again)), 64<<10))
		if diff := cmp.Diff(n, got); diff != "" || err != nil {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}
