package doctor_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imip-agent/conf"
	"imip-agent/stores"
	"imip-agent/stores/file"
	"imip-agent/tests/clock"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
	"imip-agent/tools/doctor"
)

// built is our handler as it is shipped: it is run without an environment.
var built string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "imip-agent-doctor-test")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if built, err = program.BuildShipped(dir, doctor.Handler); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// host is a site in a temporary directory, without a mail system, with our handler.
type host struct {
	dir    string
	config conf.Config
	doctor doctor.Doctor
}

func newHost(t *testing.T) *host {
	t.Helper()
	program.Watch()
	h := &host{dir: t.TempDir()}
	// Others must be able to go where the handler is to work.
	for dir := h.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(h.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(built, filepath.Join(bin, doctor.Handler)); err != nil {
		t.Fatal(err)
	}
	text := "MESSAGE_SENDER = \"calendar@example.org\"\n"
	for setting, name := range map[string]string{"STORE_DIR": "store", "PUBLISH_DIR": "static", "PREFERENCES_DIR": "preferences", "JOURNAL_DIR": "journal"} {
		dir := filepath.Join(h.dir, name)
		if err := os.Mkdir(dir, 0o770); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o770|os.ModeSetgid); err != nil {
			t.Fatal(err)
		}
		text += setting + " = \"" + dir + "\"\n"
	}
	path := filepath.Join(h.dir, "config.txt")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	h.configure(t, path)
	h.doctor.SystemZone = "Europe/Oslo"
	h.doctor.Now = clock.Running(clock.Today())
	h.doctor.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	h.doctor.Path = bin
	h.doctor.Open = func(dir string, timeout time.Duration) (stores.Store, error) {
		return file.Open(file.Options{Dir: dir, PublishDir: dir + "-static", FileMode: 0o660, DirMode: 0o2770,
			LockTimeout: timeout, Now: h.doctor.Now, Log: h.doctor.Log})
	}
	return h
}

