package mta

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
)

// newIncomingPostfix starts a Postfix that passes mail for users through the handler to Dovecot, as
// `imip-agent setup` makes it. Addresses may have extensions.
func newIncomingPostfix(t *testing.T, d *dovecot) *server {
	t.Helper()
	return newPostfixWith(t, `postconf -e recipient_delimiter=+
		cp -a /etc/postfix /root/outgoing
		imip-agent setup postfix --domain example.com --service "127.0.0.1:$1/inet" --incoming --mailbox `+d.socket+`
		warnings=$(postconf -n 2>&1 >/dev/null; postconf -M 2>&1 >/dev/null)
		[ -z "$warnings" ] || { echo "$warnings" >&2; exit 1; }`, "", "", d.dir)
}

// newIncomingExim is the same with Exim, in one of the styles.
func newIncomingExim(t *testing.T, d *dovecot, style string) *server {
	t.Helper()
	return newEximWith(t, "exim", `
		# As it comes, with all intervals of the retry rules.
		imip-agent setup exim --domain example.com
		# Exim would route mail to several recipients at once, by one that is no user.
		sed -i '/^  same_domain_copy_routing/d' /etc/exim4/conf.d/router/150_* /etc/exim4/exim4.conf.template
		cp -a /etc/exim4 /root/outgoing
		imip-agent setup exim --domain example.com --incoming --mailbox `+d.socket, style, "", "", d.dir)
}

func TestIncomingPostfix(t *testing.T) {
	need(t, "postfix")
	t.Parallel()
	d := newDovecot(t)
	s := newIncomingPostfix(t, d)
	testIncoming(t, s, d)
	// The list of users for outgoing mail is the one for incoming mail, also when it has been set up anew.
	t.Run("listed", func(t *testing.T) {
		s.run(t, `cp -a /etc/postfix /root/all
			imip-agent setup postfix --domain example.com --users user03@example.com --service "127.0.0.1:$1/inet"`, port(s.submission))
		const user, other = "user03@example.com", "sara@example.com"
		message := invitation("vincent@example.org", "vincent@example.org", "listed", 12, user, other)
		outsider(t, s, message, user, other)
		summarized(t, d.gets(t, s, user, 1), message)
		s.requested(t, user, "listed", true)
		unchanged(t, s.arrived(t, other).data, message)
		s.run(t, `imip-agent setup postfix --domain example.com --users /root/users --service "127.0.0.1:$1/inet"
			diff -r /root/all /etc/postfix`, port(s.submission))
	})
	s.keepsPackage(t, "postfix")
	// Mail that waits for a program that is gone goes to the mailbox when it is taken out.
	t.Run("taken out", func(t *testing.T) {
		const user = "user04@example.com"
		s.run(t, `mv /usr/lib/imip-agent-go/imip_person /root/`)
		message := invitation("vincent@example.org", "vincent@example.org", "gone", 12, user)
		outsider(t, s, message, user)
		s.tried(t, user, 2)
		if s.length(t) != "1" {
			t.Errorf("%s mails are in the queue, want 1", s.length(t))
		}
		s.run(t, `imip-agent setup postfix --remove --incoming; diff -r /root/outgoing /etc/postfix`)
		unchanged(t, s.arrived(t, user).data, message)
		s.idle(t)
		s.noBounce(t, user)
		s.run(t, `imip-agent setup postfix --domain example.com --service "127.0.0.1:$1/inet"; diff -r /root/outgoing /etc/postfix`, port(s.submission))
	})
}

