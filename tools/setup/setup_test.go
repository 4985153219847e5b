package setup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	mainCf = `# See /usr/share/postfix/main.cf.dist
myhostname = mail.example.org
transport_maps = hash:/etc/postfix/old
transport_maps =
    hash:/etc/postfix/transport,
# a comment in between
    regexp:/etc/postfix/more
virtual_alias_maps=hash:/etc/postfix/virtual
smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_command_filter =
mynetworks = 127.0.0.0/8
`
	masterCf = `# comment
smtp      inet  n       -       y       -       -       smtpd
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
  -o smtpd_client_restrictions=
# Choose one:
#127.0.0.1:submissions inet  n  -       y       -       -       smtpd
#submissions     inet  n       -       y       -       -       smtpd
#  -o syslog_name=postfix/submissions
#     a remark
#  -o smtpd_recipient_restrictions=

#628       inet  n       -       y       -       -       qmqpd
pickup    unix  n       -       y       60      1       pickup
cleanup   unix  n       -       y       -       0       cleanup
`
)

// site is a directory with Postfix's configuration.
func postfixSite(t *testing.T, main, master string) (dir string, plan func(Options) (*Plan, error)) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{"main.cf": main, "master.cf": master} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	output := func(_ context.Context, words ...string) ([]string, error) {
		switch strings.Join(words, " ") {
		case "postconf -h config_directory":
			return []string{dir}, nil
		case "postconf -h mail_version":
			return []string{"3.7.11"}, nil
		case "postconf -h receive_override_options":
			return []string{""}, nil
		}
		return nil, errors.New("not running")
	}
	return dir, func(o Options) (*Plan, error) {
		if !o.Remove {
			o.Program, o.User, o.Group, o.Prefix, o.Sender = "/usr/bin/imip_person_outgoing", "imip-agent", "www-data", "people-outgoing", "calendar@example.org"
		}
		return Postfix(t.Context(), o, output)
	}
}

