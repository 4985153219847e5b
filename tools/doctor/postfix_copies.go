package doctor

import (
	"slices"
	"strings"
)

// copies looks whether copies are made of what users send, and where they go.
func (d *Doctor) copies(c *postfixConf, name string, complain report4) {
	// The services that put mail into the queue, and the tables by which each makes copies.
	tables := map[string]string{}
	for _, s := range c.services {
		if s.program == "cleanup" {
			tables[strings.SplitN(s.name, "/", 2)[0]] = c.value(s.name, "sender_bcc_maps")
		}
	}
	by := func(s postfixService) string { return tables[c.value(s.name, "cleanup_service_name")] }
	used := map[string]bool{}
	var unwired, anyone []string
	users, pickup := 0, false
	for _, s := range c.services {
		switch {
		case s.program == "pickup":
			pickup = by(s) != ""
		case s.program == "smtpd" && !takesUsers(s):
		case !takesUsers(s):
			continue
		default:
			users++
			if by(s) == "" {
				unwired = append(unwired, s.name)
			}
		}
		maps := by(s)
		if maps == "" {
			continue
		}
		used[maps] = true
		if s.program == "smtpd" && c.value(s.name, "smtpd_sasl_auth_enable") == "yes" && !c.ownSender(s.name) {
			anyone = append(anyone, s.name)
		}
		if strings.Contains(c.value(s.name, "receive_override_options"), "no_address_mappings") {
			complain(Failed, "remove no_address_mappings from receive_override_options", "service %s has no_address_mappings, and so makes no copies", s.name)
		}
	}
	switch {
	case len(unwired) > 0:
		complain(Failed, again, "no mail that users send through %s is copied to the handler", few(unwired))
	case len(used) == 0:
		complain(Failed, again, "no mail of users is copied to the handler: no service queues its mail by a cleanup service with sender_bcc_maps")
	case users == 0 && len(used) == 1 && pickup && !d.smtpWired(c, by):
		complain(Warning, "enable submission in master.cf, and "+again, "users cannot send mail that is copied: neither submission nor submissions is enabled")
	case !pickup:
		complain(Warning, again, "mail from programs on this machine (pickup, the sendmail command) is not copied to the handler")
	}
	if len(anyone) > 0 {
		complain(Warning, "set smtpd_sender_login_maps, and put reject_sender_login_mismatch at the beginning of smtpd_sender_restrictions",
			"users can send with another user's envelope address through %s, and so change that user's records", few(anyone))
	}
	for maps := range used {
		d.senders(c, name, maps, complain)
	}
}

// ownSender reports whether a service lets users who have authenticated use their own addresses
// only in the envelope: whether one of its lists of restrictions comes to that before it
// permits them.
func (c *postfixConf) ownSender(service string) bool {
	if c.value(service, "smtpd_sender_login_maps") == "" {
		// Then reject_known_sender_login_mismatch does nothing, and the others refuse all mail.
		return false
	}
	// All are looked at when a recipient is named (smtpd_delay_reject), each to its first verdict.
	return slices.ContainsFunc([]string{"client", "helo", "sender", "relay", "recipient", "data", "end_of_data"}, func(stage string) bool {
		own, _ := c.comesToOwnSender(service, c.value(service, "smtpd_"+stage+"_restrictions"), 0)
		return own
	})
}

// comesToOwnSender reports whether a list of restrictions has senders compared with who has
// authenticated, or else permits these before.
func (c *postfixConf) comesToOwnSender(service, list string, depth int) (own, permits bool) {
	for _, word := range elements(list) {
		switch {
		case slices.Contains(ownSenderRestrictions, word):
			return true, false
		case word == "permit_mynetworks" || word == "permit_inet_interfaces": // who is trusted, as before
		case word == "permit" || word == "permit_sasl_authenticated":
			return false, true
		case depth < 5 && slices.Contains(elements(c.value(service, "smtpd_restriction_classes")), word):
			if own, permits := c.comesToOwnSender(service, c.value(service, word), depth+1); own || permits {
				return own, permits
			}
		}
	}
	return false, false
}

// ownSenderRestrictions compare the envelope's sender with who has authenticated.
var ownSenderRestrictions = []string{"reject_sender_login_mismatch", "reject_authenticated_sender_login_mismatch", "reject_known_sender_login_mismatch"}

// smtpWired reports whether another service of the SMTP server makes copies.
func (d *Doctor) smtpWired(c *postfixConf, by func(postfixService) string) bool {
	return slices.ContainsFunc(c.services, func(s postfixService) bool { return s.program == "smtpd" && by(s) != "" })
}

