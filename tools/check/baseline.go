package check

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"imip-agent/stores/calendar"
	"imip-agent/stores/durable"
)

// Baseline is the findings of the last run, so that only new ones are told.
type Baseline struct {
	path  string
	known map[string]bool // keys of the last run
	now   map[string]bool // of this one
}

// OpenBaseline reads the findings of the last run from a file. If there is none, every
// finding is new.
func OpenBaseline(path string) (*Baseline, error) {
	b := &Baseline{path: path, known: make(map[string]bool), now: make(map[string]bool)}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, 1<<20)
	for number := 1; lines.Scan(); number++ {
		key, err := strconv.Unquote(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("reading the baseline %s: line %d is not a finding; remove the file to start again", path, number)
		}
		b.known[key] = true
	}
	return b, lines.Err()
}

// IsNew reports whether a finding was not there in the last run, and notes it for the next.
func (b *Baseline) IsNew(f Finding) bool {
	key := f.Key()
	if f.State != Mended && f.Kind.Severity > Note {
		b.now[key] = true
	}
	return !b.known[key]
}

// Save writes the findings of this run in place of those of the last. Of what was not
// looked at, those of the last run stay: of all users but these, if there are any; and of
// everybody if the run was not complete.
func (b *Baseline) Save(users []calendar.URI, complete bool) error {
	for key := range b.known {
		_, rest, _ := strings.Cut(key, "\t")
		user, _, _ := strings.Cut(rest, "\t")
		if !complete || len(users) > 0 && !slices.Contains(users, calendar.URI(user)) {
			b.now[key] = true
		}
	}
	var text bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(b.now)) {
		text.WriteString(strconv.Quote(key) + "\n")
	}
	if err := WriteFile(b.path, text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("writing the baseline: %w", err)
	}
	return nil
}

// WriteFile replaces a file as a whole, so that who reads it sees the old one or the new. A
// link stays, and so does what is no file, as /dev/stdout: that is written to.
func WriteFile(path string, content []byte, mode fs.FileMode) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, content, mode)
	}
	return durable.Write(path, content, durable.Options{Mode: mode})
}
