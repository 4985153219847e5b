package file

import (
	"path/filepath"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/storestest"
)

// openTest returns a store in a directory of its own.
func openTest(t *testing.T, change ...func(*Options)) *Store {
	t.Helper()
	dir := t.TempDir()
	o := Options{Dir: filepath.Join(dir, "store"), PublishDir: filepath.Join(dir, "static")}
	for _, c := range change {
		c(&o)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	storestest.Run(t, func(t *testing.T) stores.Store { return openTest(t) })
}
