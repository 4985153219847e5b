// Package program builds the programs and runs them as a mail system does.
package program

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"imip-agent/tests/compat"
)

// Name is the program that mail systems run for outgoing messages.
const Name = "imip_person_outgoing"

// Build builds that program into a directory and returns its path. Every user can
// run it, if they can get to the directory.
func Build(dir string) (string, error) {
	path := filepath.Join(dir, Name)
	if err := build(path, "imip-agent/cmd/"+Name); err != nil {
		return "", err
	}
	return path, os.Chmod(path, 0o755)
}

// BuildAll builds all programs into a directory, as they are shipped.
func BuildAll(dir string) error { return build(dir, "imip-agent/cmd/...", "CGO_ENABLED=0") }

// Watch has the tests of a package that runs the programs run again when these have changed.
// The go command does so with what tests look at, once they have begun.
var Watch = sync.OnceFunc(func() {
	for _, dir := range []string{"cmd", "conf", "handlers", "stores", "tools"} {
		_ = filepath.WalkDir(filepath.Join("..", "..", dir), func(string, fs.DirEntry, error) error { return nil })
	}
})

// build builds packages to a path, with variables of the environment.
func build(path, packages string, variables ...string) error {
	command := exec.Command("go", "build", "-o", path, packages)
	command.Env = append(os.Environ(), variables...)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", packages, err, out)
	}
	return nil
}

// Command returns the command that gives a message to a program, ours or the
// original, with the directories of a room and default settings. Its standard error goes
// to the returned buffer. Words for its command line come before all others, and count
// before them.
func Command(path string, room compat.Room, message []byte, words ...string) (*exec.Cmd, *bytes.Buffer) {
	Watch()
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
