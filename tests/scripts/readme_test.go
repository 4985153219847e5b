package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"imip-agent/tests/clock"
	"imip-agent/tests/skip"
)

// firstCommand is the first thing that README has people do, in a directory of its own.
var firstCommand = regexp.MustCompile(`(?m)^    (sed .*/tmp/imip/.*)$`)

// What README has people do first shows them an event that is to come, on whatever day.
func TestFirstCommand(t *testing.T) {
	if clock.Shifted() {
		skip.Because(t, "the shell's clock is not moved with the tests' own")
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := firstCommand.FindSubmatch(readme)
	if found == nil {
		t.Fatal("README has no first command")
	}
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(string(found[1]), "/tmp/imip", dir))
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Lunch") {
		t.Fatalf("%v: %s", err, out)
	}
	show := exec.Command(filepath.Join(programs, "imip-agent"), "show", "--config", os.DevNull, "-S", filepath.Join(dir, "store"), "paul.boddie@example.com")
	show.Env = append(os.Environ(), "TZ=UTC", clock.Env(clock.Today()))
	if out, err = show.CombinedOutput(); err != nil || !strings.Contains(string(out), "Lunch") {
		t.Errorf("show: %v: %s", err, out)
	}
}
