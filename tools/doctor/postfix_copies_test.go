package doctor

import "testing"

// Whether users may use others' addresses in the envelope: what a service's restrictions come to.
func TestOwnSender(t *testing.T) {
	const users = "texthash:/etc/postfix/logins"
	for _, test := range []struct {
		why  string
		main map[string]string
		own  map[string]string // of the service
		want bool
	}{
		{"nothing is said", nil, nil, false},
		{"among what is said of senders", map[string]string{"sender": "reject_sender_login_mismatch"}, nil, true},
		{"the same, for who has authenticated", map[string]string{"sender": "reject_authenticated_sender_login_mismatch"}, nil, true},
		{"the same, for addresses that are known", map[string]string{"sender": "reject_non_fqdn_sender, reject_known_sender_login_mismatch"}, nil, true},
		{"who has authenticated is permitted before", map[string]string{"sender": "permit_sasl_authenticated, reject_sender_login_mismatch"}, nil, false},
		{"all are permitted before", map[string]string{"sender": "permit,reject_sender_login_mismatch"}, nil, false},
		{"programs on this machine are permitted before", map[string]string{"sender": "permit_mynetworks\n reject_sender_login_mismatch"}, nil, true},
		{"permitted in one list, refused in the next", map[string]string{"relay": "permit_sasl_authenticated, reject", "recipient": "reject_sender_login_mismatch"}, nil, true},
		{"with a list of the service's own", nil, map[string]string{"smtpd_sender_restrictions": "reject_sender_login_mismatch,permit"}, true},
		{"the service has another list", map[string]string{"sender": "reject_sender_login_mismatch"}, map[string]string{"smtpd_sender_restrictions": "permit"}, false},
		{"by reference", map[string]string{"sender": "reject_sender_login_mismatch"}, map[string]string{"smtpd_relay_restrictions": "$smtpd_sender_restrictions"}, true},
		{"in a class", map[string]string{"sender": "reject_unlisted_sender, own"}, map[string]string{"smtpd_restriction_classes": "other own", "own": "reject_sender_login_mismatch"}, true},
		{"a class that permits", map[string]string{"sender": "own, reject_sender_login_mismatch"}, map[string]string{"smtpd_restriction_classes": "own", "own": "permit_sasl_authenticated"}, false},
		{"a class that names itself", map[string]string{"sender": "own"}, map[string]string{"smtpd_restriction_classes": "own", "own": "own"}, false},
		{"nobody knows whose an address is", map[string]string{"sender": "reject_known_sender_login_mismatch"}, map[string]string{"smtpd_sender_login_maps": ""}, false},
	} {
		c := &postfixConf{ctx: t.Context(), postconf: "/nowhere/postconf",
			values: map[string]string{"smtpd_sender_login_maps": users},
			own:    map[string]map[string]string{"submission/inet": test.own}}
		for stage, list := range test.main {
			c.values["smtpd_"+stage+"_restrictions"] = list
		}
		if got := c.ownSender("submission/inet"); got != test.want {
			t.Errorf("%s: %v, want %v", test.why, got, test.want)
		}
	}
}
