package file

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imip-agent/stores"
)

func beside(o *Options) { o.Beside = true }

// A store that lets something go on beside its callers gives the lock back to the original's programs before, and has done all when
// it is closed: nothing is left of the lock, and no file is open.
func TestBeside(t *testing.T) {
	s := openTest(t, beside)
	dir := userDir(t, s)
	letter := stores.Letter{Name: strings.Repeat("1", 64), Mails: []io.WriterTo{strings.NewReader("mail")}}
	for i, text := range []string{"one", "two", "three"} { // what is there is replaced
		err := s.Update(bg, paul, func(tx stores.Tx) error {
			if err := tx.Send(letter); err != nil {
				return err
			}
			return tx.Put(stores.Key{ID: stores.ID{UID: "u1"}}, []byte(text))
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(filepath.Join(dir, lockDir)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the lock after update %d: %v", i, err)
		}
	}
	handed := ""
	err := s.Deliver(bg, paul, letter.Name, func(_ int, mail io.Reader) error {
		text, err := io.ReadAll(mail)
		handed += string(text)
		return err
	})
	if err != nil || handed != "mail" {
		t.Errorf("handed over %q, %v", handed, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(dir, nextDir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is left of the lock: %v", err)
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if path, err := os.Readlink("/proc/self/fd/" + file.Name()); err == nil && strings.HasPrefix(path, dir) {
			t.Errorf("%s is open", path)
		}
	}
}

// Nobody else of ours has the user before what is left of the lock is removed: so the next finds no lock but whole ones.
func TestBesideManyAtOnce(t *testing.T) {
	s := openTest(t, beside)
	dir := userDir(t, s)
	done := make(chan error)
	for range 4 {
		go func() {
			for range 25 {
				if err := put(s, "u1", "x"); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{lockDir, nextDir} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
}
