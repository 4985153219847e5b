package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// incomingSite is a site with Postfix that answers questions.
func incomingSite(t *testing.T, main string, answers map[string]string) (dir string, plan func(Options) (*Plan, error)) {
	t.Helper()
	dir, _ = postfixSite(t, main, masterCf)
	answers["postconf -h config_directory"], answers["postconf -h mail_version"] = dir, "3.7.11"
	answers["postconf -hx queue_directory"] = "/var/spool/postfix"
	run := func(_ context.Context, words ...string) ([]string, error) {
		answer, ok := answers[strings.Join(words, " ")]
		if !ok {
			return nil, errors.New("no answer")
		}
		return strings.Split(answer, "\n"), nil
	}
	return dir, func(o Options) (*Plan, error) {
		if !o.Remove {
			o.Program, o.User, o.Group, o.Prefix, o.Sender = "/usr/bin/imip_person_outgoing", "imip-agent", "www-data", "people-outgoing", "calendar@example.org"
			o.Person, o.Etc = "/usr/lib/imip-agent-go/imip_person", dir
		}
		return Postfix(t.Context(), o, run)
	}
}

func wants(t *testing.T, what, got string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(got, text) {
			t.Errorf("%s lacks %q:\n%s", what, text, got)
		}
	}
}

// Mail for a domain of virtual mailboxes: it goes by transport_maps, and the mailbox server is the one that is there.
func TestIncomingVirtual(t *testing.T) {
	dir, plan := incomingSite(t, mainCf, map[string]string{
		"postconf -hx mydestination":                       "localhost, mail.example.org",
		"postconf -hx virtual_mailbox_domains":             "hash:/etc/postfix/domains",
		"postmap -q example.org hash:/etc/postfix/domains": "x",
		"postconf -hx virtual_transport":                   "lmtp:unix:private/dovecot-lmtp",
		"postconf -hx transport_maps":                      "regexp:{ { /^people-outgoing/ local:, x } } hash:/etc/postfix/transport, regexp:/etc/postfix/more",
		"postmap -q example.org regexp:/etc/postfix/more":  "local:", // patterns are for addresses
	})
	p, err := plan(Options{Domains: []string{"example.org"}})
	apply(t, p, err)
	outgoing := text(t, dir, "main.cf")
	if strings.Contains(outgoing, "incoming") {
		t.Errorf("mail that arrives is handled though nobody asked for it:\n%s", outgoing)
	}
	p, err = plan(Options{Domains: []string{"example.org"}, Incoming: true})
	apply(t, p, err)
	main := text(t, dir, "main.cf")
	wants(t, "main.cf", main,
		"\ntransport_maps = $imip_transport_maps\n    hash:/etc/postfix/transport,\n# a comment in between\n    regexp:/etc/postfix/more\n    $imip_incoming_maps\nvirtual_alias_maps",
		"\naddress_verify_transport_maps = $imip_transport_maps hash:/etc/postfix/transport, regexp:/etc/postfix/more\n",
		"    { if !/^(calendar|postmaster|mailer-daemon|people-outgoing)@/ }\n    { /^[^@+]+@example\\.org$$(_)?/  imip-incoming: }\n",
		"\nimip-incoming_time_limit = 600s\n")
	if strings.Contains(main, "\nimip_mailbox_maps") || strings.Contains(main, "mailbox_transport_maps") {
		t.Errorf("local(8) is set up too:\n%s", main)
	}
	wants(t, "master.cf", text(t, dir, "master.cf"),
		"argv=/usr/lib/imip-agent-go/imip_person -o ${recipient} -l /var/spool/postfix/private/dovecot-lmtp\n# END imip-agent incoming\n")

	// It stays, also if it is not asked for again, and follows the users.
	if p, err := plan(Options{Domains: []string{"example.org"}}); err != nil || !p.Empty() {
		t.Errorf("again: %v\n%s", err, p.Diff())
	}
	p, err = plan(Options{Domains: []string{"example.org"}, Users: []string{"paul@example.org", "o'neil*@example.org"}})
	apply(t, p, err)
	wants(t, "main.cf", text(t, dir, "main.cf"), "imip_incoming_maps = regexp:{\n    { /^paul@example\\.org$$(_)?/  imip-incoming: }\n    { /^o'neil\\*@example\\.org$$(_)?/  imip-incoming: }\n    }\n")
	p, err = plan(Options{Domains: []string{"example.org"}, Everyone: true, Mailbox: "127.0.0.1:24", Incoming: true})
	apply(t, p, err)
	wants(t, "master.cf", text(t, dir, "master.cf"), " -l 127.0.0.1:24\n")

	for _, mailbox := range []string{"smtp", ""} {
		p, err = plan(Options{Domains: []string{"example.org"}, Mailbox: mailbox, Incoming: true})
		if mailbox != "" || err != nil {
			apply(t, p, err)
		} else if !p.Empty() {
			t.Errorf("mailboxes by SMTP do not stay: %s", p.Diff())
		}
		wants(t, "master.cf", text(t, dir, "master.cf"), "imip_person -o ${recipient} -L\n")
	}

	// Only this is taken out, or all.
	p, err = plan(Options{Remove: true, Incoming: true})
	apply(t, p, err)
	if got := text(t, dir, "main.cf"); got != outgoing {
		t.Errorf("without mail that arrives, main.cf is\n%s", got)
	}
	p, err = plan(Options{Domains: []string{"example.org"}, Incoming: true})
	apply(t, p, err)
	p, err = plan(Options{Remove: true})
	apply(t, p, err)
	if text(t, dir, "main.cf") != mainCf || text(t, dir, "master.cf") != masterCf {
		t.Errorf("the files are not what they were:\n%s\n%s", text(t, dir, "main.cf"), text(t, dir, "master.cf"))
	}
}

