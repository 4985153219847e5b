package resource_test

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imip-agent/handlers/arrival/arrivaltest"
	"imip-agent/stores/preferences"
)

// Each message is for the room, and comes after the others.
type step struct {
	text    string
	answers []string
	stored  []string // nil: it is not looked at
}

func play(t *testing.T, s *site, steps ...step) {
	t.Helper()
	for i, step := range steps {
		if got := s.handle(step.text, room); !slices.Equal(got, step.answers) {
			t.Errorf("step %d: answers %q, want %q\n%s", i+1, got, step.answers, &s.log)
		}
		if got := s.stored(room); step.stored != nil && !slices.Equal(got, step.stored) {
			t.Errorf("step %d: stored %q, want %q", i+1, got, step.stored)
		}
		s.log.Reset()
		s.now = s.now.Add(time.Minute)
	}
}

const (
	accepts  = paul + " REPLY ACCEPTED 02T0900"
	declines = paul + " REPLY DECLINED 02T0900"
)

// A booking is moved, declined and called off, as a whole and in parts.
func TestTable(t *testing.T) {
	play(t, newSite(t),
		step{request(), []string{accepts}, []string{"freebusy 02T0900 meeting", "objects/meeting"}},
		step{request("UID:second"), []string{declines}, []string{"freebusy 02T0900 meeting", "objects/meeting", "objects/second"}},
		step{request("SEQUENCE:1", "DTSTART:20261203T090000Z"), []string{paul + " REPLY ACCEPTED 03T0900"}, []string{"freebusy 03T0900 meeting", "objects/meeting", "objects/second"}},
		step{request("UID:second", "SEQUENCE:1"), []string{accepts}, []string{"freebusy 02T0900 second", "freebusy 03T0900 meeting", "objects/meeting", "objects/second"}},
		// It is moved to where the room is taken, and so given up.
		step{request("SEQUENCE:2"), []string{declines}, []string{"freebusy 02T0900 second", "objects/meeting", "objects/second"}},
		step{message(paul, "CANCEL", event("UID:second", "SEQUENCE:2")), nil, []string{"cancellations/objects/second", "objects/meeting"}},
		// What is older than the cancellation, or comes again, is not answered.
		step{request("UID:second", "SEQUENCE:1", "DTSTAMP:20261122T113000Z"), nil, []string{"cancellations/objects/second", "objects/meeting"}},
		step{request("SEQUENCE:2", "DTSTAMP:20261122T110000Z", "SUMMARY:Again"), nil, []string{"cancellations/objects/second", "objects/meeting"}},
	)
}

func TestSeries(t *testing.T) {
	weekly := "RRULE:FREQ=WEEKLY;COUNT=3"
	second := "RECURRENCE-ID:20261209T090000Z"
	play(t, newSite(t),
		step{request(weekly), []string{accepts}, []string{"freebusy 02T0900 meeting", "freebusy 09T0900 meeting", "freebusy 16T0900 meeting", "objects/meeting"}},
		// Over its own former time.
		step{request("SEQUENCE:1", second, "DTSTART:20261209T093000Z"), []string{paul + " REPLY ACCEPTED 09T0930"},
			[]string{"freebusy 02T0900 meeting", "freebusy 09T0930 meeting", "freebusy 16T0900 meeting", "objects/meeting", "recurrences/meeting/20261209T090000Z"}},
		// To another occurrence of the same series.
		step{request("SEQUENCE:2", second, "DTSTART:20261216T093000Z"), []string{paul + " REPLY DECLINED 16T0930"},
			[]string{"freebusy 02T0900 meeting", "freebusy 16T0900 meeting", "objects/meeting", "recurrences/meeting/20261209T090000Z"}},
		step{request("UID:other", "DTSTART:20261209T090000Z"), []string{paul + " REPLY ACCEPTED 09T0900"}, nil},
		// The series is sent anew: its occurrences stored apart are no obstacle to it, but the other meeting is.
		step{request("SEQUENCE:3", weekly), []string{declines}, []string{"freebusy 09T0900 other", "objects/meeting", "objects/other"}},
		step{request("SEQUENCE:4", weekly, "DTSTART:20261202T100000Z"), []string{paul + " REPLY ACCEPTED 02T1000"},
			[]string{"freebusy 02T1000 meeting", "freebusy 09T0900 other", "freebusy 09T1000 meeting", "freebusy 16T1000 meeting", "objects/meeting", "objects/other"}},
		step{request("SEQUENCE:5", second, "DTSTART:20261209T110000Z"), []string{paul + " REPLY ACCEPTED 09T1100"}, nil},
		step{request("SEQUENCE:6", weekly, "DTSTART:20261202T110000Z"), []string{paul + " REPLY ACCEPTED 02T1100"},
			[]string{"freebusy 02T1100 meeting", "freebusy 09T0900 other", "freebusy 09T1100 meeting", "freebusy 16T1100 meeting", "objects/meeting", "objects/other"}},
		step{message(paul, "CANCEL", event("SEQUENCE:7")), nil, []string{"cancellations/objects/meeting", "freebusy 09T0900 other", "objects/other"}},
	)
}

