package setup

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const lmtpClient = "lmtp      unix  -       -       y       -       -       lmtp\n"

// newServiceSite is a site whose Postfix has a client for LMTP, and gives answers.
func newServiceSite(t *testing.T, main string, answers map[string]string) (*milterSite, func(Options) (*Plan, error)) {
	t.Helper()
	s := newMilterSite(t, main)
	s.systemd = true
	if err := os.WriteFile(filepath.Join(s.dir, "master.cf"), []byte(masterCf+lmtpClient), 0o640); err != nil {
		t.Fatal(err)
	}
	run := func(ctx context.Context, words ...string) ([]string, error) {
		if answer, ok := answers[strings.Join(words, " ")]; ok {
			return strings.Split(answer, "\n"), nil
		}
		return s.run(ctx, words...)
	}
	return s, func(o Options) (*Plan, error) {
		if !o.Remove {
			o.Domains = []string{"example.org", "example.net"}
			o.Program, o.User, o.Group, o.Prefix, o.Sender = "/usr/bin/imip_person_outgoing", "imip-agent", "www-data", "people-outgoing", "calendar@example.org"
			o.Person, o.Resource = "/usr/lib/imip-agent-go/imip_person", "/usr/lib/imip-agent-go/imip_resource"
		}
		o.Etc = s.dir
		o.Service = Service{Config: filepath.Join(s.dir, "config.txt"), Systemd: s.systemd, Root: s.dir, Mailbox: strings.Trim(byHandIn(s.files()["/config.txt"], "MAILBOX_SERVER"), `"`)}
		return Postfix(t.Context(), o, run)
	}
}

// virtualMailboxes answers for a site whose mailboxes are in a Dovecot.
func virtualMailboxes() map[string]string {
	return map[string]string{
		"postconf -hx mydestination": "localhost", "postconf -hx virtual_mailbox_domains": "example.org example.net",
		"postconf -hx virtual_transport": "lmtp:unix:private/dovecot-lmtp", "postconf -hx queue_directory": "/var/spool/postfix",
	}
}

func commands(p *Plan) string {
	var all []string
	for _, words := range p.Then {
		all = append(all, strings.Join(words, " "))
	}
	return strings.Join(all, "\n")
}