// Mail for a domain in mydestination: local(8) looks at aliases first.
func TestIncomingLocal(t *testing.T) {
	const own = mainCf + "mailbox_transport_maps = hash:/etc/postfix/old-cyrus\n"
	dir, plan := incomingSite(t, own, map[string]string{
		"postconf -hx mydestination":     "localhost, example.org",
		"postconf -hx local_transport":   "local:mail.example.org",
		"postconf -hx mailbox_transport": "",
		"doveconf -h base_dir":           "/var/run/dovecot",
		"doveconf service/lmtp":          "service lmtp {\n  unix_listener lmtp {\n    mode = 0666\n  }\n}",
		// The other domain is elsewhere.
		"postconf -hx virtual_mailbox_domains": "",
	})
	p, err := plan(Options{Domains: []string{"example.org"}, Incoming: true})
	apply(t, p, err)
	main := text(t, dir, "main.cf")
	wants(t, "main.cf", main, "mailbox_transport_maps = hash:/etc/postfix/old-cyrus\n    $imip_mailbox_maps\n# BEGIN",
		"    { if !/^(calendar|postmaster|mailer-daemon|people-outgoing|root)$$(_)?/ }\n    { /./  imip-incoming: }\n")
	for _, no := range []string{"\nimip_incoming_maps", "$imip_incoming_maps", "address_verify"} {
		if strings.Contains(main, no) {
			t.Errorf("main.cf has %q:\n%s", no, main)
		}
	}
	wants(t, "master.cf", text(t, dir, "master.cf"), " -l /var/run/dovecot/lmtp\n")
	p, err = plan(Options{Domains: []string{"example.org", "example.net"}, Users: []string{"paul@example.org", "vincent@example.net"}})
	apply(t, p, err)
	wants(t, "main.cf", text(t, dir, "main.cf"),
		"imip_mailbox_maps = regexp:{\n    { /^paul$$(_)?/  imip-incoming: }\n    }\n", "imip_incoming_maps = regexp:{\n    { /^vincent@example\\.net$$(_)?/  imip-incoming: }\n    }\n")
	p, err = plan(Options{Remove: true})
	apply(t, p, err)
	if got := text(t, dir, "main.cf"); got != own {
		t.Errorf("main.cf is not what it was:\n%s", got)
	}
}

