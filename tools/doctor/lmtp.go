package doctor

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"imip-agent/conf"
)

// handover is how the mail system hands mail to the service by LMTP.
type handover struct {
	system string // the mail system, as it is examined
	ways   []way
	complaints
	// handed reports whether mail for an address goes to the service.
	handed func(address string) bool
	// listed returns addresses of users, as far as they are in a list.
	listed func() []string
}

// way is one way to the service.
type way struct {
	name    string // what connects: SERVICE/TYPE of master.cf, or transport NAME
	network string // "unix" or "tcp"
	address string // as it is outside of a chroot
	account account
}

// isLMTP reports whether a place is the service's own.
func (d *Doctor) isLMTP(place string) bool {
	own := d.Config.LMTPSocket
	return place != "" && own != "" && loopback(place) == loopback(own) || strings.HasSuffix(place, "/imip-agent/lmtp")
}

// findHandover returns how mail is handed to the service by LMTP, nil if it is not.
func (d *Doctor) findHandover(ctx context.Context) *handover {
	if postconf, ok := d.Find("postconf"); ok {
		c, err := readPostfix(ctx, postconf)
		if err != nil {
			return nil // said already
		}
		return d.handoverPostfix(c)
	}
	for _, name := range []string{"exim4", "exim"} {
		if exim, ok := d.Find(name); ok {
			return d.handoverExim(ctx, exim)
		}
	}
	return nil
}

// lmtpTransport is what a table of Postfix names for LMTP.
var lmtpTransport = regexp.MustCompile(`[A-Za-z0-9_-]+:(?:unix:|inet:)?[A-Za-z0-9_./:\[\]-]+`)

// handoverPostfix looks for the service in Postfix's configuration: among what is named there, and where mail of users goes.
func (d *Doctor) handoverPostfix(c *postfixConf) *handover {
	var named []string
	for _, parameter := range []string{"transport_maps", "mailbox_transport_maps", "virtual_transport", "mailbox_transport", "local_transport", "relay_transport"} {
		named = append(named, lmtpTransport.FindAllString(c.main(parameter), -1)...)
	}
	for _, user := range d.users(c.ctx) {
		if to, err := c.route(user); err == nil {
			named = append(named, to)
		}
	}
	h := &handover{system: Postfix, listed: func() []string { return nil }}
	owner, _ := lookup(c.main("mail_owner"), "") // with no group but its own
	for _, transport := range named {
		s, network, address := c.lmtpPlace(transport)
		w := way{s.name, network, address, owner}
		if !d.isLMTP(address) || slices.Contains(h.ways, w) {
			continue
		}
		h.ways = append(h.ways, w)
		for _, word := range s.words {
			if flags, ok := strings.CutPrefix(word, "flags="); ok && strings.ContainsAny(flags, "DOX") {
				h.add(Warning, "remove these flags in master.cf", "the service %s adds lines to each message (flags=%s), and mail that is tried again can reach the mailbox twice", s.name, flags)
			}
		}
	}
	if len(h.ways) == 0 {
		return nil
	}
	h.handed = func(address string) bool {
		to, err := c.route(address)
		_, _, place := c.lmtpPlace(to)
		return err == nil && d.isLMTP(place)
	}
	return h
}

// lmtpPlace returns where a transport of Postfix goes by LMTP, and the service of master.cf that does it. Nothing if it does not.
func (c *postfixConf) lmtpPlace(transport string) (s postfixService, network, address string) {
	name, to, _ := strings.Cut(transport, ":")
	at := slices.IndexFunc(c.services, func(s postfixService) bool { return s.name == name+"/unix" && s.program == "lmtp" })
	if at < 0 || to == "" {
		return s, "", ""
	}
	s = c.services[at]
	if place, ok := strings.CutPrefix(to, "unix:"); ok {
		// Postfix runs in its queue directory, in a chroot or not.
		if s.chroot == "y" || s.chroot == "-" && c.chrootsByDefault() || !strings.HasPrefix(place, "/") {
			place = path.Join(c.main("queue_directory"), place)
		}
		return s, "unix", place
	}
	return s, "tcp", loopback(strings.NewReplacer("[", "", "]", "").Replace(strings.TrimPrefix(to, "inet:")))
}

// route returns the transport that takes the mail of an address on.
func (c *postfixConf) route(address string) (string, error) {
	transport, err := c.incomingTransport(address)
	if err != nil || transport != "" {
		return transport, err
	}
	_, domain, _ := strings.Cut(address, "@")
	switch {
	case c.has("mydestination", domain):
		if local := c.main("local_transport"); local != "local" && !strings.HasPrefix(local, "local:") {
			return local, nil
		}
		return c.main("mailbox_transport"), nil
	case c.has("virtual_mailbox_domains", domain):
		return c.main("virtual_transport"), nil
	case c.has("relay_domains", domain):
		return c.main("relay_transport"), nil
	}
	return "", nil
}

