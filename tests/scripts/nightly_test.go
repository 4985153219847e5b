package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/program"
)

// nightly is the nightly job as it is packaged: the commands that cron or systemd runs.
func nightly(t *testing.T, system string) (commands []string) {
	t.Helper()
	text, err := os.ReadFile(map[string]string{"cron": "../../conf/cron/imip-agent", "systemd": "../../conf/systemd/imip-agent-nightly.service"}[system])
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if system == "cron" && line != "" && line[0] >= '0' && line[0] <= '9' {
			_, command, ok := strings.Cut(line, "  imip-agent  ")
			if !ok {
				t.Fatalf("the job does not run as imip-agent: %s", line)
			}
			commands = append(commands, command)
		}
		if command, ok := strings.CutPrefix(line, "ExecStart="); ok && system == "systemd" {
			commands = append(commands, command)
		}
	}
	if len(commands) == 0 {
		t.Fatalf("%s has no job", system)
	}
	return commands
}

// What was put aside is told in the night after it, and not again: only what is new is.
func TestNightly(t *testing.T) {
	program.Watch()
	for _, system := range []string{"cron", "systemd"} {
		t.Run(system, func(t *testing.T) {
			dir := t.TempDir()
			config := filepath.Join(dir, "config.txt")
			lines := "JOURNAL_DIR = '" + dir + "/journal'\nSTORE_DIR = '" + dir + "/store'\nPUBLISH_DIR = '" + dir + "/static'\nPREFERENCES_DIR = '" + dir + "/preferences'\n"
			if err := os.WriteFile(config, []byte(lines), 0o644); err != nil {
				t.Fatal(err)
			}
			// As packaged, but for where things are, and where systemd is not.
			here := strings.NewReplacer("/usr/bin/", programs+"/", "/var/lib/imip-agent/", dir+"/", "/run/systemd/system", dir+"/none")
			now := clock.Day
			run := func(script string, stdin string) (out string, status int) {
				cmd := exec.Command("sh", "-c", script)
				cmd.Stdin = strings.NewReader(stdin)
				cmd.Env = append(os.Environ(), "TZ=UTC", "PATH="+programs+":/usr/bin:/bin", "IMIP_AGENT_CONFIG="+config, clock.Env(now))
				said, err := cmd.CombinedOutput()
				return string(said), program.Status(cmd, err)
			}
			night := func() (said string, failed bool) {
				now = now.Add(24 * time.Hour)
				for _, command := range nightly(t, system) {
					command, ignored := strings.CutPrefix(command, "-")
					out, status := run(here.Replace(command), "")
					said, failed = said+out, failed || status != 0 && !ignored
				}
				return said, failed
			}
			// send has a message of a user handled: one that can never be is put aside.
			send := func(uid, start string) {
				t.Helper()
				message := "From: paul@example.com\nTo: vincent@example.com\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST\n\n" +
					"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.com//test//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20261101T090000Z\n" +
					"DTSTART:" + start + "\nDTEND:20261202T100000Z\nORGANIZER:mailto:paul@example.com\nATTENDEE:mailto:vincent@example.com\nEND:VEVENT\nEND:VCALENDAR\n"
				if out, status := run(program.Name, message); status != 0 || out != "" {
					t.Fatalf("handling %s: status %d: %s", uid, status, out)
				}
			}
			rejected := func() []string {
				names, err := filepath.Glob(dir + "/rejected/*.eml")
				if err != nil {
					t.Fatal(err)
				}
				return names
			}

			send("well", "20261202T090000Z")
			if said, failed := night(); said != "" || failed {
				t.Errorf("of a night with nothing new: %v %s", failed, said)
			}
			send("first", "neverday")
			first := rejected()
			if len(first) != 1 {
				t.Fatalf("put aside: %q", first)
			}
			if said, failed := night(); strings.Count(said, "[rejected]") != 1 || !strings.Contains(said, filepath.Base(first[0])) || !failed {
				t.Errorf("of the night after it was put aside: %v %s", failed, said)
			}
			for range 2 {
				if said, failed := night(); said != "" || failed {
					t.Errorf("of a later night: %v %s", failed, said)
				}
			}
			send("second", "someday")
			if said, failed := night(); strings.Count(said, "[rejected]") != 1 || strings.Contains(said, filepath.Base(first[0])) || !failed {
				t.Errorf("of the night after a second one: %v %s", failed, said)
			}
			if said, failed := night(); said != "" || failed {
				t.Errorf("of the last night: %v %s", failed, said)
			}
		})
	}
}
