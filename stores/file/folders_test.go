package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/storestest"
)

// More directories are written in one commit than are held open at once, and none stays open.
func TestManyFolders(t *testing.T) {
	s, err := Open(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	const events = 2*mostFolders + 1
	keys := make([]stores.Key, events)
	for i := range keys {
		keys[i] = stores.Key{ID: stores.ID{UID: fmt.Sprint("u", i), RecurrenceID: "20261202T090000Z"}}
	}
	each := func(fn func(stores.Tx, stores.Key) error) {
		t.Helper()
		err := s.Update(t.Context(), storestest.Paul, func(tx stores.Tx) error {
			for _, key := range keys {
				if err := fn(tx, key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	before := openFiles(t)
	for _, summary := range []string{"first", "second"} {
		each(func(tx stores.Tx, key stores.Key) error {
			return tx.Put(key, storestest.Event(key.UID, key.RecurrenceID, summary))
		})
		each(func(tx stores.Tx, key stores.Key) error {
			text, err := tx.Get(key)
			if want := storestest.Event(key.UID, key.RecurrenceID, summary); err == nil && string(text) != string(want) {
				t.Errorf("%s holds %q", key.UID, text)
			}
			return err
		})
	}
	each(stores.Tx.Delete)
	each(func(tx stores.Tx, key stores.Key) error {
		if _, err := tx.Get(key); !errors.Is(err, stores.ErrNotFound) {
			t.Errorf("%s is there: %v", key.UID, err)
		}
		return nil
	})
	if after := openFiles(t); after > before {
		t.Errorf("%d files are open, before it were %d", after, before)
	}
	left, err := os.ReadDir(filepath.Join(s.options.Dir, string(storestest.Paul), "recurrences"))
	if err != nil || len(left) > 0 {
		t.Errorf("directories are left: %v, %v", left, err)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// A symbolic link to another place in the user's directory is read as the original reads it; one that leads out is not.
func TestLinksWithin(t *testing.T) {
	s, err := Open(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	text := storestest.Event("u1", "", "x")
	if err := s.Update(t.Context(), storestest.Paul, func(tx stores.Tx) error {
		return tx.Put(stores.Key{ID: stores.ID{UID: "u1"}}, text)
	}); err != nil {
		t.Fatal(err)
	}
	user := filepath.Join(s.options.Dir, string(storestest.Paul))
	outside := filepath.Join(t.TempDir(), "outside")
	for _, err := range []error{
		os.WriteFile(outside, text, 0o600),
		os.Mkdir(filepath.Join(user, "elsewhere"), 0o770),
		os.Rename(filepath.Join(user, "objects/u1"), filepath.Join(user, "elsewhere/u1")),
		os.Symlink("../elsewhere/u1", filepath.Join(user, "objects/u1")),
		os.Symlink(outside, filepath.Join(user, "objects/u2")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	err = s.View(t.Context(), storestest.Paul, func(tx stores.Tx) error {
		if got, err := tx.Get(stores.Key{ID: stores.ID{UID: "u1"}}); err != nil || string(got) != string(text) {
			t.Errorf("got %q, %v", got, err)
		}
		if got, err := tx.Get(stores.Key{ID: stores.ID{UID: "u2"}}); err == nil {
			t.Errorf("got %q from outside", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What a program that died has left of a calendar is removed by the next one that publishes, also where that changes nothing.
func TestStagedCalendarLeft(t *testing.T) {
	publish := t.TempDir()
	s, err := Open(Options{Dir: t.TempDir(), PublishDir: publish})
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(publish, string(storestest.Paul), ".freebusy.new")
	for i, text := range []string{"one", "two", "two"} {
		if i > 0 {
			if err := os.WriteFile(left, []byte("left"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := s.Update(t.Context(), storestest.Paul, func(tx stores.Tx) error {
			if err := tx.Put(stores.Key{ID: stores.ID{UID: fmt.Sprint("u", i)}}, []byte(text)); err != nil {
				return err
			}
			return tx.Publish([]byte(text))
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(publish, string(storestest.Paul), "freebusy"))
		if string(got) != text || err != nil {
			t.Errorf("published: %q, %v", got, err)
		}
		if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the calendar that was left is there: %v", err)
		}
	}
}
