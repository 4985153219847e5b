package setup

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"imip-agent/conf/postfix"
)

// Postfix returns what is to be done in the directory of Postfix's configuration. Output
// runs a program and returns its lines.
func Postfix(ctx context.Context, o Options, output Run) (*Plan, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	value := func(parameter string) (string, error) {
		lines, err := output(ctx, "postconf", "-h", parameter)
		return strings.TrimSpace(strings.Join(lines, " ")), err
	}
	dir, err := value("config_directory")
	if err != nil {
		return nil, err
	}
	version, err := value("mail_version")
	if err != nil {
		return nil, err
	}
	p := &Plan{Verify: [][]string{{"postfix", "check"}}}
	if _, err := output(ctx, "postfix", "status"); err == nil {
		p.Then = [][]string{{"postfix", "reload"}}
	}

	main, master := filepath.Join(dir, "main.cf"), filepath.Join(dir, "master.cf")
	oldMain, err := read(main)
	if err != nil {
		return nil, err
	}
	oldMaster, err := read(master)
	if err != nil {
		return nil, err
	}
	if oldMain == nil || oldMaster == nil {
		return nil, problem("%s has no main.cf and master.cf: set up Postfix first", dir)
	}
	had := hasIncoming(string(oldMain)) || hasIncoming(string(oldMaster))
	if o.Remove && had && p.Then != nil {
		p.Then = append(p.Then, []string{"postqueue", "-f"}) // what waits goes to the mailboxes now
	}
	var newMain, newMaster string
	byService := o.ByService && !o.Remove
	switch {
	case byService:
		without := o
		without.Remove = true
		if newMain, err = without.mainCf(string(oldMain), version); err == nil {
			newMaster, _, err = without.masterCf(string(oldMaster))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
	case o.Remove && o.Incoming:
		if newMain, err = withoutIncoming(string(oldMain)); err == nil {
			newMaster, err = withoutIncoming(string(oldMaster))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		if had {
			if err := o.serviceWithoutIncoming(p, newMain); err != nil {
				return nil, err
			}
		}
	default:
		if newMain, err = o.mainCf(string(oldMain), version); err != nil {
			return nil, fmt.Errorf("%s: %w", main, err)
		}
		if newMaster, p.Notes, err = o.masterCf(string(oldMaster)); err != nil {
			return nil, fmt.Errorf("%s: %w", master, err)
		}
	}
	mailbox := ""
	if !o.Remove {
		if newMain, newMaster, err = o.resourcesPostfix(newMain, newMaster, string(oldMain)); err != nil {
			return nil, err
		}
		if o.Incoming = o.Incoming || had; o.Incoming {
			if newMain, newMaster, mailbox, err = o.incomingPostfix(ctx, output, newMain, newMaster, string(oldMaster)); err != nil {
				return nil, err
			}
		}
		if byService && (o.Incoming || len(o.Resources) > 0) && !hasLMTP(newMaster) {
			return nil, problem("%s lacks the service lmtp, by which Postfix hands over mail: add `lmtp unix - - n - - lmtp`", master)
		}
	}
	if !(o.Remove && o.Incoming) {
		if newMain, err = withoutMilter(newMain); err != nil {
			return nil, fmt.Errorf("%s: %w", main, err)
		}
		if byService {
			newMain, err = o.withService(ctx, p, output, dir, string(oldMain), newMain, mailbox)
		} else {
			err = o.withoutService(ctx, p, output, string(oldMain))
		}
		if err != nil {
			return nil, err
		}
	}
	if o.Remove && !o.Incoming {
		number := 0
		for line := range strings.Lines(newMaster) {
			number++
			if program := regexp.MustCompile(`argv=\S*/(imip_person(?:_outgoing)?)\b`).FindStringSubmatch(line); program != nil && !strings.HasPrefix(line, "#") {
				p.Notes = append(p.Notes, fmt.Sprintf("line %d of %s still runs %s, by a service that was added by hand: remove it, and everything that leads to it", number, master, program[1]))
			}
		}
	}
	if !o.Remove && !byService {
		if overridden, err := value("receive_override_options"); err == nil && strings.Contains(overridden, "no_address_mappings") {
			p.Notes = append(p.Notes, "main.cf has receive_override_options=no_address_mappings: mail that comes in under it is not copied. "+
				"Set it only for services that accept mail from a content filter")
		}
	}
	// What others refer to comes first, and what refers to it is taken out first.
	if o.Remove {
		p.change(master, oldMaster, []byte(newMaster))
		p.change(main, oldMain, []byte(newMain))
	} else {
		p.change(main, oldMain, []byte(newMain))
		p.change(master, oldMaster, []byte(newMaster))
	}
	return p, nil
}

// incomingPostfix adds to main.cf and master.cf what hands over mail that arrives for users, and returns the place of the mailbox
// server. Before is master.cf as it was.
func (o *Options) incomingPostfix(ctx context.Context, run Run, main, master, before string) (newMain, newMaster, mailbox string, err error) {
	if err := o.check(); err != nil {
		return "", "", "", err
	}
	in, err := newIncomingPostfix(ctx, o, run, before)
	if err == nil {
		newMain, err = in.mainCf(main)
	}
	if err != nil {
		return "", "", "", err
	}
	if !o.ByService {
		master = in.masterCf(master)
	}
	return newMain, master, in.mailbox, nil
}

// hasLMTP reports whether master.cf has Postfix's client for LMTP.
func hasLMTP(master string) bool {
	var lines []string
	for line := range strings.Lines(master) {
		lines = append(lines, line)
	}
	return slices.ContainsFunc(services(lines), func(s service) bool { return s.name == "lmtp/unix" && s.program == "lmtp" && !s.off })
}

// list is a setting of main.cf in which something of ours comes first.
type list struct{ name, first string }

// lists are those for outgoing mail.
var lists = []list{
	{"transport_maps", "$imip_transport_maps"},
	{"virtual_alias_maps", "$imip_virtual_alias_maps"},
	{"smtpd_recipient_restrictions", "check_recipient_access $imip_recipient_access"},
	{"smtpd_restriction_classes", "imip_local_only"},
	{"smtpd_command_filter", "$imip_command_filter"},
}

// sendersName is the setting that says who the users are.
const sendersName = "imip_sender_bcc_maps"

// mainCf returns main.cf with our settings, or without.
func (o *Options) mainCf(text, version string) (string, error) {
	senders := setting(text, sendersName) // as it was
	// Without such a part, what is there was put in by hand.
	if strings.Contains("\n"+text, "\n"+beginResources) {
		text = withoutFirst(text, resourceLists)
	}
	text, err := withoutIncoming(text)
	if err == nil {
		text, err = withoutBlocks(text)
	}
	if err != nil {
		return "", err
	}
	text = withoutFirst(text, lists)
	if o.Remove {
		return text, nil
	}
	if !atLeast(version, 3, 7) {
		return "", problem("this is Postfix %s, and tables in main.cf need 3.7: conf/README.md says how to use files instead", version)
	}
	for _, line := range strings.Split(text, "\n") {
		if name, _, ok := strings.Cut(line, "="); ok && strings.HasPrefix(line, "imip") {
			return "", problem("%s is set already, by hand or by an earlier version: remove the settings of imip-agent first, "+
				"and those in lists that lead to /etc/imip-agent", strings.TrimSpace(name))
		}
	}
	block := o.fill(postfix.Main)
	text, block = withFirst(text, block, lists)
	switch {
	case len(o.Users) > 0:
		var b strings.Builder
		b.WriteString(sendersName + " = inline:{\n")
		for _, user := range o.Users {
			fmt.Fprintf(&b, "    { %s = %s+%[1]s }\n", user, o.Prefix)
		}
		b.WriteString("    }\n")
		block = replace(block, sendersName, b.String())
	case senders != "" && !o.Everyone:
		block = replace(block, sendersName, senders)
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + block, nil
}

// withoutFirst returns main.cf without what comes first in lists, or has come first.
func withoutFirst(text string, lists []list) string {
	for _, l := range lists {
		first := regexp.QuoteMeta(l.first)
		ours := regexp.MustCompile(`(?m)^(` + l.name + `[ \t]*=)(?: ` + first + `|` + first + ` )`)
		text = ours.ReplaceAllString(text, "$1")
		// Somebody has put something before it since.
		later := regexp.MustCompile(`(?m)[ \t]` + first + `([ \t,]|$)`)
		if old := setting(text, l.name); old != "" {
			text = replace(text, l.name, later.ReplaceAllString(old, "$1"))
		}
	}
	return text
}

// withFirst returns main.cf with that in the lists that are there, and a part for its end without these.
func withFirst(text, block string, lists []list) (newText, newBlock string) {
	for _, l := range lists {
		at := lastSetting(text, l.name)
		if at < 0 {
			continue
		}
		equals := at + strings.IndexByte(text[at:], '=') + 1
		first := " " + l.first
		if rest := text[equals:]; rest != "" && !strings.ContainsRune(" \t\n", rune(rest[0])) {
			first = l.first + " "
		}
		text = text[:equals] + first + text[equals:]
		block = without(block, l.name)
	}
	return text, block
}

func atLeast(version string, major, minor int) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	a, errA := strconv.Atoi(parts[0])
	b, errB := strconv.Atoi(strings.TrimRightFunc(parts[1], func(r rune) bool { return r < '0' || r > '9' }))
	return errA == nil && errB == nil && (a > major || a == major && b >= minor)
}

// lastSetting returns where the last setting of that name begins, which is the one that
// counts, or -1.
func lastSetting(text, name string) int {
	found := regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(name)+`[ \t]*=`).FindAllStringIndex(text, -1)
	if len(found) == 0 {
		return -1
	}
	return found[len(found)-1][0]
}

// setting returns the lines of the last setting of that name.
func setting(text, name string) string {
	at := lastSetting(text, name)
	if at < 0 {
		return ""
	}
	rest := text[at:]
	size := 0
	for line := range strings.Lines(rest) {
		if size > 0 && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") {
			break
		}
		size += len(line)
	}
	return rest[:size]
}

