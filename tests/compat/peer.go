package compat

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"imip-agent/tests/clock"
)

//go:embed peer.py
var peerSource string

// Peer is the original imip-agent, kept running so that a message costs some
// milliseconds. It is used by one goroutine at a time.
type Peer struct {
	// Patience is how long a program may take before it is killed.
	Patience time.Duration

	dir string
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// Result is how a program of the original ended.
type Result struct {
	Status   int    `json:"status"` // negative: killed by that signal
	Stdout   string `json:"stdout"`
	Stderr   string `json:"stderr"`
	TimedOut bool   `json:"timed_out"` // killed after the peer's patience
}

// FindPeer returns the directory that the original is installed in:
// $IMIP_PEER, or /var/tmp/imip-peer. The bool is false if it is not there.
func FindPeer() (string, bool) {
	dir := os.Getenv("IMIP_PEER")
	if dir == "" {
		dir = "/var/tmp/imip-peer"
	}
	_, err := os.Stat(filepath.Join(dir, "bin", Outgoing))
	return dir, err == nil
}

// Faketime returns the environment in which programs of the original installed in dir
// run from a time on, also by what they find of the ages of files. It is empty if that is the
// time of the machine, as faketime makes a program slower.
func Faketime(dir string, now time.Time) []string {
	if off := now.Sub(clock.Kernel()); !clock.Shifted() && off.Abs() < time.Hour {
		return nil
	}
	library, err := filepath.Glob(filepath.Join(dir, "root/usr/lib/*/faketime/libfaketime.so.1"))
	if err != nil || len(library) == 0 {
		panic("no libfaketime below " + dir) // it is installed with the original
	}
	return []string{"LD_PRELOAD=" + library[0], "FAKETIME=@" + now.UTC().Format(clockLayout)}
}

// StartPeer starts the original installed in dir.
func StartPeer(dir string) (*Peer, error) {
	library, err := filepath.Glob(filepath.Join(dir, "root/usr/lib/*/faketime/libfaketime.so.1"))
	if err != nil || len(library) == 0 {
		return nil, fmt.Errorf("start the original: no libfaketime below %s", dir)
	}
	p := &Peer{Patience: time.Minute, dir: dir, cmd: exec.Command(filepath.Join(dir, "bin/python"), "-c", peerSource)}
	p.cmd.Dir = filepath.Join(dir, "etc") // its configuration is read from the working directory
	p.cmd.Env = append(os.Environ(), "TZ=UTC", "LD_PRELOAD="+library[0], "FAKETIME_NO_CACHE=1", "FAKETIME=2026-01-01 00:00:00")
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	return p, p.cmd.Start()
}

// Close ends it.
func (p *Peer) Close() error {
	p.in.Close()
	return p.cmd.Wait()
}

// Run gives a step's message to the program that the step is for.
func (p *Peer) Run(room Room, s *Step) (Result, error) {
	args := []string{"-S", room.Store(), "-P", room.Static(), "-p", room.Preferences(), "-j", room.Journal()}
	if s.User != "" {
		args = append(args, "-o", s.User)
	}
	if s.Arrives() {
		args = append(args, "-d") // prints mails instead of handing them over
	}
	var result Result
	err := p.ask(map[string]any{
		"run":      filepath.Join(p.dir, "root/usr/bin", s.Program),
		"args":     args,
		"message":  s.Message, // as base64
		"now":      s.Clock.Format(clockLayout),
		"patience": p.Patience.Seconds(),
	}, &result)
	return result, err
}

// Read has the original read everything in a store. It returns what it found, one
// line for each thing, and what it could not read.
func (p *Peer) Read(store string) (items, problems []string, err error) {
	var answer struct{ Items, Errors []string }
	err = p.ask(map[string]any{"read": store}, &answer)
	return answer.Items, answer.Errors, err
}

func (p *Peer) ask(request map[string]any, answer any) error {
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("ask the original: %w", err)
	}
	reply, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("ask the original: it has ended: %w", err)
	}
	return json.Unmarshal(reply, answer)
}

// Record runs a conversation through the original in an empty directory and
// notes what it did in each step.
func (p *Peer) Record(c *Conversation, dir string) error {
	room := Room(dir)
	if err := room.Furnish(c); err != nil {
		return err
	}
	before, err := room.Tree()
	if err != nil {
		return err
	}
	for _, s := range c.Steps {
		result, err := p.Run(room, s)
		if err != nil {
			return err
		}
		after, err := room.Tree()
		if err != nil {
			return err
		}
		s.Original = after.Since(before)
		s.Original.Status = result.Status
		if s.Arrives() {
			s.Original.Delivered = handed(result.Stdout, s)
		}
		if result.Status != 0 {
			s.Original.Error = strings.ReplaceAll(complaint(result.Stderr), dir, "ROOM")
		}
		left, err := breakLocks(room)
		if err != nil {
			return err
		}
		if left {
			s.Original.Error = strings.TrimSpace(s.Original.Error + " (leaves its lock behind)")
		}
		before = after
	}
	return nil
}

// complaint returns what a program of the original died of, without the place
// in its source.
func complaint(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	last := lines[len(lines)-1]
	if text, place, ok := cutLast(last, " at "); ok && strings.Contains(place, " in /") {
		last = text
	}
	return strings.TrimSpace(last)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// breakLocks removes locks that the original has left in a store, which would
// make it wait for ever in the next step.
func breakLocks(room Room) (left bool, err error) {
	locks, err := filepath.Glob(filepath.Join(string(room), "*", "*", "__lock__"))
	for _, lock := range locks {
		left = true
		err = os.RemoveAll(lock)
	}
	return left, err
}

// Minutes is the time of day a number of minutes after the start of the
// recorded conversations, 2026-11-22 12:00:00 UTC.
func Minutes(n int) time.Time {
	return time.Date(2026, 11, 22, 12, n, 0, 0, time.UTC)
}
