package handlers

import (
	"slices"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// futures has the occurrences that stand for all later ones of their events, by UID, for the
// events of one critical section. To look for them takes reading all that is stored apart.
type futures map[string][]calendar.Apart

// future returns the occurrences of r.id's event that stand for all later ones.
func (r *request) future() ([]calendar.Apart, error) {
	if known, ok := r.section.futures[r.id.UID]; ok {
		return known, nil
	}
	series, err := itip.ReadSeries(r.tx, r.id.UID)
	if err != nil {
		return nil, err
	}
	apart := series.Apart
	apart = slices.DeleteFunc(apart, func(a calendar.Apart) bool { return a.Object == nil })
	if r.section.futures == nil {
		r.section.futures = futures{}
	}
	r.section.futures[r.id.UID] = apart
	return apart, nil
}

// apart returns the occurrences of r.id's event that are stored apart, active or cancelled,
// without their objects.
func (r *request) apart() ([]calendar.Apart, error) {
	var all []calendar.Apart
	for _, part := range []stores.Part{stores.Active, stores.Cancelled} {
		ids, err := r.tx.Recurrences(part, r.id.UID)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			all = append(all, calendar.Apart{ID: id, Cancelled: part == stores.Cancelled})
		}
	}
	return all, nil
}

// event returns the whole event of r.id, as it is stored, or cancelled, or nil.
func (r *request) event() (*calendar.Object, error) {
	for _, part := range []stores.Part{stores.Active, stores.Cancelled} {
		object, err := itip.Stored(r.tx, stores.Key{Part: part, ID: stores.ID{UID: r.id.UID}})
		if object != nil || err != nil {
			return object, err
		}
	}
	return nil, nil
}

// series returns r.id's event, where object is what counts of r.id itself.
func (r *request) series(object *calendar.Object) (*calendar.Series, error) {
	future, err := r.future()
	if err != nil {
		return nil, err
	}
	s := &calendar.Series{}
	if r.id.RecurrenceID == "" {
		// The records of what stands for one occurrence go afterwards: see supersede.
		return &calendar.Series{Event: object, Apart: future}, nil
	} else if !object.Future() && len(future) == 0 {
		// What else there is of the event does not matter.
		s.Apart = []calendar.Apart{{ID: r.id.RecurrenceID, Object: object}}
		return s, nil
	} else if s.Event, err = r.event(); err != nil {
		return nil, err
	}
	if s.Apart, err = r.apart(); err != nil {
		return nil, err
	}
	for i, a := range s.Apart {
		if j := slices.IndexFunc(future, func(f calendar.Apart) bool { return f.ID == a.ID && f.Cancelled == a.Cancelled }); j >= 0 {
			s.Apart[i].Object = future[j].Object
		}
	}
	s.Apart = slices.DeleteFunc(s.Apart, func(a calendar.Apart) bool { return a.ID == r.id.RecurrenceID })
	s.Apart = append(s.Apart, calendar.Apart{ID: r.id.RecurrenceID, Object: object})
	return s, nil
}

// periodOptions says which periods are recorded.
func (r *request) periodOptions() calendar.PeriodOptions {
	return calendar.PeriodOptions{
		Zone: r.preferences.Zone, Now: r.now, Until: r.preferences.WindowEnd(r.now), Max: r.handler.PeriodLimit,
	}
}

