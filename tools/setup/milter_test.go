package setup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// milterSite is a directory with the configuration of Postfix and ours.
type milterSite struct {
	t       *testing.T
	dir     string
	own     []string // what postconf -P says
	auth    string
	version string
	systemd bool
	logins  bool
}

func newMilterSite(t *testing.T, main string) *milterSite {
	t.Helper()
	s := &milterSite{t: t, dir: t.TempDir(), auth: "yes", version: "3.7.11"}
	for name, text := range map[string]string{"main.cf": main, "master.cf": masterCf, "config.txt": "MESSAGE_SENDER = \"calendar@example.org\"\n"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *milterSite) run(_ context.Context, words ...string) ([]string, error) {
	switch strings.Join(words, " ") {
	case "postconf -h config_directory":
		return []string{s.dir}, nil
	case "postconf -h mail_version":
		return []string{s.version}, nil
	case "postconf -h queue_directory":
		return []string{"/var/spool/postfix"}, nil
	case "postconf -h smtpd_sasl_auth_enable":
		return []string{s.auth}, nil
	case "postconf -h receive_override_options":
		return []string{""}, nil
	case "postconf -P":
		return s.own, nil
	case "postfix status":
		return nil, nil
	}
	return nil, errors.New("not running")
}

func (s *milterSite) plan(o Options) (*Plan, error) {
	s.t.Helper()
	if !o.Remove {
		o.Domains = []string{"example.org", "example.net"}
	}
	o.Program, o.User, o.Group, o.Prefix, o.Sender = "/usr/bin/imip_person_outgoing", "imip-agent", "www-data", "people-outgoing", "calendar@example.org"
	o.Service = Service{Config: filepath.Join(s.dir, "config.txt"), Systemd: s.systemd, Root: s.dir, HasLogins: s.logins}
	return Postfix(s.t.Context(), o, s.run)
}

// files returns what there is, by name.
func (s *milterSite) files() map[string]string {
	s.t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(s.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, s.dir)] = string(content)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return files
}

func (s *milterSite) same(why string, want map[string]string) {
	s.t.Helper()
	got := s.files()
	for name, text := range want {
		if got[name] != text {
			s.t.Errorf("%s: %s is\n%s\nwant\n%s", why, name, got[name], text)
		}
	}
	if len(got) != len(want) {
		s.t.Errorf("%s: %d files, want %d", why, len(got), len(want))
	}
}

// The service is the last milter, whichever there are, and taking it out leaves what there was.
func TestMilterAndBack(t *testing.T) {
	const ours = "{ unix:imip-agent/milter, connect_timeout=5s, command_timeout=10s, content_timeout=30s, default_action=accept }"
	for _, test := range []struct{ why, main, want string }{
		{"none", "myhostname = x\n", "\nsmtpd_milters = " + ours + "\n"},
		{"no last line", "myhostname = x", "myhostname = x\n# BEGIN"},
		{"one", "smtpd_milters = inet:localhost:11332\nmilter_default_action = tempfail\n", "smtpd_milters = inet:localhost:11332\n    " + ours + "\nmilter_default"},
		{"an empty list", "smtpd_milters =\nmydestination = x\n", "smtpd_milters =\n    " + ours + "\nmydest"},
		{"several lines", "smtpd_milters =\n  unix:opendkim/x,\n# comment\n  { inet:localhost:1, default_action=reject }\nmyhostname = x\n",
			"  { inet:localhost:1, default_action=reject }\n    " + ours + "\nmyhostname"},
	} {
		s := newMilterSite(t, test.main)
		before := s.files()
		p, err := s.plan(Options{ByService: true})
		apply(t, p, err)
		if got := s.files()["/main.cf"]; !strings.Contains(got, test.want) || strings.Count(got, ours) != 1 {
			t.Errorf("%s: main.cf is\n%s", test.why, got)
		}
		if s.files()["/master.cf"] != masterCf {
			t.Errorf("%s: master.cf is changed", test.why)
		}
		if p, err = s.plan(Options{ByService: true}); err != nil || !p.Empty() {
			t.Errorf("%s, again: %v %s", test.why, err, p.Diff())
		}
		p, err = s.plan(Options{Remove: true})
		apply(t, p, err)
		if test.why == "no last line" {
			before["/main.cf"] += "\n"
		}
		s.same(test.why, before)
		if p, err = s.plan(Options{Remove: true}); err != nil || !p.Empty() || len(p.Notes) > 0 || len(p.Then) > 1 {
			t.Errorf("%s, out again: %v %v %v %s", test.why, err, p.Then, p.Notes, p.Diff())
		}
	}
}

