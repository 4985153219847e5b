package itip

import (
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
)

// What a resource receives: a room or a thing, which nobody sits behind. Its rules decide on
// invitations at once, and the organizer gets the answer.

// Rules decide for a resource, inside the critical section for its records. What they keep
// elsewhere, as bookings under a quota, they change in Confirm and Retract, once the resource's own records are
// changed.
type Rules interface {
	Decide(Invited) (Verdict, error)
	// Confirm is told that the invitation is accepted and recorded.
	Confirm(Invited) error
	// Retract is told that the resource does not take part in the event or occurrence, whether or not it did before.
	Retract(Invited) error
	// Uphold is told that what the resource has accepted of the event before stands: its own records do not change.
	Uphold(Invited, []Accepted) error
	// Pass is told that the invitation is passed on to another resource, which decides on it when it arrives there.
	Pass(Invited, calendar.URI) error
}

// Accepted is an event or occurrence that a resource has accepted, as it is stored.
type Accepted struct {
	ID     stores.ID
	Object *calendar.Object
}

// Verdict is what the rules of a resource make of an invitation.
type Verdict struct {
	Decision Decision
	Why      Why
	Object   *calendar.Object // with Counter: what is proposed
	Delegate calendar.URI     // with Delegate: who is invited instead
}

// Decision is the answer to an invitation.
type Decision int

const (
	Accept   Decision = iota
	Decline           // also to what was accepted before, which is given up then
	Counter           // other times are proposed
	Delegate          // another resource is invited instead
)

// String returns the decision in the words of the log.
func (d Decision) String() string {
	return [...]string{Accept: "accepted", Decline: "declined", Counter: "other times proposed", Delegate: "delegated"}[d]
}

// Why is the reason for a decision, for the organizer.
type Why int

const (
	NoReason     Why = iota // none that is the organizer's business
	Scheduled               // the resource takes part
	NoAccess                // those who take part may not use it
	Unavailable             // it is not free
	OtherPeriod             // it is free at the times that are proposed
	Delegated               // another one takes its place
	NoAllocation            // the organizer may not use any of it
	Exceeded                // the organizer has used up what they may use
)

// Invited is an invitation that a resource decides on, with its records.
type Invited struct {
	*Records
	ID stores.ID
	// Object is the event or occurrence as the message has it; in Confirm as it is stored.
	Object *calendar.Object
	// At is the instant of the event's occurrence that an occurrence stands for, in UTC; zero for a whole event,
	// and where it is not known.
	At time.Time
	// Delegators are the attendees who have delegated the event to the resource.
	Delegators []calendar.Attendee
	// CalledOff is set in Retract if the organizer has called the event or occurrence off.
	CalledOff bool

	update *update
}

// Times returns when an object takes place, in the place of the invitation's own, within the window: all that would
// be recorded of it.
func (i Invited) Times(object *calendar.Object) (Times, error) {
	s, err := i.series(object)
	if err != nil {
		return Times{}, err
	}
	return i.update.times(s), nil
}

// series returns the series that an object is in the place of the invitation's own. Of a whole event it has none of the
// occurrences that go when the event is stored.
func (i Invited) series(object *calendar.Object) (*Series, error) {
	if i.ID.RecurrenceID != "" {
		return i.update.series(object)
	}
	apart, err := i.update.left()
	if err != nil {
		return nil, err
	}
	return ReadSeries(i.Tx, i.ID, object, apart)
}

// Replaces reports whether a record goes when the invitation is recorded: those of the same event or occurrence, of
// an event also those of its occurrences, and of an occurrence those of its event that it stands for.
//
// DEVIATION: occurrences-over-themselves. For the original those of the event stay.
func (i Invited) Replaces(p freebusy.Period) bool {
	switch {
	case p.UID != freebusy.Clean(i.ID.UID):
		return false
	case p.RecurrenceID == i.ID.RecurrenceID || i.ID.RecurrenceID == "":
		return true
	case p.RecurrenceID != "" || i.At.IsZero():
		return false
	}
	return p.Start.Equal(i.At) || i.Object.Future() && p.Start.After(i.At)
}

// invitation returns the invitation that the change is.
func (u *update) invitation() (Invited, error) {
	i := Invited{Records: u.Records, ID: u.ID, Object: u.Object, update: u}
	_, attendees := u.parties()
	i.Delegators = u.namedDelegators(attendees)
	if u.ID.RecurrenceID == "" {
		return i, nil
	}
	event, err := u.event()
	if err != nil {
		return i, err
	}
	series := &calendar.Series{Event: event}
	if i.At, err = series.At(calendar.Apart{ID: u.ID.RecurrenceID, Object: u.Object}, u.Preferences.Zone); err != nil {
		i.At = time.Time{} // replace warns of it
	}
	return i, nil
}

