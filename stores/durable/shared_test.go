package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"imip-agent/stores/durable"
)

// Those that come while a sync is under way share the next one, and none returns before it is done. An error is for those of its
// sync only.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		syncs, goOn := 0, make(chan error)
		s := durable.Shared{Sync: func(path string) error {
			if path != "dir" {
				t.Errorf("synced %q", path)
			}
			syncs++
			return <-goOn
		}}
		var mu sync.Mutex
		ended := map[error]int{}
		come := func(many int) {
			for range many {
				go func() {
					err := s.NamesIn("dir")
					mu.Lock()
					ended[err]++
					mu.Unlock()
				}()
			}
			synctest.Wait() // until all of them wait
		}
		want := func(wantSyncs int, want map[error]int) {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(want, ended); diff != "" || syncs != wantSyncs {
				t.Errorf("%d syncs, want %d\n%s", syncs, wantSyncs, diff)
			}
		}
		first, second := errors.New("first"), errors.New("second")
		come(1)
		want(1, map[error]int{})
		come(20)
		want(1, map[error]int{})
		goOn <- first
		want(2, map[error]int{first: 1})
		come(3)
		want(2, map[error]int{first: 1})
		goOn <- second
		want(3, map[error]int{first: 1, second: 20})
		goOn <- nil
		want(3, map[error]int{first: 1, second: 20, nil: 3})
		come(1)
		want(4, map[error]int{first: 1, second: 20, nil: 3})
		goOn <- nil
		want(4, map[error]int{first: 1, second: 20, nil: 4})
	})
}

// Many write files at once: each name was there when a sync began that was done before its writer went on.
func TestSharedNames(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	var last []string // names that would be there if the machine stopped now
	s := durable.Shared{Sync: func(path string) error {
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		err = durable.NamesIn(path)
		mu.Lock()
		defer mu.Unlock()
		for _, entry := range entries {
			last = append(last, entry.Name())
		}
		return err
	}}
	var writers sync.WaitGroup
	for w := range 10 {
		writers.Go(func() {
			for n := range 20 {
				name := string(rune('a'+w)) + string(rune('a'+n))
				if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
					t.Error(err)
				}
				if err := s.NamesIn(dir); err != nil {
					t.Error(err)
				}
				mu.Lock()
				if !slices.Contains(last, name) {
					t.Errorf("%s is not certain to last", name)
				}
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	var plain durable.Shared
	if err := plain.NamesIn(dir); err != nil {
		t.Error(err)
	}
	if err := plain.NamesIn(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory that is missing: %v", err)
	}
}
