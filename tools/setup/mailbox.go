package setup

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// candidate is a place where a mailbox server may take mail by LMTP.
type candidate struct {
	place string // the path of a socket, or HOST:PORT
	by    string // who names it
}

// bySMTP stands for the mail system itself, which then has to know the addresses with LOCAL_PREFIX.
const bySMTP = "smtp"

// deliverTo returns the option of imip_person for the place of the mailbox server.
func deliverTo(place string) string {
	if place == bySMTP {
		return "-L"
	}
	return "-l " + place
}

// findMailbox returns the place of the mailbox server: the one that is named by the options, the one that is
// configured, or the first that the handler can use of those that are found.
func (o *Options) findMailbox(ctx context.Context, configured string, found []candidate) (string, error) {
	reach := o.Reach
	if reach == nil {
		reach = func(context.Context, string) error { return nil }
	}
	found = slices.DeleteFunc(found, func(c candidate) bool { return isService(c.place) })
	switch {
	case o.ByService && o.Mailbox == bySMTP:
		return "", problem("the service passes mail on by LMTP only: --mailbox smtp needs --pipe")
	case o.ByService && isService(o.Mailbox):
		return "", problem("--mailbox %s is the service itself: name the mailbox server behind it", o.Mailbox)
	case o.Mailbox == bySMTP, o.Mailbox == "" && configured == bySMTP:
		return bySMTP, nil
	case o.Mailbox != "" && o.Mailbox == configured:
		return configured, nil // it may be down just now
	case o.Mailbox != "":
		if !pathForm.MatchString(o.Mailbox) && !placeForm.MatchString(o.Mailbox) {
			return "", problem("--mailbox %.80s is neither the path of a socket nor HOST:PORT", o.Mailbox)
		}
		if err := reach(ctx, o.Mailbox); err != nil {
			return "", problem("users' mail would wait: %v. Start the mailbox server, let its LMTP socket belong to %s, or name another by --mailbox", err, o.User)
		}
		return o.Mailbox, nil
	case configured != "":
		return configured, nil
	}
	var why []string
	seen := map[string]bool{}
	for _, c := range found {
		if seen[c.place] || !pathForm.MatchString(c.place) && !placeForm.MatchString(c.place) {
			continue
		}
		seen[c.place] = true
		err := reach(ctx, c.place)
		if err == nil {
			return c.place, nil
		}
		why = append(why, fmt.Sprintf("%s (%s): %v", c.place, c.by, err))
	}
	const remedy = "name the LMTP socket of the mailbox server, or its HOST:PORT, by --mailbox; " +
		"\"The mailbox server\" in conf/README.md says how Dovecot and Cyrus get one. Without LMTP, --pipe --mailbox smtp is left"
	if len(why) == 0 {
		return "", problem("no mailbox server that takes mail by LMTP is found: %s", remedy)
	}
	return "", problem("no mailbox server is found that %s can use: %s. %s", o.User, strings.Join(why, "; "), strings.ToUpper(remedy[:1])+remedy[1:])
}

// placeForm is HOST:PORT.
var placeForm = regexp.MustCompile(`^(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):[0-9]+$`)

// localServers returns the sockets of Dovecot and Cyrus on this machine.
func (o *Options) localServers(ctx context.Context, run Run) (found []candidate) {
	if lines, err := run(ctx, "doveconf", "-h", "base_dir"); err == nil && len(lines) > 0 {
		base := strings.TrimSpace(lines[0])
		if lines, err = run(ctx, "doveconf", "service/lmtp"); err == nil {
			for _, line := range lines {
				if match := regexp.MustCompile(`^\s*unix_listener (\S+) \{`).FindStringSubmatch(line); match != nil {
					path := match[1]
					if !filepath.IsAbs(path) {
						path = filepath.Join(base, path)
					}
					found = append(found, candidate{path, "Dovecot"})
				}
			}
		}
	}
	settings, err := os.ReadFile(filepath.Join(o.etc(), "imapd.conf"))
	if err != nil {
		return found
	}
	path := "/run/cyrus/socket/lmtp"
	if match := regexp.MustCompile(`(?m)^lmtpsocket:[ \t]*(\S+)`).FindSubmatch(settings); match != nil {
		path = string(match[1])
	}
	found = append(found, candidate{path, "Cyrus"})
	// lmtpd -a takes what comes from this machine without authentication.
	if services, err := os.ReadFile(filepath.Join(o.etc(), "cyrus.conf")); err == nil {
		for _, match := range regexp.MustCompile(`(?m)^[ \t]*\w+[ \t]+cmd="lmtpd[^"]* -a[^"]*"[ \t]+listen="([^"/]+)"`).FindAllSubmatch(services, -1) {
			place := strings.Replace(string(match[1]), ":lmtp", ":24", 1)
			if !strings.Contains(place, ":") {
				place = "127.0.0.1:" + place
			}
			found = append(found, candidate{place, "Cyrus"})
		}
	}
	return found
}

