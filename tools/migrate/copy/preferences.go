package copy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"imip-agent/stores/calendar"
	"imip-agent/stores/durable"
	"imip-agent/stores/preferences"
	"imip-agent/tools/migrate"
)

// preferenceUsers lists who has preferences.
func preferenceUsers(dir string) ([]calendar.URI, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the preferences: %w", err)
	}
	var users []calendar.URI
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			users = append(users, calendar.URI(e.Name()))
		}
	}
	slices.Sort(users)
	return users, nil
}

// settings are a user's preferences.
type settings struct {
	items    map[key]digest
	contents map[string][]byte
	damaged  []key // which are there, and cannot be read
	issues   []migrate.Issue
}

// takePreferences reads a user's preferences. Other things than files are passed over.
func takePreferences(dir string, user calendar.URI) (*settings, error) {
	s := &settings{items: make(map[key]digest), contents: make(map[string][]byte)}
	// Nothing outside is read, whatever names and links say.
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading the preferences: %w", err)
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), string(user))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading the preferences: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		k := key{kind: setting, uid: e.Name()}
		content, err := readSetting(root, filepath.Join(string(user), e.Name()))
		if err != nil {
			s.damaged = append(s.damaged, k)
			s.issues = append(s.issues, migrate.Issue{Kind: migrate.Damaged, Item: k.String(), Text: err.Error()})
			continue
		}
		s.contents[e.Name()] = content
		s.items[k] = k.of(content)
	}
	return s, nil
}

func readSetting(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, preferences.MaxFile+1))
	if err == nil && len(content) > preferences.MaxFile {
		err = fmt.Errorf("it is larger than %d octets, and not a preference", preferences.MaxFile)
	}
	return content, err
}

// copyPreferences copies a user's preferences. They have no lock: each file is replaced
// as a whole.
func (c *copier) copyPreferences(ctx context.Context, t task, before memory) (*outcome, error) {
	s, err := takePreferences(c.from.Preferences, t.user)
	if err != nil {
		return nil, err
	}
	d, err := takePreferences(c.to.Preferences, t.user)
	if err != nil {
		return nil, err
	}
	// What cannot be read in the source is not gone from it.
	have := maps.Clone(d.items)
	for _, k := range s.damaged {
		delete(have, k)
	}
	known := before.settled(d.items)
	p := decide(s.items, have, known, &c.o)
	done := &outcome{plan: p, written: make(map[key]digest), issues: append(s.issues, p.issues...), pended: len(before.pending) > 0}
	if p.refuse {
		return done, nil
	}
	if len(p.remove) > 0 && len(p.remove) == len(d.items) && len(p.write) == 0 && !c.o.ForceDelete {
		p.refuse = true
		done.issues = append(done.issues, migrate.Issue{Kind: migrate.Refused, Text: "deleting would remove all preferences of the user: use --force-delete to do it"})
		return done, nil
	}
	done.removed = p.remove
	for _, k := range p.write {
		done.written[k] = s.items[k]
	}
	if !c.o.DryRun && len(p.write)+len(p.remove) > 0 {
		done.pended = true
		if err := c.pend(ctx, t, nil, before.pending.with(done.written, done.removed)); err != nil {
			return nil, err
		}
		if err := c.writePreferences(t.user, p, s); err != nil {
			return nil, err
		}
	}
	done.settle(s.items, d.items, known)
	return done, nil
}

func (c *copier) writePreferences(user calendar.URI, p *plan, s *settings) error {
	from, to := filepath.Join(c.from.Preferences, string(user)), filepath.Join(c.to.Preferences, string(user))
	if err := makeLike(c.to.Preferences, c.from.Preferences); err != nil {
		return err
	}
	if err := makeLike(to, from); err != nil {
		return err
	}
	for _, k := range p.write {
		if err := writeLike(filepath.Join(to, k.uid), filepath.Join(from, k.uid), s.contents[k.uid]); err != nil {
			return fmt.Errorf("writing the preference %s of %s: %w", k.uid, user, err)
		}
	}
	for _, k := range p.remove {
		if err := os.Remove(filepath.Join(to, k.uid)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the preference %s of %s: %w", k.uid, user, err)
		}
	}
	return nil
}

// makeLike makes a directory and its parents, with the mode of another.
func makeLike(dir, model string) error {
	mode := fs.ModeSetgid | 0o770
	if info, err := os.Stat(model); err == nil {
		mode = info.Mode()
	}
	return durable.MakeAll(dir, mode)
}

// writeLike writes a file whole, with the mode of another.
func writeLike(path, model string, content []byte) error {
	var o durable.Options
	if info, err := os.Stat(model); err == nil {
		o.Mode = info.Mode()
	}
	return durable.Write(path, content, o)
}
