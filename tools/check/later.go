package check

import (
	"slices"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// Free/busy has an event of another organizer as the user answered it, and the object is the last version that came
// in. The two can be of different versions: an answer with a higher SEQUENCE is to a version that has not come in, and
// what comes in later changes the object alone (PUBLISH, and a REQUEST until the user answers it). What an attendee's
// COUNTER says of taking part changes the object alone, too. So records can be at other times than the object has
// them, or be fewer or more, by any rule. They can be missing entirely, also where the object says that the user takes
// part. They look like records that are lost or changed by damage. What else is stored tells the two apart, where it
// tells anything.

// answers reports whether these records of an event of that organizer can be of an answer of the user: of one answer,
// which was published where the user publishes.
func (f *facts) answers(organizer calendar.URI, rows []row) bool {
	if organizer == "" || organizer.Is(f.user) {
		return false
	}
	alike := func(r row) bool {
		return r.transp == rows[0].transp && r.summary == rows[0].summary && r.organizer == rows[0].organizer
	}
	return !slices.ContainsFunc(rows, func(r row) bool { return !alike(r) }) && !f.unpublished(rows)
}

// isSentBefore reports whether the records of another organizer's event are of a version that the user sent for the
// organizer, which are organized. What came in since says no more who sent it, and says that the user takes part, as a
// counter-proposal of theirs can do. An event that the user accepted and damage made organized has been published; where
// the user does not publish, its records call it what the object calls it.
func (e *eventLook) isSentBefore(object *text, rows []row) bool {
	if rows[0].transp != itip.Organizing || !e.answers(object.organizedBy(), rows) {
		return false
	}
	if e.publishedTimes() != nil {
		return !e.wasPublished(doubt{transp: itip.Opaque, missing: rows}, e.busyByTable)
	}
	return rows[0].summary != freebusy.Clean(object.summed())
}

// doubtful reports whether the records of an event differ from its object in a way that need be no damage, and
// remembers it until it is known what else is missing.
func (e *eventLook) doubtful(s *series, id stores.ID, object *text, expect itip.Expectation, rows []row, d difference) bool {
	if len(rows) > 0 && e.isNamedOtherwise(id, object, rows) {
		d.missing = slices.Concat(d.missing, d.late)
	}
	missing := d.missing
	if len(rows) == 0 {
		missing = slices.Concat(d.missing, d.late)
	}
	if len(missing)+len(d.extra) == 0 {
		return false
	}
	doubt := doubt{id: id, missing: missing, extra: d.extra, endless: object.recursForever()}
	switch organizer := object.organizedBy(); {
	case len(rows) > 0:
		if !e.answers(organizer, rows) || !expect.Sent && e.organizerElsewhere(id, organizer, d) || isEdited(rows, d) {
			return false
		}
		doubt.as, doubt.transp = freebusyLater, rows[0].transp
	case len(d.missing) == 0 && object.stamped():
		return false // only for want of extending
	case !organizer.Is(e.user):
		doubt.as, doubt.transp = freebusyCountered, expect.Transps[0]
	case expect.Left, e.isUnnoted(id, object), e.isRemainder(s, id):
		doubt.as, doubt.transp = freebusyLeft, expect.Transps[0]
	default:
		return false
	}
	e.doubts = append(e.doubts, doubt)
	return true
}

// isNamedOtherwise reports whether the records of another organizer's event call it otherwise than its object, so that
// they need not be of a time when it was recorded less far: the object does not say when it was written, and nothing says
// that the event is extended.
func (e *eventLook) isNamedOtherwise(id stores.ID, object *text, rows []row) bool {
	return !e.provider[id] && !object.recursForever() && !object.stamped() && e.answers(object.organizedBy(), rows) &&
		rows[0].summary != freebusy.Clean(object.summed())
}

// isUnnoted reports whether the user's own event, which others attend and the user does not, recurs without end and is not
// noted as such, where that is kept. A CANCEL by which the user leaves it takes the note away with the records.
func (e *eventLook) isUnnoted(id stores.ID, object *text) bool {
	if !e.extended || e.provider[id] || !object.recursForever() || !object.organizedBy().Is(e.user) {
		return false
	}
	_, attends := itip.Attendee(object.object(), e.user)
	return !attends && object.object().Has("ATTENDEE")
}

// isRemainder reports whether an occurrence can be what a CANCEL for some attendees has left of an occurrence that was
// not stored apart: the message's object, which names those who are called off. Then some are left whom it does not name,
// or they were taken out of the whole event since.
func (e *eventLook) isRemainder(s *series, id stores.ID) bool {
	if id.RecurrenceID == "" || s.parent == nil {
		return false
	}
	read := func(id stores.ID) *calendar.Object {
		content, err := e.tx.Get(stores.Key{Part: stores.Active, ID: id})
		if err != nil {
			return nil
		}
		object, err := calendar.DecodeObject(content)
		if err != nil {
			return nil
		}
		return object
	}
	occurrence, whole := read(id), read(stores.ID{UID: id.UID})
	if occurrence != nil && occurrence.Status() == "CANCELLED" {
		return true // what calls an occurrence off for all is not stored as an active one
	}
	return occurrence != nil && whole != nil && (changedSince(whole, occurrence) || slices.ContainsFunc(whole.Attendees(), func(a calendar.Attendee) bool {
		_, named := itip.Attendee(occurrence, a.URI)
		return !named
	}))
}

// changedSince reports whether an event was changed after one of its occurrences was stored, or need not say so. Its
// organizer's REQUEST would have taken the occurrence away: a CANCEL for some attendees does not.
func changedSince(whole, occurrence *calendar.Object) bool {
	changed, stamped := whole.Stamp()
	stored, _ := occurrence.Stamp()
	is, _ := whole.Sequence()
	was, _ := occurrence.Sequence()
	return !stamped || changed > stored || is > was
}

// isEdited reports whether one of several records is where it should be, and of another length. No rule yields that.
func isEdited(rows []row, d difference) bool {
	if len(rows) < 2 || len(d.missing) != 1 || len(d.extra) != 1 {
		return false
	}
	is, should := d.extra[0], d.missing[0]
	return is.start < should.end && should.start < is.end && is.end-is.start != should.end-should.start
}

// organizerElsewhere reports whether what is known of the organizer's free/busy has an event, and not at the times that
// the object says, or at times that it does not say: then no message of the organizer has changed the object. One that
// the user sent for them can have.
func (e finder) organizerElsewhere(id stores.ID, organizer calendar.URI, d difference) bool {
	known := e.timesKnown(id, organizer)
	has := func(r row) bool { return known[instants{r.start, r.end}] }
	return len(known) > 0 && (len(d.missing) > 0 && !has(d.missing[0]) || len(d.missing) == 0 && has(d.extra[0]))
}
