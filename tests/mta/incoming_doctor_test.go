package mta

import (
	"fmt"
	"strings"
	"testing"
)

// testIncomingDoctor asks the doctor about mail that arrives where all is well, and then with one thing wrong at a time,
// as testDoctor does.
func testIncomingDoctor(t *testing.T, s *server, d *dovecot, faults [][3]string) {
	const user = "paul@example.com"
	s.run(t, fmt.Sprintf(`echo Europe/Oslo > /etc/timezone; echo 'SMTP_HOST = "%s"' >> /etc/imip-agent/config.txt`, s.public))
	out, err := s.try("imip-agent doctor")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"mail that arrives for users goes to transport imip", "has handled a message that arrives as imip-agent:www-data",
		"the mailbox server at " + d.socket + " takes mail for", "(SMTP_HOST), answers"} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing about %q:\n%s", want, out)
		}
	}
	if out, err = s.try("imip-agent doctor --send " + user); err != nil || !strings.Contains(out, "ok       an invitation to "+user) {
		t.Errorf("a message and an invitation: %v %s", err, out)
	}
	s.idle(t)
	if out := s.run(t, `find `+store+` -path '*objects/*'; cat `+store+`/mailto:`+user+`/requests; imip-agent check`); out != "" {
		t.Errorf("left behind: %s", out)
	}
	d.gets(t, s, user, 2) // one of each

	common := [][3]string{
		{`mv /usr/lib/imip-agent-go/imip_person /root/`, `mv /root/imip_person /usr/lib/imip-agent-go/`, "imip_person, which is missing or not a program"},
		{`cp /etc/imip-agent/config.txt /root/; echo 'SMTP_HOST = "127.0.0.1:1"' >> /etc/imip-agent/config.txt`, `cp /root/config.txt /etc/imip-agent/`, "(SMTP_HOST) does not answer"},
		{`mv ` + d.socket + ` ` + d.socket + `.away`, `mv ` + d.socket + `.away ` + d.socket, "the mail of users waits"},
		{`chmod 600 ` + d.socket, `chmod 666 ` + d.socket, "cannot be opened by imip-agent:www-data"},
	}
	s.findsEach(t, append(common, faults...))
	// What only a message shows.
	d.stop()
	if out, err := s.try(`imip-agent doctor --send ` + user + ` --wait 5s`); err == nil || !strings.Contains(err.Error(), "an invitation to "+user+" was sent 5s ago, but it") {
		t.Errorf("without a mailbox server: %v %s", err, out)
	}
	d.start(t)
	s.idle(t)
	if out, err := s.try("imip-agent doctor"); err != nil {
		t.Errorf("when all is mended: %v\n%s", err, out)
	}
}

func TestIncomingDoctor(t *testing.T) {
	t.Run("postfix", func(t *testing.T) {
		need(t, "postfix")
		t.Parallel()
		d := newDovecot(t)
		s := newIncomingPostfix(t, d)
		master := func(script, want string) [3]string {
			return [3]string{`cp /etc/postfix/master.cf /root/; ` + script, `cp /root/master.cf /etc/postfix/`, want}
		}
		main := func(setting, want string) [3]string {
			return [3]string{`cp /etc/postfix/main.cf /root/; postconf -e '` + setting + `'`, `cp /root/main.cf /etc/postfix/`, want}
		}
		testIncomingDoctor(t, s, d, [][3]string{
			master(`postconf -PX imip-incoming/unix/soft_bounce`, "returns users' mail to its senders"),
			master(`postconf -F imip-incoming/unix/chroot=y`, "runs in a chroot"),
			master(`sed -i 's/flags=Rhu/flags=FR/' /etc/postfix/master.cf`, "adds lines to each message"),
			master(`sed -i 's/imip_person -o ${recipient}/imip_person/' /etc/postfix/master.cf`, "does not pass the recipient"),
			master(`sed -i 's/ -l [^ ]*$//' /etc/postfix/master.cf`, "does not say where the mailboxes are"),
			master(`sed -i '/^imip-incoming/,$s/user=imip-agent:www-data/user=nobody:nogroup/' /etc/postfix/master.cf`, "they cannot change each other's files"),
			main(`imip-incoming_destination_recipient_limit = 50`, "takes 50 recipients at a time"),
			main(`imip-incoming_time_limit = 100s`, "before its own limit"),
			main(`imip_incoming_maps =`, "no mail that arrives for users goes to transport imip-incoming"),
			main(`defer_transports = imip-incoming`, "in defer_transports"),
		})
	})
	t.Run("exim", func(t *testing.T) {
		need(t, "exim")
		t.Parallel()
		d := newDovecot(t)
		s := newIncomingExim(t, d, "split")
		fault := func(file, from, to, want string) [3]string {
			return [3]string{
				`cp ` + file + ` /root/saved; sed -i 's/` + from + `/` + to + `/' ` + file + `; update-exim4.conf`,
				`cp /root/saved ` + file + `; update-exim4.conf`, want}
		}
		const transport, router = "/etc/exim4/conf.d/transport/20_imip-agent_incoming", "/etc/exim4/conf.d/router/150_0imip-agent_incoming"
		testIncomingDoctor(t, s, d, [][3]string{
			fault(transport, "^  temp_errors = .*", "", "returns users' mail to its senders if the program fails"),
			fault(transport, "^  timeout_defer", "", "takes too long"),
			fault(transport, "^  return_path_add", "  delivery_date_add", "adds the time to each message"),
			fault(router, "^  transport = .*", "  transport = remote_smtp", "no mail that arrives for users goes to transport imip_person"),
			fault("/etc/exim4/conf.d/router/150_exim4-config_hubbed_hosts", "^  driver = .*", "&\\n  same_domain_copy_routing = yes", "has same_domain_copy_routing"),
		})
	})
}
