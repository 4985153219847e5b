package copy

import (
	"cmp"
	"imip-agent/tools/migrate"
	"slices"
)

// plan is what a copy does to one user.
type plan struct {
	write  []key // to be as the source has it
	remove []key
	issues []migrate.Issue
	equal  Counts // items that are the same on both sides
	refuse bool   // the target has something that is not known to be the source's
	// events are those of both sides: why one stays as the target has it, "" for one that
	// becomes as the source has it.
	events map[key]migrate.Kind
}

// decide compares the two sides of a user with what was last copied.
func decide(source, target map[key]digest, before *copied, o *Options) *plan {
	p := &plan{events: make(map[key]migrate.Kind)}
	// Events come first, since records go with them.
	for _, events := range []bool{true, false} {
		for k, want := range source {
			if events != (k.kind == event) {
				continue
			}
			if events {
				p.events[k] = ""
			}
			if have, there := target[k]; there {
				p.both(k, want, have, before, o)
			} else {
				p.sourceOnly(k, want, before, o)
			}
		}
		for k, have := range target {
			if _, there := source[k]; !there && events == (k.kind == event) {
				p.targetOnly(k, have, before, o)
			}
		}
	}
	p.order()
	return p
}

// issue notes why an item is left as the target has it.
func (p *plan) issue(kind migrate.Kind, k key, text string) {
	if k.kind == event {
		p.events[k] = kind
	}
	p.issues = append(p.issues, migrate.Issue{Kind: kind, Item: k.String(), Text: text})
}

// gone is what events has of one that is removed from the target.
const gone migrate.Kind = "gone"

// eventOf returns what happens to the event that an item is a record of: to the occurrence
// if that stands apart, else to the whole event. It is "" if the source decides.
func (p *plan) eventOf(k key) migrate.Kind {
	switch k.kind {
	case own, offers, others, request, provider:
	default:
		return ""
	}
	if kind, known := p.events[key{kind: event, uid: k.uid, recurrenceID: k.recurrenceID}]; known {
		return kind
	}
	return p.events[key{kind: event, uid: k.uid}]
}

// take has an item written, unless it is a record of an event which stays as the target
// has it.
func (p *plan) take(k key) {
	switch kind := p.eventOf(k); kind {
	case migrate.Newer, migrate.Conflict:
		p.issue(kind, k, "it is kept in the target, like its event")
	default:
		p.write = append(p.write, k)
	}
}

// drop has an item removed.
func (p *plan) drop(k key) {
	if k.kind == event {
		p.events[k] = gone
	}
	p.remove = append(p.remove, k)
}

// both decides on an item that both sides have.
func (p *plan) both(k key, want, have digest, before *copied, o *Options) {
	last, known := before.last(k, want, have)
	switch {
	case have == want:
		p.equal.count(k, 1)
	case o.Overwrite:
		p.write = append(p.write, k)
	case known && have == last:
		p.take(k)
	case known && want == last:
		p.issue(migrate.Newer, k, "it was changed in the target")
	default:
		// Of a user who was copied before, the rest goes on.
		p.refuse = p.refuse || before == nil
		p.issue(migrate.Conflict, k, "it is different on both sides")
	}
}

// sourceOnly decides on an item that the target has not.
func (p *plan) sourceOnly(k key, want digest, before *copied, o *Options) {
	last, known := before.last(k, want)
	switch {
	case o.Overwrite:
		p.write = append(p.write, k)
	case !known:
		p.take(k)
	case want == last:
		p.issue(migrate.Newer, k, "it was removed in the target")
	default:
		p.issue(migrate.Conflict, k, "it was removed in the target, and changed in the source since")
	}
}

// targetOnly decides on an item that the source has not.
func (p *plan) targetOnly(k key, have digest, before *copied, o *Options) {
	last, known := before.last(k, have)
	same := known && have == last // and so it is gone from the source
	its := p.eventOf(k)
	switch {
	case its == gone:
		p.drop(k)
	case same && its != "":
		// It stays with its event, which is listed.
	case o.Delete && (same || before == nil || o.Overwrite):
		p.drop(k)
	case same && k.kind != event && k.kind != counter && k.kind != setting:
		// What follows from an event goes on with it.
		p.drop(k)
	case same, known && o.Overwrite:
		p.issue(migrate.Extra, k, "it was removed in the source; without --delete it is kept")
	case known:
		p.issue(migrate.Conflict, k, "it was removed in the source, and changed in the target")
	case before != nil:
		p.issue(migrate.Newer, k, "it was added in the target")
	case !o.Overwrite:
		p.refuse = true
		p.issue(migrate.Conflict, k, "it is missing in the source")
	}
}

// order makes the outcome the same each time.
func (p *plan) order() {
	slices.SortFunc(p.write, compareKeys)
	slices.SortFunc(p.remove, compareKeys)
	slices.SortFunc(p.issues, func(a, b migrate.Issue) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Item, b.Item)) })
}

func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.other, b.other), cmp.Compare(a.uid, b.uid),
		cmp.Compare(a.recurrenceID, b.recurrenceID), cmp.Compare(a.extra, b.extra))
}
