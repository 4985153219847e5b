package doctor

import (
	"context"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// again is the command that mends most of what can be wrong in Postfix's configuration.
const again = "run `imip-agent setup postfix --domain DOMAIN`, which corrects it"

// postfixConf is Postfix's configuration, as far as it was asked for.
type postfixConf struct {
	ctx      context.Context
	postconf string
	values   map[string]string            // of main.cf
	services []postfixService             // in the order of master.cf
	own      map[string]map[string]string // settings of one service, by SERVICE/TYPE
}

type postfixService struct {
	name    string // SERVICE/TYPE
	chroot  string
	program string
	words   []string // after the program
}

// readPostfix asks Postfix for its configuration.
func readPostfix(ctx context.Context, postconf string) (*postfixConf, error) {
	c := &postfixConf{ctx: ctx, postconf: postconf, values: map[string]string{}, own: map[string]map[string]string{}}
	lines, err := output(ctx, postconf, "-M")
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		if fields := strings.Fields(line); len(fields) >= 8 {
			c.services = append(c.services, postfixService{fields[0] + "/" + fields[1], fields[4], fields[7], fields[8:]})
		}
	}
	if lines, err = output(ctx, postconf, "-P"); err != nil {
		return nil, err
	}
	for _, line := range lines {
		key, value, ok := strings.Cut(line, " = ")
		if !ok {
			key, value = strings.TrimSuffix(line, " ="), ""
		}
		if at := strings.LastIndexByte(key, '/'); at > 0 {
			if c.own[key[:at]] == nil {
				c.own[key[:at]] = map[string]string{}
			}
			c.own[key[:at]][key[at+1:]] = value
		}
	}
	return c, nil
}

// main returns a setting of main.cf, without references to others.
func (c *postfixConf) main(parameter string) string {
	value, known := c.values[parameter]
	if !known {
		if lines, err := output(c.ctx, c.postconf, "-hx", parameter); err == nil {
			value = strings.TrimSpace(strings.Join(lines, " "))
		}
		c.values[parameter] = value
	}
	return value
}

var reference = regexp.MustCompile(`\$(?:\{([a-zA-Z0-9_]+)\}|\(([a-zA-Z0-9_]+)\)|([a-zA-Z0-9_]+))`)

// value returns a setting as it is for a service.
func (c *postfixConf) value(service, parameter string) string {
	own, ok := c.own[service][parameter]
	if !ok {
		return c.main(parameter)
	}
	return reference.ReplaceAllStringFunc(own, func(word string) string {
		return c.main(strings.Trim(word, "${}()"))
	})
}

// elements splits a list. What is in braces belongs together.
func elements(list string) []string {
	var all []string
	depth, start := 0, -1
	for i, r := range list {
		switch {
		case r == '{':
			depth++
		case r == '}':
			depth--
		}
		separator := depth == 0 && (r == ',' || r == ' ' || r == '\t' || r == '\n')
		switch {
		case separator && start >= 0:
			all = append(all, list[start:i])
			start = -1
		case !separator && start < 0:
			start = i
		}
	}
	if start >= 0 {
		all = append(all, list[start:])
	}
	return all
}

// query asks the tables of a list for a key, as Postfix would: the first that has it
// counts. The error is that of a table that cannot be used.
func (c *postfixConf) query(tables, key string) (string, error) {
	for _, table := range elements(tables) {
		if !strings.Contains(table, ":") {
			continue
		}
		out, err := c.postmap("-q", key, table)
		if err != nil || out != "" {
			return strings.TrimSpace(out), err
		}
	}
	return "", nil
}

// postmap runs the program. That it finds nothing is no error.
func (c *postfixConf) postmap(words ...string) (string, error) {
	ctx, cancel := context.WithTimeout(c.ctx, patient)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(path.Dir(c.postconf), "postmap"), words...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	for line := range strings.Lines(said.String()) {
		if err != nil && !strings.Contains(line, "unused parameter") {
			return "", fmt.Errorf("%s", strings.TrimSpace(strings.TrimPrefix(line, "postmap: ")))
		}
	}
	return string(out), nil
}

// keys returns what is in the tables of a list as far as they can be listed, at most so
// many, and whether there may be more.
func (c *postfixConf) keys(tables string, most int) (keys []string, more bool) {
	for _, table := range elements(tables) {
		kind, _, _ := strings.Cut(table, ":")
		if !slices.Contains([]string{"inline", "texthash", "hash", "lmdb", "btree", "cdb"}, kind) {
			more = true
			continue
		}
		out, err := c.postmap("-s", table)
		if err != nil {
			more = true
			continue
		}
		for line := range strings.Lines(out) {
			if len(keys) == most {
				return keys, true
			}
			if fields := strings.Fields(line); len(fields) > 0 {
				keys = append(keys, fields[0])
			}
		}
	}
	return keys, more
}

