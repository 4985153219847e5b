package calendars_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/file"
	"imip-agent/stores/storestest"
	"imip-agent/tests/room"
	"imip-agent/tools/migrate/calendars"
)

func TestMain(m *testing.M) {
	room.InMemory()
	os.Exit(m.Run())
}

// open opens a store of files.
func open(t testing.TB, dir string) stores.Store {
	t.Helper()
	store, err := file.Open(file.Options{Dir: dir, Deferred: true, LockTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// TestExportRepeated exports from a store that has to be read twice: what cannot be exported is
// listed once.
func TestExportRepeated(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "store"))
	err := store.Update(t.Context(), storestest.Paul, func(tx stores.Tx) error {
		return errors.Join(
			tx.Put(stores.Key{ID: stores.ID{UID: "readable"}}, storestest.Event("readable", "", "x")),
			tx.Put(stores.Key{ID: stores.ID{UID: "damaged"}}, []byte("no event")))
	})
	if err != nil {
		t.Fatal(err)
	}
	x := &calendars.Export{Form: "vdir", Dir: t.TempDir()}
	done, err := x.Run(t.Context(), storestest.Repeated{Store: store})
	if err != nil || done.Events != 1 || len(done.Issues) != 1 {
		t.Errorf("%d events, issues %v, want one of each: %v", done.Events, done.Issues, err)
	}
}
