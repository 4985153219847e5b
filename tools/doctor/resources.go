package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"imip-agent/handlers/resource"
	"imip-agent/stores/preferences"
)

// resources looks at the preferences of rooms and equipment, of those who have a scheduling function: a mistake
// there keeps a resource from answering.
func (d *Doctor) resources(report report) {
	entries, err := os.ReadDir(d.Config.PreferencesDir)
	if err != nil {
		return // which the examination of directories tells
	}
	found, mistakes := 0, 0
	for _, entry := range entries {
		dir := filepath.Join(d.Config.PreferencesDir, entry.Name())
		functions, err := preferences.ReadFile(filepath.Join(dir, "scheduling_function"))
		if errors.Is(err, fs.ErrNotExist) || !strings.Contains(entry.Name(), ":") {
			continue
		}
		found++
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
}