// without returns text without the setting of that name; replace has other lines in its place.
func without(text, name string) string { return replace(text, name, "") }

func replace(text, name, by string) string {
	return strings.Replace(text, setting(text, name), by, 1)
}

// What is put into services of master.cf.
const (
	viaCleanup = "-o cleanup_service_name=imip-cleanup"
	noCopies   = "-o imip_local_only=reject"
	firstCheck = "check_recipient_access,$imip_recipient_access"
)

var (
	restrictions  = regexp.MustCompile(`smtpd_recipient_restrictions[ \t]*=[ \t]*`)
	cleanupOption = regexp.MustCompile(`cleanup_service_name[ \t]*=[ \t]*([^ \t\n}]+)`)
)

// service is a service in master.cf, or one that is commented out.
type service struct {
	from, to int    // its lines
	name     string // SERVICE/TYPE
	off      bool
	program  string
}

// services returns the services of master.cf.
func services(lines []string) []service {
	var all []service
	for i, line := range lines {
		bare, off := strings.CutPrefix(line, "#")
		if bare == "" || bare[0] == ' ' || bare[0] == '\t' || bare[0] == '#' || bare[0] == '\n' {
			continue
		}
		fields := strings.Fields(bare)
		if len(fields) < 8 || off && (fields[1] != "inet" || fields[7] != "smtpd") {
			continue
		}
		s := service{from: i, to: i + 1, name: fields[0] + "/" + fields[1], off: off, program: fields[7]}
		for ; s.to < len(lines); s.to++ {
			next := lines[s.to]
			if off {
				if rest, ok := strings.CutPrefix(next, "#"); !ok || rest == "" || rest[0] != ' ' && rest[0] != '\t' {
					break
				}
			} else if next == "" || next[0] != ' ' && next[0] != '\t' && next[0] != '#' && next[0] != '\n' || startsService(next) {
				break
			}
		}
		all = append(all, s)
	}
	return all
}

