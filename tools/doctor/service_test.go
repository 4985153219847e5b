package doctor

import (
	"testing"

	"imip-agent/conf"
)

// How the service is started: all sockets of systemd that the site uses are named, or the service would not start.
func TestStarting(t *testing.T) {
	for _, test := range []struct {
		systemd    bool
		lmtp, want string
	}{
		{true, "", "start the service: `systemctl enable --now imip-agent.socket imip-agent.service`"},
		{true, "/run/imip-agent/lmtp", "start the service: `systemctl enable --now imip-agent.socket imip-agent-lmtp.socket imip-agent.service`"},
		{true, "127.0.0.1:8893", "start the service: `systemctl enable --now imip-agent.socket imip-agent.service`"}, // which the service opens itself
		{false, "/run/imip-agent/lmtp", "have `imip-agent serve` run as imip-agent, and started with the machine: systemd does not run here"},
	} {
		d := &Doctor{Systemd: test.systemd, Config: conf.Config{LMTPSocket: test.lmtp}}
		if got := d.starting(); got != test.want {
			t.Errorf("%v %q: %s", test.systemd, test.lmtp, got)
		}
	}
}
