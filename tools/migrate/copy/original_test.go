package copy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"imip-agent/stores"
	"imip-agent/tests/bench"
	"imip-agent/tests/skip"
	"imip-agent/tools/migrate/copy"
)

// TestOriginalReads copies by way of a database to files, and has the original's
// library read those.
func TestOriginalReads(t *testing.T) {
	dir := os.Getenv("IMIP_PEER")
	if dir == "" {
		dir = "/var/tmp/imip-peer"
	}
	python := filepath.Join(dir, "bin", "python")
	if _, err := os.Stat(python); err != nil {
		skip.Because(t, "needs the original imip-agent")
	}
	root := t.TempDir()
	source, target := filepath.Join(root, "source"), filepath.Join(root, "target")
	if err := bench.GenerateStore(source, bench.Size{Users: 5, Events: 20, Seed: 11}); err != nil {
		t.Fatal(err)
	}
	middle := database(t)
	mustCopy(t, files(t, source), middle, copy.Options{}, nil)
	mustCopy(t, middle, files(t, target), copy.Options{}, nil)

	var want strings.Builder
	to := files(t, target)
	for user, err := range to.Store.Users(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		err := to.Store.View(t.Context(), user, func(tx stores.Tx) error {
			events := 0
			for k, err := range tx.Keys() {
				if err != nil {
					return err
				}
				if k.Part == stores.Active && k.RecurrenceID == "" {
					events++
				}
			}
			table, err := tx.Periods(stores.Table{})
			if err == nil {
				fmt.Fprintf(&want, "%s %d %d\n", user, events, table.Len())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	script := filepath.Join(root, "read.py")
	text := "import sys\nfrom imiptools.stores.file import Store\ns = Store(sys.argv[1])\n" +
		"for u in sorted(s.get_users()):\n" +
		"    read = [e for e in s.get_events(u) if s.get_event(u, e)]\n" +
		"    print u, len(read), len(list(s.get_freebusy(u)))\n"
	if err := os.WriteFile(script, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := exec.Command(python, script, target).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	if string(got) != want.String() || want.Len() == 0 {
		t.Errorf("the original reads\n%swant\n%s", got, want.String())
	}
}