// Mail that arrives, and mail for rooms, go to the service by LMTP; each can be left out again, and nothing stays of it.
func TestServiceIncomingAndBack(t *testing.T) {
	for why, main := range map[string]string{"lists": mainCf, "none": "myhostname = x\n"} {
		s, plan := newServiceSite(t, main, virtualMailboxes())
		before := s.files()
		p, err := plan(Options{ByService: true})
		apply(t, p, err)
		outgoing := s.files()
		p, err = plan(Options{ByService: true, Incoming: true})
		apply(t, p, err)
		got := s.files()
		wants(t, why, got["/main.cf"], "    { /^[^@+]+@example\\.org$$(_)?/  lmtp:unix:imip-agent/lmtp }\n    { /^[^@+]+@example\\.net$$(_)?/  lmtp:unix:imip-agent/lmtp }\n",
			"# END imip-agent incoming\n")
		if strings.Contains(got["/main.cf"], "_recipient_limit") || strings.Contains(got["/main.cf"], "imip_mailbox_maps =") || strings.Contains(got["/main.cf"], "pipe") || got["/master.cf"] != before["/master.cf"] {
			t.Errorf("%s: there are settings of pipes:\n%s\n%s", why, got["/main.cf"], got["/master.cf"])
		}
		if why == "none" {
			wants(t, why, got["/main.cf"], "\ntransport_maps = $imip_incoming_maps\naddress_verify_transport_maps =\n#")
		} else {
			wants(t, why, got["/main.cf"], "    regexp:/etc/postfix/more\n    $imip_incoming_maps\nvirtual_alias_maps", "\naddress_verify_transport_maps = hash:/etc/postfix/transport, regexp:/etc/postfix/more\n")
		}
		wants(t, why, got["/config.txt"], "\nLMTP_SOCKET = \"/var/spool/postfix/imip-agent/lmtp\"\nMAILBOX_SERVER = \"/var/spool/postfix/private/dovecot-lmtp\"\n# END imip-agent milter\n")
		wants(t, why, got["/etc/systemd/system/imip-agent-lmtp.socket.d/postfix.conf"], "\nListenStream=/var/spool/postfix/imip-agent/lmtp\n")
		wants(t, why, commands(p), "systemctl enable imip-agent.socket imip-agent-lmtp.socket imip-agent.service\nsystemctl start imip-agent.socket imip-agent-lmtp.socket imip-agent.service\npostfix reload")

		// It stays, and so do rooms.
		if p, err = plan(Options{ByService: true}); err != nil || !p.Empty() {
			t.Errorf("%s, again: %v\n%s", why, err, p.Diff())
		}
		incoming := got
		p, err = plan(Options{ByService: true, Resources: []string{"room@example.org", "car@example.net"}})
		apply(t, p, err)
		got = s.files()
		wants(t, why, got["/main.cf"], "    { room@example.org = room@example.org }\n    { car@example.net = car@example.net }\n", "regexp:{ {/./  lmtp:unix:imip-agent/lmtp} }}\n", "# END imip-agent resources\n", "$imip_incoming_maps")
		wants(t, why, got["/config.txt"], "\nRESOURCES = \"room@example.org car@example.net\"\n# END")
		if strings.Contains(got["/main.cf"], "calendar-resource") {
			t.Errorf("%s: there are settings of pipes:\n%s", why, got["/main.cf"])
		}
		if p, err = plan(Options{ByService: true}); err != nil || !p.Empty() {
			t.Errorf("%s, again with rooms: %v\n%s", why, err, p.Diff())
		}
		// Users' mail goes straight to the mailboxes, rooms answer all the same.
		p, err = plan(Options{Remove: true, Incoming: true})
		apply(t, p, err)
		got = s.files()
		wants(t, why, got["/config.txt"], "\nLMTP_SOCKET = ", "\nRESOURCES = ")
		wants(t, why, got["/main.cf"], "calendar_resources", "smtpd_milters")
		if strings.Contains(got["/config.txt"], "MAILBOX_SERVER") || strings.Contains(got["/main.cf"], "incoming") || got["/etc/systemd/system/imip-agent-lmtp.socket.d/postfix.conf"] == "" {
			t.Errorf("%s, users' mail is still taken, or that of rooms is not:\n%s\n%s", why, got["/main.cf"], got["/config.txt"])
		}
		p, err = plan(Options{ByService: true, NoResources: true})
		apply(t, p, err)
		s.same(why+", no rooms", outgoing)
		wants(t, why, commands(p), "systemctl disable imip-agent-lmtp.socket\n")

		p, err = plan(Options{ByService: true, Incoming: true})
		apply(t, p, err)
		s.same(why+", users again", incoming)
		p, err = plan(Options{Remove: true, Incoming: true})
		apply(t, p, err)
		s.same(why+", without users' mail", outgoing)
		if p, err = plan(Options{Remove: true, Incoming: true}); err != nil || !p.Empty() {
			t.Errorf("%s, out again: %v %s", why, err, p.Diff())
		}
		p, err = plan(Options{ByService: true, Incoming: true, Resources: []string{"room@example.org"}})
		apply(t, p, err)
		p, err = plan(Options{Remove: true})
		apply(t, p, err)
		s.same(why+", nothing", before)
		wants(t, why, commands(p), "systemctl disable --now imip-agent.service imip-agent.socket imip-agent-lmtp.socket imip-agent-metrics.socket\n")
	}
}

// Mail of users with accounts goes by local(8), which asks aliases first.
func TestServiceIncomingLocal(t *testing.T) {
	answers := map[string]string{
		"postconf -hx mydestination": "localhost, example.org, example.net", "postconf -hx local_transport": "local:mail.example.org",
		"doveconf -h base_dir": "/run/dovecot", "doveconf service/lmtp": "service lmtp {\n  unix_listener lmtp {\n  }\n}",
	}
	s, plan := newServiceSite(t, "myhostname = x\n", answers)
	s.systemd = false
	before := s.files()
	p, err := plan(Options{ByService: true, Incoming: true})
	apply(t, p, err)
	wants(t, "main.cf", s.files()["/main.cf"], "\nmailbox_transport_maps = $imip_mailbox_maps\n", "    { /./  lmtp:unix:imip-agent/lmtp }\n")
	wants(t, "config.txt", s.files()["/config.txt"], "\nMAILBOX_SERVER = \"/run/dovecot/lmtp\"\n")
	wants(t, "the notes", strings.Join(p.Notes, "\n"), "systemd does not run here: have `imip-agent serve` run as imip-agent")
	if strings.Contains(s.files()["/main.cf"], "\nimip_incoming_maps") {
		t.Errorf("main.cf is %s", s.files()["/main.cf"])
	}
	p, err = plan(Options{Remove: true})
	apply(t, p, err)
	s.same("taken out", before)
}