// Where the mailbox server is, and what is said if there is none that the handler can use.
func TestMailbox(t *testing.T) {
	for _, test := range []struct {
		transport, etc, mailbox string
		table                   string   // what transport_maps has for the domain
		closed                  []string // places that the handler cannot use
		want, problem           string
	}{
		{transport: "virtual", table: "dovecot-lmtp:unix:/nowhere/lmtp", want: "/var/spool/postfix/nowhere/lmtp"},
		{transport: "lmtp:inet:mailboxes.example.org:24", want: "mailboxes.example.org:24"},
		{transport: "lmtp:[127.0.0.1]:2003", want: "127.0.0.1:2003"},
		{transport: "lmtp:mailboxes.example.org", want: "mailboxes.example.org:24"},
		{transport: "lmtp:unix:private/lmtp", closed: []string{"/var/spool/postfix/private/lmtp"}, etc: "configdirectory: /var/lib/cyrus\n", want: "/run/cyrus/socket/lmtp"},
		{transport: "virtual", etc: "lmtpsocket: /var/run/lmtp\n", want: "/var/run/lmtp"},
		{transport: "virtual", etc: "x: y\n", closed: []string{"/run/cyrus/socket/lmtp"}, want: "127.0.0.1:24"},
		{transport: "virtual", problem: "no mailbox server that takes mail by LMTP is found"},
		{transport: "lmtp:unix:private/lmtp", closed: []string{"/var/spool/postfix/private/lmtp"}, problem: "/var/spool/postfix/private/lmtp (virtual_transport): closed"},
		{transport: "virtual", mailbox: "/run/other", want: "/run/other"},
		{transport: "virtual", mailbox: "/run/other", closed: []string{"/run/other"}, problem: "users' mail would wait: closed"},
		{transport: "virtual", mailbox: "other", problem: "neither the path of a socket nor HOST:PORT"},
	} {
		dir, plan := incomingSite(t, mainCf, map[string]string{
			"postconf -hx virtual_mailbox_domains":               "example.org",
			"postconf -hx virtual_transport":                     test.transport,
			"postconf -hx transport_maps":                        "hash:/etc/postfix/transport",
			"postmap -q example.org hash:/etc/postfix/transport": test.table,
		})
		if test.etc != "" {
			for name, text := range map[string]string{"imapd.conf": test.etc,
				"cyrus.conf": "SERVICES {\n  # lmtp cmd=\"lmtpd -a\" listen=\"localhost:99\"\n  lmtp		cmd=\"lmtpd -a\" listen=\"127.0.0.1:lmtp\" prefork=0\n}\n"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		reach := func(_ context.Context, place string) error {
			for _, closed := range test.closed {
				if place == closed {
					return errors.New("closed")
				}
			}
			return nil
		}
		p, err := plan(Options{Domains: []string{"example.org"}, Incoming: true, Mailbox: test.mailbox, Reach: reach})
		switch {
		case test.problem != "":
			if err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("%+v: %v", test, err)
			}
		default:
			apply(t, p, err)
			wants(t, fmt.Sprintf("%+v: master.cf", test), text(t, dir, "master.cf"), " -l "+test.want+"\n")
		}
	}
}

// A directory says who the users are.
func TestIncomingDirectory(t *testing.T) {
	const ldap = "\n# BEGIN imip-agent\nimip_sender_bcc_maps = ldap:/etc/postfix/imip-agent/senders-ldap.cf\n# END imip-agent\n"
	dir, plan := incomingSite(t, mainCf+ldap, map[string]string{"postconf -hx virtual_mailbox_domains": "example.org"})
	p, err := plan(Options{Domains: []string{"example.org"}, Incoming: true, Mailbox: "/run/lmtp"})
	apply(t, p, err)
	wants(t, "main.cf", text(t, dir, "main.cf"), "\nimip_incoming_maps = pipemap:{$imip_sender_bcc_maps, regexp:{{/^people-outgoing/ imip-incoming:}}}\n")

	_, plan = incomingSite(t, mainCf+ldap, map[string]string{"postconf -hx mydestination": "example.org", "postconf -hx local_transport": "local:x"})
	if _, err = plan(Options{Domains: []string{"example.org"}, Incoming: true, Mailbox: "/run/lmtp"}); err == nil || !strings.Contains(err.Error(), "name the users by --users") {
		t.Errorf("%v", err)
	}
}

// In Exim mail is taken directly above the router that delivers to the mailboxes.
func TestIncomingExim(t *testing.T) {
	const own = "primary_hostname = x\nbegin routers\n\naliases:\n  driver = redirect\n# Mailboxes of\n# users:\nboxes:\n  driver = accept\n  transport = dovecot\n\nlast:\n  driver = accept\n" +
		"begin transports\n\ndovecot:\n  driver = lmtp\n  socket = /run/dovecot/lmtp\nbegin retry\n* * F,1h,1m\n"
	file := filepath.Join(t.TempDir(), "exim.conf")
	if err := os.WriteFile(file, []byte(own), 0o644); err != nil {
		t.Fatal(err)
	}
	routes := "paul@example.org\n  router = boxes, transport = dovecot"
	run := func(_ context.Context, words ...string) ([]string, error) {
		switch line := strings.Join(words[1:], " "); line {
		case "-bP configure_file":
			return []string{file}, nil
		case "-f <> -bt paul@example.org":
			return strings.Split(routes, "\n"), nil
		case "-bP router boxes":
			return []string{"driver = accept", "same_domain_copy_routing"}, nil
		case "-bP router last":
			return []string{"driver = accept", "no_same_domain_copy_routing"}, nil
		case "-bP transports":
			return strings.Split("smtp transport:\ndriver = smtp\nhosts = \n\ndovecot transport:\nno_x\ndriver = lmtp\nsocket = /run/dovecot/lmtp", "\n"), nil
		}
		return nil, errors.New("unknown")
	}
	o := Options{Domains: []string{"example.org"}, Users: []string{"paul@example.org"}, Program: "/usr/local/bin/imip_person_outgoing", Person: "/usr/local/bin/imip_person",
		User: "imip-agent", Group: "imip-agent", Prefix: "people-outgoing", Sender: "calendar@example.org", Etc: filepath.Dir(file)}
	p, err := Exim(t.Context(), o, "/usr/sbin/exim", run)
	apply(t, p, err)
	outgoing := text(t, filepath.Dir(file), "exim.conf")
	o.Incoming = true
	p, err = Exim(t.Context(), o, "/usr/sbin/exim", run)
	apply(t, p, err)
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "same_domain_copy_routing") {
		t.Errorf("notes %q", p.Notes)
	}
	got := text(t, filepath.Dir(file), "exim.conf")
	wants(t, "exim.conf", got, "\nIMIP_PERSON = /usr/local/bin/imip_person\n", "\nIMIP_MAILBOX = -l /run/dovecot/lmtp\n", "\n# users:\n# BEGIN imip-agent incoming", "# END imip-agent incoming\nboxes:\n")
	o.Incoming, o.Users, routes = false, nil, "paul@example.org\n  router = imip_person, transport = imip_person"
	if p, err := Exim(t.Context(), o, "/usr/sbin/exim", run); err != nil || !p.Empty() {
		t.Errorf("again: %v\n%s", err, p.Diff())
	}
	p, err = Exim(t.Context(), Options{Remove: true, Incoming: true}, "/usr/sbin/exim", run)
	apply(t, p, err)
	if got := text(t, filepath.Dir(file), "exim.conf"); got != outgoing {
		t.Errorf("without mail that arrives, it is\n%s", got)
	}
	o.Incoming, o.Router = true, "last"
	p, err = Exim(t.Context(), o, "/usr/sbin/exim", run)
	apply(t, p, err)
	if len(p.Notes) > 0 {
		t.Errorf("notes %q", p.Notes)
	}
	wants(t, "exim.conf", text(t, filepath.Dir(file), "exim.conf"), "# END imip-agent incoming\nlast:\n")
	p, err = Exim(t.Context(), Options{Remove: true}, "/usr/sbin/exim", run)
	apply(t, p, err)
	if got := text(t, filepath.Dir(file), "exim.conf"); got != own {
		t.Errorf("not what it was:\n%s", got)
	}
	o.Router, routes = "", "paul@example.org is undeliverable"
	if _, err := Exim(t.Context(), o, "/usr/sbin/exim", run); err == nil || !strings.Contains(err.Error(), "name it by --router") {
		t.Errorf("without a router: %v", err)
	}
	o.Router = "none"
	if _, err := Exim(t.Context(), o, "/usr/sbin/exim", run); err == nil || !strings.Contains(err.Error(), "the router none") {
		t.Errorf("a router that is none: %v", err)
	}
}

