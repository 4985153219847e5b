package main

import (
	"fmt"
	"strings"

	"imip-agent/tools/check"
)

// checkFormat says what --json writes; see jsonFinding and jsonSummary.
const checkFormat = `With --json each line is an object. A finding has
  type        "finding"
  id          the kind of finding, from the list below; it does not change
  severity    "error": data is lost, unreadable or wrong; "warning": it will be;
              "note": an oddity that does no harm (only with --verbose)
  state       "found"; "mended": it is repaired; "would": it would be repaired
              without --dry-run
  user        the user's URI, if there is one
  path        the file or directory; missing for a store without files
  uid, recurrence   the event and the occurrence, if it is about one
  text        what is wrong, in one sentence
  repair      "safe" or "all": the repair; missing if there is none
  command     the command line of the repair
The last line is a summary with
  type        "summary"
  users, events   the number of examined users, quotas included, and events
  found       the number of findings that are left, without notes
  mended      the number of repaired findings
  known       the number of findings in the baseline, which are not listed
  locked      the number of users whose lock was held too long
  failures    what could not be examined or repaired, and why; missing if there is nothing
  manifest    of the quarantine with the changes; missing if there are none
  seconds     the duration
  status      the exit status
`

// checkKinds lists the kinds of findings.
func checkKinds() string {
	var b strings.Builder
	b.WriteString("Kinds of findings, their severity and their repair:\n")
	for _, k := range check.Kinds() {
		repair := k.Repair.String()
		if repair == "" {
			repair = "-"
		}
		fmt.Fprintf(&b, "  %-22s %-7s  %-4s  %s\n", k.ID, k.Severity, repair, k.Means)
	}
	return b.String()
}
