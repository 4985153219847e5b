package mta

import (
	"fmt"
	"strings"
	"testing"
)

// What `imip-agent setup postfix` makes of a site for mail that arrives: the service takes it by LMTP, in front of Dovecot, and
// answers for rooms. Doctor finds what is wrong with that, and all of it can be taken out again.
func TestSetupServiceIncoming(t *testing.T) {
	need(t, "postfix")
	t.Parallel()
	d := newDovecot(t)
	const own = "/var/spool/postfix/imip-agent"
	start := strings.ReplaceAll(startService, "/run/imip-agent/milter", own+"/lmtp")
	const stop = `kill $(cat /run/serve.pid); while kill -0 $(cat /run/serve.pid) 2>/dev/null; do sleep 0.1; done; `
	s := newPostfixWith(t, `
		imip-agent setup postfix --remove >/dev/null
		`+dovecotLogins+`
		postconf -e recipient_delimiter=+
		sed -i 's/^SYSLOG.*/SYSLOG = None/' /etc/imip-agent/config.txt
		echo Europe/Oslo > /etc/timezone
		cp -a /etc/postfix /root/before
		cp /etc/imip-agent/config.txt /root/before.txt
		imip-agent setup postfix --domain example.com --incoming --mailbox `+d.socket+` --resources rooms@example.com
		warnings=$(postconf -n 2>&1 >/dev/null; postconf -M 2>&1 >/dev/null)
		[ -z "$warnings" ] || { echo "$warnings" >&2; exit 1; }`, "", "", d.dir)
	s.logs = append(s.logs, "/var/log/imip-agent.log")
	s.run(t, `sed -i 's/^SMTP_HOST.*/SMTP_HOST = "`+s.public+`"/' /etc/imip-agent/config.txt /root/before.txt`+start)
	const stranger, user, other, room = "vincent@example.org", "paul@example.com", "simon@example.com", "rooms@example.com"

	// Invitations, mail without a calendar, an extension, a report without a sender, and who is none of the users.
	request := invitation(stranger, stranger, "arrived", 9, user)
	outsider(t, s, request, "Paul@Example.com", "postmaster@example.com", "user02+lists@example.com")
	summarized(t, d.gets(t, s, user, 1), request)
	s.requested(t, user, "arrived", true)
	for _, past := range []string{"postmaster@example.com", "user02+lists@example.com"} {
		unchanged(t, s.arrived(t, past).data, request)
	}
	plain := letter(stranger, "plain", other)
	outsider(t, s, plain, other)
	if trace := boxed(t, d.gets(t, s, other, 1), plain); !strings.Contains(strings.ToLower(trace), "return-path: <"+stranger+">\n") {
		t.Errorf("the mailbox does not know the envelope sender: %q", trace)
	}
	report := letter("mailer-daemon@example.org", "report", "bounced@example.com")
	if err := send(s.public, outside, "", []string{"bounced@example.com"}, report); err != nil {
		t.Fatal(err)
	}
	if trace := boxed(t, d.gets(t, s, "bounced@example.com", 1), report); !strings.Contains(strings.ToLower(trace), "return-path: <>\n") {
		t.Errorf("the mailbox does not know that there is no sender: %q", trace)
	}
	if err := send(s.public, outside, stranger, []string{"unknown@example.com"}, plain); err == nil {
		t.Error("mail for an unknown address is accepted")
	}

	// A user invites a room and another user: the room answers, and all three know.
	meeting := invitation(user, user, "meeting", 11, other, room)
	if err := sendAs(s.submission, "", user, user, []string{other, room}, meeting); err != nil {
		t.Fatal(err)
	}
	summarized(t, d.gets(t, s, other, 2), meeting)
	s.handled(t, user, "meeting")
	if answers := d.gets(t, s, user, 2); !strings.Contains(strings.Join(answers, ""), "METHOD:REPLY") {
		t.Errorf("the room has not answered: %.2000q", answers)
	}

	// While the mailbox server or the service is away, mail waits, and is there once.
	late := invitation(stranger, stranger, "late", 13, "user03@example.com")
	d.stop()
	s.run(t, stop+"rm -f "+own+"/*")
	outsider(t, s, late, "user03@example.com")
	eventually(t, "a failed try", func() bool {
		return strings.Contains(s.read(t, "/var/log/postfix.log"), "to=<user03@example.com>, relay=none") && s.length(t) == "1"
	}, func() string { return s.describe(t) })
	s.run(t, start)
	d.start(t)
	summarized(t, d.gets(t, s, "user03@example.com", 1), late)
	s.requested(t, "user03@example.com", "late", true)

	// Doctor, where all is well, and with one thing wrong at a time.
	out, err := s.try("imip-agent doctor")
	for _, want := range []string{"Postfix hands in what users send to the service", "mail that arrives for users goes to the service, at " + own + "/lmtp, which answers",
		"the mailbox server at " + d.socket + " takes mail for", "(SMTP_HOST), answers", "mail for 1 resources goes to the service"} {
		if err != nil || !strings.Contains(out, want) || strings.Count(out, "-> ") != 1 { // MESSAGE_SENDER is the example's
			t.Errorf("of a healthy machine, for %q: %v\n%s", want, err, out)
		}
	}
	if out, err = s.try("imip-agent doctor --send later@example.com"); err != nil || !strings.Contains(out, "ok       a message from later@example.com has gone through the service at") ||
		!strings.Contains(out, "ok       an invitation to later@example.com has gone through the mail system, and was in the records and in the mailbox after ") {
		t.Errorf("a message and an invitation: %v %s", err, out)
	}
	d.gets(t, s, "later@example.com", 1)
	const mistyped = unknownUser + "@example.com"
	out, err = s.try("imip-agent doctor --send " + mistyped)
	if takesNone := "failed   the mailbox server at " + d.socket + " takes no mail for " + mistyped + ": 550 "; err == nil || !strings.HasPrefix(out, takesNone) ||
		!strings.HasSuffix(out, "-> name a user who has a mailbox there. Nothing was sent") || strings.Count(out, "\n") != 1 {
		t.Errorf("who is nobody: %v %s", err, out)
	}
	if records := s.run(t, "ls "+store); strings.Contains(records, mistyped) {
		t.Errorf("somebody who is nobody has records: %s", records)
	}
	main := func(setting, want string) [3]string {
		return [3]string{`cp /etc/postfix/main.cf /root/; postconf -e '` + setting + `'`, `cp /root/main.cf /etc/postfix/`, want}
	}
	config := func(line, want string) [3]string {
		return [3]string{`cp /etc/imip-agent/config.txt /root/; echo '` + line + `' >> /etc/imip-agent/config.txt`, `cp /root/config.txt /etc/imip-agent/`, want}
	}
	s.findsEach(t, [][3]string{
		main(`transport_maps =`, "no mail that arrives is handed to the service"),
		main(`transport_maps = $calendar_resource_maps`, "mail that arrives goes past the service, such as that for"),
		main(`transport_maps = inline:{ {paul@example.com = smtp:} } $calendar_resource_maps $imip_incoming_maps`, "the mail that arrives for 1 goes past the service: paul@example.com"),
		main(`imip_incoming_maps = regexp:{{/./ lmtp:unix:/run/imip-agent/lmtp}}`, "/var/spool/postfix/run/imip-agent/lmtp cannot be found"),
		main(`transport_maps = inline:{ {rooms@example.com = smtp:} } $imip_incoming_maps`, "mail for rooms@example.com does not go to the service"),
		config(`MAILBOX_SERVER = "`+own+`/lmtp"`, "the service hands mail to itself"),
		config(`MAILBOX_SERVER = None`, "the service knows no mailbox server"),
		config(`MAILBOX_SERVER = "127.0.0.1:1"`, "the mailbox server at 127.0.0.1:1 does not answer"),
		config(`SMTP_HOST = "127.0.0.1:1"`, "(SMTP_HOST) does not answer"),
		{`install -d -o imip-agent -g www-data /var/lib/imip-agent/preferences/mailto:attic@example.com; echo schedule_in_freebusy > /var/lib/imip-agent/preferences/mailto:attic@example.com/scheduling_function`,
			`rm -r /var/lib/imip-agent/preferences/mailto:attic@example.com`, "the service takes attic@example.com for a user's address"},
		{`chmod 600 ` + own + `/lmtp`, `chmod 660 ` + own + `/lmtp`, own + "/lmtp cannot be opened by postfix:postfix"},
		{`mv ` + own + `/lmtp /root/`, `mv /root/lmtp ` + own + `/`, own + "/lmtp cannot be found: stat " + own + "/lmtp: no such file or directory\n         -> have `imip-agent serve` run as imip-agent, and started with the machine: systemd does not run here; or run `imip-agent setup postfix --domain DOMAIN --incoming`"},
		{`mkdir -p /run/systemd/system; mv ` + own + `/lmtp /root/`, `rmdir /run/systemd/system; mv /root/lmtp ` + own + `/`, "-> start the service: `systemctl enable --now imip-agent.socket imip-agent-lmtp.socket imip-agent.service`; or run `imip-agent setup"},
		{`install -d -o imip-agent -g www-data -m 2770 ` + store + `/mailto:` + mistyped, `rmdir ` + store + `/mailto:` + mistyped, "warning  the mailbox server at " + d.socket + " takes no mail for " + mistyped + ": 550 "},
		{`chmod 600 ` + d.socket, `chmod 666 ` + d.socket, "cannot be opened by imip-agent:www-data"},
		{`cp /etc/postfix/master.cf /root/; postconf -Me lmtp/unix="lmtp unix - - y - - lmtp flags=DOX"`, `cp /root/master.cf /etc/postfix/`, "adds lines to each message"},
	})

	// Nothing changes if it is set up again; pipes, and the service in their place again.
	s.run(t, `imip-agent setup postfix --domain example.com | grep 'set up already'
		cp -a /etc/postfix /root/service; cp /etc/imip-agent/config.txt /root/service.txt
		imip-agent setup postfix --domain example.com --pipe --service "127.0.0.1:$1/inet"
		grep -q "imip_person -o [$]{recipient} -l $2\$" /etc/postfix/master.cf
		diff /root/before.txt /etc/imip-agent/config.txt
		mkdir -p `+own+`
		imip-agent setup postfix --domain example.com --milter
		diff -r /root/service /etc/postfix; diff /root/service.txt /etc/imip-agent/config.txt`, port(s.submission), d.socket)

	// Users' mail goes straight to the mailboxes again; rooms answer all the same. Then nothing is left.
	if out, err := s.try(`dpkg --no-triggers -r imip-agent-go`); err == nil || !strings.Contains(err.Error(), "imip-agent setup postfix --remove") {
		t.Errorf("removed while mail is handed over: %v %s", err, out)
	}
	s.run(t, stop+`imip-agent setup postfix --remove --incoming; rm -f `+own+`/*; grep -q RESOURCES /etc/imip-agent/config.txt; ! grep -q '^MAILBOX_SERVER = "' /etc/imip-agent/config.txt`+start)
	direct := invitation(stranger, stranger, "direct", 15, "user04@example.com", room)
	outsider(t, s, direct, "user04@example.com", room)
	unchanged(t, s.arrived(t, "user04@example.com").data, direct)
	if answer := s.arrived(t, stranger); !strings.Contains(string(answer.data), "METHOD:REPLY") {
		t.Errorf("the room says %.2000s", answer.data)
	}
	s.idle(t)
	s.run(t, stop+fmt.Sprintf(`imip-agent setup postfix --remove; diff -r /root/before /etc/postfix; diff /root/before.txt /etc/imip-agent/config.txt; [ ! -e %s ]
		dpkg --no-triggers -r imip-agent-go`, own))
	outsider(t, s, plain, "user05@example.com")
	s.arrived(t, "user05@example.com")
	s.noBounce(t, user)
}
