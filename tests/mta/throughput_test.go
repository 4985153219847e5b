package mta

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// load is what TestThroughput sends: messages from as many users as stand here, each
// user's first of two an invitation, over so many connections at a time. A
// connection carries a few messages, fewer than Exim takes without putting
// them off until its next queue run.
const (
	loadMessages    = 1000
	loadUsers       = 20
	loadConnections = 8
	loadPerSession  = 5
)

// figures are what a run of the load took.
type figures struct {
	accepted  time.Duration // until the last message was taken from the clients
	queued    int           // messages in the queue then
	delivered time.Duration // until the recipients had everything
	handled   time.Duration // until the queue was empty
}

func (f figures) String() string {
	rate := func(d time.Duration) float64 { return loadMessages / d.Seconds() }
	return fmt.Sprintf("accepted %.1f/s, delivered %.1f/s, handled %.1f/s (%.1f s in all); in the queue when the last was accepted: %d",
		rate(f.accepted), rate(f.delivered), rate(f.handled), f.handled.Seconds(), f.queued)
}

// TestThroughput sends as fast as the server takes it, with the store on the disk.
// With IMIP_AGENT_MTA_ORIGINAL=1 it then does the same with the original
// program, which takes some minutes.
func TestThroughput(t *testing.T) {
	original := "/var/tmp/imip-peer"
	if dir := os.Getenv("IMIP_PEER"); dir != "" {
		original = dir
	}
	systems := map[string]func(t *testing.T, program, disk, share string) *server{
		"postfix": newPostfix,
		"exim": func(t *testing.T, program, disk, share string) *server {
			return newExim(t, "split", program, disk, share)
		},
	}
	for name, start := range systems {
		t.Run(name, func(t *testing.T) {
			need(t, name)
			s := start(t, "", t.TempDir(), "")
			f := s.load(t)
			t.Logf("ours: %v", f)
			s.complete(t)
			s.sound(t)
		})
		if os.Getenv("IMIP_AGENT_MTA_ORIGINAL") == "" {
			continue
		}
		t.Run(name+" original", func(t *testing.T) {
			need(t, name)
			s := start(t, original+"/bin/imip_person_outgoing", t.TempDir(), original)
			t.Logf("original: %v", s.load(t))
			s.complete(t)
		})
	}
}

func loadUser(i int) string  { return fmt.Sprintf("user%02d@example.com", i%loadUsers) }
func loadGuest(i int) string { return fmt.Sprintf("guest%d@host%d.example.org", i, i%7) }

// invites reports whether message i is an invitation.
func invites(i int) bool { return i/loadUsers%2 == 0 }

// load sends all messages and waits until they have been handled.
func (s *server) load(t *testing.T) figures {
	t.Helper()
	var f figures
	start := time.Now()
	var next sync.Mutex
	var wg sync.WaitGroup
	sent := 0
	errs := make(chan error, loadConnections)
	for range loadConnections {
		wg.Go(func() {
			for {
				next.Lock()
				first := sent
				sent += loadPerSession
				next.Unlock()
				if first >= loadMessages {
					return
				}
				if err := s.session(first); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	f.accepted = time.Since(start)
	select {
	case err := <-errs:
		t.Fatalf("sending: %v\n%s", err, s.describe(t))
	default:
	}
	f.queued, _ = strconv.Atoi(s.length(t))

	for f.handled == 0 {
		if f.delivered == 0 && len(s.sink.all()) >= loadMessages {
			f.delivered = time.Since(start)
		}
		if s.length(t) == "0" {
			f.handled = time.Since(start)
		}
		if time.Since(start) > 30*time.Minute {
			t.Fatalf("the queue does not become empty\n%s", s.describe(t))
		}
		time.Sleep(100 * time.Millisecond)
	}
	if f.delivered == 0 {
		f.delivered = time.Since(start)
	}
	return f
}

// session sends a few messages over one connection.
func (s *server) session(first int) error {
	c, err := connect(s.submission, "")
	if err != nil {
		return err
	}
	defer c.Close()
	for i := first; i < min(first+loadPerSession, loadMessages); i++ {
		user, id := loadUser(i), fmt.Sprintf("load-%d", i)
		message := letter(user, id, loadGuest(i))
		if invites(i) {
			message = invitation(user, user, id, i/loadUsers%24, loadGuest(i))
		}
		if err := transact(c, user, []string{loadGuest(i)}, message); err != nil {
			return err
		}
	}
	return c.Quit()
}

// complete fails the test unless everything was delivered once and handled.
func (s *server) complete(t *testing.T) {
	t.Helper()
	for i := range loadMessages {
		if n := len(s.sink.to(loadGuest(i))); n != 1 {
			t.Errorf("%s got %d messages", loadGuest(i), n)
		}
	}
	for u := range loadUsers {
		user := loadUser(u)
		dir := store + "/mailto:" + user
		objects := strings.Fields(s.run(t, `ls "$1/objects"`, dir))
		busy := strings.Count(s.read(t, dir+"/freebusy"), "\n")
		if want := loadMessages / loadUsers / 2; len(objects) != want || busy != want {
			t.Errorf("%s has %d objects and %d busy periods, want %d of each", user, len(objects), busy, want)
		}
	}
}

// sound fails the test if our checker finds anything in the store.
func (s *server) sound(t *testing.T) {
	t.Helper()
	out, err := s.try("imip-agent check")
	if err != nil {
		t.Errorf("imip-agent check: %v: %s", err, out)
	}
}
