package stores

import (
	"slices"
	"testing"
	"unicode/utf8"
)

// What the original makes of these lines, observed, but for the last ones.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string
		bad  bool
	}{
		{"a PT1H", []string{"a", "PT1H"}, false},
		{"  a\t PT1H ", []string{"a", "PT1H"}, false},
		{"'a b' PT1H", []string{"a b", "PT1H"}, false},
		{`"a b"` + "\tPT1H", []string{"a b", "PT1H"}, false},
		{`'a"b' "c'd"`, []string{`a"b`, "c'd"}, false},
		{"'a b'c PT1H", []string{"a bc", "PT1H"}, false},
		{`a"b c"d`, []string{`a"b`, `c"d`}, false},
		{"it's PT1H", []string{"it's", "PT1H"}, false},
		{`"" PT1H`, []string{"", "PT1H"}, false},
		{`a\ b`, []string{`a\`, "b"}, false},
		{"a # b", []string{"a", "#", "b"}, false},
		{"", nil, false}, // the original fails
		{" \t", nil, false},
		{"# a", nil, false}, // the original reads two words
		{"#a b", nil, false},
		{"'a", nil, true},
		{`a PT1H "`, nil, true},
		{"\xff", nil, true},
	} {
		got, err := Words(c.line)
		if !slices.Equal(got, c.want) && !c.bad || (err != nil) != c.bad {
			t.Errorf("%q: %q, %v", c.line, got, err)
		}
	}
}

// A word that can be quoted is read as it is.
func FuzzQuote(f *testing.F) {
	for _, word := range []string{"", "a", "a b", "'", `"`, `a'b"c`, `"a`, "#a", "a#", "a\tb", "mailto:a@x.com", "\u00a0", "é"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		quoted, err := Quote(word)
		if err != nil {
			return
		}
		if !utf8.ValidString(quoted) {
			t.Fatalf("%q: %q", word, quoted)
		}
		if words, err := Words(quoted + "\t" + quoted); err != nil || !slices.Equal(words, []string{word, word}) {
			t.Errorf("%q is written as %s, and read as %q, %v", word, quoted, words, err)
		}
	})
}
