// Package itip says what an event means for a user's free/busy: whether
// they take part in it, how busy it makes them, and when.
//
// It is what handlers record when a message comes in, and what tools work out
// again from what is stored.
package itip

import (
	"slices"
	"time"

	"imip-agent/stores"
	"imip-agent/stores/calendar"
	"imip-agent/stores/freebusy"
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

// OrganizingTransp returns the transparency of an event as its organiser's
// program records it for a user: themself, or another attendee.
func OrganizingTransp(object *calendar.Object, uri calendar.URI) string {
	if attendee, ok := Attendee(object, uri); !ok || attendee.PartStat() == "" {
		return Organizing
	}
	return AttendingTransp(object)
}

// Described are the properties that records are made of, besides the times.
var Described = []string{"ORGANIZER", "SUMMARY", "TRANSP"}

// RecordsOf returns the free/busy records of the event id, one for each period of
// object, in order of time. The error says why some may be missing, and the
// records are good nevertheless; truncated, that there are more than o allows.
func RecordsOf(object *calendar.Object, id stores.ID, transp string, expires time.Time, o calendar.PeriodOptions) ([]freebusy.Period, bool, error) {
	spans, truncated, err := object.Periods(o)
	return records(object, id, transp, expires, spans), truncated, err
}

// SeriesRecords returns the free/busy records of an event with the occurrences that are stored
// apart, as RecordsOf does: what is recorded under id, with what object says of it.
func SeriesRecords(s *calendar.Series, object *calendar.Object, id stores.ID, transp string, expires time.Time, o calendar.PeriodOptions) ([]freebusy.Period, bool, error) {
	if id.RecurrenceID != "" && !object.Future() {
		return RecordsOf(object, id, transp, expires, o)
	}
	spans, truncated, err := s.Periods(id.RecurrenceID, o)
	return records(object, id, transp, expires, spans), truncated, err
}

// records returns a record for each span.
func records(object *calendar.Object, id stores.ID, transp string, expires time.Time, spans []calendar.Span) []freebusy.Period {
	organizer, _ := object.Organizer()
	summary := object.Summary()
	records := make([]freebusy.Period, len(spans))
	for i, span := range spans {
		records[i] = freebusy.Period{
			Start: span.Start, End: span.End, UID: id.UID, Transp: transp, RecurrenceID: id.RecurrenceID,
			Summary: summary, Organizer: string(organizer), Expires: expires,
		}
	}
	return records
}
