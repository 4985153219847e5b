package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLogins(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logins")
	const source = "# who is who\n\nPB paul@example.com\nboss\tVincent@example.com\r\nodd\nodd odd@example.com more\nbad bad\nharvey@intern harvey@example.com\n"
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	l, warnings, err := LoadLogins(path, "example.org")
	if err != nil || len(warnings) != 3 || warnings[0].Line != 5 {
		t.Errorf("%v, %v", warnings, err)
	}
	for login, want := range map[string]string{
		"pb": "paul@example.com", "Boss": "Vincent@example.com", "harvey@intern": "harvey@example.com",
		"zoe@example.com": "zoe@example.com", "zoe": "zoe@example.org", "odd": "odd@example.org",
		"": "", "@": "", "zoe@": "", "@example.com": "", "a b": "", "a\nb@example.com": "", "a\x00": "",
	} {
		if got := l.Address(login); got != want {
			t.Errorf("%q is %q, want %q", login, got, want)
		}
	}
	l, _, err = LoadLogins("", "")
	if err != nil || l.Address("zoe") != "" || l.Address("zoe@x") != "zoe@x" {
		t.Errorf("without a file: %q, %v", l.Address("zoe"), err)
	}
	if _, _, err := LoadLogins(path+"-missing", ""); err == nil || !strings.Contains(err.Error(), "LOGINS") {
		t.Errorf("a file that is missing: %v", err)
	}
}

// Whatever a client logs in with, it is an address or nobody's.
func FuzzLogin(f *testing.F) {
	for _, login := range []string{"paul", "paul@example.com", "a@b@c", "\x00", " "} {
		f.Add(login)
	}
	f.Fuzz(func(t *testing.T, login string) {
		l, _, _ := LoadLogins("", "example.com")
		address := l.Address(login)
		if address != "" && (!isAddress(address) || strings.ContainsAny(address, "\r\n\x00 ")) {
			t.Errorf("%q is %q", login, address)
		}
	})
}
