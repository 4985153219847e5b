package mta

import (
	"strings"
	"testing"
)

// testDoctor asks the doctor on a machine where all is well, and then with one thing
// wrong at a time. Each fault is a script that makes it, one that mends it, and what the
// doctor says.
func testDoctor(t *testing.T, s *server, faults [][3]string) {
	s.run(t, `echo Europe/Oslo > /etc/timezone`)
	out, err := s.try("imip-agent doctor")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.SplitSeq(out, "\n") {
		// The test's domain is the example's.
		if !strings.HasPrefix(line, "ok ") && !strings.Contains(line, "MESSAGE_SENDER") {
			t.Errorf("of a healthy machine: %s", line)
		}
	}
	for _, want := range []string{"transport imip", "runs as imip-agent:www-data", "has handled a message", "keep other programs out", "Europe/Oslo"} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing about %q:\n%s", want, out)
		}
	}
	config := func(line, want string) [3]string {
		return [3]string{`cp /etc/imip-agent/config.txt /root/; echo '` + line + `' >> /etc/imip-agent/config.txt`, `cp /root/config.txt /etc/imip-agent/`, want}
	}
	common := [][3]string{
		{`mv ` + handlerPath + ` /root/`, `mv /root/imip_person_outgoing /usr/bin/`, "missing or not a program"},
		{`chmod a-x ` + handlerPath, `chmod a+x ` + handlerPath, "missing or not a program"},
		{`chown root /var/lib/imip-agent/store; chmod 2750 /var/lib/imip-agent/store`, `chown imip-agent /var/lib/imip-agent/store; chmod 2770 /var/lib/imip-agent/store`, "cannot be written by imip-agent:www-data"},
		{`chmod 0700 /var/lib/imip-agent; chown root /var/lib/imip-agent`, `chmod 2750 /var/lib/imip-agent; chown imip-agent /var/lib/imip-agent`, "no message can be rejected"},
		{`install -d -m 700 /var/lib/imip-agent/spool`, `rmdir /var/lib/imip-agent/spool`, "/var/lib/imip-agent/spool cannot be used by imip-agent:www-data"},
		{`install -d -o root -g root -m 750 ` + store + `/mailto:paul@example.com`, `rmdir ` + store + `/mailto:paul@example.com`, "records of 1 users cannot be written by imip-agent:www-data: mailto:paul@example.com"},
		{`mv /var/lib/imip-agent/preferences /root/`, `mv /root/preferences /var/lib/imip-agent/`, "preferences does not exist"},
		{`chmod 755 /var/lib/imip-agent/store`, `chmod 2770 /var/lib/imip-agent/store`, "programs of its group cannot use each other's files"},
		{`chmod 2777 /var/lib/imip-agent/store`, `chmod 2770 /var/lib/imip-agent/store`, "everybody on this machine can look into it"},
		{`chmod 600 /etc/imip-agent/config.txt`, `chmod 644 /etc/imip-agent/config.txt`, "does not handle a message"},
		{`mv /etc/imip-agent/config.txt /root/; mkdir /etc/imip-agent/config.txt`, `rmdir /etc/imip-agent/config.txt; mv /root/config.txt /etc/imip-agent/`, "read the configuration"},
		{`cp /etc/group /root/; sed -i 's/^www-data:/web:/' /etc/group`, `cp /root/group /etc/`, "group www-data"},
		{`cp /etc/passwd /root/; sed -i 's/^imip-agent:/agent:/' /etc/passwd`, `cp /root/passwd /etc/`, "user imip-agent"},
		config(`STORE_DIR = "/srv/cal`, "the string is not closed"),
		config(`STORE_TYPE = "mysql"`, "is none of: file, postgresql"),
		config(`OUTGOING_PREFIX = "calendars"`, "calendars"),
		config(`ALIASES = "/nowhere"`, "read the aliases of users"),
	}
	s.findsEach(t, append(common, faults...))
	if out, err := s.try("imip-agent doctor; ls -A /var/lib/imip-agent"); err != nil || strings.Contains(out, ".imip-agent-doctor") {
		t.Errorf("when all is mended: %v\n%s", err, out)
	}
}