// configure reads a configuration file.
func (h *host) configure(t *testing.T, path string) {
	t.Helper()
	config, err := conf.Load(path, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	h.config, h.doctor.Config = config, config
}

// examine returns the results that are not ok, and how many are.
func (h *host) examine(t *testing.T) (wrong []doctor.Result, ok int) {
	t.Helper()
	for result := range h.doctor.Examine(context.Background()) {
		if result.Text == "" || strings.ContainsAny(result.Text, "\n") {
			t.Errorf("not one line: %+v", result)
		}
		if result.Status == doctor.OK {
			ok++
			if result.Remedy != "" {
				t.Errorf("a remedy for what is well: %+v", result)
			}
			continue
		}
		wrong = append(wrong, result)
	}
	left, err := filepath.Glob(filepath.Join(h.dir, ".imip-agent-doctor-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if entries, err := os.ReadDir(h.config.StoreDir); err == nil && len(entries) > 0 {
		t.Errorf("the store has been written: %v", entries)
	}
	return wrong, ok
}

// TestExamine breaks a host in one way, and looks what else is said than of a healthy one.
func TestExamine(t *testing.T) {
	script := func(text string) func(*testing.T, *host) {
		return func(t *testing.T, h *host) {
			path := filepath.Join(h.dir, "bin", doctor.Handler)
			if err := os.Remove(path); err != nil { // it is a link
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	chmod := func(name string, mode os.FileMode) func(*testing.T, *host) {
		return func(t *testing.T, h *host) {
			if err := os.Chmod(filepath.Join(h.dir, name), mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(*testing.T, *host) {
		return func(t *testing.T, h *host) {
			if err := os.RemoveAll(filepath.Join(h.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	settings := func(text string) func(*testing.T, *host) {
		return func(t *testing.T, h *host) {
			file, err := os.OpenFile(h.config.File, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := file.WriteString(text); err != nil {
				t.Fatal(err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			h.configure(t, h.config.File)
		}
	}
	tests := []struct {
		name   string
		damage func(*testing.T, *host)
		id     string
		status doctor.Status
		text   string // part of the result's
		remedy string // part of it
	}{
		{name: "healthy", damage: func(*testing.T, *host) {}},
		{"no configuration", func(t *testing.T, h *host) { h.doctor.Config.File = "" }, doctor.Configuration, doctor.Warning, "configuration file is missing", "write /etc/imip-agent"},
		{"a misspelled setting", settings("STORE_DIRECTORY = \"/x\"\n"), doctor.Configuration, doctor.Warning, "STORE_DIRECTORY", "correct"},
		{"the example's sender", settings("MESSAGE_SENDER = \"calendar@example.com\"\n"), doctor.Configuration, doctor.Warning, "still the example", "set MESSAGE_SENDER"},
		{"a directory that is not there", remove("preferences"), doctor.Directory, doctor.Failed, "preferences does not exist", "install -d"},
		{"a file in the place of a directory", func(t *testing.T, h *host) {
			remove("journal")(t, h)
			if err := os.WriteFile(filepath.Join(h.dir, "journal"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}, doctor.Directory, doctor.Failed, "is no directory", "JOURNAL_DIR"},
		{"a directory that does not hand its group on", chmod("store", 0o770), doctor.Directory, doctor.Warning, "mode 0770", "chmod 2770"},
		{"a directory that everybody can read", chmod("store", 0o775|os.ModeSetgid), doctor.Directory, doctor.Warning, "everybody", "chmod o-rwx"},
		{"no zone", func(_ *testing.T, h *host) { h.doctor.SystemZone = "" }, doctor.Zone, doctor.Warning, "UTC", "dpkg-reconfigure tzdata"},
		{"no handler", remove("bin"), doctor.Message, doctor.Failed, doctor.Handler + " is missing", "install"},
		{"a handler that fails", script("echo 4.3.0 no luck >&2; exit 75"), doctor.Message, doctor.Failed, "4.3.0 no luck", "run it by hand"},
		{"a handler that does nothing", script("cat >/dev/null"), doctor.Message, doctor.Failed, "not in the store", "--version"},
		{"users who do not take part", settings("PARTICIPATING_DEFAULT = \"no\"\n"), doctor.Message, doctor.Failed, "not in the store", "PARTICIPATING_DEFAULT"},
		{"locks that do not lock", func(_ *testing.T, h *host) {
			n, open := 0, h.doctor.Open
			h.doctor.Open = func(dir string, timeout time.Duration) (stores.Store, error) {
				if n++; n == 2 { // of two, each locks for itself
					dir += "-elsewhere"
				}
				return open(dir, timeout)
			}
		}, doctor.Lock, doctor.Failed, "does not keep another program out", "flock(2)"},
	}
	_, healthy := newHost(t).examine(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHost(t)
			test.damage(t, h)
			wrong, ok := h.examine(t)
			// There is no mail system in the path, which is said in any case.
			if len(wrong) == 0 || wrong[0].ID != doctor.MailSystem && wrong[1].ID != doctor.MailSystem {
				t.Fatalf("nothing about the mail system: %+v", wrong)
			}
			var others []doctor.Result
			for _, result := range wrong {
				if result.ID != doctor.MailSystem {
					others = append(others, result)
				}
			}
			if test.id == "" {
				if len(others) > 0 {
					t.Errorf("%+v", others)
				}
				return
			}
			if len(others) != 1 {
				t.Fatalf("%d results, want one: %+v", len(others), others)
			}
			got := others[0]
			if got.ID != test.id || got.Status != test.status || !strings.Contains(got.Text, test.text) || !strings.Contains(got.Remedy, test.remedy) {
				t.Errorf("%+v", got)
			}
			if ok < healthy-2 {
				t.Errorf("%d results are ok, %d of a healthy host", ok, healthy)
			}
		})
	}
}

// The handler needs another program beside it to get to a database.
func TestDatabaseProgram(t *testing.T) {
	skip.OnOtherDays(t)
	put := func(t *testing.T, path, text string, mode os.FileMode) {
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, bin string)
		want    string // part of what is wrong; empty: nothing is
	}{
		{"missing", func(*testing.T, string) {}, "bin/" + doctor.Databases + " cannot be run"},
		{"there", func(t *testing.T, bin string) { put(t, filepath.Join(bin, doctor.Databases), "", 0o755) }, ""},
		{"no program", func(t *testing.T, bin string) { put(t, filepath.Join(bin, doctor.Databases), "", 0o644) }, "permission denied"},
		{"the original", func(t *testing.T, bin string) {
			if err := os.Remove(filepath.Join(bin, doctor.Handler)); err != nil { // it is a link
				t.Fatal(err)
			}
			put(t, filepath.Join(bin, doctor.Handler), "#!/bin/sh\ncat >/dev/null\n", 0o755)
		}, ""},
		{"a link", func(t *testing.T, bin string) {
			other := filepath.Join(bin, "other")
			if err := os.Mkdir(other, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(bin, doctor.Handler), filepath.Join(other, doctor.Handler)); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("other/"+doctor.Handler, filepath.Join(bin, doctor.Handler)); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(bin, doctor.Databases), "", 0o755)
		}, "other/" + doctor.Databases},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHost(t)
			store, err := h.doctor.Open(h.config.StoreDir, time.Second) // stands for a database that answers
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			h.doctor.Store, h.doctor.Config.StoreType = store, "postgresql"
			test.prepare(t, filepath.Join(h.dir, "bin"))
			wrong, _ := h.examine(t)
			var got []string
			for _, result := range wrong {
				if result.ID == doctor.Database {
					got = append(got, result.Text)
				}
			}
			if test.want == "" && len(got) > 0 || test.want != "" && (len(got) != 1 || !strings.Contains(got[0], test.want)) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
