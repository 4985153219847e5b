package calendars_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-webdav"
	"github.com/emersion/go-webdav/caldav"
	"github.com/google/go-cmp/cmp"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/tests/bench"
	"imip-agent/tests/room"
	"imip-agent/tests/skip"
	"imip-agent/tools/migrate/calendars"
)

// exported is a generated store with a user's events as a vdir.
func exported(t *testing.T) (store stores.Store, user calendar.URI, vdir string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	if err := bench.GenerateStore(dir, bench.Size{Users: 1, Events: 60, Seed: 7}); err != nil {
		t.Fatal(err)
	}
	store, user = open(t, dir), bench.User(0)
	out := t.TempDir()
	x := &calendars.Export{Form: "vdir", Dir: out, NoInvite: true, Now: bench.Now}
	done, err := x.Run(t.Context(), store)
	if err != nil || len(done.Issues) > 0 || done.Events == 0 {
		t.Fatalf("%d events exported: %v %v", done.Events, err, done.Issues)
	}
	return store, user, filepath.Join(out, user.Address())
}

// occurrences says when events take place, by UID: those of the whole event, less those
// that stand apart, and the latter. What is cancelled takes place never.
func occurrences(t *testing.T, objects []*calendar.Object) map[string][]string {
	t.Helper()
	o := calendar.PeriodOptions{Zone: time.UTC, Now: bench.Now, Until: bench.Now.AddDate(0, 3, 0)}
	apart := make(map[string]map[time.Time]bool)
	for _, object := range objects {
		if object.Has("RECURRENCE-ID") {
			at, err := object.RecurrenceInstant(time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			if apart[object.UID()] == nil {
				apart[object.UID()] = make(map[time.Time]bool)
			}
			apart[object.UID()][at.UTC()] = true
		}
	}
	found := make(map[string][]string)
	for _, object := range objects {
		uid := object.UID()
		if found[uid] == nil {
			found[uid] = []string{}
		}
		if object.Status() == "CANCELLED" {
			continue
		}
		spans, _, err := object.Periods(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range spans {
			if !object.Has("RECURRENCE-ID") && apart[uid][s.Start.UTC()] {
				continue
			}
			found[uid] = append(found[uid], s.Start.UTC().Format(time.RFC3339)+"/"+s.End.UTC().Format(time.RFC3339)+" "+object.Summary())
		}
	}
	for uid := range found {
		slices.Sort(found[uid])
	}
	return found
}

// storedOccurrences says when the events of a store take place.
func storedOccurrences(t *testing.T, store stores.Store, user calendar.URI) map[string][]string {
	t.Helper()
	var objects []*calendar.Object
	cancelled := make(map[string]bool)
	err := store.View(t.Context(), user, func(tx stores.Tx) error {
		for k, err := range tx.Keys() {
			if err != nil {
				return err
			}
			content, err := tx.Get(k)
			if err != nil {
				return err
			}
			object, err := calendar.DecodeObject(content)
			if err != nil {
				return err
			}
			if k.Part == stores.Cancelled {
				// As a calendar says it, on the text.
				text := strings.Replace(string(object.Encode()), "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\nSTATUS:CANCELLED\r\n", 1)
				if object, err = calendar.DecodeObject([]byte(text)); err != nil {
					return err
				}
				cancelled[k.UID] = true
			}
			objects = append(objects, object)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(cancelled) == 0 {
		t.Error("the store has nothing that is cancelled, which it should for this test")
	}
	return occurrences(t, objects)
}

// TestRadicale has Radicale serve an exported vdir, and reads every event from it by
// CalDAV.
func TestRadicale(t *testing.T) {
	program, err := exec.LookPath("radicale")
	if err != nil {
		skip.Because(t, "needs Radicale: install the package radicale")
	}
	store, user, vdir := exported(t)
	folder := t.TempDir()
	collection := filepath.Join(folder, "collection-root", user.Address(), "calendar")
	if err := os.MkdirAll(filepath.Dir(collection), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(vdir, collection); err != nil {
		t.Fatal(err)
	}
	// Radicale has the name of a collection in a file of its own.
	if err := os.Remove(filepath.Join(collection, "displayname")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(collection, ".Radicale.props"), []byte(`{"tag": "VCALENDAR"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	config := filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf("[server]\nhosts = %s\n[auth]\ntype = none\n[rights]\ntype = owner_only\n[storage]\nfilesystem_folder = %s\n", address, folder)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	server := exec.Command(program, "--config", config)
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			_ = server.Process.Kill() // it may have ended
			_ = server.Wait()
		}
	}
	defer stop()
	client, err := caldav.NewClient(webdav.HTTPClientWithBasicAuth(&http.Client{Timeout: 5 * time.Minute}, user.Address(), "x"), "http://"+address+"/")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var served []caldav.CalendarObject
	for {
		served, err = client.QueryCalendar(ctx, "/"+user.Address()+"/calendar/", &caldav.CalendarQuery{
			CompRequest: caldav.CalendarCompRequest{Name: "VCALENDAR", AllProps: true, AllComps: true},
			CompFilter:  caldav.CompFilter{Name: "VCALENDAR", Comps: []caldav.CompFilter{{Name: "VEVENT"}}},
		})
		var refused *net.OpError
		if !errors.As(err, &refused) || ctx.Err() != nil {
			break
		}
		time.Sleep(50 * time.Millisecond) // until it listens
	}
	if err != nil {
		stop()
		t.Fatalf("%v\n%s", err, log)
	}
	var objects []*calendar.Object
	for _, item := range served {
		var text bytes.Buffer
		if err := ical.NewEncoder(&text).Encode(item.Data); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, decoded(t, text.String())...)
	}
	if diff := cmp.Diff(storedOccurrences(t, store, user), occurrences(t, objects)); diff != "" {
		stop()
		t.Errorf("served (-stored +served): %s\n%s", diff, log)
	}
}

// decoded returns the events of a calendar.
func decoded(t *testing.T, text string) []*calendar.Object {
	t.Helper()
	calendars, err := calendar.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	var objects []*calendar.Object
	for _, c := range calendars {
		for _, e := range c.Events {
			if e.Err != nil {
				t.Fatal(e.Err)
			}
			objects = append(objects, e.Object)
		}
	}
	return objects
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := room.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// TestVdirsyncer has vdirsyncer take an exported vdir elsewhere.
func TestVdirsyncer(t *testing.T) {
	program, err := exec.LookPath("vdirsyncer")
	if err != nil {
		skip.Because(t, "needs vdirsyncer: install the package vdirsyncer")
	}
	store, user, vdir := exported(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	text := fmt.Sprintf("[general]\nstatus_path = \"%[1]s/status/\"\n[pair calendar]\na = \"from\"\nb = \"to\"\ncollections = [\"from a\"]\nmetadata = [\"displayname\"]\n"+
		"[storage from]\ntype = \"filesystem\"\npath = \"%[2]s\"\nfileext = \".ics\"\n[storage to]\ntype = \"filesystem\"\npath = \"%[1]s/to\"\nfileext = \".ics\"\n",
		dir, filepath.Dir(vdir))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{{"discover"}, {"sync"}, {"metasync"}} {
		cmd := exec.Command(program, append([]string{"-c", config}, words...)...)
		cmd.Stdin = strings.NewReader(strings.Repeat("y\n", 10)) // it asks before it makes a collection
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", words, err, out)
		}
	}
	taken := filepath.Join(dir, "to", user.Address())
	// It gives files names of its own.
	contents := func(dir string) []string { return slices.Sorted(maps.Values(read(t, dir))) }
	if diff := cmp.Diff(contents(vdir), contents(taken)); diff != "" {
		t.Errorf("(-exported +taken): %s", diff)
	}
	var objects []*calendar.Object
	for name, content := range read(t, taken) {
		if strings.HasSuffix(name, ".ics") {
			objects = append(objects, decoded(t, content)...)
		}
	}
	if diff := cmp.Diff(storedOccurrences(t, store, user), occurrences(t, objects)); diff != "" {
		t.Errorf("(-stored +taken): %s", diff)
	}
}

// read returns the contents of the files in a directory, by name.
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[entry.Name()] = string(content)
	}
	return found
}
