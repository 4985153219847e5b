package check

import (
	"errors"
	"slices"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// queue looks at the request queue.
func (e *restLook) queue() error {
	path := e.requestsPath()
	seen := make(map[stores.Request]bool)
	for _, r := range e.requests {
		if r.Type != "" && r.Type != counterType {
			e.addMany(requestType, path, r.ID, "the request queue has %s with the type %.40q", occurrenceName(r.RecurrenceID), r.Type).mendBy(retype{})
			continue
		}
		drop := func(k *Kind, format string, args ...any) {
			e.addMany(k, path, r.ID, format, args...).mendBy(&dequeue{[]stores.Request{r}})
		}
		if seen[r] {
			e.addMany(requestDuplicate, path, r.ID, "the request queue has %s twice", occurrenceName(r.RecurrenceID)).mendBy(dequeueTwice{})
			continue
		}
		seen[r] = true
		if e.isClaimed(r.ID) {
			continue
		}
		is := e.standing(r.ID, r.Type == counterType)
		if r.Type == counterType && (is == there || is == replaced) && !e.countered(r.ID) {
			drop(requestOrphan, "the request queue has a counter-proposal to %s, and there is none", occurrenceName(r.RecurrenceID))
			continue
		}
		switch is {
		case absent:
			drop(requestOrphan, "the request queue has %s, and the event is not stored", occurrenceName(r.RecurrenceID))
		case called:
			drop(requestCancelled, "the request queue has %s, which is cancelled", occurrenceName(r.RecurrenceID))
		case replaced:
			text := "the request queue has %s, which is no longer stored apart from its event"
			if r.Type == counterType {
				text = "the request queue has counter-proposals to %s, which is cancelled"
			}
			e.addMany(requestReplaced, path, r.ID, text, occurrenceName(r.RecurrenceID))
		case missed:
			drop(requestOrphan, "the request queue has %s, and the event that is stored does not recur", occurrenceName(r.RecurrenceID))
		case over:
			drop(requestPast, "the request queue has %s, which is over", occurrenceName(r.RecurrenceID))
		}
	}
	return nil
}

// counterType is the type of a request that stands for counter-proposals.
const counterType = "COUNTER"

// countered reports whether there are counter-proposals to an event, or to an occurrence.
func (e finder) countered(id stores.ID) bool {
	v := e.uids[id.UID]
	return v != nil && slices.ContainsFunc(v.counters, func(key stores.Key) bool { return key.ID == id })
}

// standing is what has become of an event.
type standing int

const (
	there standing = iota
	absent
	called // off
	over
	replaced // a message has taken the occurrence away, and left what waits for it
	missed   // the event is there, and has never had occurrences
)

// standing says what has become of an event. An occurrence can be one of its event's that
// is not stored separately.
func (e finder) standing(id stores.ID, ofParent bool) standing {
	v := e.uids[id.UID]
	if v == nil {
		return absent
	}
	if id.RecurrenceID == "" {
		switch {
		case v.active:
			return e.overOrThere(stores.Key{Part: stores.Active, ID: id})
		case v.cancelled:
			return called
		}
		return absent
	}
	switch o := v.recurrences[id.RecurrenceID]; {
	case o != nil && o.active:
		return e.overOrThere(stores.Key{Part: stores.Active, ID: id})
	case o != nil && o.cancelled && !ofParent:
		return called
	case o != nil && o.cancelled, v.cancelled && !v.active:
		return replaced
	case !v.active:
		return absent
	case !ofParent:
		return e.replaced(id.UID)
	}
	if at, err := calendar.InstantOf(id.RecurrenceID, e.preferences.Zone); err == nil && at.Add(2*day).Before(e.now) {
		return over
	}
	return there
}

// replaced says what has become of an occurrence that is not stored, and whose event is. A
// REQUEST for the whole event takes what is stored of its occurrences away, and leaves their
// entries in the queue.
func (e finder) replaced(uid string) standing {
	text, err := e.tx.Get(stores.Key{Part: stores.Active, ID: stores.ID{UID: uid}})
	if err != nil {
		return there // which is told elsewhere
	}
	if object, err := calendar.DecodeObject(text); err == nil && !object.Recurs() {
		// It has recurred before an update; or the user has sent it, after an invitation to an occurrence alone.
		if updates, known := object.Sequence(); (!known || updates == 0) && !object.OrganizerSentBy().Is(e.user) {
			return missed
		}
	}
	return replaced
}

// overOrThere reports whether all of an event is in the past.
func (e finder) overOrThere(key stores.Key) standing {
	text, err := e.tx.Get(key)
	if err != nil {
		return there // which is told elsewhere
	}
	object, err := calendar.DecodeObject(text)
	if err != nil || object.RecursForever() {
		return there
	}
	spans, truncated, err := object.Periods(e.options(time.Time{}, e.now))
	var broken *calendar.Error
	if errors.As(err, &broken) || truncated || len(spans) == 0 {
		return there
	}
	for _, span := range spans {
		if span.End.After(e.now) {
			return there
		}
	}
	return over
}

// counters looks at the counter-proposals to an event.
func (e *eventLook) counters(v *event) {
	for _, key := range v.counters {
		if e.isClaimed(key.ID) {
			continue
		}
		if proposal, unusable := e.read(key); unusable || proposal == nil {
			continue
		}
		switch e.standing(key.ID, true) {
		case absent:
			e.addText(counterOrphan, key, "the counter-proposal of %s is to an event that is not stored", key.Other)
		case replaced:
			e.add(counterLeft, e.path(key), key.ID, "the counter-proposal of %s is to a cancelled occurrence", key.Other)
		case called:
			e.addText(counterCancelled, key, "the counter-proposal of %s is to an event that is cancelled", key.Other)
		case over:
			e.addText(counterPast, key, "the counter-proposal of %s is to an event that is over", key.Other)
		}
	}
}