// STATUS:CANCELLED calls off what it stands in, as a CANCEL does, and what is called off can be asked for again.
func TestCalledOffByStatus(t *testing.T) {
	s := newSite(t)
	s.settings.AddResponse = preferences.TakeOver
	second := []string{"RECURRENCE-ID:20261209T090000Z", "DTSTART:20261209T090000Z"}
	play(t, s,
		step{request("RRULE:FREQ=WEEKLY;COUNT=3"), []string{accepts}, nil},
		step{request(append(second, "SEQUENCE:1", "STATUS:CANCELLED")...), nil,
			[]string{"cancellations/recurrences/meeting/20261209T090000Z", "freebusy 02T0900 meeting", "freebusy 16T0900 meeting", "objects/meeting"}},
		step{request(append(second, "SEQUENCE:2")...), []string{paul + " REPLY ACCEPTED 09T0900"},
			[]string{"freebusy 02T0900 meeting", "freebusy 09T0900 meeting", "freebusy 16T0900 meeting", "objects/meeting", "recurrences/meeting/20261209T090000Z"}},
		step{message(paul, "ADD", event("SEQUENCE:3", "DTSTART:20261216T090000Z", "STATUS:CANCELLED")), nil,
			[]string{"cancellations/recurrences/meeting/20261216T090000Z", "freebusy 02T0900 meeting", "freebusy 09T0900 meeting", "objects/meeting", "recurrences/meeting/20261209T090000Z"}},
		step{request("UID:other", "DTSTART:20261216T090000Z"), []string{paul + " REPLY ACCEPTED 16T0900"}, nil},
		// It is asked for again, when the room is taken.
		step{request("SEQUENCE:4", "RECURRENCE-ID:20261216T090000Z", "DTSTART:20261216T090000Z"), []string{paul + " REPLY DECLINED 16T0900"},
			[]string{"freebusy 02T0900 meeting", "freebusy 09T0900 meeting", "freebusy 16T0900 other", "objects/meeting", "objects/other",
				"recurrences/meeting/20261209T090000Z", "recurrences/meeting/20261216T090000Z"}},
		step{request("SEQUENCE:5", "STATUS:CANCELLED"), nil, []string{"cancellations/objects/meeting", "freebusy 16T0900 other", "objects/other"}},
		step{request("SEQUENCE:6"), []string{accepts}, []string{"freebusy 02T0900 meeting", "freebusy 16T0900 other", "objects/meeting", "objects/other"}},
	)
}

// Fewer bookings at a time than there may be.
func TestSeveralAtOnce(t *testing.T) {
	s := newSite(t)
	s.settings.SchedulingFunction = "schedule_in_freebusy 2"
	play(t, s,
		step{request("UID:a", "DURATION:PT2H"), []string{accepts}, nil},
		step{request("UID:b"), []string{accepts}, nil},
		step{request("UID:c", "DTSTART:20261202T100000Z"), []string{paul + " REPLY ACCEPTED 02T1000"}, nil},
		step{request("UID:d", "DTSTART:20261202T093000Z"), []string{paul + " REPLY DECLINED 02T0930"}, nil},
		step{request("UID:e", "DTSTART:20261202T110000Z"), []string{paul + " REPLY ACCEPTED 02T1100"}, nil},
	)
}

