package setup

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Service is the service, imip-agent serve, to which a mail system hands mail.
type Service struct {
	Config    string // config.txt
	HasLogins bool   // which says to whom logins belong that are no addresses
	Mailbox   string // MAILBOX_SERVER there; empty: it names none
	Systemd   bool   // systemd starts the service
	Root      string // where drop-ins are below; empty: /
}

// The service and its sockets in systemd.
const (
	serviceUnit = "imip-agent.service"
	milterUnit  = "imip-agent.socket"
	lmtpUnit    = "imip-agent-lmtp.socket"
	metricsUnit = "imip-agent-metrics.socket"
)

// serving is what the service is to do for a mail system.
type serving struct {
	system  string            // the word of the command: postfix or exim
	part    string            // the name of the part of config.txt
	lines   []string          // of that part
	sockets map[string]string // what a drop-in of systemd has for the section [Socket], by the unit
	lmtp    bool              // it takes mail by LMTP
	prepare [][]string        // commands that make the place for the sockets
}

// mailbox returns the place of the mailbox server that is configured, where a pipe has another.
func (s *Service) mailbox(ofPipe string) string {
	switch {
	case s.Mailbox != "" && !isService(s.Mailbox):
		return s.Mailbox
	case ofPipe == bySMTP:
		return ""
	}
	return ofPipe
}

// isService reports whether a place is the service's own.
func isService(place string) bool { return strings.HasSuffix(place, "/imip-agent/lmtp") }

// dropIn is the file that changes a socket's unit for a mail system.
func (s *Service) dropIn(system, unit string) string {
	return filepath.Join("/", s.Root, "etc/systemd/system", unit+".d", system+".conf")
}

// serve adds to a plan what has the service take a mail system's mail.
func (o *Options) serve(p *Plan, w serving) error {
	s := o.Service
	config, err := read(s.Config)
	if err != nil {
		return err
	}
	if config == nil {
		return problem("the configuration %s is missing: `imip-agent setup user` writes it", s.Config)
	}
	settings, err := withoutParts(string(config), begin+w.part)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Config, err)
	}
	for _, line := range w.lines {
		name, value, _ := strings.Cut(line, " = ")
		if name != "LMTP_SOCKET" && name != "RESOURCES" {
			continue
		}
		if own := byHandIn(settings, name); own != "" && own != value {
			return problem("%s has %s = %s by hand: remove that line there, and what leads to it in the mail system", s.Config, name, own)
		}
	}
	p.change(s.Config, config, []byte(withSettings(settings, w)))
	if !s.Systemd {
		p.Then = append(w.prepare, p.Then...)
		note := "systemd does not run here: start `imip-agent serve` again"
		if !o.Remove {
			note = fmt.Sprintf("systemd does not run here: have `imip-agent serve` run as %s, and started with the machine. If it runs already, start it again", o.User)
		}
		p.Notes = append(p.Notes, note)
		return nil
	}
	off := [][]string{}
	for _, unit := range []string{milterUnit, lmtpUnit} {
		path := s.dropIn(w.system, unit)
		had, err := read(path)
		if err != nil {
			return err
		}
		text, wanted := w.sockets[unit]
		switch {
		case wanted:
			p.change(path, had, []byte("# Made by `imip-agent setup "+w.system+"`, which also removes it.\n[Socket]\n"+text))
		case had != nil:
			p.change(path, had, nil)
			off = append(off, []string{"systemctl", "disable", unit})
		}
	}
	units := []string{milterUnit}
	if w.lmtp {
		units = append(units, lmtpUnit)
	}
	units = append(units, serviceUnit)
	// A socket that was open before gets its new place only when it is opened again, without the service.
	before := append(w.prepare, []string{"systemctl", "daemon-reload"}, []string{"systemctl", "stop", serviceUnit, milterUnit, lmtpUnit})
	before = append(before, off...)
	before = append(before, append([]string{"systemctl", "enable"}, units...), append([]string{"systemctl", "start"}, units...))
	p.Then = append(before, p.Then...)
	return nil
}

// serveLess adds to a plan what has the service go on, if it is there, without some settings.
func (o *Options) serveLess(p *Plan, w serving, without ...string) error {
	config, err := read(o.Service.Config)
	if err != nil {
		return err
	}
	for line := range strings.Lines(partOf(string(config), begin+w.part)) {
		if name, _, _ := strings.Cut(line, " = "); !slices.Contains(without, name) {
			w.lines = append(w.lines, strings.TrimSuffix(line, "\n"))
		}
	}
	if len(w.lines) == 0 {
		return nil
	}
	w.sockets = map[string]string{}
	for unit, kept := range map[string]bool{milterUnit: true, lmtpUnit: w.lmtp} {
		text, err := read(o.Service.dropIn(w.system, unit))
		if err != nil {
			return err
		}
		if _, section, ok := strings.Cut(string(text), "[Socket]\n"); ok && kept {
			w.sockets[unit] = section
		}
	}
	return o.serve(p, w)
}

// unserve adds to a plan what ends the service where it was set up for a mail system, and reports whether it was.
func (o *Options) unserve(p *Plan, system, part string) (bool, error) {
	s := o.Service
	config, err := read(s.Config)
	if err != nil {
		return false, err
	}
	settings, err := withoutParts(string(config), begin+part)
	if err != nil {
		return false, fmt.Errorf("%s: %w", s.Config, err)
	}
	was := settings != string(config)
	if config != nil {
		p.change(s.Config, config, []byte(settings))
	}
	for _, unit := range []string{milterUnit, lmtpUnit} {
		path := s.dropIn(system, unit)
		had, err := read(path)
		if err != nil {
			return false, err
		}
		was = was || had != nil
		p.change(path, had, nil)
	}
	return was, nil
}

// endService adds to a plan what ends the service. What refers to it is taken out before.
func (o *Options) endService(p *Plan) {
	if o.Service.Systemd {
		p.Then = append(p.Then, []string{"systemctl", "disable", "--now", serviceUnit, milterUnit, lmtpUnit, metricsUnit}, []string{"systemctl", "daemon-reload"})
	} else {
		p.Notes = append(p.Notes, "the service, imip-agent serve, is not needed any more: end it")
	}
	p.Notes = append(p.Notes, "`imip-agent queue` shows whether messages are left in the spool, and `imip-agent queue retry` handles them")
}

// withSettings returns config.txt with what the service needs at its end.
func withSettings(text string, w serving) string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + begin + w.part + ": `imip-agent setup " + w.system + "` adds, updates and removes this\n" + strings.Join(w.lines, "\n") + "\n" + end + w.part + "\n"
}

// byHandIn returns the value of a setting of config.txt, nothing if it has none.
func byHandIn(text, name string) string {
	found := regexp.MustCompile(`(?m)^`+name+`[ \t]*=[ \t]*(.*?)[ \t]*$`).FindAllStringSubmatch(text, -1)
	if len(found) == 0 || found[len(found)-1][1] == "None" {
		return ""
	}
	return found[len(found)-1][1]
}

// settingLine is a line of config.txt.
func settingLine(name, value string) string { return fmt.Sprintf("%s = %q", name, value) }
