// Package compat compares this program with the original imip-agent.
//
// conversations/ holds sequences of messages and, recorded with the original,
// the store after each of them. TestReplay handles the same messages and
// compares the stores by meaning, without the original. TestLive lets the two
// programs take turns on one store, where the original is installed.
// DEVIATIONS.md names each place where the two are meant to differ.
//
// Conversations are recorded by
//
//	go run ./tests/compat/record
//
// which needs the original; the directory record says what is in each.
package compat

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tree is the files below a directory: contents by path, slash-separated.
// Directories count for nothing.
type Tree map[string]string

// Paths returns the paths in order.
func (t Tree) Paths() []string { return slices.Sorted(maps.Keys(t)) }

// Apply changes t as e says the original changed its tree.
func (t Tree) Apply(e Effect) {
	for _, path := range e.Removed {
		delete(t, path)
	}
	maps.Copy(t, e.Changed)
}

// Expected returns what ours has to have where the original has t.
func (t Tree) Expected(d Difference) Tree {
	out := maps.Clone(t)
	for _, path := range d.Absent {
		delete(out, path)
	}
	maps.Copy(out, d.Changed)
	return out
}

// Since returns what has changed from an earlier state to t.
func (t Tree) Since(earlier Tree) Effect {
	e := Effect{Changed: Tree{}}
	for path, content := range t {
		if was, ok := earlier[path]; !ok || was != content {
			e.Changed[path] = content
		}
	}
	for _, path := range earlier.Paths() {
		if _, ok := t[path]; !ok {
			e.Removed = append(e.Removed, path)
		}
	}
	return e
}

// Room is a directory with what both programs work on: store, static (the
// published free/busy), prefs and journal.
type Room string

// Store, Static, Preferences and Journal are the room's directories.
func (r Room) Store() string       { return filepath.Join(string(r), "store") }
func (r Room) Static() string      { return filepath.Join(string(r), "static") }
func (r Room) Preferences() string { return filepath.Join(string(r), "prefs") }
func (r Room) Journal() string     { return filepath.Join(string(r), "journal") }

// Furnish makes the room's directories and puts a conversation's preferences
// and initial files there.
func (r Room) Furnish(c *Conversation) error {
	for _, dir := range []string{r.Store(), r.Static(), r.Preferences(), r.Journal()} {
		if err := makeDir(dir); err != nil {
			return err
		}
	}
	if err := write(r.Preferences(), c.Preferences); err != nil {
		return err
	}
	return write(string(r), c.Initial)
}

// Tree returns the store, the published free/busy and the journal, as store/...,
// static/... and journal/..., with LF line ends.
func (r Room) Tree() (Tree, error) {
	tree := Tree{}
	for _, dir := range []string{r.Store(), r.Static(), r.Journal()} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if dir == r.Journal() && errors.Is(err, fs.ErrNotExist) {
				return nil // not all rooms have one
			} else if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(string(r), path)
			if err != nil {
				return err
			}
			tree[filepath.ToSlash(name)] = strings.ReplaceAll(string(content), "\r\n", "\n")
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return tree, nil
}

// Lay changes the room's files as the original did in a step.
func (r Room) Lay(e Effect) error {
	for _, path := range e.Removed {
		if err := os.Remove(filepath.Join(string(r), filepath.FromSlash(path))); err != nil {
			return err
		}
	}
	return write(string(r), e.Changed)
}

// WrongModes lists the files in the store and the published free/busy that are
// not mode 0660, and the directories that are not 02770.
func (r Room) WrongModes() ([]string, error) {
	var wrong []string
	for _, dir := range []string{r.Store(), r.Static()} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o660)
			if entry.IsDir() {
				want = fs.ModeDir | fs.ModeSetgid | 0o770
			}
			if info.Mode() != want {
				name, _ := filepath.Rel(string(r), path)
				wrong = append(wrong, fmt.Sprintf("%s is %v, not %v", name, info.Mode(), want))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return wrong, nil
}

// write puts files below a directory, with the modes that a store's files have.
func write(dir string, tree Tree) error {
	for path, content := range tree {
		name := filepath.Join(dir, filepath.FromSlash(path))
		for parent := filepath.Dir(name); ; parent = filepath.Dir(parent) {
			if _, err := os.Stat(parent); err == nil {
				break
			}
			defer os.Chmod(parent, fs.ModeSetgid|0o770)
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o770); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(content), 0o660); err != nil {
			return err
		}
		if err := os.Chmod(name, 0o660); err != nil {
			return err
		}
	}
	return nil
}

// makeDir makes a directory with the mode that a store's directories have,
// whatever the umask.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o770); err != nil {
		return err
	}
	return os.Chmod(dir, fs.ModeSetgid|0o770)
}
