package service

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/skip"
)

// hostile are what clients begin with that want to do harm, over and over.
var hostile = []string{
	"",
	"\x00\x00\x00\x00C",                // an empty packet
	"\x00\x00\x10\x00C",                // half of one
	"\x00\x3f\xff\xffL",                // half of a large one
	"\xff\xff\xff\xffX",                // a huge one
	"EHLO client\r\nMAIL FROM:<x@y>\r", // another protocol
	"\x00\x00\x00\x0dO\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff", // a negotiation, then nothing
}

// attack opens a connection to a socket of the service and begins with something. It stays open.
func (s *service) attack(socket, begins string) net.Conn {
	s.t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		c, err := net.Dial("unix", socket)
		if err == nil {
			_ = c.SetWriteDeadline(clock.Kernel().Add(10 * time.Second))
			_, _ = io.WriteString(c, begins) // it may be closed already
			return c
		}
		if time.Since(began) > 3*time.Minute { // till then there are more than the kernel keeps for later
			s.t.Fatalf("%v\n%s", err, s.stderr)
		}
	}
}

// fewFiles has the service run with so few files that it cannot have all connections of these tests.
func (s *service) fewFiles() {
	s.adjust = func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"sh", "-c", `ulimit -n 300; exec "$@"`, "sh"}, cmd.Args...)
		cmd.Path = "/bin/sh"
	}
}

// frugal fails the test if the service has taken more memory than it may.
func (s *service) frugal(connections, honest int) {
	s.t.Helper()
	most, err := peak(s.cmd.Process.Pid)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Logf("%d connections, %d honest clients, %d KiB", connections, honest, most>>10)
	if most > mostMemory {
		s.t.Errorf("more than %d KiB", mostMemory>>10)
	}
}

// Many connections do harm, more than the service may have files for: others are served beside them.
func TestManyConnections(t *testing.T) {
	skip.OnOtherDays(t)
	needFull(t)
	connections := 600
	switch {
	case long:
		connections = 10_000
	case full:
		connections = 2000
	}
	s := furnish(t, "")
	s.fewFiles()
	s.run()
	open := make([]net.Conn, 0, connections)
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	sent := 0
	for n := range connections {
		open = append(open, s.attack(s.socket, hostile[n%len(hostile)]))
		if n%100 == 99 {
			sent++
			s.until("an honest client is served", func() bool {
				return s.send(user(n), event(user(n), "REQUEST", "a", 0)) == nil
			})
		}
	}
	s.until("all is handled", s.drained)
	handled, err := filepath.Glob(filepath.Join(s.room.Store(), "*", "objects", "a"))
	if err != nil || len(handled) != sent {
		t.Errorf("%d of %d are handled, %v", len(handled), sent, err)
	}
	s.frugal(connections, sent)
	s.ends()
	if !strings.Contains(s.stderr.String(), "the limit of open files allows fewer connections") {
		t.Errorf("it is not said that there are too few files:\n%.2000s", s.stderr)
	}
}

// hostileByLMTP are what clients begin with that want to do harm by LMTP, over and over.
var hostileByLMTP = []string{
	"",
	"LHLO client\r\n",
	"EHLO client\r\n",                   // another protocol
	"\x00\x00\x00\x0dO\x00\x00\x00\x06", // another one
	"LHLO client\r\nMAIL FROM:<x@example.org>\r\nRCPT TO:<user1@example.com>\r\nDATA\r\nSubject: half\r\n", // half a message
	"LHLO client\r\nMAIL FROM:<x@example.org>\r\nRCPT TO:<user1@example.com>\r\nDATA\r\n\r\n" + strings.Repeat("endless", 10_000),
	strings.Repeat("endless", 2000), // a command without its end
	"LHLO client\r\nMAIL FROM:<x@example.org>\r\nRCPT TO:<user1@example.com>\r\nBDAT 4000000000 LAST\r\nx",
}

// Many connections do harm by LMTP, more than the service may have files for: a mail system that tries again is served, and the
// mailboxes get nothing but its mail.
func TestManyConnectionsByLMTP(t *testing.T) {
	needFull(t)
	connections := 600
	if long {
		connections = 10_000
	}
	s := furnishLMTP(t, "")
	if status := s.kill(syscall.SIGTERM); status != 0 {
		t.Fatalf("status %d: %s", status, s.stderr)
	}
	s.fewFiles()
	s.prepareRun()
	open := make([]net.Conn, 0, connections)
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	sent := 0
	for n := range connections {
		open = append(open, s.attack(s.lmtp, hostileByLMTP[n%len(hostileByLMTP)]))
		if n%(connections/5) == connections/5-1 {
			sent++
			text := invitation(fmt.Sprint("honest-", n), user(sent))
			s.until("an honest client is served", func() bool {
				answers, err := s.deliver("paul@example.org", text, user(sent))
				return err == nil && answers[0] == "250"
			})
			s.boxed(user(sent), "summary")
		}
	}
	s.frugal(connections, sent)
	s.ends()
	if log := s.stderr.String(); !strings.Contains(log, "the mail system has too many connections") {
		t.Errorf("it is not said that there are too many:\n%.2000s", log)
	}
}
