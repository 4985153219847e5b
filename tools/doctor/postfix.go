package doctor

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// again is the command that mends most of what can be wrong in Postfix's configuration.
const again = "run `imip-agent setup postfix --domain DOMAIN`, which corrects it"

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
		if d.copiesByLMTP(c) {
			return name, found // by hand: conf/README.md has how
		}
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
