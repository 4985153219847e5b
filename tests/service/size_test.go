package service

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers/mail"
	"imip-agent/handlers/spool"
	"imip-agent/tests/clock"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// mostMemory is how many octets the service may take, however many messages wait.
const mostMemory = 100 << 20

// peak returns how many octets of memory a process has had at most.
func peak(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has ended", pid)
}

// listed runs a command, and returns how many lines it writes, and how much memory it has had when the last of them were
// still to be read.
func listed(t *testing.T, cmd *exec.Cmd) (lines int, most int64) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 4<<10)
	for err == nil {
		var n int
		n, err = out.Read(chunk)
		lines += bytes.Count(chunk[:n], []byte("\n"))
		if now, err := peak(cmd.Process.Pid); err == nil {
			most = now
		}
	}
	if err := errors.Join(cmd.Wait(), ignore(err, io.EOF)); err != nil {
		t.Fatalf("%v: %s", err, cmd.Stderr)
	}
	return lines, most
}

func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// fill puts so many invitations of so many users into the spool.
func (s *service) fill(messages, users int) {
	s.t.Helper()
	dir := &spool.Dir{Path: filepath.Join(string(s.room), "spool"), Now: clock.Running(clock.Today())}
	for n := range messages {
		message := mail.NewSpool("")
		fmt.Fprint(message, event(user(n%users), "REQUEST", fmt.Sprint("event-", n), 0))
		if _, err := dir.Put(spool.Note{User: user(n % users), Source: "milter"}, message, message.Size()); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Many messages wait: neither the service nor a look at them takes much memory.
func TestMemory(t *testing.T) {
	skip.OnOtherDays(t)
	messages, users := 2000, 50
	switch {
	case long:
		messages = 100_000
	case full:
		messages = 10_000
	}
	s := furnish(t, "LOG_LEVEL = 'warning'\n")
	s.fill(messages, users)

	list, _ := program.Command(path, clock.Today(), s.room, nil, "queue", "list")
	lines, most := listed(t, list)
	if lines != messages+1 {
		t.Errorf("the list has %d lines", lines)
	}

	s.prepare()
	began := time.Now()
	s.start()
	s.until("the first is handled", func() bool { return s.has("mailto:" + user(0)) })
	first := time.Since(began)
	s.until("all is handled", s.drained)
	all := time.Since(began)
	peak, err := peak(s.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d messages: queue list took %d KiB, the service %d KiB; the first was handled after %v, all after %v", messages, most>>10, peak>>10, first, all)
	if most > mostMemory || peak > mostMemory {
		t.Errorf("more than %d KiB", mostMemory>>10)
	}
	s.ends()
	for n := range messages {
		if u := user(n % users); !s.has("mailto:"+u, "objects", fmt.Sprint("event-", n)) {
			t.Errorf("event %d of %s is missing", n, u)
		}
	}
	s.wantClean()
}
