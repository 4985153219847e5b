package mta

import "testing"

// newChasquid starts Debian's chasquid as an ordinary site would have it, with our hook. Users log in with the password `secret`.
// The mailboxes of all domains are behind an LMTP server.
func newChasquid(t *testing.T, script string) *server {
	t.Helper()
	return newChasquidWith(t, script, "")
}

// newChasquidWith is newChasquid with a directory that the machine shares.
func newChasquidWith(t *testing.T, script, share string) *server {
	t.Helper()
	s := &server{
		machine: newMachine(t, "chasquid", "", share),
		sink:    newSink(t),

		submission: freeAddress(t),
		public:     freeAddress(t),

		logs:   []string{"/var/log/chasquid.log"},
		done:   "nothing is piped for %s",
		failed: "nothing is piped for %s",
		queued: `find /var/lib/chasquid/queue -type f | wc -l`,
		state:  `ls -l /var/lib/chasquid/queue`,
	}
	s.installPackage(t)
	s.certificate(t, "/etc/chasquid/certs/mail.example.com/fullchain.pem", "/etc/chasquid/certs/mail.example.com/privkey.pem")
	s.copyIn(t, "../../conf/chasquid/post-data", "/etc/chasquid/hooks/post-data")
	s.run(t, logins+`
		# Nobody asks name servers.
		rm -f /etc/resolv.conf
		echo nameserver 127.0.0.254 > /etc/resolv.conf
		# Guests are here, too: to others it sends by port 25 alone.
		mkdir -p /etc/chasquid/domains/example.com /etc/chasquid/domains/example.org
		for name in paul simon simon-login; do chasquid-util user-add $name@example.com --password=secret; done
		for name in own mapped forged plain large away-term away-kill back-term back-kill; do
			chasquid-util user-add $name-vincent@example.org --password=secret
		done >/dev/null
		echo "simon-login@example.com simon@example.com" > /etc/imip-agent/logins
		chown -R chasquid: /etc/chasquid /var/lib/chasquid
		cat > /etc/chasquid/chasquid.conf <<-END
			hostname: "mail.example.com"
			submission_address: "127.0.0.1:$2"
			smtp_address: "127.0.0.1:$3"
			mail_log_path: "<stderr>"
			mail_delivery_agent_bin: "/usr/bin/mda-lmtp"
			mail_delivery_agent_args: "--addr_network"
			mail_delivery_agent_args: "tcp"
			mail_delivery_agent_args: "--addr"
			mail_delivery_agent_args: "$1"
			mail_delivery_agent_args: "-f"
			mail_delivery_agent_args: "%from%"
			mail_delivery_agent_args: "-d"
			mail_delivery_agent_args: "%to%"
		END
		`+script, s.sink.lmtp(t), port(s.submission), port(s.public))
	s.run(t, `setsid setpriv --reuid=chasquid --regid=chasquid --init-groups chasquid </dev/null >/var/log/chasquid.log 2>&1 &`)
	s.listening(t, s.submission)
	s.listening(t, s.public)
	return s
}

// Through a real chasquid, by its hook.
func TestChasquid(t *testing.T) {
	need(t, "chasquid")
	t.Parallel()
	start := serves("chasquid")
	s := newChasquid(t, start)
	service := &service{
		server: s, start: start,
		submit: func(login, from, to string, message []byte) error {
			if login == "simon-login" {
				login += "@example.com" // chasquid has no others
			}
			return sendEncrypted(s.submission, login, from, []string{to}, message)
		},
	}
	service.test(t)
}
