package stores

import "testing"

func TestIsRecurrenceID(t *testing.T) {
	for text, want := range map[string]bool{
		"20261202":             true,
		"20261202T113000":      true,
		"20261202T113000Z":     true,
		"":                     false,
		"2026120":              false, // a digit is missing
		"20261202T":            false, // half a date-time
		"20261202T1130":        false,
		"20261202t113000":      false, // not normalised
		"20261202T113000z":     false,
		"20261202T113000ZZ":    false,
		"20261202T113000+0100": false,
		"2026-12-02":           false,
		"2026120Z":             false,
		"２０２６１２０２":             false, // digits, but of another script
		"20261202\n":           false,
	} {
		if got := IsRecurrenceID(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
