package itip

import (
	"fmt"
	"strings"

	"imip-agent/stores"
)

// Outcome says what became of a change: what was done, or why nothing was.
type Outcome struct {
	Refused  Reason // [Applied] if it was not refused; then there are no effects
	Effects  []Effect
	Damaged  []Damaged // for the caller to put aside, before what was done is committed
	Warnings []Warning
	Answers  []Answer // what is to be sent to others once what was done is committed
	News     News     // what a message that was received brings, refused or not
}

// String says what was done, or why nothing was, in the words of the log.
func (o Outcome) String() string {
	switch {
	case o.Refused != Applied:
		return "none, " + o.Refused.String()
	case len(o.Effects) == 0:
		return "none"
	}
	texts := make([]string, len(o.Effects))
	for i, e := range o.Effects {
		texts[i] = e.String()
	}
	return strings.Join(texts, ", ")
}

// Reason is why a change was refused.
type Reason int

const (
	Applied             Reason = iota // it was not
	Forwarded                         // somebody else organizes the event, and the user passes on what they got
	NotStored                         // of the event or occurrence nothing is stored
	NotStoredNorTimed                 // nothing is stored that is answered, and the answer has no times
	NoOccurrence                      // the event has none there, and the answer has no times
	Old                               // it is older than what is stored
	OldAgainstCancelled               // it is older than the cancellation of the event
	Repeated                          // it has been handled before
	CalledOffAlready                  // nobody is left in the occurrence who could be called off
	NoCounter                         // there is no such counter-proposal
	NoOrganizer                       // nobody organizes the event
	SeveralOrganizers                 // it is not said who of several organizes the event
	NotOrganizer                      // the answer is to somebody else
	NotInvited                        // the user is none of the attendees
	WrongSender                       // it does not come from who may say it
	OrganizerDiffers                  // somebody else organizes what is stored, and the user lets nobody replace them
	Uninvited                         // who answers is not invited
	NotWanted                         // the user wants no such message to be handled
	NotAnswered                       // there would have to be an answer, which nobody may get
	UnknownMethod                     // free/busy has no such method
	NotForResources                   // the user is a resource, which has no use for it
	NotParticipating                  // the user wants none of it
	NoUser                            // nobody can tell whose records are to be changed
)

func (r Reason) String() string {
	switch r {
	case Forwarded:
		return "it is forwarded: somebody else organizes the event"
	case NotStored:
		return "the event is not stored"
	case NotStoredNorTimed:
		return "the event is not stored and the answer has no times"
	case NoOccurrence:
		return "the event has no such occurrence and the answer has no times"
	case Old:
		return "it is older than the stored event"
	case OldAgainstCancelled:
		return "it is older than the cancellation of the event"
	case Repeated:
		return "it has been handled before"
	case CalledOffAlready:
		return "the occurrence is cancelled already"
	case NoCounter:
		return "there is no such counter-proposal"
	case NoOrganizer:
		return "it names no organizer"
	case SeveralOrganizers:
		return "it names several organizers"
	case NotOrganizer:
		return "it is an answer to another organizer"
	case NotInvited:
		return "the user is not among its attendees"
	case WrongSender:
		return "its sender is not the attendee or organizer in it"
	case OrganizerDiffers:
		return "it names another organizer than the stored event"
	case Uninvited:
		return "its sender is not invited to the event"
	case NotWanted:
		return "the user's preferences ignore it"
	case NotAnswered:
		return "a program or a mailing list sent it, and gets no answer"
	case UnknownMethod:
		return "the method does not apply to free/busy"
	case NotForResources:
		return "a resource has no use for it"
	case NotParticipating:
		return "the user does not participate"
	case NoUser:
		return "it is unknown whose message this is"
	}
	return "it is applied"
}

// Effect is something that was done.
type Effect struct {
	Kind       EffectKind
	Table      stores.TableKind // with those of records
	Added      int              // records
	Removed    int              // records, or counter-proposals
	Recurrence string           // a recurrence id, with those of recurrences
	Decision   Decision         // with DecidedOn
}

// EffectKind says what was done.
type EffectKind int

const (
	StoredObject       EffectKind = iota // the event or occurrence, as active
	StoredCancellation                   // the same, as cancelled
	DroppedRecurrence                    // Recurrence is not stored apart any more
	CancelledLater                       // Recurrence is cancelled with an earlier one that stands for it
	Recorded                             // Added records in Table, in place of Removed
	Unrecorded                           // Removed records from Table
	UnrecordedInEvent                    // Removed records of the whole event, which an occurrence stands for
	RecordedLater                        // Added records of an occurrence that stands for later ones, in place of Removed
	UnrecordedLater                      // the records of an occurrence that is cancelled with an earlier one
	Dequeued                             // the event does not wait for the user's answer any more
	DroppedCounters                      // Removed counter-proposals
	Published                            // the user's free/busy is written for others to read
	UnknownEvent                         // nothing of the event is stored
	Queued                               // the event waits for the user's answer
	StoredCounter                        // a counter-proposal to the event
	Answering                            // Added answers are to be sent to others
	DecidedOn                            // the rules of a resource have made that Decision
)

func (e Effect) String() string {
	table := tableNames[e.Table]
	switch e.Kind {
	case StoredObject:
		return "stored object"
	case StoredCancellation:
		return "stored cancellation"
	case DroppedRecurrence:
		return "deleted recurrence " + e.Recurrence
	case CancelledLater:
		return "later occurrence " + e.Recurrence + " cancelled"
	case Recorded:
		return fmt.Sprintf("%s +%d -%d", table, e.Added, e.Removed)
	case Unrecorded:
		return fmt.Sprintf("%s -%d", table, e.Removed)
	case UnrecordedInEvent:
		return fmt.Sprintf("%s of the occurrence -%d", table, e.Removed)
	case RecordedLater:
		return fmt.Sprintf("%s of later occurrences +%d -%d", table, e.Added, e.Removed)
	case UnrecordedLater:
		return table + " of a later occurrence removed"
	case Dequeued:
		return "request answered"
	case DroppedCounters:
		return fmt.Sprintf("counter-proposals -%d", e.Removed)
	case Published:
		return "published"
	case Queued:
		return "request queued"
	case StoredCounter:
		return "stored counter-proposal"
	case Answering:
		return fmt.Sprintf("answers +%d", e.Added)
	case DecidedOn:
		return e.Decision.String()
	default: // UnknownEvent
		return NotStored.String()
	}
}

var tableNames = [...]string{stores.Own: "free/busy", stores.Offers: "offers", stores.Other: "free/busy of others"}

// Damaged is a stored object that cannot be read, and counts as absent.
type Damaged struct {
	ID   stores.ID // of an active object
	Text []byte
	Err  error // why
}

// Warning is something unusual about a change, or about what is stored. It is no failure.
type Warning struct {
	Text       string
	Recurrence string // the recurrence id that it is about, if any
	Reason     error  // why, if there is more to say
	Limit      int    // the limit that it is about, if any
}

// Attributes returns what a warning says beside its text, as package slog takes it.
func (w Warning) Attributes() (list []any) {
	if w.Recurrence != "" {
		list = append(list, "recurrence", w.Recurrence)
	}
	if w.Reason != nil {
		list = append(list, "reason", w.Reason)
	}
	if w.Limit != 0 {
		list = append(list, "limit", w.Limit)
	}
	return list
}
