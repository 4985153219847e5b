package quota

import (
	"errors"
	"maps"
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// Books says where a booking is recorded. A resource that decides by several functions has all of
// their places.
type Books int

const (
	InGroup     Books = 1 << iota // in the table of the organizer's group, by check_quota and schedule_for_delegate
	ByOrganizer                   // in a table of the organizer's own, by schedule_across_quota
)

// Confirm records a booking that is accepted. The resource's own records are changed already: own
// is its free/busy. The quota's records of the event and the resource become those, so that
// occurrences that are moved, called off or stand for all later ones come out right. Former ones
// go, in whatever table.
//
// What is kept of the event is the newest version that a resource has accepted, in which all that
// have are ACCEPTED.
func (q *Quota) Confirm(b Booking, own *freebusy.Table, books Books) error {
	if err := q.decided(b.ID, b.Resource); err != nil {
		return err
	}
	places, err := q.Places(b.Object, books)
	if err != nil {
		return err
	}
	var targets []stores.Table
	mirrored := mirror(own, b.UID)
	for _, place := range places {
		table, err := q.Periods(place.Table)
		if err != nil {
			return err
		}
		update(table, b.ID, b.Resource, mirrored, place.Transp)
		targets = append(targets, place.Table)
	}
	stored, known, err := q.read(b.ID)
	if err == nil && !known && b.RecurrenceID != "" {
		_, known, err = q.read(stores.ID{UID: b.UID})
	}
	if err != nil {
		return err
	}
	if known {
		// It was booked before, maybe for another group.
		if err := q.eachTable(targets, func(table *freebusy.Table) { forget(table, b.ID, b.Resource, mirrored) }); err != nil {
			return err
		}
	}
	return q.keep(b, stored)
}

// Place is where a booking is recorded, and how.
type Place struct {
	stores.Table
	Transp string // "": that of the resource's own records
}

// Places returns where an event is recorded when a resource accepts it.
func (q *Quota) Places(object *calendar.Object, books Books) (places []Place, err error) {
	organizer, _ := object.Organizer()
	if books&InGroup != 0 {
		table, err := q.table(q.GroupOf(organizer))
		if err != nil {
			return nil, err
		}
		places = append(places, Place{Table: table})
	}
	if books&ByOrganizer != 0 {
		table, err := q.table(string(organizer))
		if err != nil {
			return nil, err
		}
		if len(places) == 0 || places[0].Table != table {
			places = append(places, Place{table, itip.OrganizingTransp(object, organizer)})
		}
	}
	return places, nil
}

// Retract gives back what a resource has booked of an event or an occurrence, in whatever table.
// The resource's own records are changed already: own is its free/busy. It does no harm where
// nothing is booked. An event that others have accepted still names a resource that has never accepted, unless the
// event is called off.
func (q *Quota) Retract(id stores.ID, resource calendar.URI, own *freebusy.Table, calledOff bool) error {
	passedTo := resource
	if calledOff {
		passedTo = "" // by this one, maybe
	}
	if err := q.decided(id, passedTo); err != nil {
		return err
	}
	mirrored := mirror(own, id.UID)
	if err := q.eachTable(nil, func(table *freebusy.Table) { forget(table, id, resource, mirrored) }); err != nil {
		return err
	}
	return q.release(id, resource, mirrored, calledOff)
}

// Uphold sees to it that what a resource has booked of an event is what it has accepted, as its own free/busy,
// which has not changed, says. Of id, which is decided on, nothing else is left. What has ended before now does not
// count, as it may be expired. All bookings are of the same resource, and there is one.
func (q *Quota) Uphold(id stores.ID, accepted []Booking, own *freebusy.Table, books Books, now time.Time) error {
	resource := accepted[0].Resource
	if err := q.decided(id, resource); err != nil {
		return err
	}
	places, err := q.Places(accepted[0].Object, books)
	if err != nil {
		return err
	}
	ok, err := q.mirrors(id.UID, resource, own, len(places), now)
	if ok && !slices.ContainsFunc(accepted, func(b Booking) bool { return b.ID == id }) {
		var object *calendar.Object
		if object, _, err = q.read(id); object != nil {
			self, _ := itip.Attendee(object, resource)
			ok = self.PartStat() != "ACCEPTED"
		}
	}
	if ok || err != nil {
		return err
	}
	if err := q.Retract(stores.ID{UID: id.UID}, resource, own, false); err != nil {
		return err
	}
	for _, b := range accepted {
		if err := q.Confirm(b, own, books); err != nil {
			return err
		}
	}
	return nil
}

// mirrors reports whether a resource's records of an event, in as many of the quota's tables, are those of its own
// free/busy, but for what has ended before now.
func (q *Quota) mirrors(uid string, resource calendar.URI, own *freebusy.Table, tables int, now time.Time) (bool, error) {
	wanted := make(map[instant]bool)
	for _, p := range mirror(own, uid) {
		if !p.End.Before(now) {
			wanted[instantOf(p)] = true
		}
	}
	its := of(uid, resource)
	found, same := 0, true
	err := q.eachTable(nil, func(table *freebusy.Table) {
		booked := make(map[instant]bool)
		for p := range table.All() {
			if its(p) && !p.End.Before(now) {
				booked[instantOf(p)] = true
			}
		}
		if len(booked) > 0 {
			found++
			same = same && maps.Equal(wanted, booked)
		}
	})
	return same && (found == tables || len(wanted) == 0), err
}

// mirror returns the records of an event in a resource's own free/busy.
func mirror(own *freebusy.Table, uid string) (records []freebusy.Period) {
	uid = freebusy.Clean(uid)
	for p := range own.All() {
		if p.UID == uid {
			records = append(records, p)
		}
	}
	return records
}

// of returns what tells a resource's records of an event.
func of(uid string, resource calendar.URI) func(freebusy.Period) bool {
	uid = freebusy.Clean(uid)
	return func(p freebusy.Period) bool { return p.UID == uid && calendar.URI(p.Attendee).Is(resource) }
}

// instant is what tells the records of an event and a resource apart.
type instant struct {
	start, end   int64
	recurrenceID string
}

func instantOf(p freebusy.Period) instant {
	return instant{p.Start.Unix(), p.End.Unix(), p.RecurrenceID}
}

// update makes a resource's records of an event in a quota's table those of its own free/busy, as
// far as they are of id, which is booked, or of what is booked already. They have the transparency
// transp, or without that the same.
func update(table *freebusy.Table, id stores.ID, resource calendar.URI, own []freebusy.Period, transp string) {
	booked := map[string]bool{freebusy.Clean(id.RecurrenceID): true}
	had := make(map[instant]bool)
	its := of(id.UID, resource)
	for p := range table.All() {
		if its(p) {
			booked[p.RecurrenceID] = true
			had[instantOf(p)] = true
		}
	}
	table.RemoveFunc(its)
	records := make([]freebusy.Period, 0, len(own))
	for _, p := range own {
		switch {
		case id.RecurrenceID == "", p.RecurrenceID != "" && booked[p.RecurrenceID]:
		case !had[instantOf(p)]: // an occurrence is booked, and not its event
			continue
		}
		p.Attendee, p.Expires = string(resource), time.Time{}
		if transp != "" {
			p.Transp = transp
		}
		records = append(records, p)
	}
	table.InsertAll(records)
}

// forget removes a resource's records of id from a quota's table, and of the event and its other
// occurrences what its own free/busy has no longer.
func forget(table *freebusy.Table, id stores.ID, resource calendar.URI, own []freebusy.Period) {
	has := make(map[instant]bool, len(own))
	for _, p := range own {
		has[instantOf(p)] = p.RecurrenceID != freebusy.Clean(id.RecurrenceID)
	}
	its := of(id.UID, resource)
	table.RemoveFunc(func(p freebusy.Period) bool { return its(p) && !has[instantOf(p)] })
}

// eachTable calls fn with the tables of the quota, but for some.
func (q *Quota) eachTable(except []stores.Table, fn func(*freebusy.Table)) error {
	names, err := q.Others()
	if err != nil {
		return err
	}
	for _, name := range names {
		which := stores.Table{Kind: stores.Other, Other: name}
		if slices.Contains(except, which) {
			continue
		}
		table, err := q.Periods(which)
		if err != nil {
			return err
		}
		fn(table)
	}
	return nil
}

// read returns what is kept of an event or an occurrence, and whether anything is; nil if that
// cannot be read.
func (q *Quota) read(id stores.ID) (object *calendar.Object, known bool, err error) {
	text, err := q.Get(stores.Key{ID: id})
	if errors.Is(err, stores.ErrNotFound) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, err
	}
	if object, err = calendar.DecodeObject(text); err != nil {
		return nil, true, nil
	}
	return object, true, nil
}

