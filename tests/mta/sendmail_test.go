package mta

import (
	"os"
	"strings"
	"testing"
)

// newSendmail starts Debian's Sendmail as testdata/sendmail.mc has it, with our service as a milter. Users log in with the
// password `secret`.
func newSendmail(t *testing.T, script string) *server {
	t.Helper()
	s := &server{
		machine: newMachine(t, "sendmail", "", ""),
		sink:    newSink(t),

		submission: freeAddress(t),
		public:     freeAddress(t),

		logs:   []string{"/var/log/sendmail.log", "/root/traffic"},
		done:   "nothing is piped for %s",
		failed: "nothing is piped for %s",
		queued: `ls /var/spool/mqueue | grep -c '^qf' || true`,
		state:  `mailq -C/root/site.cf`,
	}
	s.installPackage(t)
	s.copyIn(t, "../../conf/sendmail/imip-agent.m4", "/root/imip-agent.m4")
	site, err := os.ReadFile("testdata/sendmail.mc")
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "/root/site.mc", strings.NewReplacer("SINKHOST", s.sink.host, "SINKPORT", s.sink.port,
		"SUBMISSION", port(s.submission), "PUBLIC", port(s.public)).Replace(string(site)), 0o644)
	s.run(t, logins+`
		echo "simon-login@mail.example.com simon@example.com" >> /etc/imip-agent/logins
		echo secret | saslpasswd2 -p -c -u example.com paul
		echo secret | saslpasswd2 -p -c -u mail.example.com simon-login
		printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN\nsasldb_path: /etc/sasldb2\n' > /etc/mail/sasl/Sendmail.conf
		rm -f /usr/lib/sasl2/Sendmail.conf
		cp /etc/mail/sasl/Sendmail.conf /usr/lib/sasl2/
		# Nobody asks name servers.
		rm -f /etc/resolv.conf
		echo nameserver 127.0.0.254 > /etc/resolv.conf
		printf "127.0.0.1 localhost\n127.0.0.1 mail.example.com mail $(hostname)\n" > /etc/hosts
		printf 'hosts files\naliases files\n' > /root/service.switch
		install -d -o root -g root -m 700 /var/spool/mqueue
		m4 /root/site.mc > /root/site.cf
		`+script+`
		setsid sendmail -C/root/site.cf -bD -q1s -X/root/traffic </dev/null >/var/log/sendmail.log 2>&1 &`)
	s.listening(t, s.submission)
	s.listening(t, s.public)
	return s
}

// Through a real Sendmail, by the milter.
func TestSendmail(t *testing.T) {
	need(t, "sendmail")
	t.Parallel()
	start := serves("smmsp")
	s := newSendmail(t, start)
	service := &service{
		server: s, start: start, loose: true,
		submit: func(login, from, to string, message []byte) error {
			return sendAs(s.submission, "", login, from, []string{to}, message)
		},
	}
	service.test(t)
}
