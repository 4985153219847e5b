// Package service runs imip-agent serve between clients that talk as mail systems do, and stops and kills it.
package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/d--j/go-milter"

	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// path is where the built program is.
var path string

// full is whether to do all that there is to do.
var full = os.Getenv("IMIP_AGENT_FULL") != ""

// long is whether to do what takes maintainers hours.
var long = os.Getenv("IMIP_AGENT_LONG") != ""

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "imip-agent-program-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755) // also for who runs it without rights
	}
	if err == nil {
		path, err = program.Build(dir, "imip-agent")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return postgresqltest.Main(m)
}

// service is a service in a room of its own.
type service struct {
	t      *testing.T
	room   compat.Room
	socket string
	adjust func(*exec.Cmd) // the command of the service, before it is started; nil: not
	cmd    *exec.Cmd
	stderr output
	ended  chan struct{} // closed when the process has ended
}

// output is the file that the service writes its standard error to: what it has said can be read at once, while it runs.
type output string

func (o output) String() string {
	text, err := os.ReadFile(string(o))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func furnish(t *testing.T, settings string) *service {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "imip-agent-service-")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &service{t: t, room: compat.Room(dir), socket: filepath.Join(dir, "milter")}
	if err := s.room.Furnish(&compat.Conversation{}); err != nil {
		t.Fatal(err)
	}
	if err := program.Settings(s.room, "MILTER_SOCKET = '"+s.socket+"'\nMETRICS_ADDRESS = '"+s.metrics()+"'\n"+settings); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.kill(syscall.SIGKILL) })
	return s
}

// prepare makes the command of the service.
func (s *service) prepare() {
	s.t.Helper()
	s.cmd, _ = program.Command(path, clock.Today(), s.room, nil, "serve", "-v")
	file, err := os.CreateTemp(s.t.TempDir(), "stderr-")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { file.Close() })
	s.cmd.Stderr, s.stderr = file, output(file.Name())
	if s.adjust != nil {
		s.adjust(s.cmd)
	}
}

// start starts the service that was prepared.
func (s *service) start() {
	s.t.Helper()
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		cmd.Wait() // how it has ended is in its state
		close(ended)
	}(s.cmd, s.ended)
}

