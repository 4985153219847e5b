package quota

import (
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// Expired is what [Quota.Expire] has removed.
type Expired struct {
	Bookings, Events int
}

// Expire removes the bookings that have ended before now, so that what is allocated can be used
// again, and events that take place no more. Where events without end are noted, the end of the
// window becomes now: the original, observed.
//
// Zone is that of dates and of times without one. An event whose times cannot be read stays.
func (q *Quota) Expire(now time.Time, zone *time.Location) (gone Expired, err error) {
	now = now.UTC().Truncate(time.Second)
	err = q.eachTable(nil, func(table *freebusy.Table) {
		gone.Bookings += table.RemoveFunc(func(p freebusy.Period) bool { return p.End.Before(now) })
	})
	if err != nil {
		return gone, err
	}
	passed, err := q.Periods(passedOn)
	if err != nil {
		return gone, err
	}
	passed.DropExpired(now)
	passed.RemoveFunc(func(p freebusy.Period) bool { return p.End.Before(now) })
	lasts := make(map[string]bool)          // by UID, whether anything of it is still to come
	events := make(map[string][]stores.Key) // by UID
	for key, err := range q.Keys() {
		if err != nil {
			return gone, err
		}
		events[key.UID] = append(events[key.UID], key)
		if lasts[key.UID] || key.Part != stores.Active {
			continue
		}
		object, _, err := q.read(key.ID)
		if err != nil {
			return gone, err
		}
		lasts[key.UID] = object == nil || continues(object, now, zone)
	}
	for uid, keys := range events {
		if lasts[uid] {
			continue
		}
		for _, key := range keys {
			if err := q.Delete(key); err != nil {
				return gone, err
			}
			gone.Events++
		}
	}
	providers, err := q.Providers()
	if err != nil || providers.Until.IsZero() {
		return gone, err
	}
	providers.Until = now
	kept := providers.Events[:0:0]
	for _, id := range providers.Events {
		if lasts[id.UID] {
			kept = append(kept, id)
		}
	}
	providers.Events = kept
	return gone, q.SetProviders(providers)
}

// continues reports whether an event has a period that has not ended before now, or may have.
func continues(object *calendar.Object, now time.Time, zone *time.Location) bool {
	if object.Continues(now, zone) {
		return true
	}
	spans, truncated, err := object.Periods(calendar.PeriodOptions{Zone: zone, Now: now, Until: now})
	if err != nil || truncated {
		return true
	}
	for _, s := range spans {
		if !s.End.Before(now) {
			return true
		}
	}
	return false
}
