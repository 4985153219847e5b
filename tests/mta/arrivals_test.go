package mta

import (
	"fmt"
	"strings"
	"testing"
)

// takesArrivals returns a script that has our service take mail that arrives, in front of a mailbox server, and starts it.
func takesArrivals(d *dovecot, group string) string {
	return fmt.Sprintf(`
		printf 'LMTP_SOCKET = "/run/imip-agent/lmtp"\nMAILBOX_SERVER = "%s"\nSYSLOG = None\n' >> /etc/imip-agent/config.txt
		`, d.socket) + serves(group)
}

// testArrivals sends mail from elsewhere through a mail system that hands it to our service by LMTP: it is in the mailboxes once,
// with a summary if it is for calendars. Mail that the service cannot take waits.
func testArrivals(t *testing.T, s *server, d *dovecot, start string) {
	t.Helper()
	s.logs = append(s.logs, "/var/log/imip-agent.log")
	const stranger, user, other = "vincent@example.org", "paul@example.com", "simon@example.com"
	request := invitation(stranger, stranger, "arrived", 9, user)
	outsider(t, s, request, user, other)
	summarized(t, d.gets(t, s, user, 1), request)
	s.requested(t, user, "arrived", true)
	boxed(t, d.gets(t, s, other, 1), request) // who is not invited
	plain := multipart(stranger, "dots", []string{user}, part("text/plain; charset=utf-8", "8bit", ".\r\n..\r\nGrüße \t\r\n"), attachment(100_000))
	outsider(t, s, plain, user)
	if trace := boxed(t, d.gets(t, s, user, 2), plain); !strings.Contains(strings.ToLower(trace), "return-path: <"+stranger+">\n") {
		t.Errorf("the mailbox does not know the envelope sender: %q", trace)
	}

	s.run(t, `kill $(cat /run/serve.pid); while kill -0 $(cat /run/serve.pid) 2>/dev/null; do sleep 0.1; done; rm -f /run/imip-agent/*`)
	late := invitation(stranger, stranger, "late", 13, other)
	outsider(t, s, late, other)
	eventually(t, "a mail that waits", func() bool { return s.length(t) != "0" }, func() string { return s.describe(t) })
	s.run(t, start)
	summarized(t, d.gets(t, s, other, 2), late)
	s.requested(t, other, "late", true)
	if out := s.run(t, "imip-agent check"); out != "" {
		t.Errorf("check says %s", out)
	}
}

// OpenSMTPD hands mail that arrives to our service as conf/README.md says.
func TestOpenSMTPDArrivals(t *testing.T) {
	need(t, "opensmtpd-trixie")
	t.Parallel()
	d := newDovecot(t)
	lines := commandsIn(t, "../../conf/README.md", "OpenSMTPD, with a table of the addresses")
	start := takesArrivals(d, "www-data")
	s := newOpenSMTPDWith(t, "opensmtpd-trixie", start, "", d.dir,
		strings.NewReplacer("example.org", "example.com", `"/etc/mail/calendar-users"`, `"/root/calendar-users"`, "file:/etc/mail/calendar-users", "file:/root/calendar-users").Replace(lines))
	testArrivals(t, s, d, serves("www-data"))
}

// chasquid hands mail that arrives to our service as conf/README.md says.
func TestChasquidArrivals(t *testing.T) {
	need(t, "chasquid")
	t.Parallel()
	d := newDovecot(t)
	lines := commandsIn(t, "../../conf/README.md", "chasquid, by its own program for LMTP")
	s := newChasquidWith(t, `
		sed -i '/^mail_delivery_agent/d' /etc/chasquid/chasquid.conf
		cat >> /etc/chasquid/chasquid.conf <<-'END'
			`+strings.ReplaceAll(lines, "\n", "\n\t\t\t")+`
		END
		`+takesArrivals(d, "chasquid"), d.dir)
	testArrivals(t, s, d, serves("chasquid"))
}
