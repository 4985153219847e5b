package mta

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// fault is a way in which handling can fail.
type fault struct {
	name string // and the local part of the user who meets it
	make string // shell script; $1 is the user's directory in the store
	mend string
}

// trueProgram is where the true handler is put while something else stands in its place.
const trueProgram = "/usr/lib/imip-agent-test/handler"

// replace is a script that puts another program in the handler's place.
func replace(text string) string {
	return "cp -a " + handlerPath + " " + trueProgram + "\nrm " + handlerPath + "\ncat >" + handlerPath + " <<'END'\n" +
		text + "\nEND\nchmod 755 " + handlerPath + "\n"
}

const (
	restore = "mv " + trueProgram + " " + handlerPath + "\n"

	// holdLock takes the user's lock in the name of a process that lives.
	holdLock = `
		install -d -o imip-agent -g www-data -m 2770 "$1" "$1/__lock__" "$1/__lock__/1"
	`
	dropLock = `rmdir "$1/__lock__/1" "$1/__lock__"
	`
)

var faults = []fault{
	{"locked", holdLock, dropLock},
	{"diskless", // no space for a file, though for directories
		`mount -t tmpfs -o size=4k,mode=2770,uid=imip-agent,gid=www-data none ` + store + `
		head -c 4096 /dev/zero > ` + store + `/filler`,
		`umount ` + store},
	{"unwritable",
		`mount --bind ` + store + ` ` + store + `; mount -o remount,bind,ro ` + store,
		`umount ` + store},
	{"killed", // at work, waiting for the lock
		holdLock + replace("#!/bin/sh\n(sleep 0.3; kill -KILL $$) &\nexec "+trueProgram+` "$@"`),
		restore + dropLock},
	{"missing", replace("") + "rm " + handlerPath, restore},
	{"panicking", replace("") + "cp /usr/lib/imip-agent-test/panicking " + handlerPath, restore},
	// What Postfix would take for a permanent error, and more than Exim wants to hear.
	{"talkative", replace("#!/bin/sh\necho '5.1.1 no such user'; yes '5.1.1 no such user' | head -c 300000 >&2; cat >/dev/null; exit 1"), restore},
	// It does not even read its input, which is more than a pipe holds.
	{"hanging", replace("#!/bin/sh\nexec sleep 600"), restore},
}

// testFailures lets the handler fail: the guest gets the mail at once and the
// user no bounce, and the mail is handled as soon as it can be.
func testFailures(t *testing.T, s *server) {
	s.run(t, "mkdir -p "+filepath.Dir(trueProgram))
	s.copyIn(t, panickingProgram(t), "/usr/lib/imip-agent-test/panicking")
	testFaults(t, s, faults)
}

// testFaults is testFailures with some of the faults.
func testFaults(t *testing.T, s *server, faults []fault) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			user, guest := f.name+"@example.com", "guest-of-"+f.name+"@example.org"
			if f.name == "hanging" {
				s.limit(t, 10)
			}
			dir := store + "/mailto:" + user
			s.run(t, f.make, dir)
			mended := false
			mend := func() {
				if !mended {
					mended = true
					s.run(t, f.mend, dir)
				}
			}
			defer mend()
			message := invitation(user, user, f.name, 9, guest)
			if f.name == "hanging" {
				message = multipart(user, f.name, []string{guest}, attachment(1<<20), calendarPart(message))
			}
			s.submit(t, user, message, guest)
			unchanged(t, s.arrived(t, guest).data, message)
			done, failed := s.runs(t, user)
			if done != 0 {
				t.Errorf("the handler ran well in spite of the fault")
			}
			if f.name == "hanging" && failed != 0 {
				t.Errorf("the mail went out only when the handler had been ended")
			}
			attempts := 2
			switch f.name {
			case "hanging": // each takes as long as the limit
				attempts = 1
			case "stalled": // the limit is for longer
				attempts = 0
			}
			eventually(t, "another attempt", func() bool { _, failed := s.runs(t, user); return failed >= attempts },
				func() string { return s.describe(t) })
			mend()
			s.handled(t, user, f.name)
			s.idle(t)
			s.ran(t, user, 1)
			s.noBounce(t, user)
			if n := len(s.sink.to(guest)); n != 1 {
				t.Errorf("the guest got the message %d times", n)
			}
		})
	}
}

// testExpiry lets the handler fail for longer than the mail system keeps mail.
// The user hears nothing of it, nor does the calendar system.
func testExpiry(t *testing.T, s *server) {
	const user, guest = "expired@example.com", "guest-of-expired@example.org"
	away, back := "mv "+handlerPath+" "+trueProgram, restore
	if s.away != "" {
		away, back = s.away, s.back
	}
	s.run(t, away)
	s.expire(t, 3)
	message := invitation(user, user, "expired", 9, guest)
	s.submit(t, user, message, guest)
	if err := send(s.public, "", calendarSystem, []string{"people-outgoing+" + user}, message); err != nil {
		t.Fatal(err)
	}
	unchanged(t, s.arrived(t, guest).data, message)
	s.idle(t)
	eventually(t, "two failures in the log", func() bool { _, failed := s.runs(t, user); return failed >= 2 },
		func() string { return s.describe(t) })
	s.noBounce(t, user)
	s.run(t, back)
}

// panickingProgram builds a handler that panics after it has read the message.
func panickingProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source := `package main

import (
	"io"
	"os"
)

func main() {
	io.Copy(io.Discard, os.Stdin)
	done := make(chan bool)
	go func() { panic("out of luck") }()
	<-done
}
`
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "panicking")
	if text, err := exec.Command("go", "build", "-o", out, filepath.Join(dir, "main.go")).CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("%v: %s", err, text))
	}
	return out
}
