package mta

import (
	"fmt"
	"strings"
	"testing"
)

// postfixLMTP has Postfix hand in all mail for example.com to our service by LMTP, with copies of what users send, in place of
// pipes. Debian's lmtp runs in a chroot, and finds the socket there.
const postfixLMTP = `
	imip-agent setup postfix --remove >/dev/null
	install -d -o imip-agent -g postfix -m 2750 /var/spool/postfix/imip-agent
	ln -s /var/spool/postfix/imip-agent /run/imip-agent
	postconf -e recipient_delimiter=+ virtual_transport=lmtp:unix:imip-agent/lmtp \
		'virtual_mailbox_maps=texthash:/etc/postfix/mailboxes regexp:{{/^(people-outgoing[+]|rooms@)/ x}}' \
		'sender_bcc_maps=regexp:{{/^([^@+]+@example[.]com)$$/ people-outgoing+$$1}}'`

// testFromOutside sends mail from outside: an invitation for two, one of them with an extension, and a mail without a calendar. It returns
// the invitation, which is for the user alone.
func testFromOutside(t *testing.T, s *server, d *dovecot, stranger, user, other string) (request []byte) {
	t.Helper()
	request = invitation(stranger, stranger, "arrived", 9, user)
	outsider(t, s, request, "Paul@Example.com", other, "user02+lists@example.com")
	summarized(t, d.gets(t, s, user, 1), request)
	s.requested(t, user, "arrived", true)
	boxed(t, d.gets(t, s, other, 1), request) // who is not invited
	// Dovecot has one mailbox for all extensions.
	boxed(t, d.gets(t, s, "user02@example.com", 1), request)
	plain := multipart(stranger, "dots", []string{user}, part("text/plain; charset=utf-8", "8bit", ".\r\n..\r\nGrüße \t\r\n"), attachment(3_000_000))
	outsider(t, s, plain, user)
	if trace := boxed(t, d.gets(t, s, user, 2), plain); !strings.Contains(strings.ToLower(trace), "return-path: <"+stranger+">\n") {
		t.Errorf("the mailbox does not know the envelope sender: %q", trace)
	}
	return request
}

// Through a real Postfix, by LMTP, to Dovecot: mail that arrives is in the mailbox once, with a summary above an invitation; what users
// send is in their calendars; a room answers. What Dovecot refuses is returned to the sender.
func TestPostfixLMTP(t *testing.T) {
	need(t, "postfix")
	t.Parallel()
	d := newDovecot(t)
	s := newPostfixWith(t, postfixLMTP, "", "", d.dir)
	s.logs = append(s.logs, "/var/log/imip-agent.log")
	s.run(t, fmt.Sprintf("printf '%s' >> /etc/imip-agent/config.txt\n", strings.Join([]string{
		`LMTP_SOCKET = "/run/imip-agent/lmtp"`, `MAILBOX_SERVER = "` + d.socket + `"`, `RESOURCES = "rooms@example.com"`,
		`SMTP_HOST = "` + s.public + `"`, `SYSLOG = None`, ``}, `\n`))+startService+`
		for i in $(seq 600); do [ ! -S /run/imip-agent/lmtp ] || break; sleep 0.1; done; [ -S /run/imip-agent/lmtp ]`)
	const stranger, user, other, room = "vincent@example.org", "paul@example.com", "simon@example.com", "rooms@example.com"

	request := testFromOutside(t, s, d, stranger, user, other)

	// The user accepts: the copy changes the user's calendar, and the answer goes out as it came.
	reply := []byte(strings.NewReplacer("METHOD:REQUEST", "METHOD:REPLY", "method=REQUEST", "method=REPLY", "PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED",
		"From: "+stranger, "From: "+user, "<arrived@", "<accepted@").Replace(string(request)))
	s.submit(t, user, reply, stranger)
	unchanged(t, s.arrived(t, stranger).data, reply)
	s.handled(t, user, "arrived")

	// A user invites a room and another user: the room answers to the user's mailbox.
	meeting := invitation(user, user, "meeting", 11, other, room)
	s.submit(t, user, meeting, other, room)
	summarized(t, d.gets(t, s, other, 2), meeting)
	s.handled(t, user, "meeting")
	if answers := d.gets(t, s, user, 3); !strings.Contains(strings.Join(answers, ""), "METHOD:REPLY") {
		t.Errorf("the room has not answered: %.2000q", answers)
	}

	// While the mailbox server is away, mail waits; with the next try it is there, once.
	d.stop()
	late := invitation(stranger, stranger, "late", 13, "user03@example.com")
	outsider(t, s, late, "user03@example.com")
	eventually(t, "a failed try", func() bool {
		return strings.Contains(s.read(t, "/var/log/postfix.log"), "to=<user03@example.com>") && strings.Contains(s.read(t, "/var/log/postfix.log"), "status=deferred")
	}, func() string { return s.describe(t) })
	d.start(t)
	summarized(t, d.gets(t, s, "user03@example.com", 1), late)

	// The service ends, by itself or not: mail waits, and is there once.
	for i, signal := range []string{"TERM", "KILL"} {
		guest := fmt.Sprintf("user%02d@example.com", 4+i)
		s.run(t, `kill -$1 $(cat /run/serve.pid); while kill -0 $(cat /run/serve.pid) 2>/dev/null; do sleep 0.1; done`, signal)
		away := invitation(stranger, stranger, "away-"+signal, 14+i, guest)
		outsider(t, s, away, guest)
		s.run(t, `rm -f /run/imip-agent/milter /run/imip-agent/lmtp`+startService)
		summarized(t, d.gets(t, s, guest, 1), away)
	}

	// A mailbox that is full: Dovecot refuses, and the sender is told so. The other has the mail.
	const full, roomy = "user06@example.com", "user07@example.com"
	d.fill(t, "user06", true)
	message := invitation("wanda@example.org", "wanda@example.org", "full", 16, full, roomy)
	if err := send(s.public, outside, "wanda@example.org", []string{full, roomy}, message); err != nil {
		t.Fatal(err)
	}
	summarized(t, d.gets(t, s, roomy, 1), message)
	if report := string(s.arrived(t, "wanda@example.org").data); !strings.Contains(report, full) || strings.Contains(report, roomy) && strings.Contains(report, "Final-Recipient: rfc822; "+roomy) ||
		!strings.Contains(report, "uota") {
		t.Errorf("the report is %.3000s", report)
	}
	s.idle(t)
	if mails := d.mails(t, "user06"); len(mails) > 0 {
		t.Errorf("the full mailbox has %q", mails)
	}
	if out := s.run(t, "imip-agent check"); out != "" {
		t.Errorf("check says %s", out)
	}
	if out, err := s.try(`dpkg --no-triggers -r imip-agent-go`); err == nil || !strings.Contains(err.Error(), "by LMTP") {
		t.Errorf("removed while mail is handed over: %v %s", err, out)
	}
}
