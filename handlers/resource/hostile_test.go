package resource_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"imip-agent/tests/mailbox"
)

// What nobody should send to a room changes nothing that it should not, is answered as it may be, and leaves a line in the
// log that says why.
func TestUnfriendly(t *testing.T) {
	booked := []string{"freebusy 02T0900 meeting", "objects/meeting"}
	for _, test := range []struct {
		name, text string
		answers    []string
		stored     []string
		log        string
	}{
		{"called off by a stranger", message(harvey, "CANCEL", event("SEQUENCE:1")), nil, booked, "its sender is not the attendee or organizer in it"},
		{"called off by a stranger as its organizer", message(harvey, "CANCEL", event("SEQUENCE:1", "ORGANIZER:mailto:"+harvey)), nil, booked, "another organizer than the stored event"},
		{"taken over by a stranger", message(harvey, "REQUEST", event("SEQUENCE:1", "ORGANIZER:mailto:"+harvey)), nil, booked, "another organizer than the stored event"},
		{"a counter-proposal", message(harvey, "COUNTER", event("ATTENDEE:mailto:"+harvey)), nil, booked, "a resource has no use for it"},
		{"a question for the event", message(harvey, "REFRESH", event("ATTENDEE:mailto:"+harvey)), nil, booked, "a resource has no use for it"},
		{"an answer", message(attic, "REPLY", event("ATTENDEE;PARTSTAT=ACCEPTED:mailto:"+attic)), nil, booked, "a resource has no use for it"},
		{"an automatic answer", "Auto-Submitted: auto-replied\r\n" + request("UID:b"), nil, booked, "a program or a mailing list sent it"},
		{"a bounce", "Return-Path: <>\r\n" + request("UID:b"), nil, booked, "a program or a mailing list sent it"},
		{"twice among the attendees", request("SEQUENCE:1", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:"+room, "ATTENDEE:MAILTO:Room@EXAMPLE.com"), []string{accepts}, booked, "accepted"},
		{"organized by the room", message(room, "REQUEST", event("UID:own", "ORGANIZER:mailto:"+room, "DTSTART:20261203T090000Z")), nil,
			[]string{"freebusy 02T0900 meeting", "freebusy 03T0900 own", "objects/meeting", "objects/own"}, "accepted"},
		{"organized by the room, from a stranger", message(harvey, "REQUEST", event("UID:own", "ORGANIZER:mailto:"+room)), nil, booked, "its sender is not the attendee or organizer"},
		{"delegated by itself", request("SEQUENCE:1", `ATTENDEE;DELEGATED-FROM="mailto:`+room+`";DELEGATED-TO="mailto:`+room+`":mailto:`+room), []string{accepts}, booked, "accepted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			s.handle(request(), room)
			s.log.Reset()
			got := s.handle(test.text, room)
			if stored := s.stored(room); !slices.Equal(got, test.answers) || !slices.Equal(stored, test.stored) {
				t.Errorf("answers %q, stored %q, want %q and %q", got, stored, test.answers, test.stored)
			}
			if !strings.Contains(s.log.String(), test.log) {
				t.Errorf("log %s", &s.log)
			}
		})
	}
}

// A room under two names in the envelope is one.
func TestTwoNames(t *testing.T) {
	s := newSite(t)
	s.Recipients = []string{room, "Room@Example.com", "mailto:" + room}
	if err := s.Handle(t.Context(), strings.NewReader(request())); err != nil {
		t.Fatal(err)
	}
	if got := s.others.Taken(); len(got) != 1 {
		t.Errorf("%d answers", len(got))
	}
}

// Limits as people write them: what counts, what is declined, and what is a mistake.
func TestOddLimits(t *testing.T) {
	for limit, want := range map[string]string{
		"all P1W": "ACCEPTED", "all *": "ACCEPTED", "* *": "ACCEPTED", "all\tPT1H\r": "ACCEPTED", "\ufeffall 'PT1H'": "ACCEPTED", "all +PT1H": "ACCEPTED", "# none\n\nall P1D": "ACCEPTED",
		"all PT0S": "DECLINED", "all P0D": "DECLINED", "all PT59M": "DECLINED", "all PT2H\nall PT30M": "DECLINED",
		"others PT1H": `group \"all\" has no limit`, "": `the quota \"mailto:rooms@example.com\" has no limits`,
		"all -PT1H": "it is not an iCalendar duration", "all PT": "it is not an iCalendar duration", "all P1Y": "it is not an iCalendar duration", "all pt1h": "it is not an iCalendar duration",
		"all P1WT1H": "it is not an iCalendar duration", "all P99999999999D": "it is too long", "all": "it has 1 word, and must have 2", "all PT1H each": "it has 3 words, and must have 2",
	} {
		s := newSite(t)
		s.settings.SchedulingFunction = "check_quota " + rooms
		s.list("groups", "* all")
		s.list("limits", limit)
		err := s.try(request(), room)
		var got string
		switch taken := s.others.Taken(); {
		case err != nil:
			got = err.Error()
			if stored := s.stored(room); len(taken) > 0 || len(stored) > 0 || !strings.Contains(got, "/limits, line 1: ") {
				t.Errorf("%q: %v, stored %q", limit, err, stored)
			}
		case len(taken) == 1:
			got = said(taken[0].Text) + " " + s.log.String()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", limit, got, want)
		}
	}
}

// Series with many occurrences, or without end, are decided on as others are.
func TestLongSeries(t *testing.T) {
	for _, test := range []struct{ functions, limit, rule, want string }{
		{"schedule_in_freebusy", "", "FREQ=DAILY", "ACCEPTED"},
		{"schedule_in_freebusy", "", "FREQ=MINUTELY;INTERVAL=5;COUNT=20000", "ACCEPTED"},
		{"check_quota " + rooms, "*", "FREQ=DAILY", "ACCEPTED"},
		{"check_quota " + rooms, "P1000W", "FREQ=DAILY", "DECLINED"},
		{"check_quota " + rooms, "P1000W", "FREQ=MINUTELY;INTERVAL=5;COUNT=20000", "ACCEPTED"},
		{"check_quota " + rooms, "PT332H", "FREQ=MINUTELY;INTERVAL=5;COUNT=20000", "DECLINED"}, // 20,000 minutes are 333 hours and more
		{"schedule_for_delegate " + rooms, "*", "FREQ=MINUTELY;INTERVAL=5;COUNT=20000", "ACCEPTED"},
	} {
		s := newSite(t)
		s.PeriodLimit = 50000
		s.settings.SchedulingFunction = test.functions
		s.list("groups", "* all")
		s.list("delegates", "mailto:"+room, "mailto:"+attic)
		s.list("limits", "all "+test.limit)
		long := func(uid string) string { return request("UID:"+uid, "DURATION:PT1M", "RRULE:"+test.rule) }
		name := fmt.Sprintf("%s, %s, %s", test.functions, test.limit, test.rule)
		if got := s.handle(long("a"), room); !slices.Equal(got, []string{paul + " REPLY " + test.want + " 02T0900"}) {
			t.Errorf("%s: %q", name, got)
		}
		want := []string{declines}
		if strings.Contains(test.functions, "delegate") {
			want = []string{attic + " REQUEST DELEGATED 02T0900", paul + " REPLY DELEGATED 02T0900"}
		} else if strings.Contains(test.functions, "quota") && test.want == "ACCEPTED" {
			want = []string{accepts} // nobody looks whether the room is free
		}
		if got := s.handle(long("b"), room); !slices.Equal(got, want) {
			t.Errorf("%s, another one: %q, want %q", name, got, want)
		}
		if test.want == "ACCEPTED" {
			s.handle(message(paul, "CANCEL", event("UID:a", "SEQUENCE:1")), room)
			if got := s.stored(room); slices.ContainsFunc(got, func(line string) bool { return strings.HasSuffix(line, " a") }) {
				t.Errorf("%s: called off, there is %.200q", name, got)
			}
		}
	}
}

// Rooms that stand in for one another in two quotas pass a request on once: it does not go in a circle.
func TestDelegationInCircle(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{rooms, "mailto:others@example.com"} {
		s.quota = name
		s.list("limits", "* *")
		s.list("groups", "* all")
		s.list("delegates", "mailto:"+room, "mailto:"+attic)
	}
	s.settings.SchedulingFunction = "schedule_in_freebusy" // the quotas do not know that the attic is taken
	s.handle(request("UID:b", "ATTENDEE:mailto:"+attic), attic)
	s.settings.SchedulingFunction = "schedule_for_delegate " + rooms + "\nschedule_for_delegate mailto:others@example.com\nschedule_in_freebusy"
	s.handle(request("UID:a"), room)

	if got, want := s.handle(request("UID:c"), room), []string{attic + " REQUEST DELEGATED 02T0900", paul + " REPLY DELEGATED 02T0900"}; !slices.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
	taken := s.others.Taken()
	passed := slices.IndexFunc(taken, func(m mailbox.Mail) bool { return m.To == attic })
	if got, want := s.handle(taken[passed].Text, attic), []string{paul + " REPLY DECLINED 02T0900", room + " REPLY DECLINED 02T0900"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q\n%s", got, want, &s.log)
	}
}

// What lies beyond the window is not looked at: a room is free for a series as far as it is known.
func TestBeyondWindow(t *testing.T) {
	s := newSite(t)
	s.settings.WindowSize = 20
	const late = "DTSTART:20261220T090000Z"
	if got := s.handle(request("UID:late", late), room); !slices.Equal(got, []string{paul + " REPLY ACCEPTED 20T0900"}) {
		t.Errorf("late: %q", got)
	}
	if got := s.handle(request("UID:series", "RRULE:FREQ=DAILY;COUNT=60"), room); !slices.Equal(got, []string{accepts}) {
		t.Errorf("series: %q", got)
	}
	if got := s.handle(request("UID:again", late), room); !slices.Equal(got, []string{paul + " REPLY DECLINED 20T0900"}) {
		t.Errorf("late again: %q", got)
	}
}

// Times that are corrected are written as what they are then: an end in place of a length, and periods in place of dates.
func TestCorrectedAsWritten(t *testing.T) {
	s := newSite(t)
	s.settings.SchedulingFunction = "schedule_corrected_in_freebusy"
	s.settings.PermittedTimes.Minutes = []int{0, 30}
	s.handle(request("DTSTART:20261202T091000Z", "DURATION:PT1H", "RDATE:20261203T093000Z,20261204T100500Z"), room)
	text := strings.ReplaceAll(strings.ReplaceAll(s.others.Taken()[0].Text, "\r\n ", ""), "\r\n", "\n")
	for _, line := range []string{"METHOD:COUNTER", "DTSTART:20261202T093000Z", "DTEND:20261202T103000Z",
		"RDATE;VALUE=PERIOD:20261203T093000Z/20261203T103000Z", "RDATE;VALUE=PERIOD:20261204T103000Z/20261204T113000Z"} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
	if strings.Contains(text, "DURATION") {
		t.Error("a length is still there")
	}
}