// Whatever the form of Exim's configuration.
func TestIncomingExim(t *testing.T) {
	need(t, "exim")
	for _, style := range []string{"own", "split", "template"} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			d := newDovecot(t)
			s := newIncomingExim(t, d, style)
			if style != "template" { // which differs from the other ones in where the parts are
				testIncoming(t, s, d)
			}
			s.run(t, `imip-agent setup exim --domain example.com | grep 'set up already'`)
			s.keepsPackage(t, "exim")
			// Without the program, mail goes to the mailbox, which is the one that Exim had used.
			const stranger, user, later = "vincent@example.org", "user04@example.com", "user05@example.com"
			message := invitation(stranger, stranger, "gone", 12, user)
			if style == "template" {
				message := invitation(stranger, stranger, "here", 12, later)
				outsider(t, s, message, later)
				summarized(t, d.gets(t, s, later, 1), message)
			}
			s.run(t, `mv /usr/lib/imip-agent-go/imip_person /root/`)
			outsider(t, s, message, user)
			unchanged(t, s.arrived(t, user).data, message)
			s.run(t, `mv /root/imip_person /usr/lib/imip-agent-go/
				imip-agent setup exim --remove --incoming; diff -r /root/outgoing /etc/exim4`)
			message = invitation(stranger, stranger, "out", 12, user)
			outsider(t, s, message, user)
			s.idle(t)
			if n := len(s.sink.to(user)); n != 2 || s.letters(t, user) != 0 {
				t.Errorf("%d mails of 2 have reached the mailbox directly, %d were handled", n, s.letters(t, user))
			}
		})
	}
}

// keepsPackage fails the test if the package can be removed while the mail system runs its handler of
// incoming mail.
func (s *server) keepsPackage(t *testing.T, system string) {
	t.Helper()
	out, err := s.try(`dpkg --no-triggers -r imip-agent-go`)
	if err == nil || !strings.Contains(out+err.Error(), "runs /usr/lib/imip-agent-go/imip_person") || !strings.Contains(out+err.Error(), "imip-agent setup "+system+" --remove") {
		t.Errorf("the package can be removed: %v\n%s", err, out)
	}
}

// outsider sends a message from another site.
func outsider(t *testing.T, s *server, message []byte, to ...string) {
	t.Helper()
	var err error
	eventually(t, "a mail server that is there", func() bool {
		err = send(s.public, outside, "vincent@example.org", to, message)
		var lost *net.OpError // Exim begins anew when its configuration is reloaded
		return !errors.As(err, &lost)
	}, func() string { return err.Error() + s.describe(t) })
	if err != nil {
		t.Fatalf("mail to %v: %v\n%s", to, err, s.describe(t))
	}
}

// gets waits for that many mails in a user's mailbox, and until nothing waits any more. It returns the
// mails, and fails the test if there are more.
func (d *dovecot) gets(t *testing.T, s *server, user string, number int) []string {
	t.Helper()
	name, _, _ := strings.Cut(user, "@")
	eventually(t, fmt.Sprintf("%d mails in the mailbox of %s", number, user),
		func() bool { return len(d.mails(t, name)) >= number }, func() string { return s.describe(t) })
	s.idle(t)
	mails := d.mails(t, name)
	if len(mails) != number {
		t.Errorf("%s has %d mails, want %d: %.3000q", user, len(mails), number, mails)
	}
	return mails
}

// requested fails the test unless the request queue of a user has an event, or has it not. It has none twice.
func (s *server) requested(t *testing.T, user, uid string, want bool) {
	t.Helper()
	found := strings.Count("\n"+s.read(t, store+"/mailto:"+user+"/requests"), "\n"+uid)
	if found > 1 || (found == 1) != want {
		t.Errorf("the request queue of %s has %s %d times, want it: %t", user, uid, found, want)
	}
}

// boxed fails the test unless one of the mails is the message as it was sent, below lines that
// only say how it came.
func boxed(t *testing.T, mails []string, sent []byte) (trace string) {
	t.Helper()
	stored := strings.ReplaceAll(string(sent), "\r\n", "\n")
	for _, mail := range mails {
		trace, ok := strings.CutSuffix(mail, stored)
		if !ok {
			continue
		}
		for line := range strings.Lines(trace) {
			name, _, _ := strings.Cut(strings.ToLower(line), ":")
			switch {
			case line[0] == ' ' || line[0] == '\t':
			case name == "received" || name == "received-spf" || name == "return-path" || name == "delivered-to":
			case name == "x-cyrus-session-id" || name == "x-sieve": // which Cyrus adds
			default:
				t.Errorf("a header field has been added: %s", line)
			}
		}
		return trace
	}
	t.Errorf("the message is not in the mailbox as it was sent: %.3000q", mails)
	return ""
}

