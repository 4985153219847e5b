package setup

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// What the service and Postfix meet by. The place is below Postfix's own directory: a smtpd in a chroot, as Debian has
// it, sees no other, and one that is in none goes by the same name.
const (
	milterDir   = "imip-agent" // in Postfix's queue directory
	milterName  = milterDir + "/milter"
	milterMark  = "{ unix:" + milterName + ","
	beginMilter = begin + " milter"

	// Without the service mail goes out, and a service that hangs holds up nobody for long.
	milterValue = milterMark + " connect_timeout=5s, command_timeout=10s, content_timeout=30s, default_action=accept }"

	lmtpName      = milterDir + "/lmtp"
	lmtpTransport = "lmtp:unix:" + lmtpName
)

var milterElement = regexp.MustCompile(`[ \t,]*\{ unix:` + milterName + `,[^}]*\}`)

// HasPipe reports whether Postfix is set up to hand copies of users' mail to the handlers by pipes.
func HasPipe(ctx context.Context, run Run) bool {
	lines, err := run(ctx, "postconf", "-h", "config_directory")
	if err != nil || len(lines) == 0 {
		return false
	}
	text, err := read(filepath.Join(strings.TrimSpace(lines[0]), "main.cf"))
	return err == nil && setting(string(text), sendersName) != ""
}

// withoutMilter returns main.cf without the service. That its own part is not there any more is for the caller.
func withoutMilter(text string) (string, error) {
	text, err := withoutParts(text, beginMilter)
	if err != nil {
		return "", err
	}
	const name = "smtpd_milters"
	if strings.Contains(text, milterMark) {
		at := lastSetting(text, name)
		if at >= 0 {
			end := settingEnd(text, name)
			list := strings.ReplaceAll(text[at:end], "    "+milterValue+"\n", "")
			list = milterElement.ReplaceAllString(list, "")
			text = text[:at] + list + text[end:]
		}
	}
	return text, nil
}

