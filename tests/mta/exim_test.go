package mta

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// eximStyle returns the script that puts Exim's configuration together in one way.
// $1 and $2 are the host and the port of all recipients, $3 and $4 the ports to listen on.
func eximStyle(t *testing.T, style string) string {
	t.Helper()
	switch style {
	case "split": // Debian's split configuration: a directory with many files
		return `sed -i "s/^dc_use_split_config=.*/dc_use_split_config='true'/" /etc/exim4/update-exim4.conf.conf
			update-exim4.conf`
	case "template": // Debian's configuration in one file
		return `update-exim4.conf`
	case "own": // one that owes nothing to Debian; host names and ports are those of the test
		return `sed -e "s/^MAILBOX_HOST = .*/MAILBOX_HOST = $1::$2/" -e "s/^SMARTHOST = .*/SMARTHOST = $1::$2/" \
			-e "s/^daemon_smtp_ports = .*/local_interfaces = 127.0.0.1.$3 : 127.0.0.1.$4/" \
			-e "s/^\(hostlist relay_from_hosts = 127.0.0.1\) .*/\1/" \
			/usr/share/imip-agent-go/exim/exim4.conf > /etc/exim4/exim4.conf`
	}
	t.Fatalf("no style %q", style)
	return ""
}

// newExim starts Debian's Exim as an ordinary site would have it, with what
// `imip-agent setup` makes of it, in one of the styles.
func newExim(t *testing.T, style, program, disk, share string) *server {
	t.Helper()
	return newEximWith(t, "exim", "", style, program, disk, share)
}

// newEximWith is newExim in another layer and with one more script, run before the
// configuration is put together.
func newEximWith(t *testing.T, layer, script, style, program, disk, share string) *server {
	t.Helper()
	s := &server{
		machine: newMachine(t, layer, disk, share),
		sink:    newSink(t),

		submission: freeAddress(t),
		public:     freeAddress(t),

		logs:   []string{"/var/log/exim4/mainlog", "/var/log/exim4/paniclog"},
		done:   `=> .*%s.* T=imip_person_outgoing`,
		failed: `== .*%s.* T=imip_person_outgoing defer \(0\)`,
		queued: `exim4 -bpc`,
		state:  `exim4 -bp`,
	}
	s.install(t, program)

	// The site: the mailboxes of example.com are elsewhere, as are all others.
	_, port, _ := net.SplitHostPort(s.submission)
	_, publicPort, _ := net.SplitHostPort(s.public)
	s.run(t, `
		cat > /etc/exim4/update-exim4.conf.conf <<-END
			dc_eximconfig_configtype='smarthost'
			dc_other_hostnames='example.com'
			dc_local_interfaces='127.0.0.1.$3 ; 127.0.0.1.$4'
			dc_readhost=''
			dc_relay_domains=''
			dc_minimaldns='true'
			dc_relay_nets=''
			dc_smarthost='$1::$2'
			CFILEMODE='644'
			dc_use_split_config='false'
			dc_hide_mailname=''
			dc_mailname_in_oh='true'
			dc_localdelivery='mail_spool'
		END
		echo mail.example.com > /etc/mailname
		echo 127.0.1.1 mail.example.com mail >> /etc/hosts
		echo "example.com: $1::$2" > /etc/exim4/hubbed_hosts`, s.sink.host, s.sink.port, port, publicPort)

	// As it is set up, but trying again every second.
	s.write(t, "/root/users", strings.Join(users(), "\n")+"\n", 0o644)
	s.run(t, eximStyle(t, style)+"\n"+`
		imip-agent setup exim --domain example.com --pipe --users /root/users
		for file in /etc/exim4/exim4.conf /etc/exim4/exim4.conf.template /etc/exim4/conf.d/retry/*; do
			[ ! -e $file ] || sed -i -e '/^[*]/s/F,2h,15m/F,2h,1s/' -e 's/F,2h,5m/F,2h,1s/' $file
		done
		[ -e /etc/exim4/exim4.conf ] || update-exim4.conf
		`+script, s.sink.host, s.sink.port, port, publicPort)

	change := func(file, from, to string) func(*testing.T, int) {
		return func(t *testing.T, seconds int) {
			s.run(t, `sed -i "s/$1/$2/" /etc/exim4/conf.d/$3
				[ -e /etc/exim4/exim4.conf ] || update-exim4.conf`, from, fmt.Sprintf(to, seconds), file)
		}
	}
	s.limit = change("transport/20_imip-agent", "timeout = 10m", "timeout = %ds")
	s.expire = change("retry/20_imip-agent", "F,2h,.*", "F,%ds,1s")
	if out, err := s.try("exim4 -bd -q1s"); err != nil {
		t.Fatalf("starting Exim: %s %v\n%s", out, err, s.describe(t))
	}
	s.listening(t, s.submission)
	s.listening(t, s.public)
	return s
}

func TestExim(t *testing.T) {
	need(t, "exim")
	t.Run("split", func(t *testing.T) {
		t.Parallel()
		s := newExim(t, "split", "", "", "")
		t.Run("delivery", func(t *testing.T) { testDelivery(t, s) })
		// Somebody of another domain on the list: nothing of theirs is copied anywhere.
		t.Run("another domain", func(t *testing.T) {
			const user, guest = "foreign@elsewhere.example", "guest-of-foreign@example.org"
			s.run(t, `sed -i 's/^IMIP_SENDERS = /&`+user+` : /' /etc/exim4/conf.d/main/00_imip-agent; update-exim4.conf`)
			s.submit(t, user, invitation(user, user, "foreign", 9, guest), guest)
			s.arrived(t, guest)
			s.idle(t)
			s.untouched(t, user)
			if copies := s.sink.to("people-outgoing+" + user); len(copies) > 0 {
				t.Errorf("a copy has left the site: %v", copies)
			}
		})
		t.Run("failures", func(t *testing.T) { testFailures(t, s) })
		t.Run("expiry", func(t *testing.T) { testExpiry(t, s) })
	})
	for _, style := range []string{"template", "own"} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			s := newExim(t, style, "", "", "")
			testDelivery(t, s)
		})
	}
}
