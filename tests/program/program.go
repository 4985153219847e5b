// Package program builds the programs and runs them as a mail system does.
//
// Programs are built for tests: they take their clock from the test that runs them, by
// [clock.Env], and end without it. [BuildShipped] builds them as they are shipped.
package program

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"imip-agent/tests/clock"
	"imip-agent/tests/compat"
)

// Name is the program that mail systems run for outgoing messages.
const Name = "imip_person_outgoing"

// Tag is the build tag of programs for tests.
const Tag = "testclock"

// Build builds the program of that name for tests into a directory and returns its path.
// Every user can run it, if they can get to the directory.
func Build(dir, name string) (string, error) {
	return filepath.Join(dir, name), install(dir, forTests, name)
}

// BuildAll builds all programs for tests into a directory.
func BuildAll(dir string) error {
	all, err := os.ReadDir(filepath.Join("..", "..", "cmd"))
	if err != nil {
		return err
	}
	var names []string
	for _, entry := range all {
		if entry.Name() != "internal" {
			names = append(names, entry.Name())
		}
	}
	return install(dir, forTests, names...)
}

// BuildShipped builds a program into a directory as it is shipped, with the machine's
// clock, and returns its path.
func BuildShipped(dir, name string) (string, error) {
	return filepath.Join(dir, name), install(dir, shipped, name)
}

// service is the program that imip-agent goes on as for the command serve, beside itself.
const service = "imip-agent-serve"

// kind is a way to build programs.
type kind struct {
	name  string
	flags []string
}

var (
	forTests = kind{"for-tests", []string{"-tags=" + Tag}}
	shipped  = kind{"shipped", nil}
)

// Watch has the tests of a package that runs the programs run again when these have changed.
// The go command does so with what tests look at, once they have begun.
var Watch = sync.OnceFunc(func() {
	for _, dir := range []string{"cmd", "conf", "handlers", "stores", "tools"} {
		_ = filepath.WalkDir(filepath.Join("..", "..", dir), func(string, fs.DirEntry, error) error { return nil })
	}
})

// install copies programs of a kind to a directory. The packages of tests share those that
// are linked once, in the user's cache: the go command links them anew only if they have
// changed.
func install(dir string, k kind, names ...string) error {
	if slices.Contains(names, "imip-agent") && !slices.Contains(names, service) {
		names = append(slices.Clip(names), service)
	}
	shared, err := cache(k)
	if err != nil { // a user who has no home
		return build(dir, k, names...)
	}
	lock, err := os.OpenFile(filepath.Join(shared, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if err := build(shared, k, names...); err != nil {
		return err
	}
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(shared, name))
		if err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(path, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// cache returns the directory of built programs, one for each directory of sources and
// each way to build them.
func cache(k kind) (string, error) {
	user, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(filepath.Join(here, "..", "..") + "\n" + os.Getenv("GOFLAGS")))
	dir := filepath.Join(user, "imip-agent-tests", hex.EncodeToString(sum[:8]), k.name)
	return dir, os.MkdirAll(dir, 0o700)
}

// build builds programs into a directory.
func build(dir string, k kind, names ...string) error {
	words := append([]string{"build", "-o", dir + string(os.PathSeparator)}, k.flags...)
	for _, name := range names {
		words = append(words, "imip-agent/cmd/"+name)
	}
	command := exec.Command("go", words...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", strings.Join(names, ", "), err, out)
	}
	return nil
}

// Command returns the command that gives a message to a program, ours or the
// original, at a time, with the directories of a room and default settings. Its standard
// error goes to the returned buffer. Words for its command line come before all others, and
// count before them.
func Command(path string, now time.Time, room compat.Room, message []byte, words ...string) (*exec.Cmd, *bytes.Buffer) {
	Watch()
	words = append(words, "-S", room.Store(), "-P", room.Static(), "-p", room.Preferences(), "-j", room.Journal())
	cmd := exec.Command(path, words...)
	cmd.Stdin = bytes.NewReader(message)
	stderr := new(bytes.Buffer)
	cmd.Stderr = stderr
	cmd.Env = append(os.Environ(), "TZ=UTC", "IMIP_AGENT_CONFIG="+filepath.Join(string(room), "config.txt"), clock.Env(now))
	if dir, ok := compat.FindPeer(); ok && strings.HasPrefix(path, dir+string(os.PathSeparator)) {
		cmd.Env = append(cmd.Env, compat.Faketime(dir, now)...)
	}
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
