package itip

import (
	"errors"
	"flag"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/file"
	"imip-agent/stores/preferences"
)

var record = flag.Bool("record", false, "record what the original, installed in $IMIP_PEER, leaves in its store")

const recorded = "testdata/original.txt"

// What the original leaves in bob's store of the messages that he sends and receives, ours leaves,
// too, where the original is right. With IMIP_AGENT_FULL the original is asked again, where it is
// installed in $IMIP_PEER: that takes half a minute.
func TestAsOriginal(t *testing.T) {
	series := got(ann, "REQUEST", byAnn, version, at9, weekly)
	agreed := sent("REPLY", accepts, "SUMMARY:Talk\n", version, at9, weekly)
	ownSeries := sent("REQUEST", byBob, version, at9, weekly)
	ownEvent := sent("REQUEST", byBob, version, at9)
	toOneself := strings.Replace(byBob, "ORGANIZER", "ORGANIZER;SENT-BY=\""+system+"\"", 1)
	delegated := "ORGANIZER:" + ann + "\nATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"" + bob + "\":" + eve + "\nATTENDEE;DELEGATED-FROM=\"" + eve + "\":" + bob + "\n"
	want := recordings(t)
	found := map[string]string{}
	for _, c := range []struct {
		name     string
		wants    map[string]string
		messages []message
	}{
		{"invited", nil, []message{got(ann, "REQUEST", byAnn, "SUMMARY:Talk\n", version, at9)}},
		{"invited to a series", nil, []message{series}},
		{"invited, and transparent", nil, []message{got(ann, "REQUEST", byAnn, "TRANSP:TRANSPARENT\n", version, at9)}},
		{"invited by who does not attend", nil, []message{got(ann, "REQUEST", "ORGANIZER:", ann, "\nATTENDEE:", bob, "\n", version, at9)}},
		{"invited in a zone, on days", nil, []message{got(ann, "REQUEST", byAnn, version, "DTSTART;TZID=Europe/Oslo:20261202T090000\nDTEND;TZID=Europe/Oslo:20261202T100000\nRRULE:FREQ=DAILY;COUNT=2\n")}},
		{"delegated to the user", nil, []message{got(eve, "REQUEST", delegated, version, at9)}},
		{"an event changed", nil, []message{series, agreed, got(ann, "REQUEST", byAnn, newer, at9, weekly)}},
		{"an event changed to another time", nil, []message{series, got(ann, "REQUEST", byAnn, newer, "DTSTART:20261203T110000Z\nDTEND:20261203T120000Z\n")}},
		{"an occurrence moved", nil, []message{series, agreed, got(ann, "REQUEST", byAnn, newer, moved)}},
		{"an occurrence called off and on again", nil, []message{series, got(ann, "CANCEL", byAnn, newer, on9), got(ann, "REQUEST", byAnn, latest, on9)}},
		{"an old invitation", nil, []message{got(ann, "REQUEST", byAnn, newer, at9), got(ann, "REQUEST", byAnn, version, "DTSTART:20261203T110000Z\n")}},
		{"the organizer replaced by an attendee", nil, []message{series, got(eve, "REQUEST", strings.Replace(byAnn, "ORGANIZER:"+ann, "ORGANIZER:"+eve, 1), newer, at9)}},
		{"the organizer replaced by nobody else", nil, []message{series, got(dan, "REQUEST", strings.Replace(byAnn, "ORGANIZER:"+ann, "ORGANIZER:"+dan, 1), newer, at9)}},
		{"the organizer replaced by anybody", map[string]string{"organiser_replacement": "any"}, []message{series, got(dan, "REQUEST", strings.Replace(byAnn, "ORGANIZER:"+ann, "ORGANIZER:"+dan, 1), newer, at9)}},
		{"the organizer never replaced", map[string]string{"organiser_replacement": "never"}, []message{series, got(eve, "REQUEST", strings.Replace(byAnn, "ORGANIZER:"+ann, "ORGANIZER:"+eve, 1), newer, at9)}},
		{"invited by a stranger in the organizer's name", nil, []message{series, got(stranger, "REQUEST", byAnn, newer, at9)}},

		{"called off", nil, []message{series, agreed, got(ann, "CANCEL", byAnn, newer, at9, weekly)}},
		{"an occurrence called off", nil, []message{series, agreed, got(ann, "CANCEL", byAnn, newer, on9)}},
		{"an occurrence called off that stands apart", nil, []message{series, agreed, got(ann, "REQUEST", byAnn, newer, moved), got(ann, "CANCEL", byAnn, latest, moved)}},
		{"called off with what stands apart", nil, []message{series, agreed, got(ann, "CANCEL", byAnn, newer, third), got(ann, "CANCEL", byAnn, latest, at9, weekly)}},
		{"called off by another", nil, []message{series, got(eve, "CANCEL", byAnn, newer, at9)}},
		{"what is not known called off", nil, []message{got(ann, "CANCEL", byAnn, newer, at9)}},

		{"published to oneself", nil, []message{got(system, "PUBLISH", toOneself, version, at9, weekly)}},
		{"published to oneself, an occurrence", nil, []message{ownSeries, got(system, "PUBLISH", toOneself, newer, moved)}},
		{"called off to oneself", nil, []message{ownEvent, got(eve, "REPLY", accepted, version, at9), got(system, "CANCEL", toOneself, newer, at9)}},
		{"an occurrence called off to oneself", nil, []message{ownSeries, got(system, "CANCEL", toOneself, newer, on9)}},

		{"accepted", nil, []message{ownEvent, got(eve, "REPLY", accepted, version, at9)}},
		{"accepted a series", nil, []message{ownSeries, got(eve, "REPLY", accepted, version, at9, weekly)}},
		{"declined", nil, []message{ownEvent, got(eve, "REPLY", accepted, version, at9), got(eve, "REPLY", declined, version, at9)}},
		{"answered for another", nil, []message{ownEvent, got(stranger, "REPLY", declined, version, at9)}},
		{"answered by who is not invited", nil, []message{ownEvent, got(ann, "REPLY", toBob, "ATTENDEE;PARTSTAT=ACCEPTED:", ann, "\n", version, at9)}},
		{"answered by who acts for an attendee", nil, []message{ownEvent, got(ann, "REPLY", toBob, "ATTENDEE;SENT-BY=\"", ann, "\";PARTSTAT=DECLINED:", eve, "\n", version, at9)}},
		{"delegated, and answered by the delegate", nil, []message{ownEvent, got(eve, "REPLY", toBob, "ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"", ann, "\":", eve, "\n", version, at9),
			got(ann, "REPLY", toBob, "ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-FROM=\"", eve, "\":", ann, "\n", version, at9)}},
		{"an occurrence answered", nil, []message{ownSeries, got(eve, "REPLY", declined, version, on9)}},
		{"an occurrence answered twice", nil, []message{ownSeries, got(eve, "REPLY", accepted, version, at9, weekly), got(eve, "REPLY", declined, version, on9), got(eve, "REPLY", accepted, newer, on9)}},
		{"an old answer", nil, []message{sent("REQUEST", byBob, newer, at9), got(eve, "REPLY", declined, version, at9)}},
		{"an answer to nothing", nil, []message{got(eve, "REPLY", declined, version, at9)}},

		{"another time proposed", nil, []message{ownEvent, got(eve, "COUNTER", accepted, version, "DTSTART:20261203T090000Z\nDTEND:20261203T100000Z\n")}},
		{"another time proposed twice", nil, []message{ownEvent, got(eve, "COUNTER", accepted, version, "DTSTART:20261203T090000Z\nDTEND:20261203T100000Z\n"), got(eve, "COUNTER", declined, version, "DTSTART:20261204T090000Z\nDTEND:20261204T100000Z\n")}},
		{"another time proposed of an occurrence", nil, []message{ownSeries, got(eve, "COUNTER", accepted, version, moved)}},
		{"a proposal turned down", map[string]string{"freebusy_offers": "P1D"}, []message{series, sent("COUNTER", accepts, version, "DTSTART:20261203T090000Z\nDTEND:20261203T100000Z\n"), got(ann, "DECLINECOUNTER", byAnn, newer, "DTSTART:20261203T090000Z\nDTEND:20261203T100000Z\n")}},

		{"added, and asked for", nil, []message{series, got(ann, "ADD", byAnn, newer, "DTSTART:20261211T090000Z\nDTEND:20261211T100000Z\n")}},
		{"added", map[string]string{"add_method_response": "add"}, []message{series, got(ann, "ADD", byAnn, newer, "DTSTART:20261211T090000Z\nDTEND:20261211T100000Z\n")}},
		{"added, and passed over", map[string]string{"add_method_response": "ignore"}, []message{series, got(ann, "ADD", byAnn, newer, "DTSTART:20261211T090000Z\nDTEND:20261211T100000Z\n")}},
		{"asked for", map[string]string{"event_refreshing": "always"}, []message{ownEvent, got(eve, "REFRESH", toBob, "ATTENDEE:", eve, "\n", version)}},

		{"free/busy told", nil, []message{ownEvent, got(eve, "REPLY", accepted, version, at9), got(eve, "REPLY VFREEBUSY", toBob, "ATTENDEE:", eve, "\nDTSTAMP:20261122T110000Z\nDTSTART:20261202T093000Z\nDTEND:20261205T000000Z\nFREEBUSY;FBTYPE=BUSY:20261203T090000Z/20261203T100000Z\n")}},
		{"free/busy published", nil, []message{series, got(ann, "PUBLISH VFREEBUSY", "ORGANIZER:", ann, "\nDTSTAMP:20261122T110000Z\nDTSTART:20261205T000000Z\nDTEND:20261212T000000Z\nFREEBUSY;FBTYPE=BUSY:20261208T090000Z/20261208T100000Z\n")}},
		{"free/busy asked for", map[string]string{"freebusy_sharing": "share"}, []message{ownEvent, got(eve, "REQUEST VFREEBUSY", "ORGANIZER:", eve, "\nATTENDEE:", bob, "\nDTSTAMP:20261122T110000Z\nDTSTART:20261205T000000Z\nDTEND:20261212T000000Z\n")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t)
			settings := filepath.Join(r.dir, "preferences")
			for name, value := range c.wants {
				put(t, filepath.Join(settings, bob, name), value)
			}
			var err error
			if r.wants, err = (&preferences.Dir{Path: settings}).Load(bob); err != nil {
				t.Fatal(err)
			}
			for _, m := range c.messages {
				r.handle(m)
			}
			ours := r.whole()
			if peer := os.Getenv("IMIP_PEER"); os.Getenv("IMIP_AGENT_FULL") != "" && isThere(peer) {
				original := &room{T: t, store: original(t, peer, c.wants, c.messages), wants: r.wants}
				found[c.name] = original.whole()
				if !*record && found[c.name] != want[c.name] {
					t.Errorf("the original leaves\n%s\nand was recorded with\n%s", found[c.name], want[c.name])
				}
			}
			if !*record && ours != want[c.name] {
				t.Errorf("ours leaves\n%s\nand the original\n%s", ours, want[c.name])
			}
		})
	}
	if *record {
		var text strings.Builder
		var names []string
		for name := range found {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			text.WriteString("== " + name + "\n" + found[name])
		}
		put(t, recorded, text.String())
	}
}

