package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

// The example says what the defaults are, and says all of them.
func TestExample(t *testing.T) {
	c, err := Load("config.txt", environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), c, cmpopts.IgnoreFields(Config{}, "File"), cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Error(diff)
	}
	source, err := os.ReadFile("config.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		if n := len(regexp.MustCompile(`(?m)^`+name+` = `).FindAll(source, -1)); n != 1 {
			t.Errorf("%s is in the example %d times, want once", name, n)
		}
	}
	// The original's programs read it as well, with the parser of Python 2.
	for i, line := range strings.Split(string(source), "\n") {
		if line != "" && line[0] != '#' && !regexp.MustCompile(`^[A-Z_]+ = ("[^"\\]*"|[0-9]+|None|True|False)$`).MatchString(line) {
			t.Errorf("line %d is more than the plainest Python: %s", i+1, line)
		}
	}
}

func TestRead(t *testing.T) {
	tests := []struct {
		name   string
		source string
		want   func(*Config)
		warns  []string // the beginnings, after the file's name
		fails  bool     // Check
	}{
		{name: "empty", want: func(*Config) {}},
		{name: "every kind of setting", source: `
STORE_DIR = "/srv/store" # a comment with "quotes"
DEFAULT_PERMISSIONS = 0640
DEFAULT_DIR_PERMISSIONS = 0o2750
MANAGER_INTERFACE = False
MANAGER_URL = 'https://example.com/#calendar'
CALENDAR_LINE_LENGTH = 75
MESSAGE_SIZE_LIMIT = 0x100000
DEADLINE = 30
JOURNAL_DIR = STORE_DIR
SYSLOG = "mail"
`, want: func(c *Config) {
			c.StoreDir, c.JournalDir = "/srv/store", "/srv/store"
			c.Permissions, c.DirPermissions = 0o640, 0o2750
			c.ManagerInterface, c.ManagerURL = false, "https://example.com/#calendar"
			c.CalendarLineLength, c.MessageSizeLimit, c.Deadline, c.Syslog = 75, 1<<20, 30*time.Second, "mail"
		}},
		{name: "the last one counts", source: "LANG = 'de'\nLANG = 'nb'\n", want: func(c *Config) { c.Lang = "nb" }},
		{name: "None where there may be none", source: "MANAGER_URL = 'x'\nMANAGER_URL = None\nFREEBUSY_OFFER_DEFAULT = None\nREJECTED_DIR = None", want: func(*Config) {}},
		{name: "numbers for truth", source: "MANAGER_INTERFACE = 0", want: func(c *Config) { c.ManagerInterface = false }},
		{name: "a name of the administrator's own", source: "BASE = '/srv'\nSTORE_DIR = BASE", want: func(c *Config) { c.StoreDir = "/srv" }},

		{name: "no such setting", source: "STORE_DRI = '/srv'", want: func(*Config) {}, warns: []string{"line 1: STORE_DRI: unknown setting; STORE_DIR is expected"}, fails: true},
		{name: "a setting in small letters", source: "store_dir = '/srv'", want: func(*Config) {}, warns: []string{"line 1: store_dir: unknown setting; STORE_DIR is expected"}, fails: true},
		{name: "another spelling beside the right one", source: "STORE_DRI = '/srv'\nSTORE_DIR = '/srv/a'", want: func(c *Config) { c.StoreDir = "/srv/a" },
			warns: []string{"line 1: STORE_DRI: unknown setting"}},
		{name: "a name like none", source: "STOREROOM = '/srv'", want: func(*Config) {}, warns: []string{"line 1: STOREROOM: unknown setting"}},
		{name: "a wrong type", source: "LANG = 7", want: func(*Config) {}, warns: []string{"line 1: LANG: it must be a string"}},
		{name: "a wrong type after a right one", source: "LANG = 'de'\nLANG = 7", want: func(*Config) {}, warns: []string{"line 2: LANG: it must be a string; the default"}},
		{name: "a right type after a wrong one", source: "STORE_DIR = 7\nSTORE_DIR = '/srv'", want: func(c *Config) { c.StoreDir = "/srv" },
			warns: []string{"line 1: STORE_DIR"}},
		{name: "another word", source: "SHARING_DEFAULT = 'yes'", want: func(*Config) {}, warns: []string{`line 1: SHARING_DEFAULT: "yes" is none of`}},
		{name: "a number out of range", source: "PERIOD_LIMIT = 0", want: func(*Config) {}, warns: []string{"line 1: PERIOD_LIMIT: 0 is not"}},
		{name: "a number where True is meant", source: "MANAGER_INTERFACE = 'True'", want: func(*Config) {}, warns: []string{"line 1: MANAGER_INTERFACE"}},
		{name: "True where a number is meant", source: "DEADLINE = True", want: func(*Config) {}, warns: []string{"line 1: DEADLINE"}},
		{name: "None where there must be something", source: "LANG = None", want: func(*Config) {}, warns: []string{"line 1: LANG: it cannot be None"}},
		{name: "what cannot be read, after what can", source: "LANG = 'de'\nLANG = path('x')", want: func(c *Config) { c.Lang = "de" },
			warns: []string{"line 2: LANG: skipped, the value must be"}},
		{name: "a store that cannot be read, after one that can", source: "STORE_DIR = '/srv'\nSTORE_DIR = path('x')", want: func(c *Config) { c.StoreDir = "/srv" },
			warns: []string{"line 2: STORE_DIR: skipped, the value must be"}, fails: true},

		{name: "a store that is not a string", source: "STORE_DIR = 7", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR"}, fails: true},
		{name: "a store that is nothing", source: "STORE_DIR = ''", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR: it is empty"}, fails: true},
		{name: "a store that is computed", source: "import os\nSTORE_DIR = os.getcwd()", want: func(*Config) {},
			warns: []string{"line 1: skipped", "line 2: STORE_DIR"}, fails: true},
		{name: "a store that ends half-way", source: "STORE_DIR = \"/srv\\0\"", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR"}, fails: true},
		{name: "a store without a closing quote", source: "LANG = 'de'\nSTORE_DIR = \"/srv/cal\nSYSLOG = 'mail'", want: func(c *Config) { c.Lang, c.Syslog = "de", "mail" },
			warns: []string{`line 2: STORE_DIR: skipped, the string is not closed; a string in quotes is expected, such as STORE_DIR = "/var/lib/imip-agent/store"`}, fails: true},
		{name: "a store without an opening quote", source: "STORE_DIR = /srv/cal\"", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR: skipped, the string is not closed"}, fails: true},
		{name: "a store without quotes", source: "STORE_DIR = /srv/cal", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR: skipped, the value must be"}, fails: true},
		{name: "curly quotes", source: "STORE_DIR = \u201c/srv/cal\u201d", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR: skipped, unexpected character"}, fails: true},
		{name: "a store in three quotes that do not close", source: "STORE_DIR = \"\"\"/srv\nLANG = 'de'", want: func(c *Config) { c.Lang = "de" }, warns: []string{"line 1: STORE_DIR"}, fails: true},
		{name: "a bracket that does not close", source: "STORE_DIR = (\"/srv\"\nLANG = 'de'", want: func(c *Config) { c.Lang = "de" }, warns: []string{"line 1: STORE_DIR"}, fails: true},
		{name: "a line that goes on in another", source: "LANG = 'de' \\\nSTORE_DIR = '/srv'", want: func(*Config) {}, warns: []string{"line 1: LANG", "line 1: STORE_DIR"}, fails: true},
		{name: "a store that is indented", source: "  STORE_DIR = '/srv'", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR: skipped, the line is indented"}, fails: true},
		{name: "a store on a condition", source: "if True: STORE_DIR = '/srv'", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR"}, fails: true},
		{name: "a store with a colon", source: "STORE_DIR: '/srv'", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR"}, fails: true},
		{name: "a store without an equals sign", source: "STORE_DIR '/srv'", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR"}, fails: true},
		{name: "a store that is added to", source: "STORE_DIR += '/srv'", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR"}, fails: true},
		{name: "two names at once", source: "STORE_DIR, JOURNAL_DIR = '/a', '/b'", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR", "line 1: JOURNAL_DIR"}, fails: true},
		{name: "a shell's assignment", source: "export STORE_DIR='/srv'", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR"}, fails: true},
		{name: "a comment that names a store, and has a quote", source: "# STORE_DIR = \"/srv", want: func(*Config) {}},
		{name: "a string that names a store", source: "X = 'STORE_DIR = ", want: func(*Config) {}, warns: []string{"line 1: STORE_DIR"}, fails: true},
		{name: "mended below", source: "STORE_DIR = '/sr\nSTORE_DIR = '/srv'", want: func(c *Config) { c.StoreDir = "/srv" }, warns: []string{"line 1: STORE_DIR"}},
		{name: "another setting in such a line", source: "SYSLOG = 'mail", want: func(*Config) {}, warns: []string{"line 1: SYSLOG: skipped, the string is not closed"}},
		{name: "a journal that cannot be read", source: "JOURNAL_DIR = '/srv", want: func(*Config) {}, warns: []string{"line 1: JOURNAL_DIR"}, fails: true},
		{name: "decimal permissions", source: "DEFAULT_PERMISSIONS = 660", want: func(*Config) {}, warns: []string{"line 1: DEFAULT_PERMISSIONS: 01224 does not"}, fails: true},
		{name: "permissions of a file for directories", source: "DEFAULT_DIR_PERMISSIONS = 0660", want: func(*Config) {},
			warns: []string{"line 1: DEFAULT_DIR_PERMISSIONS"}, fails: true},
		{name: "another type of store", source: "STORE_TYPE = 'mysql'", want: func(*Config) {}, warns: []string{"line 1: STORE_TYPE"}, fails: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := Default()
			test.want(&want)
			got := Read([]byte(test.source), "f")
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Config{}, "File", "Warnings"), cmpopts.IgnoreUnexported(Config{})); diff != "" {
				t.Error(diff)
			}
			if len(got.Warnings) != len(test.warns) {
				t.Fatalf("warnings %v, want %q", got.Warnings, test.warns)
			}
			for i, w := range got.Warnings {
				if !strings.HasPrefix(w.String(), "f, "+test.warns[i]) {
					t.Errorf("warning %q, want %q", w, test.warns[i])
				}
			}
			if err := got.Check(); (err != nil) != test.fails {
				t.Errorf("Check: %v", err)
			}
		})
	}
}

// Every setting is read, has its default where it is wrong, and names itself.
func TestEverySetting(t *testing.T) {
	for _, s := range settings {
		c := Default()
		var value string
		switch s.field(&c).(type) {
		case *string:
			value = `"/other"`
			if s.values != nil {
				value = fmt.Sprintf("%q", s.values[0])
				if d := Default(); *s.field(&d).(*string) == s.values[0] {
					value = fmt.Sprintf("%q", s.values[1])
				}
			}
		case *bool:
			value = "False"
			if d := Default(); !*s.field(&d).(*bool) {
				value = "True"
			}
		case *fs.FileMode:
			value = "0700"
		default:
			value = "11"
		}
		c = Read([]byte(s.name+" = "+value), "f")
		if len(c.Warnings) > 0 {
			t.Errorf("%s = %s: %v", s.name, value, c.Warnings)
		}
		d := Default()
		if diff := cmp.Diff(d, c, cmpopts.IgnoreFields(Config{}, "File"), cmpopts.IgnoreUnexported(Config{})); diff == "" {
			t.Errorf("%s = %s changes nothing", s.name, value)
		}

		wrong := "7"
		if _, number := s.field(&c).(*string); !number {
			wrong = `"seven"`
		}
		c = Read([]byte(s.name+" = "+value+"\n"+s.name+" = "+wrong), "f")
		if diff := cmp.Diff(d, c, cmpopts.IgnoreFields(Config{}, "File", "Warnings"), cmpopts.IgnoreUnexported(Config{})); diff != "" {
			t.Errorf("%s = %s is taken: %s", s.name, wrong, diff)
		}
		if len(c.Warnings) != 1 || c.Warnings[0].Name != s.name || c.Warnings[0].Line != 2 {
			t.Errorf("%s = %s: %v", s.name, wrong, c.Warnings)
		}
		if err := c.Check(); (err != nil) != s.vital {
			t.Errorf("%s = %s: Check says %v", s.name, wrong, err)
		}
	}
}

func TestLoadFinds(t *testing.T) {
	dir := t.TempDir()
	write := func(name, lang string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("LANG = '"+lang+"'\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	asked, named, fallback := write("asked", "asked"), write("named", "named"), write("fallback", "fallback")
	absent := filepath.Join(dir, "absent")
	t.Chdir(dir)
	write("config.txt", "the working directory's")

	tests := []struct {
		name, file, variable, fallback string
		want                           string
		err                            error
	}{
		{"the file asked for", asked, named, fallback, "asked", nil},
		{"the environment's", "", named, fallback, "named", nil},
		{"the usual one", "", "", fallback, "fallback", nil},
		{"none at all", "", "", absent, "en", nil},
		{"the file asked for is missing", absent, named, fallback, "", fs.ErrNotExist},
		{"the environment's is missing", "", absent, fallback, "", fs.ErrNotExist},
	}
	for _, test := range tests {
		c, err := load(test.file, environment(map[string]string{FileVariable: test.variable}), test.fallback)
		if !errors.Is(err, test.err) || c.Lang != test.want {
			t.Errorf("%s: LANG %q, error %v", test.name, c.Lang, err)
		}
	}
	for name, file := range map[string]string{"a directory": dir, "an endless file": "/dev/zero"} {
		if _, err := load("", environment(nil), file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v, want an error that names it", name, err)
		}
	}
	// As some editors save text, and after a crash.
	for name, text := range map[string]string{
		"UTF-16": "\xff\xfeS\x00T\x00O\x00R\x00E\x00_\x00D\x00I\x00R\x00=\x00", "NULs": "LANG = 'de'\n" + strings.Repeat("\x00", 100),
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		var unusable *Error
		if _, err := load("", environment(nil), file); !errors.As(err, &unusable) || !strings.Contains(err.Error(), file+", line ") {
			t.Errorf("%s: %v, want an error that names the line", name, err)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(absent, link); err != nil {
		t.Fatal(err)
	}
	if _, err := load("", environment(nil), link); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link to nothing: %v", err)
	}
}

func TestOverride(t *testing.T) {
	c := Read([]byte("STORE_DIR = join('a', 'b')\nSTORE_TYPE = 7"), "f")
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), "f, line 2: STORE_TYPE") {
		t.Errorf("Check: %v, want the line of the first setting that is wrong", err)
	}
	for name, value := range map[string]string{"STORE_DIR": "/srv", "STORE_TYPE": "file"} {
		if err := c.Override(name, value); err != nil {
			t.Error(err)
		}
	}
	if err := c.Check(); err != nil || c.StoreDir != "/srv" {
		t.Errorf("STORE_DIR %q, error %v", c.StoreDir, err)
	}
	for name, value := range map[string]string{"STORE_DIR": "", "STORE_TYPE": "mysql", "DEADLINE": "7", "NO_SUCH": "x"} {
		if err := c.Override(name, value); err == nil {
			t.Errorf("%s can be overridden with %q", name, value)
		}
	}
}

func TestRejected(t *testing.T) {
	for _, test := range []struct {
		c    Config
		want string
	}{
		{Default(), "/var/lib/imip-agent/rejected"},
		{Config{StoreType: "file", StoreDir: "/srv/store/"}, "/srv/rejected"},
		{Config{StoreType: "file", StoreDir: "store"}, "rejected"},
		{Config{StoreType: "file", StoreDir: "/srv/store", RejectedDir: "/srv/aside"}, "/srv/aside"},
		{Config{StoreType: "postgresql", StoreDir: "host=/run/postgresql dbname=imip", PreferencesDir: "/srv/preferences"}, "/srv/rejected"},
	} {
		if got := test.c.Rejected(); got != test.want {
			t.Errorf("store %s, set %q: %s, want %s", test.c.StoreDir, test.c.RejectedDir, got, test.want)
		}
	}
}

func TestNames(t *testing.T) {
	names := Names()
	slices.Sort(names)
	if len(slices.Compact(names)) != len(settings) {
		t.Error("a setting is there twice")
	}
}
