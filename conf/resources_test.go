package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResources(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resources")
	if err := os.WriteFile(file, []byte("# rooms\nRoom@Example.com room@example.com\n\n  car@example.com\nroom\n@example.com x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		setting  string
		has      string
		warnings int
		fails    string
	}{
		{"", "", 0, ""},
		{"room@example.com, CAR@example.com", "room@example.com car@example.com", 0, ""},
		{file, "room@example.com car@example.com", 2, ""},
		{"rooms", "", 0, `RESOURCES: "rooms" is no mail address`},
		{"room@example.com etc/rooms", "", 0, "with its whole path"},
		{"/nowhere/rooms", "", 0, "RESOURCES"},
	} {
		r, warnings, err := LoadResources(test.setting)
		if (err != nil) != (test.fails != "") || err != nil && !strings.Contains(err.Error(), test.fails) {
			t.Errorf("%q: %v", test.setting, err)
			continue
		}
		want := strings.Fields(test.has)
		if len(r) != len(want) || len(warnings) != test.warnings {
			t.Errorf("%q: %v, %v", test.setting, r, warnings)
		}
		for _, address := range want {
			if !r.Has(address) || !r.Has(strings.ToUpper(address)) || r.Has("x"+address) {
				t.Errorf("%q: %s is missing: %v", test.setting, address, r)
			}
		}
	}
}
