package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Person is the name of the program that the mail system runs on mail that arrives.
const Person = "imip_person"

// Resource is the name of the program that the mail system runs on mail for rooms and equipment.
const Resource = "imip_resource"

// Incoming is the examination of how mail that arrives reaches the mailboxes, where the mail
// system runs imip_person on it.
const Incoming = "incoming"

// ServerKind is how a mail server is talked to.
type ServerKind int

const (
	LMTP      ServerKind = iota // the mailbox server
	SMTP                        // the mail server for answers
	LocalSMTP                   // the same, for mailboxes (LOCAL_PREFIX)
)

// Ask asks a mail server at a place whether it takes mail for addresses, and sends none. It
// returns what is wrong with each of them, or why the server cannot be asked.
type Ask func(ctx context.Context, kind ServerKind, place string, to []string) ([]error, error)

// MayOpen returns why a socket cannot be opened by a user with a group. Only root can find out.
func MayOpen(ctx context.Context, userName, groupName, socket string) error {
	a, err := lookup(userName, groupName)
	if err != nil {
		return err
	}
	return a.mayOpen(ctx, socket)
}

func (a account) mayOpen(ctx context.Context, socket string) error {
	if info, err := os.Stat(socket); err != nil {
		return fmt.Errorf("%s cannot be found: %w", socket, err)
	} else if info.Mode()&os.ModeSocket == 0 {
		return fmt.Errorf("%s is no socket", socket)
	}
	cmd, err := a.command(ctx, "test", "-w", socket)
	if err == nil && cmd.Run() != nil {
		return fmt.Errorf("%s cannot be opened by %s", socket, a.name)
	}
	return nil
}

// incoming is how the mail system hands over mail that arrives.
type incoming struct {
	system  string // the mail system, as it is examined
	handler string // Person or Resource
	name    string // of the transport
	program string
	account account
	args    []string // what the program gets
	lmtp    string   // the mailbox server; empty: by SMTP
	complaints
	// handled reports whether mail for an address goes through it.
	handled func(address string) bool
	// listed returns addresses of users, as far as they are in a list.
	listed func() []string
}

// complaints are what is wrong with the transport.
type complaints []complaint

type complaint struct {
	status       Status
	remedy, text string
}

func (c *complaints) add(status Status, remedy, format string, args ...any) {
	*c = append(*c, complaint{status, remedy, fmt.Sprintf(format, args...)})
}

// mail is what goes through it.
func (in *incoming) mail() string {
	if in.handler == Resource {
		return "mail for resources"
	}
	return "users' mail"
}

// twice is what can become of mail that has other octets when it is tried again.
func (in *incoming) twice() string {
	if in.handler == Resource {
		return "be answered twice"
	}
	return "reach the mailbox twice"
}

// again is the command that mends most of what can be wrong.
func (in *incoming) again() string {
	if in.handler == Resource {
		return "run `imip-agent setup " + in.system + " --domain DOMAIN --resources LIST`, which corrects it"
	}
	return againIncoming(in.system)
}

// findIncoming returns how mail that arrives for users is handed over, nil if it is not.
func (d *Doctor) findIncoming(ctx context.Context) *incoming {
	in := d.findTransport(ctx, Person)
	if in == nil {
		return nil
	}
	for i, arg := range in.args[:max(len(in.args)-1, 0)] {
		if arg == "-l" || arg == "--lmtp-socket" {
			in.lmtp = in.args[i+1]
		}
	}
	if in.lmtp == "" && !slices.Contains(in.args, "-L") && !slices.Contains(in.args, "--local-smtp") {
		in.add(Failed, againIncoming(in.system), "transport %s does not say where the mailboxes are (-l): all mail of users waits", in.name)
	}
	return in
}

