package availability

import (
	"slices"
	"strings"
	"testing"

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
		{"attendee without participation status", vincent, "ATTENDEE:" + vincent, "OPAQUE ORG", true, false},
		{"nobody in it", vincent, "ATTENDEE;PARTSTAT=ACCEPTED:" + paul, "OPAQUE ORG", true, false},
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
