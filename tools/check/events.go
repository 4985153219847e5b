package check

import (
	"maps"
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// event looks at all that is stored of one UID, and at the free/busy of it.
func (e *eventLook) event(v *event) {
	id := stores.ID{UID: v.uid}
	var parent, cancelled *text
	unusable := false
	if v.active {
		var bad bool
		parent, bad = e.read(stores.Key{Part: stores.Active, ID: id})
		unusable = unusable || bad
	}
	if v.cancelled {
		var bad bool
		cancelled, bad = e.read(stores.Key{Part: stores.Cancelled, ID: id})
		unusable = unusable || bad
	}
	if parent != nil && e.startless(parent, stores.Key{Part: stores.Active, ID: id}) {
		parent, unusable = nil, true
	}
	if parent != nil && e.isStranger(parent) {
		e.strangers++
		e.recorded = e.recorded || e.rows.has(id) // whom a CANCEL takes out has no records of it
	}

	s := series{event: v, parent: parent, cancelled: cancelled, separate: make(map[int64]string)}
	if parent != nil && cancelled != nil {
		e.both(id, parent, cancelled)
		unusable = true
	}
	for _, rid := range slices.Sorted(maps.Keys(v.recurrences)) {
		if at, err := s.instantOf(rid, e.preferences.Zone); err == nil {
			s.separate[at.Unix()] = rid
		}
	}
	for _, rid := range slices.Sorted(maps.Keys(v.recurrences)) {
		if e.occurrence(&s, rid, unusable) {
			s.unclear = append(s.unclear, rid)
		}
	}
	if unusable {
		e.forget(v.uid)
		return
	}
	switch {
	case parent != nil:
		e.compare(&s, id, parent, parent.expect(e.user))
	case cancelled != nil:
		e.stillBusy(id, cancelled, "the event is cancelled")
	}
}

// startless reports whether an event, or an occurrence, has no start, without which the
// original's programs end when they come to it.
func (e *eventLook) startless(t *text, key stores.Key) bool {
	if t.simple || t.object().HasStart() {
		return false
	}
	e.addText(eventUnreadable, key, "the event has no readable DTSTART")
	return true
}

// series is an event with its occurrences, while it is looked at.
type series struct {
	*event
	parent, cancelled *text            // nil: none
	separate          map[int64]string // recurrence ids by their instants
	unclear           []string         // of these nobody can say what free/busy should have
	ranged            bool             // one of them stands for all later ones as well
	partly            string           // why the times of what is looked at cannot all be read
}

// instantOf returns the instant of the event's occurrence that a recurrence id means.
func (s *series) instantOf(rid string, zone *time.Location) (time.Time, error) {
	if s.parent == nil || s.parent.simple {
		return calendar.InstantOf(rid, zone)
	}
	return s.parent.object().InstantOf(rid, zone)
}

// forget leaves the free/busy of an event alone: nobody can say what it should be.
func (e *eventLook) forget(uid string) {
	for rid := range e.rows.recurrences(uid) {
		e.see(stores.ID{UID: uid, RecurrenceID: rid})
	}
}

// occurrence looks at what is stored of one recurrence id, and its free/busy unless the
// event's is unclear anyway. It reports whether the occurrence's is.
func (e *eventLook) occurrence(s *series, rid string, skip bool) (unclear bool) {
	id := stores.ID{UID: s.uid, RecurrenceID: rid}
	var active, cancelled *text
	var bad bool
	if s.recurrences[rid].active {
		key := stores.Key{Part: stores.Active, ID: id}
		active, bad = e.read(key)
		// Without any it can be what is left when some attendees were called off, and then
		// nothing is recorded of it.
		if active != nil && (active.object().Has("DTSTART") || e.rows.has(id)) && e.startless(active, key) {
			active, bad = nil, true
		}
		unclear = bad
	}
	if s.recurrences[rid].cancelled {
		cancelled, bad = e.read(stores.Key{Part: stores.Cancelled, ID: id})
		unclear = unclear || bad
	}
	for _, t := range []*text{active, cancelled} {
		s.ranged = s.ranged || t != nil && t.object().Future()
	}
	if active != nil && cancelled != nil {
		e.both(id, active, cancelled)
		unclear = true
	}
	if active != nil && !unclear {
		e.place(s, id, active)
	}
	if skip || unclear {
		e.see(id)
		return unclear
	}
	if active == nil {
		e.stillBusy(id, cancelled, "the occurrence "+rid+" is cancelled")
		return false
	}
	if s.parent == nil && s.cancelled != nil && active.object().OlderThan(s.cancelled.object(), true) {
		e.stillBusy(id, s.cancelled, "the occurrence "+rid+" is older than the cancellation of its event")
		return false
	}
	expect := active.expect(e.user)
	if covered, at := e.coveredByEvent(s, id); covered {
		e.covered(s, id, active, expect, at)
		return false
	}
	// When a whole event leaves free/busy, so do its occurrences.
	switch {
	case s.parent == nil || !s.parent.expect(e.user).Required():
		expect.Optional = true
	case s.parent.expect(e.user).Left, e.isUnnoted(stores.ID{UID: s.uid}, s.parent):
		expect.Left = true
	}
	e.compare(s, id, active, expect)
	return false
}

// coveredByEvent reports whether an occurrence has no records of its own, but its event has
// the occurrence, and where.
func (e *eventLook) coveredByEvent(s *series, id stores.ID) (covered bool, at row) {
	start, err := s.instantOf(id.RecurrenceID, e.preferences.Zone)
	if err != nil || e.rows.has(id) {
		return false, row{}
	}
	for _, r := range e.rows.of(stores.ID{UID: id.UID}) {
		if r.start == start.Unix() {
			return true, r
		}
	}
	return false, row{}
}

// covered looks at an occurrence that its event has in its place. So it is right when another
// attendee was taken out of the occurrence, which leaves an object that the user is not in;
// with the user in it, there would be records of its own, or none.
func (e *eventLook) covered(s *series, id stores.ID, object *text, expect itip.Expectation, at row) {
	parent := stores.ID{UID: id.UID}
	_, attends := itip.Attendee(object.object(), e.user)
	if !attends || !e.known || s.parent == nil || len(s.parent.expect(e.user).Transps) == 0 || e.leave(id) || e.leave(parent) {
		return
	}
	s.partly = ""
	switch spans, _, ok := e.spans(s, id, object, e.end(), e.now); {
	case !ok || s.partly != "":
	case len(expect.Transps) == 0:
		f := e.declined(id, []row{at}, "the occurrence")
		f.mendBy(removeStarting{parent, at.start})
	case expect.Required() && len(spans) == 1 && (spans[0].start != at.start || spans[0].end != at.end):
		const text = "free/busy has the occurrence at %s, the time in its event, instead of %s"
		if before := e.publishedTimes(); object.organizedBy() != e.user && (before == nil || before[instants{at.start, at.end}]) {
			e.addFreeBusy(freebusyCountered, id, text+", perhaps because of a counter-proposal", clock(at.start), clock(spans[0].start))
			return
		}
		f := e.addFreeBusy(freebusyTime, id, text, clock(at.start), clock(spans[0].start))
		f.mendBy(removeStarting{parent, at.start}, rebuild(id))
	}
}

// both is an event, or occurrence, that is active and cancelled at once. What crashes and
// kills leave is that the older of the two is still there.
func (e *eventLook) both(id stores.ID, active, cancelled *text) {
	old := stores.Key{Part: stores.Active, ID: id}
	what := "cancellation"
	switch c := active.object().Compare(cancelled.object(), true); {
	case c > 0, c == 0 && e.rows.has(id):
		old.Part, what = stores.Cancelled, "active one"
	}
	f := e.add(eventBoth, e.path(old), id, "%s is both active and cancelled; the %s is newer", occurrenceName(id.RecurrenceID), what)
	f.mendBy(removeText{old})
}

// place looks where an occurrence stands in its event.
func (e *eventLook) place(s *series, id stores.ID, occurrence *text) {
	path := e.path(stores.Key{Part: stores.Active, ID: id})
	if s.cancelled != nil && s.parent == nil {
		if occurrence.object().OlderThan(s.cancelled.object(), true) {
			e.add(recurrenceOld, path, id, "the occurrence %s is older than the cancellation of its event", id.RecurrenceID)
		}
		return
	}
	if !s.active && !s.event.cancelled {
		e.add(recurrenceAlone, path, id, "the occurrence %s is stored without its event", id.RecurrenceID)
		return
	}
	if s.parent == nil || !e.verbose || !e.known {
		return // only for a note
	}
	at, err := s.instantOf(id.RecurrenceID, e.preferences.Zone)
	if err != nil {
		return
	}
	if occurs, err := s.parent.object().OccursAt(at, e.preferences.Zone); err == nil && !occurs {
		e.add(recurrenceForeign, path, id, "the occurrence %s is not one of its event's recurrence rule", id.RecurrenceID)
	}
}

// stillBusy finds records of what is cancelled.
func (e *eventLook) stillBusy(id stores.ID, cancelled *text, why string) {
	rows := e.take(id)
	if len(rows) == 0 || e.leave(id) {
		return
	}
	const text = "%s, and free/busy has %s of it, the first at %s"
	args := []any{why, plural(len(rows), "record"), clock(rows[0].start)}
	if e.answers(cancelled.organizedBy(), rows) {
		e.addFreeBusy(freebusyCalledOff, id, text+", perhaps because the user answered afterwards", args...)
		return
	}
	e.addFreeBusy(freebusyCancelled, id, text, args...).mendBy(removeOwn(id))
}
