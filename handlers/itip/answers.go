package itip

import (
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
)

// Answer is a message that the user's calendar owes to another user. The mail around it is
// the caller's.
type Answer struct {
	Kind  AnswerKind
	To    calendar.URI        // neither the user nor the calendar system
	As    Role                // on whose behalf: the user is that of the event
	Parts []calendar.Document // each with its METHOD and one object; there is at least one
	Why   Why                 // the reason that a resource gives
}

// AnswerKind says what an answer is, for its Subject.
type AnswerKind int

const (
	AsksForEvent   AnswerKind = iota // REFRESH: the user asks for the event to be sent again
	UpdatesEvent                     // REQUEST, unasked: an occurrence has become one of its own
	RefreshesEvent                   // REQUEST and CANCEL: what was asked for
	TellsFreeBusy                    // REPLY with VFREEBUSY: what was asked for

	AnswersInvitation // REPLY: what a resource has decided
	ProposesChange    // COUNTER: other times, by a resource
	PassesOn          // REQUEST: another resource is invited in the place of this one
)

// Role is what a user is in an event.
type Role int

const (
	AsOrganizer Role = iota
	AsAttendee
)

// answer notes what is to be sent to somebody. Nobody sends anything to themself.
//
// DEVIATION: answers-to-oneself. The original sends the user what their own calendar says.
func (u *update) answer(kind AnswerKind, to calendar.URI, as Role, parts ...calendar.Document) {
	if to.Is(u.User()) || to.Is(u.System) || u.Automatic || len(parts) == 0 {
		return
	}
	u.outcome.Answers = append(u.outcome.Answers, Answer{Kind: kind, To: to, As: as, Parts: parts})
}

// sentBy returns who acts for the user in what the calendar system sends: itself, "" if the user is
// that.
func (u *update) sentBy() calendar.URI { return actsFor(u.User(), u.System) }

func actsFor(user, system calendar.URI) calendar.URI {
	if user.Is(system) {
		return ""
	}
	return system
}

// asOrganizer returns an object as the user sends it as its organizer.
func (u *update) asOrganizer(method string, object *calendar.Object) calendar.Document {
	object = object.Clone()
	object.SetParam("SENT-BY", string(u.sentBy()), "ORGANIZER")
	return calendar.Document{Method: method, Objects: []*calendar.Object{object}}
}

// askForEvent asks the organizer for the whole event (REFRESH, RFC 5546 section 3.2.6) in answer to
// an ADD, if the user has it so, or has nothing that could be added to.
func askForEvent(u *update) error {
	if u.parent != nil && u.wantsAdditions() {
		return nil
	}
	if u.Automatic {
		return u.refuse(NotAnswered)
	}
	refresh := u.Object.Only("UID", "ORGANIZER")
	refresh.Set("DTSTAMP", stamp(u.Now))
	own, _ := Attendee(u.Object, u.User())
	refresh.SetAttendees([]calendar.Attendee{own}) // as the organizer has the user
	refresh.SetParam("SENT-BY", string(u.sentBy()), "ATTENDEE")
	organizer, _ := u.Object.Organizer()
	u.answer(AsksForEvent, organizer, AsAttendee, calendar.Document{Method: "REFRESH", Objects: []*calendar.Object{refresh}})
	u.silent, u.done = true, true
	return nil
}

// ownAddress returns the user as the message names them among its attendees.
func (u *update) ownAddress() calendar.URI {
	_, attendees := u.parties()
	for _, a := range attendees {
		if a.URI.Is(u.User()) {
			return a.URI
		}
	}
	return u.User()
}

func stamp(t time.Time) string { return string(calendar.AppendUTC(nil, t)) }

// findAskedFor finds what a REFRESH asks for (RFC 5546 section 3.2.6), active or called off. An
// occurrence that is not stored apart is its event's.
//
// DEVIATION: refresh-of-what-is-gone. The original fails on what is called off.
func findAskedFor(u *update) (err error) {
	for u.asked = u.ID; ; u.asked.RecurrenceID = "" {
		if u.answered, err = u.active(u.asked); u.answered == nil && err == nil {
			u.answered, err = u.calledOff(u.asked)
			u.isOff = true
		} else {
			u.isOff = false
		}
		switch {
		case u.answered != nil || err != nil:
			return err
		case u.asked.RecurrenceID == "":
			return u.refuse(NotStored)
		}
	}
}

// answerRefresh sends those who ask what is stored of the event, if the user lets it be sent, and they
// attend it.
//
// DEVIATION: refresh-by-all-attendees. The original answers those who have accepted.
func answerRefresh(u *update) error {
	if !u.Preferences.Refreshing || u.Automatic {
		return nil
	}
	for _, speaker := range u.speakers {
		parts, err := u.eventFor(speaker.URI)
		if err != nil {
			return err
		}
		u.answer(RefreshesEvent, speaker.URI, AsOrganizer, parts...)
	}
	u.silent = len(u.outcome.Answers) > 0
	return nil
}

// eventFor returns what is stored of the event for one of its attendees: itself, and of a whole
// event its occurrences. Nobody else gets anything of it.
func (u *update) eventFor(attendee calendar.URI) (parts []calendar.Document, err error) {
	add := func(method string, object *calendar.Object) {
		if object == nil {
			return
		}
		if _, ok := Attendee(object, attendee); ok {
			parts = append(parts, u.asOrganizer(method, object))
		}
	}
	if u.isOff {
		add("CANCEL", u.answered)
		return parts, nil
	}
	add("REQUEST", u.answered)
	if u.asked.RecurrenceID != "" {
		return parts, nil
	}
	apart, err := Apart(u.Tx, u.ID.UID)
	if err != nil {
		return nil, err
	}
	for _, a := range apart {
		id, method, read := stores.ID{UID: u.ID.UID, RecurrenceID: a.ID}, "REQUEST", u.active
		if a.Cancelled {
			method, read = "CANCEL", u.calledOff
		}
		object, err := read(id)
		if err != nil {
			return nil, err
		}
		add(method, object)
	}
	return parts, nil
}
