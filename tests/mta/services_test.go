package mta

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// serves returns a script that starts our service, in more groups than its own, and sets what runs it.
func serves(groups string) string {
	return `
	[ -d /run/imip-agent ] || install -d -o imip-agent -g ` + groups + ` -m 2755 /run/imip-agent
	setsid setpriv --reuid=imip-agent --regid=www-data --groups=www-data,` + groups + ` imip-agent serve -v </dev/null >>/var/log/imip-agent.log 2>&1 &
	echo $! > /run/serve.pid
	for i in $(seq 600); do [ ! -S /run/imip-agent/milter ] || break; sleep 0.1; done
	[ -S /run/imip-agent/milter ] || { cat /var/log/imip-agent.log >&2; exit 1; }
	`
}

// logins are a map to addresses, and no syslog.
const logins = `
	printf 'LOGINS = "/etc/imip-agent/logins"\nSYSLOG = None\n' >> /etc/imip-agent/config.txt
	echo "simon-login simon@example.com" > /etc/imip-agent/logins
	`

// certificate writes a certificate for 127.0.0.1 and its key, which never ends, into a machine.
func (m *machine) certificate(t *testing.T, cert, key string) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048) // with others Debian's OpenSMTPD cannot sign
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"mail.example.com"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o644)
	m.write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})), 0o600)
}

// sendEncrypted is sendAs by TLS, without which some mail systems take no password. Without a login, nobody logs in.
func sendEncrypted(server, login, from string, to []string, message []byte) error {
	c, err := connect(server, "")
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil {
		return err
	}
	if login != "" {
		if err := logIn(c, login); err != nil {
			return err
		}
	}
	if err := transact(c, from, to, message); err != nil {
		return err
	}
	return c.Quit()
}

// service is a mail system whose users' mail our service takes.
type service struct {
	*server
	submit func(login, from, to string, message []byte) error // as somebody who logs in; empty: nobody does
	start  string                                             // what starts our service again
	keeps  bool                                               // mail that comes while the service is away is handled later
	loose  bool                                               // the mail system puts the fields of the header into an order of its own
}

// test has users send all kinds of mail. What those who have logged in send is in their calendars, and nothing
// else, whatever From says. All mail goes out as it came. While our service is away, mail goes out; when it is back,
// all goes on.
func (s *service) test(t *testing.T) {
	s.logs = append(s.logs, "/var/log/imip-agent.log")
	const user, other, victim, guest = "paul@example.com", "simon@example.com", "whose@example.com", "vincent@example.org"
	gone := func(login, from, name string, message []byte) {
		t.Helper()
		to := name + "-" + guest
		if err := s.submit(login, from, to, message); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, s.describe(t))
		}
		s.unchanged(t, s.arrived(t, to).data, message)
	}
	sends := func(login, from, uid string, hour int) {
		t.Helper()
		gone(login, from, uid, invitation(from, from, uid, hour, uid+"-"+guest))
	}
	sends(user, user, "own", 9)
	s.handled(t, user, "own")
	sends("simon-login", other, "mapped", 9)
	s.handled(t, other, "mapped")

	// From names somebody else, and then nobody has logged in: that is no mail of the one who is named.
	if err := s.submit(user, user, "forged-"+guest, invitation(victim, victim, "forged", 10, "forged-"+guest)); err != nil {
		t.Fatal(err)
	}
	s.arrived(t, "forged-"+guest)
	s.rejects(t, 1)
	stranger := invitation(victim, victim, "stranger", 11, other)
	if err := send(s.public, outside, "mallory@example.net", []string{other}, stranger); err != nil {
		t.Fatal(err)
	}
	s.unchanged(t, s.arrived(t, other).data, stranger)

	// Mail without a calendar, with dots, and a large one with a calendar.
	gone(user, user, "plain", multipart(user, "plain", []string{"plain-" + guest}, part("text/plain; charset=us-ascii", "7bit",
		".\r\n..\r\n.dots\r\n\r\n"+strings.Repeat("x", 900)+"|y\r\n")))
	whole := invitation(user, user, "large", 12, "large-"+guest)
	gone(user, user, "large", multipart(user, "large", []string{"large-" + guest}, part("text/plain", "7bit", "Hello\r\n"), attachment(3_000_000),
		calendarPart(whole)))
	s.handled(t, user, "large")

	// The service ends, by itself or not: mail goes out all the same.
	for i, signal := range []string{"TERM", "KILL"} {
		name := strings.ToLower(signal)
		s.run(t, `kill -$1 $(cat /run/serve.pid); while kill -0 $(cat /run/serve.pid) 2>/dev/null; do sleep 0.1; done`, signal)
		sends(user, user, "away-"+name, 13+i)
		s.run(t, `rm -f /run/imip-agent/milter`+s.start)
		sends(user, user, "back-"+name, 15+i)
		s.handled(t, user, "back-"+name)
		if s.keeps {
			s.handled(t, user, "away-"+name)
		}
	}
	s.idle(t)
	s.untouched(t, victim)
	for _, uid := range []string{"forged", "stranger", "away-term", "away-kill"} {
		if !(s.keeps && strings.HasPrefix(uid, "away")) && s.stored(t, user, uid) {
			t.Errorf("%s is in the calendar", uid)
		}
	}
	s.rejects(t, 1)
	s.noBounce(t, user)
	eventually(t, "an empty spool", func() bool { return !strings.Contains(s.run(t, "ls /var/lib/imip-agent/spool"), ".eml") },
		func() string { return s.run(t, "imip-agent queue") })
}

// unchanged fails the test unless a message arrived as it was sent.
func (s *service) unchanged(t *testing.T, arrived, sent []byte) {
	t.Helper()
	if !s.loose {
		unchanged(t, arrived, sent)
		return
	}
	head, body, _ := bytes.Cut(arrived, []byte("\r\n\r\n"))
	sentHead, sentBody, _ := bytes.Cut(sent, []byte("\r\n\r\n"))
	if !bytes.Equal(body, sentBody) {
		t.Errorf("the body has been changed: %.2000s", arrived)
	}
	for field := range strings.SplitSeq(strings.ReplaceAll(string(sentHead), "\r\n ", "\x00"), "\r\n") {
		if field = strings.ReplaceAll(field, "\x00", "\r\n "); !bytes.Contains(append(head, "\r\n"...), []byte(field+"\r\n")) {
			t.Errorf("the field %q has been changed: %s", field, head)
		}
	}
}

// rejects waits until that many messages are rejected, and fails the test if there are more.
func (s *server) rejects(t *testing.T, number int) {
	t.Helper()
	count := func() int {
		return strings.Count(s.run(t, "cat /var/lib/imip-agent/rejected/*.txt 2>/dev/null || true"), "Reason:")
	}
	eventually(t, fmt.Sprintf("%d rejected messages", number), func() bool { return count() >= number }, func() string { return s.describe(t) })
	if n := count(); n != number {
		t.Errorf("%d messages are rejected, want %d", n, number)
	}
}
