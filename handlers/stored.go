package handlers

import (
	"errors"
	"fmt"
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/rejected"
)

// stored returns the active object of id, or nil if there is none. One that
// cannot be read is put aside and counts as none; r.unreadable tells.
func (r *request) stored(id stores.ID) (*calendar.Object, error) {
	text, err := r.tx.Get(stores.Key{Part: stores.Active, ID: id})
	if errors.Is(err, stores.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	object, err := calendar.DecodeObject(text)
	if err == nil {
		return object, nil
	}
	// DEVIATION: damaged-objects. The original writes over it, or fails on it.
	r.unreadable = true
	note := rejected.Note{
		Reason: "a stored object cannot be read: " + err.Error(), User: string(r.user), Method: r.method,
		UID: id.UID, RecurrenceID: id.RecurrenceID, Source: "store", Time: r.now,
	}
	path, putErr := r.handler.Rejected.Put(note, text)
	if putErr != nil {
		return nil, fmt.Errorf("put aside the unreadable object of %q: %w", id.UID, putErr)
	}
	r.log.Warn("the stored object cannot be read and counts as absent; a copy is put aside", "reason", err, "file", path)
	return nil, nil
}

// parent returns the active object of the whole event that a recurrence is of.
func (r *request) parent() (*calendar.Object, error) {
	return r.stored(stores.ID{UID: r.id.UID})
}

// store keeps the object as that of r.id.
func (r *request) store(part stores.Part, object *calendar.Object) error {
	if r.id.RecurrenceID == "" || object.Future() || r.object.Future() {
		delete(r.section.futures, r.id.UID)
	}
	if err := r.tx.Put(stores.Key{Part: part, ID: r.id}, object.Encode()); err != nil {
		return err
	}
	r.did("stored %s", partNames[part])
	return nil
}

var partNames = map[stores.Part]string{stores.Active: "object", stores.Cancelled: "cancellation"}

// Why a message changes nothing, for the log.
const (
	notStored          = "none, the event is not stored"
	olderThanStored    = "none, it is older than what is stored"
	olderThanCancelled = "none, it is older than what has called the event off"
)

// old reports whether the message is older than what is stored of the event, which may be
// nil, or than what has called it off, or for an occurrence the whole event: mail can be
// overtaken. Then nothing is to be changed.
//
// DEVIATION: older-than-cancelled. The original holds it against what is active only.
func (r *request) old(stored *calendar.Object, withStamp bool) (bool, error) {
	if isOld(r.object, stored, withStamp) {
		r.did(olderThanStored)
		return true, nil
	}
	for _, id := range []stores.ID{r.id, {UID: r.id.UID}} {
		cancelled, err := r.calledOff(id)
		if err != nil {
			return false, err
		}
		if isOld(r.object, cancelled, withStamp) {
			r.did(olderThanCancelled)
			return true, nil
		}
		if r.id.RecurrenceID == "" {
			break
		}
	}
	return false, nil
}

// isOld reports whether a message is older than an object, which may be nil. Some clients
// spoil DTSTAMP in answers, so that it can be left out of account.
func isOld(message, object *calendar.Object, withStamp bool) bool {
	return object != nil && message.OlderThan(object, withStamp)
}

// isSameVersion reports whether two objects have the same SEQUENCE and DTSTAMP.
func isSameVersion(a, b *calendar.Object) bool {
	stamp, stamped := a.Stamp()
	other, _ := b.Stamp()
	sequence, _ := a.Sequence()
	otherSequence, _ := b.Sequence()
	return stamped && stamp == other && sequence == otherSequence
}

// calledOff returns the cancelled object of id, or nil if there is none that can be read.
func (r *request) calledOff(id stores.ID) (*calendar.Object, error) {
	text, err := r.tx.Get(stores.Key{Part: stores.Cancelled, ID: id})
	if errors.Is(err, stores.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	object, err := calendar.DecodeObject(text)
	if err != nil {
		return nil, nil // it is replaced
	}
	return object, nil
}

// reactivate forgets that the event was cancelled.
func (r *request) reactivate() error {
	return r.tx.Delete(stores.Key{Part: stores.Cancelled, ID: r.id})
}

// dequeue takes the event out of the request queue.
func (r *request) dequeue() error {
	queue, err := r.tx.Requests()
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(queue), func(entry stores.Request) bool { return entry.ID == r.id })
	if len(left) == len(queue) {
		return nil
	}
	r.did("request answered")
	return r.tx.SetRequests(left)
}

// dropCounters deletes the counter-proposals of these users to the event, and
// returns how many are left.
func (r *request) dropCounters(of func(calendar.URI) bool) (left int, err error) {
	others, err := r.tx.Counters(r.id)
	if err != nil {
		return 0, err
	}
	dropped := 0
	for _, other := range others {
		if !of(other) {
			left++
			continue
		}
		if err := r.tx.Delete(stores.Key{Part: stores.Countered, ID: r.id, Other: other}); err != nil {
			return left, err
		}
		dropped++
	}
	if dropped > 0 {
		r.did("counter-proposals -%d", dropped)
	}
	return left, nil
}

// everybody is for dropCounters.
func everybody(calendar.URI) bool { return true }