// startsService reports whether a comment is a service that is commented out.
func startsService(line string) bool {
	bare, off := strings.CutPrefix(line, "#")
	if !off || bare == "" || bare[0] == ' ' || bare[0] == '\t' {
		return false
	}
	fields := strings.Fields(bare)
	return len(fields) >= 8 && fields[1] == "inet"
}

// submits reports whether users send through a service of that name.
func (o *Options) submits(name string) bool {
	if slices.Contains(o.Services, name) {
		return true
	}
	host, kind, _ := strings.Cut(name, "/")
	port := host[strings.LastIndexByte(host, ':')+1:]
	return kind == "inet" && slices.Contains([]string{"submission", "submissions", "smtps", "587", "465"}, port)
}

// masterCf returns master.cf with our services and with what others need for them, or
// without.
func (o *Options) masterCf(text string) (string, []string, error) {
	text, err := withoutBlocks(text)
	if err != nil {
		return "", nil, err
	}
	var lines []string
	for line := range strings.Lines(text) {
		if option := strings.TrimLeft(strings.TrimRight(line, "\n"), "# \t"); option == viaCleanup || option == noCopies {
			continue
		}
		line = strings.ReplaceAll(line, firstCheck+",", "")
		lines = append(lines, strings.ReplaceAll(line, firstCheck, ""))
	}
	if o.Remove {
		return strings.Join(lines, ""), nil, nil
	}

	var notes, on, off []string
	all := services(lines)
	for _, name := range o.Services {
		if !slices.ContainsFunc(all, func(s service) bool { return s.name == name && !s.off }) {
			return "", nil, problem("unknown service %s: `postconf -M` lists services, name one as SERVICE/TYPE", name)
		}
	}
	for _, s := range slices.Backward(all) { // from the end, so that the numbers of lines stay right
		if s.program == "pipe" && strings.Contains(strings.Join(lines[s.from:s.to], ""), "imip_person_outgoing") {
			notes = append(notes, fmt.Sprintf("the service %s also runs imip_person_outgoing: if it still gets mail, events are handled twice, which does no harm", s.name))
		}
		pickup := s.name == "pickup/unix" || s.name == "pickup/fifo"
		if !pickup && (!o.submits(s.name) || s.program != "smtpd") {
			continue
		}
		for i := s.from; i < s.to; i++ {
			if match := cleanupOption.FindStringSubmatch(lines[i]); match != nil && (s.off || !strings.HasPrefix(lines[i], "#")) {
				return "", nil, problem("the service %s has the cleanup service %s already: add `-o sender_bcc_maps=$%s` to %[2]s, "+
					"remove cleanup_service_name, and run this again", s.name, match[1], sendersName)
			}
			if strings.Contains(lines[i], "no_address_mappings") && !strings.HasPrefix(lines[i], "#") {
				notes = append(notes, fmt.Sprintf("the service %s has receive_override_options=no_address_mappings: mail that comes in there is not copied; remove it", s.name))
			}
			if at := restrictions.FindStringIndex(lines[i]); at != nil {
				rest := lines[i][at[1]:]
				first := firstCheck
				if strings.TrimSpace(rest) != "" && rest[0] != ' ' {
					first += ","
				}
				lines[i] = lines[i][:at[1]] + first + rest
			}
		}
		comment := ""
		switch {
		case s.off:
			comment = "#"
			off = append(off, s.name)
		case !pickup:
			on = append(on, s.name)
		}
		added := []string{comment + "  " + viaCleanup + "\n"}
		if !pickup {
			added = append(added, comment+"  "+noCopies+"\n")
		}
		lines = slices.Insert(lines, s.from+1, added...)
	}
	slices.Sort(off)
	if len(on) == 0 {
		note := "users have no service to send through: enable submission or submissions in master.cf"
		if len(off) > 0 {
			note += " (the commented lines there have the needed options)"
		}
		notes = append(notes, note+", or name the service that users send through: --service SERVICE/TYPE")
	}
	text = strings.Join(lines, "")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + o.fill(postfix.Master), notes, nil
}
