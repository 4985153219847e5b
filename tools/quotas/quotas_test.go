package quotas_test

import (
	"slices"
	"testing"

	"imip-agent/tools/quotas"
)

// What a change makes of the lines of a list.
func TestChanges(t *testing.T) {
	must := func(c quotas.Change, err error) quotas.Change {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	limits := [][]string{{"staff", "PT1H"}, {"*", "*"}, {"staff", "PT2H"}, {"mailto:Paul@example.com", "PT3H"}}
	delegates := [][]string{{"mailto:zoo@example.com"}, {"mailto:attic@example.com"}}
	for _, c := range []struct {
		name   string
		before [][]string
		change quotas.Change
		want   [][]string // nil: it fails
	}{
		{"the first of those that are there", limits, must(quotas.SetLimit("staff", "P1D")), [][]string{{"staff", "P1D"}, {"*", "*"}, limits[3]}},
		{"a new one", limits, must(quotas.SetLimit("Staff", "*")), append(slices.Clone(limits), []string{"Staff", "*"})},
		{"an address in another letter case", limits, must(quotas.SetLimit("paul@example.com", "PT4H")), append(slices.Clone(limits[:3]), []string{"mailto:paul@example.com", "PT4H"})},
		{"all of one name", limits, quotas.RemoveLimit("staff"), [][]string{{"*", "*"}, limits[3]}},
		{"none of that name", limits, quotas.RemoveLimit("guests"), nil},
		{"an address without its scheme, as somebody wrote it", [][]string{{"paul@example.com", "staff"}}, quotas.RemoveGroup("paul@example.com"), [][]string{}},
		{"at the end", delegates, must(quotas.AddDelegates("cave@example.com", "ATTIC@example.com")), append(slices.Clone(delegates), []string{"mailto:cave@example.com"})},
		{"in another order", delegates, must(quotas.SetDelegates("attic@example.com", "mailto:zoo@example.com")), [][]string{delegates[1], delegates[0]}},
		{"nobody", delegates, must(quotas.SetDelegates()), [][]string{}},
		{"all or none", delegates, quotas.RemoveDelegates("zoo@example.com", "cave@example.com"), nil},
	} {
		before := slices.Clone(c.before)
		got, err := c.change(c.before)
		if c.want == nil != (err != nil) || !slices.EqualFunc(got, c.want, slices.Equal) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
		if !slices.EqualFunc(c.before, before, slices.Equal) {
			t.Errorf("%s: what was given is changed", c.name)
		}
	}
}
