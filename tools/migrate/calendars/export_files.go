package calendars

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"imip-agent/stores/calendar"
	"imip-agent/stores/durable"
)

// plainName is a name that every file system and server takes.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_@+=-][A-Za-z0-9_@+=.-]{0,199}$`)

// itemName returns the name of an event's file, the same each time.
func itemName(uid string) string {
	if plainName.MatchString(uid) && !strings.HasSuffix(uid, ".ics") {
		return uid + ".ics"
	}
	sum := sha256.Sum256([]byte(uid))
	return hex.EncodeToString(sum[:16]) + ".ics"
}

// fileName returns how a user's calendar is called as a file: by the address, which only one
// user has, or else by what stands for the URI.
func fileName(user calendar.URI) string {
	name, mailto := strings.CutPrefix(string(user), "mailto:")
	if mailto && plainName.MatchString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(user))
	return hex.EncodeToString(sum[:16])
}

// writeDir writes a vdir. Files that are the same already stay untouched, so that programs
// which look at their times see nothing new; those to keep are not deleted.
func (x *Export) writeDir(dir string, files map[string][]byte, keep []string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var gone []string
	for _, e := range entries {
		content, known := files[e.Name()]
		if !strings.HasSuffix(e.Name(), ".ics") {
			continue
		}
		old, err := os.ReadFile(filepath.Join(dir, e.Name()))
		switch {
		case known && (x.Overwrite || err == nil && bytes.Equal(old, content)):
		case !known && slices.Contains(keep, e.Name()):
		case !known && x.Delete && (x.Overwrite || isOurs(old)):
			gone = append(gone, e.Name())
		case !known && x.Overwrite:
		default:
			return fmt.Errorf("%s: %w", dir, errNotEmpty)
		}
	}
	for name, content := range files {
		if old, err := os.ReadFile(filepath.Join(dir, name)); err == nil && bytes.Equal(old, content) {
			continue
		}
		if err := x.write(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	for _, name := range gone {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// isOurs reports whether a calendar file is one that an export wrote.
func isOurs(content []byte) bool { return bytes.Contains(content, []byte("\r\n"+product+"\r\n")) }

// forget removes the calendar of a user without events, if there is one.
func (x *Export) forget(path string) error {
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !x.Overwrite && !isOurs(old):
		return fmt.Errorf("%s: %w", path, errNotEmpty)
	}
	return os.Remove(path)
}

// forgetOthers removes the calendars of users who are not in the store any more. What no
// export wrote stays. Without any users, the store is rather the wrong one.
func (x *Export) forgetOthers(users []calendar.URI) error {
	entries, err := os.ReadDir(x.Dir)
	if len(users) == 0 || errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	have := make(map[string]bool, len(users))
	for _, user := range users {
		have[fileName(user)] = true
	}
	for _, e := range entries {
		path := filepath.Join(x.Dir, e.Name())
		name, calendar := strings.CutSuffix(e.Name(), ".ics")
		var err error
		switch {
		case x.Form == "vdir" && e.IsDir() && !have[e.Name()]:
			err = forgetDir(path)
		case x.Form == "ics" && e.Type().IsRegular() && calendar && !have[name]:
			err = forgetFile(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetFile removes a calendar file that an export wrote.
func forgetFile(path string) error {
	old, err := os.ReadFile(path)
	if err != nil || !isOurs(old) {
		return err
	}
	return os.Remove(path)
}

// forgetDir removes what exports wrote into a vdir, and the vdir if nothing else is in it.
func forgetDir(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "displayname")); errors.Is(err, fs.ErrNotExist) {
		return nil // it is no vdir of ours
	} else if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), ".ics") {
			if err := forgetFile(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if entries, err = os.ReadDir(dir); err != nil || len(entries) != 1 {
		return err
	}
	return errors.Join(os.Remove(filepath.Join(dir, "displayname")), os.Remove(dir))
}

// write writes a calendar file, which everybody may read.
func (x *Export) write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return durable.Write(path, content, durable.Options{Mode: 0o644, Later: true})
}
