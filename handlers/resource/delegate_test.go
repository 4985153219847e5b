package resource_test

import (
	"slices"
	"testing"
	"time"
)

// A meeting that was called off in a room comes back to it when another room delegates it there. Nobody else can say so.
func TestDelegatedToFormerRoom(t *testing.T) {
	s := newSite(t)
	s.handle(request(), room)
	s.handle(message(paul, "CANCEL", event("SEQUENCE:1")), room)
	attendees := []string{"UID:meeting", "SEQUENCE:2",
		"ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:" + room + "\";SENT-BY=\"mailto:" + system + "\":mailto:" + attic,
		"ATTENDEE;DELEGATED-FROM=\"mailto:" + attic + "\":mailto:" + room}
	for _, test := range []struct {
		from string
		want []string
	}{
		{harvey, nil},
		{attic, nil},
		{system, []string{attic + " REPLY ACCEPTED 02T0900", paul + " REPLY ACCEPTED 02T0900"}},
	} {
		if got := s.handle(message(test.from, "REQUEST", event(attendees...)), room); !slices.Equal(got, test.want) {
			t.Errorf("from %s: %q, want %q\n%s", test.from, got, test.want, &s.log)
		}
	}
}

// What is proposed for a whole event is kept for it, also where one of its occurrences stands apart.
func TestOfferOverOccurrence(t *testing.T) {
	s := newSite(t)
	s.settings.SchedulingFunction = "schedule_corrected_in_freebusy"
	s.settings.PermittedTimes.Minutes = []int{0, 30}
	s.settings.Offers = time.Hour
	s.handle(request("SEQUENCE:1", "RECURRENCE-ID:20261202T120000Z", "DTSTART:20261202T090000Z"), room)
	s.handle(request("SEQUENCE:2", "DTSTART:20261202T114500Z"), room)
	if got := s.stored(room); !slices.Contains(got, "freebusy-offers 02T1200 meeting") {
		t.Errorf("stored %q", got)
	}
}
