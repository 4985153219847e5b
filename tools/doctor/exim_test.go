package doctor

import "testing"

// A list of addresses says who the users are; one with patterns does not.
func TestPatterns(t *testing.T) {
	for definition, want := range map[string]bool{
		"IMIP_SENDERS=paul@example.org : vincent@example.org": false,
		"IMIP_SENDERS=:": false,
		"IMIP_SENDERS=!calendar@example.org : !postmaster@example.org : *@example.org": true,
		"IMIP_SENDERS=!*@example.org":     false,
		"IMIP_SENDERS=lsearch;/etc/users": true,
	} {
		if got := patterns(definition); got != want {
			t.Errorf("%s: %v", definition, got)
		}
	}
}
