package mta

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
)

// newIncomingCyrus starts a Postfix on one machine with Debian's Cyrus, to which it passes mail for users through the
// handler. Cyrus takes mail as conf/README.md says, and nobody says where it is.
func newIncomingCyrus(t *testing.T) *server {
	t.Helper()
	service := regexp.MustCompile(`lmtplocal .*`).FindString(documented(t, "Cyrus has"))
	if !strings.Contains(service, "127.0.0.1:24") {
		t.Fatalf("conf/README.md gives %q", service)
	}
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	service = strings.Replace(service, "127.0.0.1:24", address, 1)
	s := newPostfixIn(t, "cyrus", `
		# Of its services, only those that take mail: the network is that of other machines, too.
		sed -i -E '/^[ \t]*(imap|pop3|nntp|http|sieve)[ \t]/d' /etc/cyrus.conf
		sed -i 's%^SERVICES {%&\n\t`+service+`%' /etc/cyrus.conf
		sed -i -e '/^autocreate_quota/d' -e 's/^unixhierarchysep:.*/unixhierarchysep: yes/' /etc/imapd.conf
		cat >> /etc/imapd.conf <<-END
			autocreate_quota: 20480
			autocreate_post: yes
			virtdomains: userid
			defaultdomain: mail.example.com
		END
		/etc/init.d/cyrus-imapd start >&2
		tries=0
		until bash -c "exec 3<>/dev/tcp/127.0.0.1/`+port+` && read -r -t 5 line <&3" 2>/dev/null; do
			tries=$((tries + 1))
			[ $tries -lt 600 ] || { echo "no answer of Cyrus" >&2; exit 1; }
			sleep 0.1
		done
		postconf -e virtual_transport=lmtp:inet:`+address+`
		cp -a /etc/postfix /root/outgoing
		imip-agent setup postfix --domain example.com --service "127.0.0.1:$1/inet" --incoming
		warnings=$(postconf -n 2>&1 >/dev/null; postconf -M 2>&1 >/dev/null)
		[ -z "$warnings" ] || { echo "$warnings" >&2; exit 1; }`, "", "", "")
	if lines := s.read(t, "/etc/postfix/master.cf"); !strings.Contains(lines, "-l "+address) {
		t.Errorf("the mailbox server has not been found:\n%s", lines)
	}
	return s
}

// inCyrus runs a command of Cyrus for a user's mailbox.
func (s *server) inCyrus(command, user string) (string, error) {
	return s.try(`su -s /bin/sh cyrus -c "/usr/sbin/cyrus $1 user/$2"`, command, user)
}

// cyrusMails returns what is in a user's mailbox in Cyrus, in the order in which it came, with line feeds for line ends.
func (s *server) cyrusMails(t *testing.T, user string) (mails []string) {
	t.Helper()
	dir, err := s.inCyrus("mbpath", user)
	if err != nil || !strings.HasPrefix(dir, "/") {
		return nil // there is no mailbox before the first mail
	}
	names := s.run(t, `find "$1" -maxdepth 1 -name '[0-9]*.' | sort -V`, dir)
	for name := range strings.FieldsSeq(names) {
		content, err := os.ReadFile(s.path(name))
		if err != nil {
			t.Fatal(err)
		}
		mails = append(mails, strings.ReplaceAll(string(content), "\r\n", "\n"))
	}
	return mails
}

// inBox waits for that many mails in a user's mailbox in Cyrus, and until nothing waits any more. It returns the mails, and
// fails the test if there are more.
func (s *server) inBox(t *testing.T, user string, number int) []string {
	t.Helper()
	eventually(t, fmt.Sprintf("%d mails in the mailbox of %s", number, user),
		func() bool { return len(s.cyrusMails(t, user)) >= number },
		func() string {
			out, err := s.inCyrus("mbpath", user)
			return fmt.Sprintf("%s\nmailbox: %s %v", s.describe(t), out, err)
		})
	s.idle(t)
	mails := s.cyrusMails(t, user)
	if len(mails) != number {
		t.Errorf("%s has %d mails, want %d: %.3000q", user, len(mails), number, mails)
	}
	return mails
}

func TestIncomingCyrus(t *testing.T) {
	need(t, "cyrus")
	s := newIncomingCyrus(t)
	const stranger = "vincent@example.org"

	testMailbox(t, s, func(user string, number int) []string { return s.inBox(t, user, number) })

	// Cyrus drops a second mail with the same Message-ID: a summary beside the message must not be one.
	t.Run("summary beside the message", func(t *testing.T) {
		const user = "later@example.com"
		s.write(t, "/var/lib/imip-agent/preferences/mailto:"+user+"/incoming", "message-then-summary", 0o644)
		request := invitation(stranger, stranger, "beside", 9, user)
		outsider(t, s, request, user)
		mails := s.inBox(t, user, 2)
		boxed(t, mails, request)
		if len(mails) != 2 || !strings.Contains(mails[1], "X-IMIP-Agent: info\n") || !strings.Contains(mails[1], "Planning beside") {
			t.Errorf("there is no summary: %.3000q", mails)
		}
	})

	// While Cyrus is gone, mail waits; then it is in the mailbox once.
	t.Run("gone for a while", func(t *testing.T) {
		const user = "managed@example.com"
		s.run(t, `/etc/init.d/cyrus-imapd stop >&2`)
		request := invitation(stranger, stranger, "while", 9, user)
		outsider(t, s, request, user)
		s.tried(t, user, 2)
		s.requested(t, user, "while", true)
		s.run(t, `/etc/init.d/cyrus-imapd start >&2`)
		summarized(t, s.inBox(t, user, 1), request)
		s.requested(t, user, "while", true)
		s.noBounce(t, user)
	})

	t.Run("taken out", func(t *testing.T) {
		const user = "user00@example.com"
		s.run(t, `imip-agent setup postfix --remove --incoming; diff -r /root/outgoing /etc/postfix`)
		message := invitation(stranger, stranger, "out", 9, user)
		outsider(t, s, message, user)
		boxed(t, s.inBox(t, user, 1), message)
		if n := s.letters(t, user); n != 0 {
			t.Errorf("%d messages were handled", n)
		}
	})
}