// left returns what is still stored apart of a whole event when the message is: cancellations that have overtaken it.
func (u *update) left() (apart []calendar.Apart, err error) {
	stays, err := u.staying()
	if err != nil {
		return nil, err
	}
	ids, err := u.Recurrences(stores.Cancelled, u.ID.UID)
	for _, id := range ids {
		if err != nil {
			break
		}
		var stay bool
		if stay, err = stays(id); stay {
			apart = append(apart, calendar.Apart{ID: id, Cancelled: true})
		}
	}
	return apart, err
}

// ofNoUse refuses what a resource has no use for.
func ofNoUse(u *update) error { return u.refuse(NotForResources) }

// ifAnswerable refuses what nobody may get an answer to.
func ifAnswerable(u *update) error {
	if u.Automatic {
		return u.refuse(NotAnswered)
	}
	return nil
}

// decide has the rules decide on the invitation, and does what follows from that.
//
// DEVIATION: additions-to-resources. The original decides on no occurrence that is added.
func decide(u *update) error {
	invitation, err := u.invitation()
	if err != nil {
		return err
	}
	if u.verdict, err = u.Rules.Decide(invitation); err != nil {
		return err
	}
	u.invited = invitation
	if u.verdict.Decision == Counter {
		u.Object = u.verdict.Object.Clone()
	}
	u.did(Effect{Kind: DecidedOn, Decision: u.verdict.Decision})
	return u.instead(decisions[u.verdict.Decision])
}

// accept has the object say that the resource takes part.
func accept(u *update) error { return u.sayPartStat("ACCEPTED") }

// decline has the object say that the resource does not take part.
func decline(u *update) error { return u.sayPartStat("DECLINED") }

// sayPartStat gives the user's attendee in the object a participation status, and says who acts for them. Nobody
// asks them for an answer any more.
//
// DEVIATION: attendees-without-parameters. The original fails on them for ever.
func (u *update) sayPartStat(status string) error {
	attendees := u.Object.Attendees()
	for i, a := range attendees {
		if a.URI.Is(u.User()) {
			attendees[i] = a.With("PARTSTAT", status).With("RSVP", "").With("SENT-BY", string(u.sentBy()))
		}
	}
	u.Object.SetAttendees(attendees)
	return nil
}

// recordDecided records that the resource is busy.
func recordDecided(u *update) error { return u.recordOwn(u.Object, AttendingTransp(u.Object)) }

// forgetDecided removes the event from the resource's own free/busy: it is free for others.
//
// DEVIATION: declined-occurrences-of-resources. The original leaves the records of occurrences that it deletes.
func forgetDecided(u *update) error { return u.forgetOwn() }

// dropOffers removes the event from the periods that are offered: it is decided on.
func dropOffers(u *update) error { return u.dropOffers() }

// offerDecided records that the times that are proposed are kept for the event for a while.
func offerDecided(u *update) error {
	lifetime, ok := u.Preferences.OfferLifetime()
	if !ok {
		return nil
	}
	which := stores.Table{Kind: stores.Offers}
	table, err := u.Periods(which)
	if err != nil {
		return err
	}
	series, err := u.invited.series(u.Object)
	if err != nil {
		return err
	}
	u.recordSeries(which, table, series, AttendingTransp(u.Object), lifetime(u.Now))
	if u.ID.RecurrenceID == "" { // and what was proposed for its occurrences goes
		table.RemoveRecurrences(u.ID.UID, func(string) bool { return false })
		return nil
	}
	return u.supersede(which, table)
}

// confirm informs the rules that the invitation is accepted.
func confirm(u *update) error {
	u.invited.Object = u.Object
	return u.Rules.Confirm(u.invited)
}

// retract informs the rules that the resource does not take part.
func retract(u *update) (err error) {
	if u.invited.update == nil { // nothing was decided: it is called off
		if u.invited, err = u.invitation(); err != nil {
			return err
		}
		u.invited.CalledOff = true
	}
	return u.Rules.Retract(u.invited)
}

// uphold informs the rules that what is accepted of the event stands, or, if nothing is, that the resource does not
// take part.
func uphold(u *update) error {
	return u.ifAccepted(func(accepted []Accepted) error { return u.Rules.Uphold(u.invited, accepted) })
}