// etc is where the configuration of mailbox servers is.
func (o *Options) etc() string {
	if o.Etc == "" {
		return "/etc"
	}
	return o.Etc
}

// postfixLookup asks Postfix.
type postfixLookup struct {
	ctx context.Context
	run Run
}

func (p *postfixLookup) value(parameter string) string {
	lines, err := p.run(p.ctx, "postconf", "-hx", parameter)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.Join(lines, " "))
}

// matches reports whether a list of domains has one.
func (p *postfixLookup) matches(parameter, domain string) bool {
	for _, word := range strings.FieldsFunc(p.value(parameter), func(r rune) bool { return strings.ContainsRune(", \t", r) }) {
		if strings.EqualFold(word, domain) {
			return true
		}
		if strings.Contains(word, ":") && !strings.HasPrefix(word, "!") && p.query(word, domain) != "" {
			return true
		}
	}
	return false
}

// query returns what a table has for a key, nothing if there is none.
func (p *postfixLookup) query(table, key string) string {
	lines, err := p.run(p.ctx, "postmap", "-q", key, table)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.Join(lines, " "))
}

// tables returns the tables of a list that can be asked for a domain. What stands in braces is in main.cf itself, as ours
// is.
func tables(list string) (names []string) {
	depth := 0
	plain := strings.Map(func(r rune) rune {
		switch r {
		case '{':
			depth++
		case '}':
			depth--
		case ',', '\t':
			if depth == 0 {
				return ' '
			}
		}
		if depth > 0 && r == ' ' {
			return '{'
		}
		return r
	}, list)
	for _, table := range strings.Fields(plain) {
		kind, _, ok := strings.Cut(table, ":")
		if ok && !strings.Contains(table, "{") && kind != "regexp" && kind != "pcre" {
			names = append(names, table)
		}
	}
	return names
}

// delivery returns whether the mail of a domain is delivered by local(8), and the servers to which
// the mail system hands it now.
func (p *postfixLookup) delivery(domain string) (local bool, servers []candidate) {
	add := func(by, transport string) {
		if place := p.lmtpPlace(transport); place != "" {
			servers = append(servers, candidate{place, by})
		}
	}
	for _, table := range tables(p.value("transport_maps")) {
		if transport := p.query(table, domain); transport != "" {
			add("transport_maps", transport)
			return strings.HasPrefix(transport, "local:"), servers
		}
	}
	switch {
	case p.matches("mydestination", domain):
		name, _, _ := strings.Cut(p.value("local_transport"), ":")
		if name != "local" {
			add("local_transport", p.value("local_transport"))
			return false, servers
		}
		add("mailbox_transport", p.value("mailbox_transport"))
		return true, servers
	case p.matches("virtual_mailbox_domains", domain):
		add("virtual_transport", p.value("virtual_transport"))
	case p.matches("relay_domains", domain):
		add("relay_transport", p.value("relay_transport"))
	}
	return false, servers
}

// lmtpPlace returns where a transport goes to, if it is LMTP, else nothing. Postfix's client runs in
// the directory of the queue, and may be in a chroot there.
func (p *postfixLookup) lmtpPlace(transport string) string {
	name, to, _ := strings.Cut(transport, ":")
	if !strings.Contains(name, "lmtp") || to == "" {
		return ""
	}
	if path, ok := strings.CutPrefix(to, "unix:"); ok {
		queue := p.value("queue_directory")
		if filepath.IsAbs(path) {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
		return filepath.Join(queue, path)
	}
	to = strings.TrimPrefix(to, "inet:")
	host, port, err := net.SplitHostPort(strings.NewReplacer("[", "", "]", "").Replace(to))
	if err != nil {
		host, port = strings.Trim(to, "[]"), "24"
	}
	if port == "lmtp" {
		port = "24"
	}
	if host == "" {
		return ""
	}
	return net.JoinHostPort(host, port)
}
