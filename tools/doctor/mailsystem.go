package doctor

import (
	"context"
	"os"
	"path"
	"strings"
)

// settings is where the settings for mail systems are described.
const settings = "/etc/imip-agent"

// mailSystem looks which mail system there is, and how it runs the handler.
func (d *Doctor) mailSystem(ctx context.Context, report report) handler {
	var found handler
	postconf, hasPostfix := d.Find("postconf")
	exim, hasExim := d.Find("exim4")
	if !hasExim {
		exim, hasExim = d.Find("exim")
	}
	switch {
	case hasPostfix:
		found = d.postfix(ctx, postconf, report)
	case hasExim:
		found = d.exim(ctx, exim, report)
	default:
		report(MailSystem, Warning, "look for yourself whether the mail system runs "+Handler+" on what users send",
			"there is neither Postfix nor Exim on this machine")
	}

	if found.program == "" {
		if program, ok := d.Find(Handler); ok {
			found.program = program
		}
	} else if info, err := os.Stat(found.program); err != nil || info.Mode()&0o111 == 0 {
		report(MailSystem, Failed, "correct the path there, or install "+Handler,
			"the mail system is to run %s, which is not there or not a program", found.program)
		found.program = ""
	}

	if !found.account.known {
		// What is made has to belong to somebody: as it is now.
		found.account = d.owner()
		if !found.account.known {
			report(Account, Unknown, "", "who the handler runs as is not known")
			return found
		}
		report(Account, OK, "", "the store belongs to %s, who is taken for the one that the handler runs as", found.account.name)
		return found
	}
	if found.account.uid == 0 {
		report(Account, Failed, "let it run as imip-agent", "the mail system is to run the handler as root")
		return found
	}
	report(Account, OK, "", "the handler runs as %s", found.account.name)
	return found
}

// address is one that the web manager writes to: OUTGOING_PREFIX+USER@DOMAIN.
func (d *Doctor) address() string {
	_, domain, _ := strings.Cut(d.Config.MessageSender, "@")
	return d.Config.OutgoingPrefix + "+doctor@" + domain
}

// postfix looks at Postfix's configuration.
func (d *Doctor) postfix(ctx context.Context, postconf string, report report) (found handler) {
	const remedy = "see " + settings + "/postfix/master.cf and main.cf"
	services, err := output(ctx, postconf, "-M")
	if err != nil {
		report(Postfix, Unknown, "run this as root", "Postfix's configuration cannot be read: %v", err)
		return found
	}
	var name string
	var soft, copies bool
	for _, line := range services {
		fields := strings.Fields(line)
		if len(fields) < 8 {
			continue
		}
		words, program := fields[8:], ""
		for i, word := range words {
			if value, ok := strings.CutPrefix(word, "argv="); ok {
				program = value
			} else if strings.Contains(word, "cleanup_service_name=") || i > 0 && fields[7] == "cleanup" && strings.HasPrefix(word, "sender_bcc_maps=") {
				copies = true
			}
		}
		if fields[7] != "pipe" || path.Base(program) != Handler {
			continue
		}
		name, found.program = fields[0], program
		for _, word := range words {
			switch key, value, _ := strings.Cut(word, "="); key {
			case "soft_bounce":
				soft = value == "yes"
			case "user":
				userName, groupName, _ := strings.Cut(value, ":")
				if found.account, err = lookup(userName, groupName); err != nil {
					report(Postfix, Failed, "create them, or correct user= in master.cf", "transport %s: %v", name, err)
				}
			}
		}
	}
	if name == "" {
		report(Postfix, Failed, remedy, "no transport of Postfix runs %s", Handler)
		return found
	}
	value := func(parameter string) string {
		lines, err := output(ctx, postconf, "-hx", parameter)
		if err != nil {
			return ""
		}
		return strings.Join(lines, " ")
	}
	wrong := 0
	complain := func(status Status, remedy, format string, args ...any) {
		wrong++
		report(Postfix, status, remedy, format, args...)
	}
	if !soft && value("soft_bounce") != "yes" {
		complain(Warning, "add `-o soft_bounce=yes` to it in master.cf",
			"transport %s gives mail up if the program is missing or is killed, instead of trying again", name)
	}
	if limit := value(name + "_destination_recipient_limit"); limit != "1" {
		complain(Warning, "postconf -e "+name+"_destination_recipient_limit=1", "transport %s takes %s recipients at a time", name, limit)
	}
	if address := d.address(); !d.routed(ctx, postconf, value("transport_maps"), address, name) {
		complain(Failed, "see transport_maps in "+settings+"/postfix/main.cf, and the domain in "+settings+"/postfix/transport",
			"mail for %s does not go to transport %s", address, name)
	}
	if !copies && value("sender_bcc_maps") == "" {
		complain(Failed, "see imip-cleanup in "+settings+"/postfix/master.cf",
			"nothing of what users send is copied to the handler: neither sender_bcc_maps nor a cleanup service of its own is in use")
	}
	if wrong == 0 {
		report(Postfix, OK, "", "transport %s of Postfix runs %s, and gets a copy of what users send", name, found.program)
	}
	return found
}

// routed reports whether one of Postfix's transport tables sends an address to a transport.
func (d *Doctor) routed(ctx context.Context, postconf, tables, address, name string) bool {
	for _, table := range strings.FieldsFunc(tables, func(r rune) bool { return r == ' ' || r == ',' }) {
		lines, err := output(ctx, path.Join(path.Dir(postconf), "postmap"), "-q", address, table)
		if err == nil && len(lines) > 0 {
			return lines[0] == name || strings.HasPrefix(lines[0], name+":")
		}
	}
	return false
}

// exim looks at Exim's configuration.
func (d *Doctor) exim(ctx context.Context, exim string, report report) (found handler) {
	const remedy = "see " + settings + "/exim"
	lines, err := output(ctx, exim, "-bP", "transports")
	if err != nil {
		report(Exim, Unknown, "run this as root", "Exim's configuration cannot be read: %v", err)
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
		report(Exim, Failed, remedy, "no transport of Exim runs %s", Handler)
		return found
	}
	option := func(key string) string { return options[name+" "+key] }
	if found.account, err = lookup(option("user"), option("group")); err != nil {
		report(Exim, Failed, "create them, or correct `user` and `group` of the transport", "transport %s: %v", name, err)
	}
	wrong := 0
	complain := func(status Status, remedy, format string, args ...any) {
		wrong++
		report(Exim, status, remedy, format, args...)
	}
	if option("temp_errors") != "*" {
		complain(Warning, "set `temp_errors = *`", "transport %s gives mail up if the program fails in other ways than by status 75", name)
	}
	if _, set := options[name+" timeout_defer"]; !set {
		complain(Warning, "set `timeout_defer`", "transport %s gives mail up if the program takes too long", name)
	}
	if _, set := options[name+" return_output"]; set {
		complain(Warning, "take `return_output` out", "transport %s sends what the program says to the mail's sender", name)
	}
	address := d.address()
	routed, err := output(ctx, exim, "-bt", address)
	if text := strings.Join(routed, " "); err != nil || !strings.Contains(text, "transport = imip_queue") && !strings.Contains(text, "transport = "+name) {
		complain(Failed, "see IMIP_DOMAINS in "+settings+"/exim/macros, and that imip-agent's routers come first",
			"mail for %s does not go to the handler", address)
	}
	if wrong == 0 {
		report(Exim, OK, "", "transport %s of Exim runs %s", name, found.program)
	}
	return found
}