// handOver gives up what the resource has accepted of the event before, since another resource has the version that is passed on.
// If it has accepted nothing, nothing is stored (RFC 5546 section 3.2.2.3).
//
// DEVIATION: bookings-that-are-passed-on. The original leaves the former booking.
func handOver(u *update) error {
	return u.ifAccepted(func([]Accepted) error {
		attendees := u.Object.Attendees()
		for i, a := range attendees {
			if a.URI.Is(u.User()) {
				attendees[i] = a.With("DELEGATED-TO", string(u.verdict.Delegate))
			}
		}
		u.Object.SetAttendees(attendees)
		return u.do(handedOver)
	})
}

// ifAccepted calls do with what the resource has accepted of the event. If that is nothing, the rules are informed that it
// does not take part.
func (u *update) ifAccepted(do func([]Accepted) error) error {
	accepted, err := u.accepted()
	switch {
	case err != nil:
		return err
	case len(accepted) == 0:
		return retract(u)
	}
	return do(accepted)
}

// accepted returns what is stored of the event that the resource has accepted.
func (u *update) accepted() (accepted []Accepted, err error) {
	ids := []stores.ID{{UID: u.ID.UID}}
	apart, err := u.Recurrences(stores.Active, u.ID.UID)
	if err != nil {
		return nil, err
	}
	for _, id := range apart {
		ids = append(ids, stores.ID{UID: u.ID.UID, RecurrenceID: id})
	}
	for _, id := range ids {
		object, err := u.active(id)
		if err != nil {
			return nil, err
		}
		if object == nil {
			continue
		}
		if own, ok := Attendee(object, u.User()); ok && own.PartStat() == "ACCEPTED" {
			accepted = append(accepted, Accepted{id, object})
		}
	}
	return accepted, nil
}

// answerOrganizer sends the organizer what is decided, and those who have delegated the event to the resource.
func answerOrganizer(u *update) error {
	method, kind := "REPLY", AnswersInvitation
	if u.verdict.Decision == Counter {
		method, kind = "COUNTER", ProposesChange
		u.saySentBy()
	}
	u.answerInvitation(kind, u.decided(method, append([]calendar.Attendee{u.ownAttendee()}, u.invited.Delegators...)))
	return nil
}

// saySentBy says in the object who acts for the user, and leaves the rest of what it says of them.
func (u *update) saySentBy() {
	attendees := u.Object.Attendees()
	for i, a := range attendees {
		if a.URI.Is(u.User()) {
			attendees[i] = a.With("SENT-BY", string(u.sentBy()))
		}
	}
	u.Object.SetAttendees(attendees)
}

// delegate invites another resource in the place of this one, and informs the organizer (RFC 5546 section
// 3.2.2.3).
func delegate(u *update) error {
	to := u.verdict.Delegate
	if err := u.Rules.Pass(u.invited, to); err != nil {
		return err
	}
	if err := u.sayPartStat("DELEGATED"); err != nil {
		return err
	}
	attendees := []calendar.Attendee{
		u.ownAttendee().With("DELEGATED-TO", string(to)),
		calendar.NewAttendee(to, "").With("DELEGATED-FROM", string(u.ownAddress())),
	}
	u.answerInvitation(AnswersInvitation, u.decided("REPLY", append(attendees, u.invited.Delegators...)))
	u.answer(PassesOn, to, AsAttendee, u.decided("REQUEST", attendees))
	return nil
}

// answerInvitation sends an answer to the organizer, and to those who have delegated the event to the resource.
func (u *update) answerInvitation(kind AnswerKind, document calendar.Document) {
	organizer, _ := u.Object.Organizer()
	to := []calendar.URI{organizer}
	for _, a := range u.invited.Delegators {
		to = append(to, a.URI)
	}
	for _, uri := range to {
		before := len(u.outcome.Answers)
		u.answer(kind, uri, AsAttendee, document)
		for i := before; i < len(u.outcome.Answers); i++ {
			u.outcome.Answers[i].Why = u.verdict.Why
		}
	}
}

// ownAttendee returns what the object says of the user. There is such an attendee.
func (u *update) ownAttendee() calendar.Attendee {
	own, _ := Attendee(u.Object, u.User())
	return own
}

// decided returns the object as it is sent, with these attendees alone. It says when it was made, and never that it
// is older than what it answers.
func (u *update) decided(method string, attendees []calendar.Attendee) calendar.Document {
	object := u.Object.Clone()
	object.SetAttendees(attendees)
	if was, _ := object.Stamp(); was < stamp(u.Now) {
		object.Set("DTSTAMP", stamp(u.Now))
	}
	return calendar.Document{Method: method, Objects: []*calendar.Object{object}}
}
