package file

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/rejected"
)

// What the original makes of an event whose summary has a line break in it: one record in
// two lines, which can be put together again. The line after it says nothing to anybody.
const damagedTable = "20261201T090000Z\t20261201T100000Z\tu0\tOPAQUE\t\tFine\tmailto:a@example.com\n" +
	"20261202T090000Z\t20261202T100000Z\tu1\tOPAQUE\t\tTwo\n" +
	"lines\tmailto:a@example.com\n" +
	"20261203T09\trubbish\n"

// damagedStore returns a store with damaged tables, what it logs, and where it puts aside
// what it cannot keep.
func damagedStore(t *testing.T) (*Store, *logBuffer, *rejected.Dir) {
	t.Helper()
	log := new(logBuffer)
	aside := &rejected.Dir{Path: filepath.Join(t.TempDir(), "rejected")}
	s := openTest(t, logTo(log), func(o *Options) { o.Rejected = aside })
	dir := userDir(t, s)
	write(t, dir+"/freebusy", damagedTable)
	write(t, dir+"/requests", "u1\t\tCOUNTER\nu\xff\t\t\nu2\t\t\n")
	write(t, dir+"/freebusy-providers", "20260301T000000Z\t\nu1\t\nu\tv\tw\n")
	return s, log, aside
}

func TestReadingDamageChangesNothing(t *testing.T) {
	s, log, aside := damagedStore(t)
	dir := userDir(t, s)
	before := tree(t, dir)
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		table, err := tx.Periods(stores.Table{})
		if err != nil || table.Len() != 2 {
			t.Errorf("%d periods, %v; want 2", table.Len(), err)
		}
		requests, err := tx.Requests()
		if err != nil || len(requests) != 2 {
			t.Errorf("requests %v, %v; want 2", requests, err)
		}
		providers, err := tx.Providers()
		if err != nil || len(providers.Events) != 1 {
			t.Errorf("providers %v, %v; want 1", providers, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, tree(t, dir), before)
	if items, err := aside.List(); err != nil || len(items) > 0 {
		t.Errorf("put aside %v, %v", items, err)
	}
	for _, says := range []string{dir + "/freebusy\" line=2", dir + "/freebusy\" line=4", dir + "/requests\" line=2", dir + "/freebusy-providers\" line=3"} {
		if !strings.Contains(log.String(), strings.ReplaceAll(says, "\"", "")) {
			t.Errorf("%s is not in the log:\n%s", says, log.String())
		}
	}
}

func TestWritingDamagedTables(t *testing.T) {
	s, _, aside := damagedStore(t)
	dir := userDir(t, s)
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		table, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		table.Insert(busy("u9", 18))
		requests, err := tx.Requests()
		if err != nil {
			return err
		}
		if err := tx.SetRequests(requests[:1]); err != nil {
			return err
		}
		providers, err := tx.Providers()
		if err != nil {
			return err
		}
		providers.Events = nil
		return tx.SetProviders(providers)
	})
	if err != nil {
		t.Fatal(err)
	}
	table, damages := freebusy.Read([]byte(read(t, dir+"/freebusy")), freebusy.Plain)
	if table.Len() != 3 || len(damages) > 0 {
		t.Errorf("%d periods, damaged %v", table.Len(), damages)
	}
	for p := range table.All() {
		if p.UID == "u1" && p.Summary != "Two lines" {
			t.Errorf("summary %q", p.Summary)
		}
	}
	if got := read(t, dir+"/requests"); got != "u1\t\tCOUNTER\n" {
		t.Errorf("requests %q", got)
	}
	if got := read(t, dir+"/freebusy-providers"); got != "20260301T000000Z\t\n" {
		t.Errorf("providers %q", got)
	}
	// What has no place any more is kept.
	kept := ""
	err = filepath.WalkDir(aside.Path, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			kept += read(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"20261203T09\trubbish\n", "u\xff\t\t\n", "u\tv\tw\n", "line 4", string(paul), dir + "/freebusy"} {
		if !strings.Contains(kept, want) {
			t.Errorf("%q has not been put aside:\n%s", want, kept)
		}
	}
	if strings.Contains(kept, "Two\n") {
		t.Errorf("what has been mended is put aside too:\n%s", kept)
	}
}

// If what would be lost cannot be put aside, nothing is written.
func TestDamageThatCannotBePutAside(t *testing.T) {
	s, _, aside := damagedStore(t)
	write(t, aside.Path, "a file is in the way")
	before := tree(t, userDir(t, s))
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		table, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		table.Insert(busy("u9", 18))
		return nil
	})
	wantError(t, err, "rejecting", "/freebusy", aside.Path)
	wantTree(t, tree(t, userDir(t, s)), before)
}

// What is there already may be stored again, however odd; nothing odd may be added.
func TestOddEntriesStay(t *testing.T) {
	s := openTest(t)
	dir := userDir(t, s)
	write(t, dir+"/requests", "u1\tTHISANDFUTURE\t\nu2\t\t\n")
	write(t, dir+"/freebusy-providers", "20260301T000000Z\t\nu1\tTHISANDFUTURE\n")
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		requests, err := tx.Requests()
		if err != nil {
			return err
		}
		providers, err := tx.Providers()
		if err != nil {
			return err
		}
		providers.Until = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		if err := tx.SetProviders(providers); err != nil {
			return err
		}
		return tx.SetRequests(requests[:1])
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir+"/requests"); got != "u1\tTHISANDFUTURE\t\n" {
		t.Errorf("requests %q", got)
	}
	if got := read(t, dir+"/freebusy-providers"); got != "20270101T000000Z\t\nu1\tTHISANDFUTURE\n" {
		t.Errorf("providers %q", got)
	}
	odd := stores.ID{UID: "u1", RecurrenceID: "FUTURE"}
	err = s.Update(bg, paul, func(tx stores.Tx) error {
		return tx.SetProviders(stores.Providers{Events: []stores.ID{odd}})
	})
	var cannot *stores.UnstorableError
	if !errors.As(err, &cannot) {
		t.Errorf("got %v, want an UnstorableError", err)
	}
}
