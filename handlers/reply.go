package handlers

import (
	"slices"
	"time"

	"imip-agent/handlers/itip"
	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// reply handles REPLY and COUNTER: the user answers an invitation, or proposes
// other times (RFC 5546 sections 3.2.3 and 3.2.7).
func reply(r *request) error {
	stored, err := r.stored(r.id)
	if err != nil {
		return err
	}
	if old, err := r.old(stored, false); old || err != nil {
		return err
	}
	answered := stored // what the answer is to
	if stored == nil && r.id.RecurrenceID != "" {
		if answered, err = r.parent(); err != nil {
			return err
		}
	}
	if answered == nil && !r.object.HasStart() {
		return r.unknown()
	}
	r.object.Remove(unreadable(r.object)...)
	if stored != nil {
		if err := r.alignRange(stored); err != nil {
			return err
		}
	}

	switch {
	case stored != nil:
		if isOld(r.object, stored, true) {
			break
		}
		err = r.merge(stored)
	case answered != nil:
		var done bool
		if done, err = r.answerOccurrence(answered); done && err == nil {
			return nil
		}
	}
	if err != nil {
		return err
	}

	if own, ok := itip.Attendee(r.object, r.user); ok {
		if status := own.PartStat(); status != "" && status != "NEEDS-ACTION" {
			if err := r.dequeue(); err != nil {
				return err
			}
		}
	}
	if _, err := r.dropCounters(everybody); err != nil {
		return err
	}
	if r.method == "COUNTER" {
		err = r.offer(r.object)
	} else {
		err = r.recordAsAttendee(answer(r.object, stored, r.preferences.Zone))
	}
	if err == nil && answered == nil {
		r.didNotKnow()
	}
	return err
}

// unknown ends an answer without times to an event that is not stored.
func (r *request) unknown() error {
	if value := r.object.Value("DTSTART"); value != "" {
		return &stores.UnstorableError{What: "DTSTART", Value: value, Reason: "it cannot be read, and the event that is answered is not stored"}
	}
	r.did(notStored + " and the answer has no times")
	return nil
}

// didNotKnow says in the log that nothing of the event is stored, which may be why nothing
// has changed.
func (r *request) didNotKnow() {
	if len(r.changes) == 0 {
		r.did(notStored)
	} else {
		r.did("the event is not stored")
	}
}

// unreadable returns the times of an answer that cannot be read: they count as left out.
func unreadable(object *calendar.Object) (names []string) {
	if object.Has("DTSTART") && !object.HasStart() {
		return []string{"DTSTART", "DTEND", "DURATION"}
	}
	return nil
}

// answerOccurrence handles an answer to an occurrence that is not stored by itself, of the
// parent that is. It reports whether that is all there is to be done.
func (r *request) answerOccurrence(parent *calendar.Object) (done bool, err error) {
	at, err := parent.InstantFor(r.object, r.preferences.Zone)
	if err != nil {
		return true, err
	}
	timed := r.object.HasStart()
	// DEVIATION: reply-to-occurrence-east-of-utc.
	occurrence, err := parent.Occurrence(at, r.preferences.Zone)
	if err != nil {
		r.log.Warn("the occurrences of the stored event cannot all be worked out", "reason", err)
	}
	if occurrence == nil {
		if !timed {
			r.did("none, the event has no such occurrence and the answer has no times")
			return true, nil
		}
		occurrence = parent
	}
	r.object.AddTimes(occurrence, r.preferences.Zone)
	r.object.AddFrom(occurrence, itip.Described...)
	if occurrence != parent {
		err = r.separate(parent)
	}
	return false, err
}

// alignRange makes an answer be for as many occurrences as what is stored stands for. If it is
// for all later ones as well, and what is stored is one that is where its event has it, that
// stands for them from then on.
func (r *request) alignRange(stored *calendar.Object) error {
	if r.object.Future() == stored.Future() {
		return nil
	}
	if r.object.Future() && !isOld(r.object, stored, true) {
		event, err := r.event()
		if err != nil {
			return err
		}
		if event != nil && isInPlace(stored, event, r.preferences.Zone) {
			stored.CopyRange(r.object)
			return nil
		}
	}
	r.log.Warn("the answer has another RANGE than what is stored, whose RANGE counts")
	r.object.CopyRange(stored)
	return nil
}

// isInPlace reports whether an occurrence that is stored by itself is when its event has it.
func isInPlace(occurrence, event *calendar.Object, zone *time.Location) bool {
	at, err := event.InstantFor(occurrence, zone)
	if err != nil {
		return false
	}
	planned, err := event.Occurrence(at, zone)
	if planned == nil || err != nil {
		return false
	}
	is, _, err := occurrence.Periods(calendar.PeriodOptions{Zone: zone})
	should, _, _ := planned.Periods(calendar.PeriodOptions{Zone: zone})
	return err == nil && slices.Equal(is, should)
}

// separate makes the occurrence that the message is about a recurrence of its
// own, with all the attendees that the whole event has.
func (r *request) separate(parent *calendar.Object) error {
	occurrence := r.object
	attendees := occurrence.Attendees()
	for _, attendee := range parent.Attendees() {
		if _, ok := itip.Attendee(occurrence, attendee.URI); !ok {
			attendees = append(attendees, attendee)
		}
	}
	attendees = lastOfEach(attendees)
	occurrence.SetAttendees(attendees)
	if err := r.store(stores.Active, occurrence); err != nil {
		return err
	}
	if err := r.reactivate(); err != nil {
		return err
	}
	for _, attendee := range attendees {
		if err := r.recordOther(attendee.URI, occurrence); err != nil {
			return err
		}
	}
	return nil
}

// answer returns what the user's free/busy has of an event that they answer. An answer does
// not change the event (RFC 5546 section 3.2.3), and servers leave out of it what they may:
// its times, rule and exceptions are those of what is stored, which may be nil. Only an answer
// to a later version, which has not come in, has its own, as far as it gives them. What it
// says of TRANSP and SUMMARY counts in any case.
//
// DEVIATION: times-of-answers. The original takes all from the answer.
func answer(message, stored *calendar.Object, zone *time.Location) *calendar.Object {
	if stored == nil {
		return message
	}
	if isLater(message, stored) {
		event := message.Clone()
		event.AddTimes(stored, zone)
		event.AddFrom(stored, "RRULE", "RDATE", "EXDATE", "EXRULE")
		event.AddFrom(stored, itip.Described...)
		return event
	}
	event := message.Clone()
	event.AddFrom(stored, itip.Described...)
	event.CopyFrom(stored, "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE")
	return event
}

// isLater reports whether a message has a higher SEQUENCE than an object.
func isLater(message, object *calendar.Object) bool {
	is, ok := message.Sequence()
	was, known := object.Sequence()
	return ok && known && is > was
}

// merge takes what the senders say of themselves over into the stored object,
// whose times and SEQUENCE and DTSTAMP stay.
func (r *request) merge(stored *calendar.Object) error {
	attendees := stored.Attendees()
	for _, given := range lastOfEach(r.object.Attendees()) {
		if !r.isSender(given) {
			continue
		}
		known := false
		for i := range attendees {
			if attendees[i].URI.Is(given.URI) {
				attendees[i] = attendees[i].WithParams(given)
				known = true
			}
		}
		if !known && isDelegate(given, attendees) {
			attendees = append(attendees, given)
		}
	}
	stored.SetAttendees(lastOfEach(attendees))
	if err := r.store(stores.Active, stored); err != nil {
		return err
	}
	// A recurrence that is stored is not cancelled. It can be noted as such only
	// if the store was left between two steps, when this answer made it one.
	return r.reactivate()
}

// lastOfEach returns the last of the attendees of one address, which is the one that
// counts. The original leaves the others where it stores an event as it came, and
// drops them where it changes who attends it.
func lastOfEach(attendees []calendar.Attendee) (out []calendar.Attendee) {
	last := make(map[calendar.URI]int)
	for i, attendee := range attendees {
		last[attendee.URI.Folded()] = i
	}
	for i, attendee := range attendees {
		if last[attendee.URI.Folded()] == i {
			out = append(out, attendee)
		}
	}
	return out
}

// isDelegate reports whether one of the attendees has named this one as their
// delegate, and is named by them (RFC 5546 section 3.2.2.3).
func isDelegate(given calendar.Attendee, attendees []calendar.Attendee) bool {
	from := given.DelegatedFrom()
	return slices.ContainsFunc(attendees, func(a calendar.Attendee) bool {
		return slices.ContainsFunc(from, a.URI.Is) && slices.ContainsFunc(a.DelegatedTo(), given.URI.Is)
	})
}