// Somebody who has put a milter behind ours, or on the same line, keeps it.
func TestMilterAmongOthers(t *testing.T) {
	s := newMilterSite(t, "smtpd_milters = inet:localhost:1\n")
	p, err := s.plan(Options{ByService: true})
	apply(t, p, err)
	main := strings.Replace(s.files()["/main.cf"], "default_action=accept }\n", "default_action=accept }, inet:localhost:2\n", 1)
	if err := os.WriteFile(filepath.Join(s.dir, "main.cf"), []byte(main), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err = s.plan(Options{Remove: true})
	apply(t, p, err)
	got := strings.Join(strings.FieldsFunc(s.files()["/main.cf"], func(r rune) bool { return strings.ContainsRune(" ,\n", r) }), " ")
	if got != "smtpd_milters = inet:localhost:1 inet:localhost:2" {
		t.Errorf("main.cf is %s", got)
	}
}

// From copies to the service and back, with the service's own settings only while it is used.
func TestMilterAndPipe(t *testing.T) {
	s := newMilterSite(t, mainCf)
	s.systemd = true
	p, err := s.plan(Options{})
	apply(t, p, err)
	piped := s.files()
	if HasPipe(t.Context(), s.run) != true || strings.Contains(piped["/main.cf"], "milter") {
		t.Error("copies are not known, or there is a milter with them")
	}
	p, err = s.plan(Options{ByService: true})
	apply(t, p, err)
	got := s.files()
	if HasPipe(t.Context(), s.run) || strings.Contains(got["/main.cf"]+got["/master.cf"], "imip_") || strings.Contains(got["/master.cf"], "imip") {
		t.Errorf("there are copies with the service:\n%s", got["/main.cf"])
	}
	if text := got["/etc/systemd/system/imip-agent.socket.d/postfix.conf"]; !strings.Contains(text, "\nListenStream=/var/spool/postfix/imip-agent/milter\n") {
		t.Errorf("the drop-in is %q", text)
	}
	if text := got["/config.txt"]; !strings.Contains(text, "\nMILTER_SOCKET = \"/var/spool/postfix/imip-agent/milter\"\nLOGIN_DOMAIN = \"example.org\"\n") {
		t.Errorf("config.txt is %s", text)
	}
	var commands []string
	for _, words := range p.Then {
		commands = append(commands, strings.Join(words, " "))
	}
	want := []string{
		"install -d -o imip-agent -g postfix -m 2750 /var/spool/postfix/imip-agent", "systemctl daemon-reload",
		"systemctl stop imip-agent.service imip-agent.socket imip-agent-lmtp.socket",
		"systemctl enable imip-agent.socket imip-agent.service", "systemctl start imip-agent.socket imip-agent.service", "postfix reload",
	}
	if !slices.Equal(commands, want) {
		t.Errorf("then %q", commands)
	}
	p, err = s.plan(Options{})
	apply(t, p, err)
	s.same("copies again", piped)
	commands = nil
	for _, words := range p.Then {
		commands = append(commands, strings.Join(words, " "))
	}
	want = []string{"postfix reload", "systemctl disable --now imip-agent.service imip-agent.socket imip-agent-lmtp.socket imip-agent-metrics.socket", "systemctl daemon-reload", "rm -rf /var/spool/postfix/imip-agent"}
	if !slices.Equal(commands, want) {
		t.Errorf("then %q", commands)
	}
}

// What the service needs to know of logins, and what keeps it from knowing of mail.
func TestMilterNotes(t *testing.T) {
	s := newMilterSite(t, "myhostname = x\n")
	s.logins = true
	p, err := s.plan(Options{ByService: true})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(p.Diff(), "LOGIN_DOMAIN") {
		t.Errorf("the site has said whose logins are: %s", p.Diff())
	}
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "systemd does not run here") {
		t.Errorf("notes %q", p.Notes)
	}
	s.auth, s.systemd = "no", true
	s.own = []string{"submission/inet/smtpd_milters = inet:localhost:1", "127.0.0.1:10025/inet/smtpd_milters ="}
	p, err = s.plan(Options{ByService: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Notes) != 2 || !strings.Contains(p.Notes[0], "submission/inet of master.cf has smtpd_milters of its own") || !strings.Contains(p.Notes[1], "nobody logs in") {
		t.Errorf("notes %q", p.Notes)
	}
	s.own = []string{"submission/inet/smtpd_sasl_auth_enable = yes", "submission/inet/smtpd_milters = $smtpd_milters inet:localhost:1"}
	if p, err = s.plan(Options{ByService: true}); err != nil || len(p.Notes) > 0 {
		t.Errorf("%v, notes %q", err, p.Notes)
	}
}

func TestMilterProblems(t *testing.T) {
	for _, test := range []struct {
		main, want string
		change     func(*milterSite)
	}{
		{"smtpd_milters = unix:/run/imip-agent/milter\n", "names the service already, by hand", nil},
		{"", "this is Postfix 2.11.0", func(s *milterSite) { s.version = "2.11.0" }},
		{"", "is missing: `imip-agent setup user` writes it", func(s *milterSite) { os.Remove(filepath.Join(s.dir, "config.txt")) }},
	} {
		s := newMilterSite(t, test.main)
		if test.change != nil {
			test.change(s)
		}
		if _, err := s.plan(Options{ByService: true}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v", test.want, err)
		}
	}
}
