package program_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imip-agent/tests/clock"
	"imip-agent/tests/program"
	"imip-agent/tests/skip"
)

// Programs for tests go by the clock that a test sets, and not without; programs as they are
// shipped know nothing of it.
func TestClock(t *testing.T) {
	program.Watch()
	dir, store := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(store, "mailto:paul@example.com"), 0o770); err != nil {
		t.Fatal(err)
	}
	then := time.Date(2031, time.May, 6, 7, 8, 9, 0, time.UTC)
	for _, test := range []struct {
		name  string
		build func(dir, name string) (string, error)
		env   string
		want  func() string
		fails bool
	}{
		{"for tests", program.Build, clock.Env(then), func() string { return week(then) }, false},
		{"for tests without a clock", program.Build, clock.Variable + "=", unset, true},
		{"for tests, no time", program.Build, clock.Variable + "=tomorrow", unset, true},
		{"as shipped", program.BuildShipped, clock.Env(then), func() string { return week(clock.Today()) }, false},
	} {
		path, err := test.build(dir, "imip-agent")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(path, "show", "--config", os.DevNull, "-S", store, "mailto:paul@example.com")
		cmd.Env = append(os.Environ(), "TZ=UTC", test.env)
		before := test.want()
		out, err := cmd.CombinedOutput()
		after := test.want() // a week may have begun meanwhile
		said := strings.Contains(string(out), before) || strings.Contains(string(out), after)
		if fails := err != nil; fails != test.fails || !said {
			t.Errorf("%s: %v, want %q or %q: %s", test.name, err, before, after, out)
		}
	}
}

// unset is what a program for tests says that has no clock.
func unset() string { return "a test must set the clock" }

// week is how show names the week of a day.
func week(day time.Time) string {
	monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	return fmt.Sprintf(", Mon %d %s", monday.Day(), monday.Format("Jan"))
}

// What is shipped has no such variable in it.
func TestShipped(t *testing.T) {
	skip.OnOtherDays(t)
	program.Watch()
	programs, err := os.ReadDir(filepath.Join("..", "..", "cmd"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		if p.Name() == "internal" {
			continue
		}
		for _, build := range []struct {
			how   string
			build func(dir, name string) (string, error)
			want  bool
		}{
			{"for tests", program.Build, true},
			{"as shipped", program.BuildShipped, false},
		} {
			path, err := build.build(t.TempDir(), p.Name())
			if err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := bytes.Contains(content, []byte(clock.Variable)); got != build.want {
				t.Errorf("%s, %s, has %s in it: %v", p.Name(), build.how, clock.Variable, got)
			}
		}
	}
}
