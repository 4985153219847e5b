package file

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/storestest"
	"imip-agent/tests/clock"
	"imip-agent/tests/skip"
)

// original starts a Python program of a few lines with the original's store as s and paul
// as user, in the place where the original is installed.
func original(t *testing.T, s *Store, lines ...string) (*exec.Cmd, *bufio.Reader, io.WriteCloser) {
	t.Helper()
	dir := os.Getenv("IMIP_PEER")
	if dir == "" {
		dir = "/var/tmp/imip-peer"
	}
	python := filepath.Join(dir, "bin/python")
	if _, err := os.Stat(python); err != nil {
		skip.Because(t, "the original is not installed")
	}
	program := append([]string{
		"import sys, os, time",
		"from imiptools.stores.file import Store",
		fmt.Sprintf("s, user = Store(%q), %q", s.options.Dir, paul),
		"def say(text): print text; sys.stdout.flush()",
	}, lines...)
	c := exec.CommandContext(t.Context(), python, "-c", strings.Join(program, "\n"))
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go breakEmptyLock(t, s)
	return c, bufio.NewReader(out), in
}

// breakEmptyLock removes paul's lock when nobody has stood in it for long, until the test ends. The original
// leaves such a lock when ours is given back at the wrong moment, and waits for it for ever if
// none of ours breaks it a minute later.
func breakEmptyLock(t *testing.T, s *Store) {
	const long = 10 * time.Second
	path := filepath.Join(s.options.Dir, string(paul), lockDir)
	for {
		select {
		case <-t.Context().Done():
			return
		case <-time.After(time.Second):
		}
		if info, err := os.Stat(path); err == nil && clock.Kernel().Sub(info.ModTime()) > long {
			os.Remove(path) // only if it is empty
		}
	}
}

func wantLine(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil || line != want+"\n" {
		t.Fatalf("the original says %q, %v; want %q", line, err, want)
	}
}

// We wait while the original holds a user's lock, and break it once it has died with it.
func TestOriginalHolds(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	c, out, in := original(t, s,
		"s.acquire_lock(user)",
		"say('locked')",
		"sys.stdin.readline()",
		"s.queue_request(user, 'theirs')",
		"s.release_lock(user)",
		"s.acquire_lock(user)",
		"say('locked again')",
		"time.sleep(600)")
	wantLine(t, out, "locked")
	done := make(chan error, 1)
	go func() {
		done <- s.Update(bg, paul, func(tx stores.Tx) error {
			requests, err := tx.Requests()
			if err != nil {
				return err
			}
			return tx.SetRequests(append(requests, stores.Request{ID: stores.ID{UID: "ours"}}))
		})
	}()
	select {
	case err := <-done:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	io.WriteString(in, "\n")
	// Both want the lock now; if the original has it again at once, it has to die for us to
	// get it. Its lock counts for a minute more, unless we say that this has passed.
	wantLine(t, out, "locked again")
	c.Process.Kill()
	c.Wait()
	path := filepath.Join(s.options.Dir, string(paul), lockDir)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	setAge(t, path, old)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := read(t, s.RequestsPath(paul)); got != "theirs\t\t\nours\t\t\n" {
		t.Errorf("got %q", got)
	}
}

// The original waits while we hold the lock.
func TestOriginalWaits(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	userDir(t, s)
	var c *exec.Cmd
	var out *bufio.Reader
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		c, out, _ = original(t, s, "say('ready')", "s.queue_request(user, 'theirs')", "say('done')")
		wantLine(t, out, "ready")
		time.Sleep(100 * time.Millisecond)
		if _, err := os.Stat(s.RequestsPath(paul)); err == nil {
			t.Error("the original did not wait")
		}
		return tx.SetRequests([]stores.Request{{ID: stores.ID{UID: "ours"}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	wantLine(t, out, "done")
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	if got := read(t, s.RequestsPath(paul)); got != "ours\t\t\ntheirs\t\t\n" {
		t.Errorf("got %q", got)
	}
}

// The original reads what we have written, of every kind, and is not disturbed by UIDs
// that only we can store, nor by what a crash has left.
func TestOriginalReads(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	fill(t, s)
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		uid := strings.Repeat("x", 300)
		return tx.Put(stores.Key{ID: stores.ID{UID: uid}}, storestest.Event(uid, "", "x"))
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.options.Dir, string(paul), stagingDir, "0"), "half a ta")
	c, out, _ := original(t, s,
		"say(s.get_users() == [user])",
		"names = sorted(s.get_events(user))",
		"say(names)",
		"say([s.get_event(user, name) is not None for name in names])",
		"say((s.get_recurrences(user, 'u1'), s.get_cancelled_events(user), s.get_cancelled_recurrences(user, 'u1')))",
		"say(s.get_recurrence(user, 'u1', '20261202') is not None)",
		"say((s.get_counters(user, 'u1'), s.get_counters(user, 'u1', '20261202')))",
		"say(s.get_requests(user))",
		"say([' '.join(p.as_tuple(strings_only=True)[:3]) for p in s.get_freebusy(user)])",
		"say([p.uid for p in s.get_freebusy_offers(user)])",
		"say(list(s.get_freebusy_others(user)))",
		"say([p.uid for p in s.get_freebusy_for_other(user, s.get_freebusy_others(user)[0])])",
		"say(s.get_freebusy_providers(user))")
	long := uidName(strings.Repeat("x", 300))
	for _, want := range []string{
		"True",
		fmt.Sprintf("['__uid__a%%2Fb', '%s', 'u1']", long),
		"[True, True, True]",
		"(['20261202', '20261203'], ['u2'], ['20261203'])",
		"True",
		"(['mailto:vincent.vole@example.com'], ['mailto:vincent.vole@example.com'])",
		"[(u'u1', u'20261202', u'COUNTER')]",
		"[u'20261202T090000Z 20261202T100000Z u1']",
		"[u'u1']",
		"['mailto:vincent.vole@example.com']",
		"[u'u1']",
		"[(u'u1', None)]",
	} {
		wantLine(t, out, want)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

// Theirs and ours add to one user's queue at the same time, and nothing is lost.
func TestBesideOriginal(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	userDir(t, s) // of two that make it at once, theirs may fail
	c, out, _ := original(t, s,
		"say('ready')",
		"for i in range(4):",
		"    s.acquire_lock(user)",
		"    try:",
		"        s.queue_request(user, 'theirs-%d' % i)",
		"    finally:",
		"        s.release_lock(user)",
		"say('done')")
	wantLine(t, out, "ready")
	const ours = 40
	for i := range ours {
		if err := addEvent(s, paul, fmt.Sprint("ours-", i)); err != nil {
			t.Fatal(err)
		}
	}
	wantLine(t, out, "done")
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	if got := strings.Count(read(t, s.RequestsPath(paul)), "\n"); got != ours+4 {
		t.Errorf("%d requests, want %d", got, ours+4)
	}
}