// What is proposed is offered to nobody else, until it is taken, declined, or has expired.
func TestOffers(t *testing.T) {
	s := newSite(t)
	s.settings.SchedulingFunction = "same_domain_only\nschedule_corrected_in_freebusy"
	s.settings.PermittedTimes = preferences.Times{Minutes: []int{0, 30}}
	s.settings.Offers = time.Hour
	counter := paul + " COUNTER NEEDS-ACTION 02T0930"
	play(t, s,
		step{request("DTSTART:20261202T091000Z"), []string{counter}, []string{"freebusy-offers 02T0930 meeting"}},
		step{request("UID:second"), []string{declines}, []string{"freebusy-offers 02T0930 meeting", "objects/second"}},
		step{request("DTSTART:20261202T093000Z", "DTEND:20261202T103000Z", "-DURATION", "SEQUENCE:1"), []string{paul + " REPLY ACCEPTED 02T0930"},
			[]string{"freebusy 02T0930 meeting", "objects/meeting", "objects/second"}},
		step{request("UID:third", "DTSTART:20261203T091000Z"), []string{paul + " COUNTER NEEDS-ACTION 03T0930"}, nil},
		step{message(paul, "DECLINECOUNTER", event("UID:third", "DTSTART:20261203T093000Z")), nil, []string{"freebusy 02T0930 meeting", "objects/meeting", "objects/second"}},
		// What is declined is offered no more.
		step{request("UID:third", "SEQUENCE:1", "DTSTART:20261203T091000Z"), []string{paul + " COUNTER NEEDS-ACTION 03T0930"}, nil},
		step{request("UID:third", "SEQUENCE:2"), []string{declines}, []string{"freebusy 02T0930 meeting", "objects/meeting", "objects/second", "objects/third"}},
		step{message(paul, "CANCEL", event("UID:third", "SEQUENCE:3")), nil, nil},
		step{request("UID:fourth", "DTSTART:20261204T091000Z"), []string{paul + " COUNTER NEEDS-ACTION 04T0930"}, nil},
	)
	s.now = s.now.Add(time.Hour)
	play(t, s, step{request("UID:fifth", "DTSTART:20261204T093000Z"), []string{paul + " REPLY ACCEPTED 04T0930"},
		[]string{"cancellations/objects/third", "freebusy 02T0930 meeting", "freebusy 04T0930 fifth", "objects/fifth", "objects/meeting", "objects/second"}})
}

// What is called off is offered no more, if who offered it or the offer says so: the room is free for others.
func TestOffersCalledOff(t *testing.T) {
	s := newSite(t)
	s.settings.SchedulingFunction = "schedule_corrected_in_freebusy"
	s.settings.PermittedTimes = preferences.Times{Minutes: []int{0, 30}}
	s.settings.Offers = 24 * time.Hour
	counter := paul + " COUNTER NEEDS-ACTION 02T0930"
	play(t, s,
		step{request("DTSTART:20261202T091000Z"), []string{counter}, []string{"freebusy-offers 02T0930 meeting"}},
		// Somebody else says it of an event of their own.
		step{message(harvey, "CANCEL", event("ORGANIZER:mailto:"+harvey, "DTSTART:20261202T091000Z", "SEQUENCE:0")), nil,
			[]string{"cancellations/objects/meeting", "freebusy-offers 02T0930 meeting"}},
	)
	s = newSite(t)
	s.settings.SchedulingFunction = "schedule_corrected_in_freebusy"
	s.settings.PermittedTimes = preferences.Times{Minutes: []int{0, 30}}
	s.settings.Offers = 24 * time.Hour
	second := []string{"RECURRENCE-ID:20261209T090000Z", "DTSTART:20261209T091000Z"}
	play(t, s,
		step{request("DTSTART:20261202T091000Z"), []string{counter}, nil},
		step{message(paul, "CANCEL", event("DTSTART:20261202T091000Z", "SEQUENCE:1")), nil, []string{"cancellations/objects/meeting"}},
		step{request("UID:other", "DTSTART:20261202T093000Z"), []string{paul + " REPLY ACCEPTED 02T0930"}, nil},
		// An occurrence of what is booked, by STATUS, and then all of it.
		step{request("UID:series", "DTSTART:20261202T110000Z", "RRULE:FREQ=WEEKLY;COUNT=3"), []string{paul + " REPLY ACCEPTED 02T1100"}, nil},
		step{request(append(second, "UID:series", "SEQUENCE:1")...), []string{paul + " COUNTER NEEDS-ACTION 09T0930"}, nil},
		step{request(append(second, "UID:series", "SEQUENCE:2", "STATUS:CANCELLED")...), nil, nil},
		step{request("UID:third", "DTSTART:20261209T093000Z"), []string{paul + " REPLY ACCEPTED 09T0930"}, nil},
		step{request("UID:series", "SEQUENCE:3", "RECURRENCE-ID:20261216T110000Z", "DTSTART:20261216T091000Z"), []string{paul + " COUNTER NEEDS-ACTION 16T0930"}, nil},
		step{message(paul, "CANCEL", event("UID:series", "SEQUENCE:4")), nil, nil},
		step{request("UID:fourth", "DTSTART:20261216T093000Z"), []string{paul + " REPLY ACCEPTED 16T0930"}, nil},
	)
}

