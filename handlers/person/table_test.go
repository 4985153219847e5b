package person_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"imip-agent/stores/preferences"
)

// Lines that many events have.
var (
	invited = attends(vincent, "NEEDS-ACTION")
	host    = attends(paul, "ACCEPTED")
	third   = attends(harvey, "ACCEPTED")
	weekly  = "RRULE:FREQ=WEEKLY;COUNT=3"
	second  = "RECURRENCE-ID:20261209T090000Z"
	moved   = "DTSTART:20261209T140000Z"
	later   = "SEQUENCE:1"
)

// invitation is a REQUEST of paul's to vincent.
func invitation(lines ...string) string {
	return message(paul, "REQUEST", nil, event(append(lines, invited, host)...))
}

// own is what the web manager tells paul's records of an event of paul's.
func own(method string, lines ...string) string {
	return message(system, method, nil, event(append(lines, "ORGANIZER;SENT-BY=\"mailto:"+system+"\":mailto:"+paul, invited, host, third)...))
}

func freeBusy(method, from string, lines ...string) string {
	return message(from, method, nil, component("VFREEBUSY", lines))
}

// TestTable goes through what each method does, to whole events and occurrences.
func TestTable(t *testing.T) {
	share := func(p *preferences.Preferences) { p.Sharing = true }
	notify := func(p *preferences.Preferences) { p.Notifying = true }
	refresh := func(p *preferences.Preferences) { p.Refreshing = true }
	takeOver := func(p *preferences.Preferences) { p.AddResponse = preferences.TakeOver }
	bundle := func(p *preferences.Preferences) { p.Refreshing, p.Sharing, p.Bundling = true, true, true }
	vincents := func(method, status string, lines ...string) string {
		return message(vincent, method, nil, event(append(lines, attends(vincent, status))...))
	}
	tests := []struct {
		name    string
		set     func(*preferences.Preferences)
		before  []string // messages that came before, to the same user
		message string
		user    string // vincent if empty
		stored  []string
		mailbox string
		answers []string
	}{
		{name: "REQUEST", message: invitation(),
			stored: []string{"freebusy-other/mailto:" + paul + " 1", "objects/meeting", "requests meeting"}, mailbox: "wrapped"},
		{name: "REQUEST of an event, which drops its occurrences", before: []string{invitation(weekly), invitation(second, moved)}, message: invitation(weekly, later),
			stored: []string{"freebusy-other/mailto:" + paul + " 3", "objects/meeting", "requests meeting"}, mailbox: "wrapped"},
		{name: "REQUEST for an occurrence", before: []string{invitation(weekly)}, message: invitation(second, moved),
			stored:  []string{"freebusy-other/mailto:" + paul + " 3", "objects/meeting", "recurrences/meeting/20261209T090000Z", "requests meeting", "requests meeting 20261209T090000Z"},
			mailbox: "wrapped"},
		{name: "REQUEST again", before: []string{invitation()}, message: invitation("X-COPY:2"),
			stored: []string{"freebusy-other/mailto:" + paul + " 1", "objects/meeting", "requests meeting"}, mailbox: "wrapped"},
		{name: "REQUEST that is old", before: []string{invitation(later)}, message: invitation(),
			stored: []string{"freebusy-other/mailto:" + paul + " 1", "objects/meeting", "requests meeting"}, mailbox: "message"},
		{name: "PUBLISH", message: message(paul, "PUBLISH", nil, event(invited, host)),
			stored: []string{"freebusy-other/mailto:" + paul + " 1", "objects/meeting"}, mailbox: "wrapped"},
		{name: "PUBLISH to oneself", user: paul, message: own("PUBLISH"), stored: []string{"freebusy 1", "objects/meeting"}, mailbox: "wrapped"},
		{name: "CANCEL", before: []string{invitation()}, message: message(paul, "CANCEL", nil, event(later, invited, host)),
			stored: []string{"cancellations/objects/meeting"}, mailbox: "wrapped"},
		{name: "CANCEL of an occurrence", before: []string{invitation(weekly)}, message: message(paul, "CANCEL", nil, event(later, second, "-DTSTART:", "-DURATION:", invited, host)),
			stored: []string{"cancellations/recurrences/meeting/20261209T090000Z", "freebusy-other/mailto:" + paul + " 2", "objects/meeting", "requests meeting"}, mailbox: "wrapped"},
		{name: "CANCEL without attendees", before: []string{invitation()}, message: message(paul, "CANCEL", nil, event(later)),
			stored: []string{"cancellations/objects/meeting", "freebusy-other/mailto:" + paul + " 1"}, mailbox: "wrapped"},
		{name: "CANCEL to oneself", user: paul, before: []string{own("PUBLISH", weekly), own("PUBLISH", second, moved)}, message: own("CANCEL", later),
			stored: []string{"cancellations/objects/meeting"}, mailbox: "wrapped"},
		{name: "REPLY", user: paul, before: []string{own("PUBLISH")}, message: vincents("REPLY", "ACCEPTED"),
			stored: []string{"freebusy 1", "freebusy-other/mailto:" + vincent + " 1", "objects/meeting"}, mailbox: "wrapped"},
		{name: "REPLY, declined", user: paul, before: []string{own("PUBLISH"), vincents("REPLY", "ACCEPTED")}, message: vincents("REPLY", "DECLINED"),
			stored: []string{"freebusy 1", "objects/meeting"}, mailbox: "wrapped"},
		{name: "REPLY to an occurrence", user: paul, before: []string{own("PUBLISH", weekly)}, message: vincents("REPLY", "ACCEPTED", second, "DTSTART:20261209T090000Z"),
			stored:  []string{"freebusy 3", "freebusy-other/mailto:" + harvey + " 1", "freebusy-other/mailto:" + vincent + " 1", "objects/meeting", "recurrences/meeting/20261209T090000Z"},
			mailbox: "wrapped", answers: []string{harvey + " REQUEST"}},
		{name: "REPLY to what is unknown", user: paul, message: vincents("REPLY", "ACCEPTED"), mailbox: "message"},
		{name: "REPLY of somebody who is not invited", user: paul, before: []string{own("PUBLISH")}, message: message("zoe@example.com", "REPLY", nil, event(attends("zoe@example.com", "ACCEPTED"))),
			stored: []string{"freebusy 1", "objects/meeting"}, mailbox: "wrapped"},
		{name: "COUNTER", user: paul, before: []string{own("PUBLISH")}, message: vincents("COUNTER", "TENTATIVE", "DTSTART:20261203T090000Z"),
			stored: []string{"counters/objects/meeting/mailto:" + vincent, "freebusy 1", "objects/meeting", "requests meeting COUNTER"}, mailbox: "wrapped"},
		{name: "COUNTER to an occurrence", user: paul, before: []string{own("PUBLISH", weekly)}, message: vincents("COUNTER", "TENTATIVE", second, moved),
			stored: []string{"counters/recurrences/meeting/20261209T090000Z/mailto:" + vincent, "freebusy 3", "objects/meeting", "requests meeting 20261209T090000Z COUNTER"}, mailbox: "wrapped"},
		{name: "COUNTER to what is unknown", user: paul, message: vincents("COUNTER", "TENTATIVE"), mailbox: "message"},
		{name: "DECLINECOUNTER", before: []string{invitation()}, message: message(paul, "DECLINECOUNTER", nil, event("-DTSTART:", "-DURATION:", invited)),
			stored: []string{"freebusy-other/mailto:" + paul + " 1", "objects/meeting", "requests meeting"}, mailbox: "wrapped"},
		{name: "ADD, answered with REFRESH", before: []string{invitation()}, message: message(paul, "ADD", nil, event(later, "DTSTART:20261203T090000Z", invited, host)),
			stored: []string{"freebusy-other/mailto:" + paul + " 1", "objects/meeting", "requests meeting"}, answers: []string{paul + " REFRESH"}},
		{name: "ADD, taken over", set: takeOver, before: []string{invitation()}, message: message(paul, "ADD", nil, event(later, "DTSTART:20261203T090000Z", invited, host)),
			stored:  []string{"freebusy-other/mailto:" + paul + " 2", "objects/meeting", "recurrences/meeting/20261203T090000Z", "requests meeting", "requests meeting 20261203T090000Z"},
			mailbox: "wrapped"},
		{name: "ADD, passed over", set: func(p *preferences.Preferences) { p.AddResponse = preferences.PassOver }, before: []string{invitation()},
			message: message(paul, "ADD", nil, event(later, "DTSTART:20261203T090000Z", invited, host)),
			stored:  []string{"freebusy-other/mailto:" + paul + " 1", "objects/meeting", "requests meeting"}, mailbox: "message"},
		{name: "REFRESH", user: paul, before: []string{own("PUBLISH")}, message: vincents("REFRESH", "ACCEPTED", "-DTSTART:", "-DURATION:"),
			stored: []string{"freebusy 1", "objects/meeting"}, mailbox: "wrapped"},
		{name: "REFRESH, answered", set: refresh, user: paul, before: []string{own("PUBLISH", weekly), own("PUBLISH", second, moved)}, message: vincents("REFRESH", "ACCEPTED", "-DTSTART:", "-DURATION:"),
			stored: []string{"freebusy 3", "objects/meeting", "recurrences/meeting/20261209T090000Z"}, answers: []string{vincent + " REQUEST+REQUEST"}},
		{name: "REFRESH, answered with free/busy", set: bundle, user: paul, before: []string{own("PUBLISH")}, message: vincents("REFRESH", "ACCEPTED", "-DTSTART:", "-DURATION:"),
			stored: []string{"freebusy 1", "objects/meeting"}, answers: []string{vincent + " REQUEST+PUBLISH"}},
		{name: "REFRESH of a stranger", set: refresh, user: paul, before: []string{own("PUBLISH")}, message: message("zoe@example.com", "REFRESH", nil, event("-DTSTART:", "-DURATION:", attends("zoe@example.com", "ACCEPTED"))),
			stored: []string{"freebusy 1", "objects/meeting"}, mailbox: "wrapped"},
		{name: "VFREEBUSY PUBLISH", message: freeBusy("PUBLISH", paul, "DTSTART:20261201T000000Z", "DTEND:20261210T000000Z", "FREEBUSY:20261202T090000Z/PT1H,20261203T090000Z/PT1H", "FREEBUSY;FBTYPE=FREE:20261204T090000Z/PT1H"),
			stored: []string{"freebusy-other/mailto:" + paul + " 2"}},
		{name: "VFREEBUSY PUBLISH, notified", set: notify, message: freeBusy("PUBLISH", paul, "DTSTART:20261201T000000Z", "DTEND:20261210T000000Z", "FREEBUSY:20261202T090000Z/PT1H"),
			stored: []string{"freebusy-other/mailto:" + paul + " 1"}, mailbox: "wrapped"},
		{name: "VFREEBUSY REPLY", user: paul, message: freeBusy("REPLY", vincent, "DTSTART:20261201T000000Z", "DTEND:20261210T000000Z", "FREEBUSY:20261202T090000Z/PT1H", "ATTENDEE:mailto:"+vincent),
			stored: []string{"freebusy-other/mailto:" + vincent + " 1"}},
		{name: "VFREEBUSY REQUEST", message: freeBusy("REQUEST", paul, "DTSTART:20261201T000000Z", "DTEND:20261210T000000Z", "ATTENDEE:mailto:"+vincent), mailbox: "message"},
		{name: "VFREEBUSY REQUEST, answered", set: share, message: freeBusy("REQUEST", paul, "DTSTART:20261201T000000Z", "DTEND:20261210T000000Z", "ATTENDEE:mailto:"+vincent),
			answers: []string{paul + " REPLY"}},
		{name: "VFREEBUSY of an unknown method", message: freeBusy("COUNTER", paul, "ATTENDEE:mailto:"+vincent), mailbox: "message"},
		{name: "not among the attendees", message: message(paul, "REQUEST", nil, event(host, third)), mailbox: "message"},
		{name: "from somebody else", message: message(harvey, "REQUEST", nil, event(invited, host)), mailbox: "message"},
		{name: "delegated", message: message(harvey, "REQUEST", nil, event("ATTENDEE;DELEGATED-FROM=\"mailto:"+harvey+"\":mailto:"+vincent, "ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:"+vincent+"\":mailto:"+harvey, host)),
			stored: []string{"freebusy-other/mailto:" + paul + " 1", "objects/meeting", "requests meeting"}, mailbox: "wrapped"},
		{name: "a task", message: message(paul, "REQUEST", nil, component("VTODO", []string{invited})), mailbox: "message"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			if test.set != nil {
				test.set(&s.settings)
			}
			user := test.user
			if user == "" {
				user = vincent
			}
			for _, text := range test.before {
				s.handle(text, user)
			}
			s.mailbox.Forget()
			s.others.Forget()
			for range 2 { // handed in again, nothing more is done
				s.handle(test.message, user)
				if diff := cmp.Diff(test.stored, s.stored(user)); diff != "" {
					t.Errorf("stored (-want +got):\n%s%s", diff, &s.log)
				}
				if got := strings.Join(s.received(user, test.message), " "); got != test.mailbox {
					t.Errorf("the mailbox has %q, want %q\n%s", got, test.mailbox, &s.log)
				}
				if got := s.answers(); !slices.Equal(got, test.answers) {
					t.Errorf("answers %q, want %q\n%s", got, test.answers, &s.log)
				}
			}
			if letters, left := s.outbox(user); letters != len(test.before)+1 || left != 0 {
				t.Errorf("%d letters, with %d mails", letters, left)
			}
			if aside := s.aside(); len(aside) > 0 {
				t.Errorf("put aside: %q", aside)
			}
		})
	}
}
