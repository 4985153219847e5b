package zones

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestReadOffset(t *testing.T) {
	for text, want := range map[string]int{
		"+0100": 3600, "-0330": -12600, "+023045": 9045, "0100": 3600, "+01:00": 3600, "-03:30:15": -12615,
		"+100": 3600, "1:00": 3600, "+10000": 3600, "+01:00:": 3600, "+0000": 0, "-0000": 0, "+0130:15": 5415,
	} {
		if got, ok := readOffset(text); !ok || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, ok, want)
		}
	}
	for text, reason := range map[string]string{
		"":           "empty",
		"+":          "only a sign",
		"+1":         "minutes are missing",
		"+01":        "minutes are missing",
		"+-100":      "two signs",
		"+01-30":     "a sign within",
		"+0100Z":     "something after it",
		"+01:0":      "half of the minutes",
		"+01::00":    "two colons",
		":0100":      "begins with a colon",
		"+01000000":  "too long",
		"+01:00:00:": "ends with a colon",
		"+ 100":      "a blank",
		"+1h00":      "letters",
	} {
		if got, ok := readOffset(text); ok {
			t.Errorf("%q is read as %d, want an error: %s", text, got, reason)
		}
	}
}

// offsetPrefix is what cutOffset splits off, with the sign, the hours and the minutes.
var offsetPrefix = regexp.MustCompile(`(?i)^\(?\s*(?:UTC|GMT|UT)?\s*(?:([+-])\s*([0-9]{1,2})(?:[:.]?([0-9]{2}))?)?\s*\)?(?:\s+|$)`)

// numbered is what unnumbered strips.
var numbered = regexp.MustCompile(`[ _-]+[0-9]{1,2}$`)

func TestCutOffset(t *testing.T) {
	for _, test := range []struct{ name, offset, rest string }{
		{"UTC+01:00", "+0100", ""},
		{"(GMT-03.30) Newfoundland", "-0330", "Newfoundland"},
		{"GMT+0100", "+0100", ""},
		{"gmt +100", "+0100", ""},
		{"(UTC) Dublin", "+0000", "Dublin"},
		{"GMT", "+0000", ""},
		{"UT-5", "-0500", ""},
		{"+ 5:45 Kathmandu", "+0545", "Kathmandu"},
		{"UTC+1:5", "", "UTC+1:5"},
		{"UTC+12345", "", "UTC+12345"},
		{"GMTX", "", "GMTX"},
		{"GMT +x", "+0000", "+x"},
		{"", "", ""},
		{"Europe/Oslo", "", "Europe/Oslo"},
	} {
		if offset, rest := cutOffset(test.name); offset != test.offset || rest != test.rest {
			t.Errorf("%q: %q and %q, want %q and %q", test.name, offset, rest, test.offset, test.rest)
		}
	}
}

// Any text is cut as the regular expressions say.
func TestCutAny(t *testing.T) {
	pieces := []string{"(", ")", " ", "  ", "\t", "UTC", "gmt", "Ut", "C", "+", "-", ":", ".", "1", "05", "30", "100", "_", "Oslo", "é"}
	rapid.Check(t, func(t *rapid.T) {
		name := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 8).Draw(t, "pieces"), "")
		wantOffset, wantRest := "", name
		if m := offsetPrefix.FindStringSubmatch(name); m != nil && strings.TrimSpace(m[0]) != "" {
			wantOffset, wantRest = "+0000", strings.TrimSpace(name[len(m[0]):])
			if m[1] != "" {
				hours, _ := strconv.Atoi(m[2])
				minutes, _ := strconv.Atoi("0" + m[3])
				wantOffset = fmt.Sprintf("%s%02d%02d", m[1], hours, minutes)
			}
		}
		if offset, rest := cutOffset(name); offset != wantOffset || rest != wantRest {
			t.Errorf("%q: %q and %q, want %q and %q", name, offset, rest, wantOffset, wantRest)
		}
		want := numbered.ReplaceAllString(name, "")
		if wantOffset != "" && wantRest == "" {
			want = name
		}
		if got := unnumbered(name); got != want {
			t.Errorf("%q without its number is %q, want %q", name, got, want)
		}
	})
}
