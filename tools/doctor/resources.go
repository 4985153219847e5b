package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"imip-agent/handlers/resource"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

// resources looks at the preferences of rooms and equipment, of those who have a scheduling function: a mistake
// there keeps a resource from answering. It returns their addresses.
func (d *Doctor) resources(report report) (addresses []string) {
	entries, err := os.ReadDir(d.Config.PreferencesDir)
	if err != nil {
		return nil // which the examination of directories tells
	}
	found, mistakes := 0, 0
	for _, entry := range entries {
		dir := filepath.Join(d.Config.PreferencesDir, entry.Name())
		functions, err := preferences.ReadFile(filepath.Join(dir, "scheduling_function"))
		if errors.Is(err, fs.ErrNotExist) || !strings.Contains(entry.Name(), ":") {
			continue
		}
		found++
		if address := calendar.URI(entry.Name()).Address(); strings.Contains(address, "@") {
			addresses = append(addresses, strings.ToLower(address))
		}
		if err != nil {
			mistakes++
			report(Resources, Unknown, "run doctor as the account of the handler", "the functions of %s cannot be read: %v", entry.Name(), err)
			continue
		}
		acl, err := preferences.ReadFile(filepath.Join(dir, "acl"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			mistakes++
			report(Resources, Unknown, "run doctor as the account of the handler, or make it a file that can be read", "the access control list of %s cannot be read: %v", entry.Name(), err)
			continue
		}
		for _, mistake := range resource.Mistakes(strings.TrimSpace(string(functions)), strings.TrimSpace(string(acl))) {
			mistakes++
			report(Resources, Failed, "correct the file "+filepath.Join(dir, mistake.Preference), "%s: %v", entry.Name(), mistake)
		}
	}
	if found > 0 && mistakes == 0 {
		report(Resources, OK, "", "the scheduling functions of %d resources can be used", found)
	}
	return addresses
}

// deciding looks at how the mail of resources is handled: those that have scheduling functions, and those that the
// mail system lists.
func (d *Doctor) deciding(ctx context.Context, outgoing handler, resources []string, report report) {
	in := d.findTransport(ctx, Resource)
	if in == nil {
		if d.decidingByLMTP(ctx, resources, report) {
			return
		}
		if len(resources) > 0 && outgoing.program != "" {
			report(Resources, Warning, "run `imip-agent setup postfix` or `imip-agent setup exim` with --domain DOMAIN --resources LIST",
				"no transport runs %s, so that nothing answers for %s", Resource, few(resources))
		}
		return
	}
	for _, c := range in.complaints {
		report(Resources, c.status, c.remedy, "%s", c.text)
	}
	for _, address := range in.listed() {
		if !slices.Contains(resources, strings.ToLower(address)) {
			resources = append(resources, strings.ToLower(address))
		}
	}
	var missing []string
	for _, address := range resources[:min(len(resources), someUsers)] {
		if !in.handled(address) {
			missing = append(missing, address)
		}
	}
	if len(missing) > 0 {
		report(Resources, Warning, "name all resources: `imip-agent setup "+in.system+" --domain DOMAIN --resources LIST`",
			"mail for %s does not go to transport %s: nothing answers for it", few(missing), in.name)
	}
	if info, err := os.Stat(in.program); err != nil || info.Mode()&0o111 == 0 {
		report(Resources, Failed, "install it, or take the resources out: `imip-agent setup "+in.system+" --domain DOMAIN --resources none`",
			"transport %s runs %s, which is missing or not a program", in.name, in.program)
		return
	}
	switch {
	case !in.account.known: // said already
		return
	case in.account.uid == 0:
		report(Resources, Failed, "let it run as imip-agent", "transport %s runs %s as root", in.name, in.program)
		return
	case outgoing.account.known && outgoing.account != in.account:
		report(Resources, Failed, in.again(), "%s runs as %s, but %s as %s: they cannot change each other's files",
			Resource, in.account.name, Handler, outgoing.account.name)
	}
	if d.Ask != nil {
		if _, err := d.Ask(ctx, SMTP, d.Config.SMTPHost, nil); err != nil {
			report(Resources, Failed, "start it, or correct SMTP_HOST in config.txt", "the mail server for answers (SMTP_HOST) does not answer, and mail for resources waits: %v", err)
			return
		}
	}
	if len(missing) < len(resources) {
		report(Resources, OK, "", "mail for %d resources goes to transport %s, which runs %s", len(resources)-len(missing), in.name, in.program)
	}
}