// The next time is when the room and all others who attend are free, as far as that is known, and within the window.
func TestNextAvailable(t *testing.T) {
	s := newSite(t)
	s.settings.SchedulingFunction = "schedule_next_available_in_freebusy"
	busy := message(harvey, "PUBLISH", arrivaltest.Component("VFREEBUSY", []string{"ORGANIZER:mailto:" + harvey, "UID:busy", "DTSTAMP:20261122T110000Z",
		"DTSTART:20261202T000000Z", "DTEND:20261203T000000Z", "FREEBUSY:20261202T100000Z/PT1H,20261202T110000Z/PT1H"}, nil))
	both := []string{"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:" + room, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:" + harvey}
	play(t, s,
		step{request("UID:a"), []string{accepts}, nil},
		step{request("UID:b", "DTSTART:20261202T120000Z"), []string{paul + " REPLY ACCEPTED 02T1200"}, nil},
		step{busy, nil, nil},
		// What others do lies between the room's bookings.
		step{request(append(both, "UID:c")...), []string{paul + " COUNTER NEEDS-ACTION 02T1300"}, nil},
		step{request("UID:d"), []string{paul + " COUNTER NEEDS-ACTION 02T1000"}, nil},
		step{request("UID:long", "DTSTART:20261203T000000Z", "DURATION:P10D"), []string{paul + " REPLY ACCEPTED 03T0000"}, nil},
		step{request("UID:e", "DTSTART:20261204T090000Z"), []string{paul + " COUNTER NEEDS-ACTION 13T0000"}, nil},
	)
	s.settings.WindowSize = 20 // to 12 December
	play(t, s, step{request("UID:f", "DTSTART:20261204T090000Z"), []string{paul + " REPLY DECLINED 04T0900"}, nil})

	// Periods are taken in order of time, whatever the order in which they are written.
	s = newSite(t)
	s.settings.SchedulingFunction, s.settings.Offers = "schedule_next_available_in_freebusy", time.Hour
	play(t, s,
		step{request("UID:a"), []string{accepts}, nil},
		step{request("RDATE:20261201T090000Z"), []string{paul + " COUNTER NEEDS-ACTION 02T1000"},
			[]string{"freebusy 02T0900 a", "freebusy-offers 01T0900 meeting", "freebusy-offers 02T1000 meeting", "objects/a"}},
	)
}

// Functions are asked in their order, each for what the ones before it have made of the event.
func TestOrder(t *testing.T) {
	for functions, want := range map[string]string{
		"schedule_in_freebusy":                                 paul + " REPLY ACCEPTED 02T0910",
		"schedule_corrected_in_freebusy":                       paul + " COUNTER NEEDS-ACTION 02T0930",
		"schedule_corrected_in_freebusy\nschedule_in_freebusy": paul + " COUNTER NEEDS-ACTION 02T0930",
		"schedule_in_freebusy\nschedule_corrected_in_freebusy": paul + " COUNTER NEEDS-ACTION 02T0930",
		"schedule_corrected_in_freebusy\naccess_control_list":  paul + " REPLY DECLINED 02T0910", // with the times that are asked for
		"\n# nothing\n": paul + " REPLY ACCEPTED 02T0910",
		"schedule_next_available_in_freebusy\nsame_domain_only\n": paul + " COUNTER NEEDS-ACTION 02T0930",
	} {
		s := newSite(t)
		s.settings.SchedulingFunction = functions
		s.settings.ACL = "decline"
		s.settings.PermittedTimes = preferences.Times{Minutes: []int{0, 30}}
		if got := s.handle(request("DTSTART:20261202T091000Z"), room); !slices.Equal(got, []string{want}) {
			t.Errorf("%q: %q, want %q", functions, got, want)
		}
	}
}

// The answer says in the resource's language what is decided, and has all that a calendar must have.
func TestAnswer(t *testing.T) {
	s := newSite(t)
	s.settings.Language = "nb_NO"
	s.handle(request("UID:other"), room)
	s.others.Forget()
	s.handle(request("DTSTART;TZID=Europe/Oslo:20261202T100000", "ATTENDEE;CUTYPE=ROOM;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:"+room, "ATTENDEE:mailto:"+harvey), room)
	taken := s.others.Taken()
	if len(taken) != 1 || taken[0].From != system || taken[0].To != paul {
		t.Fatalf("%q", taken)
	}
	m, err := mail.ReadMessage(strings.NewReader(taken[0].Text))
	if err != nil {
		t.Fatal(err)
	}
	subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if subject != "Svar på en invitasjon" || m.Header.Get("In-Reply-To") != "<1@example.com>" || m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("Date") == "" || m.Header.Get("Message-Id") == "" {
		t.Errorf("header %v", m.Header)
	}
	media, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || media != "multipart/mixed" {
		t.Fatal(media, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	var texts []string
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, part.Header.Get("Content-Type"), string(text))
	}
	if len(texts) != 4 || texts[0] != "text/plain; charset=utf-8" || strings.TrimSpace(texts[1]) != "Ressursen er ikke ledig på tidspunktet du ba om." || texts[2] != "text/calendar; charset=utf-8; method=REPLY" {
		t.Fatalf("%q", texts)
	}
	for _, want := range []string{
		"PRODID:", "VERSION:2.0\r\n", "METHOD:REPLY\r\n", "BEGIN:VTIMEZONE\r\nTZID:Europe/Oslo\r\n", "DTSTAMP:20261122T120000Z\r\n", "SEQUENCE:0\r\n", "DTSTART;TZID=Europe/Oslo:20261202T100000\r\n",
		"ATTENDEE;CUTYPE=ROOM;PARTSTAT=DECLINED;SENT-BY=\"mailto:calendar@example.com\":mailto:room@example.com\r\n",
	} {
		if !strings.Contains(strings.ReplaceAll(texts[3], "\r\n ", ""), want) {
			t.Errorf("%q is missing in %s", want, texts[3])
		}
	}
	if strings.Contains(texts[3], harvey) || strings.Contains(texts[3], "RSVP") {
		t.Errorf("there is more in it: %s", texts[3])
	}
	stored, err := os.ReadFile(filepath.Join(s.dir, "store", "mailto:"+room, "objects", "meeting"))
	if err != nil || !strings.Contains(string(stored), harvey) || !strings.Contains(strings.ReplaceAll(string(stored), "\r\n ", ""), "PARTSTAT=DECLINED;SENT-BY") {
		t.Errorf("stored %s, %v", stored, err)
	}
}

// A message that is handed in again, since the answer was refused, is decided on once.
func TestOnce(t *testing.T) {
	s := newSite(t)
	s.others.Refuse(paul, 451)
	if err := s.try(request(), room); err == nil {
		t.Fatal("the answer is refused, and nobody knows")
	}
	if left := s.left(room); left != 1 {
		t.Errorf("%d mails are left", left)
	}
	// Somebody else asks meanwhile, and the answer stands.
	s.others.Refuse(paul, 0)
	if got := s.handle(request("UID:second"), room); !slices.Equal(got, []string{declines}) && !slices.Equal(got, []string{accepts, declines}) {
		t.Errorf("%q", got)
	}
	s.handle(request(), room)
	s.handle(request(), room)
	answered := 0
	for _, m := range s.others.Taken() {
		if strings.Contains(m.Text, "PARTSTAT=ACCEPTED") {
			answered++
		}
	}
	if answered != 1 || s.left(room) != 0 {
		t.Errorf("%d answers, %d left", answered, s.left(room))
	}
}

// What is not handled is delivered as it came where there is a server for it, and dropped where there is none.
func TestUnhandled(t *testing.T) {
	for name, text := range map[string]string{
		"no calendar":       "From: " + paul + "\r\n\r\nhello\r\n",
		"of no use":         message(paul, "PUBLISH", event()),
		"from a stranger":   message(harvey, "REQUEST", event()),
		"not invited":       request("ATTENDEE:mailto:" + harvey),
		"by a list":         "List-Id: <all.example.com>\r\n" + request(),
		"of another method": message(paul, "FORWARD", event()),
		"not participating": request(),
	} {
		for _, with := range []bool{true, false} {
			s := newSite(t)
			s.settings.Absent = name == "not participating"
			if with {
				s.withMailbox()
			}
			for range 2 {
				if got := s.handle(text, room); len(got) > 0 {
					t.Errorf("%s: answered %q", name, got)
				}
			}
			if got := s.stored(room); len(got) > 0 {
				t.Errorf("%s: stored %q", name, got)
			}
			taken := s.mailbox.Taken()
			if with && (len(taken) != 1 || taken[0].Text != text || taken[0].To != room) || !with && len(taken) > 0 {
				t.Errorf("%s: delivered %q", name, taken)
			}
			if !with && !strings.Contains(s.log.String(), "msg=dropped") {
				t.Errorf("%s: log %s", name, &s.log)
			}
		}
	}
}

// Mistakes of the administrator end in 75, before anything is changed, and are named.
func TestMistakes(t *testing.T) {
	s := newSite(t).withMailbox()
	s.settings.SchedulingFunction = "same_domain_only\nschedule_in_freebusi"
	if err := s.try(request(), room); err == nil || !strings.Contains(err.Error(), "scheduling_function of room@example.com: line 2: schedule_in_freebusi") {
		t.Errorf("error %v", err)
	}
	s.settings.SchedulingFunction = ""
	s.broken = errors.New("it is broken")
	if err := s.try(request(), room); !errors.Is(err, s.broken) {
		t.Errorf("unreadable preferences: %v", err)
	}
	if got := s.stored(room); len(got) > 0 || len(s.mailbox.Taken()) > 0 {
		t.Errorf("stored %q, delivered %q", got, s.mailbox.Taken())
	}
	s.broken = nil
	play(t, s, step{request(), []string{accepts}, nil})
}

// An access control list in a file of its own.
func TestAccessFile(t *testing.T) {
	s := newSite(t)
	path := filepath.Join(s.dir, "the list")
	s.settings.SchedulingFunction = "access_control_list '" + path + "'\nschedule_in_freebusy"
	play(t, s, step{request("UID:a"), []string{declines}, nil}) // there is none
	if err := os.WriteFile(path, []byte("accept organiser "+paul+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	play(t, s, step{request("UID:b"), []string{accepts}, nil})
}

// Three rooms stand in for one another: whoever asks for the first of them gets the first that is free.
func TestDelegation(t *testing.T) {
	s := newSite(t)
	s.settings.SchedulingFunction = "schedule_for_delegate " + rooms
	s.list("delegates", "mailto:"+room, "mailto:"+attic, "mailto:cellar@example.com")
	s.list("limits", "* *")
	s.list("groups", "* all")
	want := []string{accepts}
	for i, uid := range []string{"a", "b", "c"} {
		got := s.handle(request("UID:"+uid), room)
		if i > 0 {
			to := []string{"", attic, "cellar@example.com"}[i]
			want = []string{paul + " REPLY DELEGATED 02T0900", to + " REQUEST DELEGATED 02T0900"}
			slices.Sort(want)
			var mail string
			for _, m := range s.others.Taken() {
				if m.To == to {
					mail = m.Text
				}
			}
			answers := s.handle(mail, to)
			if len(answers) != 2 || !strings.HasPrefix(answers[0], paul+" REPLY ACCEPTED") || !strings.HasPrefix(answers[1], room+" REPLY ACCEPTED") {
				t.Errorf("%s: the delegate answers %q\n%s", uid, answers, &s.log)
			}
			if got := s.stored(to); !slices.Equal(got, []string{"freebusy 02T0900 " + uid, "objects/" + uid}) {
				t.Errorf("%s: the delegate has %q", uid, got)
			}
			// The answer that it gets is of no use to the first room.
			for _, m := range s.others.Taken() {
				if m.To == room && strings.Contains(m.Text, "UID:"+uid) {
					s.handle(m.Text, room)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", uid, got, want)
		}
	}
	play(t, s, step{request("UID:d"), []string{declines}, nil})
	if got := s.booked("all"); !slices.Equal(got, []string{"02T0900 a " + room, "02T0900 b " + attic, "02T0900 c cellar@example.com"}) {
		t.Errorf("booked %q", got)
	}
	// What is called off in the first room is free again there.
	play(t, s,
		step{message(paul, "CANCEL", event("UID:a", "SEQUENCE:1")), nil, nil},
		step{request("UID:e"), []string{accepts}, nil},
	)
}

// The quota is counted with what is moved, given up and called off, and by the versions that are booked.
func TestQuota(t *testing.T) {
	s := newSite(t)
	s.settings.SchedulingFunction = "schedule_in_freebusy\ncheck_quota " + rooms + "\nschedule_across_quota " + rooms
	s.list("limits", "# two hours for all together", "", "all PT2H")
	s.list("groups", "* all")
	both := func(want ...string) {
		t.Helper()
		for _, table := range []string{"all", "mailto:" + paul} {
			var booked []string
			for _, line := range s.booked(table) {
				booked = append(booked, strings.TrimSuffix(line, " "+room))
			}
			if !slices.Equal(booked, want) {
				t.Errorf("%s: %q, want %q", table, booked, want)
			}
		}
	}
	play(t, s, step{request("UID:a"), []string{accepts}, nil})
	both("02T0900 a")
	play(t, s, step{request("UID:a", "SEQUENCE:1", "DTSTART:20261203T090000Z", "DURATION:PT2H"), []string{paul + " REPLY ACCEPTED 03T0900"}, nil})
	both("03T0900 a")
	play(t, s, step{request("UID:b"), []string{declines}, nil}) // exceeded
	play(t, s, step{request("UID:a", "SEQUENCE:2", "DTSTART:20261203T090000Z", "DURATION:PT3H"), []string{paul + " REPLY DECLINED 03T0900"}, nil})
	both()
	play(t, s, step{request("UID:b", "SEQUENCE:1", "RRULE:FREQ=DAILY;COUNT=2"), []string{accepts}, nil})
	both("02T0900 b", "03T0900 b")
	play(t, s, step{message(paul, "CANCEL", event("UID:b", "SEQUENCE:2", "RECURRENCE-ID:20261203T090000Z", "DTSTART:20261203T090000Z")), nil, nil})
	both("02T0900 b")
	play(t, s, step{message(paul, "CANCEL", event("UID:b", "SEQUENCE:3")), nil, nil})
	both()
	play(t, s, step{request("UID:c", "RRULE:FREQ=DAILY"), []string{declines}, nil}) // without end

	s.list("limits", "all much")
	if err := s.try(request("UID:d"), room); err == nil || !strings.Contains(err.Error(), "limits") || !strings.Contains(err.Error(), "much") {
		t.Errorf("a mistake in the lists: %v", err)
	}
	s.Journal = nil
	if err := s.try(request("UID:d"), room); err == nil {
		t.Error("no journal, and no error")
	}
}
