package mta

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// newPostfix starts Debian's Postfix as an ordinary site would have it, with what
// `imip-agent setup` makes of it.
func newPostfix(t *testing.T, program, disk, share string) *server {
	t.Helper()
	return newPostfixWith(t, "", program, disk, share)
}

// newPostfixWith is newPostfix with one more script, run before Postfix starts; $1 is the
// port of the service that users send through.
func newPostfixWith(t *testing.T, script, program, disk, share string) *server {
	t.Helper()
	return newPostfixIn(t, "postfix", script, program, disk, share)
}

// newPostfixIn is newPostfixWith in another layer.
func newPostfixIn(t *testing.T, layer, script, program, disk, share string) *server {
	t.Helper()
	s := &server{
		machine: newMachine(t, layer, disk, share),
		sink:    newSink(t),

		submission: freeAddress(t),
		public:     freeAddress(t),

		logs:   []string{"/var/log/postfix.log"},
		done:   `to=<%s>,.* relay=imip-outgoing,.* status=sent`,
		failed: `to=<%s>,.* relay=imip-outgoing,.* status=(deferred|SOFTBOUNCE)`,
		queued: `postqueue -j | wc -l`,
		state:  `postqueue -p`,

		reports: true,
	}
	s.install(t, program)

	// The site: the mailboxes of example.com are elsewhere, as are all others.
	var boxes strings.Builder
	for _, address := range mailboxes() {
		fmt.Fprintf(&boxes, "%s x\n", address)
	}
	s.write(t, "/etc/postfix/mailboxes", boxes.String(), 0o644)
	_, port, _ := net.SplitHostPort(s.submission)
	_, publicPort, _ := net.SplitHostPort(s.public)
	s.run(t, `
		next=smtp:[$1]:$2
		postconf -e myhostname=mail.example.com mydestination=localhost inet_interfaces=127.0.0.1 inet_protocols=ipv4 \
			mynetworks=127.0.0.1/32 virtual_mailbox_domains=example.com \
			virtual_mailbox_maps=texthash:/etc/postfix/mailboxes virtual_transport=$next default_transport=$next \
			disable_dns_lookups=yes smtp_host_lookup=native smtp_tls_security_level=none \
			message_size_limit=41943040 maillog_file=/var/log/postfix.log \
			queue_run_delay=1s minimal_backoff_time=2s maximal_backoff_time=3s
		postconf -MX smtp/inet
		postconf -Me 127.0.0.1:$4/inet="127.0.0.1:$4 inet n - y - - smtpd"
		postconf -Me 127.0.0.1:$3/inet="127.0.0.1:$3 inet n - y - - smtpd"
		newaliases`, s.sink.host, s.sink.port, port, publicPort)

	s.write(t, "/root/users", strings.Join(users(), "\n")+"\n", 0o644)
	s.run(t, `imip-agent setup postfix --domain example.com --users /root/users --service "127.0.0.1:$1/inet"
		warnings=$(postconf -n 2>&1 >/dev/null; postconf -M 2>&1 >/dev/null)
		[ -z "$warnings" ] || { echo "$warnings" >&2; exit 1; }`, port)

	s.limit = func(t *testing.T, seconds int) {
		s.run(t, `postconf -e imip-outgoing_time_limit=$1s; postfix reload`, fmt.Sprint(seconds))
	}
	s.expire = func(t *testing.T, seconds int) {
		s.run(t, `postconf -e maximal_queue_lifetime=$1s bounce_queue_lifetime=$1s delay_warning_time=0; postfix reload`, fmt.Sprint(seconds))
	}
	s.run(t, script, port)
	if out, err := s.try("postfix start"); err != nil {
		t.Fatalf("starting Postfix: %s %v\n%s", out, err, s.describe(t))
	}
	s.listening(t, s.submission)
	s.listening(t, s.public)
	return s
}

func TestPostfix(t *testing.T) {
	need(t, "postfix")
	t.Parallel()
	s := newPostfix(t, "", "", "")
	t.Run("delivery", func(t *testing.T) { testDelivery(t, s) })
	t.Run("failures", func(t *testing.T) { testFailures(t, s) })
	t.Run("expiry", func(t *testing.T) { testExpiry(t, s) })
}

// A transport as configurations for the original have it, with the program's path as
// all that has been changed: options that no longer matter, and lines above the message.
func TestPostfixOriginalTransport(t *testing.T) {
	need(t, "postfix")
	t.Parallel()
	s := newPostfixWith(t, `postconf -MX imip-outgoing/unix
		cat >> /etc/postfix/master.cf <<-'END'
			imip-outgoing unix - n n - - pipe
			  flags=FR user=imip-agent:www-data argv=`+handlerPath+` -o ${recipient} -L -s calendar@example.com
		END
		postfix check`, "", "", "")
	const user, guest = "paul@example.com", "vincent@example.org"
	message := invitation(user, user, "one", 9, guest)
	s.submit(t, user, message, guest)
	unchanged(t, s.arrived(t, guest).data, message)
	s.handled(t, user, "one")
	s.idle(t)
	s.once(t, user)
}
