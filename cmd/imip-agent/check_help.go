package main

import (
	"fmt"
	"strings"

	"imip-agent/tools/check"
)

// checkFormat says what --json writes; see jsonFinding and jsonSummary.
const checkFormat = `With --json each line is an object. Of a finding:
  type        "finding"
  id          the kind of finding, as listed below; it does not change
  severity    "error": data is lost, unreadable or wrong; "warning": it will be;
              "note": an oddity that does no harm (only with --verbose)
  state       "found"; "mended"; or "would": it would be mended, but for --dry-run
  user        whose records, as a URI; left out if it is nobody's
  path        the file or directory; left out for a store without files
  uid, recurrence   the event, and the occurrence of it; left out if it is about none
  text        what is wrong, in one sentence
  repair      "safe" or "all": what mends it; left out if somebody has to
  command     the command line that does
The last line is the summary:
  type        "summary"
  users, events   how many were looked at
  found       how many findings are there, notes apart
  mended      how many were there, and are mended
  known       how many of those found the baseline knows, so that they are not listed
  locked      users whose lock could not be had
  failures    what could not be looked at or mended, and why; left out if there is none
  manifest    of the quarantine that keeps what was changed; left out if nothing was
  seconds     how long it took
  status      the exit status
`

// checkKinds lists the kinds of findings.
func checkKinds() string {
	var b strings.Builder
	b.WriteString("Kinds of findings, how bad they are, and the repair that mends them:\n")
	for _, k := range check.Kinds() {
		repair := k.Repair.String()
		if repair == "" {
			repair = "-"
		}
		fmt.Fprintf(&b, "  %-22s %-7s  %-4s  %s\n", k.ID, k.Severity, repair, k.Means)
	}
	return b.String()
}
