package check_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imip-agent/stores/postgresql/postgresqltest"
	"imip-agent/tests/compat"
	"imip-agent/tests/skip"
	"imip-agent/tools/check"
)

// wrong are the findings in conversations which begin with damage, or in which the user
// has set something wrong, or does what can only be wrong, by the step after which they
// are there first.
var wrong = map[string]map[int]string{
	"clock":                    {3: "freebusy-window"}, // the clock is set on by nine days
	"arrives-damaged-table":    {1: "rejected"},
	"arrives-impossible-date":  {1: "rejected"},
	"arrives-no-uid":           {1: "rejected"},
	"arrives-unknown-method":   {1: "rejected"},
	"arrives-unreadable":       {1: "rejected"},
	"damaged-encoding":         {1: "freebusy-unstored freebusy-unstored"},
	"damaged-line-break":       {1: "freebusy-unstored freebusy-unstored"},
	"damaged-object":           {1: "rejected"},
	"damaged-order":            {1: "table-duplicate freebusy-unstored"},
	"damaged-requests":         {1: "rejected request-orphan"},
	"damaged-short":            {1: "freebusy-unstored"},
	"damaged-tab":              {1: "freebusy-unstored freebusy-unstored"},
	"damaged-time":             {1: "rejected freebusy-unstored"},
	"providers":                {1: "provider-unstored"},
	"rejected-calendar":        {1: "rejected"},
	"rejected-method":          {1: "rejected"},
	"rejected-start":           {1: "rejected"},
	"rejected-text":            {1: "rejected"},
	"rejected-user":            {1: "rejected"},
	"uid-none":                 {1: "rejected"},
	"resource-misspelt":        {1: "preference-value", 2: "preference-value"},
	"resource-no-access-list":  {1: "preference-value"},
	"resource-no-number":       {1: "preference-value"},
	"resource-odd-access-list": {1: "preference-value"},
	"resource-two-arguments":   {1: "preference-value"},
	"window-not-a-number":      {1: "preference-value"},
	"window-out-of-range":      {1: "preference-value"},
	"window-zero":              {1: "preference-value"},
	"zone-unknown":             {1: "preference-value"},
}

// Every store that the recorded conversations make, step by step, is whole: what our
// handler makes of it, and what the original made of it where it does so rightly.
func TestConversations(t *testing.T) {
	for _, c := range conversations(t) {
		t.Run(c.Name, func(t *testing.T) {
			original := compat.Room(tempDir(t))
			if err := original.Furnish(c); err != nil {
				t.Fatal(err)
			}
			o := newPlace(t, original)
			play(t, c, func(p *place, i int, want string) {
				all := p.check(t, check.None)
				if r := withoutWindow(all); strings.Join(r.ids(), " ") != want || len(r.summary.Failures) > 0 {
					t.Errorf("ours, step %d: not %q but\n%s", i+1, want, r)
				}
				if len(all.findings) == 0 {
					unmended(t, p)
				}
				if r := quotasOf(t, p); r.String() != "" {
					t.Errorf("ours, step %d: of quotas\n%s", i+1, r)
				}
				o.now = c.Steps[i].Clock
				if err := original.Lay(c.Steps[i].Original); err != nil {
					t.Fatal(err)
				}
				if c.Deviation != "" {
					return // there the original may well do damage
				}
				// What the original leaves is not put aside.
				want = strings.TrimSpace(strings.ReplaceAll(want, "rejected", ""))
				if r := withoutWindow(o.check(t, check.None)); strings.Join(r.ids(), " ") != want || len(r.summary.Failures) > 0 {
					t.Errorf("original, step %d: not %q but\n%s", i+1, want, r)
				}
				if r := quotasOf(t, o); r.String() != "" {
					t.Errorf("original, step %d: of quotas\n%s", i+1, r)
				}
			})
		})
	}
}

// unmended has everything mended where nothing is found, which must change nothing.
func unmended(t *testing.T, p *place) {
	t.Helper()
	made := snapshot(t, p.Room)
	if r := p.check(t, check.All); r.String() != "" {
		t.Errorf("mended:\n%s", r)
	}
	if paths := changed(made, snapshot(t, p.Room)); len(paths) > 0 {
		t.Errorf("a repair has changed %q", paths)
	}
}

