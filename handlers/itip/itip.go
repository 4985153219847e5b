// Package itip says what scheduling (iTIP, RFC 5546) does to one user's records: what an event
// means for the user, and what a message about it changes.
//
// It gets a [Change] and the user's [Records] inside a critical section, and answers with an
// [Outcome]. It knows no mail, path, lock, clock or logger. From which side a change comes is a
// value: see [Side]. What each method does, by side, stands in one table: effects.
//
// Tools work out again from what is stored what was recorded, by the same rules: who takes part
// in an event ([TakesPart]), how busy that makes them ([Expect]), and when ([ReadSeries]).
package itip

import (
	"errors"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
	"imip-agent/stores/preferences"
)

// Records are one user's records inside one critical section, with what is known of the user.
// Several changes can be applied to them. [Records.Finish] comes last.
type Records struct {
	stores.Tx
	Preferences preferences.Preferences
	Now         time.Time    // UTC
	PeriodLimit int          // free/busy records of one event
	System      calendar.URI // the calendar system's own address, which is nobody's
	Rules       Rules        // of a resource; nil: there are none, as of a person

	publishes bool // the user's free/busy is to be published
	others    others
	futures   futures
}

// Change is what a message says of one event or occurrence, or of free/busy.
type Change struct {
	Method   string             // RFC 5546 section 1.4
	Object   *calendar.Object   // the message's; it is not changed; nil: there is FreeBusy
	FreeBusy *calendar.FreeBusy // the message's VFREEBUSY, which others alone send
	ID       stores.ID          // the object's
	Senders  []calendar.URI     // who the message claims to come from; empty: unknown

	// SeveralOrganizers says that the message names other organizers beside the object's.
	SeveralOrganizers bool
	// Automatic says that nobody may get an answer to the message: a program or a mailing
	// list sent it.
	Automatic bool
}

// Side says from which side of the records a change comes.
type Side int

const (
	Sent Side = iota // a message that the user sends
	// Imported is the user's own calendar, which is taken in: what it has of events that others
	// organize is the user's to say as well, and what does not take place is called off by a
	// message of its own.
	Imported
	// Received is a message that others send to the user, or that the web manager sends to the
	// user themself. It counts only if it comes from who may say what it says.
	Received
	// Decided is a message that others send to a resource, whose [Rules] decide on it.
	Decided
)

// step is a part of what a change does. An error leaves everything undone.
type step func(*update) error

// effects is what a change does, by its side and its method (RFC 5546 section 1.4): these steps,
// one after the other, until one of them refuses the change or has done all there is to be done.
var effects = [...]map[string][]step{
	Sent: {
		"ADD":            {makeOccurrence, passOn, callOffCancelled, readParent, read, ifNewerThanParent, ifNewer, keep, reactivate, recordAsOrganizer},
		"CANCEL":         callOff,
		"COUNTER":        {read, ifNewerAnswer, readAnswered, completeAnswer, merge, dequeueAnswered, dropCounters, offer, noteUnknown},
		"DECLINECOUNTER": {read, ifNewer, dropNamedCounters},
		"PUBLISH":        {passOn, callOffCancelled, read, ifNewer, keep, dropOccurrences, reactivate, dequeue, dropCounters, recordAsOrganizer},
		"REFRESH":        {}, // the user asks for the event to be sent again: section 3.2.6
		"REPLY":          reply,
		"REQUEST":        {passOn, callOffCancelled, read, ifNewer, keep, dropOccurrences, reactivate, dequeue, dropCounters, recordAsOrganizer},
	},
	Imported: {
		"CANCEL":  callOff,
		"PUBLISH": {read, ifNewer, keep, dropOccurrences, reactivate, dequeue, dropCounters, recordAsOrganizer},
		"REPLY":   reply,
	},
	// Nobody changes anything here who may not: each row begins with the checks.
	Received: {
		"ADD":            {fromOrganizer, makeOccurrence, read, ofRecordedOrganizer, calledOffInstead, ifAdditionsWanted, findParent, ifNewerThanParent, askForEvent, ifNewer, ifOtherRevision, keep, reactivate, recordOrganizer, enqueue},
		"CANCEL":         {calledOffByUser, fromOrganizer, read, ofRecordedOrganizer, callItOff},
		"COUNTER":        {fromAttendee, read, ofUser, ifStored, ifNewerAnswer, ifInvited, ofProposer, alignAnswer, merge, keepCounter, enqueueCounter},
		"DECLINECOUNTER": {fromOrganizer, read, ofRecordedOrganizer, ifNewer, dropOffer},
		"PUBLISH":        {publishedByUser, fromOrganizer, read, ofRecordedOrganizer, calledOffInstead, ifNewer, ifOtherRevision, keep, dropOccurrences, dequeueOccurrences, reactivate, recordOrganizer},
		"REFRESH":        {fromAttendee, read, ofUser, findAskedFor, answerRefresh},
		"REPLY":          {fromAttendee, read, ofUser, ifStored, ifInvited, answeredOccurrence, ifNewer, alignAnswer, merge, recordAnswerers},
		"REQUEST":        {fromOrganizer, read, ofRecordedOrganizer, calledOffInstead, ifNewer, ifOtherRevision, keep, dropOccurrences, dequeueOccurrences, reactivate, enqueue, recordOrganizer},
	},
	// Nor here. What follows from a decision is in the table of that name.
	Decided: {
		"ADD":            {fromOrganizer, makeOccurrence, read, ofRecordedOrganizer, calledOffInstead, ifAdditionsWanted, findParent, ifNewerThanParent, askForEvent, ifNewer, ifOtherRevision, ifAnswerable, decide},
		"CANCEL":         {fromOrganizer, read, ofRecordedOrganizer, callItOff},
		"COUNTER":        {ofNoUse},
		"DECLINECOUNTER": {fromOrganizer, read, ofRecordedOrganizer, ifNewer, dropOffer},
		"PUBLISH":        {ofNoUse},
		"REFRESH":        {ofNoUse},
		"REPLY":          {ofNoUse},
		"REQUEST":        {fromOrganizer, read, ofRecordedOrganizer, calledOffInstead, ifNewer, ifOtherRevision, ifAnswerable, decide},
	},
}

