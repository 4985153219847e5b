package service

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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

// asNobody has the service run without a superuser's rights, in a room that is its own.
func (s *service) asNobody() {
	s.t.Helper()
	const nobody = 65534
	if os.Geteuid() != 0 {
		skip.Because(s.t, "another user's files need a superuser")
	}
	if err := os.MkdirAll(s.room.Store(), 0o700); err != nil {
		s.t.Fatal(err)
	}
	err := filepath.WalkDir(string(s.room), func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, nobody, nobody))
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.adjust = func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// admin runs a command for administrators, as a superuser, and returns its status and what it says.
func (s *service) admin(words ...string) (status int, said string) {
	cmd, stderr := program.Command(path, clock.Today(), s.room, nil, words...)
	var stdout strings.Builder
	cmd.Stdout = &stdout
	status = program.Status(cmd, cmd.Run())
	return status, stdout.String() + stderr.String()
}

// A message's file belongs to somebody else. It waits, and so do those of its user behind it. The log, the queue and check say what is
// wrong, where, and what to do. When that is done, all are handled in order; also one that an administrator has put there.
func TestSpoolOfSomebodyElse(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnish(t, "")
	s.asNobody()
	s.run()
	back := s.waits(user(1), event(user(1), "REQUEST", "a", 0))
	s.sent(user(2), event(user(2), "REQUEST", "b", 0))
	waiting, err := filepath.Glob(s.spool("*.eml"))
	if err != nil || len(waiting) != 2 {
		t.Fatal(waiting, err)
	}
	content, err := os.ReadFile(waiting[1])
	if err != nil {
		t.Fatal(err)
	}
	wrong := func(file, says string) {
		t.Helper()
		for _, words := range [][]string{{"queue"}, {"queue", "list", "--json"}, {"check"}} {
			if _, said := s.admin(words...); !strings.Contains(said, "it belongs to root, and nobody, the owner of SPOOL_DIR, cannot read it") {
				t.Errorf("%q: %s", words, said)
			}
		}
		if status, said := s.admin("check"); status != 4 || !strings.Contains(said, "chown --reference="+s.spool()+" "+file) {
			t.Errorf("status %d: %s", status, said)
		}
		s.until("the log says what to do", func() bool {
			return strings.Contains(s.stderr.String(), says) && strings.Contains(s.stderr.String(), file+": permission denied; give user nobody (groups nogroup) access to it")
		})
	}
	mend := func(file string) {
		t.Helper()
		if out, err := exec.Command("chown", "--reference="+s.spool(), file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if err := os.Chown(waiting[0], 0, 0); err != nil {
		t.Fatal(err)
	}
	s.sent(user(1), event(user(1), "CANCEL", "a", 1))
	back()
	wrong(waiting[0], "not handled yet")
	s.until("what others have sent is handled", func() bool { return s.left() == 2 && s.has("mailto:"+user(2), "objects", "b") })
	mend(waiting[0])
	if status, said := s.admin("queue", "retry"); status != 0 {
		t.Errorf("status %d: %s", status, said)
	}
	s.cancelled(user(1), "a")

	// An administrator puts one there.
	if err := os.WriteFile(waiting[1], content, 0o600); err != nil {
		t.Fatal(err)
	}
	wrong(waiting[1], "a message in the spool cannot be read")
	mend(waiting[1])
	s.until("it is handled by itself", s.drained)
	if lost := s.lost(); lost != 0 {
		t.Errorf("%v are lost", lost)
	}
	s.wantClean()
}

// The directory belongs to somebody else: mail goes on, the health and the log say why nothing is kept, what waits stays, and all goes
// on when the directory is given back. The service does not start with such a directory, and says why.
func TestSpoolDirectoryOfSomebodyElse(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnish(t, "")
	s.asNobody()
	s.run()
	back := s.waits(user(1), event(user(1), "REQUEST", "a", 0))
	if err := os.Chown(s.spool(), 0, 0); err != nil {
		t.Fatal(err)
	}
	const what, advice = ": permission denied", "; give user nobody (groups nogroup) access to it"
	if status, text := s.get("/healthz"); status != 503 || !strings.Contains(text, "SPOOL_DIR: write to "+s.spool()+what+advice) {
		t.Errorf("status %d: %s", status, text)
	}
	s.sent(user(2), event(user(2), "REQUEST", "lost", 0)) // which is accepted all the same
	if lost := s.lost(); lost != 1 || !strings.Contains(s.stderr.String(), what+advice) {
		t.Errorf("%v are lost: %s", lost, s.stderr)
	}
	s.kill(syscall.SIGTERM)
	s.prepare()
	s.start()
	<-s.ended
	if status := program.Status(s.cmd, nil); status == 0 || !strings.Contains(s.stderr.String(), "SPOOL_DIR: open "+s.spool("running")+what+advice) {
		t.Errorf("status %d: %s", status, s.stderr)
	}
	if err := os.Chown(s.spool(), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	s.run()
	s.sent(user(1), event(user(1), "CANCEL", "a", 1))
	back()
	s.cancelled(user(1), "a")
	s.wantClean()
}