// has reports whether a list of domains has one.
func (c *postfixConf) has(parameter, domain string) bool {
	for _, word := range elements(c.main(parameter)) {
		if strings.EqualFold(word, domain) {
			return true
		}
		if !strings.Contains(word, ":") {
			continue
		}
		if value, err := c.query(word, domain); err == nil && value != "" {
			return true
		}
	}
	return false
}

// eximTransport is a transport of Exim, with its options.
type eximTransport struct {
	name    string
	options map[string]string
}

// eximTransports returns the transports of Exim.
func eximTransports(ctx context.Context, exim string) (all []eximTransport, err error) {
	lines, err := output(ctx, exim, "-bP", "transports")
	for _, line := range lines {
		if name, ok := strings.CutSuffix(line, " transport:"); ok {
			all = append(all, eximTransport{name, map[string]string{}})
		} else if key, value, _ := strings.Cut(line, " = "); len(all) > 0 {
			all[len(all)-1].options[key] = value
		}
	}
	return all, err
}

// toService returns the transports of Exim that hand mail to the service.
func (d *Doctor) toService(ctx context.Context, exim string) []eximTransport {
	all, _ := eximTransports(ctx, exim) // what is wrong with it has been said
	return slices.DeleteFunc(all, func(t eximTransport) bool { return t.options["driver"] != "lmtp" || !d.isLMTP(t.options["socket"]) })
}

// handoverExim looks for the service in Exim's configuration.
func (d *Doctor) handoverExim(ctx context.Context, exim string) *handover {
	found := d.toService(ctx, exim)
	if len(found) == 0 {
		return nil
	}
	h := &handover{system: Exim, listed: func() []string { return d.senderList(ctx, exim) }}
	for _, t := range found {
		for _, option := range []string{"delivery_date_add", "envelope_to_add", "return_path_add"} {
			if _, set := t.options[option]; set {
				h.add(Warning, "remove `"+option+"`", "transport %s adds a line to each message, and mail that is tried again can reach the mailbox twice", t.name)
			}
		}
		a, err := lookup(t.options["user"], t.options["group"])
		if err != nil {
			h.add(Failed, againExim, "transport %s: %v", t.name, err)
		}
		if w := (way{"transport " + t.name, "unix", t.options["socket"], a}); !slices.ContainsFunc(h.ways, func(o way) bool { return o.address == w.address && o.account == a }) {
			h.ways = append(h.ways, w)
		}
	}
	h.handed = func(address string) bool {
		lines, _ := output(ctx, exim, "-f", "<>", "-bt", address)
		return slices.ContainsFunc(lines, func(line string) bool {
			return slices.ContainsFunc(found, func(t eximTransport) bool { return strings.HasSuffix(line, "transport = "+t.name) })
		})
	}
	return h
}

// setUp is the command that mends most of what can be wrong.
func (h *handover) setUp() string { return againIncoming(h.system) }

// reaches looks whether the mail system gets to the service.
func (d *Doctor) reaches(ctx context.Context, h *handover, id string, report report) bool {
	for _, c := range h.complaints {
		report(id, c.status, c.remedy, "%s", c.text)
	}
	start := d.starting()
	for _, w := range h.ways {
		if w.network == "unix" && w.account.known {
			if err := w.account.mayOpen(ctx, w.address); err != nil {
				remedy := h.setUp()
				if errors.Is(err, fs.ErrNotExist) {
					remedy = start + "; or " + remedy
				}
				report(id, Failed, remedy,
					"no mail reaches the service by LMTP (%s), and mail waits: %v", w.name, err)
				return false
			}
		}
		if d.Ask == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, patient)
		_, err := d.Ask(ctx, LMTP, w.address, nil)
		cancel()
		if err != nil {
			report(id, Failed, start+"; its log says why it does not answer",
				"the service does not answer at %s, and mail waits: %v", w.address, err)
			return false
		}
	}
	return true
}

