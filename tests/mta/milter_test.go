package mta

import "testing"

// dovecotLogins has Dovecot let users of Postfix log in, with the password `secret`.
const dovecotLogins = `
	# The layer can be older than this machine's Dovecot.
	for name in dovecot dovenull; do id $name >/dev/null 2>&1 || useradd --system $name; done
	mkdir -p /etc/dovecot
	cat > /etc/dovecot/test.conf <<-'END'
		base_dir = /run/dovecot-test
		log_path = /var/log/dovecot-test.log
		protocols = lmtp
		ssl = no
		passdb {
		  driver = static
		  args = password=secret
		}
		userdb {
		  driver = static
		  args = uid=nobody gid=nogroup home=/nonexistent allow_all_users=yes
		}
		service auth {
		  unix_listener /var/spool/postfix/private/auth {
		    mode = 0666
		  }
		}
	END
	dovecot -c /etc/dovecot/test.conf </dev/null >/tmp/dovecot.out 2>&1 || { cat /tmp/dovecot.out >&2; exit 1; }
	postconf -e smtpd_sasl_auth_enable=yes smtpd_sasl_type=dovecot smtpd_sasl_path=private/auth smtpd_tls_auth_only=no
`

// startService starts our service where Postfix finds it.
var startService = serves("postfix")

// postfixMilter has Postfix hand in mail to our service, in place of copies. Debian's smtpd runs in a chroot, and finds the
// socket there. Dovecot lets users log in with the password `secret`.
var postfixMilter = `
	imip-agent setup postfix --remove >/dev/null
	` + dovecotLogins + `
	install -d -o imip-agent -g postfix -m 2750 /var/spool/postfix/imip-agent
	ln -s /var/spool/postfix/imip-agent /run/imip-agent
	` + logins + startService + `
	postconf -e smtpd_milters=unix:imip-agent/milter milter_default_action=accept`

// Through a real Postfix, by the milter.
func TestPostfixMilter(t *testing.T) {
	need(t, "postfix")
	t.Parallel()
	s := newPostfixWith(t, postfixMilter, "", "", "")
	s.logs = append(s.logs, "/var/log/dovecot-test.log")
	// Nobody has logged in: that is no user's mail, though the port is the users' and the client is on this machine.
	const victim, guest = "whose@example.com", "stranger-vincent@example.org"
	message := invitation(victim, victim, "stranger", 11, guest)
	if err := send(s.submission, "", victim, []string{guest}, message); err != nil {
		t.Fatal(err)
	}
	unchanged(t, s.arrived(t, guest).data, message)
	service := &service{
		server: s, start: startService,
		submit: func(login, from, to string, message []byte) error {
			return sendAs(s.submission, "", login, from, []string{to}, message)
		},
	}
	service.test(t)
}
