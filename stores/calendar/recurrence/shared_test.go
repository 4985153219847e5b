package recurrence

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"imip-agent/tests/skip"
)

// sharedCase is a rule of other projects' tests, with what it yields.
type sharedCase struct {
	DTStart   string   `json:"dtstart"`
	RRule     string   `json:"rrule"`
	Expected  []string `json:"expected"`
	Infinite  bool     `json:"infinite"` // Expected is a beginning
	WindowEnd string   `json:"window_end"`
	Limit     int      `json:"limit"`
	StartAt   string   `json:"start_at"`
	Never     bool     `json:"never"`
	Error     any      `json:"error"`
	Source    string   `json:"source"`
}

// sharedFile finds a file in the directory "shared" beside the module.
func sharedFile(t *testing.T, name ...string) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("there is no go.mod above the package")
		}
		dir = parent
	}
	path := filepath.Join(append([]string{dir, "..", "shared"}, name...)...)
	if _, err := os.Stat(path); err != nil {
		skip.Because(t, "needs data beside the project, in ../shared: %v", err)
	}
	return path
}

// parseLocal reads a date or date-time; a Z is dropped.
func parseLocal(t *testing.T, text string) (local time.Time, date bool) {
	t.Helper()
	for _, layout := range []string{"20060102T150405", "20060102T150405Z", "20060102"} {
		if local, err := time.Parse(layout, text); err == nil {
			return local, layout == "20060102"
		}
	}
	t.Fatalf("%q is no date", text)
	return
}

func TestSharedRules(t *testing.T) {
	data, err := os.ReadFile(sharedFile(t, "data", "recur.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []sharedCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("there are no cases")
	}
	for _, c := range cases {
		t.Run(c.DTStart+"_"+c.RRule, func(t *testing.T) {
			rule, err := Parse(c.RRule)
			if c.Error != nil {
				if err == nil {
					t.Errorf("the rule is not refused (%s)", c.Source)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			start, date := parseLocal(t, c.DTStart)
			in := Range{Start: start, Date: date, Until: rule.Until().Time}
			if c.StartAt != "" {
				in.From, _ = parseLocal(t, c.StartAt)
			}
			if c.WindowEnd != "" {
				end, _ := parseLocal(t, c.WindowEnd)
				if end = end.Add(-time.Second); in.Until.IsZero() || end.Before(in.Until) {
					in.Until = end
				}
			}
			want := []time.Time{}
			for _, text := range c.Expected {
				local, _ := parseLocal(t, text)
				want = append(want, local)
			}
			limit := len(want) + 1
			if c.Infinite || c.Limit > 0 {
				limit = len(want)
			}
			got := []time.Time{}
			if err := rule.Expand(in, func(local time.Time) bool {
				got = append(got, local)
				return len(got) < limit
			}); err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(got, want, time.Time.Equal) {
				t.Errorf("got  %v\nwant %v\n(%s)", got, want, c.Source)
			}
		})
	}
}
