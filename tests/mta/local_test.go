package mta

import (
	"fmt"

	"strings"
	"testing"
)

// TestIncomingLocal has users with accounts on the machine, and mailboxes in Dovecot, as its manual says: their mail is
// delivered by local(8), which knows aliases and .forward files. Nobody says where Dovecot is.
func TestIncomingLocal(t *testing.T) {
	need(t, "postfix")
	t.Parallel()
	d := newDovecot(t)
	s := newPostfixWith(t, `
		for name in paul simon later; do useradd --create-home $name; done
		echo vincent@example.org > /home/simon/.forward
		chown simon: /home/simon/.forward
		echo 'office: later' >> /etc/aliases
		newaliases
		postconf -e 'mydestination=localhost, example.com' virtual_mailbox_domains= virtual_mailbox_maps= myorigin=example.com \
			mailbox_transport=lmtp:unix:`+d.socket+` recipient_delimiter=+
		postconf -F lmtp/unix/chroot=n
		imip-agent setup postfix --remove
		cp -a /etc/postfix /root/before
		imip-agent setup postfix --domain example.com --everyone --incoming --service "127.0.0.1:$1/inet"
		warnings=$(postconf -n 2>&1 >/dev/null; postconf -M 2>&1 >/dev/null)
		[ -z "$warnings" ] || { echo "$warnings" >&2; exit 1; }`, "", "", d.dir)
	const stranger = "vincent@example.org"
	if lines := s.read(t, "/etc/postfix/master.cf"); !strings.Contains(lines, "imip_person -o ${recipient} -l "+d.socket+"\n") {
		t.Errorf("the mailbox server has not been found:\n%s", lines)
	}
	t.Run("a user", func(t *testing.T) {
		const user = "paul@example.com"
		message := invitation(stranger, stranger, "local", 9, user)
		outsider(t, s, message, "Paul@Example.com")
		summarized(t, d.gets(t, s, user, 1), message)
		s.requested(t, user, "local", true)
	})
	t.Run("an alias", func(t *testing.T) {
		const user = "later@example.com"
		message := invitation(stranger, stranger, "alias", 9, user)
		outsider(t, s, message, "office@example.com")
		summarized(t, d.gets(t, s, user, 1), message)
		s.requested(t, user, "alias", true)
	})
	t.Run("forwarded", func(t *testing.T) {
		const user = "simon@example.com"
		message := invitation(stranger, stranger, "forwarded", 9, user)
		outsider(t, s, message, user)
		s.arrived(t, "vincent@example.org")
		s.idle(t)
		if mails := d.mails(t, "simon"); len(mails) > 0 || s.letters(t, user) > 0 {
			t.Errorf("mail that a user forwards is in the mailbox, or was handled: %q", mails)
		}
	})
	t.Run("an extension", func(t *testing.T) {
		message := letter(stranger, "extension", "later+lists@example.com")
		outsider(t, s, message, "later+lists@example.com")
		boxed(t, d.gets(t, s, "later@example.com", 2), message) // Dovecot knows extensions too
	})
	t.Run("an unknown address", func(t *testing.T) {
		if err := send(s.public, outside, stranger, []string{"nobody.here@example.com"}, letter(stranger, "unknown", "nobody.here@example.com")); err == nil {
			t.Error("it is accepted")
		}
	})
	t.Run("taken out", func(t *testing.T) {
		s.run(t, `imip-agent setup postfix --remove --incoming`)
		const user = "paul@example.com"
		message := letter(stranger, "out", user)
		outsider(t, s, message, user)
		boxed(t, d.gets(t, s, user, 2), message)
		s.run(t, `imip-agent setup postfix --remove; diff -r /root/before /etc/postfix`)
	})
}

// TestLocalSMTP has mailboxes that take no mail by LMTP: the handler gives it back to the mail
// system by SMTP (-L), with another address, as conf/README.md says.
func TestLocalSMTP(t *testing.T) {
	need(t, "postfix")
	t.Parallel()
	steps := documented(t, "### Mailboxes without LMTP")
	s := newPostfixWith(t, `
		imip-agent setup postfix --domain example.com --incoming --mailbox smtp --service "127.0.0.1:$1/inet"
		`+strings.NewReplacer("postfix reload\n", "", "FILTER virtual:", `FILTER '"$(postconf -h virtual_transport)"'`).Replace(steps)+`
		warnings=$(postconf -n 2>&1 >/dev/null; postconf -M 2>&1 >/dev/null)
		[ -z "$warnings" ] || { echo "$warnings" >&2; exit 1; }`, "", "", "")
	testLocalSMTP(t, s)
}

// TestLocalSMTPExim is the same with Exim.
func TestLocalSMTPExim(t *testing.T) {
	need(t, "exim")
	router := documented(t, "Exim needs a router above all others")
	for style, mailboxes := range map[string]string{"split": "hubbed_hosts", "own": "mailboxes"} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			router := strings.Replace(router, "= local_user", "= "+mailboxes, 1)
			if !strings.Contains(router, mailboxes) {
				t.Fatalf("conf/README.md gives the router %s", router)
			}
			s := newEximWith(t, "exim", `
				# Exim would route mail to several recipients at once, by one that is no user.
				sed -i '/^  same_domain_copy_routing/d' /etc/exim4/conf.d/router/150_*
				cat > /etc/exim4/conf.d/router/040_local <<'END'
`+router+`END
				[ ! -e /etc/exim4/exim4.conf ] || sed -i '/^begin routers/r /etc/exim4/conf.d/router/040_local' /etc/exim4/exim4.conf
				imip-agent setup exim --domain example.com --incoming --mailbox smtp`, style, "", "", "")
			testLocalSMTP(t, s)
		})
	}
}

// testLocalSMTP has mail arrive at a mail system that delivers it itself.
func testLocalSMTP(t *testing.T, s *server) {
	s.run(t, fmt.Sprintf(`echo 'SMTP_HOST = "%s"' >> /etc/imip-agent/config.txt`, s.public))
	const stranger = "vincent@example.org"
	for _, test := range []struct {
		user, uid string
	}{{"paul@example.com", "by-smtp"}, {"simon@example.com", "by-smtp-too"}} {
		message := invitation(stranger, stranger, test.uid, 9, test.user)
		outsider(t, s, message, test.user)
		got := s.arrived(t, test.user)
		s.idle(t)
		summarized(t, []string{strings.ReplaceAll(string(got.data), "\r\n", "\n")}, message)
		if n := len(s.sink.to(test.user)); n != 1 || got.from != stranger {
			t.Errorf("%d mails for %s, from %s", n, test.user, got.from)
		}
		s.requested(t, test.user, test.uid, true)
	}
	if out := s.run(t, "ls "+store); strings.Contains(out, "local") {
		t.Errorf("there are records of other addresses: %s", out)
	}
	// Mail that is not handled gets there, too.
	const user = "later@example.com"
	message := letter(stranger, "plain", user)
	outsider(t, s, message, user)
	boxed(t, []string{strings.ReplaceAll(string(s.arrived(t, user).data), "\r\n", "\n")}, message)
	s.idle(t)
	if n := len(s.sink.to(user)); n != 1 || s.letters(t, user) != 1 {
		t.Errorf("%d mails for %s, %d were handled", n, user, s.letters(t, user))
	}
}
