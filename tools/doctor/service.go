package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"imip-agent/conf"
)

// HandIn hands in a message of somebody who has logged in to the service, by the milter protocol, as a mail system does. Without
// a message it only says who it is and what it speaks. Network is "unix" or "tcp".
type HandIn func(ctx context.Context, network, address, login, message string) error

// again for the service.
const againService = "run `imip-agent setup postfix --domain DOMAIN`, which corrects it"

// milter is how a service of Postfix hands in mail to our service.
type milter struct {
	service string // SERVICE/TYPE
	element string // of smtpd_milters
	network string // "unix" or "tcp"
	address string // as it is outside of the chroot
	chroot  bool
	last    bool // no other milter comes after it
}

// isOurs reports whether an address of a milter is the service's.
func (d *Doctor) isOurs(network, address string) bool {
	place := d.Config.MilterSocket
	if network == "tcp" {
		return place != "" && address == loopback(place)
	}
	return address == place || strings.HasSuffix(address, "/imip-agent/milter")
}

// milters returns how the services of Postfix that take mail from clients hand it in to our service, and those through
// which users send that do not.
func (d *Doctor) milters(c *postfixConf) (found []milter, without []string) {
	for _, s := range c.services {
		if s.program != "smtpd" || strings.HasSuffix(s.name, "/pass") {
			continue
		}
		all := elements(c.value(s.name, "smtpd_milters"))
		at := -1
		for i, element := range all {
			m := d.milter(c, s, element)
			if d.isOurs(m.network, m.address) {
				at = i
				m.last = i == len(all)-1
				found = append(found, m)
			}
		}
		if at < 0 && takesUsers(s) {
			without = append(without, s.name)
		}
	}
	return found, without
}

// milter returns what an element of smtpd_milters leads to.
func (d *Doctor) milter(c *postfixConf, s postfixService, element string) milter {
	m := milter{service: s.name, element: element, chroot: s.chroot == "y" || s.chroot == "-" && c.chrootsByDefault()}
	words := elements(strings.Trim(element, "{}"))
	if len(words) == 0 {
		return m
	}
	kind, place, _ := strings.Cut(words[0], ":")
	switch kind {
	case "unix", "local":
		m.network = "unix"
		// Postfix runs in its queue directory, in a chroot or not (MILTER_README).
		if m.address = place; m.chroot || !strings.HasPrefix(place, "/") {
			m.address = path.Join(c.main("queue_directory"), place)
		}
	case "inet":
		m.network = "tcp"
		m.address = loopback(place)
	}
	return m
}

// loopback returns HOST:PORT with the number of this machine for its name.
func loopback(place string) string {
	if port, ok := strings.CutPrefix(place, "localhost:"); ok {
		return "127.0.0.1:" + port
	}
	return place
}

// chrootsByDefault reports what "-" means in master.cf.
func (c *postfixConf) chrootsByDefault() bool {
	level, err := strconv.Atoi(strings.SplitN(c.main("compatibility_level"), ".", 2)[0])
	return err == nil && level < 1
}

