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

	// DropIn has the service's socket opened there by systemd.
	DropIn = "/etc/systemd/system/imip-agent.socket.d/postfix.conf"
)

// Service is the service, imip-agent serve, to which Postfix hands in users' mail by the milter protocol.
type Service struct {
	Config    string // config.txt
	HasLogins bool   // which says to whom logins belong that are no addresses
	Systemd   bool   // systemd starts the service
	Root      string // where DropIn is below; empty: /
}

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

// withSettings returns config.txt with what the service needs at its end.
func withSettings(text, socket, domain string) string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	text += beginMilter + ": `imip-agent setup postfix` adds, updates and removes this\n" + fmt.Sprintf("MILTER_SOCKET = %q", socket)
	if domain != "" {
		text += loginDomain + domain + "\""
	}
	return text + "\n" + end + " milter\n"
}

// queueDirectory asks Postfix for its directory.
func queueDirectory(ctx context.Context, run Run) (string, error) {
	lines, err := run(ctx, "postconf", "-h", "queue_directory")
	return strings.TrimSpace(strings.Join(lines, " ")), err
}

// withService adds to a plan what has the service take mail where Postfix hands it in. It returns main.cf, of which old is
// what there was, and text what it is to be otherwise.
func (o *Options) withService(ctx context.Context, p *Plan, run Run, etc, old, text string) (string, error) {
	s := o.Service
	lines, err := run(ctx, "postconf", "-h", "mail_version")
	if err != nil {
		return "", err
	}
	if version := strings.Join(lines, ""); !atLeast(version, 3, 0) {
		return "", problem("this is Postfix %s, and a milter with timeouts of its own needs 3.0: conf/README.md says how to set it up by hand", version)
	}
	if names := handMade(old); names != "" {
		return "", problem("main.cf in %s names the service already, by hand (%s): remove it there first", etc, names)
	}
	queue, err := queueDirectory(ctx, run)
	if err != nil {
		return "", err
	}
	socket := filepath.Join(queue, milterName)
	config, err := read(s.Config)
	if err != nil {
		return "", err
	}
	if config == nil {
		return "", problem("the configuration %s is missing: `imip-agent setup user` writes it", s.Config)
	}
	settings, err := withoutParts(string(config), beginMilter)
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.Config, err)
	}
	domain := ""
	if before := string(config); !s.HasLogins || strings.Contains(before, loginDomain) && !strings.Contains(settings, loginDomain) {
		domain = o.Domains[0]
	}
	p.change(s.Config, config, []byte(withSettings(settings, socket, domain)))
	before := [][]string{{"install", "-d", "-o", o.User, "-g", "postfix", "-m", "2750", filepath.Dir(socket)}}
	if s.Systemd {
		had, err := read(s.dropIn())
		if err != nil {
			return "", err
		}
		p.change(s.dropIn(), had, []byte("# Made by `imip-agent setup postfix`, which also removes it: a smtpd in a chroot sees no other place.\n"+
			"[Socket]\nListenStream="+socket+"\n"))
		// A socket that was open before gets the new place only when it is opened again, without the service.
		before = append(before, []string{"systemctl", "daemon-reload"}, []string{"systemctl", "enable", "imip-agent.socket", "imip-agent.service"},
			[]string{"systemctl", "stop", "imip-agent.service"}, []string{"systemctl", "restart", "imip-agent.socket"}, []string{"systemctl", "start", "imip-agent.service"})
	} else {
		p.Notes = append(p.Notes, fmt.Sprintf("systemd does not run here: have `imip-agent serve` run as %s, and started with the machine", o.User))
	}
	p.Then = append(before, p.Then...)
	o.milterNotes(ctx, p, run)
	return withMilter(text), nil
}

// withoutService adds to a plan what takes out the service where it was set up. Old is main.cf as it was.
func (o *Options) withoutService(ctx context.Context, p *Plan, run Run, old string) error {
	s := o.Service
	config, err := read(s.Config)
	if err != nil {
		return err
	}
	had, err := read(s.dropIn())
	if err != nil {
		return err
	}
	settings, err := withoutParts(string(config), beginMilter)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Config, err)
	}
	if !strings.Contains(old, milterMark) && had == nil && settings == string(config) {
		return nil
	}
	queue, err := queueDirectory(ctx, run)
	if err != nil {
		return err
	}
	if config != nil {
		p.change(s.Config, config, []byte(settings))
	}
	p.change(s.dropIn(), had, nil)
	if s.Systemd {
		p.Then = append(p.Then, []string{"systemctl", "disable", "--now", "imip-agent.service", "imip-agent.socket"}, []string{"systemctl", "daemon-reload"})
	} else {
		p.Notes = append(p.Notes, "the service, imip-agent serve, is not needed any more: end it")
	}
	p.Then = append(p.Then, []string{"rm", "-rf", filepath.Join(queue, milterDir)})
	p.Notes = append(p.Notes, "`imip-agent queue` shows whether messages are left in the spool, and `imip-agent queue retry` handles them")
	return nil
}

func (s *Service) dropIn() string { return filepath.Join("/", s.Root, DropIn) }

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
