package resource_test

import (
	"slices"
	"strings"
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

// A room that passes on what it has accepted before gives up its former time, or that of the occurrence that it passes on, and
// what it has offered. Where it has accepted nothing, nothing is stored.
func TestDelegatedAfterAccepted(t *testing.T) {
	s := newSite(t)
	s.settings.SchedulingFunction = "schedule_for_delegate " + rooms
	s.list("delegates", "mailto:"+room, "mailto:"+attic)
	s.list("limits", "* *")
	s.list("groups", "* all")
	delegates := func(day string) []string {
		return []string{attic + " REQUEST DELEGATED " + day, paul + " REPLY DELEGATED " + day}
	}
	other := message(harvey, "REQUEST", event("UID:other", "ORGANIZER:mailto:"+harvey, "DTSTART:20261203T090000Z"))
	play(t, s,
		step{request(), []string{accepts}, nil},
		step{other, []string{harvey + " REPLY ACCEPTED 03T0900"}, nil},
		step{request("SEQUENCE:1", "DTSTART:20261203T090000Z"), delegates("03T0900"), []string{"freebusy 03T0900 other", "objects/meeting", "objects/other"}},
	)
	if got := s.booked("all"); !slices.Equal(got, []string{"03T0900 other " + room}) {
		t.Errorf("booked %q", got)
	}
	play(t, s,
		step{request("UID:second"), []string{accepts}, nil},
		// It comes back when the room is free.
		step{request("SEQUENCE:2", "DTSTART:20261204T090000Z"), []string{paul + " REPLY ACCEPTED 04T0900"}, nil},
		step{message(paul, "CANCEL", event("SEQUENCE:3")), nil, nil},
		// An occurrence.
		step{request("UID:series", "DTSTART:20261205T090000Z", "RRULE:FREQ=DAILY;COUNT=3"), []string{paul + " REPLY ACCEPTED 05T0900"}, nil},
		step{request("UID:series", "SEQUENCE:1", "RECURRENCE-ID:20261206T090000Z", "DTSTART:20261203T090000Z"), delegates("03T0900"),
			[]string{"cancellations/objects/meeting", "freebusy 02T0900 second", "freebusy 03T0900 other", "freebusy 05T0900 series", "freebusy 07T0900 series",
				"objects/other", "objects/second", "objects/series", "recurrences/series/20261206T090000Z"}},
		step{request("UID:third"), delegates("02T0900"), nil},
	)
	if got := s.stored(room); slices.Contains(got, "objects/third") {
		t.Errorf("stored %q", got)
	}
	object := s.files("store")["mailto:"+room+"/recurrences/series/20261206T090000Z"]
	if unfolded := strings.ReplaceAll(object, "\r\n ", ""); !strings.Contains(unfolded, `;DELEGATED-TO="mailto:`+attic+`";PARTSTAT=DELEGATED;`) {
		t.Errorf("stored %s", object)
	}
}

// What was offered goes when another version is passed on.
func TestDelegatedAfterOffer(t *testing.T) {
	s := newSite(t)
	s.settings.SchedulingFunction = "schedule_for_delegate " + rooms + "\nschedule_corrected_in_freebusy"
	s.settings.PermittedTimes.Minutes = []int{0, 30}
	s.settings.Offers = 24 * time.Hour
	s.list("delegates", "mailto:"+room, "mailto:"+attic)
	s.list("limits", "* *")
	s.list("groups", "* all")
	play(t, s,
		step{request("UID:taken", "DTSTART:20261203T090000Z"), []string{paul + " REPLY ACCEPTED 03T0900"}, nil},
		step{request("DTSTART:20261202T091000Z"), []string{paul + " COUNTER NEEDS-ACTION 02T0930"}, []string{"freebusy 03T0900 taken", "freebusy-offers 02T0930 meeting", "objects/taken"}},
		step{request("SEQUENCE:1", "DTSTART:20261203T090000Z"), []string{attic + " REQUEST DELEGATED 03T0900", paul + " REPLY DELEGATED 03T0900"},
			[]string{"freebusy 03T0900 taken", "objects/taken"}},
	)
}