// findTransport returns how mail that arrives is handed to a program, nil if it is not.
func (d *Doctor) findTransport(ctx context.Context, program string) (in *incoming) {
	if postconf, ok := d.Find("postconf"); ok {
		in = d.incomingPostfix(ctx, postconf, program)
	} else {
		for _, name := range []string{"exim4", "exim"} {
			if exim, ok := d.Find(name); ok {
				in = d.incomingExim(ctx, exim, program)
				break
			}
		}
	}
	if in != nil && !slices.Contains(in.args, "-o") {
		in.add(Failed, in.again(), "transport %s does not pass the recipient (-o): mail goes to the addresses in the field To", in.name)
	}
	return in
}

// againIncoming is the command that mends most of what can be wrong.
func againIncoming(system string) string {
	return "run `imip-agent setup " + system + " --domain DOMAIN --incoming`, which corrects it"
}

// incomingPostfix looks for the transport in Postfix's configuration.
func (d *Doctor) incomingPostfix(ctx context.Context, postconf, program string) *incoming {
	c, err := readPostfix(ctx, postconf)
	if err != nil {
		return nil // said already
	}
	for _, s := range c.services {
		at := slices.IndexFunc(s.words, func(word string) bool {
			command, ok := strings.CutPrefix(word, "argv=")
			return ok && path.Base(command) == program
		})
		if s.program != "pipe" || at < 0 {
			continue
		}
		in := &incoming{system: Postfix, handler: program, program: strings.TrimPrefix(s.words[at], "argv="), args: s.words[at+1:]}
		in.name, _, _ = strings.Cut(s.name, "/")
		mend := in.again()
		for _, word := range s.words[:at] {
			if value, ok := strings.CutPrefix(word, "user="); ok {
				userName, groupName, _ := strings.Cut(value, ":")
				if in.account, err = lookup(userName, groupName); err != nil {
					in.add(Failed, "run `imip-agent setup user`, or correct user= in master.cf", "transport %s: %v", in.name, err)
				}
			}
			if flags, ok := strings.CutPrefix(word, "flags="); ok && strings.ContainsAny(flags, "FDOX") {
				in.add(Warning, mend, "transport %s adds lines to each message (flags=%s), and mail that is tried again can %s", in.name, flags, in.twice())
			}
		}
		if s.chroot == "y" {
			in.add(Failed, mend, "transport %s runs in a chroot, where neither the program nor the store is", in.name)
		}
		if c.value(s.name, "soft_bounce") != "yes" {
			in.add(Failed, mend, "transport %s returns %s to its senders if the program is missing or is killed, instead of trying again", in.name, in.mail())
		}
		if limit := c.main(in.name + "_destination_recipient_limit"); limit != "1" {
			in.add(Warning, "postconf -e "+in.name+"_destination_recipient_limit=1", "transport %s takes %s recipients at a time", in.name, limit)
		}
		if seconds, err := strconv.Atoi(strings.TrimSuffix(c.main(in.name+"_time_limit"), "s")); err == nil && float64(seconds) <= d.Config.Deadline.Seconds() {
			in.add(Warning, fmt.Sprintf("postconf -e %s_time_limit=%ds", in.name, int(2*d.Config.Deadline.Seconds())),
				"transport %s stops the handler after %d s, before its own limit (DEADLINE)", in.name, seconds)
		}
		if slices.Contains(elements(c.main("defer_transports")), in.name) {
			in.add(Failed, "remove it from defer_transports in main.cf", "transport %s is in defer_transports: %s waits", in.name, in.mail())
		}
		in.handled = func(address string) bool {
			to, err := c.incomingTransport(address)
			return err == nil && (to == in.name || strings.HasPrefix(to, in.name+":"))
		}
		table := "imip_sender_bcc_maps"
		if program == Resource {
			table = "calendar_resources"
		}
		in.listed = func() []string {
			keys, _ := c.keys(c.main(table), someUsers)
			return keys
		}
		d.waitingIncoming(c, in)
		return in
	}
	return nil
}