// summarized fails the test unless one of the mails has a summary, and the message that was sent
// in it.
func summarized(t *testing.T, mails []string, sent []byte) {
	t.Helper()
	stored := strings.ReplaceAll(string(sent), "\r\n", "\n")
	for _, mail := range mails {
		if strings.Contains(mail, "\n"+stored) && strings.Contains(mail, "X-IMIP-Agent: info\n") {
			return
		}
	}
	t.Errorf("no mail has a summary and the message: %.3000q", mails)
}

// letters returns how many messages are known to have been handled for a user.
func (s *server) letters(t *testing.T, user string) int {
	t.Helper()
	return len(strings.Fields(s.run(t, `[ ! -d "$1/__outbox__" ] || ls "$1/__outbox__"`, store+"/mailto:"+user)))
}

// testMailbox hands in mail from outside: a mail without calendar data, an invitation, a cancellation. The function returns the mails
// that a user has, when it is that number.
func testMailbox(t *testing.T, s *server, gets func(user string, number int) []string) {
	const stranger = "vincent@example.org"

	t.Run("without calendar data", func(t *testing.T) {
		const user = "paul@example.com"
		message := multipart(stranger, "dots", []string{user}, part("text/plain; charset=utf-8", "8bit",
			"From here on\r\n.\r\n..\r\n>From there\r\nGrüße \t\r\n\r\n"+strings.Repeat("x", 900)+"\r\n"), attachment(100_000))
		outsider(t, s, message, user)
		trace := boxed(t, gets(user, 1), message)
		if !strings.Contains(strings.ToLower(trace), "return-path: <"+stranger+">\n") {
			t.Errorf("the mailbox does not know the envelope sender: %q", trace)
		}
	})

	t.Run("invitation and cancellation", func(t *testing.T) {
		const user = "simon@example.com"
		request := invitation(stranger, stranger, "arrived", 9, user)
		outsider(t, s, request, user)
		summarized(t, gets(user, 1), request)
		s.requested(t, user, "arrived", true)
		if s.read(t, store+"/mailto:"+user+"/objects/arrived") == "" {
			t.Error("the event is not stored")
		}
		cancel := []byte(strings.NewReplacer("METHOD:REQUEST", "METHOD:CANCEL", "method=REQUEST", "method=CANCEL",
			"SEQUENCE:0", "SEQUENCE:1", "DTSTAMP:20261120", "DTSTAMP:20261121", "<arrived@", "<gone@").Replace(string(request)))
		outsider(t, s, cancel, user)
		summarized(t, gets(user, 2), cancel)
		s.requested(t, user, "arrived", false)
		if s.read(t, store+"/mailto:"+user+"/cancellations/objects/arrived") == "" {
			t.Error("the cancellation is not stored")
		}
	})
}

