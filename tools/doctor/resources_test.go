package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imip-agent/conf"
)

func TestResources(t *testing.T) {
	dir := t.TempDir()
	d := &Doctor{Config: conf.Config{PreferencesDir: dir}}
	examine := func() (results []string) {
		d.resources(func(id string, status Status, remedy, format string, args ...any) {
			results = append(results, fmt.Sprintf("%s %s", id, status))
			if (status == OK) != (remedy == "") {
				t.Errorf("remedy %q", remedy)
			}
		})
		return results
	}
	set := func(user, name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, user), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, user, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, want ...string) {
		t.Helper()
		if got := examine(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	want("nobody")
	set("mailto:paul@example.com", "TZID", "Europe/Oslo\n")
	want("people")
	set("mailto:room@example.com", "scheduling_function", "schedule_in_freebusy\naccess_control_list\n")
	want("without a list", "resources failed")
	set("mailto:room@example.com", "acl", "decline\n")
	want("as it should be", "resources ok")
	set("mailto:car@example.com", "scheduling_function", "schedule_in_freebusi\nnonsense\n")
	want("another one", "resources failed", "resources failed")
	set("mailto:car@example.com", "scheduling_function", "schedule_in_freebusy\naccess_control_list\n")
	set("mailto:car@example.com", "acl", "accept\n"+strings.Repeat("# who is who\n", 100_000))
	want("a list that is too long", "resources unknown")
}
