package zones

import "testing"

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
