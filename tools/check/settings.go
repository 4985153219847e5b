package check

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"imip-agent/handlers/resource"
	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
	"imip-agent/stores/durable"
	"imip-agent/stores/preferences"
)

// settings looks at a user's preferences. Quotas are those that there are; nil: that is not known.
func (e finder) settings(all string, quotas []calendar.URI) error {
	dir := filepath.Join(all, string(e.user))
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if errors.Is(err, syscall.ENOTDIR) {
		e.addSetting(fileMisplaced, dir, "%s is a file where a user's preferences belong", filepath.Base(dir))
		return nil
	} else if err != nil {
		return err
	}
	known := preferences.Known()
	values, unread := make(map[string]string), make(map[string]bool)
	for _, entry := range entries {
		name, path := entry.Name(), filepath.Join(dir, entry.Name())
		i := slices.IndexFunc(known, func(p preferences.Preference) bool { return p.Name == name })
		if i < 0 {
			e.strangeSetting(dir, entry)
			continue
		}
		content, err := preferences.ReadFile(path)
		value := strings.TrimSpace(string(content))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if _, err := os.Lstat(path); err == nil {
				e.addSetting(fileLink, path, "%s is a broken symbolic link", name)
			}
			continue // or it was set back just now
		case errors.Is(err, fs.ErrPermission):
			e.fail(fmt.Errorf("reading a preference: %w; give %s access to it", err, durable.Who()))
			continue
		case err != nil:
			finding := e.add(preferenceValue, path, stores.ID{}, "the preference %s cannot be read: %v", name, err)
			if name != "scheduling_function" && name != "acl" { // as below
				finding.mendBy(aside{})
			}
			unread[name] = true
			continue
		}
		values[name] = value
		if name == "scheduling_function" {
			continue // see below
		}
		if value == "" && known[i].Values == nil && name != "window_size" {
			continue // as good as not set
		}
		if err := known[i].Check(value); err != nil {
			e.addSetting(preferenceValue, path, "the preference %s cannot be used: %v", name, err)
		}
	}
	// Without them, the resource would accept more: no repair moves them away.
	if unread["scheduling_function"] || unread["acl"] {
		return nil
	}
	for _, mistake := range resource.Mistakes(values["scheduling_function"], values["acl"]) {
		e.add(preferenceValue, filepath.Join(dir, mistake.Preference), stores.ID{}, "the preference %s must be corrected: %v", mistake.Preference, mistake.Err)
	}
	if quotas != nil {
		e.quotasOf(values["scheduling_function"], filepath.Join(dir, "scheduling_function"), quotas)
	}
	return nil
}

// quotasOf looks for quotas that the functions of a resource need, and that nobody has set up.
func (e finder) quotasOf(text, path string, quotas []calendar.URI) {
	functions, err := resource.ReadFunctions(text)
	if err != nil {
		return // it is said already
	}
	for _, name := range functions.Needed(e.user) {
		if slices.Contains(quotas, name) {
			continue
		}
		alike := ""
		if uri := calendar.NewURI(string(name)); uri != name && slices.Contains(quotas, uri) {
			alike = fmt.Sprintf(", but there is %q", string(uri))
		}
		e.add(preferenceValue, path, stores.ID{}, "there is no quota %q in the journal, so that the resource declines everything%s", string(name), alike)
	}
}

// strangeSetting tells of something among a user's preferences that is none. It can be one under another name, or a directory
// of them.
func (e finder) strangeSetting(dir string, entry fs.DirEntry) {
	name, path := entry.Name(), filepath.Join(dir, entry.Name())
	free := func(right string) bool {
		_, err := os.Lstat(filepath.Join(dir, right))
		return errors.Is(err, fs.ErrNotExist)
	}
	var moves []audit.Move
	inside, _ := os.ReadDir(path) // else it is none
	for _, p := range preferences.Known() {
		switch right := filepath.Join(dir, p.Name); {
		case !free(p.Name):
		case strings.EqualFold(name, p.Name) && !entry.IsDir():
			e.add(preferenceUnknown, path, stores.ID{}, "the preference %s is named %q, so that no program finds it", p.Name, name).
				mendBy(relocate{[]audit.Move{{From: path, To: right}}})
			return
		case slices.ContainsFunc(inside, func(e fs.DirEntry) bool { return e.Name() == p.Name && !e.IsDir() }):
			moves = append(moves, audit.Move{From: filepath.Join(path, p.Name), To: right})
		}
	}
	if len(moves) > 0 {
		e.add(fileStrayed, path, stores.ID{}, "%s holds preferences that belong one level up, so that no program finds them", name).mendBy(relocate{moves})
		return
	}
	e.addSetting(preferenceUnknown, path, "unknown preference %q", name)
}

// zoneless reports whether one of the findings says that nobody knows a user's time zone.
func zoneless(findings []*Finding) bool {
	return slices.ContainsFunc(findings, func(f *Finding) bool {
		return f.State != Mended && (f.Kind == fileStrayed || strings.EqualFold(filepath.Base(f.Path), "TZID"))
	})
}

func (e finder) addSetting(k *Kind, path, format string, args ...any) {
	e.add(k, path, stores.ID{}, format, args...).mendBy(aside{})
}

// preferring returns the users who have preferences.
func (c *Checker) preferring() ([]calendar.URI, error) {
	if c.PreferencesDir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(c.PreferencesDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var users []calendar.URI
	for _, entry := range entries {
		// The original makes directories there by mere addresses, too, and leaves them empty.
		if entry.IsDir() && strings.Contains(entry.Name(), ":") {
			users = append(users, calendar.URI(entry.Name()))
		}
	}
	return users, nil
}
