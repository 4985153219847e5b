package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
)

// A program that ends although work goes on gives back the original's lock, and the work can
// change nothing any more, whatever it was at.
func TestAbandon(t *testing.T) {
	t.Cleanup(func() { ending.Store(false) })
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	const user = calendar.URI("mailto:paul@example.com")
	put := func(uid string) func(stores.Tx) error {
		return func(tx stores.Tx) error {
			return tx.Put(stores.Key{ID: stores.ID{UID: uid}}, []byte("BEGIN:VEVENT\r\nUID:"+uid+"\r\nEND:VEVENT\r\n"))
		}
	}
	if err := s.Update(t.Context(), user, put("before")); err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(dir, string(user), lockDir)
	is := func(there bool) {
		t.Helper()
		if _, err := os.Stat(lock); (err == nil) != there {
			t.Fatalf("the lock: %v", err)
		}
	}
	err = s.Update(t.Context(), user, func(tx stores.Tx) error {
		is(true)
		Abandon(time.Second)
		is(false)
		if err := os.Mkdir(lock, 0o700); err != nil { // it is another program's now
			t.Fatal(err)
		}
		return put("after")(tx)
	})
	if !errors.Is(err, errEnding) {
		t.Errorf("the work went on: %v", err)
	}
	is(true)
	if _, err := os.Stat(filepath.Join(dir, string(user), "objects", "after")); err == nil {
		t.Error("something was changed")
	}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if err := s.View(t.Context(), user, func(stores.Tx) error { return nil }); !errors.Is(err, errEnding) {
		t.Errorf("another lock was taken: %v", err)
	}
	is(false)
}

// Whatever reads many things looks whether it is to end.
func TestReadingEnds(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	const user = calendar.URI("mailto:paul@example.com")
	key := stores.Key{ID: stores.ID{UID: "event"}}
	if err := s.Update(t.Context(), user, func(tx stores.Tx) error { return tx.Put(key, []byte("text")) }); err != nil {
		t.Fatal(err)
	}
	over := errors.New("it is over")
	for name, read := range map[string]func(stores.Tx) error{
		"Get":         func(tx stores.Tx) error { _, err := tx.Get(key); return err },
		"Recurrences": func(tx stores.Tx) error { _, err := tx.Recurrences(stores.Active, "event"); return err },
		"Periods":     func(tx stores.Tx) error { _, err := tx.Periods(stores.Table{}); return err },
		"Others":      func(tx stores.Tx) error { _, err := tx.Others(); return err },
		"Requests":    func(tx stores.Tx) error { _, err := tx.Requests(); return err },
		"Providers":   func(tx stores.Tx) error { _, err := tx.Providers(); return err },
		"Keys": func(tx stores.Tx) error {
			for _, err := range tx.Keys() {
				if err != nil {
					return err
				}
			}
			return nil
		},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		err := s.View(ctx, user, func(tx stores.Tx) error { cancel(over); return read(tx) })
		if !errors.Is(err, over) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, read := range map[string]func(audit.Session) error{
		"Get":      func(tx audit.Session) error { _, err := tx.Get(key); return err },
		"Problems": func(tx audit.Session) error { _, err := tx.Problems(); return err },
		"Tables":   func(tx audit.Session) error { _, err := tx.Tables(); return err },
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		err := s.Audit(ctx, user, audit.Options{}, func(tx audit.Session) error { cancel(over); return read(tx) })
		if !errors.Is(err, over) {
			t.Errorf("checking: %s: %v", name, err)
		}
	}
}
