package mta

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackage installs, upgrades, removes and purges the Debian package.
func TestPackage(t *testing.T) {
	need(t, "package")
	t.Parallel()
	m := newMachine(t, "package", "", "")
	const user = "paul@example.com"
	stored := store + "/mailto:" + user + "/objects/one"

	// changed is the package as a later version brings it, with other contents of all its
	// configuration files.
	file, err := debian()
	if err != nil {
		t.Fatal(err)
	}
	first, changed := "/root/"+filepath.Base(file), "/root/changed.deb"
	m.copyIn(t, file, first)
	m.run(t, `
		dpkg-deb -R "$1" /root/changed
		sed -i 's/^Version: .*/&.1/' /root/changed/DEBIAN/control
		for file in $(cat /root/changed/DEBIAN/conffiles) /usr/share/imip-agent-go/config; do
			echo '# of the later version' >> /root/changed/$file
		done
		dpkg-deb -Znone --root-owner-group -b /root/changed "$2"`, first, changed)

	t.Run("lintian", func(t *testing.T) {
		// As a test would, not as the archive does: the package has no source package.
		if out, err := m.try(`lintian --fail-on error,warning "$1"`, first); err != nil || out != "" {
			t.Errorf("%v\n%s", err, out)
		}
	})

	t.Run("install", func(t *testing.T) {
		m.run(t, `dpkg -i "$1"`, first)
		for name, want := range map[string]string{
			"/usr/bin/imip_person_outgoing":                   "755 root:root",
			"/usr/bin/imip-agent":                             "755 root:root",
			"/usr/bin/imip-agent-postgresql":                  "755 root:root",
			"/usr/bin/imip-agent-serve":                       "755 root:root",
			"/usr/share/imip-agent-go/grafana/dashboard.json": "644 root:root",
			"/usr/lib/imip-agent-go/imip_person":              "755 root:root",
			"/etc/imip-agent/config.txt":                      "644 root:root",
			"/var/lib/imip-agent":                             "2750 imip-agent:www-data",
			"/var/lib/imip-agent/store":                       "2770 imip-agent:www-data",
			"/var/lib/imip-agent/preferences":                 "2770 imip-agent:www-data",
			"/var/lib/imip-agent/journal":                     "2770 imip-agent:www-data",
			"/var/www/imip-agent/static":                      "2770 imip-agent:www-data",
			"/etc/cron.d/imip-agent-go":                       "644 root:root",
			"/usr/share/man/man1/imip-agent.1.gz":             "644 root:root",
			"/usr/share/doc/imip-agent-go/copyright":          "644 root:root",
		} {
			if got := m.run(t, `stat -c '%a %U:%G' "$1"`, name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		if out, err := m.try(`systemd-analyze verify --man=no /usr/lib/systemd/system/imip-agent*`); err != nil || out != "" {
			t.Errorf("systemd-analyze verify: %v %s", err, out)
		}
		if got := m.run(t, `man -f imip_person_outgoing imip_person imip-agent 2>&1 || { mandb -q; man -f imip_person_outgoing imip_person imip-agent; }`); strings.Count(got, "(1)") != 3 {
			t.Errorf("manual pages: %s", got)
		}
	})

	// As the mail system runs it: its user, one group, no environment.
	handle := func(t *testing.T) {
		t.Helper()
		cmd := m.command(`exec setpriv --reuid imip-agent --regid www-data --clear-groups env -i ` + handlerPath)
		cmd.Stdin = bytes.NewReader(invitation(user, user, "one", 9, "vincent@example.org"))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("handling: %v %s", err, out)
		}
		if got := m.run(t, `stat -c '%a %U:%G' "$1"`, stored); got != "660 imip-agent:www-data" {
			t.Errorf("%s is %s", stored, got)
		}
	}
	t.Run("handle", handle)

	// What the administrator has changed stays, and what not is brought up to date.
	kept := map[string]string{
		"/etc/imip-agent/config.txt": "\nSYSLOG = \"mail\"\n",
		"/etc/cron.d/imip-agent-go":  "\n# ours\n",
	}
	t.Run("upgrade", func(t *testing.T) {
		before := m.read(t, stored)
		for name, text := range kept {
			kept[name] = m.read(t, name) + text
			m.write(t, name, kept[name], 0o644)
		}
		// The administrator has also given the store to others.
		m.run(t, `chmod 2700 /var/lib/imip-agent/journal`)
		m.run(t, `dpkg --no-triggers --force-confdef --force-confold -i "$1"`, changed)
		for name, text := range kept {
			if got := m.read(t, name); got != text {
				t.Errorf("%s has been changed to\n%s", name, got)
			}
		}
		if got := m.run(t, `stat -c %a /var/lib/imip-agent/journal`); got != "2700" {
			t.Errorf("the mode of the journal is %s", got)
		}
		if after := m.read(t, stored); before == "" || after != before {
			t.Errorf("the stored object is %q, was %q", after, before)
		}
	})

	t.Run("remove", func(t *testing.T) {
		m.run(t, `dpkg --no-triggers -r imip-agent-go`)
		for _, name := range []string{handlerPath, "/usr/bin/imip-agent", "/usr/share/imip-agent-go", "/usr/lib/systemd/system/imip-agent-nightly.timer"} {
			if out, err := m.try(`ls "$1"`, name); err == nil {
				t.Errorf("%s is still there: %s", name, out)
			}
		}
		for name, text := range kept {
			if m.read(t, name) != text {
				t.Errorf("%s is not what it was", name)
			}
		}
		if m.read(t, stored) == "" {
			t.Error("the store is gone")
		}
		// What is left in cron does nothing, and says nothing.
		job := m.run(t, `sed -n 's/^[0-9].* imip-agent  //p' /etc/cron.d/imip-agent-go`)
		if out, err := m.try(job + "\n"); job == "" || err != nil || out != "" {
			t.Errorf("the cron job %q: %v %s", job, err, out)
		}
	})

	t.Run("purge", func(t *testing.T) {
		m.run(t, `dpkg --no-triggers -i --force-confold "$1"; dpkg --no-triggers -P imip-agent-go`, first)
		if out, err := m.try(`ls /etc/imip-agent /etc/cron.d/imip-agent-go`); err == nil {
			t.Errorf("configuration is still there: %s", out)
		}
		if m.read(t, stored) == "" {
			t.Error("the store is gone")
		}
	})

	// The original's packages own the program's name and config.txt.
	t.Run("beside the original", func(t *testing.T) {
		m.run(t, `
			pack() {
				mkdir -p /root/$1/DEBIAN
				printf 'Package: %s\nVersion: 0.3-2\nArchitecture: all\nMaintainer: x <x@example.com>\nDescription: x\n' $1 > /root/$1/DEBIAN/control
				dpkg-deb --root-owner-group -b /root/$1 /root/$1.deb
			}
			mkdir -p /root/imip-agent/usr/bin /root/python-imiptools/etc/imip-agent /root/python-imiptools/DEBIAN
			for name in imip_person imip_person_outgoing; do
				printf '#!/bin/sh\necho original\n' > /root/imip-agent/usr/bin/$name
				chmod 755 /root/imip-agent/usr/bin/$name
			done
			echo 'LANG = "nb"' > /root/python-imiptools/etc/imip-agent/config.txt
			echo /etc/imip-agent/config.txt > /root/python-imiptools/DEBIAN/conffiles
			pack imip-agent; pack python-imiptools`)
		originals := func(t *testing.T, want string) {
			t.Helper()
			if got, _ := m.try(handlerPath + ` </dev/null; imip_person`); got != want {
				t.Errorf("the programs say %q, want %q", got, want)
			}
			if got := m.read(t, "/etc/imip-agent/config.txt"); got != "LANG = \"nb\"\n" {
				t.Errorf("config.txt is\n%s", got)
			}
		}
		m.run(t, `dpkg --no-triggers -i /root/imip-agent.deb /root/python-imiptools.deb`)
		originals(t, "original\noriginal")
		m.run(t, `dpkg --no-triggers -i "$1"`, first)
		originals(t, "original")
		handle(t)
		// An upgrade of the original does not come in the way.
		m.run(t, `sed -i 's/0.3-2/0.3-3/' /root/imip-agent/DEBIAN/control
			dpkg-deb --root-owner-group -b /root/imip-agent /root/imip-agent.deb; dpkg --no-triggers -i /root/imip-agent.deb`)
		originals(t, "original")
		m.run(t, `dpkg --no-triggers -i "$1"; dpkg --no-triggers -P imip-agent-go`, changed)
		originals(t, "original\noriginal")
	})
}
