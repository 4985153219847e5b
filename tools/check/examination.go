package check

import (
	"context"

	"imip-agent/stores/audit"
	"imip-agent/stores/calendar"
)

// examination is one look at one user, inside one critical section.
type examination struct {
	checker *Checker
	session audit.Session // nil for a store without files
	stale   staleBookings // of a quota
	finder
}

// examine begins a look at a user; at what belongs to no user if user is empty.
func (c *Checker) examine(user calendar.URI) *examination {
	return &examination{checker: c, finder: finder{&facts{subject: c.subject(user)}, &found{user: user}, new(reading)}}
}

// records looks at everything that a user has. What is wrong with the preferences, unsettled and
// zoneless, is known.
func (e *examination) records(unsettled, zoneless bool) error {
	if e.checker.Resources != nil {
		return e.quota()
	}
	e.unsettled = unsettled
	if err := e.loadWishes(e.checker.Preferences, zoneless); err != nil {
		e.fail(err)
	}
	e.readPublished(e.fail)
	if err := e.readLetters(e.checker.Store); err != nil {
		return err
	}
	e.outbox()
	if e.session != nil {
		if err := e.readFiles(e.session); err != nil {
			return err
		}
		e.files()
		if e.groundless() {
			return nil // what is missing for that reason is not missing
		}
		if err := e.readTables(e.session); err != nil {
			return err
		}
		if err := e.tableFiles(); err != nil {
			return err
		}
	} else if err := e.otherTables(); err != nil {
		return err
	}
	if err := e.readRecords(); err != nil {
		return err
	}
	unsure, nonsense := e.ownRecords()
	e.badRows()
	if err := e.readLists(); err != nil {
		return err
	}
	e.notedTwice()
	if e.nothingLeft(nonsense) && (e.checker.Repair != All || e.checker.DryRun) {
		return nil // from what could it be made anew
	}
	basis := basis{e.finder, unsure}
	verdict, err := basis.look(nonsense)
	if err != nil {
		return err
	}
	if e.swapped(verdict) {
		return nil
	}
	rest := restLook{basis, verdict}
	steps := []func() error{
		rest.settleDoubts, rest.window, rest.leftRows, rest.leftOthers, rest.queue, rest.notes, e.offers, e.published,
	}
	for _, step := range steps {
		if e.ctx.Err() != nil {
			return context.Cause(e.ctx)
		}
		if err := step(); err != nil {
			return err
		}
	}
	if e.verbose {
		e.doubleBookings()
	}
	e.dropCovered()
	return nil
}
