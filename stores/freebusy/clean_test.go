package freebusy

import (
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	for _, test := range []struct{ in, want, why string }{
		{"", "", "nothing"},
		{"plain", "plain", "nothing to do"},
		{" a  b ", " a  b ", "spaces are kept, as the original does"},
		{"a\u00a0\u3000b\u2003", "a\u00a0\u3000b\u2003", "other spaces too"},
		{"a\nb", "a b", "a line break"},
		{"a \r\n\t b", "a b", "one space for all of a run"},
		{"a\n\u3000b", "a b", "of any white space"},
		{"a\n", "a", "nothing at the end"},
		{"a \n ", "a", "nor the spaces before it"},
		{"\na", " a", "but one at the beginning"},
		{"a\vb\fc\x1cd\x1de\x1ef\u0085g\u2028h\u2029i", "a b c d e f g h i", "all that breaks lines"},
		{"a\x00b\x01c\x1bd\x1fe\x7ff\u009bg", "a b c d e f g", "and other controls"},
		{"caf\xe9", "caf\uFFFD", "not UTF-8"},
		{"a\xed\xa0\x80", "a\uFFFD\uFFFD\uFFFD", "a surrogate is not UTF-8 either"},
		{"a\x80\nb", "a\uFFFD b", "both"},
		{"\uFFFD", "\uFFFD", "as it came"},
		{"\t\n", "", "nothing left"},
	} {
		if got := Clean(test.in); got != test.want {
			t.Errorf("%s: %q becomes %q, want %q", test.why, test.in, got, test.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"", " a  b ", "a \r\n\t b", "caf\xe9\u2028", "\x00\u0085 "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		clean := Clean(value)
		if Clean(clean) != clean {
			t.Errorf("%q becomes %q, then %q", value, clean, Clean(clean))
		}
		if strings.IndexFunc(clean, breaksLine) >= 0 || strings.Contains(clean, "\t") {
			t.Errorf("%q becomes %q", value, clean)
		}
		// All but white space and controls is still there.
		words := func(text string) string {
			return strings.Map(func(r rune) rune {
				if isGap(r) {
					return -1
				}
				return r
			}, string([]rune(text)))
		}
		if words(value) != words(clean) {
			t.Errorf("%q becomes %q", value, clean)
		}
	})
}
