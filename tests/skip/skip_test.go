package skip_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"imip-agent/tests/skip"
)

// scenario says which test the process is to be; it is run by itself.
const scenario = "IMIP_AGENT_SKIP_SCENARIO"

// TestOtherDay runs on a day of its own; another test looks at it, in processes of their own.
func TestOtherDay(t *testing.T) {
	skip.OnOtherDays(t)
	if os.Getenv(skip.Day) != "" {
		fmt.Println("it runs")
	}
}

// Of the first days, a test that does not depend on the day runs on one, always the same, and later on none. Today
// it runs.
func TestOnOtherDays(t *testing.T) {
	skip.OnOtherDays(t) // as others do
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var ran []string
	for range 2 {
		for day := range skip.Days + 2 {
			cmd := exec.Command(self, "-test.run=^TestOtherDay$")
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", skip.Day, day), skip.Complete+"=1")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if strings.Contains(string(out), "it runs") {
				ran = append(ran, fmt.Sprint(day))
			}
		}
	}
	if len(ran) != 2 || ran[0] != ran[1] || ran[0] >= fmt.Sprint(skip.Days) {
		t.Errorf("it runs on the days %q", ran)
	}
	cmd := exec.Command(self, "-test.run=^TestOtherDay$", "-test.v")
	cmd.Env = append(os.Environ(), skip.Day+"=")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "SKIP") {
		t.Errorf("today: %v: %s", err, out)
	}
}

// TestSkipped is what the others look at, in a process of its own.
func TestSkipped(t *testing.T) {
	reason := os.Getenv(scenario)
	if reason == "" {
		return // nothing is looked at now
	}
	if dir := os.Getenv("IMIP_AGENT_SKIP_DIR"); dir != "" {
		t.Chdir(dir)
	}
	for range 3 {
		t.Run("sub", func(t *testing.T) { skip.Because(t, "%s", reason) })
	}
}

// run runs it and returns what it says on its parent's standard error, and whether it passes.
func run(t *testing.T, reason, dir string, env ...string) (said string, passes bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The shell is the process that starts it, as the go command is otherwise.
	cmd := exec.Command("sh", "-c", `(exec "$0" -test.run=TestSkipped >/dev/null 2>&1); exit $?`, self)
	cmd.Env = append(append(os.Environ(), scenario+"="+reason, "IMIP_AGENT_SKIP_DIR="+dir), env...)
	var out strings.Builder
	cmd.Stderr = &out
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), err == nil
}

// A test that is skipped says so once to who started the tests.
func TestTells(t *testing.T) {
	said, passes := run(t, "needs a moon", "", skip.Complete+"=", skip.Day+"=")
	if !passes || said != "skipped skip.TestSkipped/sub: needs a moon\n" {
		t.Errorf("passes: %v, %q", passes, said)
	}
}

// Where nothing may be skipped it fails, unless what is missing lies beside the project.
func TestComplete(t *testing.T) {
	alone, beside := filepath.Join(t.TempDir(), "project"), filepath.Join(t.TempDir(), "project")
	for _, dir := range []string{alone, beside, beside + "/../shared"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/go.mod", nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		reason, dir string
		passes      bool
	}{
		{"needs a moon", alone, false},
		{"needs a moon", beside, false},
		{"needs mails of ../shared", alone, true},
		{"needs mails of ../shared", beside, false},
	} {
		if _, passes := run(t, test.reason, test.dir, skip.Complete+"=1"); passes != test.passes {
			t.Errorf("%s, in %s: passes: %v", test.reason, test.dir, passes)
		}
	}
}
