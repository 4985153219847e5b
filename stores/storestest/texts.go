package storestest

import (
	"errors"
	"strings"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

func texts(t *testing.T, s stores.Store) {
	k := key(stores.Active, "u1", "", "")
	update(t, s, Paul, func(tx stores.Tx) {
		wantNone(t, tx, k)
		ok(t, tx.Delete(k))
		ok(t, tx.Put(k, Event("u1", "", "first")))
	})
	view(t, s, Paul, func(tx stores.Tx) { wantText(t, tx, k, Event("u1", "", "first")) })
	view(t, s, Vincent, func(tx stores.Tx) { wantNone(t, tx, k) })
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.Put(k, Event("u1", "", "grün, 予定"))) })
	view(t, s, Paul, func(tx stores.Tx) { wantText(t, tx, k, Event("u1", "", "grün, 予定")) })
	update(t, s, Paul, func(tx stores.Tx) { ok(t, tx.Delete(k)) })
	view(t, s, Paul, func(tx stores.Tx) { wantNone(t, tx, k) })
}

// parts sees that the parts are apart, and what is listed of each. An event and its
// occurrences move between them, as they do when they are cancelled.
func parts(t *testing.T, s stores.Store) {
	first, second := "20261202T090000Z", "20261209T090000Z"
	update(t, s, Paul, func(tx stores.Tx) {
		ok(t, tx.Put(key(stores.Active, "u1", "", ""), Event("u1", "", "whole")))
		ok(t, tx.Put(key(stores.Active, "u1", second, ""), Event("u1", second, "second")))
		ok(t, tx.Put(key(stores.Active, "u1", first, ""), Event("u1", first, "first")))
		ok(t, tx.Put(key(stores.Countered, "u1", "", Vincent), Event("u1", "", "later")))
		ok(t, tx.Put(key(stores.Countered, "u1", "", Harvey), Event("u1", "", "earlier")))
		ok(t, tx.Put(key(stores.Countered, "u1", first, Harvey), Event("u1", first, "never")))
	})
	view(t, s, Paul, func(tx stores.Tx) {
		wantText(t, tx, key(stores.Active, "u1", "", ""), Event("u1", "", "whole"))
		wantText(t, tx, key(stores.Active, "u1", first, ""), Event("u1", first, "first"))
		wantNone(t, tx, key(stores.Cancelled, "u1", "", ""))
		wantNone(t, tx, key(stores.Cancelled, "u1", first, ""))
		wantText(t, tx, key(stores.Countered, "u1", "", Harvey), Event("u1", "", "earlier"))
		wantText(t, tx, key(stores.Countered, "u1", first, Harvey), Event("u1", first, "never"))
		wantNone(t, tx, key(stores.Countered, "u1", first, Vincent))
		equal(t, "recurrences", must(t, first2(tx.Recurrences(stores.Active, "u1")), nil), []string{first, second})
		wantLists(t, tx, nil, []calendar.URI{Harvey, Vincent}, []calendar.URI{Harvey})
	})
	update(t, s, Paul, func(tx stores.Tx) {
		ok(t, tx.Put(key(stores.Cancelled, "u1", first, ""), Event("u1", first, "first")))
		ok(t, tx.Delete(key(stores.Active, "u1", first, "")))
		ok(t, tx.Delete(key(stores.Countered, "u1", first, Harvey)))
		ok(t, tx.Delete(key(stores.Countered, "u1", "", Harvey)))
	})
	view(t, s, Paul, func(tx stores.Tx) {
		equal(t, "recurrences", must(t, first2(tx.Recurrences(stores.Active, "u1")), nil), []string{second})
		wantLists(t, tx, []string{first}, []calendar.URI{Vincent}, nil)
		wantText(t, tx, key(stores.Cancelled, "u1", first, ""), Event("u1", first, "first"))
		wantNone(t, tx, key(stores.Active, "u1", first, ""))
	})
}

// first2 drops the error of a list, which then is empty.
func first2[T any](list []T, err error) []T {
	if err != nil {
		return nil
	}
	return list
}

// wantLists checks the cancelled recurrences of u1, and the counter-proposals to it and
// to its first occurrence.
func wantLists(t *testing.T, tx stores.Tx, cancelled []string, whole, first []calendar.URI) {
	t.Helper()
	ids, err := tx.Recurrences(stores.Cancelled, "u1")
	ok(t, err)
	equal(t, "cancelled recurrences", ids, cancelled)
	others, err := tx.Counters(stores.ID{UID: "u1"})
	ok(t, err)
	equal(t, "counter-proposals", others, whole)
	others, err = tx.Counters(stores.ID{UID: "u1", RecurrenceID: "20261202T090000Z"})
	ok(t, err)
	equal(t, "counter-proposals to the occurrence", others, first)
}

