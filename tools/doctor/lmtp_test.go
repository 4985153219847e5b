package doctor

import (
	"testing"

	"imip-agent/conf"
)

// Where a transport of Postfix goes, and whether that is the service.
func TestLMTPPlace(t *testing.T) {
	c := &postfixConf{ctx: t.Context(), postconf: "/nowhere/postconf", values: map[string]string{"queue_directory": "/var/spool/postfix", "compatibility_level": "3.6"},
		services: []postfixService{{name: "lmtp/unix", chroot: "y", program: "lmtp"}, {name: "open/unix", chroot: "n", program: "lmtp"}, {name: "smtp/unix", chroot: "y", program: "smtp"}}}
	d := &Doctor{Config: conf.Config{LMTPSocket: "127.0.0.1:8893"}}
	for _, test := range []struct {
		transport, network, address string
		ours                        bool
	}{
		{"lmtp:unix:imip-agent/lmtp", "unix", "/var/spool/postfix/imip-agent/lmtp", true},
		{"lmtp:unix:/run/imip-agent/lmtp", "unix", "/var/spool/postfix/run/imip-agent/lmtp", true}, // which is not there
		{"open:unix:/run/imip-agent/lmtp", "unix", "/run/imip-agent/lmtp", true},
		{"open:unix:private/dovecot-lmtp", "unix", "/var/spool/postfix/private/dovecot-lmtp", false},
		{"lmtp:inet:localhost:8893", "tcp", "127.0.0.1:8893", true},
		{"lmtp:[127.0.0.1]:8893", "tcp", "127.0.0.1:8893", true},
		{"lmtp:inet:127.0.0.1:24", "tcp", "127.0.0.1:24", false},
		{"smtp:unix:imip-agent/lmtp", "", "", false},
		{"lmtp:", "", "", false},
		{"other:unix:imip-agent/lmtp", "", "", false},
		{"", "", "", false},
	} {
		_, network, address := c.lmtpPlace(test.transport)
		if network != test.network || address != test.address || d.isLMTP(address) != test.ours {
			t.Errorf("%q: %s %s, ours: %v", test.transport, network, address, d.isLMTP(address))
		}
	}
}

// By which setting mail of a domain is delivered.
func TestRoute(t *testing.T) {
	for _, test := range []struct {
		why, want string
		values    map[string]string
	}{
		{"virtual mailboxes", "lmtp:unix:x", map[string]string{"virtual_mailbox_domains": "example.net, Example.org", "virtual_transport": "lmtp:unix:x"}},
		{"accounts", "lmtp:unix:y", map[string]string{"mydestination": "localhost example.org", "local_transport": "local:$myhostname", "mailbox_transport": "lmtp:unix:y"}},
		{"not by local(8)", "lmtp:unix:z", map[string]string{"mydestination": "example.org", "local_transport": "lmtp:unix:z"}},
		{"another host", "relay", map[string]string{"relay_domains": "example.org", "relay_transport": "relay"}},
		{"elsewhere", "", map[string]string{"mydestination": "localhost"}},
	} {
		for _, name := range []string{"transport_maps", "mydestination", "local_transport", "mailbox_transport", "mailbox_transport_maps", "virtual_mailbox_domains", "virtual_transport", "relay_domains", "relay_transport"} {
			if _, set := test.values[name]; !set {
				test.values[name] = ""
			}
		}
		c := &postfixConf{ctx: t.Context(), postconf: "/nowhere/postconf", values: test.values}
		if got, err := c.route("paul@example.org"); err != nil || got != test.want {
			t.Errorf("%s: %q %v, want %q", test.why, got, err, test.want)
		}
	}
}
