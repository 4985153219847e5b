package mta

import (
	"strings"
	"testing"
)

// newOpenSMTPD starts an OpenSMTPD of Debian's as an ordinary site would have it, with our filter for what its users send through
// a port with these options.
func newOpenSMTPD(t *testing.T, layer, script, options string) *server {
	t.Helper()
	return newOpenSMTPDWith(t, layer, script, options, "", "")
}

// newOpenSMTPDWith is newOpenSMTPD with a directory that the machine shares, and lines for mail that arrives.
func newOpenSMTPDWith(t *testing.T, layer, script, options, share, lines string) *server {
	t.Helper()
	s := &server{
		machine: newMachine(t, layer, "", share),
		sink:    newSink(t),

		submission: freeAddress(t),
		public:     freeAddress(t),

		logs:   []string{"/var/log/smtpd.log"},
		done:   "nothing is piped for %s",
		failed: "nothing is piped for %s",
		queued: `smtpctl show queue | wc -l`,
		state:  `smtpctl show queue`,
	}
	s.installPackage(t)
	s.certificate(t, "/etc/ssl/mail.crt", "/etc/ssl/private/mail.key")
	s.copyIn(t, "../../conf/opensmtpd/filter.conf", "/etc/smtpd-imip-agent.conf")
	s.run(t, logins+script+`
		for name in paul simon; do echo "$name@example.com imip-agent"; done > /root/calendar-users
		secret=$(smtpctl encrypt secret)
		for name in paul@example.com simon-login; do echo "$name $secret"; done > /etc/smtpd-passwords
		cat > /etc/smtpd.conf <<-END
			pki mail.example.com cert "/etc/ssl/mail.crt"
			pki mail.example.com key "/etc/ssl/private/mail.key"
			table passwords file:/etc/smtpd-passwords
			include "/etc/smtpd-imip-agent.conf"
			listen on 127.0.0.1 port $3 `+options+` filter imip-agent
			listen on 127.0.0.1 port $4
			`+strings.ReplaceAll(lines, "\n", "\n\t\t\t")+`
			action next relay host "smtp+notls://$1:$2"
			match from any for any action next
		END
		smtpd -n
		setsid smtpd -d </dev/null >/var/log/smtpd.log 2>&1 &`, s.sink.host, s.sink.port, port(s.submission), port(s.public))
	s.listening(t, s.submission)
	s.listening(t, s.public)
	return s
}

// Through this machine's OpenSMTPD, from a host whose mail counts.
func TestOpenSMTPDTrusted(t *testing.T) {
	need(t, "opensmtpd")
	t.Parallel()
	s := newOpenSMTPD(t, "opensmtpd", `echo 'MILTER_HOSTS = "127.0.0.1"' >> /etc/imip-agent/config.txt`+serves("www-data"), "")
	const user, guest = "paul@example.com", "vincent@example.org"
	for host, uid := range map[string]string{"": "own", outside: "forged"} {
		to := uid + "-" + guest
		message := invitation(user, user, uid, 9, to)
		if err := send(s.submission, host, user, []string{to}, message); err != nil {
			t.Fatalf("%v\n%s", err, s.describe(t))
		}
		unchanged(t, s.arrived(t, to).data, message)
	}
	s.handled(t, user, "own")
	s.idle(t)
	if s.stored(t, user, "forged") {
		t.Error("mail from another host is in the calendar")
	}
}

// Through a real OpenSMTPD, by the filter, as users who log in. While the service is away, the filter goes on putting messages into the spool.
func TestOpenSMTPD(t *testing.T) {
	need(t, "opensmtpd-trixie")
	t.Parallel()
	start := serves("www-data")
	s := newOpenSMTPD(t, "opensmtpd-trixie", start, "tls pki mail.example.com auth-optional <passwords>")
	var filter string
	eventually(t, "the filter", func() bool {
		var err error
		filter, err = s.try(`pgrep -f '^/usr/bin/imip-agent filter opensmtpd'`)
		return err == nil
	}, func() string { return s.describe(t) })
	service := &service{
		server: s, start: start, keeps: true,
		submit: func(login, from, to string, message []byte) error {
			return sendEncrypted(s.submission, login, from, []string{to}, message)
		},
	}
	service.test(t)

	// Nobody has logged in at the port that has the filter. The filter is asked to end.
	const guest = "nobody-vincent@example.org"
	s.run(t, `kill -TERM $1; kill -HUP $1; kill -INT $1`, filter)
	message := invitation("whose@example.com", "whose@example.com", "nobody", 9, guest)
	if err := service.submit("", "whose@example.com", guest, message); err != nil {
		t.Fatal(err)
	}
	unchanged(t, s.arrived(t, guest).data, message)
	s.untouched(t, "whose@example.com")

	// The spool is away: mail goes out, and the log says what the calendar does not know.
	s.run(t, `mv /var/lib/imip-agent/spool /var/lib/imip-agent/old; echo > /var/lib/imip-agent/spool`)
	const lost = "lost-vincent@example.org"
	message = invitation("paul@example.com", "paul@example.com", "lost", 9, lost)
	if err := service.submit("paul@example.com", "paul@example.com", lost, message); err != nil {
		t.Fatal(err)
	}
	unchanged(t, s.arrived(t, lost).data, message)
	if now := s.run(t, `pgrep -f '^/usr/bin/imip-agent filter opensmtpd'`); now != filter {
		t.Errorf("the filter is %q, and was %q", now, filter)
	}
}