func ownChanges(t *testing.T, s stores.Store) {
	id := "20261202"
	update(t, s, Paul, func(tx stores.Tx) {
		ok(t, tx.Put(key(stores.Active, "u1", id, ""), Event("u1", id, "x")))
		ok(t, tx.Put(key(stores.Active, "u1", "20261203", ""), Event("u1", "20261203", "x")))
	})
	update(t, s, Paul, func(tx stores.Tx) {
		ok(t, tx.Delete(key(stores.Active, "u1", id, "")))
		ok(t, tx.Put(key(stores.Active, "u1", "20261201", ""), Event("u1", "20261201", "x")))
		ok(t, tx.Put(key(stores.Countered, "u2", "", Vincent), Event("u2", "", "x")))
		wantNone(t, tx, key(stores.Active, "u1", id, ""))
		equal(t, "recurrences", first2(tx.Recurrences(stores.Active, "u1")), []string{"20261201", "20261203"})
		equal(t, "counter-proposals", first2(tx.Counters(stores.ID{UID: "u2"})), []calendar.URI{Vincent})
		if n := len(allKeys(t, tx)); n != 3 {
			t.Errorf("%d keys, want 3", n)
		}
		must2(t, tx, stores.Table{}).Insert(busy("u1", id, 9))
		if n := len(periods(t, tx, stores.Table{})); n != 1 {
			t.Errorf("%d periods, want 1", n)
		}
		ok(t, tx.SetRequests([]stores.Request{{ID: stores.ID{UID: "u2"}, Type: "COUNTER"}}))
		if n := len(must2r(t, tx)); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
	view(t, s, Paul, func(tx stores.Tx) {
		equal(t, "recurrences", first2(tx.Recurrences(stores.Active, "u1")), []string{"20261201", "20261203"})
	})
}

func keys(t *testing.T, s stores.Store) {
	want := []stores.Key{
		key(stores.Active, "u1", "", ""),
		key(stores.Active, "u1", "20261202T090000Z", ""),
		key(stores.Active, "u1", "20261209T090000", ""),
		key(stores.Active, "u2", "20261209", ""), // without its parent, as iTIP allows
		key(stores.Cancelled, "u3", "", ""),
		key(stores.Cancelled, "u1", "20261216", ""),
		key(stores.Countered, "u1", "", Vincent),
		key(stores.Countered, "u1", "", Harvey),
		key(stores.Countered, "u1", "20261202T090000Z", Vincent),
	}
	update(t, s, Paul, func(tx stores.Tx) {
		for i := range want {
			k := want[len(want)-1-i]
			ok(t, tx.Put(k, Event(k.UID, k.RecurrenceID, string(k.Other))))
		}
	})
	view(t, s, Paul, func(tx stores.Tx) {
		seen := make(map[stores.Key]bool)
		parents := make(map[stores.Key]bool)
		for _, k := range allKeys(t, tx) {
			seen[k] = true
			wantText(t, tx, k, Event(k.UID, k.RecurrenceID, string(k.Other)))
			if k.RecurrenceID == "" {
				parents[k] = true
			} else if parent := key(k.Part, k.UID, "", k.Other); tx.Delete(key(stores.Active, "none", "", "")) == nil && contains(want, parent) && !parents[parent] {
				t.Errorf("%v comes before its parent", k)
			}
		}
		for _, k := range want {
			if !seen[k] {
				t.Errorf("%v is missing", k)
			}
		}
		if len(seen) != len(want) {
			t.Errorf("%d keys, want %d", len(seen), len(want))
		}
		for range tx.Keys() {
			break // must not be called again after that
		}
	})
}

func contains(keys []stores.Key, k stores.Key) bool {
	for _, other := range keys {
		if other == k {
			return true
		}
	}
	return false
}

// UIDs that are no good as names of files, and can be stored all the same.
var odd = []string{
	"../x", "a/b", "/etc/passwd", ".", "..", "...", "~", "-", " leading", "trailing ",
	"__lock__", "__uid__", "__uid__x", "__uid__a%2Fb", "a%2Fb", "%", "%00", "a:b@c", "a\\b", "*", "{1-2}",
	"ünïcödé", "予定/1", strings.Repeat("long", 100), strings.Repeat("/", 100), strings.Repeat("x", 255), strings.Repeat("x", 256),
	"sha256-" + strings.Repeat("0", 64), "__uid__sha256-" + strings.Repeat("0", 64), "'; DROP TABLE objects; --", "A", "a",
}

func oddUIDs(t *testing.T, s stores.Store) {
	id := "20261202"
	update(t, s, Paul, func(tx stores.Tx) {
		for _, uid := range odd {
			ok(t, tx.Put(key(stores.Active, uid, "", ""), Event(uid, "", "whole")))
			ok(t, tx.Put(key(stores.Active, uid, id, ""), Event(uid, id, "one")))
			ok(t, tx.Put(key(stores.Countered, uid, "", Vincent), Event(uid, "", "other")))
			must2(t, tx, stores.Table{}).Insert(busy(uid, "", 9))
		}
	})
	view(t, s, Paul, func(tx stores.Tx) {
		seen := make(map[stores.Key]bool)
		for _, k := range allKeys(t, tx) {
			seen[k] = true
		}
		if len(seen) != 3*len(odd) {
			t.Errorf("%d keys, want %d", len(seen), 3*len(odd))
		}
		for _, uid := range odd {
			for _, k := range []stores.Key{
				key(stores.Active, uid, "", ""), key(stores.Active, uid, id, ""), key(stores.Countered, uid, "", Vincent),
			} {
				if !seen[k] {
					t.Errorf("key %v is missing", k)
				}
			}
			wantText(t, tx, key(stores.Active, uid, "", ""), Event(uid, "", "whole"))
			equal(t, "recurrences", first2(tx.Recurrences(stores.Active, uid)), []string{id})
			equal(t, "counter-proposals", first2(tx.Counters(stores.ID{UID: uid})), []calendar.URI{Vincent})
		}
		for _, p := range periods(t, tx, stores.Table{}) {
			if !seen[key(stores.Active, p.UID, "", "")] {
				t.Errorf("free/busy of %q, which is not stored", p.UID)
			}
		}
	})
	update(t, s, Paul, func(tx stores.Tx) {
		for _, k := range allKeys(t, tx) {
			ok(t, tx.Delete(k))
		}
	})
	view(t, s, Paul, func(tx stores.Tx) { equal(t, "keys", allKeys(t, tx), nil) })
}

func unstorable(t *testing.T, s stores.Store) {
	for _, test := range []struct {
		why string
		key stores.Key
	}{
		{"no UID", key(stores.Active, "", "", "")},
		{"NUL in UID", key(stores.Active, "a\x00b", "", "")},
		{"line break in UID", key(stores.Active, "a\nb", "", "")},
		{"TAB in UID", key(stores.Active, "a\tb", "", "")},
		{"delete in UID", key(stores.Active, "a\x7fb", "", "")},
		{"C1 control in UID", key(stores.Active, "a\u0085b", "", "")},
		{"UID is not UTF-8", key(stores.Active, "a\xffb", "", "")},
		{"control in the UID of a cancelled event", key(stores.Cancelled, "a\x01b", "", "")},
		{"recurrence id that is none", key(stores.Active, "u1", "../x", "")},
		{"recurrence id with a zone", key(stores.Active, "u1", "20261202T090000+0100", "")},
		{"recurrence id that is half a time", key(stores.Active, "u1", "20261202T09", "")},
		{"line break after a recurrence id", key(stores.Active, "u1", "20261202\n", "")},
		{"control in a URI", key(stores.Countered, "u1", "", "mailto:a\x01@example.com")},
		{"nobody's counter-proposal", key(stores.Countered, "u1", "", "")},
	} {
		update(t, s, Paul, func(tx stores.Tx) {
			err := tx.Put(test.key, Event("u1", "", "x"))
			var cannot *stores.UnstorableError
			if !errors.As(err, &cannot) {
				t.Errorf("%s: got %v, want an UnstorableError", test.why, err)
			}
			// To look for it is no mistake, and neither is to want it away.
			wantNone(t, tx, test.key)
			ok(t, tx.Delete(test.key))
		})
	}
	view(t, s, Paul, func(tx stores.Tx) { equal(t, "keys", allKeys(t, tx), nil) })
}

// buffers sees that neither side changes what the other has.
func buffers(t *testing.T, s stores.Store) {
	k := key(stores.Active, "u1", "", "")
	update(t, s, Paul, func(tx stores.Tx) {
		buffer := Event("u1", "", "first")
		ok(t, tx.Put(k, buffer))
		clear(buffer)
		list := []stores.Request{{ID: k.ID}}
		ok(t, tx.SetRequests(list))
		list[0].UID = "overwritten"
	})
	view(t, s, Paul, func(tx stores.Tx) {
		wantText(t, tx, k, Event("u1", "", "first"))
		equal(t, "requests", must2r(t, tx), []stores.Request{{ID: k.ID}})
	})
}
