package copy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"imip-agent/stores"
	"imip-agent/tools/migrate"
)

// copyUser copies what there is of a user, or of a quota. The source is held for as long as that
// takes, so that what is copied is of one moment.
func (c *copier) copyUser(ctx context.Context, t task, from, to keeper, before memory) (*outcome, error) {
	var done *outcome
	err := from.view(ctx, t.user, func(source stores.Records) error {
		done = &outcome{written: make(map[key]digest), pended: len(before.pending) > 0}
		s, err := take(source, c.from, c.ordered(), true)
		if err != nil {
			return err
		}
		s.findDamage(source)
		done.issues = append(done.issues, s.issues...)
		done.issues = append(done.issues, s.fit(c.to)...)
		if c.o.DryRun {
			return to.view(ctx, t.user, func(target stores.Records) error { return c.look(done, s, source, target, before) })
		}
		for left := true; left; {
			// If the transaction is tried again, what the first try did counts for nothing.
			var a *applier
			var refused []migrate.Issue
			var known *copied
			err := to.update(ctx, t.user, func(target stores.Records) error {
				a, refused = nil, nil
				d, err := take(target, c.to, c.ordered(), false)
				if err != nil {
					return err
				}
				known = before.settled(d.items)
				p := decide(s.items, d.items, known, &c.o)
				if refused = c.refuse(p, d); refused != nil {
					done.plan = p
					return errRefused
				}
				a = &applier{plan: p, from: s, source: source, to: d, target: target, one: c.to.OneStatus}
				if err := a.apply(); err != nil {
					return err
				}
				if len(a.written)+len(a.removed) == 0 {
					return nil
				}
				before.pending, done.pended = before.pending.with(a.written, a.removed), true
				return c.pend(ctx, t, target, before.pending)
			})
			if errors.Is(err, errRefused) {
				done.issues = append(done.issues, refused...)
				return nil
			} else if err != nil {
				return err
			}
			left = a.left
			done.gather(s, a, known)
		}
		return nil
	})
	var cannot *stores.UnstorableError
	if errors.As(err, &cannot) { // the user
		return &outcome{plan: &plan{refuse: true}, issues: []migrate.Issue{{Kind: migrate.Unstorable, Text: err.Error()}}}, nil
	}
	return done, err
}

// errRefused ends a transaction in which nothing is to be changed.
var errRefused = errors.New("migrate: refused")

// gather adds what a transaction has done.
func (done *outcome) gather(s *snapshot, a *applier, before *copied) {
	if done.plan == nil {
		done.plan = a.plan
		done.issues = append(done.issues, a.plan.issues...)
	}
	for k, d := range a.written {
		done.written[k] = d
	}
	done.removed = append(done.removed, a.removed...)
	done.issues = append(done.issues, a.issues...)
	if a.left {
		return
	}
	done.settle(s.items, a.to.items, before)
}

// settle works out what is known after the copy. The target had these items before it.
func (done *outcome) settle(source, target map[key]digest, before *copied) {
	now := maps.Clone(target)
	maps.Copy(now, done.written)
	for _, k := range done.removed {
		delete(now, k)
	}
	done.after = before.next(source, now)
}

// look says what would be done.
func (c *copier) look(done *outcome, s *snapshot, source, target stores.Records, before memory) error {
	d, err := take(target, c.to, c.ordered(), false)
	if err != nil {
		return err
	}
	p := decide(s.items, d.items, before.settled(d.items), &c.o)
	done.plan = p
	if refused := c.refuse(p, d); refused != nil {
		done.issues = append(done.issues, refused...)
		return nil
	}
	done.issues = append(done.issues, p.issues...)
	a := &applier{plan: p, from: s, source: source, target: target, one: c.to.OneStatus}
	for _, k := range p.write {
		if err := a.check(k); err == nil {
			done.written[k] = s.items[k]
		} else if err := a.unstorable(k, err); err != nil {
			return err
		}
	}
	done.issues = append(done.issues, a.issues...)
	done.removed = p.remove
	return nil
}

// refuse returns why nothing is changed of a user, or nil.
func (c *copier) refuse(p *plan, target *snapshot) []migrate.Issue {
	if p.refuse {
		var conflicts []migrate.Issue
		for _, i := range p.issues {
			if i.Kind == migrate.Conflict {
				conflicts = append(conflicts, i)
			}
		}
		return conflicts
	}
	if n := len(p.remove); n > 0 && n == len(target.items) && len(p.write) == 0 && !c.o.ForceDelete {
		p.refuse = true
		return []migrate.Issue{{Kind: migrate.Refused, Text: fmt.Sprintf("deleting %d items would remove everything of the user: use --force-delete to do it", n)}}
	}
	return nil
}

// fit makes what there is as the target can have it, and lists what it cannot.
func (s *snapshot) fit(to *Side) []migrate.Issue {
	var issues []migrate.Issue
	if to.OneStatus {
		issues = s.oneStatus()
	}
	if to.CleanTables {
		issues = append(issues, s.clean()...)
	}
	return issues
}

// oneStatus lists the events that are active and cancelled at once, and takes the active
// text for what there is of them.
func (s *snapshot) oneStatus() []migrate.Issue {
	var issues []migrate.Issue
	for id, active := range s.activeOnly {
		item := key{kind: event, uid: id.UID, recurrenceID: id.RecurrenceID}
		s.items[item] = active
		issues = append(issues, migrate.Issue{Kind: migrate.Unstorable, Item: item.String(),
			Text: "it is both active and cancelled, and the target holds one of them: only the source keeps the cancelled text"})
	}
	slices.SortFunc(issues, func(a, b migrate.Issue) int { return strings.Compare(a.Item, b.Item) })
	return issues
}
