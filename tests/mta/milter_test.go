package mta

import (
	"fmt"
	"strings"
	"testing"
)

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

// postfixMilter has Postfix hand in mail to our service, in place of copies. Debian's smtpd runs in a chroot, and finds the
// socket there. Dovecot lets users log
// in with the password `secret`.
const postfixMilter = `
	imip-agent setup postfix --remove >/dev/null
	` + dovecotLogins + `
	install -d -o imip-agent -g postfix -m 2750 /var/spool/postfix/imip-agent
	ln -s /var/spool/postfix/imip-agent /run/imip-agent
	printf 'LOGINS = "/etc/imip-agent/logins"\nSYSLOG = None\n' >> /etc/imip-agent/config.txt
	echo "simon-login simon@example.com" > /etc/imip-agent/logins
	` + startService + `
	postconf -e smtpd_milters=unix:imip-agent/milter milter_default_action=accept`

const startService = `
	setsid setpriv --reuid=imip-agent --regid=www-data --groups=www-data,postfix imip-agent serve -v </dev/null >>/var/log/imip-agent.log 2>&1 &
	echo $! > /run/serve.pid
	for i in $(seq 600); do [ ! -S /run/imip-agent/milter ] || break; sleep 0.1; done
	[ -S /run/imip-agent/milter ] || { cat /var/log/imip-agent.log >&2; exit 1; }
`

// Through a real Postfix, by the milter: what users who have logged in send is in their calendars, whatever From says nothing else,
// and all mail goes out as it came. While the service is away, mail goes out; when it is back, all goes on.
func TestPostfixMilter(t *testing.T) {
	need(t, "postfix")
	t.Parallel()
	s := newPostfixWith(t, postfixMilter, "", "", "")
	s.logs = append(s.logs, "/var/log/imip-agent.log", "/var/log/dovecot-test.log")
	const user, other, victim, guest = "paul@example.com", "simon@example.com", "whose@example.com", "vincent@example.org"
	sends := func(login, from, uid string, hour int) {
		t.Helper()
		to := uid + "-" + guest
		message := invitation(from, from, uid, hour, to)
		if err := sendAs(s.submission, "", login, from, []string{to}, message); err != nil {
			t.Fatalf("%v\n%s", err, s.describe(t))
		}
		unchanged(t, s.arrived(t, to).data, message)
	}
	sends(user, user, "own", 9)
	s.handled(t, user, "own")
	sends("simon-login", other, "mapped", 9)
	s.handled(t, other, "mapped")

	// In another's name: it goes out, and nobody's calendar changes.
	sends(user, victim, "forged", 10)
	// Nobody has logged in: that is no user's mail.
	for _, server := range []string{s.submission, s.public} {
		to := fmt.Sprintf("stranger-%s-%s", server[strings.LastIndexByte(server, ':')+1:], guest)
		message := invitation(victim, victim, "stranger", 11, to)
		if err := send(server, "", victim, []string{to}, message); err != nil {
			t.Fatal(err)
		}
		unchanged(t, s.arrived(t, to).data, message)
	}
	// Mail without a calendar, and a large one with it.
	plain := letter(user, "plain", "plain-"+guest)
	if err := sendAs(s.submission, "", user, user, []string{"plain-" + guest}, plain); err != nil {
		t.Fatal(err)
	}
	unchanged(t, s.arrived(t, "plain-"+guest).data, plain)
	whole := invitation(user, user, "large", 12, "large-"+guest)
	large := multipart(user, "large", []string{"large-" + guest}, part("text/plain", "7bit", "Hello\r\n"), attachment(3_000_000),
		calendarPart(whole))
	if err := sendAs(s.submission, "", user, user, []string{"large-" + guest}, large); err != nil {
		t.Fatal(err)
	}
	unchanged(t, s.arrived(t, "large-"+guest).data, large)
	s.handled(t, user, "large")

	// The service ends, by itself or not: mail goes out all the same.
	for i, signal := range []string{"TERM", "KILL"} {
		s.run(t, `kill -$1 $(cat /run/serve.pid); while kill -0 $(cat /run/serve.pid) 2>/dev/null; do sleep 0.1; done`, signal)
		sends(user, user, "away-"+strings.ToLower(signal), 13+i)
		s.run(t, `rm -f /run/imip-agent/milter`+startService)
		sends(user, user, "back-"+strings.ToLower(signal), 15+i)
		s.handled(t, user, "back-"+strings.ToLower(signal))
	}
	s.idle(t)
	s.untouched(t, victim)
	for _, uid := range []string{"forged", "stranger", "away-term", "away-kill"} {
		if s.stored(t, user, uid) {
			t.Errorf("%s is in the calendar", uid)
		}
	}
	if out := s.run(t, "cat /var/lib/imip-agent/rejected/*.txt"); strings.Count(out, "Reason:") != 1 {
		t.Errorf("rejected: %s", out)
	}
	if out := s.run(t, "imip-agent queue; ls /var/lib/imip-agent/spool"); strings.Contains(out, ".eml") {
		t.Errorf("left in the queue: %s", out)
	}
}