func TestDoctor(t *testing.T) {
	t.Run("postfix", func(t *testing.T) {
		need(t, "postfix")
		t.Parallel()
		s := newPostfix(t, "", "", "")
		main := func(setting, want string) [3]string {
			return [3]string{`cp /etc/postfix/main.cf /root/; postconf -e '` + setting + `'`, `cp /root/main.cf /etc/postfix/`, want}
		}
		master := func(script, want string) [3]string {
			return [3]string{`cp /etc/postfix/master.cf /root/; ` + script, `cp /root/master.cf /etc/postfix/`, want}
		}
		testDoctor(t, s, [][3]string{
			master(`postconf -PX imip-outgoing/unix/soft_bounce`, "drops mail"),
			master(`postconf -MX imip-outgoing/unix`, "no transport of Postfix runs"),
			master(`sed -i 's/ -o ${recipient}//' /etc/postfix/master.cf`, "does not pass the recipient"),
			master(`postconf -F imip-outgoing/unix/chroot=y`, "runs in a chroot"),
			master(`sed -i 's/user=imip-agent:www-data/user=root/' /etc/postfix/master.cf`, "as root"),
			master(`sed -i 's/cleanup_service_name=imip-cleanup/x=y/; s/sender_bcc_maps=/z=/' /etc/postfix/master.cf`, "no mail of users is copied"),
			// The cleanup service is there, and nobody uses it.
			master(`sed -i 's/cleanup_service_name=imip-cleanup/x=y/' /etc/postfix/master.cf`, "no mail of users is copied"),
			// Only submission, or submissions, does not use it.
			master(`postconf -Me submission/inet="submission inet n - y - - smtpd"`, "through submission/inet is copied"),
			master(`postconf -Me 465/inet="465 inet n - y - - smtpd"`, "through 465/inet is copied"),
			master(`postconf -PX pickup/unix/cleanup_service_name`, "mail from programs on this machine"),
			main(`imip-outgoing_destination_recipient_limit = 50`, "recipients at a time"),
			main(`imip-outgoing_time_limit = 100s`, "before its own limit"),
			main(`defer_transports = imip-outgoing`, "in defer_transports"),
			main(`transport_maps =`, "does not go to transport imip-outgoing"),
			main(`transport_maps = inline:{ { example.com = smtp: } }`, "does not go to transport imip-outgoing"),
			main(`imip_sender_bcc_maps = texthash:/dev/null`, "the table of users is empty"),
			main(`imip_sender_bcc_maps = texthash:/nowhere`, "cannot be read, and Postfix refuses"),
			main(`imip_sender_bcc_maps = ldap:/nowhere`, "cannot be read, and Postfix refuses"),
			main(`imip_sender_bcc_maps = inline:{ { x@example.net = people-outgoing+x@example.net } }`, "mail for people-outgoing+x@example.net does not go to transport"),
			main(`imip_sender_bcc_maps = inline:{ { x@example.com = calendar+x@example.com } }`, "does not begin with OUTGOING_PREFIX"),
			main(`virtual_alias_maps = inline:{ { @example.com = sara@example.com } }`, "an alias redirects mail for"),
			main(`smtpd_recipient_restrictions = permit_mynetworks`, "anybody can write to"),
			main(`smtpd_recipient_restrictions = permit_sasl_authenticated, check_recipient_access $imip_recipient_access`, "anybody can write to"),
			main(`smtpd_restriction_classes =`, "anybody can write to"),
			main(`imip_local_only = permit`, "anybody can write to"),
			main(`receive_override_options = no_address_mappings`, "makes no copies"),
			// Users may use each other's addresses in the envelope.
			main(`smtpd_sasl_auth_enable = yes`, "can send with another user's envelope address"),
			master(`postconf -Me submission/inet="submission inet n - y - - smtpd -o smtpd_sasl_auth_enable=yes -o cleanup_service_name=imip-cleanup -o imip_local_only=reject"`, "through submission/inet, and so change"),
			{`cp /etc/postfix/main.cf /root/; postconf -e smtpd_sasl_auth_enable=yes smtpd_sender_login_maps=inline:{{paul@example.com=paul}} "smtpd_sender_restrictions=permit_sasl_authenticated, reject_sender_login_mismatch"`,
				`cp /root/main.cf /etc/postfix/`, "can send with another user's envelope address"},
			{`postfix stop`, `postfix start`, "Postfix is not running"},
			// Somebody has records, and is not among the senders.
			{`install -d -o imip-agent -g www-data -m 2770 ` + store + `/mailto:sara@example.com`, `rmdir ` + store + `/mailto:sara@example.com`, "the mail of none of the 1 users with records"},
		})
		// They may not.
		s.run(t, `cp /etc/postfix/main.cf /root/
			postconf -e smtpd_sasl_auth_enable=yes smtpd_sender_login_maps=inline:{{paul@example.com=paul}} "smtpd_sender_restrictions=reject_sender_login_mismatch"`)
		if out, err := s.try(`imip-agent doctor`); err != nil || strings.Contains(out, "envelope address") {
			t.Errorf("where users have their own addresses only: %v\n%s", err, out)
		}
		s.run(t, `cp /root/main.cf /etc/postfix/`)
		// What only a message shows.
		s.run(t, `postfix stop; postfix start`)
		if out, err := s.try(`imip-agent doctor --send paul@example.com`); err != nil || !strings.HasPrefix(out, "ok ") {
			t.Errorf("a message: %v %s", err, out)
		}
		if out := s.run(t, `find `+store+` -path '*objects/*'; imip-agent check`); out != "" {
			t.Errorf("left behind: %s", out)
		}
		if out, err := s.try(`imip-agent doctor --send nobody@example.com --wait 3s`); err == nil || !strings.Contains(err.Error(), "its event is not in the records") {
			t.Errorf("a message of somebody else: %v %s", err, out)
		}
	})
	t.Run("exim", func(t *testing.T) {
		need(t, "exim")
		t.Parallel()
		s := newExim(t, "split", "", "", "")
		fault := func(file, from, to, want string) [3]string {
			return [3]string{
				`cp /etc/exim4/conf.d/` + file + ` /root/saved; sed -i 's/` + from + `/` + to + `/' /etc/exim4/conf.d/` + file + `; update-exim4.conf`,
				`cp /root/saved /etc/exim4/conf.d/` + file + `; update-exim4.conf`,
				want,
			}
		}
		testDoctor(t, s, [][3]string{
			fault("transport/20_imip-agent", "^  temp_errors = .*", "", "drops mail if the program fails"),
			fault("transport/20_imip-agent", "^  timeout_defer", "", "takes too long"),
			fault("transport/20_imip-agent", ` -o .*RECIPIENT" `, " ", "does not pass the recipient"),
			fault("main/00_imip-agent", "^IMIP_DOMAINS = .*", "IMIP_DOMAINS = example.net", "does not go to the handler"),
			fault("main/00_imip-agent", "^IMIP_PROGRAM = .*", `IMIP_PROGRAM = \/bin\/cat`, "no transport of Exim runs"),
			fault("main/00_imip-agent", "^IMIP_SENDERS = .*", "IMIP_SENDERS = :", "nobody's mail is copied"),
			fault("main/00_imip-agent", "^IMIP_TRUSTED = .*", "IMIP_TRUSTED = eq{a}{a}", "anybody can write to"),
			// Users may use each other's addresses in the envelope.
			{eximPasswords + `update-exim4.conf`, `rm /etc/exim4/conf.d/auth/90_test; update-exim4.conf`, "can send with another user's envelope address"},
		})
		// They may not.
		s.run(t, `cp /etc/exim4/conf.d/acl/30_exim4-config_check_mail /root/saved`+eximPasswords+eximOwnSender+`update-exim4.conf`)
		if out, err := s.try(`imip-agent doctor`); err != nil || strings.Contains(out, "envelope address") {
			t.Errorf("where users have their own addresses only: %v\n%s", err, out)
		}
		s.run(t, `cp /root/saved /etc/exim4/conf.d/acl/30_exim4-config_check_mail; rm /etc/exim4/conf.d/auth/90_test; update-exim4.conf`)
		if out, err := s.try(`imip-agent doctor --send paul@example.com`); err != nil || !strings.HasPrefix(out, "ok ") {
			t.Errorf("a message: %v %s", err, out)
		}
	})
}

// findsEach makes faults, one after another, and fails the test unless doctor finds each. A fault is a script that makes it, one
// that mends it, and what doctor must say, beside advice.
func (s *server) findsEach(t *testing.T, faults [][3]string) {
	t.Helper()
	for _, f := range faults {
		s.run(t, f[0])
		out, err := s.try("imip-agent doctor")
		text := out
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, f[2]) || !strings.Contains(text, "-> ") {
			t.Errorf("after %s: %v\n%s\nwant %q", f[0], err, text, f[2])
		}
		s.run(t, f[1])
	}
}
