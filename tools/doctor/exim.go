package doctor

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// againExim is the command that mends most of what can be wrong in Exim's configuration.
const againExim = "run `imip-agent setup exim --domain DOMAIN`, which corrects it"

// exim looks at Exim's configuration, and asks Exim what it would do.
func (d *Doctor) exim(ctx context.Context, exim string, report report) (found handler) {
	lines, err := output(ctx, exim, "-bP", "transports")
	if err != nil {
		text := strings.Join(strings.Fields(err.Error()), " ")
		if os.Geteuid() != 0 {
			report(Exim, Unknown, "run this as root", "Exim's configuration cannot be read: %s", text)
		} else {
			report(Exim, Failed, "correct the line; `imip-agent setup user` creates a missing user or group", "Exim refuses its configuration, and delivers nothing: %s", text)
		}
		return found
	}
	// A line `NAME transport:`, and below it one for each option.
	options := map[string]string{}
	name, current := "", ""
	for _, line := range lines {
		if transport, ok := strings.CutSuffix(line, " transport:"); ok {
			current = transport
			continue
		}
		key, value, _ := strings.Cut(line, " = ")
		if key == "command" && strings.Contains(value, Handler) {
			name = current
			for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \"'", r) }) {
				if path.Base(word) == Handler {
					found.program = word
				}
			}
		}
		options[current+" "+key] = value
	}
	if name == "" {
		if services := d.toService(ctx, exim); len(services) > 0 {
			d.eximCopies(ctx, exim, services, report)
			return found
		}
		report(Exim, Failed, "run `imip-agent setup exim --domain DOMAIN`", "no transport of Exim runs %s", Handler)
		return found
	}
	option := func(key string) string { return options[name+" "+key] }
	if found.account, err = lookup(option("user"), option("group")); err != nil {
		report(Exim, Failed, "run `imip-agent setup user`, or correct `user` and `group` of the transport", "transport %s: %v", name, err)
	}
	wrong := 0
	complain := func(status Status, remedy, format string, args ...any) {
		wrong++
		report(Exim, status, remedy, format, args...)
	}
	if option("temp_errors") != "*" {
		complain(Warning, againExim+" (`temp_errors = *`)", "transport %s drops mail if the program fails with another status than 75", name)
	}
	if _, set := options[name+" timeout_defer"]; !set {
		complain(Warning, againExim+" (`timeout_defer`)", "transport %s drops mail if the program takes too long", name)
	}
	if _, set := options[name+" return_output"]; set {
		complain(Warning, "remove `return_output`", "transport %s sends the program's output to the mail's sender", name)
	}
	if command := option("command"); !strings.Contains(command, "-o") {
		complain(Warning, againExim, "transport %s does not pass the recipient (-o): with a forged From field anybody can change another user's records", name)
	}
	d.eximRoutes(ctx, exim, name, complain)
	d.eximSenders(ctx, exim, complain)
	if wrong == 0 {
		report(Exim, OK, "", "transport %s of Exim runs %s, and gets a copy of what users send", name, found.program)
	}
	return found
}

// eximCopies looks at copies of what users send that go to the service, by one of some transports.
func (d *Doctor) eximCopies(ctx context.Context, exim string, services []eximTransport, report report) {
	at := slices.IndexFunc(services, func(t eximTransport) bool {
		_, set := t.options["rcpt_include_affixes"]
		return set
	})
	if at < 0 {
		report(Exim, Failed, againExim+" (`rcpt_include_affixes`)", "no copies of what users send go to the service: its transport takes OUTGOING_PREFIX away from the address")
		return
	}
	wrong := 0
	complain := func(status Status, remedy, format string, args ...any) {
		wrong++
		report(Exim, status, remedy, format, args...)
	}
	name := services[at].name
	d.eximRoutes(ctx, exim, name, complain)
	d.eximSenders(ctx, exim, complain)
	h := d.handoverExim(ctx, exim)
	if d.reaches(ctx, h, Exim, func(_ string, status Status, remedy, format string, args ...any) {
		complain(status, remedy, format, args...)
	}) && wrong == 0 {
		report(Exim, OK, "", "transport %s of Exim hands copies of what users send to the service, at %s, which answers", name, h.ways[0].address)
	}
}

// eximRoutes asks Exim where mail would go.
func (d *Doctor) eximRoutes(ctx context.Context, exim, name string, complain report4) {
	resources := addressList(ctx, exim, "IMIP_RESOURCES") // which send no mail by themselves
	known := slices.DeleteFunc(d.users(ctx), func(user string) bool { return slices.Contains(resources, user) })
	known = known[:min(len(known), 10)]
	asked := append(slices.Clone(known), d.probe())
	var missing, copied []string
	for i, user := range asked {
		// As from a program on this machine, to somebody.
		lines, err := output(ctx, exim, "-f", user, "-bt", user)
		text := strings.Join(lines, "\n")
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 1 { // the mailbox cannot be reached now
			err = nil
		}
		switch {
		case err == nil && text == "":
			// Exim writes routes that have failed to standard error, and says so by its status.
			continue
		case strings.Contains(strings.ToLower(text), strings.ToLower(d.address(user))):
			copied = append(copied, user)
		case i < len(known):
			missing = append(missing, user)
		}
	}
	switch {
	case len(missing) > 0 && len(missing) == len(asked)-1:
		complain(Failed, "see IMIP_SENDERS: `imip-agent setup exim --domain DOMAIN --users LIST`", "the mail of no user with records is copied, such as %s", few(known))
	case len(copied) == 0 && d.nobody(ctx, exim):
		complain(Failed, "see IMIP_SENDERS: `imip-agent setup exim --domain DOMAIN --users LIST`", "nobody's mail is copied to the handler")
	case len(missing) > 0:
		complain(Warning, "name them too, if they still take part: `imip-agent setup exim --domain DOMAIN --users LIST`",
			"of %d users with records, the mail of %d is not copied: %s", len(known), len(missing), few(missing))
	}
	user := d.probe()
	if len(copied) > 0 {
		user = copied[0]
	} else if senders := d.senderList(ctx, exim); len(senders) > 0 {
		user = senders[0]
	}
	address := d.address(user)
	first, _ := output(ctx, exim, "-f", user, "-bt", address)
	if text := strings.Join(first, " "); !strings.Contains(text, "transport = imip_queue") && !strings.Contains(text, "transport = "+name) {
		complain(Failed, againExim+": its routers come first", "mail for %s does not go to the handler", address)
		return
	}
	second, _ := output(ctx, exim, "-oMr", "imip-outgoing", "-f", "<>", "-bt", address)
	text := strings.Join(second, " ")
	if strings.Contains(strings.Join(first, " "), "transport = imip_queue") && text != "" && !strings.Contains(text, "transport = "+name) && !strings.Contains(text, ":blackhole:") {
		complain(Failed, againExim, "queued mail for %s does not go to transport %s", address, name)
	}
	d.eximClosed(ctx, exim, address, complain)
}

