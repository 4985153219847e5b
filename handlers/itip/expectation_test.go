package itip

import (
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/stores/calendar"
)

// What is expected of a user's own free/busy, by who they are in the event.
func TestExpect(t *testing.T) {
	const paul, vincent = "mailto:paul@example.com", "mailto:vincent@example.com"
	for _, c := range []struct {
		name     string
		user     calendar.URI
		lines    string
		transps  string
		optional bool
		chosen   bool
	}{
		{"organizer who attends", paul, "ATTENDEE;PARTSTAT=ACCEPTED:" + paul, "OPAQUE", false, false},
		{"organizer who does not attend", paul, "ATTENDEE:" + vincent, "ORG", false, false},
		{"organizer of an event without attendees", paul, "SEQUENCE:3", "ORG", false, false},
		{"organizer who may have taken themself out", paul, "SEQUENCE:1\nATTENDEE:" + vincent, "ORG", true, false},
		{"organizer without participation status", paul, "ATTENDEE:" + paul, "ORG OPAQUE", false, false},
		{"organizer who declines", paul, "ATTENDEE;PARTSTAT=DECLINED:" + paul, "OPAQUE", true, false},
		{"organizer who is free meanwhile", paul, "TRANSP:TRANSPARENT\nATTENDEE;PARTSTAT=ACCEPTED:" + paul, "TRANSPARENT", false, false},
		{"attendee who accepts", vincent, "ATTENDEE;PARTSTAT=ACCEPTED:" + vincent, "OPAQUE", false, true},
		{"attendee who may come, or has proposed otherwise", vincent, "ATTENDEE;PARTSTAT=TENTATIVE:" + vincent, "OPAQUE", true, true},
		{"attendee who has not answered", vincent, "ATTENDEE;PARTSTAT=NEEDS-ACTION:" + vincent, "OPAQUE", true, true},
		{"attendee who declines", vincent, "ATTENDEE;PARTSTAT=DECLINED:" + vincent, "", false, false},
		{"attendee who delegates, and has sent that on", vincent, "ATTENDEE;PARTSTAT=DELEGATED:" + vincent, "OPAQUE", true, true},
		{"attendee without participation status", vincent, "ATTENDEE:" + vincent, "OPAQUE ORG", true, true},
		{"nobody in it", vincent, "ATTENDEE;PARTSTAT=ACCEPTED:" + paul, "OPAQUE ORG", true, true},
	} {
		object, err := calendar.DecodeObject([]byte("BEGIN:VEVENT\nUID:a\nORGANIZER:" + paul + "\nDTSTART:20261202T090000Z\n" + c.lines + "\nEND:VEVENT\n"))
		if err != nil {
			t.Fatal(err)
		}
		e := Expect(object, c.user)
		if !slices.Equal(e.Transps, strings.Fields(c.transps)) || e.Optional != c.optional || e.Chosen != c.chosen {
			t.Errorf("%s: %+v", c.name, e)
		}
		if e.Required() != (len(e.Transps) > 0 && !c.optional) {
			t.Errorf("%s: required: %v", c.name, e.Required())
		}
	}
}