// incomingTransport returns the transport that takes the mail of an address to the mailbox.
func (c *postfixConf) incomingTransport(address string) (string, error) {
	transport, err := c.query(c.main("transport_maps"), address)
	if err != nil || transport != "" {
		return transport, err
	}
	user, domain, _ := strings.Cut(address, "@")
	if transport, err = c.query(c.main("transport_maps"), domain); err != nil || transport != "" && !strings.HasPrefix(transport, "local:") {
		return transport, err
	}
	for _, word := range elements(c.main("mydestination")) {
		found := strings.EqualFold(word, domain)
		if !found && strings.Contains(word, ":") {
			value, err := c.query(word, domain)
			found = err == nil && value != ""
		}
		if found && strings.HasPrefix(c.main("local_transport"), "local") {
			return c.query(c.main("mailbox_transport_maps"), user)
		}
	}
	return "", nil
}

// waitingIncoming looks for users' mail that waits in Postfix's queue.
func (d *Doctor) waitingIncoming(c *postfixConf, in *incoming) {
	lines, err := output(c.ctx, filepath.Join(path.Dir(c.postconf), "postqueue"), "-j")
	if err != nil {
		return
	}
	waiting, reason := 0, ""
	for _, line := range lines {
		if !strings.Contains(line, `"queue_name": "deferred"`) {
			continue
		}
		for _, recipient := range strings.Split(line, `"address": "`)[1:] {
			address, rest, _ := strings.Cut(recipient, `"`)
			if waiting < someUsers && in.handled(address) {
				waiting++
				if _, why, ok := strings.Cut(rest, `"delay_reason": "`); ok {
					reason, _, _ = strings.Cut(why, `"`)
				}
			}
		}
	}
	if waiting > 0 {
		remedy, whom := "correct the reason; then `postqueue -f` tries them again at once", "resources"
		if in.handler == Person {
			remedy, whom = remedy+". `imip-agent setup postfix --remove --incoming` lets users' mail go straight to the mailboxes", "users"
		}
		in.add(Warning, remedy, "%d mails for %s wait, the last one since: %s", waiting, whom, reason)
	}
}

// incomingExim looks for the transport in Exim's configuration.
func (d *Doctor) incomingExim(ctx context.Context, exim, program string) *incoming {
	lines, err := output(ctx, exim, "-bP", "transports")
	if err != nil {
		return nil // said already
	}
	options := map[string]string{}
	in := &incoming{system: Exim, handler: program}
	current := ""
	for _, line := range lines {
		if transport, ok := strings.CutSuffix(line, " transport:"); ok {
			current = transport
			continue
		}
		key, value, _ := strings.Cut(line, " = ")
		options[current+" "+key] = value
		if key != "command" {
			continue
		}
		words := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \"'", r) })
		if at := slices.IndexFunc(words, func(word string) bool { return path.Base(word) == program }); at >= 0 {
			in.name, in.program, in.args = current, words[at], words[at+1:]
		}
	}
	if in.name == "" {
		return nil
	}
	option := func(key string) string { return options[in.name+" "+key] }
	mend := in.again()
	if in.account, err = lookup(option("user"), option("group")); err != nil {
		in.add(Failed, "run `imip-agent setup user`, or correct `user` and `group` of the transport", "transport %s: %v", in.name, err)
	}
	if option("temp_errors") != "*" {
		in.add(Failed, mend+" (`temp_errors = *`)", "transport %s returns %s to its senders if the program fails with another status than 75", in.name, in.mail())
	}
	if _, set := options[in.name+" timeout_defer"]; !set {
		in.add(Failed, mend+" (`timeout_defer`)", "transport %s returns %s to its senders if the program takes too long", in.name, in.mail())
	}
	if _, set := options[in.name+" delivery_date_add"]; set {
		in.add(Warning, "remove `delivery_date_add`", "transport %s adds the time to each message, and mail that is tried again can %s", in.name, in.twice())
	}
	if option("message_prefix") != "" {
		in.add(Warning, mend+" (`message_prefix =`)", "transport %s adds a line to each message, and mail that is tried again can %s", in.name, in.twice())
	}
	in.handled = func(address string) bool {
		lines, _ := output(ctx, exim, "-f", "<>", "-bt", address)
		return slices.ContainsFunc(lines, func(line string) bool { return strings.HasSuffix(line, "transport = "+in.name) })
	}
	if program == Resource {
		in.listed = func() []string { return addressList(ctx, exim, "IMIP_RESOURCES") }
		return in
	}
	in.listed = func() []string { return d.senderList(ctx, exim) }
	// Exim takes the route of one recipient for others in the domain.
	routes, _ := output(ctx, exim, "-f", "<>", "-bt", d.probe())
	for _, line := range routes {
		router, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "router = "), ",")
		options, err := output(ctx, exim, "-bP", "router", router)
		if err == nil && router != in.name && slices.Contains(options, "same_domain_copy_routing") {
			in.add(Warning, "remove that option from the router", "the router %s has same_domain_copy_routing: a mail to a user and to somebody else in the domain can reach the user's mailbox without being handled", router)
		}
	}
	return in
}