// postfix looks at Postfix's configuration.
func (d *Doctor) postfix(ctx context.Context, postconf string, report report) (found handler) {
	c, err := readPostfix(ctx, postconf)
	if err != nil {
		report(Postfix, Unknown, "run this as root", "Postfix's configuration cannot be read: %v", err)
		return found
	}
	wrong := 0
	complain := func(status Status, remedy, format string, args ...any) {
		wrong++
		report(Postfix, status, remedy, format, args...)
	}
	milters, without := d.milters(c)
	if len(milters) > 0 {
		piped := slices.ContainsFunc(c.services, func(s postfixService) bool {
			return s.program == "cleanup" && c.value(s.name, "sender_bcc_maps") != "" && strings.Contains(c.value(s.name, "sender_bcc_maps"), d.Config.OutgoingPrefix)
		})
		d.inService(c, milters, without, piped, complain)
		d.running(c, complain)
		if wrong == 0 {
			report(Postfix, OK, "", "Postfix hands in what users send to the service, at %s, which answers", milters[0].address)
		}
		return found
	}
	name, found := d.pipe(c, complain)
	if name == "" {
		return found
	}
	d.copies(c, name, complain)
	d.closed(c, complain)
	d.waiting(c, name, complain)
	if wrong == 0 {
		report(Postfix, OK, "", "transport %s of Postfix runs %s, and gets a copy of what users send", name, found.program)
	}
	return found
}

// pipe looks for the transport that runs the handler, and at its settings.
func (d *Doctor) pipe(c *postfixConf, complain report4) (name string, found handler) {
	for _, s := range c.services {
		if s.program != "pipe" {
			continue
		}
		at := slices.IndexFunc(s.words, func(word string) bool {
			program, ok := strings.CutPrefix(word, "argv=")
			return ok && path.Base(program) == Handler
		})
		if at < 0 {
			continue
		}
		name, _, _ = strings.Cut(s.name, "/")
		found.program = strings.TrimPrefix(s.words[at], "argv=")
		for _, word := range s.words[:at] {
			value, ok := strings.CutPrefix(word, "user=")
			if !ok {
				continue
			}
			userName, groupName, _ := strings.Cut(value, ":")
			var err error
			if found.account, err = lookup(userName, groupName); err != nil {
				complain(Failed, "run `imip-agent setup user`, or correct user= in master.cf", "transport %s: %v", name, err)
			}
		}
		if s.chroot == "y" {
			complain(Failed, again, "transport %s runs in a chroot, where neither the program nor the store is", name)
		}
		if c.value(s.name, "soft_bounce") != "yes" {
			complain(Warning, again,
				"transport %s drops mail if the program is missing or is killed, instead of trying again", name)
		}
		if rest := strings.Join(s.words[at+1:], " "); !strings.Contains(rest, "-o ${recipient}") && !strings.Contains(rest, "-o $recipient") {
			complain(Warning, again, "transport %s does not pass the recipient (-o ${recipient}): with a forged From field anybody can change another user's records", name)
		}
	}
	if name == "" {
		complain(Failed, "run `imip-agent setup postfix --domain DOMAIN`", "no transport of Postfix runs %s", Handler)
		return name, found
	}
	if limit := c.main(name + "_destination_recipient_limit"); limit != "1" {
		complain(Warning, "postconf -e "+name+"_destination_recipient_limit=1", "transport %s takes %s recipients at a time", name, limit)
	}
	if seconds, err := strconv.Atoi(strings.TrimSuffix(c.main(name+"_time_limit"), "s")); err == nil && float64(seconds) <= d.Config.Deadline.Seconds() {
		complain(Warning, fmt.Sprintf("postconf -e %s_time_limit=%ds", name, int(2*d.Config.Deadline.Seconds())),
			"transport %s stops the handler after %d s, before its own limit (DEADLINE)", name, seconds)
	}
	if slices.Contains(elements(c.main("defer_transports")), name) {
		complain(Failed, "remove it from defer_transports in main.cf", "transport %s is in defer_transports: no mail reaches it", name)
	}
	return name, found
}

// report4 is a report of a known examination.
type report4 func(status Status, remedy, format string, args ...any)

// takesUsers reports whether a service is one that users send through, by its name.
func takesUsers(s postfixService) bool {
	host, kind, _ := strings.Cut(s.name, "/")
	port := host[strings.LastIndexByte(host, ':')+1:]
	return s.program == "smtpd" && kind == "inet" && slices.Contains([]string{"submission", "submissions", "smtps", "587", "465"}, port)
}

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

// running looks whether Postfix runs.
func (d *Doctor) running(c *postfixConf, complain report4) bool {
	if _, err := output(c.ctx, filepath.Join(path.Dir(c.postconf), "postfix"), "status"); err != nil {
		complain(Warning, "start it: `postfix start`", "Postfix is not running")
		return false
	}
	return true
}

// waiting looks whether Postfix runs, and for copies that wait.
func (d *Doctor) waiting(c *postfixConf, name string, complain report4) {
	if !d.running(c, complain) {
		return
	}
	lines, err := output(c.ctx, filepath.Join(path.Dir(c.postconf), "postqueue"), "-j")
	if err != nil {
		return
	}
	waiting, reason := 0, ""
	mark := `"address": "` + d.Config.OutgoingPrefix + "+"
	for _, line := range lines {
		if !strings.Contains(line, `"queue_name": "deferred"`) {
			continue
		}
		if _, rest, ok := strings.Cut(line, mark); ok {
			waiting++
			if _, why, ok := strings.Cut(rest, `"delay_reason": "`); ok {
				reason, _, _ = strings.Cut(why, `"`)
			}
		}
	}
	if waiting > 0 {
		complain(Warning, "correct the reason; then `postqueue -f` tries them again at once", "%d copies wait to be handled, the last one since: %s", waiting, reason)
	}
}
