package itip

import (
	"slices"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// REPLY and COUNTER: the user answers an invitation, or proposes other times (RFC 5546 sections
// 3.2.3 and 3.2.7).

// readAnswered reads what the answer is to: the event or occurrence itself, or the event of an
// occurrence that is not stored apart. Without it, the answer has its own times, or changes nothing.
func readAnswered(u *update) (err error) {
	u.answered = u.stored
	if u.stored == nil && u.ID.RecurrenceID != "" {
		u.answered, err = u.whole()
	}
	switch {
	case err != nil, u.answered != nil, u.Object.HasStart():
		return err
	case u.Object.Value("DTSTART") != "":
		return &stores.UnstorableError{What: "DTSTART", Value: u.Object.Value("DTSTART"), Reason: "it cannot be read, and the answered event is not stored"}
	}
	return u.refuse(NotStoredNorTimed)
}

// completeAnswer gives the answer what it lacks of what it is to. An answer to an occurrence that
// is not stored apart makes it so.
func completeAnswer(u *update) error {
	u.Object.Remove(unreadableTimes(u.Object)...)
	switch {
	case u.stored != nil:
		return u.alignRange(u.stored)
	case u.answered != nil:
		return u.answerOccurrence(u.answered)
	}
	return nil
}

// dequeueAnswered takes the event out of the request queue if the user has decided.
func dequeueAnswered(u *update) error {
	own, ok := Attendee(u.Object, u.User())
	if status := own.PartStat(); !ok || status == "" || status == "NEEDS-ACTION" {
		return nil
	}
	return dequeue(u)
}

// recordAsAttendee records the event in the user's own free/busy if they take
// part in it, and removes it if not.
func recordAsAttendee(u *update) error {
	object := answer(u.Object, u.stored, u.Preferences.Zone)
	if TakesPart(u.Object, u.User()) {
		return u.recordOwn(object, AttendingTransp(object))
	}
	// What was answered separately of its occurrences stays, and the event is still
	// noted if it has no end: the original, observed.
	if err := u.remove(stores.Table{Kind: stores.Own}); err != nil {
		return err
	}
	if err := u.provide(object); err != nil {
		return err
	}
	u.publishFreeBusy()
	return nil
}

// offer records the event among the periods that the user has offered, until the
// offer expires. Whoever proposes times is held to them whatever they say of
// taking part: the original, observed.
func offer(u *update) error {
	lifetime, ok := u.Preferences.OfferLifetime()
	if !ok {
		return nil
	}
	// DEVIATION: expired-offer.
	return u.record(stores.Table{Kind: stores.Offers}, u.Object, AttendingTransp(u.Object), lifetime(u.Now))
}

// noteUnknown notes that nothing of the event is stored, which may be why nothing has changed.
func noteUnknown(u *update) error {
	switch {
	case u.answered != nil:
	case len(u.outcome.Effects) == 0:
		return u.refuse(NotStored)
	default:
		u.did(Effect{Kind: UnknownEvent})
	}
	return nil
}

// unreadableTimes returns the times of an answer that cannot be read: they count as left out.
func unreadableTimes(object *calendar.Object) (names []string) {
	if object.Has("DTSTART") && !object.HasStart() {
		return []string{"DTSTART", "DTEND", "DURATION"}
	}
	return nil
}

// answerOccurrence completes an answer to an occurrence that is not stored by itself, from its
// event. If the event has it, it is stored by itself from then on.
func (u *update) answerOccurrence(parent *calendar.Object) error {
	at, err := parent.InstantFor(u.Object, u.Preferences.Zone)
	if err != nil {
		return err
	}
	timed := u.Object.HasStart()
	// DEVIATION: reply-to-occurrence-east-of-utc.
	occurrence, err := parent.Occurrence(at, u.Preferences.Zone)
	if err != nil {
		u.warn(Warning{Text: "the occurrences of the stored event are known only in part", Reason: err})
	}
	if occurrence == nil {
		if !timed {
			return u.refuse(NoOccurrence)
		}
		occurrence = parent
	}
	u.Object.AddTimes(occurrence, u.Preferences.Zone)
	u.Object.AddFrom(occurrence, described...)
	if occurrence != parent {
		return u.separate(parent)
	}
	return nil
}

// alignRange makes an answer be for as many occurrences as what is stored stands for. If it is
// for all later ones as well, and what is stored is one that is where its event has it, that
// stands for them from then on.
func (u *update) alignRange(stored *calendar.Object) error {
	if u.Object.Future() == stored.Future() {
		return nil
	}
	if u.Object.Future() && !isOld(u.Object, stored, true) {
		event, err := u.event()
		if err != nil {
			return err
		}
		if event != nil && isInPlace(stored, event, u.Preferences.Zone) {
			stored.CopyRange(u.Object)
			return nil
		}
	}
	u.warn(Warning{Text: "the answer has another RANGE than the stored occurrence: the stored one counts"})
	u.Object.CopyRange(stored)
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
func (u *update) separate(parent *calendar.Object) error {
	occurrence := u.Object
	attendees := occurrence.Attendees()
	for _, attendee := range parent.Attendees() {
		if _, ok := Attendee(occurrence, attendee.URI); !ok {
			attendees = append(attendees, attendee)
		}
	}
	attendees = lastOfEach(attendees)
	occurrence.SetAttendees(attendees)
	if err := u.store(stores.Active, occurrence); err != nil {
		return err
	}
	if err := reactivate(u); err != nil {
		return err
	}
	for _, attendee := range attendees {
		if err := u.recordOther(attendee.URI, occurrence); err != nil {
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
	if stored.OlderThan(message, false) {
		event := message.Clone()
		event.AddTimes(stored, zone)
		event.AddFrom(stored, "RRULE", "RDATE", "EXDATE", "EXRULE")
		event.AddFrom(stored, described...)
		return event
	}
	event := message.Clone()
	event.AddFrom(stored, described...)
	event.CopyFrom(stored, "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE")
	return event
}

// merge takes what the senders say of themselves over into the stored object,
// whose times and SEQUENCE and DTSTAMP stay, unless it is older than that.
func merge(u *update) error {
	stored := u.stored
	if stored == nil || isOld(u.Object, stored, true) {
		return nil
	}
	attendees := stored.Attendees()
	for _, given := range u.senders() {
		attendees = withAnswer(attendees, given)
	}
	stored.SetAttendees(lastOfEach(attendees))
	if err := u.store(stores.Active, stored); err != nil {
		return err
	}
	// A recurrence that is stored is not cancelled. It can be noted as such only
	// if the store was left between two steps, when this answer made it one.
	return reactivate(u)
}

// withAnswer returns attendees with what one of them, or a delegate of one, says of themself.
func withAnswer(attendees []calendar.Attendee, given calendar.Attendee) []calendar.Attendee {
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
	return attendees
}

// senders returns the attendees of the message who send it.
func (u *update) senders() []calendar.Attendee {
	if u.side == Received {
		return u.speakers
	}
	return slices.DeleteFunc(lastOfEach(u.Object.Attendees()), func(a calendar.Attendee) bool { return !u.isSender(a) })
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