func apply(t *testing.T, p *Plan, err error) {
	t.Helper()
	if err == nil {
		err = p.Apply(t.Context(), func(context.Context, ...string) error { return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// What is put in is put in once, and taking it out leaves what there was.
func TestPostfixAndBack(t *testing.T) {
	dir, plan := postfixSite(t, mainCf, masterCf)
	p, err := plan(Options{Domains: []string{"example.org", "example.net"}})
	apply(t, p, err)
	if len(p.Notes) > 0 {
		t.Errorf("notes %q", p.Notes)
	}
	main, master := text(t, dir, "main.cf"), text(t, dir, "master.cf")
	for _, want := range []string{
		"\ntransport_maps = hash:/etc/postfix/old\ntransport_maps = $imip_transport_maps\n    hash:/etc/postfix/transport,",
		"\nvirtual_alias_maps=$imip_virtual_alias_maps hash:/etc/postfix/virtual\n",
		"\nsmtpd_recipient_restrictions = check_recipient_access $imip_recipient_access permit_mynetworks, permit_sasl",
		"\nsmtpd_command_filter = $imip_command_filter\n",
		"\nsmtpd_restriction_classes = imip_local_only\n",
		"    { /^people-outgoing\\+[^@]+@example\\.org$$(_)?/  imip-outgoing: }\n    { /^people-outgoing\\+[^@]+@example\\.net$$(_)?/  imip-outgoing: }\n",
		"people-outgoing+$${1}@example.net }",
	} {
		if !strings.Contains(main, want) {
			t.Errorf("main.cf lacks %q:\n%s", want, main)
		}
	}
	if n := strings.Count(main, "\nvirtual_alias_maps"); n != 1 {
		t.Errorf("virtual_alias_maps is set %d times", n)
	}
	for _, want := range []string{
		"smtpd\n  -o cleanup_service_name=imip-cleanup\n  -o imip_local_only=reject\n  -o syslog_name=postfix/submission\n" +
			"  -o smtpd_recipient_restrictions=check_recipient_access,$imip_recipient_access,permit_sasl_authenticated,reject\n",
		"#submissions     inet  n       -       y       -       -       smtpd\n#  -o cleanup_service_name=imip-cleanup\n#  -o imip_local_only=reject\n",
		"#  -o smtpd_recipient_restrictions=check_recipient_access,$imip_recipient_access\n",
		"pickup\n  -o cleanup_service_name=imip-cleanup\ncleanup",
		"argv=/usr/bin/imip_person_outgoing -o ${recipient}\n",
	} {
		if !strings.Contains(master, want) {
			t.Errorf("master.cf lacks %q:\n%s", want, master)
		}
	}
	if strings.Contains(master, "smtp      inet  n       -       y       -       -       smtpd\n  -o") {
		t.Error("mail from outside is handled")
	}
	if info, err := os.Stat(filepath.Join(dir, "main.cf")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode of main.cf: %v %v", info.Mode(), err)
	}

	p, err = plan(Options{Domains: []string{"example.org", "example.net"}})
	if err != nil || !p.Empty() {
		t.Errorf("again: %v\n%s", err, p.Diff())
	}
	p, err = plan(Options{Domains: []string{"example.org"}, Users: []string{"Paul@example.org"}})
	apply(t, p, err)
	if main := text(t, dir, "main.cf"); !strings.Contains(main, "imip_sender_bcc_maps = inline:{\n    { paul@example.org = people-outgoing+paul@example.org }\n    }\n") ||
		strings.Contains(main, "example.net") {
		t.Errorf("with users:\n%s", main)
	}
	// Who the users are stays, if nothing else is said.
	p, err = plan(Options{Domains: []string{"example.org"}})
	if err != nil || !p.Empty() {
		t.Errorf("without users: %v\n%s", err, p.Diff())
	}
	p, err = plan(Options{Domains: []string{"example.org"}, Everyone: true})
	apply(t, p, err)
	if main := text(t, dir, "main.cf"); strings.Contains(main, "{ paul@example.org") {
		t.Errorf("everyone:\n%s", main)
	}

	p, err = plan(Options{Remove: true})
	apply(t, p, err)
	if got := text(t, dir, "main.cf"); got != mainCf {
		t.Errorf("main.cf is not what it was:\n%s", got)
	}
	if got := text(t, dir, "master.cf"); got != masterCf {
		t.Errorf("master.cf is not what it was:\n%s", got)
	}
	if p, err = plan(Options{Remove: true}); err != nil || !p.Empty() {
		t.Errorf("once more: %v\n%s", err, p.Diff())
	}
}

// Somebody has put values before ours since: ours is there once again, and goes.
func TestPostfixValuesBefore(t *testing.T) {
	dir, plan := postfixSite(t, "transport_maps = $calendar_resource_maps $imip_transport_maps, hash:/etc/postfix/transport\n"+
		"virtual_alias_maps = $calendar_resources $imip_virtual_alias_maps\n", masterCf)
	p, err := plan(Options{Domains: []string{"example.org"}})
	apply(t, p, err)
	for _, want := range []string{
		"transport_maps = $imip_transport_maps $calendar_resource_maps, hash:/etc/postfix/transport\n",
		"virtual_alias_maps = $imip_virtual_alias_maps $calendar_resources\n",
	} {
		if main := text(t, dir, "main.cf"); !strings.Contains(main, want) {
			t.Errorf("main.cf lacks %q:\n%s", want, main)
		}
	}
	p, err = plan(Options{Remove: true})
	apply(t, p, err)
	want := "transport_maps = $calendar_resource_maps, hash:/etc/postfix/transport\nvirtual_alias_maps = $calendar_resources\n"
	if main := text(t, dir, "main.cf"); main != want {
		t.Errorf("main.cf is %q, want %q", main, want)
	}
}

// What the mail system does not take is put back.
func TestPutBack(t *testing.T) {
	dir, plan := postfixSite(t, mainCf, masterCf)
	p, err := plan(Options{Domains: []string{"example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	fatal := errors.New("fatal: bad parameter")
	if err := p.Apply(t.Context(), func(context.Context, ...string) error { return fatal }); !errors.Is(err, fatal) {
		t.Errorf("error %v", err)
	}
	if text(t, dir, "main.cf") != mainCf || text(t, dir, "master.cf") != masterCf {
		t.Error("the files are not what they were")
	}
}

func TestPostfixRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		main, master string
		o            Options
		want         string
	}{
		"is not a domain":       {mainCf, masterCf, Options{}, "name the domain"},
		"a domain that is none": {mainCf, masterCf, Options{Domains: []string{"a b"}}, "is not a domain"},
		"a user elsewhere":      {mainCf, masterCf, Options{Domains: []string{"example.org"}, Users: []string{"x@example.com"}}, "in none of the domains"},
		"a user with braces":    {mainCf, masterCf, Options{Domains: []string{"example.org"}, Users: []string{"x}@example.org"}}, "is not a user's mail address"},
		"an earlier version":    {mainCf + "imip_sender_bcc_maps = texthash:/etc/imip-agent/postfix/senders\n", masterCf, Options{Domains: []string{"example.org"}}, "is set already"},
		"an open part":          {mainCf + begin + "\n", masterCf, Options{Domains: []string{"example.org"}}, "lacks its end"},
		"another cleanup service": {mainCf, strings.Replace(masterCf, "  -o syslog_name=postfix/submission\n", "  -o cleanup_service_name=pre-cleanup\n", 1),
			Options{Domains: []string{"example.org"}}, "cleanup service pre-cleanup already"},
		"a service that is none": {mainCf, masterCf, Options{Domains: []string{"example.org"}, Services: []string{"lmtp/inet"}}, "unknown service lmtp/inet"},
	} {
		dir, plan := postfixSite(t, test.main, test.master)
		if _, err := plan(test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if text(t, dir, "main.cf") != test.main || text(t, dir, "master.cf") != test.master {
			t.Errorf("%s: changed", name)
		}
	}
}

// Nobody can send through a service that is commented out.
func TestPostfixNothingOn(t *testing.T) {
	_, plan := postfixSite(t, mainCf, strings.Replace(masterCf, "submission inet", "#submission inet", 1))
	p, err := plan(Options{Domains: []string{"example.org"}})
	if err != nil || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "no service to send through") {
		t.Errorf("%v, notes %q", err, p.Notes)
	}
}

// A configuration of Exim in one file gets its parts, and loses them again.
func TestEximAndBack(t *testing.T) {
	const own = "primary_hostname = x\nbegin acl\nbegin routers\n\nr:\n  driver = accept\nbegin transports\nbegin retry\n* * F,1h,1m\n"
	file := filepath.Join(t.TempDir(), "exim.conf")
	if err := os.WriteFile(file, []byte(own), 0o644); err != nil {
		t.Fatal(err)
	}
	output := func(_ context.Context, words ...string) ([]string, error) {
		if words[len(words)-1] == "configure_file" {
			return []string{file}, nil
		}
		if words[len(words)-1] == "exim_user" {
			return []string{"exim_user = 101"}, nil
		}
		return nil, errors.New("unknown")
	}
	o := Options{Domains: []string{"example.org"}, Users: []string{"paul@example.org"}, Program: "/usr/local/bin/imip_person_outgoing",
		User: "imip-agent", Group: "imip-agent", Prefix: "people-outgoing", Sender: "calendar@example.org"}
	p, err := Exim(t.Context(), o, "/usr/sbin/exim", output)
	apply(t, p, err)
	got := text(t, filepath.Dir(file), "exim.conf")
	for _, want := range []string{
		"\nIMIP_DOMAINS = example.org\n", "\nIMIP_SENDERS = paul@example.org\n", "\nIMIP_PROGRAM = /usr/local/bin/imip_person_outgoing\n",
		"\nIMIP_GROUP = imip-agent\n", "\nIMIP_EXIM = /usr/sbin/exim\n", "\nIMIP_MTA_USER = 101\n",
		"begin routers\n# BEGIN imip-agent", "begin transports\n# BEGIN imip-agent", "begin retry\n# BEGIN imip-agent",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	o.Users = nil // who they are stays
	if p, err := Exim(t.Context(), o, "/usr/sbin/exim", output); err != nil || !p.Empty() {
		t.Errorf("again: %v\n%s", err, p.Diff())
	}
	p, err = Exim(t.Context(), Options{Remove: true}, "/usr/sbin/exim", output)
	apply(t, p, err)
	if got := text(t, filepath.Dir(file), "exim.conf"); got != own {
		t.Errorf("not what it was:\n%s", got)
	}
}

// What was put there by hand is not taken out, but named.
func TestPostfixByHand(t *testing.T) {
	_, plan := postfixSite(t, mainCf, masterCf+"handler unix - n n - - pipe\n  user=x argv=/usr/bin/imip_person_outgoing\n"+
		"people unix - n n - - pipe\n  user=x argv=/usr/lib/imip-agent-go/imip_person -o ${recipient} -L\n")
	p, err := plan(Options{Remove: true})
	if err != nil || !p.Empty() || len(p.Notes) != 2 || !strings.Contains(p.Notes[0], "line 18 of ") || !strings.Contains(p.Notes[1], "still runs imip_person,") {
		t.Errorf("%v, notes %q", err, p.Notes)
	}
}
