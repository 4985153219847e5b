package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/storestest"
)

var bg = context.Background()

func inode(info fs.FileInfo) uint64 { return info.Sys().(*syscall.Stat_t).Ino }

const (
	vincent = storestest.Vincent
	day     = "20261202"
)

// fill stores something of every kind for paul.
func fill(t *testing.T, s *Store) {
	t.Helper()
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		for _, key := range []stores.Key{
			{ID: stores.ID{UID: "u1"}},
			{ID: stores.ID{UID: "u1", RecurrenceID: day}},
			{Part: stores.Cancelled, ID: stores.ID{UID: "u2"}},
			{Part: stores.Cancelled, ID: stores.ID{UID: "u1", RecurrenceID: "20261203"}},
			{Part: stores.Countered, ID: stores.ID{UID: "u1"}, Other: vincent},
			{Part: stores.Countered, ID: stores.ID{UID: "u1", RecurrenceID: day}, Other: vincent},
			{ID: stores.ID{UID: "a/b"}},
		} {
			if err := tx.Put(key, storestest.Event(key.UID, key.RecurrenceID, "x")); err != nil {
				return err
			}
		}
		for _, table := range []stores.Table{{}, {Kind: stores.Offers}, {Kind: stores.Other, Other: vincent}} {
			periods, err := tx.Periods(table)
			if err != nil {
				return err
			}
			periods.Insert(busy("u1", 9))
		}
		if err := tx.SetRequests([]stores.Request{{ID: stores.ID{UID: "u1", RecurrenceID: day}, Type: "COUNTER"}}); err != nil {
			return err
		}
		if err := tx.SetProviders(stores.Providers{Events: []stores.ID{{UID: "u1"}}}); err != nil {
			return err
		}
		return tx.Publish([]byte("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLayout(t *testing.T) {
	for _, umask := range []int{0o077, 0o022, 0} {
		old := syscall.Umask(umask)
		s := openTest(t)
		fill(t, s)
		syscall.Umask(old)
		var got []string
		root := filepath.Dir(s.options.Dir)
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || path == root {
				return err
			}
			info, err := e.Info()
			relative, _ := filepath.Rel(root, path)
			want := fs.FileMode(0o660)
			if e.IsDir() {
				want = 0o770 | fs.ModeDir | fs.ModeSetgid
			} else {
				got = append(got, relative)
			}
			if info.Mode() != want {
				t.Errorf("umask %03o: %s has mode %v, want %v", umask, relative, info.Mode(), want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		user := "store/" + string(paul) + "/"
		want := []string{
			"static/" + string(paul) + "/freebusy",
			user + "cancellations/objects/u2",
			user + "cancellations/recurrences/u1/20261203",
			user + "counters/objects/u1/" + string(vincent),
			user + "counters/recurrences/u1/20261202/" + string(vincent),
			user + "freebusy",
			user + "freebusy-offers",
			user + "freebusy-other/" + string(vincent),
			user + "freebusy-providers",
			user + "objects/__uid__a%2Fb",
			user + "objects/u1",
			user + "recurrences/u1/20261202",
			user + "requests",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestTexts(t *testing.T) {
	s := openTest(t)
	fill(t, s)
	dir := filepath.Join(s.options.Dir, string(paul))
	for _, test := range []struct{ name, want string }{
		{"freebusy", "20261202T090000Z\t20261202T100000Z\tu1\tOPAQUE\t\tMeeting\t\n"},
		{"freebusy-offers", "20261202T090000Z\t20261202T100000Z\tu1\tOPAQUE\t\tMeeting\t\t\n"},
		{"requests", "u1\t20261202\tCOUNTER\n"},
		{"freebusy-providers", "\t\nu1\t\n"},
		{"objects/u1", string(storestest.Event("u1", "", "x"))},
	} {
		if got := read(t, dir+"/"+test.name); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestConfiguredModes(t *testing.T) {
	s := openTest(t, func(o *Options) { o.FileMode, o.DirMode = 0o640, 0o750 })
	fill(t, s)
	for name, want := range map[string]fs.FileMode{
		"": 0o750 | fs.ModeDir, "objects": 0o750 | fs.ModeDir, "objects/u1": 0o640, "freebusy": 0o640,
	} {
		info, err := os.Stat(filepath.Join(s.options.Dir, string(paul), name))
		if err != nil || info.Mode() != want {
			t.Errorf("%q: got %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

// What does not change is not written: neither texts that are put again nor tables that
// end as they began, nor anything by looking at it.
func TestUnchangedIsNotWritten(t *testing.T) {
	s := openTest(t)
	fill(t, s)
	before := tree(t, filepath.Dir(s.options.Dir))
	fill(t, s)
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		table, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		table.Remove("u1", "")
		table.Insert(busy("u1", 9))
		requests, err := tx.Requests()
		if err != nil {
			return err
		}
		if err := tx.SetRequests(nil); err != nil {
			return err
		}
		if err := tx.SetRequests(requests); err != nil {
			return err
		}
		key := stores.Key{ID: stores.ID{UID: "u1"}}
		text, err := tx.Get(key)
		if err != nil {
			return err
		}
		if err := tx.Delete(key); err != nil {
			return err
		}
		return tx.Put(key, text)
	})
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, tree(t, filepath.Dir(s.options.Dir)), before)
}

// Deleting leaves no empty directories of events behind, and empties tables as the
// original does.
func TestEmptied(t *testing.T) {
	s := openTest(t)
	fill(t, s)
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		for key, err := range tx.Keys() {
			if err != nil {
				return err
			}
			if err := tx.Delete(key); err != nil {
				return err
			}
		}
		table, err := tx.Periods(stores.Table{})
		if err != nil {
			return err
		}
		table.Remove("u1", "")
		if err := tx.SetProviders(stores.Providers{}); err != nil {
			return err
		}
		return tx.SetRequests(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(s.options.Dir, string(paul))
	for _, name := range []string{"recurrences", "cancellations/recurrences", "counters/objects", "counters/recurrences", "objects"} {
		entries, err := os.ReadDir(filepath.Join(dir, name))
		if err != nil || len(entries) > 0 {
			t.Errorf("in %s: %v, %v", name, entries, err)
		}
	}
	for _, name := range []string{"freebusy", "requests", "freebusy-providers"} {
		if got := read(t, dir+"/"+name); got != "" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// A user who stores nothing gets no directory, by no kind of access.
func TestNoDirectoryForNothing(t *testing.T) {
	s := openTest(t)
	for _, access := range []func(context.Context, calendar.URI, func(stores.Tx) error) error{s.View, s.Update} {
		err := access(bg, paul, func(tx stores.Tx) error {
			if _, err := tx.Published(); err == nil {
				t.Error("something is published")
			}
			for key, err := range tx.Keys() {
				t.Errorf("got %v, %v", key, err)
			}
			others, err := tx.Others()
			if err != nil || len(others) > 0 {
				t.Errorf("got %v, %v", others, err)
			}
			return tx.Delete(stores.Key{ID: stores.ID{UID: "u1"}})
		})
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(s.options.Dir); err == nil {
		t.Error("a directory was made")
	}
}

// Every regular file is an event to the original, so the tools must see it; what is no
// file is none.
func TestStrangeEntries(t *testing.T) {
	s := openTest(t)
	fill(t, s)
	dir := filepath.Join(s.options.Dir, string(paul))
	write(t, dir+"/objects/u1~", "backup")
	write(t, dir+"/objects/new\nline", "x")
	write(t, dir+"/objects/\xff", "x")
	write(t, dir+"/recurrences/u1/.swp", "x")
	write(t, dir+"/objects/directory/file", "x")
	write(t, dir+"/recurrences/file", "x")
	write(t, filepath.Join(s.options.Dir, "file"), "no user")
	for link, target := range map[string]string{
		"link": "u1", "dangling": "nowhere", "outside": "/etc/passwd", "upwards": "../../../file",
	} {
		if err := os.Symlink(target, dir+"/objects/"+link); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(dir+"/objects/pipe", 0o660); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := s.View(bg, paul, func(tx stores.Tx) error {
		for key, err := range tx.Keys() {
			if err != nil {
				return err
			}
			if _, err := tx.Get(key); err != nil {
				t.Error(err)
			}
			if key.Part == stores.Active {
				got = append(got, key.UID+" "+key.RecurrenceID)
			}
		}
		for _, uid := range []string{"outside", "upwards"} {
			_, err := tx.Get(stores.Key{ID: stores.ID{UID: uid}})
			wantError(t, err, dir+"/objects/"+uid, "symbolic link")
		}
		_, err := tx.Get(stores.Key{ID: stores.ID{UID: "pipe"}})
		wantError(t, err, dir+"/objects/pipe", "not a regular file")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a/b ", "link ", "new\nline ", "u1 ", "u1~ ", "\xff ", "u1 .swp", "u1 20261202"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for user, err := range s.Users(bg) {
		if err != nil || user != paul {
			t.Errorf("got user %q, %v", user, err)
		}
	}
}

// The store and a user's directory may be links, and work; a link inside is replaced by
// what is written, never followed.
func TestLinks(t *testing.T) {
	s := openTest(t)
	elsewhere := t.TempDir()
	if err := os.Mkdir(elsewhere+"/store", 0o770); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere+"/store", s.options.Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(elsewhere+"/user", 0o770); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere+"/user", filepath.Join(s.options.Dir, string(paul))); err != nil {
		t.Fatal(err)
	}
	write(t, elsewhere+"/target", "safe")
	write(t, elsewhere+"/user/objects/other", "safe")
	for link, target := range map[string]string{"objects/u1": "other", "freebusy-offers": elsewhere + "/target"} {
		if err := os.Symlink(target, elsewhere+"/user/"+link); err != nil {
			t.Fatal(err)
		}
	}
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		return tx.SetRequests([]stores.Request{{ID: stores.ID{UID: "u1"}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := put(s, "u1", "new"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, elsewhere+"/user/objects/u1"); got != string(storestest.Event("u1", "", "new")) {
		t.Errorf("got %q", got)
	}
	if info, err := os.Lstat(elsewhere + "/user/objects/u1"); err != nil || !info.Mode().IsRegular() {
		t.Errorf("got %v, %v", info, err)
	}
	err = s.Update(bg, paul, func(tx stores.Tx) error {
		_, err := tx.Periods(stores.Table{Kind: stores.Offers})
		return err
	})
	wantError(t, err, "freebusy-offers", "symbolic link")
	if got := read(t, elsewhere+"/target") + read(t, elsewhere+"/user/objects/other"); got != "safesafe" {
		t.Errorf("a link was followed: %q", got)
	}
	var users []calendar.URI
	for user, err := range s.Users(bg) {
		if err != nil {
			t.Fatal(err)
		}
		users = append(users, user)
	}
	if !slices.Equal(users, []calendar.URI{paul}) {
		t.Errorf("users %v", users)
	}
}

// A quota's lists are read as they are written by hand, and what stands there beside their lines stays.
func TestListsByHand(t *testing.T) {
	for _, c := range []struct {
		name, file string
		set        [][]string // nil: not set
		want       string     // the file afterwards
		read       [][]string
		bad        string // why it cannot be read
	}{
		{"as the original writes it", "a\tPT1H\n*\t*\n", nil, "a\tPT1H\n*\t*\n", [][]string{{"a", "PT1H"}, {"*", "*"}}, ""},
		{"by hand", "\ufeff# who\r\n\r\n  a   PT1H  \r\n'b c' PT2H", nil, "", [][]string{{"a", "PT1H"}, {"b c", "PT2H"}}, ""},
		{"too few words", "a PT1H\n\nb\n", nil, "", nil, `limits, line 3: "b": it has 1 word, and must have 2`},
		{"too many words", "a PT1H # much\n", nil, "", nil, `limits, line 1: "a PT1H # much": it has 4 words, and must have 2`},
		{"a quote", "'a PT1H\n", nil, "", nil, `limits, line 1: "'a PT1H": the quote ' is not closed`},
		{"another octet", "\xff PT1H\n", nil, "", nil, `limits, line 1: "\xff PT1H": it is not UTF-8`},
		{"one more", "# who\na PT1H\n", [][]string{{"a", "PT1H"}, {"b c", "PT2H"}}, "# who\na PT1H\n\"b c\"\tPT2H\n", nil, ""},
		{"one less", "# who\na PT1H\n# more\nb PT2H\nc PT3H", [][]string{{"a", "PT1H"}, {"c", "PT3H"}}, "# who\na PT1H\n# more\nc PT3H\n", nil, ""},
		{"another one", "a PT1H\nb PT2H\n", [][]string{{"a", "PT9H"}, {"b", "PT2H"}}, "a\tPT9H\nb PT2H\n", nil, ""},
		{"in another order", "a PT1H\nb PT2H\n", [][]string{{"b", "PT2H"}, {"a", "PT1H"}}, "b\tPT2H\na PT1H\n", nil, ""},
		{"over what cannot be read", "a PT1H\nb\n", [][]string{{"a", "PT1H"}}, "a PT1H\n", nil, ""},
		{"nothing left", "a PT1H\n", [][]string{}, "", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			j, err := OpenJournal(Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			const quota = "mailto:rooms@example.com"
			path := filepath.Join(dir, quota, "limits")
			if err := os.MkdirAll(filepath.Dir(path), 0o770); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.file), 0o660); err != nil {
				t.Fatal(err)
			}
			var read [][]string
			err = j.Update(t.Context(), quota, func(tx stores.JournalTx) (err error) {
				if c.set != nil {
					return tx.SetList("limits", c.set)
				}
				read, err = tx.List("limits")
				return err
			})
			if c.bad != "" {
				list := (*stores.ListError)(nil)
				if !errors.As(err, &list) || err.Error() != filepath.Dir(path)+"/"+c.bad {
					t.Errorf("%v, want %s", err, c.bad)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(read, c.read, slices.Equal) {
				t.Errorf("read %q", read)
			}
			if after, err := os.ReadFile(path); err != nil || c.set != nil && string(after) != c.want {
				t.Errorf("the file is %q, %v; want %q", after, err, c.want)
			}
		})
	}
}
