package mta

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"imip-agent/tests/skip"
)

// others builds from this tree, once, what is for systems other than Debian: rpm and tar, by format.
var others = sync.OnceValues(func() (map[string]string, error) { return packages("", "rpm", "tar") })

// TestRPM installs, upgrades and removes the package for systems with RPM, by RPM itself. The machine under it is
// Debian all the same: what those systems have otherwise, such as SELinux, is not tried.
func TestRPM(t *testing.T) {
	need(t, "package")
	t.Parallel()
	m := newMachine(t, "package", "", "")
	if _, err := m.try(`command -v rpm`); err != nil {
		skip.Because(t, "needs rpm: .ci/install")
	}
	files, err := others()
	if err != nil {
		t.Fatal(err)
	}
	later, err := packages("99.1-rc1", "rpm")
	if err != nil {
		t.Fatal(err)
	}
	const first, changed = "/root/first.rpm", "/root/changed.rpm"
	m.copyIn(t, files["rpm"], first)
	m.copyIn(t, later["rpm"], changed)
	if name := filepath.Base(later["rpm"]); !strings.HasPrefix(name, "imip-agent-go-99.1~rc1-1.") {
		t.Errorf("the package of version 99.1-rc1 is %s", name)
	}

	t.Run("contents", func(t *testing.T) {
		// Mode, owner, flags (c: configuration, n: not replaced), name.
		list := m.run(t, `rpm -qp --qf '[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} =%{FILEFLAGS:fflags} %{FILENAMES}\n]' "$1"`, first)
		has := map[string]string{}
		for line := range strings.Lines(list) {
			words := strings.Fields(line)
			if len(words) != 4 {
				t.Fatalf("%q", line)
			}
			has[words[3]] = words[0] + " " + words[1] + " " + words[2]
		}
		const directory, program, file = "drwxr-xr-x root:root =", "-rwxr-xr-x root:root =", "-rw-r--r-- root:root ="
		for name, want := range map[string]string{
			"/etc/imip-agent":                                      directory,
			"/etc/imip-agent/config.txt":                           file + "cn",
			"/usr/bin/imip-agent":                                  program,
			"/usr/bin/imip-agent-postgresql":                       program,
			"/usr/bin/imip-agent-serve":                            program,
			"/usr/bin/imip_person_outgoing":                        program,
			"/usr/lib/imip-agent-go":                               directory,
			"/usr/lib/imip-agent-go/imip_person":                   program,
			"/usr/lib/imip-agent-go/imip_resource":                 program,
			"/usr/lib/systemd/system/imip-agent.service":           file,
			"/usr/lib/systemd/system/imip-agent.socket":            file,
			"/usr/lib/systemd/system/imip-agent-lmtp.socket":       file,
			"/usr/lib/systemd/system/imip-agent-metrics.socket":    file,
			"/usr/lib/systemd/system/imip-agent-nightly.service":   file,
			"/usr/lib/systemd/system/imip-agent-nightly.timer":     file,
			"/usr/lib/systemd/system/imip-agent-report@.service":   file,
			"/usr/share/bash-completion/completions/imip-agent":    file,
			"/usr/share/zsh/site-functions/_imip-agent":            file,
			"/usr/share/fish/vendor_completions.d/imip-agent.fish": file,
			"/usr/share/man/man1/imip-agent-serve.1.gz":            file,
			"/usr/share/man/man5/config.txt.5.gz":                  file,
			"/usr/share/imip-agent-go/chasquid/post-data":          program,
			"/usr/share/imip-agent-go/grafana/dashboard.json":      file,
			"/usr/share/doc/imip-agent-go/copyright":               file,
		} {
			if has[name] != want {
				t.Errorf("%s is %q, want %q", name, has[name], want)
			}
		}
		for name, is := range has {
			if !strings.Contains(is, " root:root ") || strings.HasPrefix(name, "/etc/") && strings.HasPrefix(is, "-") && !strings.HasSuffix(is, "=cn") {
				t.Errorf("%s is %q", name, is)
			}
			// What only Debian has a place for.
			for _, word := range []string{"lintian", "cron.d", "vendor-completions"} {
				if strings.Contains(name, word) {
					t.Errorf("%s is in the package", name)
				}
			}
			// Its own directories are listed, or they would stay when it is removed.
			if dir := filepath.Dir(name); strings.Contains(dir, "imip-agent") && has[dir] != directory {
				t.Errorf("%s is %q, want %q", dir, has[dir], directory)
			}
		}
	})

	t.Run("what it says of itself", func(t *testing.T) {
		needs := strings.Split(m.run(t, `rpm -qp --requires "$1"`, first), "\n")
		slices.Sort(needs)
		if want := []string{"(shadow-utils or shadow)", "(tzdata or timezone)"}; !slices.Equal(slices.Compact(needs), want) {
			t.Errorf("it requires %q, want %q", needs, want)
		}
		// RPM, which knows of no package here, can read what is required.
		if out, err := m.try(`rpm --force-debian -i --test "$1" 2>&1`, first); err == nil || strings.Count(out, " is needed by ") != 2 {
			t.Errorf("RPM says of its requirements: %v %s", err, out)
		}
		if got := m.run(t, `rpm -qp --qf '%{LICENSE}' "$1"`, first); got != "GPL-3.0-or-later" {
			t.Errorf("the licence is %q", got)
		}
		for _, script := range []string{"PREIN", "POSTIN", "PREUN", "POSTUN"} {
			text := m.run(t, `rpm -qp --qf "%{$2PROG} %{$2}" "$1"`, first, script)
			text, ok := strings.CutPrefix(text, "/bin/sh ")
			if !ok || !strings.HasPrefix(text, "#!/bin/sh\n") {
				t.Errorf("%s:\n%s", script, text)
			}
			for _, word := range []string{"dpkg", "deb-systemd", "adduser", "www-data"} {
				if strings.Contains(text, word) {
					t.Errorf("%s, which no such system has, is in %s:\n%s", word, script, text)
				}
			}
			m.write(t, "/root/"+script, text, 0o644)
			if out, err := m.try(`sh -n "$1"`, "/root/"+script); err != nil || out != "" {
				t.Errorf("%s: %v %s", script, err, out)
			}
		}
	})

	// Packages that it requires are Debian's here, which RPM knows nothing of.
	const install, upgrade = `rpm --force-debian --nodeps -i "$1" 2>&1`, `rpm --force-debian --nodeps -U "$1" 2>&1`
	t.Run("an empty root", func(t *testing.T) {
		m.run(t, `mkdir /root/empty; rpm --force-debian --root /root/empty --nodeps --noscripts -i "$1"`, first)
		if got := m.run(t, `stat -c '%a %U:%G' /root/empty/usr/bin/imip-agent /root/empty/etc/imip-agent/config.txt; chroot /root/empty /usr/bin/imip-agent --version >/dev/null`); got != "755 root:root\n644 root:root" {
			t.Errorf("the files are %s", got)
		}
	})

	const user = "paul@example.com"
	stored := store + "/mailto:" + user + "/objects/one"
	t.Run("install", func(t *testing.T) {
		if out := m.run(t, install, first); out != "" {
			t.Errorf("RPM says %s", out)
		}
		for name, want := range map[string]string{
			"/etc/imip-agent/config.txt":      "644 root:root",
			"/var/lib/imip-agent":             "2750 imip-agent:imip-agent",
			"/var/lib/imip-agent/store":       "2770 imip-agent:imip-agent",
			"/var/lib/imip-agent/preferences": "2770 imip-agent:imip-agent",
			"/var/lib/imip-agent/journal":     "2770 imip-agent:imip-agent",
			"/var/www/imip-agent/static":      "2770 imip-agent:imip-agent",
		} {
			if got := m.run(t, `stat -c '%a %U:%G' "$1"`, name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		if out, err := m.try(`rpm -V --nodeps imip-agent-go`); err != nil || out != "" {
			t.Errorf("rpm -V: %v %s", err, out)
		}
		if !strings.Contains(m.read(t, "/etc/imip-agent/config.txt"), "\nSYSLOG = \"mail\"\n") {
			t.Error("config.txt has another SYSLOG")
		}
		if out, err := m.try(`systemd-analyze verify --man=no /usr/lib/systemd/system/imip-agent*`); err != nil || out != "" {
			t.Errorf("systemd-analyze verify: %v %s", err, out)
		}
		if out, _ := m.try(`grep -h ^Group= /usr/lib/systemd/system/imip-agent*`); out != "Group=imip-agent\nGroup=imip-agent" {
			t.Errorf("the units have %q", out)
		}
		if got, err := m.try(`systemctl is-enabled imip-agent-nightly.timer`); got != "enabled" {
			t.Errorf("the nightly timer is %q: %v", got, err)
		}
	})

	t.Run("handle", func(t *testing.T) {
		cmd := m.command(`exec setpriv --reuid imip-agent --regid imip-agent --clear-groups env -i ` + handlerPath)
		cmd.Stdin = bytes.NewReader(invitation(user, user, "one", 9, "vincent@example.org"))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("handling: %v %s", err, out)
		}
		if got := m.run(t, `stat -c '%a %U:%G' "$1"`, stored); got != "660 imip-agent:imip-agent" {
			t.Errorf("%s is %s", stored, got)
		}
	})

	// What the administrator has changed stays.
	before := m.read(t, stored)
	var config string
	t.Run("upgrade", func(t *testing.T) {
		config = m.read(t, "/etc/imip-agent/config.txt") + "\nLOCK_TIMEOUT = 1\n"
		m.write(t, "/etc/imip-agent/config.txt", config, 0o644)
		m.run(t, `chmod 2700 /var/lib/imip-agent/journal; systemctl --quiet disable imip-agent-nightly.timer`)
		if out := m.run(t, upgrade, changed); out != "" {
			t.Errorf("RPM says %s", out)
		}
		if got := m.run(t, `imip-agent --version; rpm -q --qf '%{VERSION}' imip-agent-go`); !strings.Contains(got, "99.1-rc1") || !strings.HasSuffix(got, "\n99.1~rc1") {
			t.Errorf("the version is %q", got)
		}
		if m.read(t, "/etc/imip-agent/config.txt") != config {
			t.Error("config.txt is not what it was")
		}
		if got := m.run(t, `stat -c %a /var/lib/imip-agent/journal`); got != "2700" {
			t.Errorf("the mode of the journal is %s", got)
		}
		if got, _ := m.try(`systemctl is-enabled imip-agent-nightly.timer`); got != "disabled" {
			t.Errorf("the nightly timer is %q", got)
		}
		if after := m.read(t, stored); before == "" || after != before {
			t.Errorf("the stored object is %q, was %q", after, before)
		}
	})

	t.Run("remove", func(t *testing.T) {
		m.run(t, `systemctl --quiet enable imip-agent-nightly.timer imip-agent.socket`)
		// A mail system whose configuration leads to the package is in the way.
		for _, c := range []struct{ advice, program, script string }{
			{"imip-agent setup postfix --remove", "postconf", "[ $1 != -h ] || echo unix:/run/imip-agent/milter"},
			{"imip-agent setup postfix --remove", "postconf", "[ $1 != -M ] || echo 'imip unix - n n - - pipe argv=/usr/lib/imip-agent-go/imip_person'"},
			{"imip-agent setup exim --remove", "exim", "echo 'command = /usr/bin/imip_person_outgoing'"},
			{"by LMTP", "postconf", "[ $1 != -n ] || echo virtual_transport = lmtp:unix:/run/imip-agent/lmtp"},
			{"by LMTP", "exim", "echo socket = /run/imip-agent/lmtp"},
		} {
			m.write(t, "/usr/sbin/"+c.program, "#!/bin/sh\n"+c.script+"\n", 0o755)
			out, err := m.try(`rpm --force-debian -e imip-agent-go 2>&1`)
			if err == nil || !strings.Contains(out, c.advice) {
				t.Errorf("with %q: %v %s", c.script, err, out)
			}
			m.run(t, `rpm -q imip-agent-go; ls `+handlerPath)
			m.run(t, `rm "$1"`, "/usr/sbin/"+c.program)
		}
		if out := m.run(t, `rpm --force-debian -e imip-agent-go 2>&1`); !strings.HasSuffix(out, "/etc/imip-agent/config.txt saved as /etc/imip-agent/config.txt.rpmsave") {
			t.Errorf("RPM says %s", out)
		}
		left := m.run(t, `find /usr /etc -path '*imip*' ! -path '/etc/systemd/*' ! -path '/usr/src/*' ! -path '/usr/local/*'; find /etc/systemd -name 'imip*'`)
		if left != "/etc/imip-agent\n/etc/imip-agent/config.txt.rpmsave" {
			t.Errorf("left behind:\n%s", left)
		}
		if m.read(t, "/etc/imip-agent/config.txt.rpmsave") != config {
			t.Error("config.txt is not kept")
		}
		if m.read(t, stored) != before {
			t.Error("the store is not what it was")
		}
	})
}
