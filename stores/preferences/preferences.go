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

// Preferences are one user's settings, as far as the handling of messages needs
// them.
type Preferences struct {
	TZID       string         // the zone's IANA name, as the user or the system has it
	Zone       *time.Location // the zone of dates and of times without one; never nil
	WindowSize int            // days for which occurrences are worked out, at least 1

	Participating string // "no": the user takes no part in the calendar system
	Sharing       string // "share": others may know the user's free/busy
	Publishing    string // "publish": free/busy is published, if it is shared

	Offers time.Duration // how long offered periods are kept; zero: not recorded

	Warnings []string // values that cannot be used, and what is taken instead
}

// Source finds a user's preferences.
type Source interface {
	// Load returns the user's preferences. Its error matches
	// *stores.UnstorableError if there can be no such user, and is otherwise
	// temporary.
	Load(user calendar.URI) (Preferences, error)
}

// Defaults are the site's settings for what users have not set, as text.
type Defaults struct {
	Participating string // PARTICIPATING_DEFAULT
	Sharing       string // SHARING_DEFAULT
	Publishing    string // PUBLISHING_DEFAULT
	Offers        string // FREEBUSY_OFFER_DEFAULT; empty: none
}

// DefaultWindowSize is the number of days for which occurrences are worked out
// when the user has not said.
const DefaultWindowSize = 100

// Participates reports whether the user takes part in the calendar system.
// Only "no" says that they do not.
func (p Preferences) Participates() bool { return p.Participating != "no" }

// Publishes reports whether the user's free/busy is to be published.
func (p Preferences) Publishes() bool {
	return p.Sharing == "share" && p.Publishing == "publish"
}

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
