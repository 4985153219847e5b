// Package preferences reads what users have set for themselves: one directory a
// user, named by the user's URI, and in it one file a setting with the value as
// text. What a user has not set has the site's default.
//
// A value that cannot be used never fails: it is reported as a warning and
// counts as the package says beside each setting in [Known].
package preferences

import (
	"time"

	"imip-agent/stores/calendar"
)

// Preferences are one user's settings. The zero value of each field is what counts where
// neither the user nor the site says anything, but for the zone and the window.
type Preferences struct {
	CommonName string // CN: the user's name; empty: not known
	Language   string // LANG: a language tag or a locale, as "nb" or "nb_NO"; empty: English

	TZID       string         // the zone's IANA name, as the user or the system has it
	Zone       *time.Location // the zone of dates and of times without one; never nil
	WindowSize int            // days for which occurrences are worked out, at least 1

	Absent     bool // participating is no: the user takes no part in the calendar system
	Sharing    bool // freebusy_sharing is share: others may know the user's free/busy
	Publishing bool // freebusy_publishing is publish: free/busy is published, if it is shared
	Bundling   bool // freebusy_bundling is always: free/busy goes with other messages
	Notifying  bool // freebusy_messages is notify: free/busy messages reach the mailbox
	Refreshing bool // event_refreshing is always: REFRESH is answered

	Incoming    Incoming    // how messages reach the mailbox
	AddResponse AddResponse // what is done about ADD
	Replacement Replacement // organiser_replacement: who may become the organizer of an event

	Offers time.Duration // freebusy_offers: how long offered periods are kept; zero: not recorded

	// Of resources: the times at which events may begin and end, and the texts of the
	// functions that decide, and of the access control list. Empty: none is set.
	PermittedTimes     Times
	SchedulingFunction string
	ACL                string

	Warnings []string // values that cannot be used, and what is taken instead
}

// Incoming says how a message that was handled reaches the mailbox.
type Incoming int

const (
	SummaryWrapsMessage Incoming = iota
	MessageOnly
	MessageThenSummary
	SummaryThenMessage
	SummaryOnly
)

// AddResponse says what is done about an ADD.
type AddResponse int

const (
	AskForAll AddResponse = iota // "refresh": a REFRESH is sent
	TakeOver                     // "add": the occurrence is stored
	PassOver                     // "ignore": nothing
)

// Replacement says who may become the organizer of an event that is stored.
type Replacement int

const (
	AttendeeReplaces Replacement = iota // an attendee of the stored event
	AnybodyReplaces
	NobodyReplaces
)

// Times are the times of day at which events may begin and end, each list in order;
// an empty list permits all.
type Times struct{ Hours, Minutes, Seconds []int }

// Source finds a user's preferences.
type Source interface {
	// Load returns the user's preferences. Its error matches
	// *stores.UnstorableError if there can be no such user, and is otherwise
	// temporary.
	Load(user calendar.URI) (Preferences, error)
}

// Defaults are the site's settings for what users have not set, as text. An empty one
// says nothing.
type Defaults struct {
	Language      string // LANG
	Participating string // PARTICIPATING_DEFAULT
	Incoming      string // INCOMING_DEFAULT
	Sharing       string // SHARING_DEFAULT
	Publishing    string // PUBLISHING_DEFAULT
	Bundling      string // BUNDLING_DEFAULT
	Notifying     string // NOTIFYING_DEFAULT
	Refreshing    string // REFRESHING_DEFAULT
	AddResponse   string // ADD_RESPONSE_DEFAULT
	Replacement   string // ORGANISER_REPLACEMENT_DEFAULT
	Offers        string // FREEBUSY_OFFER_DEFAULT
}

// DefaultWindowSize is the number of days for which occurrences are worked out
// when the user has not said.
const DefaultWindowSize = 100

// Participates reports whether the user takes part in the calendar system.
func (p Preferences) Participates() bool { return !p.Absent }

// Publishes reports whether the user's free/busy is to be published.
func (p Preferences) Publishes() bool { return p.Sharing && p.Publishing }

// WindowEnd returns the instant at which the window that begins now ends.
func (p Preferences) WindowEnd(now time.Time) time.Time {
	return now.UTC().AddDate(0, 0, p.WindowSize) // days in UTC: 24 hours each
}

// OfferLifetime returns the function from when an offer is made to when it
// expires, and whether offers are recorded at all.
func (p Preferences) OfferLifetime() (expires func(now time.Time) time.Time, ok bool) {
	if p.Offers <= 0 {
		return nil, false
	}
	return func(now time.Time) time.Time { return now.UTC().Add(p.Offers) }, true
}