// senders looks at a table of users, and at where the copies go.
func (d *Doctor) senders(c *postfixConf, name, maps string, complain report4) {
	keys, more := c.keys(maps, someUsers)
	known := d.users(c.ctx)
	var missing, copied []string
	found := 0 // of those who have records
	for i, address := range append(append(slices.Clone(known), keys...), d.probe()) {
		if strings.HasPrefix(address, "@") {
			address = "doctor" + address
		}
		to, err := c.query(maps, address)
		if err != nil {
			complain(Failed, "repair the table, or put the users into main.cf: "+again, "the table of users cannot be read, and Postfix refuses users' mail: %v", err)
			return
		}
		switch {
		case to == "" && i < len(known):
			missing = append(missing, address)
		case to != "":
			copied = append(copied, address)
			if i < len(known) {
				found++
			}
			d.destination(c, name, address, to, complain)
		}
	}
	switch {
	case found == 0 && len(known) > 0:
		complain(Failed, "name the users: `imip-agent setup postfix --domain DOMAIN --users LIST`", "the mail of none of the %d users with records is copied", len(known))
	case len(copied) == 0 && !more:
		complain(Failed, "name the users: `imip-agent setup postfix --domain DOMAIN --users LIST`", "nobody's mail is copied: the table of users is empty")
	case len(missing) > 0:
		complain(Warning, "name them too, if they still take part: `imip-agent setup postfix --domain DOMAIN --users LIST`",
			"of %d users with records, the mail of %d is not copied: %s", len(known), len(missing), few(missing))
	}
}

// destination looks where the copies of a user's mail go.
func (d *Doctor) destination(c *postfixConf, name, user, to string, complain report4) {
	if want := d.address(user); !strings.EqualFold(strings.ReplaceAll(to, " ", ""), want) {
		prefix, _, _ := strings.Cut(to, "+")
		if !strings.EqualFold(prefix, d.Config.OutgoingPrefix) {
			complain(Failed, "set OUTGOING_PREFIX to it in config.txt, or "+again,
				"copies of the mail of %s go to %s, which does not begin with OUTGOING_PREFIX %s", user, to, d.Config.OutgoingPrefix)
			return
		}
	}
	_, domain, _ := strings.Cut(to, "@")
	for _, key := range []string{to, "@" + domain} {
		alias, err := c.query(c.main("virtual_alias_maps"), key)
		if err != nil {
			complain(Failed, "repair the table", "virtual_alias_maps cannot be read, and Postfix refuses mail: %v", err)
			return
		}
		if alias == "" {
			continue
		}
		if !strings.EqualFold(alias, to) {
			complain(Failed, again, "an alias redirects mail for %s to %s", to, alias)
			return
		}
		break
	}
	transport, err := c.query(c.main("transport_maps"), to)
	if err == nil && transport == "" {
		transport, err = c.query(c.main("transport_maps"), domain)
	}
	switch {
	case err != nil:
		complain(Failed, "repair the table", "transport_maps cannot be read, and Postfix delivers nothing: %v", err)
	case transport != name && !strings.HasPrefix(transport, name+":"):
		complain(Failed, again+" (with each domain of users)", "mail for %s does not go to transport %s", to, name)
	}
}

// closed looks whether anybody but programs on this machine may write to the addresses
// that copies go to.
func (d *Doctor) closed(c *postfixConf, complain report4) {
	address := d.address(d.probe())
	for _, user := range d.users(c.ctx) { // the domain of users
		address = d.address(user)
		break
	}
	var open []string
	for _, s := range c.services {
		if s.program != "smtpd" || strings.HasSuffix(s.name, "/pass") {
			continue
		}
		if !c.refuses(s.name, c.value(s.name, "smtpd_recipient_restrictions"), address, 0) {
			open = append(open, s.name)
		}
	}
	if len(open) > 0 {
		complain(Failed, again, "anybody can write to %s through %s, and so change users' records: no check_recipient_access refuses it", address, few(open))
	}
}

// refuses reports whether a list of restrictions refuses an address from elsewhere.
func (c *postfixConf) refuses(service, list, address string, depth int) bool {
	all := elements(list)
	for i, word := range all {
		switch {
		case word == "permit_mynetworks" || word == "permit_inet_interfaces":
		case strings.HasPrefix(word, "permit"):
			return false
		case word == "reject" || word == "defer":
			return true
		case word == "check_recipient_access" && i+1 < len(all):
			action, err := c.query(all[i+1], address)
			if err != nil {
				return true // a table that cannot be read refuses everything
			}
			first, _, _ := strings.Cut(action, " ")
			upper := strings.ToUpper(first)
			switch {
			case first == "":
			case upper == "REJECT" || upper == "DEFER" || upper == "HOLD" || upper == "DISCARD" || first[0] == '4' || first[0] == '5':
				return true
			case upper == "OK" || upper == "PERMIT":
				return false
			case depth < 5 && slices.Contains(elements(c.value(service, "smtpd_restriction_classes")), first):
				if c.refuses(service, c.value(service, first), address, depth+1) {
					return true
				}
			}
		}
	}
	return false
}
