package scripts

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// What is installed from the sources is all that belongs to it, for the prefix, and
// nothing stays when it is taken out.
func TestInstall(t *testing.T) {
	skip.OnOtherDays(t)
	program.Watch()
	const prefix = "/opt/calendar"
	dest := t.TempDir()
	run := func(words ...string) (string, error) {
		cmd := exec.Command("../../tools/package/install.sh", words...)
		cmd.Env = append(os.Environ(), "DESTDIR="+dest, "VERSION=")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run("opt"); err == nil || !strings.Contains(out, "not an absolute path") {
		t.Errorf("a prefix that is no path: %v %s", err, out)
	}
	if out, err := run(prefix); err != nil || !strings.Contains(out, "imip-agent setup postfix --domain") {
		t.Fatalf("%v %s", err, out)
	}

	share := prefix + "/share/"
	want := map[string]fs.FileMode{
		prefix + "/bin/imip-agent":                          0o755,
		prefix + "/bin/" + program.Name:                     0o755,
		prefix + "/bin/imip-agent-postgresql":               0o755,
		prefix + "/bin/imip-agent-serve":                    0o755,
		prefix + "/bin/imip_person":                         0o755,
		prefix + "/bin/imip_resource":                       0o755,
		share + "man/man1/imip_resource.1":                  0o644,
		share + "man/man1/imip_person.1":                    0o644,
		share + "man/man1/" + program.Name + ".1":           0o644,
		share + "man/man1/imip-agent-postgresql.1":          0o644,
		share + "man/man1/imip-agent.1":                     0o644,
		share + "man/man5/config.txt.5":                     0o644,
		share + "bash-completion/completions/imip-agent":    0o644,
		share + "zsh/site-functions/_imip-agent":            0o644,
		share + "fish/vendor_completions.d/imip-agent.fish": 0o644,
	}
	for _, command := range []string{"check", "doctor", "filter", "freebusy", "locks", "migrate", "outbox", "queue", "quota", "resource", "serve", "setup", "show"} {
		want[share+"man/man1/imip-agent-"+command+".1"] = 0o644
	}
	// The nightly job: one of the two, as this machine has them.
	jobs := []string{"/etc/cron.d/imip-agent-go"}
	if _, err := os.Stat(dest + jobs[0]); err != nil {
		jobs = nil
		for _, unit := range []string{"nightly.service", "nightly.timer", "report@.service"} {
			jobs = append(jobs, "/etc/systemd/system/imip-agent-"+unit)
		}
		jobs = append(jobs, "/etc/systemd/system/imip-agent.service", "/etc/systemd/system/imip-agent.socket", "/etc/systemd/system/imip-agent-lmtp.socket", "/etc/systemd/system/imip-agent-metrics.socket")
	}
	for _, job := range jobs {
		want[job] = 0o644
	}
	for path, mode := range installed(t, dest) {
		if want[path] != mode {
			t.Errorf("%s is installed with mode %v, want %v", path, mode, want[path])
		}
		delete(want, path)
		content, err := os.ReadFile(dest + path)
		if err != nil || len(content) == 0 {
			t.Errorf("%s has %d octets: %v", path, len(content), err)
		}
		if slices.Contains(jobs, path) && strings.Contains(string(content), "/usr/bin/imip") {
			t.Errorf("%s has the path of another prefix:\n%s", path, content)
		}
	}
	for path := range want {
		t.Errorf("%s is not installed", path)
	}
	job, err := os.ReadFile(dest + jobs[0])
	if text := string(job); err != nil || !strings.Contains(text, prefix+"/bin/imip-agent") || !strings.Contains(text, "--baseline") {
		t.Errorf("the nightly job is %v\n%s", err, text)
	}

	changelog, err := os.ReadFile("../../tools/package/changelog")
	if err != nil {
		t.Fatal(err)
	}
	tag, _ := exec.Command("git", "describe", "--tags", "--exact-match", "--match", "v[0-9]*").Output() // none, else
	version := strings.TrimPrefix(strings.TrimSpace(string(tag)), "v")
	if version == "" {
		version = regexp.MustCompile(`^imip-agent-go \((.*?)\)`).FindStringSubmatch(string(changelog))[1]
	}
	for _, name := range []string{"imip-agent", "imip-agent-postgresql", "imip-agent-serve", program.Name} {
		out, err := exec.Command(filepath.Join(dest, prefix, "bin", name), "--version").CombinedOutput()
		if err != nil || !strings.Contains(string(out), version) {
			t.Errorf("%s --version: %v %s, want %s", name, err, out, version)
		}
	}

	// What an administrator has put beside it stays.
	other := dest + prefix + "/bin/other"
	if err := os.WriteFile(other, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := run("--remove", prefix); err != nil {
		t.Errorf("taking it out: %v %s", err, out)
	}
	for path := range installed(t, dest) {
		if dest+path != other {
			t.Errorf("left behind: %s", path)
		}
	}
}

// installed returns the files below a directory, with their modes.
func installed(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	files := map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		files[strings.TrimPrefix(path, dir)] = info.Mode()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