// arriving looks at how mail that arrives is handled: at the transport, the program, the mailbox
// server, and the mail server for answers.
func (d *Doctor) arriving(ctx context.Context, outgoing handler, report report) {
	in := d.findIncoming(ctx)
	if in == nil {
		d.arrivingByLMTP(ctx, report)
		return
	}
	for _, c := range in.complaints {
		report(Incoming, c.status, c.remedy, "%s", c.text)
	}
	users := d.users(ctx)
	if len(users) == 0 {
		users = in.listed()
	}
	users = slices.DeleteFunc(users, func(user string) bool { return strings.HasPrefix(user, "@") })
	d.arrivesFor(in, users, report)
	if info, err := os.Stat(in.program); err != nil || info.Mode()&0o111 == 0 {
		report(Incoming, Failed, "install it, or let mail go straight to the mailboxes again: `imip-agent setup "+in.system+" --remove --incoming`",
			"transport %s runs %s, which is missing or not a program", in.name, in.program)
		return
	}
	switch {
	case !in.account.known:
		return // said already
	case in.account.uid == 0:
		report(Incoming, Failed, "let it run as imip-agent", "transport %s runs %s as root", in.name, in.program)
		return
	case outgoing.account.known && outgoing.account != in.account:
		report(Incoming, Failed, againIncoming(in.system), "%s runs as %s, but %s as %s: they cannot change each other's files",
			Person, in.account.name, Handler, outgoing.account.name)
	}
	d.arrival(ctx, in, report)
	d.mailboxes(ctx, in, users, report)
	d.answers(ctx, report)
}

// arrivesFor looks whose mail goes through the transport.
func (d *Doctor) arrivesFor(in *incoming, users []string, report report) {
	var missing []string
	for _, user := range users[:min(len(users), someUsers)] {
		if !in.handled(user) {
			missing = append(missing, user)
		}
	}
	list := "`imip-agent setup " + in.system + " --domain DOMAIN --users LIST`"
	switch {
	case len(users) > 0 && len(missing) == len(users):
		report(Incoming, Failed, againIncoming(in.system)+"; "+list+" names users",
			"no mail that arrives for users goes to transport %s, such as that for %s", in.name, few(missing))
	case len(missing) > 0:
		report(Incoming, Warning, "name them too, if they still take part: "+list,
			"of %d users, the mail that arrives for %d is not handled: %s", len(users), len(missing), few(missing))
	case len(users) > 0:
		report(Incoming, OK, "", "mail that arrives for users goes to transport %s, which runs %s", in.name, in.program)
	default:
		report(Incoming, OK, "", "transport %s runs %s on mail that arrives; no user is known yet whose mail could be looked at", in.name, in.program)
	}
}

