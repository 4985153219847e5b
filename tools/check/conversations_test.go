package check_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imip-agent/tests/compat"
	"imip-agent/tools/check"
)

// wrong are the findings in conversations which begin with damage, or in which the user
// has set something wrong, or does what can only be wrong, by the step after which they
// are there first.
var wrong = map[string]map[int]string{
	"clock":               {3: "freebusy-window"}, // the clock is set on by nine days
	"damaged-encoding":    {1: "freebusy-unstored freebusy-unstored"},
	"damaged-line-break":  {1: "freebusy-unstored freebusy-unstored"},
	"damaged-object":      {1: "rejected"},
	"damaged-order":       {1: "table-duplicate freebusy-unstored"},
	"damaged-requests":    {1: "rejected request-orphan"},
	"damaged-short":       {1: "freebusy-unstored"},
	"damaged-tab":         {1: "freebusy-unstored freebusy-unstored"},
	"damaged-time":        {1: "rejected freebusy-unstored"},
	"providers":           {1: "provider-unstored"},
	"rejected-calendar":   {1: "rejected"},
	"rejected-method":     {1: "rejected"},
	"rejected-start":      {1: "rejected"},
	"rejected-text":       {1: "rejected"},
	"rejected-user":       {1: "rejected"},
	"reply-params":        {2: "freebusy-time"}, // an answer to other times than the event has
	"uid-none":            {1: "rejected"},
	"window-not-a-number": {1: "preference-value"},
	"window-out-of-range": {1: "preference-value"},
	"window-zero":         {1: "preference-value"},
	"zone-unknown":        {1: "preference-value"},
}

// Every store that the recorded conversations make, step by step, is whole: what our
// handler makes of it, and what the original made of it where it does so rightly.
func TestConversations(t *testing.T) {
	names, err := filepath.Glob("../../tests/compat/conversations/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, name := range names {
		c, err := compat.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.Name, func(t *testing.T) {
			ours, original := compat.Room(tempDir(t)), compat.Room(tempDir(t))
			for _, room := range []compat.Room{ours, original} {
				if err := room.Furnish(c); err != nil {
					t.Fatal(err)
				}
			}
			p, o := newPlace(t, ours), newPlace(t, original)
			want := ""
			for i, s := range c.Steps {
				p.now, o.now = s.Clock, s.Clock
				if err := original.Lay(s.Original); err != nil {
					t.Fatal(err)
				}
				if s.Program == compat.Incoming {
					if err := ours.Lay(s.Original); err != nil {
						t.Fatal(err)
					}
				} else if err := p.handle(s.Message); err != nil {
					t.Fatal(err)
				}
				if ids, ok := wrong[c.Name][i+1]; ok {
					want = ids
				}
				if r := withoutWindow(p.check(t, check.None)); strings.Join(r.ids(), " ") != want || len(r.summary.Failures) > 0 {
					t.Errorf("ours, step %d: not %q but\n%s", i+1, want, r)
				}
				if c.Deviation != "" {
					continue // there the original may well do damage
				}
				// What the original leaves is not put aside.
				want := strings.TrimSpace(strings.ReplaceAll(want, "rejected", ""))
				if r := withoutWindow(o.check(t, check.None)); strings.Join(r.ids(), " ") != want || len(r.summary.Failures) > 0 {
					t.Errorf("original, step %d: not %q but\n%s", i+1, want, r)
				}
			}
		})
	}
}

// withoutWindow leaves out that the window has ended to which free/busy is noted as worked
// out: in the conversations with such a note it ends on their first day.
func withoutWindow(r result) result {
	r.findings = slices.DeleteFunc(r.findings, func(f check.Finding) bool {
		return f.Kind.ID == "freebusy-window" && filepath.Base(f.Path) == "freebusy-providers"
	})
	return r
}
