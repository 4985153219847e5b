package mta

import (
	"strings"
	"testing"
)

// What `imip-agent setup postfix` makes of a site: Postfix hands in mail to the service, doctor finds what is wrong with that, and
// all of it can be taken out again.
func TestSetupService(t *testing.T) {
	need(t, "postfix")
	t.Parallel()
	start := strings.ReplaceAll(startService, "/run/imip-agent/milter", "/var/spool/postfix/imip-agent/milter")
	s := newPostfixWith(t, `
		imip-agent setup postfix --remove >/dev/null
		`+dovecotLogins+`
		cp -a /etc/postfix /root/before
		cp /etc/imip-agent/config.txt /root/before.txt
		imip-agent setup postfix --domain example.com
		`+start, "", "", "")
	s.logs = append(s.logs, "/var/log/imip-agent.log", "/var/log/dovecot-test.log")
	const user, guest = "paul@example.com", "vincent@example.org"
	sends := func(login, uid string, hour int) {
		t.Helper()
		to := uid + "-" + guest
		message := invitation(user, user, uid, hour, to)
		if err := sendAs(s.submission, "", login, user, []string{to}, message); err != nil {
			t.Fatalf("%v\n%s", err, s.describe(t))
		}
		unchanged(t, s.arrived(t, to).data, message)
	}
	sends(user, "address", 9)
	s.handled(t, user, "address")
	sends("paul", "name", 10) // which LOGIN_DOMAIN completes
	s.handled(t, user, "name")

	if out, err := s.try(`imip-agent doctor`); err != nil || !strings.Contains(out, "Postfix hands in what users send to the service, at /var/spool/postfix/imip-agent/milter, which answers") ||
		strings.Count(out, "-> ") != 1 { // MESSAGE_SENDER is the example's
		t.Errorf("of a healthy machine: %v\n%s", err, out)
	}
	if out, err := s.try(`imip-agent doctor --send ` + user); err != nil ||
		!strings.HasPrefix(out, "ok       a message from "+user+" has gone through the service at /var/spool/postfix/imip-agent/milter, and was in the records after ") {
		t.Errorf("a message: %v %s", err, out)
	}
	if out, err := s.try(`imip-agent doctor --send ` + user + ` --config /dev/null -S /tmp/nowhere --wait 2s`); err == nil || !strings.Contains(err.Error(), "its event is not in the records") {
		t.Errorf("a message that goes elsewhere: %v %s", err, out)
	}
	main := func(setting, want string) [3]string {
		return [3]string{`cp /etc/postfix/main.cf /root/; postconf -e '` + setting + `'`, `cp /root/main.cf /etc/postfix/`, want}
	}
	const socket = "/var/spool/postfix/imip-agent/milter"
	s.findsEach(t, [][3]string{
		main(`smtpd_milters = unix:/run/imip-agent/milter`, "/var/spool/postfix/run/imip-agent/milter cannot be found"),
		main(`smtpd_milters = unix:imip-agent/milter`, "milter_default_action is tempfail"),
		main(`smtpd_milters = { unix:imip-agent/milter, default_action=reject }`, "milter_default_action is reject"),
		main(`smtpd_milters = { unix:imip-agent/milter, default_action=accept } inet:127.0.0.1:9`, "other milters come after the service"),
		main(`smtpd_sasl_auth_enable = no`, "nobody logs in to Postfix"),
		{`chmod 600 ` + socket, `chmod 660 ` + socket, socket + " cannot be opened by postfix:postfix"},
		{`chgrp www-data ` + socket, `chgrp postfix ` + socket, socket + " cannot be opened by postfix:postfix"},
		{`chmod 700 ` + socket[:len(socket)-7], `chmod 2750 ` + socket[:len(socket)-7], "cannot be opened by postfix:postfix"},
		{`mv ` + socket + ` /root/`, `mv /root/milter ` + socket, socket + " cannot be found: stat " + socket + ": no such file or directory\n         -> have `imip-agent serve` run as imip-agent, and started with the machine: systemd does not run here; or run `imip-agent setup postfix"},
		{`mkdir -p /run/systemd/system; mv ` + socket + ` /root/`, `rmdir /run/systemd/system; mv /root/milter ` + socket, "-> start the service: `systemctl enable --now imip-agent.socket imip-agent.service`; or run `imip-agent setup"},
		{`cp /etc/postfix/master.cf /root/; postconf -Me submission/inet="submission inet n - y - - smtpd -o smtpd_milters="`, `cp /root/master.cf /etc/postfix/`,
			"mail that users send through submission/inet is not handed in"},
		{`cp /etc/imip-agent/config.txt /root/; echo 'LOGINS = "/nowhere"' >> /etc/imip-agent/config.txt`, `cp /root/config.txt /etc/imip-agent/`, "it cannot be read whose logins are"},
		{`cp /etc/imip-agent/config.txt /root/; sed -i /^LOGIN_DOMAIN/d /etc/imip-agent/config.txt`, `cp /root/config.txt /etc/imip-agent/`, "logins that are no addresses are nobody's"},
		{`kill -STOP $(cat /run/serve.pid)`, `kill -CONT $(cat /run/serve.pid)`, "the service does not answer at " + socket},
	})
	// The service and copies at once, and then copies alone.
	s.run(t, `cp -a /etc/postfix /root/milter; cp /etc/imip-agent/config.txt /root/milter.txt
		imip-agent setup postfix --domain example.com --pipe --service "127.0.0.1:$1/inet"
		diff /root/before.txt /etc/imip-agent/config.txt`, port(s.submission))
	s.run(t, `cp -a /etc/postfix/main.cf /root/pipe.cf; postconf -e 'smtpd_milters = { unix:imip-agent/milter, default_action=accept }'`)
	if out, err := s.try(`imip-agent doctor`); !strings.Contains(out, "mail is handled twice") {
		t.Errorf("both at once: %v\n%s", err, out)
	}
	s.run(t, `cp -a /root/pipe.cf /etc/postfix/main.cf`)
	if out, err := s.try(`imip-agent setup postfix --domain example.com --dry-run`); err != nil || strings.Contains(out, "milter") {
		t.Errorf("copies stay: %v %s", err, out)
	}
	s.run(t, `imip-agent setup postfix --domain example.com --milter; diff -r /root/milter /etc/postfix; diff /root/milter.txt /etc/imip-agent/config.txt`)

	// Taken out, the package lets itself be removed.
	s.run(t, `kill $(cat /run/serve.pid); while kill -0 $(cat /run/serve.pid) 2>/dev/null; do sleep 0.1; done`)
	if out, err := s.try(`dpkg --no-triggers -r imip-agent-go`); err == nil || !strings.Contains(err.Error(), "imip-agent setup postfix --remove") {
		t.Errorf("removed while Postfix hands in mail: %v %s", err, out)
	}
	s.run(t, `imip-agent setup postfix --remove; diff -r /root/before /etc/postfix; diff /root/before.txt /etc/imip-agent/config.txt; [ ! -e `+socket+` ]
		dpkg --no-triggers -r imip-agent-go`)
	sends(user, "gone", 11)
}
