package calendar

import "github.com/emersion/go-ical"

// Object is one VEVENT (RFC 5545 section 3.6.1), as a message brought it or as
// a store keeps it.
type Object struct {
	component *ical.Component
}
