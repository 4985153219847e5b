package mta

import "testing"

// sendAs is send for somebody who authenticates with the password `secret`.
func sendAs(server, local, login, from string, to []string, message []byte) error {
	c, err := connect(server, local)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := logIn(c, login); err != nil {
		return err
	}
	if err := transact(c, from, to, message); err != nil {
		return err
	}
	return c.Quit()
}

// eximPasswords lets users authenticate with the password `secret`.
const eximPasswords = `
		cat > /etc/exim4/conf.d/auth/90_test <<-'END'
			plain_test:
			  driver = plaintext
			  public_name = PLAIN
			  server_condition = ${if eq{$auth3}{secret}}
			  server_set_id = $auth2
			  server_prompts = :
		END
`

// eximOwnSender is the rule that conf/README.md names.
const eximOwnSender = `
		sed -i '/^acl_check_mail:/a\
  deny message = not your address\
    authenticated = *\
    condition = ${if !eqi{$authenticated_id}{$sender_address}}' /etc/exim4/conf.d/acl/30_exim4-config_check_mail
`

// Users who authenticate to Exim have their own mail handled, and reach nobody else's records: neither
// by writing to another's address, nor with another's address in the envelope, where Exim has the
// rule that conf/README.md names.
func TestEximAuthenticated(t *testing.T) {
	need(t, "exim")
	t.Parallel()
	s := newEximWith(t, "exim", eximPasswords+eximOwnSender+`
		update-exim4.conf`, "split", "", "", "")
	const user, victim, guest = "whose@example.com", "paul@example.com", "guest-of-whose@example.org"
	returned := 0
	for _, host := range []string{outside, "127.0.0.1"} {
		for _, to := range []string{"people-outgoing+" + victim, "People-Outgoing+Paul@Example.com", `"people-outgoing+paul"@example.com`} {
			// Debian's Exim takes whatever recipient from who has authenticated, and returns the mail then.
			err := sendAs(s.submission, host, user, user, []string{to}, invitation(victim, victim, "direct", 9, "x@example.org"))
			if err == nil {
				returned++
			}
		}
		if err := sendAs(s.submission, host, user, victim, []string{guest}, invitation(victim, victim, "envelope", 10, guest)); err == nil {
			t.Errorf("a user may have another's address in the envelope, from %s", host)
		}
	}
	// Their own mail is handled, and a forged From field changes nothing.
	for uid, from := range map[string]string{"forged": victim, "own": user} {
		to := uid + "-" + guest
		message := invitation(from, from, uid, 11, to)
		if err := sendAs(s.submission, outside, user, user, []string{to}, message); err != nil {
			t.Fatalf("%v\n%s", err, s.describe(t))
		}
		unchanged(t, s.arrived(t, to).data, message)
	}
	s.handled(t, user, "own")
	s.idle(t)
	if bounces := s.sink.to(user); len(bounces) != returned {
		t.Errorf("%d of %d mails to another's address have been returned", len(bounces), returned)
	}
	s.ran(t, user, 2+returned) // each time for the user whose mail it is
	s.untouched(t, victim)
	if out := s.run(t, "cat /var/lib/imip-agent/rejected/*.txt"); out == "" {
		t.Error("the forged message is not put aside")
	}
}
