package itip

import (
	"errors"
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// read reads the active object of the event or occurrence, if there is one.
func read(u *update) (err error) {
	u.stored, err = u.active(u.ID)
	return err
}

// whole returns the active object of the whole event, or nil if there is none.
func (u *update) whole() (*calendar.Object, error) { return u.active(stores.ID{UID: u.ID.UID}) }

// active returns the active object of id, or nil if there is none. One that cannot be read counts
// as none, and is told of.
func (u *update) active(id stores.ID) (*calendar.Object, error) {
	text, err := u.Get(stores.Key{Part: stores.Active, ID: id})
	if errors.Is(err, stores.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	object, err := calendar.DecodeObject(text)
	if err != nil {
		// DEVIATION: damaged-objects. The original writes over it, or fails on it.
		if !slices.ContainsFunc(u.outcome.Damaged, func(d Damaged) bool { return d.ID == id }) {
			u.outcome.Damaged = append(u.outcome.Damaged, Damaged{id, text, err})
		}
		return nil, nil
	}
	return object, nil
}

// keep stores the message's object.
func keep(u *update) error { return u.store(stores.Active, u.Object) }

// store keeps the object as that of u.ID.
func (u *update) store(part stores.Part, object *calendar.Object) error {
	if u.ID.RecurrenceID == "" || object.Future() || u.Object.Future() {
		delete(u.futures, u.ID.UID)
	}
	if err := u.Put(stores.Key{Part: part, ID: u.ID}, object.Encode()); err != nil {
		return err
	}
	kind := StoredObject
	if part == stores.Cancelled {
		kind = StoredCancellation
	}
	u.did(Effect{Kind: kind})
	return nil
}

// ifNewer refuses a message that is older than what is stored of the event, or than what has called
// it off, or for an occurrence the whole event: mail can be overtaken.
//
// DEVIATION: older-than-cancelled. The original holds it against what is active only.
func ifNewer(u *update) error { return u.refuseOld(true) }

// ifNewerAnswer is ifNewer for answers. Some clients spoil DTSTAMP in them: it does not count.
//
// DEVIATION: old-counters. The original has the user decide on what arrives.
func ifNewerAnswer(u *update) error { return u.refuseOld(false) }

func (u *update) refuseOld(withStamp bool) error {
	if isOld(u.Object, u.stored, withStamp) {
		return u.refuse(Old)
	}
	for _, id := range []stores.ID{u.ID, {UID: u.ID.UID}} {
		cancelled, err := u.calledOff(id)
		if err != nil {
			return err
		}
		if isOld(u.Object, cancelled, withStamp) {
			return u.refuse(OldAgainstCancelled)
		}
		if u.ID.RecurrenceID == "" {
			break
		}
	}
	return nil
}

// isOld reports whether a message is older than an object, which may be nil. Some clients
// spoil DTSTAMP in answers, so that it can be left out of account.
func isOld(message, object *calendar.Object, withStamp bool) bool {
	return object != nil && message.OlderThan(object, withStamp)
}

// calledOff returns the cancelled object of id, or nil if there is none that can be read: that is
// replaced.
func (u *update) calledOff(id stores.ID) (*calendar.Object, error) {
	return readObject(u.Tx, stores.Key{Part: stores.Cancelled, ID: id})
}

// reactivate forgets that the event was cancelled.
func reactivate(u *update) error {
	return u.Delete(stores.Key{Part: stores.Cancelled, ID: u.ID})
}

// dequeue takes the event out of the request queue.
func dequeue(u *update) error {
	was, err := u.takeFromQueue(u.ID)
	if was {
		u.did(Effect{Kind: Dequeued})
	}
	return err
}

// takeFromQueue takes an event or occurrence out of the request queue, and reports whether it was
// there.
func (u *update) takeFromQueue(id stores.ID) (was bool, err error) {
	queue, err := u.Requests()
	if err != nil {
		return false, err
	}
	is := func(entry stores.Request) bool { return entry.ID == id }
	if !slices.ContainsFunc(queue, is) {
		return false, nil
	}
	return true, u.SetRequests(slices.DeleteFunc(slices.Clone(queue), is))
}

// dropCounters deletes the counter-proposals to the event.
func dropCounters(u *update) error {
	_, err := u.dropCounters(func(calendar.URI) bool { return true })
	return err
}

// dropCounters deletes the counter-proposals of these users to the event, and
// returns how many are left.
func (u *update) dropCounters(of func(calendar.URI) bool) (left int, err error) {
	others, err := u.Counters(u.ID)
	if err != nil {
		return 0, err
	}
	dropped := 0
	for _, other := range others {
		if !of(other) {
			left++
			continue
		}
		if err := u.Delete(stores.Key{Part: stores.Countered, ID: u.ID, Other: other}); err != nil {
			return left, err
		}
		dropped++
	}
	if dropped > 0 {
		u.did(Effect{Kind: DroppedCounters, Removed: dropped})
	}
	return left, nil
}