// replace removes from a table the event's records of what the occurrence r.id stands for:
// that one, or all later ones, too, and where another occurrence stands for this one, its
// record of it.
func (r *request) replace(which stores.Table, table *freebusy.Table) error {
	note := func(removed int) {
		if removed > 0 {
			r.did("%s of the occurrence -%d", tableNames[which.Kind], removed)
		}
	}
	future, err := r.future()
	if err != nil {
		return err
	}
	simple := !r.object.Future() && len(future) == 0
	if simple && r.id.RecurrenceID[len(r.id.RecurrenceID)-1] == 'Z' {
		if at, err := calendar.InstantOf(r.id.RecurrenceID, r.preferences.Zone); err == nil {
			if removed := table.RemoveStarting(r.id.UID, "", at); removed > 0 {
				note(removed)
				return nil
			}
		}
	}
	event, err := r.event()
	if err != nil {
		return err
	}
	self := calendar.Apart{ID: r.id.RecurrenceID, Object: r.object}
	s := &calendar.Series{Event: event}
	at, err := s.At(self, r.preferences.Zone)
	if err != nil {
		r.log.Warn("a recurrence's time cannot be read", "recurrence", r.id.RecurrenceID, "reason", err)
		return nil
	}
	if r.object.Future() {
		note(table.RemoveFrom(r.id.UID, "", at))
	} else {
		note(table.RemoveStarting(r.id.UID, "", at))
	}
	for _, f := range future {
		if f.ID != r.id.RecurrenceID && !f.Cancelled && event != nil {
			if err := r.recordAgain(which, table, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordAgain records anew an occurrence that stands for all later ones, if it is recorded.
func (r *request) recordAgain(which stores.Table, table *freebusy.Table, f calendar.Apart) error {
	var was *freebusy.Period
	for p := range table.All() {
		if p.UID == freebusy.Clean(r.id.UID) && p.RecurrenceID == f.ID {
			was = &p
			break
		}
	}
	if was == nil {
		return nil
	}
	s, err := r.series(r.object)
	if err != nil {
		return err
	}
	id := stores.ID{UID: r.id.UID, RecurrenceID: f.ID}
	records, _, err := itip.SeriesRecords(s, f.Object, id, was.Transp, was.Expires, r.periodOptions())
	if err != nil {
		r.log.Warn("the periods of the event cannot all be worked out", "recurrence", f.ID, "reason", err)
	}
	removed := table.Remove(id.UID, id.RecurrenceID)
	table.InsertAll(records)
	r.did("%s of later occurrences +%d -%d", tableNames[which.Kind], len(records), removed)
	return nil
}

// cancelLater calls off what is stored apart of the event's occurrences that come after
// one, which stands for all later ones (RFC 5546 section 3.2.5).
func (r *request) cancelLater(object *calendar.Object) error {
	event, err := r.event()
	if err != nil || event == nil || !object.Future() {
		return err
	}
	s := &calendar.Series{Event: event}
	from, err := s.At(calendar.Apart{ID: r.id.RecurrenceID, Object: object}, r.preferences.Zone)
	if err != nil {
		return nil // replace has said so
	}
	ids, err := r.tx.Recurrences(stores.Active, r.id.UID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		later := stores.ID{UID: r.id.UID, RecurrenceID: id}
		key := stores.Key{Part: stores.Active, ID: later}
		stored, err := itip.Stored(r.tx, key)
		if err != nil {
			return err
		}
		at, err := s.At(calendar.Apart{ID: id, Object: stored}, r.preferences.Zone)
		if stored == nil || err != nil || !at.After(from) {
			continue
		}
		if err := r.cancelOne(later, key, stored); err != nil {
			return err
		}
	}
	return nil
}

// cancelOne moves an occurrence to the cancelled ones, and removes what is recorded of it.
func (r *request) cancelOne(id stores.ID, key stores.Key, object *calendar.Object) error {
	forget := func(_ bool, which stores.Table) error {
		table, err := r.tx.Periods(which)
		if err == nil && table.Remove(id.UID, id.RecurrenceID) > 0 {
			r.did("%s of a later occurrence removed", tableNames[which.Kind])
		}
		return err
	}
	err := forget(true, stores.Table{Kind: stores.Own})
	for _, attendee := range object.Attendees() {
		if err == nil {
			err = r.eachOther(attendee.URI, forget)
		}
	}
	if err != nil {
		return err
	}
	if err := r.tx.Put(stores.Key{Part: stores.Cancelled, ID: id}, object.Encode()); err != nil {
		return err
	}
	if err := r.tx.Delete(key); err != nil {
		return err
	}
	queue, err := r.tx.Requests()
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(queue), func(entry stores.Request) bool { return entry.ID == id })
	if len(left) < len(queue) {
		if err := r.tx.SetRequests(left); err != nil {
			return err
		}
	}
	r.did("later occurrence %s cancelled", id.RecurrenceID)
	return nil
}