// withMilter returns main.cf with the service as the last milter: what others refuse is not for it.
func withMilter(text string) string {
	const name = "smtpd_milters"
	if lastSetting(text, name) >= 0 {
		return appendTo(text, name, milterValue)
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + beginMilter + ": the service, imip-agent serve. `imip-agent setup postfix` adds, updates and removes this.\n" +
		name + " = " + milterValue + "\n" + end + " milter\n"
}

// loginDomain begins the setting of the domain of logins that are no addresses.
const loginDomain = "\nLOGIN_DOMAIN = \""

// queueDirectory asks Postfix for its directory.
func queueDirectory(ctx context.Context, run Run) (string, error) {
	lines, err := run(ctx, "postconf", "-h", "queue_directory")
	return strings.TrimSpace(strings.Join(lines, " ")), err
}

// withService adds to a plan what has the service take mail where Postfix hands it in. It returns main.cf, of which old is
// what there was, and text what it is to be otherwise. Mailbox is the mailbox server behind the service, if mail that arrives for
// users goes through it.
func (o *Options) withService(ctx context.Context, p *Plan, run Run, etc, old, text, mailbox string) (string, error) {
	lines, err := run(ctx, "postconf", "-h", "mail_version")
	if err != nil {
		return "", err
	}
	lmtp := mailbox != "" || len(o.Resources) > 0
	switch version := strings.Join(lines, ""); {
	case !atLeast(version, 3, 0):
		return "", problem("this is Postfix %s, and a milter with timeouts of its own needs 3.0: conf/README.md says how to set it up by hand", version)
	case lmtp && !atLeast(version, 3, 7):
		return "", problem("this is Postfix %s, and tables in main.cf need 3.7: conf/README.md says how to set up mail that arrives by hand", version)
	}
	if names := handMade(old); names != "" {
		return "", problem("main.cf in %s names the service already, by hand (%s): remove it there first", etc, names)
	}
	queue, err := queueDirectory(ctx, run)
	if err != nil {
		return "", err
	}
	config, err := read(o.Service.Config)
	if err != nil {
		return "", err
	}
	settings, err := withoutParts(string(config), beginMilter)
	if err != nil {
		return "", fmt.Errorf("%s: %w", o.Service.Config, err)
	}
	w := serving{
		system: "postfix", part: " milter", lmtp: lmtp,
		lines:   []string{settingLine("MILTER_SOCKET", filepath.Join(queue, milterName))},
		sockets: map[string]string{milterUnit: listenThere + filepath.Join(queue, milterName) + "\n"},
		prepare: [][]string{{"install", "-d", "-o", o.User, "-g", "postfix", "-m", "2750", filepath.Join(queue, milterDir)}},
	}
	if before := string(config); !o.Service.HasLogins || strings.Contains(before, loginDomain) && !strings.Contains(settings, loginDomain) {
		w.lines = append(w.lines, settingLine("LOGIN_DOMAIN", o.Domains[0]))
	}
	if lmtp {
		w.lines = append(w.lines, settingLine("LMTP_SOCKET", filepath.Join(queue, lmtpName)))
		w.sockets[lmtpUnit] = listenThere + filepath.Join(queue, lmtpName) + "\n"
	}
	if mailbox != "" {
		w.lines = append(w.lines, settingLine("MAILBOX_SERVER", mailbox))
	}
	if len(o.Resources) > 0 {
		w.lines = append(w.lines, settingLine("RESOURCES", strings.Join(o.Resources, " ")))
	}
	if err := o.serve(p, w); err != nil {
		return "", err
	}
	o.milterNotes(ctx, p, run)
	return withMilter(text), nil
}

// listenThere is what a drop-in begins with.
const listenThere = "# A program of Postfix in a chroot sees no other place.\nListenStream="

// withoutService adds to a plan what takes out the service where it was set up. Old is main.cf as it was.
func (o *Options) withoutService(ctx context.Context, p *Plan, run Run, old string) error {
	was, err := o.unserve(p, "postfix", " milter")
	if err != nil || !was && !strings.Contains(old, milterMark) {
		return err
	}
	queue, err := queueDirectory(ctx, run)
	if err != nil {
		return err
	}
	o.endService(p)
	p.Then = append(p.Then, []string{"rm", "-rf", filepath.Join(queue, milterDir)})
	return nil
}

// serviceWithoutIncoming adds to a plan what keeps the service, if it is there, and takes mail that arrives for users away from it.
// Main is main.cf as it is to be.
func (o *Options) serviceWithoutIncoming(p *Plan, main string) error {
	resources := strings.Contains("\n"+main, "\n"+beginResources)
	w := serving{system: "postfix", part: " milter", lmtp: resources}
	without := []string{"MAILBOX_SERVER"}
	if !resources {
		without = append(without, "LMTP_SOCKET")
	}
	return o.serveLess(p, w, without...)
}

// handMade returns smtpd_milters if it names the service, and not by us.
func handMade(text string) string {
	at := lastSetting(text, "smtpd_milters")
	if at < 0 {
		return ""
	}
	list := text[at:settingEnd(text, "smtpd_milters")]
	if strings.Contains(list, milterMark) || !strings.Contains(list, "imip-agent/milter") {
		return ""
	}
	return strings.Join(strings.Fields(list), " ")
}

// milterNotes says what keeps the service from knowing of users' mail.
func (o *Options) milterNotes(ctx context.Context, p *Plan, run Run) {
	lines, err := run(ctx, "postconf", "-P")
	if err != nil {
		return
	}
	login := ""
	if values, err := run(ctx, "postconf", "-h", "smtpd_sasl_auth_enable"); err == nil {
		login = strings.TrimSpace(strings.Join(values, ""))
	}
	for _, line := range lines {
		name, own, _ := strings.Cut(line, "=")
		service, parameter, ok := cutLast(strings.TrimSpace(name), "/")
		own = strings.TrimSpace(own)
		switch {
		case !ok:
		case parameter == "smtpd_sasl_auth_enable" && own == "yes":
			login = "yes"
		case parameter == "smtpd_milters" && o.submits(service) && !strings.Contains(own, "smtpd_milters") && !strings.Contains(own, "imip-agent/milter"):
			p.Notes = append(p.Notes, fmt.Sprintf("the service %s of master.cf has smtpd_milters of its own, and its mail is not handed in: "+
				"add { unix:%s, default_action=accept } there", service, milterName))
		}
	}
	if login != "yes" {
		p.Notes = append(p.Notes, "nobody logs in to Postfix (smtpd_sasl_auth_enable), and the service counts mail of users who have logged in: "+
			"enable that, name hosts whose mail counts in MILTER_HOSTS, or use --pipe")
	}
}

func cutLast(text, separator string) (before, after string, found bool) {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(separator):], true
}