// arrivingByLMTP looks at how mail that arrives is handed to the service, and at the mailbox server behind it.
func (d *Doctor) arrivingByLMTP(ctx context.Context, report report) {
	h := d.findHandover(ctx)
	if h == nil {
		if d.Config.MailboxServer != "" {
			report(Incoming, Warning, "run `imip-agent setup postfix` or `imip-agent setup exim` with --domain DOMAIN --incoming, or unset MAILBOX_SERVER",
				"MAILBOX_SERVER is set, but no mail that arrives is handed to the service")
		}
		return
	}
	users := d.users(ctx)
	if len(users) == 0 {
		users = h.listed()
	}
	resources, _, _ := conf.LoadResources(d.Config.Resources) // which the examination of resources tells
	users = slices.DeleteFunc(users, func(user string) bool { return strings.HasPrefix(user, "@") || resources.Has(user) })
	users = users[:min(len(users), someUsers)]
	var missing []string
	for _, user := range users {
		if !h.handed(user) {
			missing = append(missing, user)
		}
	}
	if d.Config.MailboxServer == "" && len(missing) == len(users) && !h.handed(d.probe()) {
		return // it is for resources alone, or for copies
	}
	answers := d.reaches(ctx, h, Incoming, report)
	list := "see the tables in " + h.system + "'s configuration; " + h.setUp()
	switch {
	case len(users) > 0 && len(missing) == len(users):
		report(Incoming, Failed, list, "mail that arrives goes past the service, such as that for %s", few(missing))
	case len(missing) > 0:
		report(Incoming, Warning, list, "of %d users, the mail that arrives for %d goes past the service: %s", len(users), len(missing), few(missing))
	case answers:
		report(Incoming, OK, "", "mail that arrives for users goes to the service, at %s, which answers", h.ways[0].address)
	}
	switch server := d.Config.MailboxServer; {
	case server == "":
		report(Incoming, Failed, "set MAILBOX_SERVER, or "+h.setUp(), "the service knows no mailbox server (MAILBOX_SERVER), and all mail of users waits")
		return
	case d.isLMTP(server):
		report(Incoming, Failed, "set MAILBOX_SERVER to the mailbox server's own place", "the service hands mail to itself: MAILBOX_SERVER is %s", server)
		return
	}
	d.mailboxes(ctx, &incoming{system: h.system, lmtp: d.Config.MailboxServer, account: d.owner()}, users, report)
	d.answers(ctx, report)
}

// decidingByLMTP looks at how mail for resources is handed to the service, and reports whether any mail is handed over.
func (d *Doctor) decidingByLMTP(ctx context.Context, resources []string, report report) bool {
	h := d.findHandover(ctx)
	if h == nil {
		return false
	}
	known, warnings, err := conf.LoadResources(d.Config.Resources)
	if err != nil {
		report(Resources, Failed, "correct RESOURCES", "it cannot be read who the resources are: %v", err)
		return true
	}
	for _, warning := range warnings {
		report(Resources, Warning, "correct the line", "%v", warning)
	}
	for _, address := range strings.FieldsFunc(d.Config.Resources, func(r rune) bool { return r == ' ' || r == ',' }) {
		if strings.Contains(address, "@") && !slices.Contains(resources, strings.ToLower(address)) {
			resources = append(resources, strings.ToLower(address))
		}
	}
	again := "run `imip-agent setup " + h.system + " --domain DOMAIN --resources LIST` with all resources"
	var past, people []string
	for _, address := range resources[:min(len(resources), someUsers)] {
		switch {
		case !h.handed(address):
			past = append(past, address)
		case !known.Has(address):
			people = append(people, address)
		}
	}
	if len(past) > 0 {
		report(Resources, Warning, again, "mail for %s does not go to the service: nothing answers for it", few(past))
	}
	if len(people) > 0 {
		report(Resources, Failed, "add it to RESOURCES, or "+again, "the service takes %s for a user's address: RESOURCES lacks it", few(people))
	}
	if answered := len(resources) - len(past) - len(people); answered > 0 && d.reaches(ctx, h, Resources, report) {
		if d.answers(ctx, func(id string, status Status, remedy, format string, args ...any) {
			if status != OK {
				report(Resources, status, remedy, format, args...)
			}
		}) {
			report(Resources, OK, "", "mail for %d resources goes to the service, at %s", answered, h.ways[0].address)
		}
	}
	return true
}

// answers looks whether the mail server for answers answers.
func (d *Doctor) answers(ctx context.Context, report report) bool {
	if d.Ask == nil {
		return true
	}
	if _, err := d.Ask(ctx, SMTP, d.Config.SMTPHost, nil); err != nil {
		report(Incoming, Failed, "start it, or correct SMTP_HOST in config.txt", "the mail server for answers (SMTP_HOST) does not answer, and mail with an answer waits: %v", err)
		return false
	}
	report(Incoming, OK, "", "the mail server for answers, %s (SMTP_HOST), answers", d.Config.SMTPHost)
	return true
}

// copiesByLMTP reports whether copies of what users send go to the service.
func (d *Doctor) copiesByLMTP(c *postfixConf) bool {
	h := d.handoverPostfix(c)
	return h != nil && h.handed(d.address(d.probe()))
}