// keep stores the event that is booked, of which stored is what there is.
func (q *Quota) keep(b Booking, stored *calendar.Object) error {
	object := b.Object.Clone()
	switch {
	case stored == nil:
	case stored.SameRevision(b.Object), b.Object.OlderThan(stored, true):
		object = stored
	default:
		// Who has accepted the former version has it booked until it says otherwise.
		holds, err := q.holders(b.UID)
		if err != nil {
			return err
		}
		attendees := object.Attendees()
		for i, a := range attendees {
			if former, ok := itip.Attendee(stored, a.URI); ok && former.PartStat() == "ACCEPTED" && holds(a) {
				attendees[i] = a.Accepted()
			}
		}
		object.SetAttendees(attendees)
	}
	attendees := object.Attendees()
	there := false
	for i, a := range attendees {
		if a.URI.Is(b.Resource) {
			attendees[i], there = a.Accepted(), true
		}
	}
	if self, ok := itip.Attendee(b.Object, b.Resource); ok && !there {
		attendees = append(attendees, self.Accepted())
	}
	object.SetAttendees(attendees)

	if b.RecurrenceID == "" && (stored == nil || stored.Compare(object, true) < 0) {
		if err := q.dropOccurrences(b.UID); err != nil {
			return err
		}
	}
	if err := q.Put(stores.Key{ID: b.ID}, object.Encode()); err != nil {
		return err
	}
	if err := q.Delete(stores.Key{Part: stores.Cancelled, ID: b.ID}); err != nil {
		return err
	}
	if !object.RecursForever() {
		return q.unprovide(b.ID)
	}
	return q.provide(b.ID)
}

