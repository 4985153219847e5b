package spool

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"imip-agent/tests/clock"
)

// inRush runs a queue in a bubble, where time passes only when nothing is left to be done.
func inRush(t *testing.T, test func(s *site)) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		stop := s.run()
		synctest.Wait()
		test(s)
		stop()
	})
}

// In a rush, what users send waits for a second at most, and is handled together and in its order. Before and after, it does not wait.
func TestRush(t *testing.T) {
	inRush(t, func(s *site) {
		came, waited := map[string]time.Time{}, map[string]time.Duration{}
		handle := s.Handle
		s.Handle = func(ctx context.Context, messages []*Message) []error {
			results := handle(ctx, messages)
			s.set(func() {
				for _, m := range s.handled[len(s.handled)-len(messages):] {
					waited[m] = clock.Kernel().Sub(came[m])
				}
			})
			return results
		}
		sent := map[string][]string{}
		put := func(user string, n int) string {
			message := fmt.Sprint("message ", n)
			s.set(func() { came[user+": "+message] = clock.Kernel() })
			s.put(user, message)
			sent[user] = append(sent[user], message)
			return user + ": " + message
		}
		wantNow := func(message string) {
			t.Helper()
			synctest.Wait()
			if took, done := waited[message]; !done || took > 0 {
				t.Errorf("%s is handled: %v, after %v", message, done, took)
			}
		}
		const lasts, pause, users = 4 * time.Second, 8 * time.Millisecond, 20
		for n := range 30 {
			wantNow(put("paul", n))
			time.Sleep(2 * rushLook / rushMessages)
		}
		synctest.Wait()
		before := len(s.batches)
		for n := range int(lasts / pause) {
			put(fmt.Sprint("user", n%users), n)
			time.Sleep(pause)
		}
		time.Sleep(2 * rushLook)
		synctest.Wait()
		if !s.empty() {
			t.Error("something is left after the rush")
		}
		if batches, most := len(s.batches)-before, users*(int(lasts/time.Second)+2); batches > most {
			t.Errorf("handled in %d goes, not %d", batches, most)
		}
		for message, took := range waited {
			if took > (rushLooks+1)*rushLook {
				t.Errorf("%s has waited for %v", message, took)
			}
		}
		for user, messages := range sent {
			s.want(user, messages...)
		}
		wantNow(put("paul", 30))
	})
}

// Where one user sends everything, as many as are handled together do not wait.
func TestRushOfOne(t *testing.T) {
	inRush(t, func(s *site) {
		var sent []string
		for n := range 4 * together {
			sent = append(sent, fmt.Sprint("message ", n))
			s.put("paul", sent[n])
			time.Sleep(time.Millisecond)
		}
		time.Sleep(2 * rushLook)
		synctest.Wait()
		s.want("paul", sent...)
		if n := len(s.batches); n > 4+rushMessages+int(2*rushLook/time.Millisecond) {
			t.Errorf("handled in %d goes", n)
		}
	})
}

// A queue that ends in a rush leaves in the spool what waits.
func TestRushEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		stop := s.run()
		synctest.Wait()
		var sent []string
		for n := range 50 {
			sent = append(sent, fmt.Sprint("message ", n))
			s.put("paul", sent[n])
			time.Sleep(4 * time.Millisecond)
		}
		stop()
		ids, err := s.Dir.IDs()
		if left := len(s.of("paul")) + len(ids); err != nil || left != len(sent) || len(ids) == 0 {
			t.Errorf("handled or left: %d of %d, left %d, %v", left, len(sent), len(ids), err)
		}
		time.Sleep(time.Minute) // nothing is looked at any more
		if left, err := s.Drain(t.Context()); left != 0 || err != nil {
			t.Errorf("left: %d, %v", left, err)
		}
		if got := s.of("paul"); !slices.Equal(got, sent) {
			t.Errorf("handled: %q", got)
		}
	})
}
