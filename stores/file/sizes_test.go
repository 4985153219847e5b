package file

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imip-agent/stores"
)

// A file that is larger than any of ours is not read: the error says which, and what to do.
func TestOversize(t *testing.T) {
	for name, read := range map[string]func(stores.Tx) error{
		"objects/u": func(tx stores.Tx) error {
			_, err := tx.Get(stores.Key{ID: stores.ID{UID: "u"}})
			return err
		},
		"freebusy": func(tx stores.Tx) error {
			_, err := tx.Periods(stores.Table{})
			return err
		},
		"freebusy-other/mailto:x@example.com": func(tx stores.Tx) error {
			_, err := tx.Periods(stores.Table{Kind: stores.Other, Other: "mailto:x@example.com"})
			return err
		},
		"requests": func(tx stores.Tx) error {
			_, err := tx.Requests()
			return err
		},
		"freebusy-providers": func(tx stores.Tx) error {
			_, err := tx.Providers()
			return err
		},
	} {
		s := openTest(t)
		path := filepath.Join(s.options.Dir, string(paul), filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o770), os.WriteFile(path, nil, 0o660), os.Truncate(path, 3<<30)); err != nil {
			t.Fatal(err)
		}
		err := s.View(bg, paul, read)
		if err == nil || errors.Is(err, stores.ErrNotFound) || !strings.Contains(err.Error(), path+": it has 3 GiB, and no such file has more than ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nothing is written that is not read again.
func TestWriteOversize(t *testing.T) {
	s := openTest(t)
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		return tx.Put(stores.Key{ID: stores.ID{UID: "u"}}, make([]byte, maxText+1))
	})
	if err == nil || !strings.Contains(err.Error(), "nothing is changed yet") {
		t.Errorf("%v", err)
	}
}
