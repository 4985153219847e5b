package itip

import (
	"slices"

	"imip-agent/stores/calendar"
)

// The transparencies that free/busy tables have. The first two are those of RFC
// 5545 section 3.8.2.7.
const (
	Opaque      = "OPAQUE"
	Transparent = "TRANSPARENT"
	Organizing  = "ORG" // organising without attending, the original's own
)

// Attendee returns the attendee of object with that URI. If there are several, the
// last one counts: the original, observed.
func Attendee(object *calendar.Object, uri calendar.URI) (calendar.Attendee, bool) {
	for _, attendee := range slices.Backward(object.Attendees()) {
		if attendee.URI.Is(uri) {
			return attendee, true
		}
	}
	return calendar.Attendee{}, false
}

// TakesPart reports whether a user is an attendee of the object who has not
// declined or delegated, nor still to answer (RFC 5545 section 3.2.12). One
// without participation status takes part: the original, observed.
func TakesPart(object *calendar.Object, uri calendar.URI) bool {
	attendee, ok := Attendee(object, uri)
	if !ok {
		return false
	}
	switch attendee.PartStat() {
	case "DECLINED", "DELEGATED", "NEEDS-ACTION":
		return false
	}
	return true
}

// AttendingTransp returns the transparency of an event for who takes part in it.
//
// DEVIATION: transparency-values. The original records any word that an event has.
func AttendingTransp(object *calendar.Object) string { return attendingTransp(object.Transp()) }

func attendingTransp(transp string) string {
	if transp == Transparent {
		return Transparent
	}
	return Opaque // RFC 5545 section 3.8.2.7: the default
}

// OrganizingTransp returns the transparency of an event as its organizer's
// program records it for a user: themself, or another attendee.
func OrganizingTransp(object *calendar.Object, uri calendar.URI) string {
	if attendee, ok := Attendee(object, uri); !ok || attendee.PartStat() == "" {
		return Organizing
	}
	return AttendingTransp(object)
}

// described are the properties that records are made of, besides the times.
var described = []string{"ORGANIZER", "SUMMARY", "TRANSP"}
