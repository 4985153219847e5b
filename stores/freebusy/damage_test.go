package freebusy

import "testing"

// Every flaw has a text, and damage says all of it.
func TestDamageReason(t *testing.T) {
	for f := ByteOrderMark; f <= Twice; f++ {
		if f.String() == "" {
			t.Errorf("flaw %d has no text", f)
		}
	}
	for _, test := range []struct {
		name        string
		flaws       []Flaw
		reason      string
		mended, old bool
	}{
		{"one flaw", []Flaw{BlankLine}, "a blank line", true, false},
		{"old layout", []Flaw{OldLayout}, "old layout: there is an eighth column", true, true},
		{"old layout and more", []Flaw{OldLayout, BrokenValue}, "old layout: there is an eighth column, a line break or TAB inside a value", true, false},
		{"no record", []Flaw{NoRecord}, "not a record: it does not begin with two times from 1900 to 9999", false, false},
		{"one flaw that loses the record", []Flaw{NotUTF8, BadExpiry}, "not UTF-8, an expiry time that cannot be read", false, false},
		{"a line of a queue", []Flaw{NoUID}, "there is no UID in it", false, false},
		{"a row", []Flaw{Twice}, "it is there twice", false, false},
	} {
		d := Damage{Line: 1, Flaws: test.flaws}
		if got := d.Reason(); got != test.reason {
			t.Errorf("%s: %q, want %q", test.name, got, test.reason)
		}
		if d.Mended() != test.mended || d.OldLayout() != test.old {
			t.Errorf("%s: mended %v, of the old layout %v", test.name, d.Mended(), d.OldLayout())
		}
	}
}
