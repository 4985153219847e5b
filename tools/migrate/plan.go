package migrate

import (
	"cmp"
	"slices"
)

// plan is what a copy does to one user.
type plan struct {
	write  []key // to be as the source has it
	remove []key
	issues []Issue
	equal  Counts // items that are the same on both sides
	refuse bool   // the target has something that is not known to be the source's
}

// decide compares the two sides of a user with what was last copied, which is nil if
// nothing is known of that.
func decide(source, target map[key]digest, copied map[digest]bool, o *Options) *plan {
	p := new(plan)
	for k, want := range source {
		have, there := target[k]
		switch {
		case there && have == want:
			p.equal.count(k, 1)
		case there && copied[have], o.Overwrite:
			p.write = append(p.write, k)
		case copied[want]:
			text := "it was changed there"
			if !there {
				text = "it was removed there"
			}
			p.issues = append(p.issues, Issue{Kind: Newer, Item: k.String(), Text: text})
		case !there:
			p.write = append(p.write, k)
		default:
			// Of a user who was copied before, the rest goes on.
			p.refuse = p.refuse || copied == nil
			p.issues = append(p.issues, Issue{Kind: Conflict, Item: k.String(), Text: "both sides have it, and differ"})
		}
	}
	for k, have := range target {
		if _, there := source[k]; there {
			continue
		}
		switch {
		case o.Delete && (copied[have] || copied == nil || o.Overwrite):
			p.remove = append(p.remove, k)
		case copied[have] && k.kind != event && k.kind != counter && k.kind != setting:
			// What follows from an event goes on with it.
			p.remove = append(p.remove, k)
		case copied[have]:
			p.issues = append(p.issues, Issue{Kind: Extra, Item: k.String(), Text: "the source has it no longer, and nothing was to be deleted"})
		case copied == nil && !o.Overwrite:
			p.refuse = true
			p.issues = append(p.issues, Issue{Kind: Conflict, Item: k.String(), Text: "the source has it not"})
		}
	}
	p.order()
	return p
}

// order makes the outcome the same each time.
func (p *plan) order() {
	slices.SortFunc(p.write, compareKeys)
	slices.SortFunc(p.remove, compareKeys)
	slices.SortFunc(p.issues, func(a, b Issue) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Item, b.Item)) })
}

func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.other, b.other), cmp.Compare(a.uid, b.uid),
		cmp.Compare(a.recurrenceID, b.recurrenceID), cmp.Compare(a.extra, b.extra))
}