// eximSenders looks whether users who have authenticated may use their own addresses only in
// the envelope: whether the rules for MAIL or a later command compare the two.
func (d *Doctor) eximSenders(ctx context.Context, exim string, complain report4) {
	lines, err := output(ctx, exim, "-bP", "config")
	if err != nil {
		return // what is wrong with it has been reported
	}
	rules := map[string]string{} // an ACL's text, by its name
	section, acl := "main", ""
	var used []string
	authenticates := false
	for _, line := range lines {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch begun, ok := strings.CutPrefix(line, "begin "); {
		case ok:
			section = begun
		case strings.HasPrefix(line, "#"):
		case section == "main" && slices.Contains(stagesWithSender, key):
			used = append(used, value)
		case section == "acl" && !strings.Contains(line, " ") && strings.HasSuffix(line, ":"):
			acl = strings.TrimSuffix(line, ":")
		case section == "acl":
			rules[acl] += line + "\n"
		case section == "authenticators" && key == "server_condition":
			authenticates = true
		}
	}
	if !authenticates || slices.ContainsFunc(used, func(name string) bool {
		text := rules[name]
		return strings.Contains(text, "authenticated_id") && strings.Contains(text, "sender_address")
	}) {
		return
	}
	complain(Warning, "deny in acl_smtp_mail what is not `${if eqi{$authenticated_id}{$sender_address}}`, for `authenticated = *`",
		"users can send with another user's envelope address, and so change that user's records")
}

// stagesWithSender are the ACLs that know the envelope's sender.
var stagesWithSender = []string{"acl_smtp_mail", "acl_smtp_rcpt", "acl_smtp_predata", "acl_smtp_data"}

// senderList returns the addresses of IMIP_SENDERS that stand there by themselves.
func (d *Doctor) senderList(ctx context.Context, exim string) []string {
	return addressList(ctx, exim, "IMIP_SENDERS")
}

// addressList returns the addresses that stand in a macro by themselves.
func addressList(ctx context.Context, exim, macro string) []string {
	lines, err := output(ctx, exim, "-bP", "macro", macro)
	if err != nil || len(lines) == 0 {
		return nil
	}
	_, list, _ := strings.Cut(lines[len(lines)-1], "=")
	var senders []string
	for _, item := range strings.Split(list, ":") {
		if item = strings.TrimSpace(item); strings.Contains(item, "@") && !strings.ContainsAny(item, "*!^$;") {
			senders = append(senders, strings.ToLower(item))
		}
	}
	return senders
}

// nobody reports whether it is certain that there are no users: IMIP_SENDERS has no patterns, and
// none of those in it has their mail copied.
func (d *Doctor) nobody(ctx context.Context, exim string) bool {
	if lines, err := output(ctx, exim, "-bP", "macro", "IMIP_SENDERS"); err == nil && len(lines) > 0 && patterns(lines[len(lines)-1]) {
		return false
	}
	for _, user := range d.senderList(ctx, exim) {
		lines, _ := output(ctx, exim, "-f", user, "-bt", user)
		if strings.Contains(strings.ToLower(strings.Join(lines, " ")), d.address(user)) {
			return false
		}
	}
	return true
}

// patterns reports whether the definition of an address list has patterns or lookups, which can match somebody.
func patterns(definition string) bool {
	_, list, _ := strings.Cut(definition, "=")
	return slices.ContainsFunc(strings.Split(list, ":"), func(item string) bool {
		item = strings.TrimSpace(item)
		return !strings.HasPrefix(item, "!") && strings.ContainsAny(item, "*^$;")
	})
}

// eximClosed plays a session of somebody elsewhere who writes to the address.
func (d *Doctor) eximClosed(ctx context.Context, exim, address string, complain report4) {
	const elsewhere = "192.0.2.1" // for documentation (RFC 5737)
	said, err := session(ctx, exim, []string{"-bh", elsewhere}, "EHLO client.example.net\r\nMAIL FROM:<>\r\nRCPT TO:<"+address+">\r\nQUIT\r\n")
	if err != nil {
		return
	}
	replies := 0
	for _, line := range said {
		if len(line) < 4 || line[3] != ' ' || line[0] < '2' || line[0] > '5' {
			continue
		}
		if replies++; replies == 4 && line[0] == '2' { // the greeting, EHLO, MAIL, RCPT
			complain(Failed, againExim, "anybody can write to %s, and so change users' records", address)
		}
	}
}