func testIncoming(t *testing.T, s *server, d *dovecot) {
	const stranger = "vincent@example.org"

	testMailbox(t, s, func(user string, number int) []string { return d.gets(t, s, user, number) })

	// A user invites another: the records of both change.
	t.Run("among users", func(t *testing.T) {
		const user, guest = "managed@example.com", "later@example.com"
		message := invitation(user, user, "among", 10, guest)
		s.submit(t, user, message, guest)
		summarized(t, d.gets(t, s, guest, 1), message)
		s.requested(t, guest, "among", true)
		s.handled(t, user, "among")
		s.once(t, user)
		s.requested(t, user, "among", false)
	})

	// One mail to users, spelled in any way, to an extension, and to somebody else.
	t.Run("many recipients", func(t *testing.T) {
		to := []string{"user00@example.com", "USER01@Example.com", "user02+lists@example.com", "postmaster@example.com"}
		message := invitation(stranger, stranger, "many", 11, to[0], "user01@example.com")
		outsider(t, s, message, to...)
		for _, user := range []string{to[0], "user01@example.com"} {
			summarized(t, d.gets(t, s, user, 1), message)
			s.requested(t, user, "many", true)
		}
		for _, other := range to[2:] {
			unchanged(t, s.arrived(t, other).data, message)
			if n := len(s.sink.to(other)); n != 1 {
				t.Errorf("%s got the message %d times", other, n)
			}
		}
		if found := s.run(t, "ls "+store); strings.Contains(found, "lists") || strings.Contains(found, "postmaster") {
			t.Errorf("there are records of others: %s", found)
		}
	})

	// A report of the mail system: it has no sender, and the mailbox is told so.
	t.Run("bounce", func(t *testing.T) {
		const user = "bounced@example.com"
		message := letter("mailer-daemon@example.org", "report", user)
		if err := send(s.public, outside, "", []string{user}, message); err != nil {
			t.Fatal(err)
		}
		trace := boxed(t, d.gets(t, s, user, 1), message)
		if !strings.Contains(strings.ToLower(trace), "return-path: <>\n") {
			t.Errorf("the mailbox does not know that there is no sender: %q", trace)
		}
	})

	// The handler is tried several times while the mailbox server, or the program, is away: nothing is lost,
	// nothing comes twice, and the handler has known the message each time.
	const program = "/usr/lib/imip-agent-go/imip_person"
	stop, start := "chmod 644 "+program, "chmod 755 "+program
	if s.away != "" {
		stop, start = s.away, s.back
	}
	for _, away := range []struct {
		name, user string
		stop, back func()
	}{
		{"no mailbox server", "crowd@example.com", d.stop, func() { d.start(t) }},
		{"no program", "attached@example.com", func() { s.run(t, stop) }, func() { s.run(t, start) }},
	} {
		t.Run(away.name, func(t *testing.T) {
			away.stop()
			back := away.back
			started := false
			defer func() {
				if !started {
					back()
				}
			}()
			uid := "waits-" + away.user
			request := invitation(stranger, stranger, uid, 13, away.user)
			plain := letter(stranger, "plain-"+away.user, away.user)
			outsider(t, s, request, away.user)
			outsider(t, s, plain, away.user)
			s.tried(t, away.user, 6)
			if s.length(t) != "2" {
				t.Errorf("%s mails are in the queue, want 2", s.length(t))
			}
			// One that changes no records is not noted before it is delivered.
			if n := s.letters(t, away.user); away.name == "no mailbox server" && (n < 1 || n > 2) {
				t.Errorf("the handler knows %d messages, want 1 or 2: a message was not the same at each try", n)
			}
			back()
			started = true
			mails := d.gets(t, s, away.user, 2)
			boxed(t, mails, plain)
			summarized(t, mails, request)
			s.requested(t, away.user, uid, true)
			s.noBounce(t, away.user)
		})
	}

	// One mailbox is full for a while: the other recipient has the mail at once, and once.
	t.Run("one mailbox full", func(t *testing.T) {
		if s.away != "" { // by LMTP the sender is told so at once
			return
		}
		const full, other = "reported@example.com", "case@example.com"
		d.fill(t, "reported", true)
		message := invitation(stranger, stranger, "full", 14, full, other)
		outsider(t, s, message, full, other)
		s.tried(t, full, 3)
		if n := len(d.mails(t, "case")); n != 1 {
			t.Errorf("the other has %d mails, want 1", n)
		}
		if mails := d.mails(t, "reported"); len(mails) > 0 {
			t.Errorf("the full mailbox has %q", mails)
		}
		d.fill(t, "reported", false)
		summarized(t, d.gets(t, s, full, 1), message)
		summarized(t, d.gets(t, s, other, 1), message)
		s.requested(t, full, "full", true)
		s.requested(t, other, "full", true)
		s.noBounce(t, full)
	})

	for _, sent := range s.sink.all() {
		if bytes.Contains(sent.data, []byte("X-IMIP-Agent")) {
			t.Errorf("a summary has left the site: to %v", sent.to)
		}
	}
}

// tried waits until the log has as many failed runs for a recipient.
func (s *server) tried(t *testing.T, user string, times int) {
	t.Helper()
	count := func() (n int) {
		for _, name := range s.logs {
			for line := range strings.Lines(s.read(t, name)) {
				if strings.Contains(line, user) && (strings.Contains(line, "relay=imip-incoming") && !strings.Contains(line, "status=sent") ||
					strings.Contains(line, "T=imip_person defer")) {
					n++
				}
			}
		}
		return n
	}
	eventually(t, fmt.Sprintf("%d tries for %s", times, user), func() bool { return count() >= times }, func() string { return s.describe(t) })
}