// Mail for rooms goes by lists that stay as they are otherwise.
func TestResourcesPostfix(t *testing.T) {
	const maps = "postconf -hx transport_maps"
	answers := map[string]string{
		"postconf -hx mydestination": "localhost", "postconf -hx virtual_mailbox_domains": "example.org",
		"postconf -hx virtual_transport": "lmtp:unix:private/dovecot-lmtp", maps: "",
	}
	for _, own := range []string{mainCf, mainCf + "virtual_alias_maps =\n  hash:/etc/aliases\n", "# nothing\n"} {
		dir, plan := incomingSite(t, own, answers)
		with := func(o Options) Options {
			o.Domains = []string{"example.org"}
			o.Resource = "/usr/lib/imip-agent-go/imip_resource"
			return o
		}
		p, err := plan(with(Options{}))
		apply(t, p, err)
		outgoing, outgoingMaster := text(t, dir, "main.cf"), text(t, dir, "master.cf")
		p, err = plan(with(Options{Resources: []string{"Room@example.org", "car@example.org", "room@example.org"}}))
		apply(t, p, err)
		main := text(t, dir, "main.cf")
		wants(t, "main.cf", main, "\ncalendar_resources = inline:{\n    { room@example.org = room@example.org }\n    { car@example.org = car@example.org }\n    }\n",
			"\ntransport_maps = $calendar_resource_maps $imip_transport_maps", "$calendar_resources $imip_virtual_alias_maps", "\n# END imip-agent resources\n")
		wants(t, "master.cf", text(t, dir, "master.cf"), "user=imip-agent:www-data directory=/\n  argv=/usr/lib/imip-agent-go/imip_resource -o ${recipient}\n# END imip-agent resources\n")
		// They stay, beside users whose mail arrives, and are known to be there.
		if p, err := plan(with(Options{})); err != nil || !p.Empty() {
			t.Errorf("again: %v\n%s", err, p.Diff())
		}
		p, err = plan(with(Options{Incoming: true, Mailbox: "127.0.0.1:24"}))
		apply(t, p, err)
		wants(t, "main.cf", text(t, dir, "main.cf"), "\naddress_verify_transport_maps = $imip_transport_maps $calendar_resource_maps", "{ car@example.org = car@example.org }")
		p, err = plan(Options{Remove: true, Incoming: true})
		apply(t, p, err)
		if got := text(t, dir, "main.cf"); got != main {
			t.Errorf("without mail for users, main.cf is\n%s", got)
		}
		// Others in their place, none, and nothing of ours at all.
		p, err = plan(with(Options{Resources: []string{"attic@example.org"}}))
		apply(t, p, err)
		if got := text(t, dir, "main.cf"); !strings.Contains(got, "attic@") || strings.Contains(got, "car@") {
			t.Errorf("with another, main.cf is\n%s", got)
		}
		p, err = plan(with(Options{NoResources: true}))
		apply(t, p, err)
		if text(t, dir, "main.cf") != outgoing || text(t, dir, "master.cf") != outgoingMaster {
			t.Errorf("with none, the files are\n%s\n%s", text(t, dir, "main.cf"), text(t, dir, "master.cf"))
		}
		p, err = plan(with(Options{Resources: []string{"attic@example.org"}}))
		apply(t, p, err)
		p, err = plan(Options{Remove: true})
		apply(t, p, err)
		if text(t, dir, "main.cf") != own || text(t, dir, "master.cf") != masterCf {
			t.Errorf("the files are not what they were:\n%s\n%s", text(t, dir, "main.cf"), text(t, dir, "master.cf"))
		}
	}
	// What cannot be.
	dir, plan := incomingSite(t, mainCf, answers)
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Resources: []string{"room"}}, "not a resource's mail address"},
		{Options{Resources: []string{"room@example.net"}}, "in none of the domains example.org"},
		{Options{Resources: []string{"calendar@example.org"}}, "it would answer itself"},
		{Options{Resources: []string{"room@example.org"}, Users: []string{"room@example.org"}}, "as a user and as a resource"},
		{Options{Resources: []string{"room@example.org"}, Resource: "-"}, "imip_resource is missing"},
		{Options{Resources: []string{"room@example.org"}, Resource: "/a b"}, "cannot be a program's path"},
	} {
		c.o.Domains = []string{"example.org"}
		if c.o.Resource == "" {
			c.o.Resource = "/usr/lib/imip-agent-go/imip_resource"
		} else if c.o.Resource == "-" {
			c.o.Resource = ""
		}
		if _, err := plan(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
	// What was put in by hand stays, and is in the way.
	hand := mainCf + "# BEGIN calendar resources: by hand\ncalendar_resources = inline:{\n    { room@example.org = room@example.org }\n    }\ntransport_maps = $calendar_resource_maps hash:/x\n# END calendar resources\n"
	if err := os.WriteFile(filepath.Join(dir, "main.cf"), []byte(hand), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := plan(Options{Domains: []string{"example.org"}})
	apply(t, p, err)
	wants(t, "main.cf", text(t, dir, "main.cf"), "transport_maps = $imip_transport_maps $calendar_resource_maps hash:/x\n# END calendar resources")
	if _, err = plan(Options{Domains: []string{"example.org"}, Resources: []string{"car@example.org"}, Resource: "/usr/bin/imip_resource"}); err == nil || !strings.Contains(err.Error(), "by hand") {
		t.Errorf("beside those by hand: %v", err)
	}
}
