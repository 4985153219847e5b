package copy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"imip-agent/stores/durable"
)

// NotesDir keeps notes as files in a directory beside a store, which is made when
// something is noted. Copies that go on at the same time may share it.
type NotesDir struct{ Path string }

var _ Notes = NotesDir{}

// path returns where a note is. The source's name can be anything.
func (d NotesDir) path(source, name string) string {
	sum := sha256.Sum256([]byte(source))
	return filepath.Join(d.Path, hex.EncodeToString(sum[:8]), filepath.FromSlash(name))
}

// Load implements [Notes].
func (d NotesDir) Load(_ context.Context, source, name string) ([]byte, error) {
	data, err := os.ReadFile(d.path(source, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading what was copied before: %w", err)
	}
	return data, nil
}

// Save implements [Notes].
func (d NotesDir) Save(_ context.Context, source string, notes map[string][]byte) error {
	// Those that are removed make room for others, which have to be there first.
	for _, removed := range []bool{false, true} {
		for name, data := range notes {
			if removed != (data == nil) {
				continue
			}
			if err := d.save(d.path(source, name), data); err != nil {
				return fmt.Errorf("recording what was copied: %w", err)
			}
		}
	}
	return nil
}

func (d NotesDir) save(path string, data []byte) error {
	if data == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	// Private, as it tells who has calendars here.
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return durable.Write(path, data, durable.Options{Later: true})
}
