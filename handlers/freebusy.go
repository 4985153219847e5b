package handlers

import (
	"errors"
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// recordAsOrganizer records the event in the user's own free/busy.
func (r *request) recordAsOrganizer(object *calendar.Object) error {
	return r.recordOwn(object, itip.OrganizingTransp(object, r.user))
}

// recordAsAttendee records the event in the user's own free/busy if they take
// part in it, and removes it if not.
func (r *request) recordAsAttendee(object *calendar.Object) error {
	if itip.TakesPart(r.object, r.user) {
		return r.recordOwn(object, itip.AttendingTransp(object))
	}
	// What was answered separately of its occurrences stays, and the event is still
	// noted if it has no end: the original, observed.
	if err := r.remove(stores.Table{Kind: stores.Own}); err != nil {
		return err
	}
	if err := r.provide(object); err != nil {
		return err
	}
	r.publishFreeBusy()
	return nil
}

// offer records the event among the periods that the user has offered, until the
// offer expires. Whoever proposes times is held to them whatever they say of
// taking part: the original, observed.
func (r *request) offer(object *calendar.Object) error {
	lifetime, ok := r.preferences.OfferLifetime()
	if !ok {
		return nil
	}
	// DEVIATION: expired-offer.
	return r.record(stores.Table{Kind: stores.Offers}, object, itip.AttendingTransp(object), lifetime(r.now))
}

// recordOther records what the event says of another user's free/busy.
func (r *request) recordOther(other calendar.URI, object *calendar.Object) error {
	takesPart := itip.TakesPart(object, other)
	return r.eachOther(other, func(first bool, table stores.Table) error {
		if !takesPart || !first {
			return r.remove(table)
		}
		return r.record(table, object, itip.OrganizingTransp(object, other), time.Time{})
	})
}

// eachOther calls fn with the tables of what is known of another user's free/busy. There are
// several if others have written them under names that differ in letter case; the first is
// the one to be written to, and may not be there. The user themself has none.
func (r *request) eachOther(other calendar.URI, fn func(first bool, table stores.Table) error) error {
	if other.Is(r.user) {
		return nil
	}
	names, err := r.section.others.named(r.tx, other)
	for i, name := range names {
		if err == nil {
			err = r.skipUnstorable(fn(i == 0, stores.Table{Kind: stores.Other, Other: name}))
		}
	}
	return err
}

// others are the names of the users whose free/busy a user knows of, in one critical section,
// by what is the same for those that differ in letter case; nil: not read yet.
type others map[calendar.URI][]calendar.URI

// named returns the names by which another user's free/busy is known, the best first. If
// there is none it is their own, which is there from then on.
func (o *others) named(tx stores.Tx, other calendar.URI) ([]calendar.URI, error) {
	if *o == nil {
		names, err := tx.Others()
		if err != nil {
			return nil, err
		}
		*o = make(others, len(names))
		for _, name := range names {
			(*o)[name.Folded()] = append((*o)[name.Folded()], name)
		}
	}
	names := (*o)[other.Folded()]
	switch i := slices.Index(names, other); {
	case len(names) == 0:
		names = []calendar.URI{other}
		(*o)[other.Folded()] = names
	case i > 0:
		names[0], names[i] = names[i], names[0]
	}
	return names, nil
}

// forgetOwn removes a cancelled event from the user's own free/busy, with what
// was recorded of its recurrences if it is a whole event.
func (r *request) forgetOwn() error {
	table := stores.Table{Kind: stores.Own}
	if err := r.remove(table); err != nil {
		return err
	}
	if _, err := r.forgetRecurrences(); err != nil {
		return err
	}
	if err := r.unprovide(); err != nil {
		return err
	}
	r.publishFreeBusy()
	return nil
}

// forgetRecurrences removes what was recorded of the recurrences of a whole event from the
// user's own free/busy, and returns how much that was.
func (r *request) forgetRecurrences() (removed int, err error) {
	if r.id.RecurrenceID != "" {
		return 0, nil
	}
	periods, err := r.tx.Periods(stores.Table{Kind: stores.Own})
	if err != nil {
		return 0, err
	}
	return periods.RemoveRecurrences(r.id.UID, func(string) bool { return false }), nil
}

// forgetOther removes a cancelled event from what is known of another user's
// free/busy, if the event that is called off says that they take part. What the
// table has no use for any more goes in any case: the original, observed.
func (r *request) forgetOther(other calendar.URI, calledOff *calendar.Object) error {
	if !itip.TakesPart(calledOff, other) {
		return r.tidyOther(other)
	}
	return r.eachOther(other, func(_ bool, table stores.Table) error { return r.remove(table) })
}

// tidyOther removes from what is known of another user's free/busy what the table
// has no use for any more.
func (r *request) tidyOther(other calendar.URI) error {
	return r.eachOther(other, func(_ bool, which stores.Table) error {
		table, err := r.tx.Periods(which)
		if err != nil {
			return err
		}
		return r.supersede(which, table)
	})
}

// skipUnstorable passes over that nothing can be kept of another user, because
// of how they are called: the event itself can be.
func (r *request) skipUnstorable(err error) error {
	var unstorable *stores.UnstorableError
	if errors.As(err, &unstorable) {
		r.log.Warn("free/busy of another user is not kept", "reason", err)
		return nil
	}
	return err
}

// recordOwn records the event in the user's own free/busy, and notes if it has
// no end.
func (r *request) recordOwn(object *calendar.Object, transp string) error {
	if err := r.record(stores.Table{Kind: stores.Own}, object, transp, time.Time{}); err != nil {
		return err
	}
	if err := r.provide(object); err != nil {
		return err
	}
	r.publishFreeBusy()
	return nil
}

// record replaces the records of r.id in a table by one for each period of the
// object.
func (r *request) record(which stores.Table, object *calendar.Object, transp string, expires time.Time) error {
	table, err := r.tx.Periods(which)
	if err != nil {
		return err
	}
	series, err := r.series(object)
	if err != nil {
		return err
	}
	records, truncated, err := itip.SeriesRecords(series, object, r.id, transp, expires, r.periodOptions())
	if err != nil {
		r.log.Warn("the periods of the event cannot all be worked out", "reason", err)
	}
	if truncated {
		r.log.Warn("the event has more periods than are recorded", "limit", r.handler.PeriodLimit)
	}
	removed := table.Remove(r.id.UID, r.id.RecurrenceID)
	table.InsertAll(records)
	r.did("%s +%d -%d", tableNames[which.Kind], len(records), removed)
	return r.supersede(which, table)
}

var tableNames = map[stores.TableKind]string{stores.Own: "free/busy", stores.Offers: "offers", stores.Other: "free/busy of others"}

// remove removes the records of r.id from a table.
func (r *request) remove(which stores.Table) error {
	table, err := r.tx.Periods(which)
	if err != nil {
		return err
	}
	if removed := table.Remove(r.id.UID, r.id.RecurrenceID); removed > 0 {
		r.did("%s -%d", tableNames[which.Kind], removed)
	}
	return r.supersede(which, table)
}

// supersede removes records that the state of the event's recurrences leaves
// without meaning: the parent's where a recurrence stands for the occurrence, and
// those of recurrences that are gone. It also drops offers that have expired.
func (r *request) supersede(which stores.Table, table *freebusy.Table) error {
	if which.Kind == stores.Offers {
		table.DropExpired(r.now)
	}
	if r.id.RecurrenceID != "" {
		return r.replace(which, table)
	}
	replaced, err := r.separateRecurrences()
	if err != nil || len(replaced) == 0 {
		table.RemoveRecurrences(r.id.UID, func(string) bool { return false })
		return err
	}
	separate := make(map[string]bool, len(replaced))
	for _, recurrenceID := range replaced {
		separate[recurrenceID] = true
	}
	table.RemoveRecurrences(r.id.UID, func(recurrenceID string) bool { return separate[recurrenceID] })
	event, err := r.event()
	if err != nil {
		return err
	}
	series := &calendar.Series{Event: event}
	for _, recurrenceID := range replaced {
		at, err := series.At(calendar.Apart{ID: recurrenceID}, r.preferences.Zone)
		if err != nil {
			r.log.Warn("a recurrence's time cannot be read", "recurrence", recurrenceID, "reason", err)
			continue
		}
		if removed := table.RemoveStarting(r.id.UID, "", at); removed > 0 {
			r.did("%s of the occurrence -%d", tableNames[which.Kind], removed)
		}
	}
	return nil
}

// separateRecurrences returns the recurrence ids of r.id's event that are stored
// separately, active or cancelled.
func (r *request) separateRecurrences() ([]string, error) {
	active, err := r.tx.Recurrences(stores.Active, r.id.UID)
	if err != nil {
		return nil, err
	}
	cancelled, err := r.tx.Recurrences(stores.Cancelled, r.id.UID)
	return slices.Concat(active, cancelled), err
}

// provide notes an event that recurs without end, in a store where this is kept.
func (r *request) provide(object *calendar.Object) error {
	if !object.RecursForever() {
		return nil
	}
	providers, err := r.tx.Providers()
	if err != nil || providers.Until.IsZero() || slices.Contains(providers.Events, r.id) {
		return err
	}
	providers.Events = append(slices.Clone(providers.Events), r.id)
	return r.tx.SetProviders(providers)
}

// unprovide takes back what provide noted.
func (r *request) unprovide() error {
	providers, err := r.tx.Providers()
	if err != nil || !slices.Contains(providers.Events, r.id) {
		return err
	}
	providers.Events = slices.DeleteFunc(slices.Clone(providers.Events), func(id stores.ID) bool { return id == r.id })
	return r.tx.SetProviders(providers)
}

// publishFreeBusy has the calendar written that others may read, if the user wants it.
func (r *request) publishFreeBusy() {
	if r.preferences.Publishes() {
		r.section.publishes = true
		r.did("published")
	}
}
