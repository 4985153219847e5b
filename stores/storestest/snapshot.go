package storestest

import (
	"testing"

	"imip-agent/stores"
)

// Records are read while somebody holds their user's lock, as they were before the change.
func snapshot(t *testing.T, s stores.Store) {
	k := key(stores.Active, "u", "", "")
	read := func(want string) {
		t.Helper()
		ok(t, s.Snapshot(t.Context(), Paul, func(tx stores.Tx) error {
			if want == "" {
				wantNone(t, tx, k)
			} else {
				wantText(t, tx, k, Event("u", "", want))
			}
			return nil
		}))
	}
	read("")
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.Put(k, Event("u", "", "one"))) })
	update(t, s, Paul, func(tx stores.Tx) {
		ok(t, tx.Put(k, Event("u", "", "two")))
		read("one")
	})
	read("two")
	_ = s.Snapshot(t.Context(), Paul, func(tx stores.Tx) error { return tx.Put(k, Event("u", "", "three")) })
	read("two")
}