// decisions is what a resource's decision on an invitation does.
var decisions = [...][]step{
	Accept:   {accept, keep, dropOccurrences, reactivate, recordDecided, dropOffers, confirm, answerOrganizer},
	Decline:  {decline, keep, dropOccurrences, reactivate, forgetDecided, dropOffers, retract, answerOrganizer},
	Counter:  {offerDecided, uphold, answerOrganizer},
	Delegate: {delegate, dropOffers, handOver},
}

// freeBusyEffects is what free/busy that others send does, by the side and its method (RFC 5546 section 3.3).
var freeBusyEffects = [...]map[string][]step{
	Received: {
		"PUBLISH": {fromPublisher, ofRecordedOrganizer, recordSpan},
		"REPLY":   {fromAttendee, ofUser, recordSpan},
		"REQUEST": {fromOrganizer, ofRecordedOrganizer, ifShared, tellFreeBusy},
	},
	Decided: {
		"PUBLISH": {fromPublisher, ofRecordedOrganizer, recordSpan},
		"REPLY":   {ofNoUse},
		"REQUEST": {fromOrganizer, ofRecordedOrganizer, ifAnswerable, tellFreeBusy},
	},
}

// Steps that other steps may lead to.
var (
	callOff = []step{read, ifNotRepeated, findCalledOff, ifNewer, whoIsCalledOff, ifNotCalledOff, takeOut, forget, storeCancelled, dequeue, dropCounters}
	reply   = []step{read, ifNewerAnswer, readAnswered, completeAnswer, merge, dequeueAnswered, dropCounters, recordAsAttendee, noteUnknown}

	// What organizers call off, by CANCEL or by STATUS.
	calledOff = [...][]step{
		Received: {ifNewer, callOffEntirely, dropAllOccurrences, dequeueOccurrences, forgetCalledOff, storeCancelled, dequeue, dropCounters},
		// DEVIATION: cancelled-occurrences-of-resources
		Decided: {ifNewer, withdrawOffers, callOffEntirely, dropAllOccurrences, forgetDecided, storeCancelled, retract},
	}
	// What the web manager tells the user's own records of what it has sent to others.
	// DEVIATION: publications-to-oneself.
	// DEVIATION: cancellations-to-oneself.
	publishToOneself = []step{read, ifNewer, ifOtherRevision, keep, reactivate, recordAsOrganizer}
	cancelToOneself  = []step{read, ifNewer, callOffEntirely, dropActiveOccurrences, dequeueOccurrences, forgetCalledOffForAll, storeCancelled, dequeue, dropCounters}
	// A resource has passed on a later version of what it has accepted.
	handedOver = []step{keep, dropOccurrences, reactivate, forgetDecided, retract}
	// An attendee answers to an occurrence of the user's event that is not stored apart.
	replyToOccurrence = []step{separateOccurrence, recordAsOrganizer, updateOthers}
)

// Handles reports whether there is such a method, for changes from that side.
func Handles(side Side, method string) bool { return effects[side][method] != nil }

// NewChange returns what a message of that method says of an event, and what was repaired in the
// object. The change tells what it can also where an error says that it can never be applied.
func NewChange(method string, object *calendar.Object) (c Change, warnings []string, err error) {
	c = Change{Method: method, Object: object, ID: stores.ID{UID: object.UID()}}
	if c.ID.RecurrenceID, err = object.RecurrenceID(); err != nil {
		return c, nil, err
	}
	if c.ID.RecurrenceID != "" || method == "ADD" {
		warnings = once(object)
	}
	switch method {
	case "CANCEL", "DECLINECOUNTER", "REFRESH", "REPLY":
		// These may leave out the times (RFC 5546 sections 3.2.3, 3.2.5, 3.2.6, 3.2.8).
		// DEVIATION: reply-without-times.
		// DEVIATION: decline-without-times.
	default:
		if !object.HasStart() {
			// DEVIATION: unreadable-times. The original says nothing of it.
			return c, warnings, errors.New("it has no readable DTSTART")
		}
	}
	return c, warnings, nil
}