// recordings are what was recorded, by name.
func recordings(t *testing.T) map[string]string {
	text, err := os.ReadFile(recorded)
	if err != nil && !(*record && errors.Is(err, fs.ErrNotExist)) {
		t.Fatal(err)
	}
	all := map[string]string{}
	for part := range strings.SplitSeq("\n"+string(text), "\n== ") {
		if name, state, ok := strings.Cut(part, "\n"); ok {
			all[name] = strings.TrimSuffix(state, "\n") + "\n"
		}
	}
	return all
}

// whole returns the state with all that objects say, whatever the order of their properties.
func (r *room) whole() string {
	r.Helper()
	lines := r.state()
	err := r.store.View(r.Context(), bob, func(tx stores.Tx) error {
		for key, err := range tx.Keys() {
			if err != nil {
				return err
			}
			text, err := tx.Get(key)
			if err != nil {
				return err
			}
			o, err := calendar.DecodeObject(text)
			if err != nil {
				return err
			}
			says := strings.Split(strings.ReplaceAll(strings.TrimSpace(string(o.Encode())), "\r\n ", ""), "\r\n")
			slices.Sort(says[1 : len(says)-1])
			lines = append(lines, "object "+strings.Join(says[1:len(says)-1], " "))
		}
		return nil
	})
	if err != nil {
		r.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// original gives the messages to the original, and returns the store that it leaves.
func original(t *testing.T, peer string, wants map[string]string, messages []message) stores.Store {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"store", "static", "prefs", "journal"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range wants {
		put(t, filepath.Join(dir, "prefs", bob, name), value)
	}
	for _, m := range messages {
		program, method, component := "imip_person_outgoing", m.method, "VEVENT"
		args := []string{}
		if m.side == Received {
			program, args = "imip_person", []string{"-d", "-o", calendar.URI(bob).Address()}
		}
		uid := "meeting"
		if name, ok := strings.CutSuffix(m.method, " VFREEBUSY"); ok {
			method, component, uid = name, "VFREEBUSY", "busy"
		}
		text := "From: " + calendar.URI(m.from).Address() + "\nTo: bob@example.com\nMIME-Version: 1.0\nContent-Type: text/calendar; charset=utf-8; method=" + method + "\n\n" +
			"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.com//test//EN\nMETHOD:" + method + "\nBEGIN:" + component + "\nUID:" + uid + "\n" + m.lines + "END:" + component + "\nEND:VCALENDAR\n"
		cmd := exec.Command(filepath.Join(peer, "bin/faketime"), append([]string{now.Format(time.DateTime), filepath.Join(peer, "bin", program),
			"-S", filepath.Join(dir, "store"), "-P", filepath.Join(dir, "static"), "-p", filepath.Join(dir, "prefs"), "-j", filepath.Join(dir, "journal")}, args...)...)
		cmd.Env = append(os.Environ(), "TZ=UTC")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("the original: %v\n%s", err, out)
		}
	}
	store, err := file.Open(file.Options{
		Dir: filepath.Join(dir, "store"), PublishDir: filepath.Join(dir, "static"), LockTimeout: time.Second,
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// put writes a file, and the directories that it is in.
func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// isThere reports whether the original is installed in a directory.
func isThere(peer string) bool {
	_, err := os.Stat(filepath.Join(peer, "bin"))
	return peer != "" && err == nil
}
