package preferences

import (
	"io/fs"
	"path"
	"strings"

	"imip-agent/stores/calendar/zones"
)

// SystemZone finds the IANA name of the system's time zone: what /etc/timezone
// says, else where the link /etc/localtime leads, else the variable TZ as a name.
// It returns "" if none of them names a zone. root is the file system's root.
//
// TZ comes last since it may differ between the programs that share the store,
// and the original's know only /etc/timezone.
func SystemZone(root fs.FS, tz string) string {
	if text, err := fs.ReadFile(root, "etc/timezone"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name := strings.TrimSpace(line); isZone(name) {
				return name
			}
		}
	}
	// DEVIATION: system-zone-without-name. The original takes UTC.
	if target, err := fs.ReadLink(root, "etc/localtime"); err == nil {
		if !path.IsAbs(target) {
			target = path.Join("/etc", target)
		}
		if _, name, ok := strings.Cut(target, "/zoneinfo/"); ok && isZone(name) {
			return name
		}
	}
	if name := strings.TrimPrefix(tz, ":"); isZone(name) {
		return name
	}
	return ""
}

func isZone(name string) bool {
	_, err := zones.Load(name)
	return err == nil
}
