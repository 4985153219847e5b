package file

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/freebusy"
	"imip-agent/tests/skip"
)

// A file that is larger than any of ours is not read: the error says which, and what to do.
func TestOversize(t *testing.T) {
	skip.OnOtherDays(t)
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
		if err == nil || errors.Is(err, stores.ErrNotFound) || !strings.Contains(err.Error(), path+": it has 3 GiB, and such a file never has more than ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Lines take memory however short they are: a queue of more than there can be is not read,
// and one is not written.
func TestTooManyLines(t *testing.T) {
	s := openTest(t)
	path := filepath.Join(s.options.Dir, string(paul), "requests")
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o770), os.WriteFile(path, []byte(strings.Repeat("x\n", maxLines+1)), 0o660)); err != nil {
		t.Fatal(err)
	}
	err := s.View(bg, paul, func(tx stores.Tx) error {
		_, err := tx.Requests()
		return err
	})
	if err == nil || !strings.Contains(err.Error(), path+": it has 500001 lines, and such a file never has more than 500000") {
		t.Errorf("reading: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	err = s.Update(bg, paul, func(tx stores.Tx) error {
		return tx.SetRequests(make([]stores.Request, maxLines+1))
	})
	if err == nil || !strings.Contains(err.Error(), "it has 500001 lines") {
		t.Errorf("writing: %v", err)
	}
}

// A line of nothing but separators is damage, and takes no more memory than others.
func TestLineOfTabs(t *testing.T) {
	long := line{1, strings.Repeat("x\t", 1<<20) + "x"}
	if _, flaw := long.columns(3); flaw != freebusy.TooManyColumns {
		t.Error(flaw)
	}
	blank := line{1, strings.Repeat("\t", 1<<20)}
	if columns, flaw := blank.columns(3); flaw != 0 || len(columns) != 3 {
		t.Errorf("%q %v", columns, flaw)
	}
}

// What is published is made anew whatever is in its place: it is not read to the end.
func TestPublishOversize(t *testing.T) {
	s := openTest(t)
	path := filepath.Join(s.options.PublishDir, string(paul), "freebusy")
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o770), os.WriteFile(path, nil, 0o660), os.Truncate(path, 3<<30)); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(bg, paul, func(tx stores.Tx) error { return tx.Publish([]byte("a calendar")) }); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "a calendar" {
		t.Errorf("%d octets, %v", len(content), err)
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
