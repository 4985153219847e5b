package mta

import (
	"fmt"
	"strings"
	"testing"
)

// testSenders sends from a user and from somebody who is none: the other ways to
// say who the users are.
func testSenders(t *testing.T, s *server, others ...string) {
	t.Helper()
	const user, guest = "paul@example.com", "guest-of-paul@example.org"
	message := invitation(user, user, "listed", 9, guest)
	s.submit(t, "Paul@Example.com", message, guest)
	unchanged(t, s.arrived(t, guest).data, message)
	s.handled(t, user, "listed")
	s.idle(t)
	s.once(t, user)
	for _, other := range others {
		guest := "guest-of-" + strings.NewReplacer("@", "-", "*", "star").Replace(other) + "@example.org"
		message := invitation(other, other, "unlisted", 9, guest)
		s.submit(t, other, message, guest)
		unchanged(t, s.arrived(t, guest).data, message)
		s.idle(t)
		s.untouched(t, other)
	}
}

// Everybody in a domain is a user, save some.
func TestSendersDomain(t *testing.T) {
	t.Run("postfix", func(t *testing.T) {
		need(t, "postfix")
		t.Parallel()
		s := newPostfixWith(t, `imip-agent setup postfix --domain example.com --everyone --service "127.0.0.1:$1/inet"`,
			"", "", "")
		testSenders(t, s, "postmaster@example.com", "sam@example.net")
	})
	t.Run("exim", func(t *testing.T) {
		need(t, "exim")
		t.Parallel()
		s := newEximWith(t, "exim", `imip-agent setup exim --domain example.com --everyone`,
			"split", "", "", "")
		testSenders(t, s, "postmaster@example.com", "sam@example.net")
	})
}

// Who is a user is in a directory.
func TestSendersLDAP(t *testing.T) {
	t.Run("postfix", func(t *testing.T) {
		need(t, "postfix")
		t.Parallel()
		directory := freeAddress(t)
		s := newPostfixWith(t, slapd(directory)+`
			postconf -e imip_sender_bcc_maps=ldap:/etc/postfix/imip-agent/senders-ldap.cf
			install -D -m 644 /usr/share/imip-agent-go/postfix/senders-ldap.cf /etc/postfix/imip-agent/senders-ldap.cf
			sed -i 's,ldap://127.0.0.1,ldap://`+directory+`,' /etc/postfix/imip-agent/senders-ldap.cf`, "", "", "")
		testSenders(t, s, "sara@example.com", "*@example.com")
	})
	t.Run("exim", func(t *testing.T) {
		need(t, "exim-ldap")
		t.Parallel()
		directory := freeAddress(t)
		s := newEximWith(t, "exim-ldap", slapd(directory)+`
			imip-agent setup exim --domain example.com --everyone
			sed -i -e '/^IMIP_MEMBER/d' -e 's/^#\(IMIP_MEMBER = .*ldap\)/\1/' -e 's,ldap://127.0.0.1,ldap://`+directory+`,' \
				/etc/exim4/conf.d/main/00_imip-agent
			update-exim4.conf`, "split", "", "", "")
		testSenders(t, s, "sara@example.com", "*@example.com")
	})
}

// slapd is a script that starts a directory server with one user in it, who has two addresses.
func slapd(address string) string {
	return strings.ReplaceAll(fmt.Sprintf(`
		mkdir -p /root/ldap/db
		cat > /root/ldap/slapd.conf <<END
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile /root/ldap/pid
database mdb
suffix dc=example,dc=com
directory /root/ldap/db
END
		cat > /root/ldap/people.ldif <<END
dn: dc=example,dc=com
objectClass: organization
objectClass: dcObject
o: Example
dc: example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid=paul,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: paul
cn: Paul Boddie
sn: Boddie
mail: boss@example.com
mail: paul@example.com
END
		slapadd -f /root/ldap/slapd.conf -l /root/ldap/people.ldif
		slapd -f /root/ldap/slapd.conf -h ldap://%s >/dev/null 2>&1
`, address), "END\n\t", "END\n")
}
