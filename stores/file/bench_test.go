package file

import (
	"fmt"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/storestest"
)

// BenchmarkUpdate is what a message does to a store: an event anew, its free/busy, and an
// entry of the queue.
func BenchmarkUpdate(b *testing.B) {
	dir := b.TempDir()
	s, err := Open(Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n++
		err := s.Update(b.Context(), storestest.Paul, func(tx stores.Tx) error {
			uid := fmt.Sprint("u", n)
			key := stores.Key{ID: stores.ID{UID: uid}}
			if err := tx.Put(key, storestest.Event(uid, "", "x")); err != nil {
				return err
			}
			table, err := tx.Periods(stores.Table{})
			if err != nil {
				return err
			}
			table.Insert(busy(uid, 9))
			return tx.SetRequests([]stores.Request{{ID: key.ID}})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkView is what a look at a user's records costs.
func BenchmarkView(b *testing.B) {
	s, err := Open(Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	const events = 100
	err = s.Update(b.Context(), storestest.Paul, func(tx stores.Tx) error {
		for i := range events {
			uid := fmt.Sprint("u", i)
			if err := tx.Put(stores.Key{ID: stores.ID{UID: uid}}, storestest.Event(uid, "", "x")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		err := s.View(b.Context(), storestest.Paul, func(tx stores.Tx) error {
			for key, err := range tx.Keys() {
				if err != nil {
					return err
				}
				if _, err := tx.Get(key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