// From pipes to the service and back, with the mailbox server and the rooms that there were.
func TestServiceAndPipe(t *testing.T) {
	s, plan := newServiceSite(t, mainCf, virtualMailboxes())
	p, err := plan(Options{Incoming: true, Mailbox: "127.0.0.1:2003", Resources: []string{"room@example.org"}})
	apply(t, p, err)
	piped := s.files()
	p, err = plan(Options{ByService: true})
	apply(t, p, err)
	got := s.files()
	wants(t, "config.txt", got["/config.txt"], "\nMAILBOX_SERVER = \"127.0.0.1:2003\"\nRESOURCES = \"room@example.org\"\n")
	if got["/master.cf"] != masterCf+lmtpClient || strings.Contains(got["/main.cf"], "imip-incoming") || strings.Contains(got["/main.cf"], "sender_bcc") {
		t.Errorf("there are pipes:\n%s\n%s", got["/main.cf"], got["/master.cf"])
	}
	p, err = plan(Options{})
	apply(t, p, err)
	s.same("pipes again", piped)
}

func TestServiceProblems(t *testing.T) {
	rooms := []string{"room@example.org"}
	for _, test := range []struct {
		why, want string
		o         Options
		change    func(s *milterSite, answers map[string]string)
	}{
		{"no LMTP behind", "--mailbox smtp needs --pipe", Options{Incoming: true, Mailbox: "smtp"}, nil},
		{"it is itself", "is the service itself", Options{Incoming: true, Mailbox: "/run/imip-agent/lmtp"}, nil},
		{"Postfix names the service only", "no mailbox server that takes mail by LMTP is found", Options{Incoming: true}, func(_ *milterSite, answers map[string]string) {
			answers["postconf -hx virtual_transport"] = "lmtp:unix:/run/imip-agent/lmtp"
		}},
		{"an old Postfix", "tables in main.cf need 3.7", Options{Resources: rooms}, func(s *milterSite, _ map[string]string) { s.version = "3.5.1" }},
		{"no client", "lacks the service lmtp", Options{Resources: rooms}, func(s *milterSite, _ map[string]string) {
			if err := os.WriteFile(filepath.Join(s.dir, "master.cf"), []byte(masterCf), 0o600); err != nil {
				s.t.Fatal(err)
			}
		}},
		{"rooms by hand", "RESOURCES = \"x@example.org\" by hand", Options{Resources: rooms}, func(s *milterSite, _ map[string]string) { s.config("RESOURCES = \"x@example.org\"\n") }},
		{"a place by hand", "LMTP_SOCKET = \"127.0.0.1:8893\" by hand", Options{Resources: rooms}, func(s *milterSite, _ map[string]string) { s.config("LMTP_SOCKET = \"127.0.0.1:8893\"\n") }},
	} {
		answers := maps.Clone(virtualMailboxes())
		s, plan := newServiceSite(t, mainCf, answers)
		if test.change != nil {
			test.change(s, answers)
		}
		test.o.ByService = true
		var known *Error
		if _, err := plan(test.o); !errors.As(err, &known) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.why, err, test.want)
		}
	}
}

// config replaces config.txt.
func (s *milterSite) config(text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "config.txt"), []byte(text), 0o640); err != nil {
		s.t.Fatal(err)
	}
}

