package setup

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"imip-agent/conf/postfix"
)

// Run runs a program and returns the lines that it writes.
type Run func(ctx context.Context, words ...string) ([]string, error)

// beginIncoming begins each part for mail that arrives.
const beginIncoming = begin + " incoming"

// hasIncoming reports whether there are parts for mail that arrives.
func hasIncoming(text string) bool { return strings.Contains("\n"+text, "\n"+beginIncoming) }

// incomingPostfix is what main.cf and master.cf get for mail that arrives: the users' mail goes
// through a pipe to imip_person, or by LMTP to the service, and either hands it on to the mailbox server.
type incomingPostfix struct {
	o       *Options
	local   []string // domains whose mail local(8) delivers
	others  []string // and those that a transport delivers
	mailbox string   // the LMTP socket of the mailbox server, or HOST:PORT
}

// ours are the values at the end of lists of main.cf, each on a line of its own there.
const (
	incomingMaps = "$imip_incoming_maps"
	mailboxMaps  = "$imip_mailbox_maps"
	verifyName   = "address_verify_transport_maps"
)

var (
	lastLine  = regexp.MustCompile(`(?m)^    \$imip_(?:incoming|mailbox)_maps\n`)
	lastValue = regexp.MustCompile(`(?m)^((?:mailbox_)?transport_maps[ \t]*=.*?)[ \t]*\$imip_(?:incoming|mailbox)_maps[ \t]*$`)
)

// withoutIncoming returns main.cf or master.cf without what is there for mail that arrives.
func withoutIncoming(text string) (string, error) {
	text, err := withoutParts(text, beginIncoming)
	if err != nil {
		return "", err
	}
	return lastValue.ReplaceAllString(lastLine.ReplaceAllString(text, ""), "$1"), nil
}

// newIncomingPostfix asks Postfix how the mail of the domains is delivered. Before is
// master.cf as it was.
func newIncomingPostfix(ctx context.Context, o *Options, run Run, before string) (*incomingPostfix, error) {
	in := &incomingPostfix{o: o}
	p := &postfixLookup{ctx: ctx, run: run}
	var found []candidate
	for _, domain := range o.Domains {
		local, servers := p.delivery(domain)
		if local {
			in.local = append(in.local, domain)
		} else {
			in.others = append(in.others, domain)
		}
		found = append(found, servers...)
	}
	configured := ""
	if match := regexp.MustCompile(`(?m)imip_person [^\n]* (?:-l (\S+)|-L)$`).FindStringSubmatch(before); match != nil {
		if configured = match[1]; configured == "" {
			configured = bySMTP
		}
	}
	if o.ByService || configured == "" {
		configured = o.Service.mailbox(configured)
	}
	var err error
	in.mailbox, err = o.findMailbox(ctx, configured, append(found, o.localServers(ctx, run)...))
	return in, err
}

