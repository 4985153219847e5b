package itip

import (
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// futures has the occurrences that stand for all later ones of their events, by UID, for the
// events of one critical section. To look for them takes reading all that is stored apart.
type futures map[string][]calendar.Apart

// future returns the occurrences of u.ID's event that stand for all later ones.
func (u *update) future() ([]calendar.Apart, error) {
	if known, ok := u.futures[u.ID.UID]; ok {
		return known, nil
	}
	apart, err := Apart(u.Tx, u.ID.UID)
	if err == nil {
		apart, err = withObjects(u.Tx, u.ID.UID, apart)
	}
	if err != nil {
		return nil, err
	}
	apart = slices.DeleteFunc(apart, func(a calendar.Apart) bool { return a.Object == nil })
	if u.futures == nil {
		u.futures = futures{}
	}
	u.futures[u.ID.UID] = apart
	return apart, nil
}

// event returns the whole event of u.ID, as it is stored, or cancelled, or nil.
func (u *update) event() (*calendar.Object, error) { return wholeEvent(u.Tx, u.ID.UID) }

// series returns u.ID's event or occurrence, where object is what counts of it.
func (u *update) series(object *calendar.Object) (*Series, error) {
	switch {
	case u.ID.RecurrenceID == "":
		// The records of what stands for one occurrence go afterwards: see supersede.
		future, err := u.future()
		return &Series{ID: u.ID, Object: object, all: calendar.Series{Event: object, Apart: future}}, err
	case !object.Future():
		return NewSeries(u.ID, object), nil
	}
	return u.seriesOf(u.ID, object)
}

// seriesOf returns an occurrence of u.ID's event that stands for all later ones, where object is
// what counts of it, and u.Object of u.ID.
func (u *update) seriesOf(id stores.ID, object *calendar.Object) (*Series, error) {
	future, err := u.future()
	if err != nil {
		return nil, err
	}
	s := &Series{ID: id, Object: object}
	if s.all.Event, err = u.event(); err != nil {
		return nil, err
	}
	if s.all.Apart, err = Apart(u.Tx, u.ID.UID); err != nil {
		return nil, err
	}
	for i, a := range s.all.Apart {
		if j := slices.IndexFunc(future, func(f calendar.Apart) bool { return f.ID == a.ID && f.Cancelled == a.Cancelled }); j >= 0 {
			s.all.Apart[i].Object = future[j].Object
		}
	}
	s.put(u.ID, u.Object)
	s.put(id, object)
	return s, nil
}

// replace removes from a table the event's records of what the occurrence u.ID stands for:
// that one, or all later ones, too, and where another occurrence stands for this one, its
// record of it.
func (u *update) replace(which stores.Table, table *freebusy.Table) error {
	note := func(removed int) {
		if removed > 0 {
			u.did(Effect{Kind: UnrecordedInEvent, Table: which.Kind, Removed: removed})
		}
	}
	future, err := u.future()
	if err != nil {
		return err
	}
	simple := !u.Object.Future() && len(future) == 0
	if simple && u.ID.RecurrenceID[len(u.ID.RecurrenceID)-1] == 'Z' {
		if at, err := calendar.InstantOf(u.ID.RecurrenceID, u.Preferences.Zone); err == nil {
			if removed := table.RemoveStarting(u.ID.UID, "", at); removed > 0 {
				note(removed)
				return nil
			}
		}
	}
	event, err := u.event()
	if err != nil {
		return err
	}
	self := calendar.Apart{ID: u.ID.RecurrenceID, Object: u.Object}
	s := &calendar.Series{Event: event}
	at, err := s.At(self, u.Preferences.Zone)
	if err != nil {
		u.warn(unreadableTime(u.ID.RecurrenceID, err))
		return nil
	}
	if u.Object.Future() {
		note(table.RemoveFrom(u.ID.UID, "", at))
	} else {
		note(table.RemoveStarting(u.ID.UID, "", at))
	}
	for _, f := range future {
		if f.ID != u.ID.RecurrenceID && !f.Cancelled && event != nil {
			if err := u.recordAgain(which, table, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordAgain records anew an occurrence that stands for all later ones, if it is recorded.
func (u *update) recordAgain(which stores.Table, table *freebusy.Table, f calendar.Apart) error {
	var was *freebusy.Period
	for p := range table.All() {
		if p.UID == freebusy.Clean(u.ID.UID) && p.RecurrenceID == f.ID {
			was = &p
			break
		}
	}
	if was == nil {
		return nil
	}
	id := stores.ID{UID: u.ID.UID, RecurrenceID: f.ID}
	s, err := u.seriesOf(id, f.Object)
	if err != nil {
		return err
	}
	times := u.times(s)
	for _, w := range times.Warnings {
		w.Recurrence = f.ID
		u.warn(w)
	}
	records := s.Records(times.Spans, was.Transp, was.Expires)
	removed := table.Remove(id.UID, id.RecurrenceID)
	table.InsertAll(records)
	u.did(Effect{Kind: RecordedLater, Table: which.Kind, Added: len(records), Removed: removed})
	return nil
}

// cancelLater calls off what is stored apart of the event's occurrences that come after
// one, which stands for all later ones (RFC 5546 section 3.2.5).
func (u *update) cancelLater(object *calendar.Object) error {
	event, err := u.event()
	if err != nil || event == nil || !object.Future() {
		return err
	}
	s := &calendar.Series{Event: event}
	from, err := s.At(calendar.Apart{ID: u.ID.RecurrenceID, Object: object}, u.Preferences.Zone)
	if err != nil {
		return nil // replace has said so
	}
	ids, err := u.Recurrences(stores.Active, u.ID.UID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		later := stores.ID{UID: u.ID.UID, RecurrenceID: id}
		key := stores.Key{Part: stores.Active, ID: later}
		stored, err := readObject(u.Tx, key)
		if err != nil {
			return err
		}
		at, err := s.At(calendar.Apart{ID: id, Object: stored}, u.Preferences.Zone)
		if stored == nil || err != nil || !at.After(from) {
			continue
		}
		if err := u.cancelOne(later, key, stored); err != nil {
			return err
		}
	}
	return nil
}

// cancelOne moves an occurrence to the cancelled ones, and removes what is recorded of it.
func (u *update) cancelOne(id stores.ID, key stores.Key, object *calendar.Object) error {
	forget := func(_ bool, which stores.Table) error {
		table, err := u.Periods(which)
		if err == nil && table.Remove(id.UID, id.RecurrenceID) > 0 {
			u.did(Effect{Kind: UnrecordedLater, Table: which.Kind})
		}
		return err
	}
	err := forget(true, stores.Table{Kind: stores.Own})
	for _, attendee := range object.Attendees() {
		if err == nil {
			err = u.eachOther(attendee.URI, forget)
		}
	}
	if err != nil {
		return err
	}
	if err := u.Put(stores.Key{Part: stores.Cancelled, ID: id}, object.Encode()); err != nil {
		return err
	}
	if err := u.Delete(key); err != nil {
		return err
	}
	if _, err := u.takeFromQueue(id); err != nil {
		return err
	}
	u.did(Effect{Kind: CancelledLater, Recurrence: id.RecurrenceID})
	return nil
}
