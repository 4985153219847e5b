package file

import (
	"path/filepath"
	"strings"
	"testing"

	"imip-agent/stores"
)

func TestUIDName(t *testing.T) {
	long := strings.Repeat("x", 255)
	for _, test := range []struct{ uid, name, why string }{
		{"u1@example.com", "u1@example.com", "as it is"},
		{".hidden", ".hidden", "as it is"},
		{"a%2Fb", "a%2Fb", "as it is"},
		{"with space", "with space", "as it is"},
		{"ünïcödé", "ünïcödé", "as it is"},
		{long, long, "as long as a name can be"},
		{"a/b", "__uid__a%2Fb", "would be a path"},
		{"../x", "__uid__..%2Fx", "would be a path outside"},
		{".", "__uid__.", "is the directory"},
		{"..", "__uid__..", "is the directory above"},
		{"/ü:@", "__uid__%2F%C3%BC%3A%40", "octet by octet"},
		{"__uid__x", "__uid____uid__x", "would be taken for an encoded one"},
		{"", "__uid__", "is no name"},
		{"a\x00/b", "__uid__a%00%2Fb", "would end there"},
		{long + "x", digestPrefix + "5c03f7962e1b84cfc8c47bc02fe9a2ac5f97ff26a74cf8f92fe4b7eab4a6c1bc"[:0], "too long"},
	} {
		got := uidName(test.uid)
		if got != test.name && !(strings.HasPrefix(test.name, digestPrefix) && strings.HasPrefix(got, test.name)) {
			t.Errorf("%q (%s): got %q, want %q", test.uid, test.why, got, test.name)
		}
		uid, ok := nameUID(got)
		if ok && uid != test.uid || !ok && !strings.HasPrefix(got, digestPrefix) {
			t.Errorf("%q is read back as %q", test.uid, uid)
		}
	}
}

func TestNameUIDOfTheOriginal(t *testing.T) {
	for _, name := range []string{
		"__uid__x",           // needs no encoding
		"__uid__a%2fb",       // we write upper-case digits
		"__uid__a%2",         // half a digit
		"__uid__a%zz/",       // no digits
		"__uid__a/b",         // not encoded
		"__uid__sha256-abcd", // too short for a digest
	} {
		if uid, ok := nameUID(name); !ok || uid != name {
			t.Errorf("%q is no name of ours, and was read as %q", name, uid)
		}
	}
}

func FuzzUIDName(f *testing.F) {
	for _, uid := range []string{"", "u1", "a/b", "..", "__uid__", "__uid__a%2Fb", strings.Repeat("/", 90), strings.Repeat("é", 200), "\xff/"} {
		f.Add(uid, "u2")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		name := uidName(a)
		if !isPlain(name) || filepath.Base(name) != name {
			t.Fatalf("%q is no plain name", name)
		}
		if uid, ok := nameUID(name); ok && uid != a {
			t.Fatalf("%q is read back as %q", a, uid)
		} else if !ok && !strings.HasPrefix(name, digestPrefix) {
			t.Fatalf("%q cannot be read back", name)
		}
		if a != b && uidName(b) == name {
			t.Fatalf("%q and %q have one name", a, b)
		}
		// A file of any name gives a UID that leads to that name or can stand for it.
		if isPlain(a) {
			if uid, ok := nameUID(a); ok && uidName(uid) != a && uid != a {
				t.Fatalf("the file %q is lost as %q", a, uid)
			}
		}
	})
}

func TestPaths(t *testing.T) {
	s := openTest(t)
	dir := filepath.Join(s.options.Dir, string(paul))
	key := stores.Key{ID: stores.ID{UID: "a/b", RecurrenceID: "20261202"}}
	countered := key
	countered.Part, countered.Other = stores.Countered, "mailto:x@y"
	for _, test := range []struct{ got, want string }{
		{s.Path(paul, stores.Key{ID: stores.ID{UID: "u1"}}), dir + "/objects/u1"},
		{s.Path(paul, key), dir + "/recurrences/__uid__a%2Fb/20261202"},
		{s.Path(paul, countered), dir + "/counters/recurrences/__uid__a%2Fb/20261202/mailto:x@y"},
		{s.TablePath(paul, stores.Table{}), dir + "/freebusy"},
		{s.TablePath(paul, stores.Table{Kind: stores.Offers}), dir + "/freebusy-offers"},
		{s.TablePath(paul, stores.Table{Kind: stores.Other, Other: "mailto:x@y"}), dir + "/freebusy-other/mailto:x@y"},
		{s.RequestsPath(paul), dir + "/requests"},
		{s.ProvidersPath(paul), dir + "/freebusy-providers"},
		{s.PublishedPath(paul), filepath.Join(s.options.PublishDir, string(paul), "freebusy")},
		// What leads elsewhere has no path.
		{s.Path("../x", key), ""},
		{s.Path(paul, stores.Key{ID: stores.ID{UID: "u1", RecurrenceID: "../x"}}), ""},
		{s.TablePath(paul, stores.Table{Kind: stores.Other, Other: ".."}), ""},
		{s.PublishedPath(".."), ""},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

// Everything hangs on tables and on the directories of texts, and on no text.
func TestBears(t *testing.T) {
	s := openTest(t)
	dir := filepath.Join(s.options.Dir, string(paul))
	for path, want := range map[string]bool{
		"/freebusy": true, "/objects": true, "/freebusy-other": true, "/requests": true,
		"/counters": true, "/counters/objects": true, "/cancellations/recurrences": true,
		"/objects/u1": false, "/freebusy-other/" + string(vincent): false, "/counters/objects/u1": false, "": false,
	} {
		if got := s.Bears(paul, dir+path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
	if s.Bears(vincent, dir+"/objects") {
		t.Error("nothing of Vincent's hangs on Paul's directory")
	}
}

// An event of the original's whose UID looks like an encoded one stays where it is.
func TestOriginalsEncodedLookalike(t *testing.T) {
	s := openTest(t)
	dir := userDir(t, s)
	write(t, dir+"/objects/__uid__x", "BEGIN:VEVENT\r\nEND:VEVENT\r\n")
	write(t, dir+"/recurrences/__uid__x/20261202", "one")
	err := s.Update(bg, paul, func(tx stores.Tx) error {
		for key, err := range tx.Keys() {
			if err != nil || key.UID != "__uid__x" {
				t.Errorf("got %v, %v", key, err)
			}
			if _, err := tx.Get(key); err != nil {
				t.Error(err)
			}
		}
		if ids, err := tx.Recurrences(stores.Active, "__uid__x"); err != nil || len(ids) != 1 {
			t.Errorf("got %v, %v", ids, err)
		}
		return tx.Put(stores.Key{ID: stores.ID{UID: "__uid__x"}}, []byte("new"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir+"/objects/__uid__x"); got != "new" {
		t.Errorf("got %q", got)
	}
}

// A digest that does not fit the text, or has none, is an event of that name.
func TestBrokenDigest(t *testing.T) {
	s := openTest(t)
	dir := userDir(t, s)
	name := uidName(strings.Repeat("x", 300))
	for _, content := range []string{"", "garbage", "BEGIN:VEVENT\r\nUID:other\r\nEND:VEVENT\r\n"} {
		write(t, dir+"/objects/"+name, content)
		err := s.View(bg, paul, func(tx stores.Tx) error {
			for key, err := range tx.Keys() {
				if err != nil || key.UID != name {
					t.Errorf("got %v, %v", key, err)
				}
				if got, err := tx.Get(key); err != nil || string(got) != content {
					t.Errorf("got %q, %v; want %q", got, err, content)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
