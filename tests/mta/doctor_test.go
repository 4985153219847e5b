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
	common := [][3]string{
		{`mv ` + handlerPath + ` /root/`, `mv /root/imip_person_outgoing /usr/bin/`, "not there or not a program"},
		{`chown root /var/lib/imip-agent/store; chmod 2750 /var/lib/imip-agent/store`, `chown imip-agent /var/lib/imip-agent/store; chmod 2770 /var/lib/imip-agent/store`, "cannot be written by imip-agent:www-data"},
		{`chmod 0700 /var/lib/imip-agent; chown root /var/lib/imip-agent`, `chmod 2750 /var/lib/imip-agent; chown imip-agent /var/lib/imip-agent`, "nothing can be put aside"},
		{`chmod 600 /etc/imip-agent/config.txt`, `chmod 644 /etc/imip-agent/config.txt`, "does not handle a message"},
		{`mv /etc/imip-agent/config.txt /root/; mkdir /etc/imip-agent/config.txt`, `rmdir /etc/imip-agent/config.txt; mv /root/config.txt /etc/imip-agent/`, "read the configuration"},
	}
	for _, f := range append(common, faults...) {
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
	if out, err := s.try("imip-agent doctor; ls -A /var/lib/imip-agent"); err != nil || strings.Contains(out, ".imip-agent-doctor") {
		t.Errorf("when all is mended: %v\n%s", err, out)
	}
}

func TestDoctor(t *testing.T) {
	t.Run("postfix", func(t *testing.T) {
		need(t, "postfix")
		t.Parallel()
		s := newPostfix(t, "", "", "")
		testDoctor(t, s, [][3]string{
			{`postconf -PX imip-outgoing/unix/soft_bounce`, `postconf -P imip-outgoing/unix/soft_bounce=yes`, "gives mail up"},
			{`postconf -X imip-outgoing_destination_recipient_limit`, `postconf -e imip-outgoing_destination_recipient_limit=1`, "recipients at a time"},
			{`sed -i.bak s/example/elsewhere/ /etc/imip-agent/postfix/transport`, `mv /etc/imip-agent/postfix/transport.bak /etc/imip-agent/postfix/transport`, "does not go to transport imip-outgoing"},
			{`cp /etc/postfix/master.cf /root/; postconf -MX imip-outgoing/unix`, `cp /root/master.cf /etc/postfix/`, "no transport of Postfix runs"},
			{`cp /etc/postfix/master.cf /root/; sed -i 's/cleanup_service_name=imip-cleanup/x=y/; s/sender_bcc_maps=/z=/' /etc/postfix/master.cf`, `cp /root/master.cf /etc/postfix/`, "nothing of what users send is copied"},
		})
	})
	t.Run("exim", func(t *testing.T) {
		need(t, "exim")
		t.Parallel()
		s := newExim(t, "split", "", "", "")
		fault := func(file, from, to, want string) [3]string {
			return [3]string{
				`cp /etc/imip-agent/exim/` + file + ` /root/; sed -i 's/` + from + `/` + to + `/' /etc/imip-agent/exim/` + file + `; update-exim4.conf`,
				`cp /root/` + file + ` /etc/imip-agent/exim/; update-exim4.conf`,
				want,
			}
		}
		testDoctor(t, s, [][3]string{
			fault("transports", "^  temp_errors = .*", "", "gives mail up if the program fails"),
			fault("transports", "^  timeout_defer", "", "takes too long"),
			fault("macros", "^IMIP_DOMAINS = .*", "IMIP_DOMAINS = example.net", "does not go to the handler"),
			fault("macros", "^IMIP_PROGRAM = .*", "IMIP_PROGRAM = \\/bin\\/cat", "no transport of Exim runs"),
		})
	})
}