// inService looks at how Postfix hands in mail to the service. Piped says whether copies go to the handler, too.
func (d *Doctor) inService(c *postfixConf, found []milter, without []string, piped bool, complain report4) {
	if len(without) > 0 {
		complain(Failed, "add the service to -o smtpd_milters in master.cf, or remove that option", "mail that users send through %s is not handed in to the service", few(without))
	}
	if piped {
		complain(Warning, "keep one: `imip-agent setup postfix --domain DOMAIN --milter`, or --pipe",
			"mail is handled twice, by the service and by copies, which does no harm and takes time")
	}
	logs := false
	seen := map[string]bool{}
	for _, m := range found {
		logs = logs || c.value(m.service, "smtpd_sasl_auth_enable") == "yes"
		if key := m.network + m.address + fmt.Sprint(m.chroot, m.last, m.element); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		if !m.last {
			complain(Warning, "put it at the end of smtpd_milters", "other milters come after the service: what they refuse is in calendars all the same")
		}
		action := c.value(m.service, "milter_default_action")
		for _, word := range elements(strings.Trim(m.element, "{}")) {
			if own, ok := strings.CutPrefix(word, "default_action="); ok {
				action = own
			}
		}
		if action != "accept" {
			complain(Warning, "set milter_default_action = accept, or default_action=accept of this milter",
				"users cannot send mail while the service does not run: milter_default_action is %s", action)
		}
		d.reach(c, m, complain)
	}
	if len(found) > 0 && !logs && d.Config.MilterHosts == "" {
		complain(Warning, "set smtpd_sasl_auth_enable, or name hosts whose mail counts in MILTER_HOSTS", "nobody logs in to Postfix, and the service counts mail of users who have logged in")
	}
	d.logins(complain)
}

// reach looks whether Postfix's smtpd gets to the service.
func (d *Doctor) reach(c *postfixConf, m milter, complain report4) {
	start := d.starting()
	if m.network == "unix" {
		owner := c.main("mail_owner")
		a, err := lookup(owner, "") // with no group but its own
		if err == nil {
			err = a.mayOpen(c.ctx, m.address)
		}
		if err != nil {
			remedy := againService
			switch {
			case m.chroot && strings.Contains(m.element, ":/"):
				remedy = "smtpd runs in a chroot (master.cf), where the socket is not: " + againService
			case errors.Is(err, fs.ErrNotExist):
				remedy = start + "; or " + againService
			}
			complain(Failed, remedy, "no mail reaches the service through %s: %v", m.service, err)
			return
		}
	}
	if d.HandIn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, patient)
	defer cancel()
	if err := d.HandIn(ctx, m.network, m.address, "", ""); err != nil {
		complain(Failed, start+"; its log says why it does not answer", "the service does not answer at %s: %v", m.address, err)
	}
}

// starting is how to start the service, now and with the machine.
func (d *Doctor) starting() string {
	if d.Systemd {
		sockets := "imip-agent.socket"
		if strings.Contains(d.Config.LMTPSocket, "/") { // which the service cannot open itself: systemd lets it write only to the records
			sockets += " imip-agent-lmtp.socket"
		}
		return "start the service: `systemctl enable --now " + sockets + " imip-agent.service`"
	}
	name, _, _ := strings.Cut(d.owner().name, ":")
	return "have `imip-agent serve` run as " + cmp.Or(name, "imip-agent") + ", and started with the machine: systemd does not run here"
}

// logins looks whether it is known whose logins are.
func (d *Doctor) logins(complain report4) {
	if d.Config.Logins == "" && d.Config.LoginDomain == "" {
		complain(Warning, "set LOGIN_DOMAIN or LOGINS, unless users log in with their whole addresses", "logins that are no addresses are nobody's: LOGIN_DOMAIN and LOGINS are not set")
		return
	}
	_, warnings, err := conf.LoadLogins(d.Config.Logins, d.Config.LoginDomain)
	if err != nil {
		complain(Failed, "correct LOGINS", "it cannot be read whose logins are: %v", err)
	}
	for _, warning := range warnings {
		complain(Warning, "correct the line", "%v", warning)
	}
}

// findService returns where Postfix hands in mail to the service; nil if it does not.
func (d *Doctor) findService(ctx context.Context) *milter {
	postconf, ok := d.Find("postconf")
	if !ok {
		return nil
	}
	c, err := readPostfix(ctx, postconf)
	if err != nil {
		return nil
	}
	found, _ := d.milters(c)
	at := slices.IndexFunc(found, func(m milter) bool { return takesUsers(postfixService{name: m.service, program: "smtpd"}) })
	switch {
	case len(found) == 0:
		return nil
	case at < 0:
		at = 0
	}
	return &found[at]
}
