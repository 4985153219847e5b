package scripts

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"imip-agent/tests/clock"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// The mail system's user, a group of that user's own, and the group of the store. None of them
// needs a name.
const (
	mailUser   = 60411
	mailGroup  = 60412
	storeGroup = 60413
)

// ownedSite is a site whose records belong to the mail system's user and the web's group.
type ownedSite struct {
	dir    string
	config string
}

func newOwnedSite(t *testing.T) *ownedSite {
	t.Helper()
	s := &ownedSite{dir: t.TempDir()}
	for dir := s.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.config = filepath.Join(s.dir, "config.txt")
	lines := "MESSAGE_SENDER = \"calendar@example.com\"\n"
	for _, d := range []struct {
		setting, name string
		mode          os.FileMode
	}{{"", "lib", 0o750}, {"STORE_DIR", "lib/store", 0o770}, {"PREFERENCES_DIR", "lib/preferences", 0o770}, {"JOURNAL_DIR", "lib/journal", 0o770}, {"PUBLISH_DIR", "static", 0o770}} {
		path := filepath.Join(s.dir, d.name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		own(t, path, d.mode|os.ModeSetgid)
		if d.setting != "" {
			lines += d.setting + " = \"" + path + "\"\n"
		}
	}
	if err := os.WriteFile(s.config, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a program as the mail system's user in a group, or as root without one, and
// returns its status and what it says.
func (s *ownedSite) run(t *testing.T, group uint32, stdin []byte, name string, words ...string) (status int, said string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs, name), words...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "TZ=UTC", "IMIP_AGENT_CONFIG=" + s.config, clock.Env(clock.Day), clock.Shift + "=" + os.Getenv(clock.Shift)}
	cmd.Stdin = bytes.NewReader(stdin)
	if group != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: mailUser, Gid: group}}
	}
	out, err := cmd.CombinedOutput()
	return program.Status(cmd, err), string(out)
}

// send has the handler take a message of a user as the mail system does, in a group.
func (s *ownedSite) send(t *testing.T, group uint32, user, other, uid string, hour int) {
	t.Helper()
	message := fmt.Sprintf("From: %[1]s\nTo: %[2]s\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST\n\n"+
		"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.com//test//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:%[3]s\nDTSTAMP:20261122T110000Z\nSEQUENCE:0\n"+
		"ORGANIZER:mailto:%[1]s\nATTENDEE;PARTSTAT=ACCEPTED:mailto:%[1]s\nATTENDEE;RSVP=TRUE:mailto:%[2]s\n"+
		"DTSTART:20261202T%02[4]d0000Z\nDTEND:20261202T%02[4]d3000Z\nRRULE:FREQ=WEEKLY;COUNT=3\nSUMMARY:Planning\nEND:VEVENT\nEND:VCALENDAR\n", user, other, uid, hour)
	if status, said := s.run(t, group, []byte(message), program.Name, "-o", "people-outgoing+"+user); status != 0 || said != "" {
		t.Fatalf("%s of %s in group %d: status %d: %s", uid, user, group, status, said)
	}
}

// owned is to whom a file or directory belongs, and who may what.
type owned struct {
	uid, gid uint32
	mode     fs.FileMode
}

func (o owned) String() string { return fmt.Sprintf("%d:%d %v", o.uid, o.gid, o.mode) }