// Where the original stores nothing of an occurrence that the user declines, there is nothing
// wrong, and no repair makes the user busy at it again. Of the user's own event it would be.
func TestOriginalDeclines(t *testing.T) {
	c := conversation(t, "deviation-reply-east")
	room := compat.Room(tempDir(t))
	if err := room.Furnish(c); err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Steps {
		if err := room.Lay(s.Original); err != nil {
			t.Fatal(err)
		}
	}
	p := newPlace(t, room)
	p.now = c.Steps[len(c.Steps)-1].Clock
	checker := p.checker(check.Safe)
	checker.Verbose = true
	if r := run(t, checker); !slices.Equal(r.ids(), []string{"freebusy-absent"}) || r.findings[0].Kind.Severity != check.Note {
		t.Errorf("found:\n%s", r)
	}
	d := damager{t, p}
	d.replace("store/"+vincent+"/objects/meeting", "TZID=Europe/Oslo:20261202T100000", "TZID=Europe/Oslo:20261202T110000")
	if r := p.check(t, check.None); !slices.Equal(r.ids(), []string{"freebusy-time"}) {
		t.Errorf("of another length, found:\n%s", r)
	}
	d.replace("store/"+vincent+"/objects/meeting", "TZID=Europe/Oslo:20261202T110000", "TZID=Europe/Oslo:20261202T100000")
	d.write("store/"+vincent+"/objects/meeting", strings.ReplaceAll(d.read("store/"+vincent+"/objects/meeting"), "Europe/Oslo", "Atlantic/Reykjavik"))
	d.write("store/"+vincent+"/freebusy", strings.NewReplacer("T080000Z", "T090000Z", "T090000Z", "T100000Z").Replace(d.read("store/"+vincent+"/freebusy")))
	if r := p.check(t, check.None); !slices.Equal(r.ids(), []string{"freebusy-missing"}) {
		t.Errorf("in a zone that the original does right, found:\n%s", r)
	}
}

// conversation returns the recorded conversation of that name.
func conversation(t *testing.T, name string) *compat.Conversation {
	t.Helper()
	all := conversations(t)
	i := slices.IndexFunc(all, func(c *compat.Conversation) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("there is no conversation %q", name)
	}
	return all[i]
}

// The same records are as whole in a database. What a database cannot hold is left out.
func TestConversationsPostgreSQL(t *testing.T) {
	skip.OnOtherDays(t)
	where := postgresqltest.Database(t)
	looked := 0
	all := conversations(t)
	for i, c := range all {
		if os.Getenv("IMIP_AGENT_FULL") == "" && i%5 != 0 {
			all[i] = nil
			continue // one in five says enough where time is short
		}
		t.Run(c.Name, func(t *testing.T) {
			last := func(p *place, i int, want string) {
				if i < len(c.Steps)-1 || strings.HasPrefix(c.Name, "damaged-") {
					return
				}
				store, result := toDatabase(t, where, p)
				if len(result.Issues) > 0 {
					return
				}
				if r := withoutWindow(run(t, p.checkerOf(store, check.None))); strings.Join(r.ids(), " ") != want || len(r.summary.Failures) > 0 {
					t.Errorf("not %q but\n%s", want, r)
				}
				looked++
			}
			play(t, c, last)
		})
	}
	all = slices.DeleteFunc(all, func(c *compat.Conversation) bool { return c == nil })
	if looked < len(all)*3/4 {
		t.Errorf("only %d of %d conversations could be had in a database", looked, len(all))
	}
}

// quotasOf returns what is wrong with the journal of a place.
func quotasOf(t *testing.T, p *place) result {
	t.Helper()
	journal, err := p.journal()
	if err != nil {
		t.Fatal(err)
	}
	return p.booked(t, journal.Records(), p.store)
}

// conversations returns the recorded ones.
func conversations(t *testing.T) (all []*compat.Conversation) {
	t.Helper()
	names, err := filepath.Glob("../../tests/compat/conversations/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, name := range names {
		c, err := compat.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// play has our handler handle a conversation, and calls after with each step: its number,
// and what is wrong after it.
func play(t *testing.T, c *compat.Conversation, after func(p *place, i int, want string)) {
	t.Helper()
	room := compat.Room(tempDir(t))
	if err := room.Furnish(c); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, room)
	want := ""
	for i, s := range c.Steps {
		p.now = s.Clock
		var err error
		switch {
		case s.Program == compat.Resource:
			err = p.book(s.Message, s.User)
		case s.Arrives():
			err = p.receive(s.Message, s.User)
		default:
			err = p.handle(s.Message)
		}
		if err != nil && s.OursStatus() == 0 && p.instead == nil {
			t.Fatal(err)
		}
		if ids, ok := wrong[c.Name][i+1]; ok {
			want = ids
		}
		after(p, i, want)
	}
}

// withoutWindow leaves out that the window has ended to which free/busy is noted as worked
// out: in the conversations with such a note it ends on their first day.
func withoutWindow(r result) result {
	r.findings = slices.DeleteFunc(r.findings, func(f check.Finding) bool {
		return f.Kind.ID == "freebusy-window" && strings.Contains(f.Text, "is recorded up to")
	})
	return r
}
