package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAliases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "aliases")
	text := "# aliases\n\nBoss@example.org paul@Example.com\nteam@example.com\tpaul@example.com, vincent@example.com\n" +
		"@example.net @example.com\nlong@example.org\n  paul@example.com\r\nnonsense\npaul@example.org\n@example.org paul@example.com\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	aliases, warnings, err := LoadAliases(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 3 || warnings[0].Line != 8 || warnings[1].Line != 9 || warnings[2].Line != 10 {
		t.Errorf("warnings %v", warnings)
	}
	for _, test := range []struct {
		alias, user string
		want        bool
	}{
		{"boss@EXAMPLE.org", "Paul@example.com", true},
		{"boss@example.org", "vincent@example.com", false},
		{"team@example.com", "paul@example.com", true},
		{"team@example.com", "vincent@example.com", true},
		{"vincent@example.net", "vincent@example.com", true},
		{"vincent@example.net", "paul@example.com", false},
		{"long@example.org", "paul@example.com", true},
		{"paul@example.com", "boss@example.org", false}, // not the other way round
		{"paul@example.org", "paul@example.com", false},
		{"", "", false},
		{"@example.net", "@example.com", true}, // addresses of nobody
		{"vincent@example.net", "@example.com", false},
	} {
		if got := aliases.Has(test.alias, test.user); got != test.want {
			t.Errorf("%s of %s: %t", test.alias, test.user, got)
		}
	}
	for address, want := range map[string]string{
		"Boss@example.org":    "paul@example.com",
		"team@example.com":    "paul@example.com vincent@example.com",
		"Vincent@Example.net": "vincent@example.com",
		"paul@example.com":    "",
		"paul":                "",
	} {
		if got := strings.Join(aliases.Users(address), " "); got != want {
			t.Errorf("%s is an address of %q, want %q", address, got, want)
		}
	}
	if _, _, err := LoadAliases(path + ".absent"); err == nil {
		t.Error("a missing file is none")
	}
}