// owners returns that of everything in the site, the configuration aside.
func (s *ownedSite) owners(t *testing.T) map[string]owned {
	t.Helper()
	all := map[string]owned{}
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if rel := strings.TrimPrefix(path, s.dir+"/"); path != s.dir && !strings.HasPrefix(rel, "config.") {
			stat := info.Sys().(*syscall.Stat_t)
			all[rel] = owned{stat.Uid, stat.Gid, info.Mode()}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// look compares whose things are with how it was before. What is new belongs to whom all
// belongs, and may be used by the group.
func (s *ownedSite) look(t *testing.T, after string, before map[string]owned) {
	t.Helper()
	for path, now := range s.owners(t) {
		was, known := before[path]
		if !known {
			was = owned{mailUser, storeGroup, 0o660}
			if now.mode.IsDir() {
				was.mode = fs.ModeDir | fs.ModeSetgid | 0o770
			}
			if strings.HasPrefix(path, "lib/quarantine") || strings.HasPrefix(path, "lib/nightly") {
				was.mode = now.mode // for that user alone
			}
			if strings.HasPrefix(path, "static/") && !now.mode.IsDir() {
				was.mode = before[published].mode
			}
		}
		if now != was {
			t.Errorf("after %s: %s is %v, want %v", after, path, now, was)
		}
	}
}

const (
	pauls     = "lib/store/mailto:paul@example.com/"
	published = "static/mailto:paul@example.com/freebusy"
)

// own gives what a test has made to the mail system's user and the store's group.
func own(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chown(path, mailUser, storeGroup); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // after chown, which takes the setgid bit away
		t.Fatal(err)
	}
}

// damage damages the records of Paul in ways of which each has another repair.
func (s *ownedSite) damage(t *testing.T) {
	t.Helper()
	at := func(name string) string { return filepath.Join(s.dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	edit := func(name string, change func(string) string) {
		t.Helper()
		text, err := os.ReadFile(at(name))
		must(err)
		changed := change(string(text))
		if changed == string(text) {
			t.Fatalf("%s is not damaged: %q", name, text)
		}
		must(os.WriteFile(at(name), []byte(changed), 0o660))
	}
	// A table with a line that is none, one that is missing, one whose end is missing, a file that is
	// half an event, one that is none, and wrong modes.
	edit(pauls+"freebusy", func(text string) string { return "nonsense\n" + text[strings.Index(text, "\n")+1:] })
	must(os.RemoveAll(at("lib/store/mailto:vincent@example.com/freebusy")))
	must(os.RemoveAll(at(published)))
	edit(pauls+"objects/paul-60413", func(text string) string { return text[:len(text)/2] })
	must(os.WriteFile(at(pauls+"objects/stray"), []byte("no event"), 0o660))
	own(t, at(pauls+"objects/stray"), 0o660)
	must(os.Chmod(at(pauls+"objects/paul-60412"), 0o600))
}

// closed closes a directory, and has it mended. Who is not in its group would take its setgid bit
// away, and so leaves it as it is.
func (s *ownedSite) closed(t *testing.T, group uint32) {
	t.Helper()
	const name = "lib/store/mailto:vincent@example.com/objects"
	own(t, filepath.Join(s.dir, name), 0o700|os.ModeSetgid)
	if group == mailGroup {
		status, said := s.run(t, group, nil, "imip-agent", "check", "--repair=safe", "--user", "vincent@example.com")
		if status == 0 || !strings.Contains(said, "setgid bit would be lost") || !strings.Contains(said, "run this as root") {
			t.Errorf("a directory of another group: status %d: %s", status, said)
		}
		if now := s.owners(t)[name]; now.mode != os.ModeDir|os.ModeSetgid|0o700 || now.gid != storeGroup {
			t.Errorf("a directory of another group is %v", now)
		}
		group = 0
	}
	if group == 0 {
		if err := os.Chown(filepath.Join(s.dir, name, "vincent-60412"), mailUser, 0); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("has group root instead of %d", storeGroup)
		if _, said := s.run(t, 0, nil, "imip-agent", "check"); !strings.Contains(said, want) {
			t.Errorf("a file of another group: %s", said)
		}
	}
	s.run(t, group, nil, "imip-agent", "check", "--repair=safe", "--user", "vincent@example.com")
	if now := s.owners(t)[name]; now.mode != os.ModeDir|os.ModeSetgid|0o770 || now.gid != storeGroup {
		t.Errorf("a directory that was closed is %v", now)
	}
}

// goOn has the handler take a message of each user, and check look at all of it.
func (s *ownedSite) goOn(t *testing.T, group uint32, name string) {
	t.Helper()
	s.send(t, group, "paul@example.com", "vincent@example.com", name+"-paul", 18)
	s.send(t, group, "vincent@example.com", "paul@example.com", name+"-vincent", 20)
	s.send(t, group, name+"@example.com", "paul@example.com", name+"-new", 21)
	if status, said := s.run(t, group, nil, "imip-agent", "check"); status != 0 {
		t.Errorf("check after %s, in group %d: status %d: %s", name, group, status, said)
	}
}

// What root repairs, extends and imports belongs to whom it belonged to before, with its
// group and mode, so that the handler goes on with it; and what the mail system's user does
// by hand in another group (`su -c`) has the store's group.
func TestOwners(t *testing.T) {
	skip.OnOtherDays(t)
	program.Watch()
	if os.Geteuid() != 0 {
		skip.Because(t, "needs root, to make files of others")
	}
	for _, as := range []struct {
		name  string
		group uint32 // 0 for root
	}{{"root", 0}, {"su", mailGroup}, {"service", storeGroup}} {
		t.Run(as.name, func(t *testing.T) {
			s := newOwnedSite(t)
			preferences := filepath.Join(s.dir, "lib/preferences/mailto:paul@example.com")
			if err := os.Mkdir(preferences, 0o770); err != nil {
				t.Fatal(err)
			}
			own(t, preferences, 0o770|os.ModeSetgid)
			for name, text := range map[string]string{"freebusy_sharing": "share", "freebusy_publishing": "publish"} {
				path := filepath.Join(preferences, name)
				if err := os.WriteFile(path, []byte(text), 0o660); err != nil {
					t.Fatal(err)
				}
				own(t, path, 0o660)
			}
			for _, group := range []uint32{storeGroup, mailGroup} {
				s.send(t, group, "paul@example.com", "vincent@example.com", fmt.Sprintf("paul-%d", group), 9+int(group%10))
				s.send(t, group, "vincent@example.com", "paul@example.com", fmt.Sprintf("vincent-%d", group), 13+int(group%10))
			}
			before := s.owners(t)
			if len(before) < 15 || before[published].uid != mailUser {
				t.Fatalf("the store is %v", before)
			}
			s.look(t, "messages", map[string]owned{published: before[published], "lib": before["lib"], "static": before["static"]})

			s.damage(t)
			s.closed(t, as.group)
			if status, said := s.run(t, as.group, nil, "imip-agent", "check"); status == 0 {
				t.Fatalf("nothing is found: %s", said)
			}
			calendar := filepath.Join(s.dir, "config.ics")
			if err := os.WriteFile(calendar, []byte("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.com//test//EN\nBEGIN:VEVENT\nUID:imported\nDTSTAMP:20261122T110000Z\n"+
				"DTSTART:20261203T090000Z\nDTEND:20261203T100000Z\nORGANIZER:mailto:paul@example.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:paul@example.com\n"+
				"SUMMARY:Imported\nEND:VEVENT\nEND:VCALENDAR\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			store := "file:" + filepath.Join(s.dir, "lib/store")
			for _, words := range [][]string{
				{"check", "--repair=all"},
				{"freebusy", "--store", "--reset", "--publish"},
				{"migrate", "import", calendar, store, "--user", "paul@example.com"},
				{"migrate", "import", calendar, store, "--user", "sara@example.com"},
				{"check", "--baseline", filepath.Join(s.dir, "lib/nightly.baseline")},
			} {
				status, said := s.run(t, as.group, nil, "imip-agent", words...)
				if mended := words[1] == "--repair=all"; status != 0 && !(mended && status == 1) {
					t.Errorf("%q: status %d: %s", words, status, said)
				}
				s.look(t, strings.Join(words[:2], " "), before)
			}
			s.goOn(t, storeGroup, "mail")
			s.goOn(t, mailGroup, "hand")
			s.look(t, "later messages", before)
		})
	}
}
