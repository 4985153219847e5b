package itip

import (
	"errors"
	"slices"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// recordOther records what the event says of another user's free/busy, as its organizer has it.
func (u *update) recordOther(other calendar.URI, object *calendar.Object) error {
	return u.recordOtherAs(other, object, OrganizingTransp(object, other))
}

// recordOtherAs records what the event says of another user's free/busy, with that transparency.
func (u *update) recordOtherAs(other calendar.URI, object *calendar.Object, transp string) error {
	takesPart := TakesPart(object, other)
	return u.eachOther(other, func(first bool, table stores.Table) error {
		if !takesPart || !first {
			return u.remove(table)
		}
		return u.record(table, object, transp, time.Time{})
	})
}

// eachOther calls fn with the tables of what is known of another user's free/busy. There are
// several if others have written them under names that differ in letter case; the first is
// the one to be written to, and may not be there. The user themself has none.
func (u *update) eachOther(other calendar.URI, fn func(first bool, table stores.Table) error) error {
	if other.Is(u.User()) {
		return nil
	}
	names, err := u.others.named(u.Tx, other)
	for i, name := range names {
		if err == nil {
			err = u.skipUnstorable(fn(i == 0, stores.Table{Kind: stores.Other, Other: name}))
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
func (u *update) forgetOwn() error {
	table := stores.Table{Kind: stores.Own}
	if err := u.remove(table); err != nil {
		return err
	}
	if _, err := u.forgetRecurrences(); err != nil {
		return err
	}
	if err := u.unprovide(); err != nil {
		return err
	}
	u.publishFreeBusy()
	return nil
}

// forgetRecurrences removes what was recorded of the recurrences of a whole event from the
// user's own free/busy, and returns how much that was.
func (u *update) forgetRecurrences() (removed int, err error) {
	if u.ID.RecurrenceID != "" {
		return 0, nil
	}
	periods, err := u.Periods(stores.Table{Kind: stores.Own})
	if err != nil {
		return 0, err
	}
	return periods.RemoveRecurrences(u.ID.UID, func(string) bool { return false }), nil
}

// forgetOther removes a cancelled event from what is known of another user's
// free/busy, if the event that is called off says that they take part. What the
// table has no use for any more goes in any case: the original, observed.
func (u *update) forgetOther(other calendar.URI, calledOff *calendar.Object) error {
	if !TakesPart(calledOff, other) {
		return u.tidyOther(other)
	}
	return u.eachOther(other, func(_ bool, table stores.Table) error { return u.remove(table) })
}

// tidyOther removes from what is known of another user's free/busy what the table
// has no use for any more.
func (u *update) tidyOther(other calendar.URI) error {
	return u.eachOther(other, func(_ bool, which stores.Table) error {
		table, err := u.Periods(which)
		if err != nil {
			return err
		}
		return u.supersede(which, table)
	})
}

// skipUnstorable passes over that nothing can be kept of another user, because
// of how they are called: the event itself can be.
func (u *update) skipUnstorable(err error) error {
	var unstorable *stores.UnstorableError
	if errors.As(err, &unstorable) {
		u.warn(Warning{Text: "free/busy of another user is not kept", Reason: err})
		return nil
	}
	return err
}

// recordOwn records the event in the user's own free/busy, and notes if it has
// no end.
func (u *update) recordOwn(object *calendar.Object, transp string) error {
	if err := u.record(stores.Table{Kind: stores.Own}, object, transp, time.Time{}); err != nil {
		return err
	}
	if err := u.provide(object); err != nil {
		return err
	}
	u.publishFreeBusy()
	return nil
}

// record replaces the records of u.ID in a table by one for each period of the
// object.
func (u *update) record(which stores.Table, object *calendar.Object, transp string, expires time.Time) error {
	table, err := u.Periods(which)
	if err != nil {
		return err
	}
	series, err := u.series(object)
	if err != nil {
		return err
	}
	u.recordSeries(which, table, series, transp, expires)
	return u.supersede(which, table)
}

// recordSeries replaces the records of u.ID in a table by one for each period of a series.
func (u *update) recordSeries(which stores.Table, table *freebusy.Table, series *Series, transp string, expires time.Time) {
	times := u.times(series)
	u.outcome.Warnings = append(u.outcome.Warnings, times.Warnings...)
	records := series.Records(times.Spans, transp, expires)
	removed := table.Remove(u.ID.UID, u.ID.RecurrenceID)
	table.InsertAll(records)
	u.did(Effect{Kind: Recorded, Table: which.Kind, Added: len(records), Removed: removed})
}

// times returns when an event or occurrence takes place, of which records are made: at no time if
// its beginning is not known.
func (u *update) times(s *Series) Times {
	times, err := s.Times(calendar.PeriodOptions{
		Zone: u.Preferences.Zone, Now: u.Now, Until: u.Preferences.WindowEnd(u.Now), Max: u.PeriodLimit,
	})
	if err != nil {
		times.Warnings = append(times.Warnings, incompleteTimes(err))
	}
	return times
}

// remove removes the records of u.ID from a table.
func (u *update) remove(which stores.Table) error {
	table, err := u.Periods(which)
	if err != nil {
		return err
	}
	if removed := table.Remove(u.ID.UID, u.ID.RecurrenceID); removed > 0 {
		u.did(Effect{Kind: Unrecorded, Table: which.Kind, Removed: removed})
	}
	return u.supersede(which, table)
}

// supersede removes records that the state of the event's recurrences leaves
// without meaning: the parent's where a recurrence stands for the occurrence, and
// those of recurrences that are gone. It also drops offers that have expired.
func (u *update) supersede(which stores.Table, table *freebusy.Table) error {
	if which.Kind == stores.Offers {
		table.DropExpired(u.Now)
	}
	if u.ID.RecurrenceID != "" {
		return u.replace(which, table)
	}
	replaced, err := Apart(u.Tx, u.ID.UID)
	if err != nil || len(replaced) == 0 {
		table.RemoveRecurrences(u.ID.UID, func(string) bool { return false })
		return err
	}
	separate := make(map[string]bool, len(replaced))
	for _, apart := range replaced {
		separate[apart.ID] = true
	}
	table.RemoveRecurrences(u.ID.UID, func(recurrenceID string) bool { return separate[recurrenceID] })
	event, err := u.event()
	if err != nil {
		return err
	}
	series := &calendar.Series{Event: event}
	for _, apart := range replaced {
		at, err := series.At(apart, u.Preferences.Zone)
		if err != nil {
			u.warn(unreadableTime(apart.ID, err))
			continue
		}
		if removed := table.RemoveStarting(u.ID.UID, "", at); removed > 0 {
			u.did(Effect{Kind: UnrecordedInEvent, Table: which.Kind, Removed: removed})
		}
	}
	return nil
}

// provide notes an event that recurs without end, in a store where this is kept.
func (u *update) provide(object *calendar.Object) error {
	if !object.RecursForever() {
		return nil
	}
	providers, err := u.Providers()
	if err != nil || providers.Until.IsZero() || slices.Contains(providers.Events, u.ID) {
		return err
	}
	providers.Events = append(slices.Clone(providers.Events), u.ID)
	return u.SetProviders(providers)
}

// unprovide takes back what provide noted.
func (u *update) unprovide() error {
	providers, err := u.Providers()
	if err != nil || !slices.Contains(providers.Events, u.ID) {
		return err
	}
	providers.Events = slices.DeleteFunc(slices.Clone(providers.Events), func(id stores.ID) bool { return id == u.ID })
	return u.SetProviders(providers)
}

// publishFreeBusy has the calendar written that others may read, if the user wants it.
func (u *update) publishFreeBusy() {
	if u.Preferences.Publishes() {
		u.publishes = true
		u.did(Effect{Kind: Published})
	}
}
