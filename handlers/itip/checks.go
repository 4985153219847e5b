package itip

import (
	"errors"
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/preferences"
)

// What others send counts only if it comes from who may say it, to whom it is for. Everybody can
// write a message that names an event.

// parties returns whom the message names: who organizes, and who attends.
func (u *update) parties() (organizer calendar.Attendee, attendees []calendar.Attendee) {
	if u.FreeBusy != nil {
		return u.FreeBusy.Organizer, u.FreeBusy.Attendees
	}
	uri, _ := u.Object.Organizer()
	return calendar.NewAttendee(uri, u.Object.OrganizerSentBy()), u.Object.Attendees()
}

// isFrom reports whether the message comes from a calendar user, or from who acts for them
// (RFC 5545 section 3.2.18).
//
// DEVIATION: messages-without-sender. The original believes a message that names none.
func (u *update) isFrom(who calendar.Attendee) bool {
	return slices.ContainsFunc(u.Senders, func(sender calendar.URI) bool {
		return sender != "" && (sender.Is(who.URI) || sender.Is(who.SentBy()))
	})
}

// ofOneOrganizer refuses a message that does not say who the organizer is.
//
// DEVIATION: one-organizer. The original fails on it for ever.
func (u *update) ofOneOrganizer(organizer calendar.URI) (refused bool) {
	switch {
	case organizer == "":
		u.refuse(NoOrganizer)
	case u.SeveralOrganizers:
		u.refuse(SeveralOrganizers)
	}
	return u.done
}

// fromOrganizer refuses what is not from the organizer to the user as an attendee. A delegator
// passes on what they got (RFC 5546 section 3.2.2.3).
func fromOrganizer(u *update) error {
	organizer, attendees := u.parties()
	if u.ofOneOrganizer(organizer.URI) {
		return nil
	}
	invited := slices.ContainsFunc(attendees, func(a calendar.Attendee) bool { return a.URI.Is(u.User()) })
	if forAll := u.Method == "CANCEL" && len(attendees) == 0; !invited && !forAll { // RFC 5546 section 3.2.5
		return u.refuse(NotInvited)
	}
	if u.isFrom(organizer) {
		return nil
	}
	if !organizer.URI.Is(u.User()) { // nobody invites the user to an event of their own
		u.delegators = u.whoDelegates(attendees)
	}
	if len(u.delegators) == 0 {
		return u.refuse(WrongSender)
	}
	return nil
}

// whoDelegates returns the senders of the message who have delegated the event to the user, as both
// of them are named in it.
func (u *update) whoDelegates(attendees []calendar.Attendee) (delegators []calendar.Attendee) {
	return slices.DeleteFunc(u.namedDelegators(attendees), func(a calendar.Attendee) bool { return !u.isFrom(a) })
}

// namedDelegators returns the attendees who have delegated the event to the user, as both of them are named in the
// message, whoever sends it.
func (u *update) namedDelegators(attendees []calendar.Attendee) (delegators []calendar.Attendee) {
	user := u.User()
	for _, own := range attendees {
		if !own.URI.Is(user) {
			continue
		}
		for _, a := range attendees {
			if slices.ContainsFunc(own.DelegatedFrom(), a.URI.Is) && slices.ContainsFunc(a.DelegatedTo(), user.Is) {
				delegators = append(delegators, a)
			}
		}
	}
	return delegators
}

// fromPublisher refuses free/busy that is not from the user whose it is.
func fromPublisher(u *update) error {
	organizer, _ := u.parties()
	if !u.ofOneOrganizer(organizer.URI) && !u.isFrom(organizer) {
		return u.refuse(WrongSender)
	}
	return nil
}

// fromAttendee refuses what is not from an attendee to the user as the organizer. Whoever else the
// message names does not speak in it (RFC 5546 section 3.2.3).
func fromAttendee(u *update) error {
	organizer, attendees := u.parties()
	if u.ofOneOrganizer(organizer.URI) {
		return nil
	}
	if !organizer.URI.Is(u.User()) {
		return u.refuse(NotOrganizer)
	}
	u.speakers = slices.DeleteFunc(lastOfEach(attendees), func(a calendar.Attendee) bool { return !u.isFrom(a) })
	if len(u.speakers) == 0 {
		return u.refuse(WrongSender)
	}
	return nil
}

