package mta

import (
	"strings"
	"testing"
)

// newEximService starts an Exim that hands mail to our service by LMTP, as `imip-agent setup exim` makes it, with more words of that
// command.
func newEximService(t *testing.T, style, words, share string) *server {
	t.Helper()
	start := serves("Debian-exim")
	s := newEximWith(t, "exim", `
		imip-agent setup exim --remove
		cp -a /etc/exim4 /root/before
		sed -i 's/^SYSLOG.*/SYSLOG = None/' /etc/imip-agent/config.txt
		cp /etc/imip-agent/config.txt /root/before.txt
		# Exim would route mail to several recipients at once, by one that is no user.
		sed -i '/^  same_domain_copy_routing/d' /etc/exim4/conf.d/router/150_* /etc/exim4/exim4.conf.template /root/before/conf.d/router/150_* /root/before/exim4.conf.template
		imip-agent setup exim --domain example.com --users /root/users `+words+`
		cp -a /etc/exim4 /root/service
		imip-agent setup exim --domain example.com | grep 'set up already'
		diff -r /root/service /etc/exim4
		for file in /etc/exim4/exim4.conf /etc/exim4/exim4.conf.template /etc/exim4/conf.d/retry/*; do
			[ ! -e $file ] || sed -i -e '/^[*]/s/F,2h,15m/F,2h,1s/' -e 's/F,2h,5m/F,2h,1s/' $file
		done
		[ -e /etc/exim4/exim4.conf ] || update-exim4.conf
		`+start, style, "", "", share)
	s.logs = append(s.logs, "/var/log/imip-agent.log")
	s.failed = `== .*%s.* T=imip_person_outgoing defer \(`
	s.away = `kill $(cat /run/serve.pid); while kill -0 $(cat /run/serve.pid) 2>/dev/null; do sleep 0.1; done; rm -f /run/imip-agent/*
		`
	s.back = start
	return s
}

// What users send through a real Exim goes to the service as it goes to the handler: the same cases hold.
func TestEximService(t *testing.T) {
	need(t, "exim")
	for _, style := range []string{"split", "own"} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			s := newEximService(t, style, "", "")
			t.Run("delivery", func(t *testing.T) { testDelivery(t, s) })
			if style != "split" {
				return
			}
			byService := []fault{
				{"stopped", s.away, s.back},
				{"stalled", `kill -STOP $(cat /run/serve.pid)`, `kill -CONT $(cat /run/serve.pid)`},
			}
			for _, f := range faults {
				if f.name == "locked" || f.name == "diskless" || f.name == "unwritable" {
					byService = append(byService, f)
				}
			}
			t.Run("failures", func(t *testing.T) {
				s.run(t, "mkdir -p /usr/lib/imip-agent-test")
				testFaults(t, s, byService)
			})
			t.Run("expiry", func(t *testing.T) { testExpiry(t, s) })
		})
	}
}

// What arrives goes to the service, too, in front of Dovecot, and rooms answer. Doctor finds what is wrong with that, and all of it
// can be taken out again.
func TestEximServiceIncoming(t *testing.T) {
	need(t, "exim")
	t.Parallel()
	d := newDovecot(t)
	s := newEximService(t, "split", "--incoming --resources rooms@example.com --mailbox "+d.socket, d.dir)
	s.run(t, s.away+`
		echo Europe/Oslo > /etc/timezone
		sed -i 's/^SMTP_HOST.*/SMTP_HOST = "'$1'"/' /etc/imip-agent/config.txt /root/before.txt`+s.back, s.public)
	testIncoming(t, s, d)
	const user, guest, room = "user05@example.com", "guest@example.org", "rooms@example.com"
	meeting := invitation(user, user, "meeting", 11, guest, room)
	s.submit(t, user, meeting, guest, room)
	unchanged(t, s.arrived(t, guest).data, meeting)
	if answers := d.gets(t, s, user, 1); !strings.Contains(strings.Join(answers, ""), "METHOD:REPLY") {
		t.Errorf("the room has not answered: %.2000q", answers)
	}

	const socket = "/run/imip-agent/lmtp"
	out, err := s.try("imip-agent doctor")
	for _, want := range []string{"transport imip_person_outgoing of Exim hands copies of what users send to the service, at " + socket,
		"mail that arrives for users goes to the service, at " + socket + ", which answers", "the mailbox server at " + d.socket + " takes mail for", "mail for 1 resources goes to the service"} {
		if err != nil || !strings.Contains(out, want) || strings.Count(out, "-> ") != 1 { // MESSAGE_SENDER is the example's
			t.Errorf("of a healthy machine, for %q: %v\n%s", want, err, out)
		}
	}
	if out, err = s.try("imip-agent doctor --send " + user); err != nil || strings.Count(out, "ok ") != 2 {
		t.Errorf("a message and an invitation: %v %s", err, out)
	}
	transport := func(from, to, file, want string) [3]string {
		return [3]string{`cp /etc/exim4/conf.d/` + file + ` /root/saved; sed -i 's,` + from + `,` + to + `,' /etc/exim4/conf.d/` + file + `; update-exim4.conf`,
			`cp /root/saved /etc/exim4/conf.d/` + file + `; update-exim4.conf`, want}
	}
	s.findsEach(t, [][3]string{
		transport("rcpt_include_affixes", "# none", "transport/20_imip-agent", "takes OUTGOING_PREFIX away"),
		transport("timeout = 10m", "return_path_add", "transport/20_imip-agent_incoming", "adds a line to each message"),
		transport("condition = .*", "condition = no", "router/150_0imip-agent_incoming", "mail that arrives goes past the service"),
		{`chgrp www-data ` + socket, `chgrp Debian-exim ` + socket, socket + " cannot be opened by Debian-exim:Debian-exim"},
		{`kill -STOP $(cat /run/serve.pid)`, `kill -CONT $(cat /run/serve.pid)`, "the service does not answer at " + socket},
		{`chmod 600 ` + d.socket, `chmod 666 ` + d.socket, "cannot be opened by imip-agent:www-data"},
	})
	if out, err := s.try(`dpkg --no-triggers -r imip-agent-go`); err == nil || !strings.Contains(err.Error(), "imip-agent setup exim --remove") {
		t.Errorf("removed while mail is handed over: %v %s", err, out)
	}
	s.run(t, s.away+`
		imip-agent setup exim --remove --incoming
		! grep -q '^MAILBOX_SERVER = "' /etc/imip-agent/config.txt; grep -q '^RESOURCES = "' /etc/imip-agent/config.txt
		imip-agent setup exim --remove; diff -r /root/before /etc/exim4; diff /root/before.txt /etc/imip-agent/config.txt
		dpkg --no-triggers -r imip-agent-go`)
}
