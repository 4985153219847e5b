package calendar

import "time"

// Continues tells whether the event's rule yields anything after a window that ends at
// end, so that there is more to be had when time has moved on. A rule without end does,
// as RecursForever says it; one with UNTIL or COUNT if an occurrence is left.
func (o *Object) Continues(end time.Time, zone *time.Location) bool {
	if o.RecursForever() {
		return true
	}
	t, err := o.times(zone)
	if err != nil || t.rule == nil {
		return false
	}
	found := false
	t.expand(t.window(end).Add(time.Second), time.Time{}, func(m moment, start time.Time) bool {
		found = !t.excludes(m, start)
		return !found
	})
	return found
}