// An occurrence may have been declined without a trace by who attends somebody else's series, by
// a clock east of UTC or their own.
func TestDeclinable(t *testing.T) {
	const organizer, attendee = "ORGANIZER:mailto:paul@example.com\n", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:vincent@example.com\n"
	for _, c := range []struct {
		name, user, lines string
		want              bool
	}{
		{"east", "vincent", organizer + attendee + "DTSTART;TZID=Europe/Oslo:20261202T090000\nRRULE:FREQ=WEEKLY\n", true},
		{"their own clock", "vincent", organizer + attendee + "DTSTART:20261202T090000\nRRULE:FREQ=WEEKLY\n", true},
		{"days", "vincent", organizer + attendee + "DTSTART;VALUE=DATE:20261202\nRDATE;VALUE=DATE:20261209\n", true},
		{"UTC", "vincent", organizer + attendee + "DTSTART:20261202T090000Z\nRRULE:FREQ=WEEKLY\n", false},
		{"west", "vincent", organizer + attendee + "DTSTART;TZID=America/New_York:20261202T090000\nRRULE:FREQ=WEEKLY\n", false},
		{"once", "vincent", organizer + attendee + "DTSTART;TZID=Europe/Oslo:20261202T090000\n", false},
		{"one occurrence", "vincent", organizer + attendee + "RECURRENCE-ID:20261202T080000Z\nDTSTART;TZID=Europe/Oslo:20261202T090000\nRRULE:FREQ=WEEKLY\n", false},
		{"their own", "paul", organizer + attendee + "ATTENDEE;PARTSTAT=ACCEPTED:mailto:paul@example.com\nDTSTART;TZID=Europe/Oslo:20261202T090000\nRRULE:FREQ=WEEKLY\n", false},
		{"nobody's", "vincent", attendee + "DTSTART;TZID=Europe/Oslo:20261202T090000\nRRULE:FREQ=WEEKLY\n", false},
		{"not in it", "harvey", organizer + attendee + "DTSTART;TZID=Europe/Oslo:20261202T090000\nRRULE:FREQ=WEEKLY\n", false},
	} {
		object, err := calendar.DecodeObject([]byte("BEGIN:VEVENT\nUID:a\n" + c.lines + "END:VEVENT\n"))
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 12, 9, 8, 0, 0, 0, time.UTC)
		if got := Declinable(object, calendar.URI("mailto:"+c.user+"@example.com"), at); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// How busy the user is goes by what is recorded, as far as that can be right.
func TestTransp(t *testing.T) {
	either := Expectation{Transps: []string{Organizing, Opaque}}
	chosen := Expectation{Transps: []string{Opaque}, Chosen: true}
	free := Expectation{Transps: []string{Transparent}, Chosen: true}
	fixed := Expectation{Transps: []string{Opaque}}
	for _, c := range []struct {
		name   string
		expect Expectation
		there  string
		want   string
	}{
		{"nothing recorded", chosen, "", Opaque},
		{"answered as free", chosen, "TRANSPARENT TRANSPARENT", Transparent},
		{"answered as busy", free, "OPAQUE", Opaque},
		{"not the user's to choose", fixed, "TRANSPARENT", Opaque},
		{"no answer makes it so", chosen, "ORG", Opaque},
		{"as organizer or attendee", either, "OPAQUE", Opaque},
		{"most of them", chosen, "OPAQUE TRANSPARENT TRANSPARENT", Transparent},
		{"as many", chosen, "TRANSPARENT OPAQUE", Opaque},
		{"not busy at all", Expectation{}, "OPAQUE", ""},
	} {
		if got := c.expect.Transp(strings.Fields(c.there)...); got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

// What is known of another user's free/busy.
func TestExpectOther(t *testing.T) {
	const paul, vincent = "mailto:paul@example.com", "mailto:vincent@example.com"
	for _, c := range []struct {
		name, lines string
		transps     string
		optional    bool
		waiting     bool
	}{
		{"accepted", "ATTENDEE;PARTSTAT=ACCEPTED:" + vincent, "OPAQUE", false, false},
		{"free", "TRANSP:TRANSPARENT\nATTENDEE;PARTSTAT=ACCEPTED:" + vincent, "TRANSPARENT", false, false},
		{"declined", "ATTENDEE;PARTSTAT=DECLINED:" + vincent, "", false, false},
		{"not answered", "ATTENDEE;PARTSTAT=NEEDS-ACTION:" + vincent, "", false, true},
		{"without status", "ATTENDEE:" + vincent, "OPAQUE ORG", true, false},
		{"not invited", "ATTENDEE:" + paul, "ORG", true, false},
	} {
		object, err := calendar.DecodeObject([]byte("BEGIN:VEVENT\nUID:a\nORGANIZER:" + paul + "\nDTSTART:20261202T090000Z\n" + c.lines + "\nEND:VEVENT\n"))
		if err != nil {
			t.Fatal(err)
		}
		e := ExpectOther(object, vincent)
		if !slices.Equal(e.Transps, strings.Fields(c.transps)) || e.Optional != c.optional || e.Waiting != c.waiting {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
}
