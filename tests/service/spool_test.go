package service

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"imip-agent/tests/clock"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

func (s *service) spool(words ...string) string {
	return filepath.Join(append([]string{string(s.room), "spool"}, words...)...)
}

// waits has a message of a user wait, since the store is away until the function that is returned is called.
func (s *service) waits(login, text string) (back func()) {
	s.t.Helper()
	store := s.room.Store()
	if err := errors.Join(os.MkdirAll(store, 0o700), os.Rename(store, store+"-away"), os.WriteFile(store, nil, 0o600)); err != nil {
		s.t.Fatal(err)
	}
	s.sent(login, text)
	s.until("it has been tried", func() bool {
		tried, err := filepath.Glob(s.spool("*.txt"))
		return err == nil && len(tried) > 0
	})
	return func() {
		s.t.Helper()
		if err := errors.Join(os.Remove(store), os.Rename(store+"-away", store)); err != nil {
			s.t.Fatal(err)
		}
		retry, said := program.Command(path, clock.Today(), s.room, nil, "queue", "retry")
		if status := program.Status(retry, retry.Run()); status != 0 {
			s.t.Errorf("status %d: %s", status, said)
		}
	}
}

func (s *service) lost() float64 {
	values, _ := s.values()
	return values["imip_agent_lost_total"]
}

// cancelled waits until all is handled of a request and its cancellation.
func (s *service) cancelled(user, uid string) {
	s.t.Helper()
	s.until("all is handled", func() bool { return s.drained() && s.has("mailto:"+user, "cancellations", "objects", uid) })
	if s.has("mailto:"+user, "objects", uid) {
		s.t.Errorf("%s of %s is not cancelled", uid, user)
	}
}

// The disk of the spool is full: mail goes on, what waits stays, in order, and when there is room again all goes on by itself.
func TestSpoolFull(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnish(t, "")
	if err := os.Mkdir(s.spool(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", s.spool(), "tmpfs", 0, "size=3m,mode=700"); err != nil {
		skip.Because(t, "a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		s.kill(unix.SIGKILL)
		if err := unix.Unmount(s.spool(), unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s.run()
	back := s.waits(user(1), event(user(1), "REQUEST", "a", 0))
	fill, err := os.Create(s.spool("fill"))
	if err != nil {
		t.Fatal(err)
	}
	defer fill.Close()
	for chunk := make([]byte, 512); err == nil; {
		_, err = fill.Write(chunk)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	if status, text := s.get("/healthz"); status != 503 || !strings.Contains(text, "no space left on device") {
		t.Errorf("status %d: %s", status, text)
	}
	s.sent(user(2), event(user(2), "REQUEST", "lost", 0)) // which is accepted all the same
	if lost := s.lost(); lost != 1 {
		t.Errorf("%v are lost", lost)
	}
	left, err := os.ReadDir(s.spool())
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		if name := entry.Name(); strings.HasSuffix(name, ".tmp") {
			t.Errorf("%s is left", name)
		}
	}
	if err := os.Remove(fill.Name()); err != nil {
		t.Fatal(err)
	}
	fill.Close()
	s.sent(user(1), event(user(1), "CANCEL", "a", 1))
	back()
	s.cancelled(user(1), "a")
	if lost := s.lost(); lost != 1 || s.has("mailto:"+user(2), "objects", "lost") {
		t.Errorf("%v are lost", lost)
	}
}

// The directory of the spool is taken away and brought back while the service runs: mail is taken in the meantime, into a new one, and
// what has waited is handled when it is back.
func TestSpoolTakenAway(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnish(t, "")
	s.run()
	back := s.waits(user(1), event(user(1), "REQUEST", "a", 0))
	if err := os.Rename(s.spool(), s.spool()+"-away"); err != nil {
		t.Fatal(err)
	}
	s.until("it is known that nothing waits", func() bool {
		values, _ := s.values()
		return values["imip_agent_spool_messages"] == 0
	})
	s.sent(user(2), event(user(2), "REQUEST", "b", 0))
	s.sent(user(2), event(user(2), "CANCEL", "b", 1))
	if lost := s.lost(); lost != 0 {
		t.Errorf("%v are lost", lost)
	}
	// Those of before go back among those of now.
	waiting, err := os.ReadDir(s.spool() + "-away")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range waiting {
		if name := entry.Name(); strings.HasSuffix(name, ".eml") || strings.HasSuffix(name, ".txt") {
			if err := os.Rename(filepath.Join(s.spool()+"-away", name), s.spool(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.until("they are found", func() bool { // which are not put there by a program of ours
		values, _ := s.values()
		return values["imip_agent_spool_messages"] == 3
	})
	s.sent(user(1), event(user(1), "CANCEL", "a", 1))
	back()
	s.cancelled(user(1), "a")
	s.cancelled(user(2), "b")
	s.wantClean()
}

// A file in the spool is cut short while it waits: it is put aside, and what is behind it is handled.
func TestSpoolDamaged(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnish(t, "")
	s.run()
	back := s.waits(user(1), event(user(1), "REQUEST", "damaged", 0))
	s.sent(user(1), event(user(1), "REQUEST", "a", 0))
	s.sent(user(1), event(user(1), "CANCEL", "a", 1))
	waiting, err := filepath.Glob(s.spool("*.eml"))
	if err != nil || len(waiting) != 3 {
		t.Fatal(waiting, err)
	}
	if err := os.Truncate(waiting[0], 200); err != nil {
		t.Fatal(err)
	}
	back()
	s.cancelled(user(1), "a")
	reasons, err := filepath.Glob(filepath.Join(string(s.room), "rejected", "*.txt"))
	if err != nil || len(reasons) != 1 {
		t.Fatal(reasons, err)
	}
	if text, err := os.ReadFile(reasons[0]); err != nil || !strings.Contains(string(text), "the file in the spool is damaged") {
		t.Errorf("%s, %v", text, err)
	}
}
