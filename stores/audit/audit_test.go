package audit

import "testing"

func TestLeftover(t *testing.T) {
	for name, want := range map[string]bool{
		"meeting~":                         true, // Emacs, vi
		"#meeting#":                        true, // Emacs, not saved
		".meeting.swp":                     true, // vi
		"meeting.bak":                      true,
		"mailto:paul@example.com.old":      true,
		"meeting":                          false,
		"040000008200E00074C5B7101A82E008": false, // Outlook's
		"a1b2@example.com":                 false,
		"mailto:paul@example.new":          false, // there is such a domain
		"meeting#1":                        false,
	} {
		if got := Leftover(name); got != want {
			t.Errorf("Leftover(%q) = %v", name, got)
		}
	}
}