// Exim hands copies, and with --incoming and --resources that mail, to the service.
func TestServiceEximAndBack(t *testing.T) {
	const own = "primary_hostname = x\nbegin routers\n\nboxes:\n  driver = accept\n  transport = dovecot\n\nbegin transports\n\ndovecot:\n  driver = lmtp\n  socket = /run/dovecot/lmtp\nbegin retry\n* * F,1h,1m\n"
	dir := t.TempDir()
	const config = "MESSAGE_SENDER = \"calendar@example.org\"\n"
	for name, text := range map[string]string{"exim.conf": own, "config.txt": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(_ context.Context, words ...string) ([]string, error) {
		switch line := strings.Join(words[1:], " "); line {
		case "-bP configure_file":
			return []string{filepath.Join(dir, "exim.conf")}, nil
		case "-bP exim_group":
			return []string{"Debian-exim"}, nil
		case "-f <> -bt doctor@example.org":
			return []string{"doctor@example.org", "  router = boxes, transport = dovecot"}, nil
		case "-bP transports": // what there is already, too
			return strings.Split("imip_person transport:\ndriver = lmtp\nsocket = /run/imip-agent/lmtp\ndovecot transport:\ndriver = lmtp\nsocket = /run/dovecot/lmtp", "\n"), nil
		}
		return nil, errors.New("unknown")
	}
	plan := func(o Options) *Plan {
		t.Helper()
		if !o.Remove {
			o.Domains, o.Prefix, o.Sender = []string{"example.org"}, "people-outgoing", "calendar@example.org"
			o.Program, o.Person, o.Resource = "/usr/bin/imip_person_outgoing", "/usr/lib/imip-agent-go/imip_person", "/usr/lib/imip-agent-go/imip_resource"
			o.User, o.Group = "imip-agent", "www-data"
		}
		o.Etc = dir
		o.Service = Service{Config: filepath.Join(dir, "config.txt"), Systemd: true, Root: dir, Mailbox: strings.Trim(byHandIn(text(t, dir, "config.txt"), "MAILBOX_SERVER"), `"`)}
		p, err := Exim(t.Context(), o, "/usr/sbin/exim", run)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	do := func(o Options) *Plan {
		t.Helper()
		p := plan(o)
		p.Verify = nil // there is no Exim
		apply(t, p, nil)
		return p
	}
	const drop = "etc/systemd/system/imip-agent-lmtp.socket.d/exim.conf"
	p := do(Options{ByService: true})
	outgoing := text(t, dir, "exim.conf")
	wants(t, "exim.conf", outgoing, "imip_person_outgoing:\n  debug_print = \"T: imip_person_outgoing for $local_part@$domain\"\n  driver = lmtp\n  socket = /run/imip-agent/lmtp\n")
	wants(t, "config.txt", text(t, dir, "config.txt"), "\nLMTP_SOCKET = \"/run/imip-agent/lmtp\"\n# END imip-agent lmtp\n")
	wants(t, "the drop-in", text(t, dir, drop), "\nSocketGroup=Debian-exim\n")
	wants(t, "the other", text(t, dir, "etc/systemd/system/imip-agent.socket.d/exim.conf"), "\nSocketGroup=Debian-exim\n")
	wants(t, "the commands", commands(p), "systemctl start imip-agent.socket imip-agent-lmtp.socket imip-agent.service")
	if strings.Contains(outgoing, "IMIP_PROGRAM -o") {
		t.Errorf("a program is run:\n%s", outgoing)
	}
	if p := plan(Options{ByService: true}); !p.Empty() {
		t.Errorf("again: %s", p.Diff())
	}
	do(Options{ByService: true, Incoming: true, Resources: []string{"room@example.org"}})
	got := text(t, dir, "exim.conf")
	wants(t, "exim.conf", got, "# imip-agent, mail that arrives: it goes to the service, by LMTP.\n", "imip_resource:\n  debug_print = \"T: imip_resource for $local_part@$domain\"\n  driver = lmtp\n",
		"imip_person:\n  debug_print = \"T: imip_person for $local_part@$domain\"\n  driver = lmtp\n", "  condition = ${if and{ {match_address{$local_part@$domain}{IMIP_SENDERS}} {bool{IMIP_MEMBER}} }}\n")
	wants(t, "config.txt", text(t, dir, "config.txt"), "\nMAILBOX_SERVER = \"/run/dovecot/lmtp\"\nRESOURCES = \"room@example.org\"\n")
	if strings.Contains(got, "driver = pipe\n  # Exim treats") {
		t.Errorf("a program is run:\n%s", got)
	}
	if p := plan(Options{ByService: true}); !p.Empty() {
		t.Errorf("again: %s", p.Diff())
	}
	do(Options{Remove: true, Incoming: true})
	if got := text(t, dir, "config.txt"); strings.Contains(got, "MAILBOX_SERVER") || !strings.Contains(got, "RESOURCES") || text(t, dir, drop) == "" {
		t.Errorf("without users' mail, config.txt is %s", got)
	}
	do(Options{ByService: true, NoResources: true})
	if got := text(t, dir, "exim.conf"); got != outgoing {
		t.Errorf("with copies alone, it is\n%s", got)
	}
	p = do(Options{Remove: true})
	if text(t, dir, "exim.conf") != own || text(t, dir, "config.txt") != config {
		t.Errorf("not what it was:\n%s\n%s", text(t, dir, "exim.conf"), text(t, dir, "config.txt"))
	}
	if _, err := os.Stat(filepath.Join(dir, drop)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the drop-in: %v", err)
	}
	wants(t, "the commands", commands(p), "systemctl disable --now imip-agent.service imip-agent.socket imip-agent-lmtp.socket imip-agent-metrics.socket")
}
