package mta

import (
	"strings"
	"testing"
)

// eximService has Exim hand copies and mail for users to our service by LMTP, in place of running programs, in front of a
// mailbox server at $mailbox.
const eximService = `
		imip-agent setup exim --domain example.com --users /root/users --incoming --mailbox $mailbox
		cd /etc/exim4/conf.d/transport
		file=$(grep -l '^imip_person_outgoing:' *)
		sed -i '/^# The handler/,$d' $file
		for other in $(grep -l '^imip_person:' *); do rm $other; done
		cat /usr/share/imip-agent-go/exim/service-transports >> $file
		sed -i 's/F,2h,5m/F,2h,1s/' /etc/exim4/conf.d/retry/*
		cd /
		printf 'LMTP_SOCKET = "/run/imip-agent/lmtp"\nMAILBOX_SERVER = "%s"\nSYSLOG = None\n' $mailbox >> /etc/imip-agent/config.txt
		update-exim4.conf
`

// Through a real Exim, which knows no milters: copies, and mail that arrives, by LMTP to the service.
func TestEximService(t *testing.T) {
	need(t, "exim")
	t.Parallel()
	d := newDovecot(t)
	start := serves("Debian-exim")
	s := newEximWith(t, "exim", "mailbox="+d.socket+"\n"+eximService+start, "split", "", "", d.dir)
	s.logs = append(s.logs, "/var/log/imip-agent.log")

	const user, stranger, guest = "paul@example.com", "vincent@example.org", "guest@example.org"
	message := invitation(user, user, "one", 9, guest)
	s.submit(t, user, message, guest)
	unchanged(t, s.arrived(t, guest).data, message)
	s.handled(t, user, "one")
	s.idle(t)
	s.once(t, user)

	// What arrives for users has a summary; what has no calendar is as it was.
	arriving := invitation(stranger, stranger, "arrived", 10, "simon@example.com")
	outsider(t, s, arriving, "simon@example.com")
	summarized(t, d.gets(t, s, "simon@example.com", 1), arriving)
	s.requested(t, "simon@example.com", "arrived", true)
	plain := letter(stranger, "plain", "simon@example.com")
	outsider(t, s, plain, "simon@example.com")
	boxed(t, d.gets(t, s, "simon@example.com", 2), plain)

	// In a user's name from outside: nothing of that user changes.
	const victim = "whose@example.com"
	forged := invitation(victim, victim, "forged", 11, "later@example.com")
	if err := send(s.public, outside, victim, []string{"later@example.com"}, forged); err != nil {
		t.Fatal(err)
	}
	d.gets(t, s, "later@example.com", 1)
	s.untouched(t, victim)

	// While the service is away, mail goes out, and waits for the calendar and for mailboxes.
	s.run(t, `kill $(cat /run/serve.pid); while kill -0 $(cat /run/serve.pid) 2>/dev/null; do sleep 0.1; done`)
	message = invitation(user, user, "away", 12, "away-"+guest)
	s.submit(t, user, message, "away-"+guest)
	unchanged(t, s.arrived(t, "away-"+guest).data, message)
	outsider(t, s, invitation(stranger, stranger, "waits", 13, "case@example.com"), "case@example.com")
	eventually(t, "two mails that wait", func() bool { return s.length(t) == "2" }, func() string { return s.describe(t) })
	s.run(t, strings.Replace(start, "[ -d", "rm -f /run/imip-agent/*; [ -d", 1))
	s.handled(t, user, "away")
	if mails := d.gets(t, s, "case@example.com", 1); len(mails) == 1 {
		s.requested(t, "case@example.com", "waits", true)
	}
	s.noBounce(t, user)
	s.noBounce(t, stranger)
}