// mailboxServer returns how the mailbox server is talked to, at its socket for LMTP or, without one, by SMTP, and what to call it.
func (d *Doctor) mailboxServer(lmtp string) (kind ServerKind, place, what string) {
	if lmtp == "" {
		return LocalSMTP, d.Config.SMTPHost, "the mail server for mailboxes, " + d.Config.SMTPHost + " (SMTP_HOST, LOCAL_PREFIX)"
	}
	return LMTP, lmtp, "the mailbox server at " + lmtp
}

// mailboxes asks the mailbox server whether it takes mail for users, as the handler's user.
func (d *Doctor) mailboxes(ctx context.Context, in *incoming, users []string, report report) {
	kind, place, what := d.mailboxServer(in.lmtp)
	if strings.HasPrefix(in.lmtp, "/") {
		if err := in.account.mayOpen(ctx, in.lmtp); err != nil {
			report(Incoming, Failed, "start the mailbox server, or let it give the socket to "+strings.SplitN(in.account.name, ":", 2)[0]+"; `imip-agent setup "+in.system+" --domain DOMAIN --incoming --mailbox SOCKET` takes another",
				"the mail of users waits: %v", err)
			return
		}
	}
	if d.Ask == nil {
		return
	}
	asked := users[:min(len(users), 5)]
	results, err := d.Ask(ctx, kind, place, asked)
	if err != nil {
		report(Incoming, Failed, "start it; its own log has more", "%s does not answer, and the mail of users waits: %v", what, err)
		return
	}
	wrong := 0
	for i, err := range results {
		if err != nil {
			wrong++
			report(Incoming, Warning, "see what that server knows of this address: mail for it goes back to its senders. Records of somebody who has left do no harm",
				"%s takes no mail for %s: %v", what, asked[i], err)
		}
	}
	switch {
	case wrong > 0:
	case len(asked) == 0:
		report(Incoming, OK, "", "%s answers", what)
	default:
		report(Incoming, OK, "", "%s takes mail for %s", what, few(asked))
	}
}

// arrival hands the handler a message that has arrived, with a store of its own. Nothing is delivered.
func (d *Doctor) arrival(ctx context.Context, in *incoming, report report) {
	dir, remove, err := d.temporary(in.account)
	if err != nil {
		report(Incoming, Unknown, remedyFor(err), "%s cannot be tested: %v", in.program, err)
		return
	}
	defer remove()
	args := []string{"-o", somebody.Address(), "-d", "-T", "file"}
	for option, name := range map[string]string{"-S": "store", "-P": "static", "-p": "preferences", "-j": "journal"} {
		args = append(args, option, filepath.Join(dir, name))
	}
	if d.Config.File != "" {
		args = append(args, "--config", d.Config.File)
	}
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	cmd, err := in.account.command(ctx, in.program, args...)
	if err != nil {
		report(Incoming, Unknown, "run this as root", "%s cannot be tested: %v", in.program, err)
		return
	}
	const uid = "doctor@imip-agent.invalid"
	cmd.Stdin = strings.NewReader(invitation(guest, somebody.Address(), uid, d.Now()))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	start := d.Now()
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		text := strings.TrimSpace(said.String())
		if errors.As(err, &exit) {
			text = lastLine(text)
		}
		report(Incoming, Failed, "run it by hand: "+in.program+" "+strings.Join(args, " ")+" < MESSAGE", "%s does not handle a message that arrives (%v): %s", in.program, err, text)
		return
	}
	took := d.Now().Sub(start)
	if err := d.findTrial(ctx, dir, uid); err != nil {
		report(Incoming, Failed, "see what `"+in.program+" --version` says, and whether users take part (PARTICIPATING_DEFAULT)",
			"%s reports success, but the event of a message that arrives is not in the store: %v", in.program, err)
		return
	}
	report(Incoming, OK, "", "%s has handled a message that arrives as %s in %d ms", in.program, in.account.name, took.Milliseconds())
}

// lastLine returns the last line of what a program says: why it has failed.
func lastLine(text string) string { return text[strings.LastIndexByte(text, '\n')+1:] }
