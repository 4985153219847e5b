package compat

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imip-agent/tests/skip"
	"imip-agent/tools/freebusy"
)

// workedOut has the original's library work out the records of the events in a store.
//
//go:embed workedout.py
var workedOut string

// otherwise says where the original's library works out other records, and why.
var otherwise = map[string]string{
	"cancel-occurrence-attendee": "its own handlers leave the record of an occurrence that the user has not answered, and so does ours",
	"attendee-twice":             "its own handlers record ORG for an attendee without participation status, and so does ours",
	"reply-transparent":          "the table keeps the transparency that the user's answer gave",
	"request-no-summary":         "its own handlers record ORG for who has sent an event without an organiser, and so does ours",
}

// TestRebuildAsOriginal has the original's library work out free/busy from the stores
// that conversations leave, and compares event by event with what ours makes of them.
func TestRebuildAsOriginal(t *testing.T) {
	peer, ok := FindPeer()
	if !ok {
		skip.Because(t, "needs the original, which is not installed")
	}
	names, err := filepath.Glob("conversations/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	type request struct {
		Store string               `json:"store"`
		Users map[string][2]string `json:"users"` // zone and end of the window
	}
	var requests []request
	var conversations []string
	ours := make(map[string]map[string][]string) // by conversation and event
	for _, name := range names {
		c, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if c.Deviation != "" {
			continue // its store has what the original cannot read, or reads otherwise
		}
		room, o := replayed(t, c)
		defer o.close()
		users := make(map[string][2]string)
		ours[c.Name] = make(map[string][]string)
		maker := &freebusy.Maker{
			Store: o.store, Preferences: o.handler.Preferences, Log: slog.New(slog.DiscardHandler), Now: o.handler.Now, Reset: true,
		}
		err = maker.Each(context.Background(), o.store.Users(context.Background()), 1, func(r freebusy.Result) {
			if r.Err != nil || r.Left != "" {
				t.Logf("%s: %s: %v %s", c.Name, r.User, r.Err, r.Left)
				return
			}
			p, err := o.handler.Preferences.Load(r.User)
			if err != nil {
				t.Fatal(err)
			}
			users[string(r.User)] = [2]string{p.TZID, p.WindowEnd(o.now).Format("20060102T150405Z")}
			for line := range strings.Lines(string(r.Table.Append(nil))) {
				columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
				event := strings.Join([]string{string(r.User), columns[2], columns[4]}, " ")
				ours[c.Name][event] = append(ours[c.Name][event], strings.Join(columns, "\t"))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		requests = append(requests, request{room.Store(), users})
		conversations = append(conversations, c.Name)
	}

	given, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(peer, "bin/python"), "-c", workedOut)
	cmd.Stdin = bytes.NewReader(given)
	cmd.Env = append(cmd.Environ(), "TZ=UTC")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var original []map[string][]string // by event
	if err := json.Unmarshal(out, &original); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for i, name := range conversations {
		for event, records := range ours[name] {
			theirs, ok := original[i][event]
			if !ok {
				continue // it is not stored, and recorded all the same
			}
			compared++
			if !slices.Equal(records, theirs) && otherwise[name] == "" {
				t.Errorf("%s: %s:\nours\n%s\nthe original's\n%s", name, event, strings.Join(records, "\n"), strings.Join(theirs, "\n"))
			}
		}
	}
	t.Logf("%d events compared", compared)
	if compared < 100 {
		t.Errorf("only %d events have been compared", compared)
	}
}

// replayed handles a whole conversation.
func replayed(t *testing.T, c *Conversation) (Room, *ours) {
	t.Helper()
	room := newRoom(t, c)
	o, err := newOurs(room)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Steps {
		if s.Arrives() {
			if err := room.Lay(s.Original); err != nil {
				t.Fatal(err)
			}
		} else if _, err := o.step(s); err != nil {
			t.Logf("%s: %v", c.Name, err)
		}
		o.now = s.Clock
	}
	return room, o
}
