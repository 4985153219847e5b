package service

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"imip-agent/tests/skip"
)

// needFull skips a test that takes long, unless everything is to be tested.
func needFull(t *testing.T) {
	t.Helper()
	if !full {
		skip.Because(t, "takes long: set IMIP_AGENT_FULL=1")
	}
}

// inbound is an invitation of somebody elsewhere to a user.
func inbound(user, uid string, sequence int) string {
	text := strings.ReplaceAll(event("organizer@elsewhere.example", "REQUEST", uid, sequence), "other@example.com", user)
	return fmt.Sprintf("Message-ID: <%s-%d@elsewhere.example>\r\nSubject: %[1]s\r\n", uid, sequence) + text
}

// accepts delivers a mail by LMTP, until it is accepted, and returns how often it was handed in.
func (s *lmtpService) accepts(text, to string) (tries int) {
	for {
		tries++
		answers, err := s.deliver("organizer@elsewhere.example", text, to)
		if err == nil && answers[0] == "250" {
			return tries
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// The service is killed again and again while mail comes by LMTP: each mail is in a mailbox, and each invitation in the
// calendar. A mail is there twice only if the service was killed between the mailbox's answer and its own.
func TestKilledUnderLoadByLMTP(t *testing.T) {
	skip.OnOtherDays(t)
	needFull(t)
	kills, users, lasts := 15, 6, time.Duration(0)
	if long {
		kills, users, lasts = 60, 20, 2*time.Minute
	}
	s := furnishLMTP(t, "")
	var mu sync.Mutex
	accepted := map[string]string{} // mails, with their users
	again := 0
	ended := make(chan struct{})
	var senders sync.WaitGroup
	for u := range users {
		senders.Go(func() {
			for n := 0; ; n++ {
				uid := fmt.Sprintf("mail-%d-%d-", u, n)
				tries := s.accepts(inbound(user(u), uid, 0), user(u))
				mu.Lock()
				accepted[uid] = user(u)
				again += tries - 1
				mu.Unlock()
				select {
				case <-ended:
					return
				default:
				}
			}
		})
	}
	random := rand.New(rand.NewPCG(5, 6))
	killed := 0
	for began := time.Now(); killed < kills || time.Since(began) < lasts; killed++ {
		time.Sleep(time.Duration(100+random.IntN(300)) * time.Millisecond)
		s.crash()
	}
	close(ended)
	senders.Wait()
	s.ends()
	s.mailbox.Settle()
	copies := map[string]int{}
	for _, mail := range s.mailbox.Taken() {
		_, rest, _ := strings.Cut(mail.Text, "UID:mail-")
		uid, _, _ := strings.Cut(rest, "\r\n")
		copies["mail-"+uid]++
	}
	twice := 0
	for uid, user := range accepted {
		if !s.has("mailto:"+user, "objects", uid) {
			t.Errorf("%s of %s is not in the calendar", uid, user)
		}
		if copies[uid] == 0 {
			t.Errorf("%s of %s is not in the mailbox", uid, user)
		}
		twice += max(0, copies[uid]-1)
	}
	t.Logf("%d mails, %d handed in again, %d copies too many; killed %d times", len(accepted), again, twice, killed)
	if twice > killed*users { // one of each user is on its way at a time
		t.Errorf("%d copies too many", twice)
	}
	if rejected, _ := filepath.Glob(filepath.Join(string(s.room), "rejected", "*")); len(rejected) > 0 {
		t.Errorf("rejected: %q", rejected)
	}
}

// Mail of all kinds comes for an hour: goroutines, open files and memory are in the end what they were after a while.
func TestSoak(t *testing.T) {
	skip.OnOtherDays(t)
	needFull(t)
	lasts := 10 * time.Second
	if long {
		lasts = time.Hour
	}
	s := furnishLMTP(t, "")
	if status := s.kill(15); status != 0 {
		t.Fatalf("status %d: %s", status, s.stderr)
	}
	s.configure("METRICS_ADDRESS = '" + s.metrics() + "'\n")
	s.prepareRun()
	// Users move and call off the same events over and over, so that their calendars do not grow.
	const users, events = 10, 5
	round := 0
	work := func(lasts time.Duration) {
		var senders sync.WaitGroup
		first := round
		for u := range users {
			senders.Go(func() {
				began := time.Now()
				for n := first; n == first || time.Since(began) < lasts; n++ {
					for e := range events {
						uid := fmt.Sprint("event-", e)
						for k, method := range []string{"REQUEST", "REQUEST", "CANCEL"} {
							if err := s.send(user(u), event(user(u), method, uid, 3*n+k)); err != nil {
								t.Error(err)
							}
						}
					}
					s.accepts(inbound(user(u), fmt.Sprint("mail-", u), n), user(u))
				}
			})
		}
		senders.Wait()
		round += 1_000_000 // whatever numbers they have come to
		s.until("all is handled", s.drained)
		s.mailbox.Forget()
	}
	type level struct{ goroutines, files, memory float64 }
	look := func() level {
		values, _ := s.values()
		return level{values["go_goroutines"], values["process_open_fds"], values["process_resident_memory_bytes"]}
	}
	work(lasts / 10)
	before := look()
	for range 9 {
		work(lasts / 10)
		t.Logf("%+v", look())
	}
	var after level
	s.until("goroutines and files are what they were", func() bool {
		after = look()
		return after.goroutines <= before.goroutines+10 && after.files <= before.files+5
	})
	t.Logf("from %+v to %+v", before, after)
	if after.memory > max(2*before.memory, mostMemory) {
		t.Errorf("it takes %.0f octets of memory, after %.0f", after.memory, before.memory)
	}
	s.ends()
	s.wantClean()
}
