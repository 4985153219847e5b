package service

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/skip"
)

// The service is killed again and again while mail arrives by LMTP, several for each user at once. A mail system hands in again what was not answered: each
// mail is in the mailbox, and each event in the store, once. A mail that the mailbox server had taken when the service was
// killed before it could note that comes twice, and is the same (RFC 5321 section 4.5.3.2.6).
func TestLMTPKilled(t *testing.T) {
	skip.OnOtherDays(t)
	kills, users := 6, 4
	if full {
		kills, users = 40, 10
	}
	s := furnishLMTP(t, "")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	const atOnce = 3
	handed := make([]int, users*atOnce) // mails that were answered with 250
	var wg sync.WaitGroup
	for i := range handed {
		u := i / atOnce
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprint("mail-", i, "-", n)
				text := strings.ReplaceAll(plain, "hello", name)
				if n%2 == 1 {
					text = strings.Replace(invitation("event-"+name, user(u)), "MIME-Version", "Subject: "+name+"\r\nMIME-Version", 1)
				}
				for {
					answers, err := s.deliver("paul@example.org", text, user(u))
					if err == nil && answers[0] == "250" {
						break
					}
					time.Sleep(5 * time.Millisecond)
				}
				handed[i] = n + 1
			}
		})
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range kills {
		time.Sleep(time.Duration(50+random.IntN(250)) * time.Millisecond)
		if status := s.kill(syscall.SIGKILL); status != -int(syscall.SIGKILL) {
			t.Errorf("the service has ended by itself with status %d: %s", status, s.stderr)
		}
		s.mailbox.Settle()
		s.run()
	}
	stop()
	wg.Wait()
	if status := s.kill(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d: %s", status, s.stderr)
	}
	found := map[string][]string{} // mails by user and subject
	for _, m := range s.mailbox.Taken() {
		_, subject, _ := strings.Cut(m.Text, "Subject: ")
		subject, _, _ = strings.Cut(subject, "\r\n")
		found[m.To+" "+subject] = append(found[m.To+" "+subject], m.Text)
	}
	all, twice := 0, 0
	for i, mails := range handed {
		u := i / atOnce
		for n := range mails {
			name := fmt.Sprint("mail-", i, "-", n)
			texts := found[user(u)+" "+name]
			if len(texts) == 0 {
				t.Errorf("%s of user %d is not in the mailbox", name, u)
				continue
			}
			for _, again := range texts[1:] {
				twice++
				if again != texts[0] {
					t.Errorf("handed over again, a mail differs: %q, %q", texts[0], again)
				}
			}
			if n%2 == 1 && (!s.has("mailto:"+user(u), "objects", "event-"+name) || strings.Contains(texts[0], "X-IMIP-Agent") != true) {
				t.Errorf("the event of %s of user %d is not stored, or its mail has no summary", name, u)
			}
		}
		all += mails
	}
	t.Logf("%d mails, killed %d times, %d twice", all, kills, twice)
	if all == 0 || twice > kills*len(handed) {
		t.Errorf("%d mails of %d came twice", twice, all)
	}
	if rejected, _ := filepath.Glob(filepath.Join(string(s.service.room), "rejected", "*")); len(rejected) > 0 {
		t.Errorf("rejected: %q", rejected)
	}
}

// The service is killed again and again while a room is invited, and the invitations are cancelled, with SPOOL_FIRST. A mail system hands
// in again what was not answered. Each invitation is answered, which one that its cancellation had overtaken would not be. An answer that the
// mail server had taken when the service was killed before it could note that comes twice, and is the same.
func TestLMTPSpoolFirstKilled(t *testing.T) {
	skip.OnOtherDays(t)
	kills, organizers := 6, 3
	if full {
		kills, organizers = 40, 6
	}
	s := furnishLMTP(t, "SPOOL_FIRST = True\n")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	handed := make([]int, organizers) // invitations that were cancelled
	uid := func(i, n int) string { return fmt.Sprintf("room-%d-%d", i, n) }
	var wg sync.WaitGroup
	for i := range organizers {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				for sequence, method := range []string{"REQUEST", "CANCEL"} {
					text := strings.ReplaceAll(event(user(i), method, uid(i, n), sequence), "other@example.com", room)
					for {
						answers, err := s.deliver(user(i), text, room)
						if err == nil && answers[0] == "250" {
							break
						}
						time.Sleep(5 * time.Millisecond)
					}
				}
				handed[i] = n + 1
			}
		})
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range kills {
		time.Sleep(time.Duration(50+random.IntN(250)) * time.Millisecond)
		if status := s.kill(syscall.SIGKILL); status != -int(syscall.SIGKILL) {
			t.Errorf("the service has ended by itself with status %d: %s", status, s.stderr)
		}
		s.others.Settle()
		s.run()
	}
	stop()
	wg.Wait()
	s.until("all is handled", s.drained)
	if status := s.kill(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d: %s", status, s.stderr)
	}
	found := map[string][]string{} // answers by the event
	for _, m := range s.others.Taken() {
		_, name, _ := strings.Cut(m.Text, "\r\nUID:")
		name, _, _ = strings.Cut(name, "\r\n")
		found[name] = append(found[name], m.Text)
	}
	all, twice := 0, 0
	for i, invitations := range handed {
		for n := range invitations {
			answers := found[uid(i, n)]
			if len(answers) == 0 || !strings.Contains(answers[0], "METHOD:REPLY") {
				t.Errorf("%s is not answered: %q", uid(i, n), answers)
				continue
			}
			for _, again := range answers[1:] {
				twice++
				if again != answers[0] {
					t.Errorf("sent again, an answer differs: %q, %q", answers[0], again)
				}
			}
			if s.has("mailto:"+room, "objects", uid(i, n)) {
				t.Errorf("%s is not cancelled", uid(i, n))
			}
		}
		all += invitations
	}
	t.Logf("%d invitations, killed %d times, %d answers twice", all, kills, twice)
	if all == 0 || twice > kills*organizers {
		t.Errorf("%d of %d answers came twice", twice, all)
	}
	s.wantClean()
}
