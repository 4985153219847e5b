package check

import (
	"fmt"
	"strings"
	"time"
)

// Metrics returns the outcome of a run for Prometheus, in its text format 0.0.4, as the
// textfile collector of node_exporter reads it. There is a line for every kind of finding,
// also for those of which there are none, and no line has a timestamp.
func (s *Summary) Metrics(took time.Duration, status int) []byte {
	var b strings.Builder
	gauge := func(name, help string, value any) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s %v\n", name, help, name, name, value)
	}
	const findings = "imip_agent_check_findings"
	fmt.Fprintf(&b, "# HELP %s Findings by kind and severity.\n# TYPE %s gauge\n", findings, findings)
	for _, k := range kinds {
		fmt.Fprintf(&b, "%s{id=%q,severity=%q} %d\n", findings, k.ID, k.Severity, s.ByKind[k.ID])
	}
	gauge("imip_agent_check_mended", "Findings that the last check repaired.", s.Mended)
	gauge("imip_agent_check_users", "Users that the last check examined.", s.Users)
	gauge("imip_agent_check_events", "Stored events that the last check read.", s.Events)
	gauge("imip_agent_check_locked_users", "Users whose lock was held too long during the last check.", s.Locked)
	gauge("imip_agent_check_failures", "Failures of the last check to examine or repair something.", len(s.Failures))
	gauge("imip_agent_check_duration_seconds", "Duration of the last check.", took.Seconds())
	gauge("imip_agent_check_status", "Exit status of the last check.", status)
	return []byte(b.String())
}
