package itip

import (
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// REPLY and COUNTER that the user receives: an attendee answers an invitation, or proposes something
// else (RFC 5546 sections 3.2.3 and 3.2.7). Who organizes the event says what it is: an answer
// changes nothing of it but who takes part.

// ifStored refuses an answer to what is not stored, or is called off. An occurrence that is not
// stored apart is its event's.
//
// DEVIATION: counters-to-what-is-gone. The original has the user decide on it.
func ifStored(u *update) (err error) {
	if u.answered = u.stored; u.stored != nil {
		return nil
	}
	if u.ID.RecurrenceID != "" {
		if u.answered, err = u.whole(); err != nil {
			return err
		}
	}
	gone, err := u.calledOff(u.ID)
	switch {
	case err != nil:
		return err
	case gone != nil:
		return u.refuse(CalledOffAlready)
	case u.answered == nil:
		return u.refuse(NotStored)
	}
	return nil
}

// ifInvited refuses what none of the event's attendees send, nor a delegate of theirs (RFC 5546
// section 3.2.3 calls the others party crashers). The user learns of it.
//
// DEVIATION: uninvited-answers.
func ifInvited(u *update) error {
	attendees := u.answered.Attendees()
	for _, speaker := range u.speakers {
		if _, ok := Attendee(u.answered, speaker.URI); ok || isDelegate(speaker, attendees) {
			return nil
		}
	}
	return u.refuse(Uninvited)
}

// alignAnswer makes an answer be for as many occurrences as what is stored stands for.
func alignAnswer(u *update) error {
	if u.stored == nil {
		return nil
	}
	return u.alignRange(u.stored)
}

// recordAnswerers records what the event says of the free/busy of those who have answered.
func recordAnswerers(u *update) error {
	for _, speaker := range u.speakers {
		if _, ok := Attendee(u.stored, speaker.URI); !ok {
			continue
		}
		if err := u.recordOther(speaker.URI, u.stored); err != nil {
			return err
		}
	}
	return nil
}

// answeredOccurrence handles an answer to an occurrence that is not stored apart.
func answeredOccurrence(u *update) error {
	if u.stored != nil {
		return nil
	}
	return u.instead(replyToOccurrence)
}

// separateOccurrence makes the occurrence that is answered a recurrence of its own: as its event has
// it, with what its attendees answer.
//
// DEVIATION: reply-defines-occurrence. The original takes the occurrence from the answer.
func separateOccurrence(u *update) error {
	u.parent = u.answered
	at, err := u.parent.InstantFor(u.Object, u.Preferences.Zone)
	if err != nil {
		return u.refuse(NoOccurrence) // its recurrence id cannot be read
	}
	occurrence, err := u.parent.Occurrence(at, u.Preferences.Zone)
	if err != nil {
		u.warn(incompleteTimes(err))
	}
	if occurrence == nil {
		return u.refuse(NoOccurrence)
	}
	occurrence.CopyFrom(u.Object, "RECURRENCE-ID")
	u.stampBy(occurrence)
	attendees := occurrence.Attendees()
	for _, speaker := range u.speakers {
		attendees = withAnswer(attendees, speaker)
	}
	occurrence.SetAttendees(lastOfEach(attendees))
	u.Object = occurrence
	if err := u.store(stores.Active, occurrence); err != nil {
		return err
	}
	for _, attendee := range occurrence.Attendees() {
		if err := u.recordOther(attendee.URI, occurrence); err != nil {
			return err
		}
	}
	return nil
}

// stampBy has an occurrence be of the time of the answer that makes it one of its own, unless that is to an older version.
// An answer from the future would keep what its organizer sends next from counting.
func (u *update) stampBy(occurrence *calendar.Object) {
	if is, answered := u.Object.Sequence(); answered {
		if was, known := occurrence.Sequence(); known && is < was {
			return
		}
	}
	was, _ := occurrence.Stamp()
	if is, ok := u.Object.Stamp(); ok && is > was && is <= stamp(u.Now) {
		occurrence.CopyFrom(u.Object, "DTSTAMP")
	}
}

// updateOthers tells the others who take part in an occurrence that it has become one of its own.
func updateOthers(u *update) error {
	for _, attendee := range lastOfEach(u.parent.Attendees()) {
		isSpeaker := slices.ContainsFunc(u.speakers, func(s calendar.Attendee) bool { return s.URI.Is(attendee.URI) })
		if !isSpeaker && TakesPart(u.Object, attendee.URI) {
			u.answer(UpdatesEvent, attendee.URI, AsOrganizer, u.asOrganizer("REQUEST", u.Object))
		}
	}
	return nil
}

// ofProposer has the first of those who send a counter-proposal be who makes it.
func ofProposer(u *update) error {
	u.speakers = slices.DeleteFunc(u.speakers, func(s calendar.Attendee) bool {
		_, ok := Attendee(u.answered, s.URI)
		return !ok && !isDelegate(s, u.answered.Attendees())
	})[:1]
	return nil
}

// keepCounter stores the counter-proposal in place of the proposer's last one.
func keepCounter(u *update) error {
	proposers, err := u.Counters(u.ID)
	if err != nil {
		return err
	}
	proposer := u.speakers[0].URI
	if known := calendar.Find(proposers, proposer); known != "" {
		proposer = known
	}
	u.did(Effect{Kind: StoredCounter})
	return u.Put(stores.Key{Part: stores.Countered, ID: u.ID, Other: proposer}, u.Object.Encode())
}
