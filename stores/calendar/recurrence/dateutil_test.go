package recurrence

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/skip"
)

// Where dateutil 2.8 does not do as RFC 5545 says, and this package does.
var dateutilErrs = regexp.MustCompile(
	// It takes a weekday with a number and one without for a restriction of each
	// other, and not for two members of a list.
	`BYDAY=([^;]*,)?[A-Z]{2},[^;]*[0-9]|BYDAY=([^;]*,)?-?[0-9]+[A-Z]{2},([^;]*,)?[A-Z]{2}(,|;|$)` +
		// It counts from DTSTART in the first week, not from its beginning.
		`|WEEKLY.*BYSETPOS|BYSETPOS.*WEEKLY` +
		// Around New Year it takes some weeks for the 53rd of a year of 52, and
		// does not find the first of a year by its number from the end.
		`|BYWEEKNO=[^;]*5[0-9]`)

// TestAgainstDateutil compares random rules with dateutil, where that is
// installed.
func TestAgainstDateutil(t *testing.T) {
	// The system's Python, as its packages are for that.
	python := "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import dateutil.rrule").Run(); err != nil {
		skip.Because(t, "no python3 with dateutil: install the package python3-dateutil")
	}
	r := rand.New(rand.NewPCG(5545, 3310))
	var rules [][2]string
	var input bytes.Buffer
	for len(rules) < 100 {
		rule := randomRule(r)
		if dateutilErrs.MatchString(rule) {
			continue
		}
		start := time.Date(2000+r.IntN(30), 1, 1, 0, 0, r.IntN(366*86400), 0, time.UTC).Format(form)
		rules = append(rules, [2]string{start, rule})
		line, err := json.Marshal(rules[len(rules)-1])
		if err != nil {
			t.Fatal(err)
		}
		input.Write(append(line, '\n'))
	}
	command := exec.Command(python, "-B", "-W", "ignore", "testdata/expand.py")
	command.Stdin = &input
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	if len(lines) != len(rules) {
		t.Fatalf("%d rules, but %d answers", len(rules), len(lines))
	}
	compared := 0
	for i, line := range lines {
		var want []string
		if err := json.Unmarshal([]byte(line), &want); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			continue
		}
		compared++
		in := Range{Start: at(t, rules[i][0]), Until: at(t, "20801231T235959")}
		if got := strings.Fields(list(t, rules[i][1], in, 30)); !slices.Equal(got, want) {
			t.Errorf("%s from %s:\ngot  %v\nwant %v", rules[i][1], rules[i][0], got, want)
		}
	}
	t.Logf("%d rules compared", compared)
}