// dropOccurrences removes what is stored apart of an event.
func (q *Quota) dropOccurrences(uid string) error {
	for _, part := range []stores.Part{stores.Active, stores.Cancelled} {
		ids, err := q.Recurrences(part, uid)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := q.Delete(stores.Key{Part: part, ID: stores.ID{UID: uid, RecurrenceID: id}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// holders returns what tells the attendees of an event that are resources under the quota: those
// that have something of it booked, and the delegates.
//
// DEVIATION: resources-that-are-no-delegates. For the original these are the delegates alone.
func (q *Quota) holders(uid string) (func(calendar.Attendee) bool, error) {
	held := make(map[calendar.URI]bool)
	for _, d := range q.Delegates {
		held[d.Folded()] = true
	}
	uid = freebusy.Clean(uid)
	err := q.eachTable(nil, func(table *freebusy.Table) {
		for p := range table.All() {
			if p.UID == uid {
				held[calendar.URI(p.Attendee).Folded()] = true
			}
		}
	})
	return func(a calendar.Attendee) bool { return held[a.URI.Folded()] }, err
}

// release takes a resource out of what is kept of an event or an occurrence. Where no resource is
// left in it, it goes. Occurrences of the event stay that the resource has in its own free/busy.
func (q *Quota) release(id stores.ID, resource calendar.URI, own []freebusy.Period, calledOff bool) error {
	ids := []stores.ID{id}
	if id.RecurrenceID == "" {
		apart, err := q.Recurrences(stores.Active, id.UID)
		if err != nil {
			return err
		}
		for _, recurrenceID := range apart {
			isBooked := func(p freebusy.Period) bool { return p.RecurrenceID == freebusy.Clean(recurrenceID) }
			if !slices.ContainsFunc(own, isBooked) {
				ids = append(ids, stores.ID{UID: id.UID, RecurrenceID: recurrenceID})
			}
		}
	}
	holds, err := q.holders(id.UID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		object, known, err := q.read(id)
		if err != nil {
			return err
		}
		if known && object == nil {
			continue // the checker tells of it
		}
		if known {
			if self, invited := itip.Attendee(object, resource); invited && !calledOff && self.PartStat() != "ACCEPTED" {
				continue
			}
			attendees := object.Attendees()
			before := len(attendees)
			attendees = slices.DeleteFunc(attendees, func(a calendar.Attendee) bool { return a.URI.Is(resource) })
			object.SetAttendees(attendees)
			if slices.ContainsFunc(attendees, holds) {
				if len(attendees) < before {
					err = q.Put(stores.Key{ID: id}, object.Encode())
				}
				if err != nil {
					return err
				}
				continue
			}
		}
		if err := q.drop(id); err != nil {
			return err
		}
	}
	return nil
}

// drop removes what is kept of an event or an occurrence.
func (q *Quota) drop(id stores.ID) error {
	if err := q.Delete(stores.Key{ID: id}); err != nil {
		return err
	}
	return q.unprovide(id)
}

// provide notes an event that recurs without end, in a journal where this is kept.
func (q *Quota) provide(id stores.ID) error {
	providers, err := q.Providers()
	if err != nil || providers.Until.IsZero() || slices.Contains(providers.Events, id) {
		return err
	}
	providers.Events = append(slices.Clone(providers.Events), id)
	return q.SetProviders(providers)
}

// unprovide takes back what provide noted.
func (q *Quota) unprovide(id stores.ID) error {
	providers, err := q.Providers()
	if err != nil || !slices.Contains(providers.Events, id) {
		return err
	}
	providers.Events = slices.DeleteFunc(slices.Clone(providers.Events), func(other stores.ID) bool { return other == id })
	return q.SetProviders(providers)
}