// mainCf adds to main.cf.
func (in *incomingPostfix) mainCf(text string) (string, error) {
	site := *in.o
	site.Domains = in.others
	block := site.fill(postfix.IncomingMain)
	everybody, users, err := in.users(text)
	if err != nil {
		return "", err
	}
	for _, table := range []struct {
		name    string
		domains []string
		pattern func(user string) string
	}{
		{"imip_incoming_maps", in.others, func(user string) string { return user }},
		{"imip_mailbox_maps", in.local, func(user string) string { local, _, _ := strings.Cut(user, "@"); return local }},
	} {
		if len(table.domains) == 0 {
			block = without(block, table.name)
			continue
		}
		if everybody {
			continue
		}
		var lines strings.Builder
		seen := map[string]bool{}
		for _, user := range users {
			_, domain, _ := strings.Cut(user, "@")
			if pattern := table.pattern(user); contains(table.domains, domain) && !seen[pattern] {
				seen[pattern] = true
				fmt.Fprintf(&lines, "    { /^%s$$(_)?/  imip-incoming: }\n", strings.ReplaceAll(regexp.QuoteMeta(pattern), "/", `\/`))
			}
		}
		switch {
		case lines.Len() > 0:
			block = replace(block, table.name, table.name+" = regexp:{\n"+lines.String()+"    }\n")
		case len(users) > 0:
			block = without(block, table.name)
			table.domains = nil
		default: // in a directory
			block = replace(block, table.name, table.name+" = pipemap:{$"+sendersName+", regexp:{{/^"+regexp.QuoteMeta(in.o.Prefix)+"/ imip-incoming:}}}\n")
		}
	}

	verify := listOf(text, "transport_maps", "$imip_transport_maps")
	if !in.o.ByService {
		verify = append([]string{"$imip_transport_maps"}, verify...)
	}
	block = without(block, "transport_maps")
	block = without(block, verifyName)
	block = without(block, "mailbox_transport_maps")
	var lists string
	if setting(block, "imip_incoming_maps") != "" {
		if lastSetting(text, "transport_maps") < 0 {
			lists += "transport_maps = " + incomingMaps + "\n"
		} else {
			text = appendTo(text, "transport_maps", incomingMaps)
		}
		if lastSetting(text, verifyName) < 0 {
			lists += strings.TrimRight(verifyName+" = "+strings.Join(verify, " "), " ") + "\n"
		}
	}
	if setting(block, "imip_mailbox_maps") != "" {
		if lastSetting(text, "mailbox_transport_maps") < 0 {
			lists += "mailbox_transport_maps = " + mailboxMaps + "\n"
		} else {
			text = appendTo(text, "mailbox_transport_maps", mailboxMaps)
		}
	}
	at := strings.Index(block, forPipe)
	if at < 0 {
		return "", fmt.Errorf("the example for main.cf has no line %q", strings.TrimSpace(forPipe))
	}
	block = strings.TrimRight(block[:at], "\n") + "\n" + lists + block[at:]
	if in.o.ByService {
		if block, err = byLMTP(block, "imip-incoming:", beginIncoming); err != nil {
			return "", err
		}
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + block, nil
}

// forPipe begins the settings of an example for main.cf that only a pipe needs, up to the end.
const forPipe = "\n# One recipient for each run."

// byLMTP returns a part of main.cf with the service in place of a pipe.
func byLMTP(block, pipe, beginning string) (string, error) {
	at := strings.Index(block, forPipe)
	if at < 0 {
		return "", fmt.Errorf("the example for main.cf has no line %q", strings.TrimSpace(forPipe))
	}
	block = strings.TrimRight(block[:at], "\n") + "\n" + strings.Replace(beginning, begin, end, 1) + "\n"
	name := strings.TrimSuffix(pipe, ":")
	block = regexp.MustCompile(`the pipe `+name+` \([a-z]+-master\.cf\)`).ReplaceAllString(block, "the service, by LMTP")
	block = strings.Replace(block, " They need those of main.cf beside this file.", "", 1)
	return strings.ReplaceAll(others.ReplaceAllString(block, ""), pipe, lmtpTransport), nil
}

// others are choices of users in an example, which only pipes have.
var others = regexp.MustCompile(`(?m)^# or [a-z ]*(?:imip_sender_bcc_maps[a-z, ]*)?:\n(?:#(?:imip_|    ).*\n)+`)

// users returns who takes part, by the settings for outgoing mail in main.cf: everybody in the
// domains, or some. If neither, they are in a directory.
func (in *incomingPostfix) users(text string) (everybody bool, users []string, err error) {
	if in.o.ByService { // which takes the mail of everybody who logs in, too
		return true, nil, nil
	}
	senders := setting(text, sendersName)
	if senders == setting(in.o.fill(postfix.Main), sendersName) {
		return true, nil, nil
	}
	for _, match := range regexp.MustCompile(`(?m)^    \{ (\S+) = \S+ \}$`).FindAllStringSubmatch(senders, -1) {
		users = append(users, match[1])
	}
	if strings.Contains(senders, "regexp:") { // of an everybody with other domains, as before
		return true, nil, nil
	}
	if len(users) == 0 && len(in.local) > 0 {
		return false, nil, problem("the users are in a table (%s), and local(8), which delivers the mail of %s, cannot ask it: name the users by --users, or use --everyone",
			strings.Join(strings.Fields(strings.TrimPrefix(senders, sendersName+" = ")), " "), in.local[0])
	}
	return false, users, nil
}

// masterCf adds to master.cf.
func (in *incomingPostfix) masterCf(text string) string {
	return text + strings.Replace(in.o.fill(postfix.IncomingMaster), "-l /run/dovecot/lmtp", deliverTo(in.mailbox), 1)
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

// settingEnd returns where the last setting of that name ends: behind its last line, whatever
// comments stand between its lines.
func settingEnd(text, name string) int {
	at := lastSetting(text, name)
	end, size := at, at
	for line := range strings.Lines(text[at:]) {
		begins := line[0] != ' ' && line[0] != '\t'
		blank := strings.TrimSpace(line) == "" || strings.HasPrefix(strings.TrimSpace(line), "#")
		if size > at && begins && !blank {
			break
		}
		size += len(line)
		if !blank {
			end = size
		}
	}
	return end
}

// listOf returns the values of a setting, but for one of them.
func listOf(text, name, but string) []string {
	at := lastSetting(text, name)
	if at < 0 {
		return nil
	}
	var values []string
	for line := range strings.Lines(text[at:settingEnd(text, name)]) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			values = append(values, strings.Fields(line)...)
		}
	}
	_, list, _ := strings.Cut(strings.Join(values, " "), "=")
	values = nil
	for _, value := range strings.Fields(list) {
		if strings.TrimSuffix(value, ",") != but {
			values = append(values, value)
		}
	}
	return values
}

// appendTo puts a value at the end of a list that is there, on a line of its own.
func appendTo(text, name, value string) string {
	end := settingEnd(text, name)
	return text[:end] + "    " + value + "\n" + text[end:]
}