// run starts the service, and waits until it takes connections.
func (s *service) run() {
	s.t.Helper()
	s.prepare()
	s.start()
	s.until("the service takes connections", func() bool {
		c, err := net.Dial("unix", s.socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// kill ends the service by a signal, and returns its status.
func (s *service) kill(signal syscall.Signal) int {
	if s.cmd == nil || s.cmd.Process == nil || s.ended == nil {
		return 0
	}
	_ = s.cmd.Process.Signal(signal) // it may have ended
	<-s.ended
	return program.Status(s.cmd, nil)
}

// until waits until something is so.
func (s *service) until(what string, is func() bool) {
	s.t.Helper()
	for began := time.Now(); !is(); time.Sleep(10 * time.Millisecond) {
		select {
		case <-s.ended:
			s.t.Fatalf("the service has ended before %s: %s", what, s.stderr)
		default:
		}
		if time.Since(began) > 3*time.Minute {
			s.kill(syscall.SIGKILL)
			s.t.Fatalf("not within three minutes: %s\n%s", what, s.stderr)
		}
	}
}

// drained reports whether nothing waits.
func (s *service) drained() bool { return s.left() == 0 }

// left returns how many messages wait.
func (s *service) left() int {
	s.t.Helper()
	waiting, err := filepath.Glob(filepath.Join(string(s.room), "spool", "*.eml"))
	if err != nil {
		s.t.Fatal(err)
	}
	return len(waiting)
}

// has reports whether a file is in the store.
func (s *service) has(words ...string) bool {
	_, err := os.Stat(filepath.Join(append([]string{s.room.Store()}, words...)...))
	return err == nil
}

func user(n int) string { return fmt.Sprintf("user%d@example.com", n) }

// event is a message about an event of a user.
func event(user, method, uid string, sequence int) string {
	start := clock.Today().AddDate(0, 0, 10).Format("20060102T150405Z")
	return "From: " + user + "\r\nTo: other@example.com\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=" + method + "; charset=utf-8\r\n\r\n" +
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example.com//test//EN\r\nMETHOD:" + method + "\r\nBEGIN:VEVENT\r\nUID:" + uid +
		"\r\nDTSTAMP:" + clock.Today().Format("20060102T150405Z") + "\r\nSEQUENCE:" + fmt.Sprint(sequence) + "\r\nDTSTART:" + start + "\r\nDURATION:PT1H" +
		"\r\nORGANIZER:mailto:" + user + "\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:" + user + "\r\nATTENDEE:mailto:other@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

// send sends a mail as somebody who has logged in, over a connection of its own. It returns nil if the milter has accepted it.
func (s *service) send(login, text string) (err error) {
	macros := milter.NewMacroBag()
	macros.Set(milter.MacroAuthAuthen, login)
	c, err := milter.NewClient("unix", s.socket).Session(macros)
	if err != nil {
		return err
	}
	defer c.Close()
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	var action *milter.Action
	steps := []func() (*milter.Action, error){
		func() (*milter.Action, error) { return c.Conn("client", milter.FamilyInet, 1, "192.0.2.1") },
		func() (*milter.Action, error) { return c.Helo("client") },
		func() (*milter.Action, error) { return c.Mail(login, "") },
		func() (*milter.Action, error) { return c.Rcpt("other@example.com", "") },
		c.DataStart,
	}
	for _, field := range strings.Split(head, "\r\n") {
		name, value, _ := strings.Cut(field, ":")
		steps = append(steps, func() (*milter.Action, error) { return c.HeaderField(name, value, nil) })
	}
	steps = append(steps, c.HeaderEnd)
	for chunk := range slices.Chunk([]byte(body), 65535) {
		steps = append(steps, func() (*milter.Action, error) { return c.BodyChunk(chunk) })
	}
	steps = append(steps,
		func() (*milter.Action, error) { _, action, err := c.End(); return action, err })
	for _, step := range steps {
		if action, err = step(); err != nil {
			return err
		}
		if action.Type != milter.ActionContinue {
			break
		}
	}
	if action.Type != milter.ActionAccept {
		return fmt.Errorf("the milter says %v", action.Type)
	}
	return nil
}

func (s *service) sent(login, text string) {
	s.t.Helper()
	if err := s.send(login, text); err != nil {
		s.t.Fatalf("%v\n%s", err, s.stderr)
	}
}

// What a user sends is in the calendar soon, by their login, and nobody else's by it. On SIGHUP logins are read again,
// SIGTERM ends the service well, and what it has accepted is handled by the next one.
func TestServe(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnish(t, "")
	logins := filepath.Join(string(s.room), "logins")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(logins, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one " + user(1) + "\n")
	if err := program.Settings(s.room, "MILTER_SOCKET = '"+s.socket+"'\nLOGINS = '"+logins+"'\n"); err != nil {
		t.Fatal(err)
	}
	s.run()
	if info, err := os.Stat(s.socket); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket has mode %v, %v", info.Mode(), err)
	}
	s.sent("one", event(user(1), "REQUEST", "a", 0))
	s.sent(user(2), event(user(2), "REQUEST", "b", 0))
	s.sent("three", event(user(3), "REQUEST", "c", 0))    // nobody knows who that is
	s.sent("one", event(user(2), "REQUEST", "forged", 0)) // in another's name
	s.until("all is handled", func() bool {
		return s.drained() && s.has("mailto:"+user(1), "objects", "a") && s.has("mailto:"+user(2), "objects", "b")
	})
	if s.has("mailto:"+user(3)) || s.has("mailto:"+user(2), "objects", "forged") || s.has("mailto:"+user(1), "objects", "forged") {
		t.Error("records of somebody who has not sent it")
	}
	second, said := program.Command(path, clock.Today(), s.room, nil, "serve")
	if status := program.Status(second, second.Run()); status == 0 || !strings.Contains(said.String(), "does the service run already") {
		t.Errorf("a second service: status %d: %s", status, said)
	}

	write("three " + user(3) + "\n")
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.until("logins are read again", func() bool {
		s.sent("three", event(user(3), "REQUEST", "c", 0))
		return s.drained() && s.has("mailto:"+user(3), "objects", "c")
	})
	if status := s.kill(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d: %s", status, s.stderr)
	}
	if _, err := os.Stat(s.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

// The store cannot be used for a while: mail is taken, waits, and is handled when it can be again.
func TestStoreAway(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnish(t, "")
	s.run()
	if err := os.Rename(s.room.Store(), s.room.Store()+"-away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.room.Store(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.sent(user(1), event(user(1), "REQUEST", "a", 0))
	s.sent(user(1), event(user(1), "CANCEL", "a", 1))
	s.until("it has been tried", func() bool {
		tried, err := filepath.Glob(filepath.Join(string(s.room), "spool", "*.txt"))
		return err == nil && len(tried) == 1
	})
	if err := errors.Join(os.Remove(s.room.Store()), os.Rename(s.room.Store()+"-away", s.room.Store())); err != nil {
		t.Fatal(err)
	}
	retry, said := program.Command(path, clock.Today(), s.room, nil, "queue", "retry")
	if status := program.Status(retry, retry.Run()); status != 0 {
		t.Errorf("status %d: %s", status, said)
	}
	s.until("all is handled", func() bool {
		return s.drained() && s.has("mailto:"+user(1), "cancellations", "objects", "a")
	})
	if s.has("mailto:"+user(1), "objects", "a") {
		t.Error("the event is not cancelled")
	}
}

// prepareBySystemd prepares the service as systemd starts it, which has opened a socket for it, with more of the
// environment.
func (s *service) prepareBySystemd(place, more string) {
	s.t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: place, Net: "unix"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { l.Close() })
	file, err := l.File()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { file.Close() })
	s.prepare()
	// The shell becomes the service, with the number of its process in the environment.
	s.cmd.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 ` + more + ` exec "$@"`, "sh"}, s.cmd.Args...)
	s.cmd.Path = "/bin/sh"
	s.cmd.ExtraFiles = []*os.File{file}
}

// Sockets that the service has made are gone when it ends, even where it ends before it has taken a connection.
func TestSocketsGo(t *testing.T) {
	skip.OnOtherDays(t)
	t.Run("a signal", func(t *testing.T) {
		s := furnish(t, "")
		for range 50 {
			s.prepare()
			s.start()
			s.until("the socket is there", func() bool { // looked for again at once: the signal is to come early
				for range 1000 {
					if _, err := os.Lstat(s.socket); err == nil {
						return true
					}
				}
				return false
			})
			if status := s.kill(syscall.SIGTERM); status != 0 {
				t.Errorf("status %d: %s", status, s.stderr)
			}
			if _, err := os.Lstat(s.socket); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("the socket stays: %v\n%s", err, s.stderr)
			}
		}
	})
	t.Run("another socket cannot be made", func(t *testing.T) {
		s := furnish(t, "")
		if err := program.Settings(s.room, "MILTER_SOCKET = '"+s.socket+"'\nMAILBOX_SERVER = 'localhost:24'\nLMTP_SOCKET = '"+filepath.Join(string(s.room), "missing", "lmtp")+"'\n"); err != nil {
			t.Fatal(err)
		}
		s.prepare()
		s.start()
		<-s.ended
		if status := program.Status(s.cmd, nil); status == 0 || !strings.Contains(s.stderr.String(), "LMTP_SOCKET") {
			t.Errorf("status %d: %s", status, s.stderr)
		}
		if _, err := os.Lstat(s.socket); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the first socket stays: %v", err)
		}
	})
}

// By systemd: the socket is handed over, and the service says when it is ready, and when it ends.
func TestSystemd(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnish(t, "")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(string(s.room), "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	s.prepareBySystemd(s.socket, "")
	s.cmd.Env = append(s.cmd.Env, "NOTIFY_SOCKET="+notify.LocalAddr().String())
	s.start()
	said := func() string {
		t.Helper()
		if err := notify.SetReadDeadline(clock.Kernel().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		n, err := notify.Read(b)
		if err != nil {
			t.Fatalf("%v\n%s", err, s.stderr)
		}
		return string(b[:n])
	}
	if got := said(); got != "READY=1" {
		t.Errorf("the service says %q", got)
	}
	s.sent(user(1), event(user(1), "REQUEST", "a", 0))
	s.until("it is handled", func() bool { return s.has("mailto:"+user(1), "objects", "a") })
	if status := s.kill(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d: %s", status, s.stderr)
	}
	if got := said(); got != "STOPPING=1" {
		t.Errorf("the service says %q", got)
	}
	if _, err := os.Stat(s.socket); err != nil {
		t.Errorf("the socket of systemd is gone: %v", err)
	}
}

// load is users who send as fast as they are served. A mail system that is not answered sends again.
type load struct {
	users  []string
	events string // what their UIDs begin with
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	accepted []int         // events of each user, the first ones, whose messages were all accepted
	longest  time.Duration // that a message took that was answered at the first try
	again    int           // messages that were sent again
}

// uid returns the UID of an event of each user.
func (l *load) uid(n int) string { return fmt.Sprint(l.events, n) }

// messages returns those of an event: each is moved, and every second one is called off.
func (l *load) messages(user string, n int) []string {
	uid := l.uid(n)
	all := []string{event(user, "REQUEST", uid, 0), event(user, "REQUEST", uid, 1)}
	if n%2 == 1 {
		all = append(all, event(user, "CANCEL", uid, 2))
	}
	return all
}

// begin has users begin to send by a way, until end is called. Each has a pause between two messages.
func begin(t *testing.T, users []string, events string, pause time.Duration, send func(user, text string) error) *load {
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{users: users, events: events, cancel: cancel, accepted: make([]int, len(users))}
	for i, user := range users {
		l.wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				for _, text := range l.messages(user, n) {
					l.deliver(func() error { return send(user, text) })
					time.Sleep(pause)
				}
				l.mu.Lock()
				l.accepted[i] = n + 1
				l.mu.Unlock()
			}
		})
	}
	return l
}

func (l *load) deliver(send func() error) {
	began := time.Now()
	for tries := 0; send() != nil; tries++ {
		time.Sleep(5 * time.Millisecond)
		l.mu.Lock()
		l.again++
		l.mu.Unlock()
		began = time.Now()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.longest = max(l.longest, time.Since(began))
}

// end has the users end when they have sent what they have begun.
func (l *load) end() {
	l.cancel()
	l.wg.Wait()
}

func (l *load) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := 0
	for _, n := range l.accepted {
		events += n
	}
	return fmt.Sprintf("%d events of %d users, %d messages sent again, the longest answer after %v", events, len(l.users), l.again, l.longest)
}

// least returns how many events of each user have been accepted at least.
func (l *load) least() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Min(l.accepted)
}

// usersFrom returns users, by their numbers.
func usersFrom(first, n int) []string {
	users := make([]string, n)
	for i := range users {
		users[i] = user(first + i)
	}
	return users
}

// wantHandled fails unless all that was accepted has been handled, once and in its order.
func (s *service) wantHandled(l *load) {
	s.t.Helper()
	for i, user := range l.users {
		table, err := os.ReadFile(filepath.Join(s.room.Store(), "mailto:"+user, "freebusy"))
		if err != nil {
			s.t.Error(err)
		}
		for n := range l.accepted[i] {
			uid := l.uid(n)
			active, cancelled := s.has("mailto:"+user, "objects", uid), s.has("mailto:"+user, "cancellations", "objects", uid)
			records := bytes.Count(table, []byte("\t"+uid+"\t"))
			if off := n%2 == 1; active == off || cancelled != off || records != 1 && !off || records != 0 && off {
				s.t.Errorf("%s of %s: active %v, cancelled %v, %d records", uid, user, active, cancelled, records)
			}
		}
	}
}

// wantClean fails if anything was rejected, or is left in the spool of a service that has ended.
func (s *service) wantClean() {
	s.t.Helper()
	if rejected, _ := filepath.Glob(filepath.Join(string(s.room), "rejected", "*")); len(rejected) > 0 {
		s.t.Errorf("rejected: %q", rejected)
	}
	names, err := os.ReadDir(filepath.Join(string(s.room), "spool"))
	if err != nil || len(names) != 2 {
		s.t.Errorf("left in the spool: %v, %v", names, err)
	}
}

// crash kills the service, which must not have ended by itself, and starts it again.
func (s *service) crash() {
	s.t.Helper()
	if status := s.kill(syscall.SIGKILL); status != -int(syscall.SIGKILL) {
		s.t.Errorf("the service has ended by itself with status %d: %s", status, s.stderr)
	}
	s.run()
}

// ends has the service end when it has handled all.
func (s *service) ends() {
	s.t.Helper()
	for left := s.left(); left > 0; { // thousands, on a slow machine
		s.until("fewer messages wait", func() bool {
			before := left
			left = s.left()
			return left < before
		})
	}
	if status := s.kill(syscall.SIGTERM); status != 0 {
		s.t.Errorf("status %d: %s", status, s.stderr)
	}
}

// The service is killed again and again while users send: each message that was accepted is handled, once and in its order.
func TestKilledUnderLoad(t *testing.T) {
	skip.OnOtherDays(t)
	kills, users, lasts := 6, 4, time.Duration(0)
	switch {
	case long:
		kills, users, lasts = 60, 20, 2*time.Minute
	case full:
		kills, users = 60, 20
	}
	s := furnish(t, "")
	s.run()
	l := begin(t, usersFrom(0, users), "event-", 0, s.send)
	random := rand.New(rand.NewPCG(1, 2))
	killed := 0
	for began := time.Now(); killed < kills || time.Since(began) < lasts || l.least() == 0; killed++ {
		time.Sleep(time.Duration(50+random.IntN(250)) * time.Millisecond)
		s.crash()
	}
	l.end()
	s.ends()
	t.Logf("%v, killed %d times", l, killed)
	s.wantHandled(l)
	s.wantClean()
}

// Clients that do harm cost the service nothing but their own connections.
func TestHostile(t *testing.T) {
	skip.OnOtherDays(t)
	s := furnish(t, "SERVE_CONNECTIONS = 20\n")
	s.run()
	var open []net.Conn
	for range 200 {
		c, err := net.Dial("unix", s.socket)
		if err != nil {
			continue // as many as the kernel keeps for later
		}
		open = append(open, c)
		_, _ = io.WriteString(c, "\x00\x00\x00\x00C") // it may be closed already
	}
	for _, c := range open {
		c.Close()
	}
	s.until("an honest client is served", func() bool { return s.send(user(1), event(user(1), "REQUEST", "a", 0)) == nil })
	s.until("it is handled", func() bool { return s.has("mailto:"+user(1), "objects", "a") })
}