// isToOneself reports whether the user's own records are told what the user has sent to others, by
// themself or by the web manager.
func (u *update) isToOneself() bool {
	organizer, _ := u.parties()
	if u.SeveralOrganizers || organizer.URI == "" || !organizer.URI.Is(u.User()) {
		return false
	}
	// Whoever writes a message can name themself as who acts for the user.
	// DEVIATION: oneself-by-system-only.
	return slices.ContainsFunc(u.Senders, organizer.URI.Is) || u.System != "" && organizer.SentBy().Is(u.System) && u.isFrom(organizer)
}

// publishedByUser handles what the user has sent to others, and calls off what does not take place: see isCancelled.
func publishedByUser(u *update) error {
	if isCancelled(u.Object) {
		return u.ifToOneself(cancelToOneself)
	}
	return u.ifToOneself(publishToOneself)
}

// calledOffByUser handles what the user has called off.
func calledOffByUser(u *update) error { return u.ifToOneself(cancelToOneself) }

// ifToOneself does other steps for what the user says of an event of their own. Nobody else says it.
func (u *update) ifToOneself(steps []step) error {
	organizer, _ := u.parties()
	switch {
	case u.isToOneself():
		return u.instead(steps)
	case organizer.URI.Is(u.User()) && !u.SeveralOrganizers:
		return u.refuse(WrongSender)
	}
	return nil
}

// ofRecordedOrganizer refuses what names another organizer than what is stored, unless the user lets
// them replace the organizer. If nothing is stored, anybody may organize it.
func ofRecordedOrganizer(u *update) error {
	recorded, err := u.recorded()
	if recorded == nil || err != nil {
		return err
	}
	isRecorded := func(a calendar.Attendee) bool { _, ok := Attendee(recorded, a.URI); return ok }
	organizer, _ := u.parties()
	// One resource passes on what another one had before: the calendar system says so.
	isResource := func(a calendar.Attendee) bool {
		return u.side == Decided && u.System != "" && a.SentBy().Is(u.System) && slices.ContainsFunc(u.Senders, u.System.Is)
	}
	isKnown := func(a calendar.Attendee) bool { return isRecorded(a) || isResource(a) }
	if !u.isFrom(organizer) && !slices.ContainsFunc(u.delegators, isKnown) {
		return u.refuse(WrongSender) // DEVIATION: delegators-are-invited. A stranger names themself as a delegator.
	}
	if was, known := recorded.Organizer(); known && was.Is(organizer.URI) {
		return nil
	}
	switch u.Preferences.Replacement {
	case preferences.AnybodyReplaces:
		return nil
	case preferences.AttendeeReplaces:
		if isRecorded(organizer) {
			return nil
		}
	}
	return u.refuse(OrganizerDiffers)
}

// ofUser refuses an answer to what another organizer than the user is recorded for. An answer makes
// nobody an organizer.
//
// DEVIATION: answers-replace-nobody. The original goes by the preference for organizers.
func ofUser(u *update) error {
	recorded, err := u.recorded()
	if recorded == nil || err != nil {
		return err
	}
	if was, known := recorded.Organizer(); !known || !was.Is(u.User()) {
		return u.refuse(OrganizerDiffers)
	}
	return nil
}

// recorded returns the stored object that says who organizes the event: its own, else that of the
// whole event, else what has called either off, else any of the event's occurrences. It is nil if
// nothing of the event is stored.
//
// DEVIATION: organizer-of-occurrences. The original goes by the very occurrence.
func (u *update) recorded() (*calendar.Object, error) {
	whole := stores.ID{UID: u.ID.UID}
	for _, key := range []stores.Key{
		{Part: stores.Active, ID: u.ID}, {Part: stores.Active, ID: whole},
		{Part: stores.Cancelled, ID: u.ID}, {Part: stores.Cancelled, ID: whole},
	} {
		if object, err := readObject(u.Tx, key); object != nil || err != nil {
			return object, u.skipUnstorableUID(err)
		}
	}
	apart, err := Apart(u.Tx, u.ID.UID)
	if err != nil {
		return nil, u.skipUnstorableUID(err)
	}
	for _, a := range apart {
		key := stores.Key{Part: stores.Active, ID: stores.ID{UID: u.ID.UID, RecurrenceID: a.ID}}
		if a.Cancelled {
			key.Part = stores.Cancelled
		}
		if object, err := readObject(u.Tx, key); object != nil || err != nil {
			return object, err
		}
	}
	return nil, nil
}

// skipUnstorableUID passes over that nothing can be stored under the UID of free/busy: nothing is.
func (u *update) skipUnstorableUID(err error) error {
	var unstorable *stores.UnstorableError
	if u.FreeBusy != nil && errors.As(err, &unstorable) {
		return nil
	}
	return err
}
