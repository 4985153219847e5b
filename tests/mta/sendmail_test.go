package mta

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// newSendmail starts Debian's Sendmail as testdata/sendmail.mc has it, with our service as a milter. Users log in with the
// password `secret`. Share is a directory that it sees as it is here, empty for none.
func newSendmail(t *testing.T, script, share string) *server {
	t.Helper()
	s := &server{
		machine: newMachine(t, "sendmail", "", share),
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
	s.copyIn(t, "../../conf/sendmail/imip-agent-lmtp.m4", "/root/imip-agent-lmtp.m4")
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
	s := newSendmail(t, start, "")
	service := &service{
		server: s, start: start, loose: true,
		submit: func(login, from, to string, message []byte) error {
			return sendAs(s.submission, "", login, from, []string{to}, message)
		},
	}
	service.test(t)
}

// Mail that arrives at a real Sendmail goes to the service by LMTP, and on to Dovecot; a room answers.
func TestSendmailLMTP(t *testing.T) {
	need(t, "sendmail")
	t.Parallel()
	d := newDovecot(t)
	start := strings.ReplaceAll(serves("smmsp"), "/run/imip-agent/milter ]", "/run/imip-agent/lmtp ]")
	s := newSendmail(t, `
		printf 'LMTP_SOCKET = "/run/imip-agent/lmtp"\nMAILBOX_SERVER = "`+d.socket+`"\nRESOURCES = "rooms@example.com"\n' >> /etc/imip-agent/config.txt
		sed -i "/^dnl/d" /root/imip-agent-lmtp.m4
		printf '%s\n' "FEATURE(\`+"`"+`mailertable', \`+"`"+`hash /root/mailertable')dnl" > /root/feature
		sed -i '/^OSTYPE/r /root/feature' /root/site.mc
		cat /root/imip-agent-lmtp.m4 >> /root/site.mc
		echo 'example.com imip-agent:localhost' > /root/mailertable.txt
		makemap hash /root/mailertable < /root/mailertable.txt
		m4 /root/site.mc > /root/site.cf
		`+start, d.dir)
	s.logs = append(s.logs, "/var/log/imip-agent.log")
	s.run(t, `sed -i 's/^SMTP_HOST.*/SMTP_HOST = "`+s.public+`"/' /etc/imip-agent/config.txt; kill $(cat /run/serve.pid); while kill -0 $(cat /run/serve.pid) 2>/dev/null; do sleep 0.1; done`+start)
	const stranger, user, other, room = "vincent@example.org", "paul@example.com", "simon@example.com", "rooms@example.com"

	testFromOutside(t, s, d, stranger, user, other)
	// A report without a sender.
	report := letter("mailer-daemon@example.org", "report", "user01@example.com")
	if err := send(s.public, outside, "", []string{"user01@example.com"}, report); err != nil {
		t.Fatal(err)
	}
	if trace := boxed(t, d.gets(t, s, "user01@example.com", 1), report); !strings.Contains(strings.ToLower(trace), "return-path: <>\n") {
		t.Errorf("the mailbox does not know that there is no sender: %q", trace)
	}

	// A user invites a room and another user: the room answers to the user's mailbox.
	meeting := invitation(user, user, "meeting", 11, other, room)
	if err := sendAs(s.submission, "", user, user, []string{other, room}, meeting); err != nil {
		t.Fatal(err)
	}
	summarized(t, d.gets(t, s, other, 2), spaced(meeting))
	if answers := d.gets(t, s, user, 3); !strings.Contains(strings.Join(answers, ""), "METHOD:REPLY") {
		t.Errorf("the room has not answered: %.2000q", answers)
	}
	eventually(t, "the user's event", func() bool { return strings.Contains(s.run(t, "ls "+store+"/mailto:"+user+"/objects"), "meeting") },
		func() string { return s.describe(t) })

	// While the mailbox server is away, mail waits; with the next try it is there, once.
	d.stop()
	late := invitation(stranger, stranger, "late", 13, "user03@example.com")
	outsider(t, s, late, "user03@example.com")
	eventually(t, "a failed try", func() bool { return strings.Contains(s.read(t, "/root/traffic"), "451 4.3.0 <user03@example.com>") }, func() string { return s.describe(t) })
	d.start(t)
	summarized(t, d.gets(t, s, "user03@example.com", 1), late)

	// The service ends, by itself or not: mail waits, and is there once.
	for i, signal := range []string{"TERM", "KILL"} {
		guest := fmt.Sprintf("user%02d@example.com", 4+i)
		s.run(t, `kill -$1 $(cat /run/serve.pid); while kill -0 $(cat /run/serve.pid) 2>/dev/null; do sleep 0.1; done`, signal)
		away := invitation(stranger, stranger, "away-"+signal, 14+i, guest)
		outsider(t, s, away, guest)
		s.run(t, `rm -f /run/imip-agent/*`+start)
		summarized(t, d.gets(t, s, guest, 1), away)
	}

	// Who is nobody, and a mailbox that is full: the sender is told so. The other has the mail.
	const roomy = "user07@example.com"
	d.fill(t, "user06", true)
	for i, refused := range []string{"user06@example.com", unknownUser + "@example.com"} {
		sender := fmt.Sprintf("wanda%d@example.org", i)
		message := invitation(sender, sender, fmt.Sprintf("refused%d", i), 16+i, refused, roomy)
		if err := send(s.public, outside, sender, []string{refused, roomy}, message); err != nil {
			t.Fatal(err)
		}
		summarized(t, d.gets(t, s, roomy, 1+i), spaced(message))
		if report := string(s.arrived(t, sender).data); !strings.Contains(report, "Final-Recipient: RFC822; "+refused) || strings.Contains(report, "Final-Recipient: RFC822; "+roomy) {
			t.Errorf("the report is %.3000s", report)
		}
	}
	s.idle(t)
	if out := s.run(t, "imip-agent check"); out != "" {
		t.Errorf("check says %s", out)
	}
}

// spaced returns a message to two as Sendmail writes it, which has a space between addresses.
func spaced(message []byte) []byte {
	head, rest, _ := bytes.Cut(message, []byte("\r\nSubject:"))
	return slices.Concat(bytes.ReplaceAll(head, []byte(",\r\n "), []byte(", ")), []byte("\r\nSubject:"), rest)
}
