package setup

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"imip-agent/conf/exim"
)

// incomingExim is what Exim's configuration gets for mail that arrives: a router above the one that
// delivers to the mailboxes.
type incomingExim struct {
	o                         *Options
	mailbox                   string // the LMTP socket of the mailbox server, HOST:PORT, or bySMTP
	router                    string // the one that delivers to the mailboxes
	macros, rules, transports string // the parts
	note                      string // what the administrator should know
}

// The files of Debian's split configuration, below conf.d. That of the router has the number of the one below it before
// routerSuffix.
const (
	incomingMacros    = "main/01_imip-agent_incoming"
	incomingTransport = "transport/20_imip-agent_incoming"
	routerSuffix      = "_0imip-agent_incoming"
)

// splitRouter returns the file of our router, nothing if there is none.
func splitRouter(dir string) string {
	found, _ := filepath.Glob(filepath.Join(dir, "router", "*"+routerSuffix))
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

// routerLine is the line that begins a router.
var routerLine = regexp.MustCompile(`(?m)^[ \t]*([A-Za-z0-9_.-]+):[ \t]*$`)

// nextRouter returns the first router in some lines.
func nextRouter(text string) string {
	if match := routerLine.FindStringSubmatch(text); match != nil {
		return match[1]
	}
	return ""
}

// routerNow returns the router above which ours is, in the configuration in one file or in the files
// of a directory, nothing if there is none.
func routerNow(whole, dir string) string {
	for rest := whole; ; {
		at := strings.Index("\n"+rest, "\n"+beginIncoming)
		if at < 0 {
			break
		}
		block := rest[at:]
		stop := strings.Index(block, "\n"+end)
		if stop < 0 {
			break
		}
		rest = block[stop+len("\n"+end):]
		if strings.Contains(block[:stop], "\nimip_person:") && strings.Contains(block[:stop], "no_verify") {
			return nextRouter(rest)
		}
	}
	ours := splitRouter(dir)
	if ours == "" {
		return ""
	}
	files, _ := filepath.Glob(filepath.Join(dir, "router", "*")) // in the order in which Exim gets them
	for _, file := range files {
		if filepath.Base(file) > filepath.Base(ours) {
			text, _ := os.ReadFile(file)
			if name := nextRouter(string(text)); name != "" {
				return name
			}
		}
	}
	return ""
}

// newIncomingExim asks Exim how the mail of users is delivered. Whole is the configuration in one file as it is, macros
// and dir the names and the directory of a split one.
func newIncomingExim(ctx context.Context, o *Options, program string, run Run, whole, macros, dir, users string) (*incomingExim, error) {
	in := &incomingExim{o: o, router: o.Router}
	transport := ""
	if in.router == "" {
		in.router = routerNow(whole, dir)
	}
	if in.router == "" {
		in.router, transport = o.mailboxRouter(ctx, program, run, users)
	}
	if in.router == "" {
		return nil, problem("no router is found that delivers to the mailboxes of users: name it by --router (`%s -bt USER@%s` shows it)", program, o.Domains[0])
	}
	var found []candidate
	if lines, err := run(ctx, program, "-bP", "transports"); err == nil {
		found = eximServers(lines, transport)
	}
	configured := strings.TrimPrefix(strings.TrimSpace(macroOf(macros, "IMIP_MAILBOX")), "-l ")
	if configured == "-L" {
		configured = bySMTP
	}
	if o.ByService || configured == "" {
		configured = o.Service.mailbox(configured)
	}
	var err error
	if in.mailbox, err = o.findMailbox(ctx, configured, append(found, o.localServers(ctx, run)...)); err != nil {
		return nil, err
	}
	in.macros = macro("IMIP_PERSON").ReplaceAllLiteralString(exim.IncomingMacros, "IMIP_PERSON = "+o.Person)
	in.macros = macro("IMIP_MAILBOX").ReplaceAllLiteralString(in.macros, "IMIP_MAILBOX = "+deliverTo(in.mailbox))
	in.rules, in.transports = exim.IncomingRouter, exim.IncomingTransport
	if o.ByService {
		in.macros = "# imip-agent, mail that arrives: it goes to the service, by LMTP.\n"
		in.rules = strings.Replace(in.rules, "{exists{IMIP_PERSON}} ", "", 1)
		in.rules = strings.Replace(in.rules, "expanded, or the\n# program is missing, mail goes", "expanded,\n# mail goes", 1)
		in.transports = serviceTransport("imip_person")
	}
	if lines, err := run(ctx, program, "-bP", "router", in.router); err == nil && contains(lines, "same_domain_copy_routing") {
		in.note = "the router " + in.router + " has same_domain_copy_routing: a mail to a user and to somebody else in the domain can reach the user's mailbox " +
			"without being handled. Remove that option from it"
	}
	return in, nil
}

// routed is what Exim says of an address that goes to a transport.
var routed = regexp.MustCompile(`router = (\S+), transport = (\S+)`)

// mailboxRouter returns the router and the transport that deliver mail of users. Users are those in IMIP_SENDERS.
func (o *Options) mailboxRouter(ctx context.Context, program string, run Run, users string) (router, transport string) {
	var asked []string
	for _, user := range append(append([]string{}, o.Users...), strings.Fields(strings.ReplaceAll(users, " : ", " "))...) {
		if addressForm.MatchString(user) && !strings.ContainsAny(user, "*!^") {
			asked = append(asked, user)
		}
	}
	for _, domain := range o.Domains {
		if name := somebody(filepath.Join(o.etc(), "passwd")); name != "" {
			asked = append(asked, name+"@"+domain)
		}
		asked = append(asked, "doctor@"+domain)
	}
	for _, user := range asked[:min(len(asked), 10)] {
		lines, _ := run(ctx, program, "-f", "<>", "-bt", user)
		for _, line := range lines {
			if match := routed.FindStringSubmatch(line); match != nil && !strings.HasPrefix(match[1], "imip_") {
				return match[1], match[2]
			}
		}
	}
	return "", ""
}

// somebody returns the first user of a file such as /etc/passwd who is a person: numbers from 1000 are theirs.
func somebody(file string) string {
	text, _ := os.ReadFile(file)
	match := regexp.MustCompile(`(?m)^([a-z][a-z0-9_-]*):[^:]*:[1-5][0-9]{3}:`).FindSubmatch(text)
	if match == nil {
		return ""
	}
	return string(match[1])
}

// eximServers returns the LMTP servers of Exim's transports, that of one transport first.
func eximServers(lines []string, first string) (found []candidate) {
	options, name := map[string]string{}, ""
	flush := func() {
		place := ""
		switch {
		case options["driver"] == "lmtp":
			place = options["socket"]
		case options["protocol"] == "lmtp" && options["hosts"] != "":
			port := options["port"]
			if port == "" || port == "lmtp" {
				port = "24"
			}
			place = options["hosts"] + ":" + port
		}
		if c := (candidate{place, "transport " + name}); place != "" && name == first {
			found = append([]candidate{c}, found...)
		} else if place != "" {
			found = append(found, c)
		}
		clear(options)
	}
	for _, line := range lines {
		if transport, ok := strings.CutSuffix(line, " transport:"); ok {
			flush()
			name = transport
			continue
		}
		key, value, _ := strings.Cut(line, " = ")
		options[key] = value
	}
	flush()
	return found
}

// splitFiles returns the parts as files of the split configuration below a directory.
func (in *incomingExim) splitFiles(dir string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "router", "*"))
	if err != nil {
		return nil, err
	}
	line := regexp.MustCompile(`(?m)^[ \t]*` + regexp.QuoteMeta(in.router) + `:[ \t]*$`)
	for _, file := range files {
		text, err := read(file)
		if err != nil {
			return nil, err
		}
		base := filepath.Base(file)
		if strings.HasSuffix(base, routerSuffix) || !line.Match(text) {
			continue
		}
		number, _, _ := strings.Cut(base, "_")
		ours := number + routerSuffix
		if ours >= base {
			return nil, problem("%s has the router %s: let its name begin with a number and an underscore, so that a file can come before it", file, in.router)
		}
		return map[string]string{
			filepath.Join(dir, incomingMacros):    in.macros,
			filepath.Join(dir, "router", ours):    in.rules,
			filepath.Join(dir, incomingTransport): in.transports,
		}, nil
	}
	return nil, problem("no file in %s has the router %s: name another by --router", filepath.Join(dir, "router"), in.router)
}

// insert puts the parts into a configuration in one file.
func (in *incomingExim) insert(text string) (string, error) {
	block := func(part string) string {
		return beginIncoming + ": `imip-agent setup exim --incoming` adds, updates and removes these lines.\n" + part + end + " incoming\n"
	}
	section := func(name string) int {
		found := regexp.MustCompile(`(?m)^[ \t]*begin[ \t]+` + name + `[ \t]*\n`).FindStringIndex(text)
		if found == nil {
			return -1
		}
		return found[1]
	}
	transports := section("transports")
	if transports < 0 {
		return "", problem("the section `begin transports` is missing: add one, even if empty")
	}
	text = text[:transports] + block(in.transports) + text[transports:]
	routers := section("routers")
	if routers < 0 {
		return "", problem("the section `begin routers` is missing: add one, even if empty")
	}
	at := regexp.MustCompile(`(?m)^[ \t]*` + regexp.QuoteMeta(in.router) + `:[ \t]*$`).FindStringIndex(text[routers:])
	if at == nil {
		return "", problem("the router %s, above which the users' mail is to be taken, is missing in the configuration: name another by --router", in.router)
	}
	text = text[:routers+at[0]] + block(in.rules) + text[routers+at[0]:]
	return block(in.macros) + text, nil
}
