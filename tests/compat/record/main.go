// Command record runs the original imip-agent over the conversations of the
// compatibility test and notes what it made of them.
//
//	go run ./tests/compat/record [-dir DIR] [NAME...]
//
// The messages come from the catalogue in this package, or, for a conversation
// that is not in it, from its file as it stands. What a file says of ours where
// it differs from the original is kept. Nothing in the files depends on the
// machine or the time: recording twice gives the same files.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"imip-agent/tests/compat"
)

func main() {
	dir := flag.String("dir", "tests/compat/conversations", "where the conversations are")
	flag.Parse()
	if err := record(*dir, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

// record records the named conversations in dir, or all.
func record(dir string, names []string) error {
	installed, ok := compat.FindPeer()
	if !ok {
		return fmt.Errorf("the original is not installed in %s: set IMIP_PEER to its directory", installed)
	}
	// The original reads the zone of users who prefer none from there.
	if zone, err := os.ReadFile("/etc/timezone"); err == nil && !strings.HasSuffix(strings.TrimSpace(string(zone)), "UTC") {
		return fmt.Errorf("the system's zone is %s: conversations are recorded with UTC in /etc/timezone", strings.TrimSpace(string(zone)))
	}
	peer, err := compat.StartPeer(installed)
	if err != nil {
		return err
	}
	defer peer.Close()
	all, err := conversations(dir)
	if err != nil {
		return err
	}
	for _, c := range all {
		if len(names) > 0 && !slices.Contains(names, c.Name) {
			continue
		}
		room, err := os.MkdirTemp("", "record")
		if err != nil {
			return err
		}
		err = peer.Record(c, room)
		os.RemoveAll(room)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		if err := c.Save(dir); err != nil {
			return err
		}
	}
	return nil
}

// conversations returns those of the catalogue, with what their files say of
// ours, and then those that only have a file.
func conversations(dir string) ([]*compat.Conversation, error) {
	all := catalogue()
	byName := map[string]*compat.Conversation{}
	for _, c := range all {
		if byName[c.Name] != nil {
			return nil, fmt.Errorf("two conversations are called %s", c.Name)
		}
		byName[c.Name] = c
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		old, err := compat.Load(file)
		if err != nil {
			return nil, err
		}
		c := byName[strings.TrimSuffix(filepath.Base(file), ".txtar")]
		if c == nil {
			all = append(all, old)
			continue
		}
		if len(old.Steps) != len(c.Steps) {
			continue // rewritten: what is expected of ours has to be said anew
		}
		for i, s := range c.Steps {
			s.Ours = old.Steps[i].Ours
		}
	}
	return all, nil
}