// NewFreeBusyChange returns what a message of that method says of free/busy.
func NewFreeBusyChange(method string, f *calendar.FreeBusy) Change {
	return Change{Method: method, FreeBusy: f, ID: stores.ID{UID: f.UID}}
}

// once takes from an occurrence what makes an event recur: some programs leave it there, and
// an occurrence is one (RFC 5545 section 3.8.4.4).
//
// DEVIATION: occurrences-with-rules. The original repeats the occurrence by them.
func once(object *calendar.Object) (warnings []string) {
	for _, name := range []string{"RRULE", "RDATE", "EXDATE", "EXRULE"} {
		if object.Has(name) {
			object.Remove(name)
			warnings = append(warnings, name+" left out: an occurrence does not recur")
		}
	}
	return warnings
}

// Apply applies a change. After an error the critical section must change nothing; the outcome
// still says what was found. The error is a [stores.UnstorableError] if the change can never be
// applied, and any other one is temporary.
func (r *Records) Apply(c Change, side Side) (Outcome, error) {
	if c.FreeBusy != nil {
		return r.applyFreeBusy(c, side)
	}
	if !Handles(side, c.Method) {
		return Outcome{}, unknownMethod(c.Method)
	}
	u := &update{Records: r, Change: c, side: side, message: c.Object}
	u.Object = c.Object.Clone()
	err := u.do(effects[side][c.Method])
	if err == nil {
		err = u.finish()
	}
	return u.outcome, err
}

func unknownMethod(method string) error {
	return &stores.UnstorableError{What: "method", Value: method, Reason: "it is unknown"}
}

// finish completes the outcome of what others have sent.
func (u *update) finish() (err error) {
	if n := len(u.outcome.Answers); n > 0 {
		u.did(Effect{Kind: Answering, Added: n})
	}
	if u.side == Received {
		u.outcome.News, err = u.news()
	}
	return err
}

// Finish writes the calendar that others may read, once for all changes that may have changed
// it, if the user wants it.
func (r *Records) Finish() error {
	if !r.publishes {
		return nil
	}
	table, err := r.Periods(stores.Table{Kind: stores.Own})
	if err != nil {
		return err
	}
	return r.Publish(freebusy.Published(string(r.User()), r.Now, table))
}

// update is a change being applied. What its steps have found out is for the later ones.
type update struct {
	*Records
	Change
	side    Side
	outcome Outcome
	done    bool // no more steps

	stored   *calendar.Object // the active object of the change's event or occurrence; nil: none that can be read
	parent   *calendar.Object // the active object of the whole event, where a step has read it
	answered *calendar.Object // for answers: the active object that is answered, of an occurrence or its event
	calling  callingOff       // for CANCEL

	// Of what was received:
	message    *calendar.Object    // its object as it came
	speakers   []calendar.Attendee // the attendees who send it, as it names them
	delegators []calendar.Attendee // who may pass it on instead of the organizer
	asked      stores.ID           // for REFRESH: what of the event is asked for
	isOff      bool                // for REFRESH: it is called off
	silent     bool                // the user need not see it

	// Of what is decided:
	invited Invited
	verdict Verdict
}

// do does steps, until one says that there are no more.
func (u *update) do(steps []step) error {
	for _, s := range steps {
		if err := s(u); err != nil {
			return err
		}
		if u.done {
			break
		}
	}
	return nil
}

// instead does other steps in place of those that are left.
func (u *update) instead(steps []step) error {
	err := u.do(steps)
	u.done = true
	return err
}

// refuse says that the change is not applied. There are no more steps.
func (u *update) refuse(reason Reason) error {
	u.outcome.Refused, u.done = reason, true
	return nil
}

// did notes what was done.
func (u *update) did(e Effect) { u.outcome.Effects = append(u.outcome.Effects, e) }

// warn notes what is unusual.
func (u *update) warn(w Warning) { u.outcome.Warnings = append(u.outcome.Warnings, w) }

// unreadable reports whether a stored object that was asked for cannot be read.
func (u *update) unreadable() bool { return len(u.outcome.Damaged) > 0 }

// isSender reports whether the message comes from the attendee, or from who
// answers for them (RFC 5545 section 3.2.18). The calendar system is no sender, and
// if no other is known, it may be anybody: the original, observed.
func (u *update) isSender(attendee calendar.Attendee) bool {
	known := false
	for _, sender := range u.Senders {
		if u.System != "" && sender.Is(u.System) {
			continue
		}
		if sender.Is(attendee.URI) || sender.Is(attendee.SentBy()) {
			return true
		}
		known = true
	}
	return !known
}
