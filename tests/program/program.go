// Package program builds the programs and runs them as a mail system does.
package program

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"imip-agent/tests/compat"
)

// Name is the program that mail systems run for outgoing messages.
const Name = "imip_person_outgoing"

// Build builds that program into a directory and returns its path. Every user can
// run it, if they can get to the directory.
func Build(dir string) (string, error) {
	path := filepath.Join(dir, Name)
	build := exec.Command("go", "build", "-o", path, "imip-agent/cmd/"+Name)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", Name, err, out)
	}
	return path, os.Chmod(path, 0o755)
}

// Command returns the command that gives a message to a program, ours or the
// original, with the directories of a room and default settings. Its standard error goes
// to the returned buffer. Words for its command line come before all others, and count
// before them.
func Command(path string, room compat.Room, message []byte, words ...string) (*exec.Cmd, *bytes.Buffer) {
	words = append(words, "-S", room.Store(), "-P", room.Static(), "-p", room.Preferences(), "-j", room.Journal())
	cmd := exec.Command(path, words...)
	cmd.Stdin = bytes.NewReader(message)
	stderr := new(bytes.Buffer)
	cmd.Stderr = stderr
	cmd.Env = append(os.Environ(), "TZ=UTC", "IMIP_AGENT_CONFIG="+filepath.Join(string(room), "config.txt"))
	return cmd, stderr
}

// Settings makes the configuration of a room, which Command names; it is needed before
// ours is run. Lines are added to it.
func Settings(room compat.Room, lines string) error {
	return os.WriteFile(filepath.Join(string(room), "config.txt"), []byte(lines), 0o644)
}

// Status returns how a command ended: its exit status, or a negative number if a
// signal ended it. err is what Run or Wait returned.
func Status(cmd *exec.Cmd, err error) int {
	if cmd.ProcessState == nil {
		panic(err) // it could not be started: the test is wrong
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return -int(status.Signal())
	}
	return cmd.ProcessState.ExitCode()
}
